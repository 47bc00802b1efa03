//! `mkimage build`: from YAML files to outputs.

use super::cache::{print, store_options};
use super::flags::{Outputs, limit};
use super::{CliError, Global, report};
use crate::build;
use crate::initrd::Folder;
use crate::oci::{Platform, Pull, Store, StoreOptions};
use crate::output::Format;
use crate::spec::Spec;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use time::format_description::well_known::Rfc3339;

/// Build outputs from LinuxKit YAML files
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// YAML files, appended to each other; `-` is standard input, and http(s) URLs are fetched
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// What the outputs are called [default: the last file's name without its extension]
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// The one output's file, or `-` for standard output (formats `tar` and `docker`)
    #[arg(short, long = "o", value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
    /// The architecture to build for: amd64, arm64 or riscv64 [default: this machine's]; `amd64,arm64`
    /// puts both on one ISO for UEFI
    #[arg(long, value_delimiter = ',')]
    arch: Vec<String>,
    /// Ask registries even for images that the cache has
    #[arg(long)]
    pull: bool,
    /// Never use the network: an image that the cache lacks is an error
    #[arg(long, conflicts_with = "pull")]
    offline: bool,
    /// What one layer may have when it is unpacked: 512M, 64G, or a bare number of bytes
    #[arg(long, value_name = "SIZE", value_parser = limit, default_value = "32G")]
    max_layer_size: u64,
    /// Unpack the kernel
    #[arg(long)]
    decompress_kernel: bool,
    /// Leave out the software bill of materials
    #[arg(long)]
    no_sbom: bool,
    /// The bill's path in the root file system
    #[arg(long, value_name = "PATH", default_value = "sbom.spdx.json")]
    sbom_output: String,
    /// Date the bill now: no two builds have the same bytes then
    #[arg(long)]
    sbom_current_time: bool,
    /// Print the merged YAML, and build nothing
    #[arg(long)]
    dry_run: bool,
    /// Accepted, and not needed: the cache makes rebuilds fast, and the result is the same
    #[arg(long, value_name = "FILE", conflicts_with = "pull")]
    input_tar: Option<PathBuf>,
    /// Accepted, and not needed: `docker save IMAGE | mkimage cache import -` brings an image here
    #[arg(long)]
    docker: bool,
}

impl Build {
    pub(super) fn run(self, global: &Global) -> Result<(), CliError> {
        let formats = self.formats()?;
        self.check(&formats, global)?;
        if !global.is_quiet() {
            self.unneeded().for_each(report::note);
        }
        let spec = self.spec(global)?;
        if self.dry_run {
            return print(&spec.to_yaml());
        }
        self.outputs.check_folder(self.output.as_deref(), &self.name())?;
        let store = self.store(global)?;
        let scratch = store.scratch()?;
        let folder = store.segments().map_or_else(|| Folder::Scratch(scratch.path().into()), Folder::Cache);
        let system = |platform| {
            let options = build::Options {
                platform,
                decompress_kernel: self.decompress_kernel,
                sbom: self.sbom(),
                initrd: self.outputs.initrd(&formats, folder.clone()),
            };
            build::system(&spec, &store, &options, scratch.path())
        };
        let system = match &self.arch[..] {
            [] => system(Platform::host())?,
            [arch] => system(platform(arch))?,
            [one, two] => {
                let mut first = system(platform(one))?;
                first.aarch64 = Some(Box::new(system(platform(two))?));
                first
            }
            more => return Err(CliError::Flags(format!("{} architectures; an ISO holds two", more.len()))),
        };
        self.outputs.write(&system, &formats, self.output.as_deref(), &self.name(), Some(&scratch), global)
    }

    fn store(&self, global: &Global) -> Result<Store, CliError> {
        let pull = match (self.pull, self.offline) {
            (true, _) => Pull::Always,
            (_, true) => Pull::Never,
            _ => Pull::Missing,
        };
        let options = StoreOptions { pull, max_layer_size: self.max_layer_size, ..store_options(global)? };
        Ok(Store::open(options)?)
    }

