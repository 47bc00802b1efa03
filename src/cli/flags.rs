//! Flags that `build` and `media` share.

mod idle;
mod machine;

use super::{CliError, Global, report};
use crate::boot::{self, BiosLoader, Firmware};
use crate::initrd::{self, Compression, Folder};
use crate::oci::Scratch;
use crate::output::{self, Format, Options, PayloadKind, System};
use clap::Args;
pub(crate) use idle::given;
use machine::MachineFlags;
use mkimage_formats::gpt::Guid;
use mkimage_formats::iso::Profile;
use mkimage_formats::sector::SectorSize;
use mkimage_formats::squashfs;
use mkimage_loaders::bios::Serial;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, BufWriter};
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Which outputs, where, and how they boot.
#[derive(Debug, Args)]
pub(crate) struct Outputs {
    // The names are in one table.
    #[arg(short, long, value_delimiter = ',', help = format_help(), long_help = format_long_help())]
    pub(crate) format: Vec<String>,
    /// Where outputs go [default: the current folder]
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// What ISOs carry; disks carry an initrd
    #[arg(long, value_enum, default_value_t)]
    pub(crate) payload: PayloadFlag,
    /// How the initrd is compressed: gzip, zstd, xz, lz4 or none
    #[arg(long, value_name = "NAME", default_value_t)]
    initrd_compression: Compression,
    /// How many threads work [default: one for each processor]
    #[arg(short, long, value_name = "N", value_parser = threads)]
    jobs: Option<NonZero<usize>>,
    /// Start ISOs by isolinux.bin and ldlinux.c32 of this folder, and their copies on disks by
    /// isohdpfx.bin
    #[arg(long, value_name = "DIR")]
    bios_loader: Option<PathBuf>,
    /// The BIOS loader repeats its words on the serial port COM1
    #[arg(long, conflicts_with = "bios_loader")]
    boot_serial: bool,
    /// The EFI program that UEFI media start in place of mkimage's own: shim, systemd-boot, GRUB.
    /// Repeat it for what that one starts, as shim does grubx64.efi: those keep their names
    #[arg(long, value_name = "FILE")]
    efi_loader: Vec<PathBuf>,
    /// The EFI program that `uki` begins with in place of mkimage's own, such as systemd's stub
    #[arg(long, value_name = "FILE")]
    efi_stub: Option<PathBuf>,
    /// The folder with the Raspberry Pi's firmware (bootcode.bin, start.elf, fixup.dat) and, for
    /// `rpi3`, u-boot.bin
    #[arg(long, value_name = "DIR")]
    rpi_firmware: Option<PathBuf>,
    /// How an ISO for a UEFI is also a disk
    #[arg(long, value_enum, default_value_t)]
    hybrid: HybridFlag,
    /// A disk's size: 512M, 4G, or a bare number of GiB [default: what the payload needs]
    #[arg(long, value_parser = size)]
    size: Option<u64>,
    /// Bytes of a disk's sectors
    #[arg(long, value_enum, default_value_t)]
    sector_size: SectorFlag,
    /// What disks boot from, where the format's name leaves it open
    #[arg(long, value_enum)]
    firmware: Option<FirmwareFlag>,
    /// How the blocks of a SquashFS are compressed
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    squashfs_compression: SquashfsFlag,
    /// Bytes of a SquashFS's blocks, a power of two from 4K to 1M
    #[arg(long, value_parser = block_size, value_name = "SIZE", default_value = "128K")]
    squashfs_block_size: u32,
    /// The name of the volume that a medium has
    #[arg(long, value_name = "NAME", default_value = "LinuxKit")]
    volume_label: String,
    /// The GUID of a disk [default: one that follows from the content]
    #[arg(long, value_name = "GUID")]
    disk_id: Option<Guid>,
    #[command(flatten)]
    machine: MachineFlags,
}

/// [`Firmware`] as a flag.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FirmwareFlag {
    /// A PC's BIOS
    Bios,
    /// A UEFI
    Uefi,
    /// Either
    Both,
}

/// [`squashfs::Compression`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum SquashfsFlag {
    /// As every Linux reads it
    #[default]
    Gzip,
    /// Small, and slow to read
    Xz,
    /// Large, and fast
    Lz4,
    /// Smaller than gzip and faster to read; Linux 4.14 and later
    Zstd,
}

/// [`Profile`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum HybridFlag {
    /// GPT, and an active MBR entry for the BIOSes that want one
    #[default]
    Gpt,
    /// GPT with a protective MBR alone, by the letter of the UEFI specification
    Strict,
    /// MBR without a GPT
    MbrEf,
    /// Nested MBR entries and a GPT, as isohybrid and Debian have them
    Isohybrid,
}

/// [`SectorSize`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum SectorFlag {
    /// Most disks
    #[default]
    #[value(name = "512")]
    B512,
    /// 4Kn disks
    #[value(name = "4096")]
    B4096,
}

