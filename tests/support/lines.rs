//! Layers from lines of text.
//!
//! ```text
//! d etc                  a folder             f etc/motd hello\n   a file, `\n` being a newline
//! l bin usr/bin          a symbolic link      h etc/issue etc/motd one more name of a file
//! c dev/null 1,3         a device             t kernel.tar         a tar archive of the lines
//! f0400:5:6 etc/shadow   mode and owner       > d lib              after it that begin with `>`
//! ```

use tar::{Builder, EntryType, Header};

/// The archive that `lines` describe. Everything in it was last modified at `mtime`.
pub fn archive(lines: &str, mtime: u64) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    let mut lines = lines.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        let mut words = line.splitn(3, ' ');
        let (what, path, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap_or(""));
        let (letter, owned) = what.split_at(1);
        let mut numbers = owned.split(':');
        let mode = numbers.next().filter(|mode| !mode.is_empty());
        let usual = if letter == "d" { 0o755 } else { 0o644 };
        let mut header = Header::new_gnu();
        header.set_mode(mode.map_or(usual, |mode| u32::from_str_radix(mode, 8).unwrap()));
        header.set_uid(numbers.next().map_or(0, |id| id.parse().unwrap()));
        header.set_gid(numbers.next().map_or(0, |id| id.parse().unwrap()));
        header.set_mtime(mtime);
        header.set_size(0);
        let mut content = Vec::new();
        header.set_entry_type(match letter {
            "d" => EntryType::Directory,
            "l" => EntryType::Symlink,
            "h" => EntryType::Link,
            "c" => EntryType::Char,
            "f" => {
                content = rest.replace("\\n", "\n").into_bytes();
                EntryType::Regular
            }
            "t" => {
                let mut inner = String::new();
                while let Some(line) = lines.next_if(|line| line.starts_with('>')) {
                    inner += &line[1..];
                    inner.push('\n');
                }
                content = archive(&inner, mtime + 1);
                EntryType::Regular
            }
            other => panic!("`{other}` is no kind of entry"),
        });
        if let (EntryType::Char, Some((major, minor))) = (header.entry_type(), rest.split_once(',')) {
            header.set_device_major(major.parse().unwrap()).unwrap();
            header.set_device_minor(minor.parse().unwrap()).unwrap();
        }
        if matches!(header.entry_type(), EntryType::Symlink | EntryType::Link) {
            tar.append_link(&mut header, path, rest).unwrap();
        } else {
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, path, content.as_slice()).unwrap();
        }
    }
    tar.into_inner().unwrap()
}