    /// One streamable format goes to any file; without a format that is a tar archive.
    fn formats(&self) -> Result<Vec<&'static Format>, CliError> {
        self.outputs.formats(if self.output.is_some() { "tar" } else { "kernel+initrd" })
    }

    /// LinuxKit's rules for flags, in its order.
    fn check(&self, formats: &[&Format], global: &Global) -> Result<(), CliError> {
        let wrong = |text: String| Err(CliError::Flags(text));
        if let (Some(format), [_, _, ..]) = (formats.iter().find(|f| f.is_streamable()), formats) {
            return wrong(format!("format `{}` must be the only format", format.name));
        }
        if self.output.is_some() {
            let format = formats[0];
            if formats.len() > 1 {
                return wrong("-o names one file, and several formats were asked for".into());
            }
            if !format.is_streamable() {
                return wrong(format!(
                    "-o goes with `tar` and `docker`, not with `{}`; --name and --dir say where that goes",
                    format.name
                ));
            }
            for (flag, given) in [("name", self.name.is_some()), ("dir", self.outputs.dir.is_some())] {
                if given {
                    return wrong(format!("-o and --{flag} both say where the output goes; leave one out"));
                }
            }
        }
        if let Some(output) = &self.output
            && let Some(file) = self.files.iter().find(|file| is_same(Path::new(file), output))
        {
            return wrong(format!("-o would replace `{file}`, which is an input"));
        }
        if let (Some(input), Some(output)) = (&self.input_tar, &self.output)
            && input == output
        {
            return wrong(format!("--input-tar and -o both name `{}`", input.display()));
        }
        self.outputs.check(formats, &self.name(), global)
    }

    /// What to use instead of flags that are accepted and do nothing.
    fn unneeded(&self) -> impl Iterator<Item = &'static str> {
        let docker =
            "--docker is not needed: `docker save IMAGE | mkimage cache import -` brings an image here";
        let tar = "--input-tar is not needed: the cache makes rebuilds fast, and the result is the same";
        let flags = [(self.docker, docker), (self.input_tar.is_some(), tar)];
        flags.into_iter().filter(|(given, _)| *given).map(|(_, note)| note)
    }

    /// The name of the last file without its extension.
    fn name(&self) -> String {
        let last = self.files.last().map_or("-", String::as_str);
        match (&self.name, last) {
            (Some(name), _) => name.clone(),
            (None, "-") => "moby".into(), // LinuxKit's first name
            (None, file) => {
                let name = file.rsplit('/').next().unwrap_or(file);
                Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned()
            }
        }
    }

    fn sbom(&self) -> Option<build::Sbom> {
        let default = build::Sbom::linuxkit();
        let now = || time::OffsetDateTime::now_utc().replace_nanosecond(0).ok()?.format(&Rfc3339).ok();
        let created = self.sbom_current_time.then(now).flatten().unwrap_or(default.created);
        (!self.no_sbom).then(|| build::Sbom { path: self.sbom_output.clone(), created })
    }

    /// All files as one specification.
    fn spec(&self, global: &Global) -> Result<Spec, CliError> {
        let mut all: Option<Spec> = None;
        for name in &self.files {
            let (shown, text) = match name.as_str() {
                "-" => {
                    let mut text = Vec::new();
                    io::stdin().lock().read_to_end(&mut text).map_err(CliError::Stdin)?;
                    ("standard input", text)
                }
                url if url.starts_with("http://") || url.starts_with("https://") => {
                    (url, self.store(global)?.document(url)?)
                }
                path => {
                    let failed = |source| CliError::Open { path: path.into(), source };
                    (path, std::fs::read(path).map_err(failed)?)
                }
            };
            let spec = Spec::parse_bytes(shown, &text)?;
            match &mut all {
                Some(all) => all.append(spec)?,
                None => all = Some(spec),
            }
        }
        Ok(all.unwrap_or_default())
    }
}

/// `x86_64` and `aarch64` are what Linux calls the platforms of `amd64` and `arm64`.
fn platform(arch: &str) -> Platform {
    Platform::linux(match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    })
}

/// Both are names of one file that is there.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one.is_file() && one == other,
        _ => false,
    }
}
