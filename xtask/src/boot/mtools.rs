//! FAT by mtools: on an image that is nothing else, or in the first partition of a GPT disk.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;

/// Runs one of the mtools on the image `drive`: a path, or a path, `@@` and an offset in bytes.
pub(crate) fn mtools(drive: impl AsRef<Path>, tool: &str, args: &[&str]) -> Result<()> {
    let mut command = Command::new(tool);
    let ended = command.arg("-i").arg(drive.as_ref()).args(args).status();
    let ended = ended.with_context(|| format!("cannot run `{tool}`: apt-get install mtools"))?;
    ensure!(ended.success(), "`{tool}` ended with {ended}");
    Ok(())
}

/// What mtools call the partition of the disk `image`.
pub(crate) fn drive(image: &Path) -> Result<String> {
    Ok(format!("{}@@{}", image.display(), first_partition(&mut File::open(image)?)?))
}

/// Byte at which the first partition of a GPT disk begins.
fn first_partition(disk: &mut File) -> Result<u64> {
    // [UEFI] "GPT Partition Entry": the first one's StartingLBA, in an array at block 2.
    let mut first = [0; 8];
    disk.seek(SeekFrom::Start(2 * 512 + 32))?;
    disk.read_exact(&mut first).context("the disk has no GPT")?;
    Ok(u64::from_le_bytes(first) * 512)
}
