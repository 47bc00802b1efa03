//! What README says of the command: its YAML builds as it says, and its formats, files and flags are
//! there.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use mkimage::oci::Reference;
use mkimage::output::FORMATS;
use mkimage::spec::{Located, Spec};
use std::collections::BTreeSet;
use std::fs;
use support::image::tar;
use support::kernel::bzimage;
use support::workplace::{Workplace, done, kernel_image, layered, listed};

const README: &str = include_str!("../README.md");

/// The one block in this language.
fn block(language: &str) -> &'static str {
    let start = format!("```{language}\n");
    let mut blocks = README.split(&start).skip(1);
    let block = blocks.next().unwrap();
    assert!(blocks.next().is_none(), "one block of {language}");
    block.split("```").next().unwrap()
}

/// What is between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of the table of formats: names, and names of files.
fn rows() -> impl Iterator<Item = (Vec<&'static str>, Vec<&'static str>)> {
    let section = README.split("\n## ").find(|section| section.starts_with("Formats\n")).unwrap();
    section.lines().filter(|line| line.starts_with("| `") && *line != "| `-f` | files | boots | tried |").map(
        |line| {
            let cells: Vec<&str> = line.split('|').collect();
            (quoted(cells[1]).collect(), quoted(cells[2]).chain(quoted(cells[3])).collect())
        },
    )
}

#[test]
fn the_yaml_builds_by_the_command_below_it() {
    let place = Workplace::new();
    let text = block("yaml");
    let spec = Spec::parse("README.md", text).unwrap();
    let full = |name: &Located<String>| name.parse::<Reference>().unwrap().to_string();
    kernel_image(&bzimage()).write(&place.cache(), &full(spec.kernel.image.as_ref().unwrap()));
    for (number, name) in
        spec.init.iter().chain(spec.services.iter().map(|service| &service.image)).enumerate()
    {
        layered(tar(&[(&format!("bin/{number}"), b"#!")])).write(&place.cache(), &full(name));
    }
    place.write("my.yml", text);
    let command = README.lines().find_map(|line| line.strip_suffix(" my.yml")?.split_once("mkimage build "));
    let flags = command.unwrap().1.split(' ').chain(["--offline", "my.yml"]);
    done(&mut place.build(&flags.collect::<Vec<_>>()));
    assert_eq!(place.names(), ["demo.yml", "my.iso", "my.yml"]);
}

#[test]
fn the_table_has_every_format() {
    let told: BTreeSet<&str> = rows().flat_map(|(names, _)| names).collect();
    assert_eq!(told, FORMATS.iter().map(|format| format.name).collect());
}

#[test]
fn the_table_has_the_names_of_all_files() {
    let place = Workplace::new();
    // Those for the Raspberry Pi are of arm64, and need its firmware.
    for (formats, told) in rows().filter(|(formats, _)| !formats[0].starts_with("rpi")) {
        for (format, flags) in formats.iter().flat_map(|format| match *format {
            "raw-efi" => vec![(format, &[][..]), (format, &["--sector-size", "4096"])],
            "vmdk" => vec![(format, &[][..]), (format, &["--vmdk-kind", "monolithic-flat"])],
            _ => vec![(format, &[][..])],
        }) {
            let dir = place.out().join("files");
            fs::create_dir(&dir).unwrap();
            let args = ["-f", format, "--name", "NAME", "--dir", "files", "demo.yml"];
            done(&mut place.build(&[flags, &args].concat()));
            for file in listed(&dir) {
                assert!(told.contains(&file.as_str()), "{format}: {file} is not in {told:?}");
            }
            fs::remove_dir_all(&dir).unwrap();
        }
    }
}

#[test]
fn every_flag_is_one() {
    let place = Workplace::new();
    // Those of cargo and of its chores.
    let mut known: BTreeSet<String> = ["--all", "--locked", "--path", "--rootfs"].map(str::to_owned).into();
    for verb in [&[][..], &["build"], &["media"], &["cache", "clean"]] {
        let said = done(&mut place.command(&[verb, &["--help"]].concat()));
        known.extend(flags(&String::from_utf8(said).unwrap()).map(str::to_owned));
    }
    let unknown: Vec<&str> = flags(README).filter(|flag| !known.contains(*flag)).collect();
    assert_eq!(unknown, [""; 0]);
}

/// The long flags in a text.
fn flags(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| {
        word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    })
}
