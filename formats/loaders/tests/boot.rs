//! Boots the loader, under QEMU's BIOS and under worse ones, with a kernel that says what it got.
//!
//! `cargo test -p mkimage-loaders --test boot [WORD…]` runs the cases whose claim has one of the words.
//! Cases without their emulator count as ignored, or, where `CI` is set, as failed.

#[path = "boot/bochs.rs"]
mod bochs;
#[path = "boot/bus.rs"]
mod bus;
#[path = "boot/firmware.rs"]
mod firmware;
#[path = "boot/image.rs"]
mod image;
#[path = "boot/kernel.rs"]
mod kernel;
#[path = "boot/machine.rs"]
mod machine;
#[path = "../../../testdata/noise.rs"]
mod noise;

use bus::{Bus, CDS, DISKS};
use firmware::{Edd, Firmware, Memory};
use image::{Image, Made, Part};
use machine::Machine;
use mkimage_loaders::bios::{Medium, Serial};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a machine must do with an image.
enum Outcome {
    /// The kernel gets everything, and the initrd lies in this range.
    Boots { from: u32, end: u32 },
    /// Words, and the question for a key.
    Says(&'static str),
    /// The kernel gets everything, and nothing comes over the serial line before its own words.
    Silent,
    /// The same, twice: a key was pressed.
    SaysAgain(&'static str),
}
use Outcome::{Says, SaysAgain};

struct Case {
    claim: String,
    image: Image,
    machine: Machine,
    outcome: Outcome,
}

/// Nothing special about the place.
const BOOTS: Outcome = Outcome::Boots { from: kernel::RUN_END, end: 64 << 20 };
const ASKS: &str = "press a key to try again";

/// Everything that a board of QEMU can boot from.
fn buses() -> Vec<Case> {
    let on = |board, bus: Bus, medium, what| Case {
        claim: format!("{what} boots: {board}, {}", bus.name),
        image: Image { medium, ..Image::default() },
        machine: Machine { board, bus, ..Machine::default() },
        outcome: BOOTS,
    };
    let mut cases = Vec::new();
    for board in ["pc", "q35"] {
        cases.extend(CDS.map(|bus| on(board, bus, Medium::Cd, "a CD")));
        cases.extend(DISKS.map(|bus| on(board, bus, Medium::Cd, "a CD's image on a disk")));
    }
    cases.push(on("pc", bus::IDE_DISK, Medium::Disk, "a disk"));
    cases.push(on("its own board", bus::BOCHS_CD, Medium::Cd, "a CD"));
    cases.push(on("its own board", bus::BOCHS_DISK, Medium::Disk, "a disk"));
    cases
}

/// Lengths at which something is empty, full or whole.
fn lengths() -> Vec<Case> {
    let with = |claim: &str, image| Case {
        claim: claim.to_owned(),
        image,
        machine: Machine::default(),
        outcome: BOOTS,
    };
    let kernel = |kernel_len| Image { kernel_len, ..Image::default() };
    let initrd = |initrd_len| Image { initrd_len, ..Image::default() };
    let cmdline = |len| Image { cmdline: "x".repeat(len), ..Image::default() };
    vec![
        with("a kernel of less than one read", kernel(kernel::CHUNK - 1)),
        with("a kernel of one read", kernel(kernel::CHUNK)),
        with("a kernel of one byte more than one read", kernel(kernel::CHUNK + 1)),
        with("an initrd of one byte", initrd(1)),
        with("an initrd of one byte less than the checksum folds at once", initrd(15)),
        with("an initrd of what the checksum folds at once", initrd(16)),
        with("an initrd of less than the checksum looks back", initrd(209 * 4 - 1)),
        with("an initrd of one byte more than the checksum looks back", initrd(209 * 4 + 1)),
        with("an initrd of two reads", initrd(2 * kernel::CHUNK as usize)),
        with("an initrd whose last read is one byte", initrd(2 * kernel::CHUNK as usize + 1)),
        with("an initrd whose last read is not folded whole", initrd(kernel::CHUNK as usize + 18)),
        with("an empty command line", cmdline(0)),
        with("a command line of one sector", cmdline(512)),
        with("the longest command line", cmdline(2047)),
    ]
}

/// Any amount of memory.
fn memory() -> Vec<Case> {
    let with = |mib, end| Case {
        claim: format!("{mib} MiB of memory are used up to {} MiB", end >> 20),
        image: Image::default(),
        machine: Machine { mib, ..Machine::default() },
        outcome: Outcome::Boots { from: end - (4 << 20), end },
    };
    vec![with(16, 16 << 20), with(96, 96 << 20), with(1024, 1 << 30), with(8192, 0x8000_0000)]
}

/// What a BIOS may do, a medium may suffer and a user may ask for.
fn cases() -> Vec<Case> {
    let under = |claim: &str, firmware, outcome| Case {
        claim: claim.to_owned(),
        image: Image { firmware: Some(firmware), ..Image::default() },
        machine: Machine::default(),
        outcome,
    };
    let broken = |claim: &str, part, words| Case {
        claim: claim.to_owned(),
        image: Image { damaged: Some(part), ..Image::default() },
        machine: Machine::default(),
        outcome: Says(words),
    };
    let on = |claim: &str, cpu| Case {
        claim: claim.to_owned(),
        image: Image::default(),
        machine: Machine { cpu, ..Machine::default() },
        outcome: BOOTS,
    };
    let none = Firmware::default();
    vec![
        under("the BIOS in between changes nothing by itself", none, BOOTS),
        under(
            "without EDD sectors are read by cylinder, head and sector",
            Firmware { edd: Edd::Missing, ..none },
            BOOTS,
        ),
        under("EDD that reads nothing is noticed", Firmware { edd: Edd::Lies, ..none }, BOOTS),
        under("reads become as small as the BIOS needs", Firmware { most_sectors: Some(7), ..none }, BOOTS),
        under("reads that fail are repeated", Firmware { flaky: true, ..none }, BOOTS),
        under("registers that a BIOS spoils are restored", Firmware { careless: true, ..none }, BOOTS),
        under(
            "a drive number that no disk has is not believed",
            Firmware { drive: Some(0x01), ..none },
            BOOTS,
        ),
        under("the MBR may be entered at 07c0:0000", Firmware { other_segment: true, ..none }, BOOTS),
        under("A20 is switched on by the keyboard controller", Firmware { a20_off: true, ..none }, BOOTS),
        under(
            "memory is told by E801",
            Firmware { memory: Memory::E801([0x3c00, 0x100, 0x3c00, 0x100]), ..none },
            Outcome::Boots { from: 30 << 20, end: 32 << 20 },
        ),
        under(
            "memory is told by E801 in AX and BX alone",
            Firmware { memory: Memory::E801([0x3c00, 0x100, 0, 0]), ..none },
            Outcome::Boots { from: 30 << 20, end: 32 << 20 },
        ),
        under(
            "what lies above a hole at 15 MiB is not counted",
            Firmware { memory: Memory::E801([0x3800, 0x100, 0x3800, 0x100]), ..none },
            Outcome::Boots { from: 13 << 20, end: 15 << 20 },
        ),
        under(
            "memory is told by AH=88h",
            Firmware { memory: Memory::Ah88(0x2c00), ..none },
            Outcome::Boots { from: 10 << 20, end: 12 << 20 },
        ),
        under(
            "no memory at all is said",
            Firmware { memory: Memory::Ah88(0), ..none },
            Says("the BIOS does not tell how much memory there is"),
        ),
        under(
            "the initrd lies in nothing reserved, in no entry switched off, and below 4 GiB",
            Firmware {
                memory: Memory::Map(&[
                    (0, 0x9_fc00, 1, 1),
                    (1 << 32, 1 << 32, 1, 1),
                    (0x10_0000, 63 << 20, 1, 1),
                    (32 << 20, 16 << 20, 1, 0), // switched off
                    (0x3f0_0000, 0, 2, 1),      // of no length
                    (0x380_0000, 0x10_0000, 4, 1),
                    (0x340_0000, 0x40_0000, 2, 1),
                    (0x300_0000, 0x40_0000, 3, 1),
                    (0x398_0000, 0xff_ffff_ffff, 2, 1),
                ]),
                ..none
            },
            Outcome::Boots { from: 0x1f0_0000, end: 32 << 20 },
        ),
        under(
            "the kernel is not loaded over what is reserved",
            Firmware { memory: Memory::Map(&[(0x10_0000, 63 << 20, 1, 1), (0x11_0000, 1, 2, 1)]), ..none },
            Says("not enough memory for the kernel"),
        ),
        Case {
            machine: Machine { mib: 2, ..Machine::default() },
            ..under(
                "too little memory is said",
                none,
                Says("not enough memory for this kernel and its initrd"),
            )
        },
        Case {
            claim: "the initrd ends where the kernel still reads".to_owned(),
            image: Image { initrd_addr_max: 0x123_4fff, ..Image::default() },
            machine: Machine::default(),
            outcome: Outcome::Boots { from: 0x110_0000, end: 0x123_5000 },
        },
        Case {
            claim: "without an initrd the kernel gets none".to_owned(),
            image: Image { initrd_len: 0, ..Image::default() },
            machine: Machine::default(),
            outcome: Outcome::Boots { from: 0, end: 0 },
        },
        Case {
            claim: "without a serial line nothing is sent there".to_owned(),
            image: Image { serial: None, ..Image::default() },
            machine: Machine::default(),
            outcome: Outcome::Silent,
        },
        Case {
            claim: "a serial line that is not there is not waited for".to_owned(),
            image: Image { serial: Some(Serial { port: 0x2e8, baud: 9600 }), ..Image::default() },
            machine: Machine::default(),
            outcome: Outcome::Silent,
        },
        on("a 32-bit processor is enough", "qemu32"),
        on("an i486 is enough", "486"),
        broken("damage of the loader is said", Part::Loader, "the loader on this medium is damaged"),
        broken(
            "damage of the kernel is said",
            Part::Kernel,
            "the kernel on this medium is damaged (checksum)",
        ),
        broken(
            "damage of the initrd is said",
            Part::Initrd,
            "the initrd on this medium is damaged (checksum)",
        ),
        Case {
            outcome: SaysAgain("the command line on this medium is damaged (checksum)"),
            ..broken("a key on the serial line begins anew", Part::Cmdline, "")
        },
        Case {
            claim: "a disk that ends too early is said".to_owned(),
            image: Image { cut: true, ..Image::default() },
            machine: Machine::default(),
            outcome: Says(", drive 80, sector 000004a4"),
        },
        Case {
            claim: "a CD that ends too early is said".to_owned(),
            image: Image { cut: true, medium: Medium::Cd, ..Image::default() },
            machine: Machine { bus: bus::IDE_CD, ..Machine::default() },
            outcome: Says(", drive e0, sector 000004a4"),
        },
    ]
}

/// Runs a case. The error is what went wrong.
fn run(case: &Case) -> Result<(), Box<dyn std::error::Error>> {
    let made = case.image.make()?;
    // A folder, since Bochs leaves a lock beside the image.
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("image");
    std::fs::write(&file, &made.bytes)?;
    let times = if matches!(case.outcome, SaysAgain(_)) { 2 } else { 1 };
    let said = case.machine.run(&file, &[" END", ASKS], times)?;
    judge(case, &made, &said).map_err(|wrong| format!("{wrong}; the machine said: {said:?}").into())
}

fn judge(case: &Case, made: &Made, said: &str) -> Result<(), String> {
    let expect = |what: &str, holds: bool| if holds { Ok(()) } else { Err(format!("not {what}")) };
    if case.image.firmware.is_some_and(|f| f.a20_off) {
        expect("A20 off before", said.contains("A20-OFF"))?;
    }
    let (from, end) = match case.outcome {
        Says(words) => return expect(words, said.contains(words) && said.contains(ASKS)),
        SaysAgain(words) => return expect("said twice", said.matches(words).count() == 2),
        Outcome::Silent => {
            expect("silent", said.starts_with("\r\nKERNEL"))?;
            (kernel::RUN_END, 64 << 20)
        }
        Outcome::Boots { from, end } => (from, end),
    };
    let number = |word: &str| {
        let (_, rest) = said.split_once(&format!(" {word}="))?;
        u32::from_str_radix(rest.get(..8)?, 16).ok()
    };
    expect("entered as the protocol wants", number("entry") == Some(1))?;
    expect("the command line", said.contains(&format!(" cmdline=[{}] ", made.cmdline)))?;
    expect("the kernel itself", number("self") == Some(made.loaded_crc))?;
    expect("the initrd's length", number("len").map(|n| n as usize) == Some(made.initrd_len))?;
    expect("the initrd", number("crc") == Some(made.initrd_crc))?;
    let fits = number("initrd").is_some_and(|at| at >= from && at as usize + made.initrd_len <= end as usize);
    expect(&format!("the initrd between {from:#x} and {end:#x}"), fits)
}

/// Is the program installed?
fn present(program: &str) -> bool {
    std::process::Command::new(program).arg("--help").output().is_ok()
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let cases: Vec<_> = [buses(), lengths(), memory(), cases()].into_iter().flatten().collect();
    if words.iter().any(|w| w == "--list") {
        cases.iter().for_each(|case| println!("{}: test", case.claim));
        return ExitCode::SUCCESS;
    }
    let words: Vec<_> = words.into_iter().filter(|w| !w.starts_with('-')).collect();
    let wanted = |case: &&Case| words.is_empty() || words.iter().any(|w| case.claim.contains(w.as_str()));
    let cases: Vec<_> = cases.iter().filter(wanted).collect();
    let strict = std::env::var_os("CI").is_some();
    let (cases, ignored): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| strict || present(case.machine.bus.program));
    for case in &ignored {
        println!("test {} ... ignored, no `{}`", case.claim, case.machine.bus.program);
    }
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match run(case) {
                        Ok(()) => println!("test {} ... ok", case.claim),
                        Err(wrong) => {
                            println!("test {} ... FAILED: {wrong}", case.claim);
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {} passed; {failed} failed; {} ignored",
        cases.len() - failed,
        ignored.len()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
