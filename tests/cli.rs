//! The command line of `mkimage build` and `mkimage media`, as LinuxKit's users write it.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use support::fails;
use support::image::{Compression, Made, tar};
use support::kernel::bzimage;
use support::server::{Server, answer};
use support::workplace::{
    DEMO, INIT, PATHS, WEB, Workplace, done, fed, layered, notes, position, unpacked, untar,
};

/// The paths of a root file system, without `boot/*`, that the demo's images name.
fn named(files: &std::collections::BTreeMap<String, Vec<u8>>) -> Vec<&str> {
    files.keys().map(String::as_str).filter(|path| PATHS.contains(path)).collect()
}

#[test]
fn kernel_initrd_and_command_line_are_the_default() {
    let place = Workplace::new();
    done(&mut place.build(&["demo.yml"]));
    assert_eq!(place.names(), ["demo-cmdline", "demo-initrd.img", "demo-kernel", "demo.yml"]);
    assert_eq!(place.read("demo-cmdline"), b"console=ttyS0");
    assert!(place.read("demo-kernel") == bzimage());
    let files = unpacked(&place.read("demo-initrd.img"));
    assert_eq!(named(&files), PATHS);
    assert_eq!(files["etc/motd"], b"hello");
    assert_eq!(files["containers/services/web/lower/bin/web"], [7; 5000]);
    assert!(!files.contains_key("boot/kernel"), "the loader has it");
}

#[test]
fn long_flags_take_one_dash() {
    let place = Workplace::new();
    done(&mut place.build(&["-format=tar", "-name", "one", "-no-sbom", "demo.yml"]));
    done(&mut place.build(&["--format=tar", "--name", "two", "--no-sbom", "demo.yml"]));
    assert_eq!(named(&untar(&place.read("one.tar"))), PATHS);
    assert!(place.read("one.tar") == place.read("two.tar"));
}

#[test]
fn every_format_has_linuxkits_file_names() {
    let place = Workplace::new();
    for (format, files) in [
        ("tar", &["demo.tar"][..]),
        ("docker", &["demo.docker"]),
        ("iso-bios", &["demo.iso"]),
        ("kernel+initrd", &["demo-cmdline", "demo-initrd.img", "demo-kernel"]),
        ("tar-kernel-initrd", &["demo-initrd.tar"]),
        ("iso", &["demo.iso"]),
        ("iso-efi", &["demo-efi.iso"]),
        ("iso-efi-initrd", &["demo-efi-initrd.iso"]),
        ("raw", &["demo.img"]),
        ("raw-bios", &["demo-bios.img"]),
        ("raw-efi", &["demo-efi.img"]),
        ("uki", &["demo.efi"]),
    ] {
        let dir = place.out().join(format);
        fs::create_dir(&dir).unwrap();
        done(&mut place.build(&["-f", format, "--dir", format, "demo.yml"]));
        assert_eq!(support::workplace::listed(&dir), files, "{format}");
    }
}

#[test]
fn help_tells_of_every_format() {
    let place = Workplace::new();
    for verb in ["build", "media"] {
        let said = String::from_utf8(done(&mut place.command(&[verb, "--help"]))).unwrap();
        for format in mkimage::output::FORMATS {
            assert!(said.contains(&format!("- {}: ", format.name)), "{verb}: {}", format.name);
        }
    }
}

#[test]
fn a_disk_of_large_sectors_is_named_so() {
    let place = Workplace::new();
    done(&mut place.build(&["-f", "raw-efi", "--sector-size", "4096", "demo.yml"]));
    assert_eq!(place.names(), ["demo-efi-4k.img", "demo.yml"]);
}

