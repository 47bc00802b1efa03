//! What loaders of other people's find on a volume: how the kernel is started.
//!
//! ```text
//! EFI/BOOT/grub.cfg             GRUB; Debian's and its derivatives look beside the program
//! loader/loader.conf            systemd-boot
//! loader/entries/linuxkit.conf  [BLS] "Type #1 Boot Loader Specification Entries"
//! ```
//!
//! \[BLS\] *The Boot Loader Specification*, UAPI.1. \[GRUB manual\] *The GNU GRUB Manual* 2.06.

use super::draft::Draft;
use super::{Error, FILES, Payload, one_line};

/// Adds them to a volume with kernel and initrd.
pub(super) fn add(volume: &mut Draft, payload: &Payload) -> Result<(), Error> {
    let initrd = match payload.initrd.content.is_empty() {
        true => String::new(),
        false => format!("initrd /{}\n", FILES.initrd),
    };
    let cmdline = one_line(&payload.cmdline);
    volume.file("EFI/BOOT/grub.cfg", grub(&cmdline, &initrd).into_bytes())?;
    volume.file("loader/entries/linuxkit.conf", systemd(&cmdline, &initrd).into_bytes())?;
    volume.file("loader/loader.conf", b"timeout 0\n".to_vec())
}

fn systemd(cmdline: &str, initrd: &str) -> String {
    format!("title LinuxKit\nlinux /{}\n{initrd}options {cmdline}\n", FILES.kernel)
}

/// \[GRUB manual\] "Shell-like scripting".
fn grub(cmdline: &str, initrd: &str) -> String {
    let words: String = words(cmdline).iter().map(|word| format!(" {}", quoted(word))).collect();
    format!("set timeout=0\nmenuentry LinuxKit {{\nlinux /{}{words}\n{initrd}}}\n", FILES.kernel)
}

/// The words of a command line as the kernel parts them (lib/cmdline.c, `next_arg`): at spaces
/// outside quotation marks. GRUB puts marks around words with spaces itself, and a backslash before
/// those that it is given (grub-core/lib/cmdline.c), so they go.
fn words(cmdline: &str) -> Vec<String> {
    let mut in_quotes = false;
    let parts = cmdline.split(|c| {
        in_quotes ^= c == '"';
        c == ' ' && !in_quotes
    });
    parts.map(|part| part.replace('"', "")).filter(|word| !word.is_empty()).collect()
}

/// A word that GRUB's shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=,.:/@%".contains(c);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grub_gets_each_word_of_the_kernels_as_one() {
        for (cmdline, written) in [
            ("", ""),
            ("  quiet   console=ttyS0,115200 ", " quiet console=ttyS0,115200"),
            (r#"word="two words" -- single"#, " 'word=two words' -- single"),
            (r#"dyndbg="file a.c +p; module b""#, " 'dyndbg=file a.c +p; module b'"),
            ("a=$b c={d} e='f'", r" 'a=$b' 'c={d}' 'e='\''f'\'''"),
        ] {
            let expected = format!("set timeout=0\nmenuentry LinuxKit {{\nlinux /boot/kernel{written}\n}}\n");
            assert_eq!(grub(cmdline, ""), expected, "{cmdline}");
        }
    }

    #[test]
    fn systemd_boot_gets_the_command_line_as_it_is() {
        assert_eq!(
            systemd(r#"word="two words""#, "initrd /boot/initrd.img\n"),
            "title LinuxKit\nlinux /boot/kernel\ninitrd /boot/initrd.img\noptions word=\"two words\"\n"
        );
    }
}
