//! Names that are numbers.

use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// A globally unique identifier, its bytes in the order in which it is written as text
/// (\[RFC 9562\] §4); on a disk, the first three groups are little-endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// The identifier that `seed` gives to the thing `name`: the same for the same two, and another
    /// for anything else. \[RFC 9562\] §5.8 "UUID Version 8", of a SHA-256.
    #[must_use]
    pub fn derived(seed: &[u8], name: &str) -> Self {
        // The name's own digest: where it begins cannot be mistaken.
        let digest = Sha256::new().chain_update(Sha256::digest(name)).chain_update(seed).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x80; // version 8
        bytes[8] = bytes[8] & 0x3f | 0x80; // the variant of RFC 9562
        Guid(bytes)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, byte) in self.0.iter().enumerate() {
            let dash = if matches!(n, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Guid {
    type Err = NotAGuid;

    /// Of the text form, with or without its dashes and braces.
    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        let digits: String = text.chars().filter(|c| !matches!(c, '-' | '{' | '}')).collect();
        let all_hex = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u128::from_str_radix(&digits, 16).ok().filter(|_| all_hex);
        Ok(Guid(number.ok_or_else(|| NotAGuid { text: text.into() })?.to_be_bytes()))
    }
}

/// Not the text form of a [`Guid`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no GUID; it has 32 hexadecimal digits, as 01234567-89ab-cdef-0123-456789abcdef")]
pub struct NotAGuid {
    text: String,
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a partition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Type(pub Guid);

impl Type {
    /// \[UEFI\] Table 5.7: no partition.
    pub const UNUSED: Self = Type::new(0);
    /// \[UEFI\] Table 5.7 "EFI System Partition".
    pub const EFI_SYSTEM: Self = Type::new(0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b);
    /// GRUB's "BIOS boot partition": the rest of a boot loader that begins in the boot record.
    pub const BIOS_BOOT: Self = Type::new(0x21686148_6449_6e6f_744e_656564454649);
    /// Linux file system data.
    pub const LINUX: Self = Type::new(0x0fc63daf_8483_4772_8e79_3d69d8477de4);

    /// From the digits of the text form.
    #[must_use]
    pub const fn new(digits: u128) -> Self {
        Type(Guid(digits.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_identifier_is_fixed_and_of_version_8() {
        let text = Guid::derived(b"seed", "disk").to_string();
        assert_eq!(text, "f10bfd30-9582-8e87-a1c2-5c201ec88323");
        // Python's uuid.UUID calls this one "version 8, specified in RFC 4122".
        let (version, variant) = (&text[14..15], &text[19..20]);
        assert!(version == "8" && ["8", "9", "a", "b"].contains(&variant));
    }

    #[test]
    fn the_text_form_is_read_back() {
        let guid = Guid::derived(b"seed", "disk");
        assert_eq!(guid.to_string().parse(), Ok(guid));
        assert_eq!(format!("{{{}}}", guid.to_string().to_uppercase()).parse(), Ok(guid));
        for bad in ["", "0", "f10bfd30-9582-8e87-a1c2-5c201ec8832g", "+10bfd3095828e87a1c25c201ec88323"] {
            assert!(bad.parse::<Guid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn seed_and_name_are_not_one_text() {
        assert_ne!(Guid::derived(b"ab", "c"), Guid::derived(b"a", "bc"));
        assert_ne!(Guid::derived(b"a", "b"), Guid::derived(b"a", "c"));
    }

    #[test]
    fn types_are_written_as_everywhere() {
        assert_eq!(Type::EFI_SYSTEM.0.to_string(), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
        // Its bytes on a disk are the text "Hah!IdontNeedEFI".
        assert_eq!(&Type::BIOS_BOOT.0.0[8..], b"tNeedEFI");
    }
}