#[test]
fn formats_of_one_file_name_are_refused_together_before_anything_is_pulled() {
    let place = Workplace::new();
    fs::remove_dir_all(place.cache()).unwrap();
    for (formats, words) in [
        ("iso,iso-bios", "`iso` and `iso-bios` would both write `demo.iso`"),
        ("kernel+initrd,iso-bios,kernel+iso", "`iso-bios` and `kernel+iso` would both write `demo.iso`"),
        ("vhd,raw,dynamic-vhd", "`vhd` and `dynamic-vhd` would both write `demo.vhd`"),
    ] {
        let said = fails(&mut place.build(&["-q", "-f", formats, "demo.yml"]));
        assert_eq!(said, format!("error: formats {words}\n"));
        let media = ["media", "--kernel", "none", "--name", "demo", "-f", formats];
        assert_eq!(fails(&mut place.command(&media)), said);
    }
    assert_eq!(place.names(), ["demo.yml"]);
    assert!(!place.cache().exists());
}

#[test]
fn a_format_that_is_named_twice_is_made_once() {
    let place = Workplace::new();
    done(&mut place.build(&["-f", "uki,raw", "-f", "uki", "demo.yml"]));
    assert_eq!(place.names(), ["demo.efi", "demo.img", "demo.yml"]);
}

#[test]
fn several_formats_come_from_one_build() {
    let place = Workplace::new();
    done(&mut place.build(&["-f", "kernel+initrd,iso-bios", "-format", "tar-kernel-initrd", "demo.yml"]));
    let (kernel, initrd) = (place.read("demo-kernel"), place.read("demo-initrd.img"));
    let archive = untar(&place.read("demo-initrd.tar"));
    assert_eq!(archive.keys().collect::<Vec<_>>(), ["cmdline", "initrd.img", "kernel"]);
    assert_eq!(archive["cmdline"], b"console=ttyS0");
    assert!(archive["kernel"] == kernel && archive["initrd.img"] == initrd);
    let iso = place.read("demo.iso");
    assert_eq!(&iso[0x8001..0x8006], b"CD001");
    for part in [kernel, initrd] {
        assert_eq!(position(&iso, &part).unwrap() % 2048, 0);
    }
    assert!(position(&iso, b"console=ttyS0").is_some());
}