/// [`PayloadKind`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(crate) enum PayloadFlag {
    /// The root file system as an initrd, which any kernel boots
    #[default]
    Initrd,
    /// The root file system itself, as LinuxKit's iso-bios does
    Rootfs,
}

impl Outputs {
    /// The formats that were asked for, each once; `default` if none was.
    pub(crate) fn formats(&self, default: &str) -> Result<Vec<&'static Format>, CliError> {
        let default = [default.to_owned()];
        let names = if self.format.is_empty() { &default[..] } else { &self.format };
        let mut formats: Vec<&Format> = Vec::new();
        for name in names {
            let format = Format::named(name.trim())?;
            if formats.iter().all(|other| other.name != format.name) {
                formats.push(format);
            }
        }
        Ok(formats)
    }

    /// Two formats may not write the same file, whose name starts with `name`; and flags that are for
    /// none of the formats are told of.
    pub(crate) fn check(&self, formats: &[&Format], name: &str, global: &Global) -> Result<(), CliError> {
        let options = self.options(None);
        output::check(formats, &options, self.dir(), name)?;
        if !global.is_quiet() {
            idle::notes(&global.given, formats, &options).iter().for_each(|note| report::note(note));
        }
        Ok(())
    }

    /// There is a folder for `file`, or for files whose names start with `name`.
    pub(crate) fn check_folder(&self, file: Option<&Path>, name: &str) -> Result<(), CliError> {
        let path = file.map_or_else(|| self.dir().join(name), Path::to_path_buf);
        Ok(output::check_folder(&path)?)
    }

    /// How many threads work.
    pub(crate) fn threads(&self) -> NonZero<usize> {
        let processors = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.jobs.unwrap_or_else(processors)
    }

    /// How the initrd is made, if one of the formats needs it.
    pub(crate) fn initrd(&self, formats: &[&Format], folder: Folder) -> Option<initrd::Options> {
        let payload = self.payload();
        formats.iter().any(|f| f.needs_initrd(payload)).then(|| initrd::Options {
            compression: self.initrd_compression,
            threads: self.threads(),
            folder,
            doubt: report::doubt,
        })
    }

    /// One of the formats needs a folder for temporary files.
    pub(crate) fn needs_scratch(&self, formats: &[&Format]) -> bool {
        let options = self.options(None);
        formats.iter().any(|format| format.needs_scratch(&options))
    }

    fn payload(&self) -> PayloadKind {
        match self.payload {
            PayloadFlag::Initrd => PayloadKind::Initrd,
            PayloadFlag::Rootfs => PayloadKind::Rootfs,
        }
    }

    fn dir(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new(""))
    }

    /// Writes the outputs: to `file` or standard output, if it is `-`; else to the folder, with
    /// names that start with `name`.
    pub(crate) fn write(
        &self,
        system: &System,
        formats: &[&Format],
        file: Option<&Path>,
        name: &str,
        scratch: Option<&Scratch>,
        global: &Global,
    ) -> Result<(), CliError> {
        let options = self.options(scratch);
        match (file, formats) {
            (Some(file), [format]) if file == Path::new("-") => {
                output::write_stream(system, format, &options, &mut BufWriter::new(io::stdout().lock()))?;
            }
            (Some(file), [format]) if is_special(file) => {
                let failed = |source| CliError::Open { path: file.into(), source };
                let device = OpenOptions::new().write(true).open(file).map_err(failed)?;
                output::write_stream(system, format, &options, &mut BufWriter::new(device))?;
            }
            _ => {
                let files = match (file, formats) {
                    (Some(file), [format]) => {
                        output::write_file(system, format, &options, file)?;
                        vec![file.to_owned()]
                    }
                    _ => output::write(system, formats, &options, self.dir(), name)?,
                };
                if !global.is_quiet() {
                    files.iter().for_each(|file| eprintln!("wrote {}", file.display()));
                    formats.iter().filter_map(|f| f.advice(&options)).for_each(|text| report::note(&text));
                }
            }
        }
        Ok(())
    }

    fn options(&self, scratch: Option<&Scratch>) -> Options {
        let bios = match &self.bios_loader {
            Some(folder) => BiosLoader::Isolinux(folder.clone()),
            None => BiosLoader::BuiltIn(self.boot_serial.then_some(Serial::COM1)),
        };
        let boot = boot::Options {
            bios,
            efi_loaders: self.efi_loader.clone(),
            efi_stub: self.efi_stub.clone(),
            rpi_firmware: self.rpi_firmware.clone(),
            volume: self.volume_label.clone(),
            hybrid: match self.hybrid {
                HybridFlag::Gpt => Profile::Default,
                HybridFlag::Strict => Profile::Strict,
                HybridFlag::MbrEf => Profile::MbrEf,
                HybridFlag::Isohybrid => Profile::Isohybrid,
            },
            size: self.size,
            sector_size: match self.sector_size {
                SectorFlag::B512 => SectorSize::B512,
                SectorFlag::B4096 => SectorSize::B4096,
            },
            disk_id: self.disk_id,
            doubt: report::doubt,
            ..boot::Options::default()
        };
        self.machine.apply(Options {
            payload: self.payload(),
            boot,
            firmware: self.firmware.map(|firmware| match firmware {
                FirmwareFlag::Bios => Firmware::Bios,
                FirmwareFlag::Uefi => Firmware::Efi,
                FirmwareFlag::Both => Firmware::Both,
            }),
            squashfs: match self.squashfs_compression {
                SquashfsFlag::Gzip => squashfs::Compression::Gzip,
                SquashfsFlag::Xz => squashfs::Compression::Xz,
                SquashfsFlag::Lz4 => squashfs::Compression::Lz4,
                SquashfsFlag::Zstd => squashfs::Compression::Zstd,
            },
            squashfs_block_size: self.squashfs_block_size,
            scratch: scratch.map(|scratch| scratch.path().into()),
            blocks: scratch.and_then(Scratch::blocks).cloned(),
            threads: self.threads(),
            ..Options::default()
        })
    }
}

