//! What qemu-img makes of images.

use crate::judge;
use std::path::Path;

/// What a qemu-img command prints. None without qemu-img.
fn qemu_img(args: &[&str], files: &[&Path]) -> Option<String> {
    let mut qemu_img = judge::program("qemu-img")?;
    Some(judge::output(qemu_img.args(args).args(files)))
}

/// Checks that the image is sound, has the same bytes as the raw one, and is as long.
pub(crate) fn agrees(format: &str, image: &Path, raw: &Path) {
    if let Some(told) = qemu_img(&["check", "-f", format], &[image]) {
        assert!(told.starts_with("No errors were found on the image."), "{told}");
    }
    same(format, image, raw);
}

/// Checks that the image has the same bytes as the raw one, and is as long.
pub(crate) fn same(format: &str, image: &Path, raw: &Path) {
    if let Some(told) = qemu_img(&["compare", "-f", format, "-F", "raw"], &[image, raw]) {
        assert_eq!(told, "Images are identical.\n");
    }
}

/// The raw disk that is in the image. None without qemu-img.
pub(crate) fn raw(format: &str, image: &Path, to: &Path) -> Option<Vec<u8>> {
    qemu_img(&["convert", "-f", format, "-O", "raw"], &[image, to])?;
    Some(std::fs::read(to).unwrap())
}

/// What `qemu-img info` says about `key`: a number, or a word.
pub(crate) fn info(format: &str, image: &Path, key: &str) -> Option<String> {
    let told = qemu_img(&["info", "--output=json", "-f", format], &[image])?;
    let key = format!("\"{key}\": ");
    let (_, value) = told.split_once(&key).unwrap_or_else(|| panic!("{key} in {told}"));
    Some(value.split([',', '\n']).next().unwrap().trim_matches('"').to_owned())
}

/// How many clusters of the image `qemu-img check` counts: all, those that are there, and those
/// that are compressed.
pub(crate) fn clusters(format: &str, image: &Path) -> Option<[u64; 3]> {
    let told = qemu_img(&["check", "--output=json", "-f", format], &[image])?;
    let number = |key: &str| {
        let value = told.split_once(&format!("\"{key}\": ")).map_or("0", |(_, value)| value);
        value.split([',', '\n', '}']).next().unwrap().trim().parse().unwrap()
    };
    Some([number("total-clusters"), number("allocated-clusters"), number("compressed-clusters")])
}