#[test]
fn a_stream_is_the_file() {
    let place = Workplace::new();
    done(&mut place.build(&["-f", "tar", "demo.yml"]));
    let want = place.read("demo.tar");
    for flag in ["-o", "--o"] {
        assert!(done(&mut place.build(&[flag, "-", "demo.yml"])) == want, "{flag}");
    }
    assert!(notes(&mut place.build(&["-o", "else.where", "demo.yml"])).ends_with("wrote else.where\n"));
    assert!(place.read("else.where") == want);
    let docker = untar(&done(&mut place.build(&["-f", "docker", "-o", "-", "demo.yml"])));
    assert_eq!(named(&docker), PATHS);
    assert!(docker["Dockerfile"].starts_with(b"\nFROM scratch\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_has_a_name_too() {
    let place = Workplace::new();
    done(&mut place.build(&["-f", "tar", "demo.yml"]));
    // What `/dev/stdout` is, without the risk of replacing it.
    let stdout = place.out().join("stdout");
    std::os::unix::fs::symlink("/proc/self/fd/1", &stdout).unwrap();
    let redirected = fs::File::create(place.out().join("redirected")).unwrap();
    let mut build = place.build(&["-o", "stdout", "demo.yml"]);
    assert!(build.stdout(redirected).status().unwrap().success());
    assert!(place.read("redirected") == place.read("demo.tar"));
    assert_eq!(place.names(), ["demo.tar", "demo.yml", "redirected", "stdout"]);
    assert!(fs::symlink_metadata(stdout).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn a_pipe_that_is_named_is_written_to_and_not_replaced() {
    let place = Workplace::new();
    let pipe = place.out().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut build = place.build(&["-o", "pipe", "demo.yml"]).spawn().unwrap();
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    assert!(build.wait().unwrap().success());
    assert_eq!(named(&untar(&reader.join().unwrap())), PATHS);
    assert_eq!(place.names(), ["demo.yml", "pipe"]);
    assert!(!fs::metadata(&pipe).unwrap().is_file());
}

#[test]
fn the_name_is_the_last_files_and_moby_for_standard_input() {
    let place = Workplace::new();
    place.write("more.yaml", "files: [{path: more, contents: more}]");
    done(&mut place.build(&["-f", "tar", "demo.yml", "more.yaml"]));
    assert_eq!(untar(&place.read("more.tar"))["more"], b"more");
    let output = fed(&mut place.build(&["-f", "tar", "-"]), DEMO.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(named(&untar(&place.read("moby.tar"))), PATHS);
}

#[test]
fn specifications_come_from_servers() {
    let place = Workplace::new();
    let server = Server::start(|asked| match asked.path.as_str() {
        "/specs/demo.yml" => answer(200, DEMO),
        _ => answer(404, "no"),
    });
    let url = format!("http://{}/specs/demo.yml", server.address);
    done(&mut place.build(&["-f", "tar", "-name", "file", "demo.yml"]));
    done(&mut place.build(&["-f", "tar", "-name", "url", &url]));
    assert!(place.read("url.tar") == place.read("file.tar"));
    done(&mut place.build(&["-f", "tar", &url]));
    assert!(place.names().contains(&"demo.tar".into()), "{:?}", place.names());
    let before = place.names();
    let said = fails(&mut place.build(&["-f", "tar", &url.replace("demo", "none")]));
    assert!(said.contains("/specs/none.yml`") && said.contains("404"), "{said}");
    let said = fails(&mut place.build(&["-f", "tar", "--offline", &url]));
    assert_eq!(said, format!("error: --offline forbids to fetch `{url}`\n"));
    assert_eq!(place.names(), before);
}

#[test]
fn a_dry_run_prints_the_merged_yaml_and_builds_nothing() {
    let place = Workplace::new();
    place.write("more.yml", "kernel: {cmdline: quiet}\nfiles: [{path: more, contents: more}]");
    let printed = done(&mut place.build(&["-dry-run", "demo.yml", "more.yml"]));
    assert_eq!(place.names(), ["demo.yml", "more.yml"]);
    let printed = String::from_utf8(printed).unwrap();
    assert!(printed.starts_with("kernel:\n    image: example/kernel:1\n    cmdline: quiet\n"), "{printed}");
    place.write("printed.yml", &printed);
    done(&mut place.build(&["-f", "tar", "-name", "one", "demo.yml", "more.yml"]));
    done(&mut place.build(&["-f", "tar", "-name", "two", "printed.yml"]));
    assert!(place.read("one.tar") == place.read("two.tar"), "what was printed builds the same");
}

#[test]
fn flags_that_are_not_needed_change_nothing_and_say_what_to_use() {
    let place = Workplace::new();
    let noted = |args: &[&str]| {
        let said = notes(&mut place.build(&[&["-f", "tar"], args, &["demo.yml"]].concat()));
        said.lines().filter(|line| line.starts_with("note: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(noted(&["-name", "plain"]), [""; 0]);
    let docker =
        "note: --docker is not needed: `docker save IMAGE | mkimage cache import -` brings an image here";
    assert_eq!(noted(&["-name", "docker", "-docker"]), [docker]);
    let input = "note: --input-tar is not needed: the cache makes rebuilds fast, and the result is the same";
    assert_eq!(noted(&["-name", "input", "-input-tar", "old.tar"]), [input]);
    assert!(place.read("docker.tar") == place.read("plain.tar"));
    assert!(place.read("input.tar") == place.read("plain.tar"));
    assert_eq!(notes(&mut place.build(&["-q", "-docker", "-input-tar", "x", "demo.yml"])), "");
}

#[test]
fn flags_that_no_format_knows_change_nothing_and_are_told_of() {
    let place = Workplace::new();
    let built = |name: &str, args: &str| {
        let args: Vec<&str> = args.split(' ').chain(["-name", name, "demo.yml"]).collect();
        let said = notes(&mut place.build(&args));
        said.lines().filter(|line| line.starts_with("note: --")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(built("plain", "-f uki"), [""; 0]);
    let idle = "--payload rootfs --boot-serial --efi-loader x --disk-id 01234567-89ab-cdef-0123-456789abcdef \
                --hybrid strict --size 1G --sector-size 4096 --firmware both --volume-label x \
                --squashfs-compression xz --squashfs-block-size 4K --rpi-firmware x --qcow2-compression zlib \
                --qcow2-cluster-size 8K --vmdk-kind monolithic-flat --vm-adapter ide --vm-hardware-version 9 \
                --vm-tools-version 1 --vm-guest-id x --vm-cpus 1 --vm-memory 4 --ova-medium cd --ova-digest sha1";
    let said = built("idle", &format!("-f uki {idle}"));
    let flags = idle.split(' ').filter(|word| word.starts_with("--"));
    let each = flags.map(|flag| format!("note: {flag} changes nothing in `uki`"));
    let (said, each) = (BTreeSet::from_iter(said), each.collect::<BTreeSet<_>>());
    assert_eq!(said, each);
    assert!(place.read("idle.efi") == place.read("plain.efi"));
    assert_eq!(notes(&mut place.build(&["-q", "-f", "uki", "--size", "1G", "demo.yml"])), "");
    assert_eq!(built("two", "-f uki,iso-bios --size 1G --hybrid gpt --boot-serial").len(), 2);
}

#[test]
fn flags_that_a_format_knows_change_it() {
    let place = Workplace::new();
    for (suffix, args) in [
        ("-initrd.img", "kernel+initrd --initrd-compression none"),
        (".iso", "iso --payload rootfs"),
        (".iso", "iso-bios --boot-serial"),
        (".iso", "iso-bios --volume-label x"),
        ("-efi.iso", "iso-efi --hybrid strict"),
        ("-efi.iso", "iso-efi --disk-id 01234567-89ab-cdef-0123-456789abcdef"),
        ("-efi.iso", "iso-efi --efi-loader demo.yml"),
        (".img", "raw --size 128M"),
        (".vhd", "vhd --firmware both"),
        ("-erofs.img", "kernel+erofs --volume-label x"),
        ("-squashfs.img", "kernel+squashfs --squashfs-compression xz"),
        ("-squashfs.img", "kernel+squashfs --squashfs-block-size 4K"),
        ("-efi.qcow2", "qcow2-efi --qcow2-compression zlib"),
        ("-efi.qcow2", "qcow2-efi --qcow2-cluster-size 8K"),
        (".vmdk", "vmdk --vmdk-kind monolithic-sparse"),
        (".vmdk", "vmdk --vm-adapter ide"),
        (".vmdk", "vmdk --vm-hardware-version 9"),
        (".vmdk", "vmdk --vm-tools-version 1"),
        (".ova", "ova --vm-guest-id x"),
        (".ova", "ova --vm-cpus 3"),
        (".ova", "ova --vm-memory 4"),
        (".ova", "ova --ova-medium cd"),
        (".ova", "ova --ova-digest sha1"),
        (".ova", "ova --ova-medium cd --hybrid strict"),
    ] {
        let words: Vec<&str> = args.split(' ').collect();
        let (format, flags) = words.split_first().unwrap();
        let before = if flags.contains(&"--hybrid") { &flags[..flags.len() - 2] } else { &[] };
        done(&mut place.build(&[&["-f", format, "-name", "one"], before, &["demo.yml"]].concat()));
        let said = notes(&mut place.build(&[&["-f", format, "-name", "two"], flags, &["demo.yml"]].concat()));
        assert!(!said.contains("changes nothing"), "{args}: {said}");
        assert!(place.read(&format!("one{suffix}")) != place.read(&format!("two{suffix}")), "{args}");
    }
}

#[test]
fn an_archive_of_docker_save_comes_through_a_pipe() {
    let place = Workplace::new();
    let export = ["cache", "export", "--format", "docker", "--platform", "linux/amd64", "-o", "-", WEB];
    let archive = done(&mut place.command(&export));
    let other = Workplace::new();
    done(&mut other.command(&["cache", "rm", WEB]));
    assert!(!String::from_utf8(done(&mut other.command(&["cache", "ls"]))).unwrap().contains(WEB));
    fails(&mut other.build(&["-offline", "-f", "tar", "demo.yml"]));
    let output = fed(&mut other.command(&["cache", "import", "-"]), &archive);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(done(&mut other.command(&["cache", "ls"]))).unwrap().contains(WEB));
    done(&mut other.build(&["-offline", "-f", "tar", "demo.yml"]));
    done(&mut place.build(&["-offline", "-f", "tar", "demo.yml"]));
    assert!(place.read("demo.tar") == other.read("demo.tar"));
}

#[test]
fn linuxs_names_of_platforms_are_known() {
    let place = Workplace::new();
    let tool = |arch| Made::image(arch, &[(Compression::Gzip, tar(&[("arch", arch.as_bytes())]))]);
    let index = Made::index(&[("amd64", tool("amd64")), ("arm64", tool("arm64"))]);
    index.write(&place.cache(), "docker.io/example/tool:1");
    place.write("tool.yml", "init: ['example/tool:1']");
    for (arch, want) in [("x86_64", "amd64"), ("aarch64", "arm64"), ("amd64", "amd64"), ("arm64", "arm64")] {
        done(&mut place.command(&["build", "-arch", arch, "-f", "tar", "tool.yml"]));
        assert_eq!(untar(&place.read("tool.tar"))["arch"], want.as_bytes(), "{arch}");
    }
}

#[test]
fn the_bill_of_materials_is_where_it_is_wanted() {
    let place = Workplace::new();
    let files = |args: &[&str]| untar(&done(&mut place.build(&[args, &["-o", "-", "demo.yml"]].concat())));
    let default = files(&[]);
    let document: serde_json::Value = serde_json::from_slice(&default["sbom.spdx.json"]).unwrap();
    assert_eq!(document["creationInfo"]["created"], "2017-04-18T16:30:00Z");
    let moved = files(&["--sbom-output", "usr/share/bill.json"]);
    assert_eq!(moved["usr/share/bill.json"], default["sbom.spdx.json"]);
    assert!(!moved.contains_key("sbom.spdx.json"));
    assert!(!files(&["-no-sbom"]).contains_key("sbom.spdx.json"));
    let now: serde_json::Value =
        serde_json::from_slice(&files(&["-sbom-current-time"])["sbom.spdx.json"]).unwrap();
    assert_ne!(now["creationInfo"]["created"], document["creationInfo"]["created"]);
}

#[test]
fn media_of_a_root_file_system_are_those_of_the_build() {
    let place = Workplace::new();
    done(&mut place.build(&["-f", "kernel+initrd,iso-bios", "demo.yml"]));
    done(&mut place.build(&["-f", "tar", "demo.yml"]));
    let formats = "kernel+initrd,iso-bios";
    done(&mut place.command(&["media", "--tar", "demo.tar", "-f", formats, "--name", "file"]));
    let stdin = &mut place.command(&["media", "-tar", "-", "-f", formats, "-name", "pipe"]);
    let output = fed(stdin, &place.read("demo.tar"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = fed(&mut place.command(&["media", "-tar", "-"]), b"no archive").stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(
        said.starts_with("error: standard input is no root file system\n  because: standard input is "),
        "{said}"
    );
    let want = unpacked(&place.read("demo-initrd.img"));
    for name in ["file", "pipe"] {
        let read = |suffix| place.read(&format!("{name}{suffix}"));
        assert!(unpacked(&read("-initrd.img")) == want, "{name}");
        assert!(read("-kernel") == place.read("demo-kernel"), "{name}");
        assert_eq!(read("-cmdline"), b"console=ttyS0");
        assert!(position(&read(".iso"), &read("-initrd.img")).is_some(), "{name}");
    }
}

#[test]
fn media_of_kernel_and_initrd_carry_both() {
    let place = Workplace::new();
    done(&mut place.build(&["demo.yml"]));
    let args = ["media", "-kernel", "demo-kernel", "-initrd", "demo-initrd.img", "-cmdline", "-quiet"];
    done(&mut place.command(&[&args[..], &["-initrd", "demo-cmdline", "-name", "cd"]].concat()));
    let iso = place.read("cd.iso");
    for part in [&place.read("demo-kernel"), &place.read("demo-initrd.img"), &b"\0-quiet\0"[..]] {
        assert!(position(&iso, part).is_some());
    }
}

#[test]
fn a_kernel_without_an_initrd_is_alone() {
    let place = Workplace::new();
    done(&mut place.build(&["demo.yml"]));
    done(&mut place.command(&[
        "media",
        "-kernel",
        "demo-kernel",
        "-f",
        "kernel+initrd,iso",
        "-name",
        "bare",
    ]));
    let names = place.names();
    assert_eq!(names[..2], ["bare-kernel", "bare.iso"]);
}

#[test]
fn the_layers_of_an_image_on_the_medium_are_its_files() {
    let place = Workplace::new();
    let big = tar(&[("bin/init", b"#!init"), ("big", &support::noise::noise(3_000_000))]);
    layered(big).write(&place.cache(), "docker.io/example/big:1");
    place.write("big.yml", "init: ['example/big:1']");
    done(&mut place.build(&["-initrd-compression", "none", "big.yml"]));
    let initrd = unpacked(&place.read("big-initrd.img"));
    assert!(initrd["big"] == support::noise::noise(3_000_000));
    assert_eq!(place.names(), ["big-initrd.img", "big.yml", "demo.yml"], "no kernel, no command line");
    let said = fails(&mut place.build(&["-f", "iso-bios", "big.yml"]));
    assert!(said.starts_with("error: format `iso-bios` needs a kernel, and there is none\n"), "{said}");
    assert!(String::from_utf8(done(&mut place.command(&["cache", "ls"]))).unwrap().contains(INIT));
}

/// The very line of the article that LinuxKit's users come from, on its YAML.
#[test]
fn the_articles_line_makes_its_iso() {
    let conformance = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    let yaml = conformance.join("cases/seed-minimal/seed-minimal.yml");
    if !yaml.exists() {
        support::skip::missing(format_args!("`{}` is missing", yaml.display()));
        return;
    }
    let place = Workplace::new();
    let cache = place.dir.path().join("article");
    copy(&conformance.join("images"), &cache);
    place.write("minimal.yaml", fs::read(yaml).unwrap());
    let registry = Server::start(|_| answer(500, "nothing needs to be fetched"));
    let line = "mkimage build -format iso-bios -name linuxkitdemo minimal.yaml";
    let args: Vec<&str> = line.split(' ').skip(1).collect();
    let mut command = place.command(&args);
    command.env("MKIMAGE_CACHE", &cache).env("LINUXKIT_MIRROR", format!("http://{}", registry.address));
    done(&mut command);
    assert!(registry.asked().is_empty());
    assert_eq!(place.names(), ["demo.yml", "linuxkitdemo.iso", "minimal.yaml"]);
    let iso = place.read("linuxkitdemo.iso");
    assert_eq!((&iso[0x8001..0x8006], &iso[510..512]), (&b"CD001"[..], &[0x55, 0xaa][..]));
    assert!(position(&iso, b"console=tty0").is_some());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[test]
fn what_linux_cuts_on_an_iso_is_told() {
    let place = Workplace::new();
    let layer = support::lines::archive("c dev/pts300 136,300", 0);
    layered(layer).write(&place.cache(), "docker.io/example/dev:1");
    place.write("dev.yml", "kernel: {image: 'example/kernel:1'}\ninit: ['example/dev:1']\n");
    let cut = "warning: the device `dev/pts300` has the number 136:300, which Linux takes for 136:44";
    for (args, told) in [
        (&["-f", "kernel+iso"][..], true),
        (&["-f", "iso-bios", "--payload", "rootfs"], true),
        (&["-f", "iso-bios"], false),
        (&["-f", "kernel+erofs"], false),
    ] {
        let said = notes(&mut place.build(&[args, &["dev.yml"]].concat()));
        assert_eq!(said.contains(cut), told, "{args:?}: {said}");
    }
}