/// The names of all formats.
pub(super) fn format_names() -> String {
    output::FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ")
}

const FORMAT_HELP: &str = "Formats; repeat it or separate them by commas";
const FORMAT_DEFAULTS: &str = "[default: kernel+initrd for `build`, iso-bios for `media`]";

fn format_help() -> String {
    format!("{FORMAT_HELP}: {} {FORMAT_DEFAULTS}", format_names())
}

/// With what each of them is.
fn format_long_help() -> String {
    let lines = output::FORMATS.iter().map(|format| format!("- {}: {}\n", format.name, format.about));
    format!("{FORMAT_HELP}\n\nPossible values:\n{}\n{FORMAT_DEFAULTS}", lines.collect::<String>())
}

/// A pipe or a device, `/dev/null` among them: written to, where a file would be replaced.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// A number, and bytes of the unit behind it, if there is one.
fn parts(text: &str) -> (&str, Option<u64>) {
    let unit = match text.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => 1 << 10,
        Some(b'M') => 1 << 20,
        Some(b'G') => 1 << 30,
        _ => return (text, None),
    };
    (&text[..text.len() - 1], Some(unit))
}

/// Bytes of `64K`, `512M`, `4G`, or `4`, which are GiB.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = parts(text);
    let number: u64 = number.parse().map_err(|_| "512M, 4G, or a number of GiB is wanted".to_owned())?;
    number.checked_mul(unit.unwrap_or(1 << 30)).ok_or_else(|| format!("at most {} GiB", u64::MAX >> 30))
}

/// Bytes of `512`, `64K` or `2M`.
fn bytes<T: TryFrom<u64>>(text: &str) -> Option<T> {
    let (number, unit) = parts(text);
    let bytes = number.parse::<u64>().ok()?.checked_mul(unit.unwrap_or(1))?;
    bytes.try_into().ok()
}

/// Bytes that something may have.
pub(super) fn limit(text: &str) -> Result<u64, String> {
    bytes(text).ok_or_else(|| "512M, 64G, or a number of bytes is wanted".to_owned())
}

/// A number in a range.
pub(super) fn number<T: FromStr + PartialOrd + Display + Clone>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let wanted = || format!("a number from {} to {} is wanted", range.start(), range.end());
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(wanted)
    }
}

/// A number of threads.
fn threads(text: &str) -> Result<NonZero<usize>, String> {
    text.parse().map_err(|_| "a number from 1 on is wanted".to_owned())
}

/// Bytes of a SquashFS's blocks.
fn block_size(text: &str) -> Result<u32, String> {
    bytes(text)
        .filter(|bytes: &u32| squashfs::is_block_size(*bytes))
        .ok_or_else(|| "a power of two from 4K to 1M is wanted".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::StoreOptions;

    #[test]
    fn sizes_are_kib_mib_gib_or_bare_gib() {
        assert_eq!((size("1024K"), size("1024M")), (Ok(1 << 20), Ok(1 << 30)));
        assert_eq!(size("2G"), size("2"));
        assert_eq!((size("4k"), size("4g")), (Ok(4 << 10), Ok(4 << 30)));
        for bad in ["", "M", "1T", "-1", "1.5G", "99999999999999999G"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_are_bytes_or_have_a_unit() {
        assert_eq!(limit("32G"), Ok(StoreOptions::MAX_LAYER_SIZE), "the default");
        assert_eq!((limit("1048576"), limit("1m")), (Ok(1 << 20), Ok(1 << 20)));
        for bad in ["", "G", "1T", "-1", "1.5G", "99999999999999999G"] {
            assert!(limit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn blocks_are_powers_of_two() {
        assert_eq!((block_size("4K"), block_size("1M")), (Ok(4 << 10), Ok(1 << 20)));
        assert_eq!(block_size("131072"), Ok(128 << 10));
        for bad in ["", "K", "2K", "12K", "2M", "4", "17179869188G"] {
            assert!(block_size(bad).is_err(), "{bad}");
        }
    }
}
