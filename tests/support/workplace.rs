//! A folder with a cache of small images and a specification, and the command at work in it.

use super::image::{Compression, Made, tar};
use super::kernel::bzimage;
use super::skip;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const KERNEL: &str = "docker.io/example/kernel:1";
pub const INIT: &str = "docker.io/example/init:1";
pub const WEB: &str = "docker.io/example/web:1";

/// What the specification asks for.
pub const DEMO: &str = "\
kernel: {image: 'example/kernel:1', cmdline: console=ttyS0}
init: ['example/init:1']
services: [{name: web, image: 'example/web:1', command: [/bin/web]}]
files: [{path: etc/motd, contents: hello}]
";

/// The paths of its root file system that the images and the specification themselves name.
pub const PATHS: [&str; 6] = [
    "bin/init",
    "containers/services/web/config.json",
    "containers/services/web/lower/bin/web",
    "containers/services/web/runtime.json",
    "etc/motd",
    "lib/modules/6/a.ko",
];

pub struct Workplace {
    pub dir: tempfile::TempDir,
}

impl Workplace {
    pub fn new() -> Self {
        let place = Workplace { dir: tempfile::tempdir().unwrap() };
        for folder in ["out", "home"] {
            fs::create_dir(place.dir.path().join(folder)).unwrap();
        }
        kernel_image(&bzimage()).write(&place.cache(), KERNEL);
        layered(tar(&[("bin/init", b"#!init"), ("etc/hostname", b"x")])).write(&place.cache(), INIT);
        layered(tar(&[("bin/web", &[7; 5000])])).write(&place.cache(), WEB);
        place.write("demo.yml", DEMO);
        place
    }

    pub fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    /// Where the command runs, and its outputs go.
    pub fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.out().join(name), contents).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.out().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The names in the folder of outputs.
    pub fn names(&self) -> Vec<String> {
        listed(&self.out())
    }

    /// `mkimage ARGS`, with this cache.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mkimage"));
        command.args(args).current_dir(self.out()).stdin(Stdio::null());
        // What the tester's own environment says is not tested.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        for name in ["LINUXKIT_CACHE", "LINUXKIT_MIRROR", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_CACHE_HOME"] {
            command.env_remove(name);
        }
        let home = self.dir.path().join("home");
        command.env("MKIMAGE_CACHE", self.cache()).env("HOME", &home).env("USERPROFILE", home);
        command
    }

    /// `mkimage build ARGS`, for the images' architecture.
    pub fn build(&self, args: &[&str]) -> Command {
        self.command(&[&["build", "--arch", "amd64"], args].concat())
    }
}

/// The names in a folder, in order.
pub fn listed(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// An image of one gzip layer.
pub fn layered(layer: Vec<u8>) -> Made {
    Made::image("amd64", &[(Compression::Gzip, layer)])
}

/// An image with a kernel and one module.
pub fn kernel_image(kernel: &[u8]) -> Made {
    let modules = tar(&[("lib/modules/6/a.ko", b"module")]);
    layered(tar(&[("kernel", kernel), ("kernel.tar", &modules)]))
}

/// It worked; what it wrote to standard output.
pub fn done(command: &mut Command) -> Vec<u8> {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    stdout
}

/// It worked; what it wrote to standard error.
pub fn notes(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{command:?}: {stderr}");
    stderr
}

/// What another program writes to standard output; nothing if it is not installed.
pub fn other(place: &Workplace, program: &str, args: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new(program).args(args).current_dir(place.out()).output();
    match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skip::missing(format_args!("`{program}` is missing"));
            None
        }
        output => {
            let output = output.unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program} {args:?}: {said}");
            Some(output.stdout)
        }
    }
}

/// The output of a command that is given something to read.
pub fn fed(command: &mut Command, input: &[u8]) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that does not read it all is part of some tests.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// The files of a tar archive; links and folders are empty.
pub fn untar(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).unwrap();
        files.insert(String::from_utf8(entry.path_bytes().into_owned()).unwrap(), contents);
    }
    files
}

/// What a kernel unpacks: archives one after the other, each gzip or plain. The same of links and
/// folders.
pub fn unpacked(initrd: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut left) = (BTreeMap::new(), initrd);
    loop {
        let zeros = left.iter().take_while(|byte| **byte == 0).count();
        left = &left[zeros..];
        match left {
            [] => return files,
            [0x1f, 0x8b, ..] => {
                let mut archive = Vec::new();
                let mut member = flate2::bufread::GzDecoder::new(left);
                member.read_to_end(&mut archive).unwrap();
                left = member.into_inner();
                assert!(newc(&archive, &mut files).iter().all(|byte| *byte == 0), "only padding follows");
            }
            _ => left = newc(left, &mut files),
        }
    }
}

/// Reads one archive; what follows it.
fn newc<'a>(mut archive: &'a [u8], files: &mut BTreeMap<String, Vec<u8>>) -> &'a [u8] {
    loop {
        let mut entry = cpio::NewcReader::new(archive).unwrap();
        if entry.entry().is_trailer() {
            return entry.finish().unwrap();
        }
        let (name, mut contents) = (entry.entry().name().to_owned(), Vec::new());
        entry.read_to_end(&mut contents).unwrap();
        files.insert(name, contents);
        archive = entry.finish().unwrap();
        assert!(!archive.fill_buf().unwrap().is_empty(), "the archive has no end");
    }
}

/// Where `part` is in `whole`.
pub fn position(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len()).position(|window| window == part)
}
