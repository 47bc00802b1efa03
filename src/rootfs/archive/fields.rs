//! Fields of a header.

use super::{Problem, Records};
use mkimage_formats::Meta;
use mkimage_formats::tree::{Owner, Time};
use std::sync::Arc;

/// The header's bytes add up to its checksum.
pub(super) fn checked(header: &tar::Header) -> Result<(), Problem> {
    let found = number("checksum", &header.as_old().cksum)?;
    let bytes = header.as_bytes().iter().enumerate();
    let bytes = bytes.map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let (unsigned, signed) = bytes.fold((0, 0), |(unsigned, signed), byte| {
        // Some old programs added signed bytes.
        (unsigned + i64::from(byte), signed + i64::from(byte.cast_signed()))
    });
    if found == unsigned || found == signed {
        return Ok(());
    }
    Err(Problem::Checksum { found, sum: unsigned })
}

/// Permissions, owner, time.
pub(super) fn meta(header: &tar::Header, records: &Records) -> Result<Meta, Problem> {
    let old = header.as_old();
    let id = |field, record: Option<u64>, bytes: &[u8]| {
        let value = match record {
            Some(value) => value,
            None => unsigned(field, bytes, u32::MAX.into())?,
        };
        let limit = u32::MAX.into();
        let range = || Problem::Range { field, value: i64::try_from(value).unwrap_or(i64::MAX), limit };
        u32::try_from(value).ok().ok_or_else(range)
    };
    let mode = number("mode", &old.mode)? & 0o7777;
    let mtime = match records.mtime {
        Some(time) => time,
        None => Time::from_unix(number("mtime", &old.mtime)?),
    };
    let name = |record: &Option<String>, field: Option<&[u8]>| match (record, field) {
        (Some(name), _) => name.clone(),
        (None, field) => String::from_utf8_lossy(field.unwrap_or_default()).into_owned(),
    };
    let user = name(&records.user, header.username_bytes());
    let group = name(&records.group, header.groupname_bytes());
    let named = !user.is_empty() || !group.is_empty();
    Ok(Meta {
        mode: u16::try_from(mode).unwrap_or_default(), // twelve bits
        uid: id("uid", records.uid, &old.uid)?,
        gid: id("gid", records.gid, &old.gid)?,
        mtime,
        owner: named.then(|| Arc::new(Owner { user, group })),
        xattrs: (!records.xattrs.is_empty()).then(|| Arc::new(records.xattrs.clone())),
    })
}

/// Major and minor number.
pub(super) fn device(header: &tar::Header) -> Result<(u32, u32), Problem> {
    let fields = match (header.as_ustar(), header.as_gnu()) {
        (Some(ustar), _) => Some((&ustar.dev_major, &ustar.dev_minor)),
        (_, Some(gnu)) => Some((&gnu.dev_major, &gnu.dev_minor)),
        _ => None,
    };
    let Some((major, minor)) = fields else { return Ok((0, 0)) };
    let number = |field, bytes: &[u8]| {
        let value = unsigned(field, bytes, u32::MAX.into())?;
        Ok::<_, Problem>(u32::try_from(value).unwrap_or_default()) // within the limit
    };
    Ok((number("devmajor", major)?, number("devminor", minor)?))
}

/// A number from 0 to `limit`.
pub(super) fn unsigned(field: &'static str, bytes: &[u8], limit: u64) -> Result<u64, Problem> {
    let value = number(field, bytes)?;
    let range = || Problem::Range { field, value, limit };
    u64::try_from(value).ok().filter(|v| *v <= limit).ok_or_else(range)
}

/// Octal digits with spaces and NULs around them; or, if the highest bit is set, a binary number
/// in two's complement, highest byte first, as GNU tar writes what has no octal form.
fn number(field: &'static str, bytes: &[u8]) -> Result<i64, Problem> {
    let wrong = || Problem::Number { field, text: String::from_utf8_lossy(bytes).escape_debug().to_string() };
    let first = bytes.first().copied().unwrap_or_default();
    if first & 0x80 != 0 {
        let start = if first & 0x40 != 0 { -0x40 } else { 0 };
        let rest = bytes[1..].iter().try_fold(start | i64::from(first & 0x3f), |value, byte| {
            value.checked_mul(256)?.checked_add(i64::from(*byte))
        });
        return rest.ok_or_else(wrong);
    }
    let text = bytes.split(|b| *b == 0).next().unwrap_or_default();
    let text = std::str::from_utf8(text).map(str::trim).unwrap_or("?");
    if text.is_empty() {
        return Ok(0);
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    i64::from_str_radix(text, 8).ok().ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        for (bytes, want) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"        ", Some(0)),
            (b"\x80\0\0\0\0\0\0\x01\0\0\0\0", Some(1 << 32)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb", Some(-5)),
            (b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"00008\0\0\0", None),
            (b"-5\0\0\0\0\0\0", None),
            (b"77777777777777777777777", None),
        ] {
            assert_eq!(number("size", bytes).ok(), want, "{bytes:?}");
        }
    }
}
