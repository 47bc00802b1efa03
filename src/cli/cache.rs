//! `mkimage cache`: the images on this host's disk, with the verbs and flags of `linuxkit cache`.

use super::flags::size;
use super::{CliError, Global};
use crate::oci::{self, Listed, Mirror, Platform, Progress, Pull, Reference, Store, StoreOptions};
use crate::{output, rootfs};
use clap::{Args, Subcommand, ValueEnum};
use mkimage_formats::emit::{Partial, Sink, Stream};
use mkimage_formats::{Slice, Source, Tree, tar};
use std::env;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The images on this host's disk
#[derive(Debug, Args)]
pub(crate) struct Cache {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the images
    #[command(visible_alias = "list")]
    Ls,
    /// Fetch images, even if they are there already; without --platform, for all platforms
    Pull {
        /// The images
        #[arg(required = true)]
        images: Vec<Reference>,
        /// Only for these, like linux/arm64
        #[arg(long, value_delimiter = ',', value_name = "OS/ARCH")]
        platform: Vec<Platform>,
    },
    /// Send images to their registries
    Push {
        /// The images
        #[arg(required = true)]
        images: Vec<Reference>,
        /// Send it under another name
        #[arg(long, value_name = "IMAGE")]
        remote_name: Option<Reference>,
    },
    /// Remove images
    Rm {
        /// The images
        #[arg(required = true)]
        images: Vec<Reference>,
    },
    /// Remove all images, or as many as a limit makes necessary
    Clean {
        /// Only those that a registry has as well
        #[arg(long)]
        published_only: bool,
        /// Only what was used least recently, until the cache has this size: 512M, 10G, or a bare
        /// number of GiB
        #[arg(long, value_parser = size, value_name = "SIZE", conflicts_with = "published_only")]
        keep: Option<u64>,
    },
    /// Add images from OCI layouts (folders or tar archives) and archives of `docker save`
    Import {
        /// Folders, or archives; `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// What the image is called
        #[arg(long, value_name = "IMAGE")]
        name: Option<Reference>,
    },
    /// Write an image to a file
    Export(Export),
}

#[derive(Debug, Args)]
struct Export {
    /// The image
    image: Reference,
    /// What to write
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where to write it; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    outfile: PathBuf,
    /// Of an image for several platforms, this one [default: all (oci), this host's (others)]
    #[arg(long, value_name = "OS/ARCH", conflicts_with = "arch")]
    platform: Option<Platform>,
    /// The same, of Linux
    #[arg(long)]
    arch: Option<String>,
    /// What the image is called in the file
    #[arg(long, value_name = "IMAGE")]
    name: Option<Reference>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A tar archive of an OCI layout
    #[default]
    Oci,
    /// What `docker load` reads
    Docker,
    /// A tar archive of the image's files, its layers applied
    Filesystem,
}

impl Cache {
    pub(super) fn run(self, global: &Global) -> Result<(), CliError> {
        let options = store_options(global)?;
        let offline = StoreOptions { pull: Pull::Never, ..options.clone() };
        let open = |options| Store::open(options).map_err(CliError::from);
        match self.verb {
            Verb::Ls => list(&open(offline)?)?,
            Verb::Pull { images, platform } => {
                open(StoreOptions { pull: Pull::Always, ..options })?.pull(&images, &platform)?;
            }
            Verb::Push { images, remote_name } => {
                if let (Some(_), [_, _, ..]) = (&remote_name, &images[..]) {
                    return Err(CliError::OneName { flag: "--remote-name", images: images.len() });
                }
                let store = open(options)?;
                for image in &images {
                    store.push(image, remote_name.as_ref().unwrap_or(image))?;
                }
            }
            Verb::Rm { images } => {
                let store = open(offline)?;
                images.iter().try_for_each(|image| store.remove(image))?;
            }
            Verb::Clean { keep: Some(limit), .. } => print_names(&open(offline)?.shrink(limit)?)?,
            Verb::Clean { published_only: true, .. } => print_names(&open(options)?.clean_published()?)?,
            Verb::Clean { .. } => open(offline)?.clean()?,
            Verb::Import { files, name } => {
                if let (Some(_), [_, _, ..]) = (&name, &files[..]) {
                    return Err(CliError::OneName { flag: "--name", images: files.len() });
                }
                let store = open(offline)?;
                for file in &files {
                    store.import(file, name.as_ref())?;
                }
            }
            Verb::Export(export) => export.run(&open(offline)?).map_err(absent)?,
        }
        Ok(())
    }
}

/// An export never fetches: nobody forbade it.
fn absent(error: CliError) -> CliError {
    match &error {
        CliError::Image(oci::Error::Offline(missing)) => match &missing[..] {
            [missing] => CliError::Image(missing.clone().into()),
            _ => error,
        },
        _ => error,
    }
}

impl Export {
    fn run(self, store: &Store) -> Result<(), CliError> {
        output::check_folder(&self.outfile)?;
        let name = self.name.as_ref().unwrap_or(&self.image);
        let given = self.platform.or(self.arch.map(Platform::linux));
        let platform = given.clone().unwrap_or_else(Platform::host);
        let tree = match self.format {
            Format::Oci => store.export_oci(&self.image, name, given.as_ref())?,
            Format::Docker => store.export_docker(&self.image, name, &platform)?,
            Format::Filesystem => files(store, &self.image, &platform)?,
        };
        write(&tree, &self.outfile)
    }
}

/// An image's layers, one on the other.
fn files(store: &Store, image: &Reference, platform: &Platform) -> Result<Tree, CliError> {
    let mut layers = Vec::new();
    for resolved in store.resolve(std::slice::from_ref(image), platform)? {
        for oci::Layer { digest, tar, .. } in resolved.layers {
            let source = Source::new(&tar).map_err(|source| CliError::Open { path: tar, source })?;
            let slice = Slice { at: 0, len: source.len(), source };
            layers.push(rootfs::Layer { name: digest.to_string(), slice });
        }
    }
    rootfs::flatten(&layers, &mut rootfs::Indexes::default())
        .map_err(|e| CliError::Layers { image: image.clone(), source: Box::new(e) })
}

/// The store that the flags for all verbs describe. Flags win over the environment.
pub(crate) fn store_options(global: &Global) -> Result<StoreOptions, CliError> {
    let cache = global.cache.clone().or_else(oci::default_cache).ok_or(CliError::NoCache)?;
    let mirrors = match &global.mirror[..] {
        [] => Mirror::list(&env::var("LINUXKIT_MIRROR").unwrap_or_default())?,
        given => given.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
    };
    Ok(StoreOptions {
        mirrors,
        cert_files: global.cert_file.iter().cloned().collect(),
        progress: if global.is_quiet() { Progress::Quiet } else { Progress::Auto },
        ..StoreOptions::new(cache)
    })
}

fn list(store: &Store) -> Result<(), CliError> {
    let images = store.list_images()?;
    // The index may be anybody's; no width is larger than that.
    let width = images.iter().map(|image| image.name.len()).max().unwrap_or_default().min(u16::MAX.into());
    let lines = images.iter().map(|image| format!("{:width$}  {}\n", image.name, image.digest));
    print(&lines.collect::<String>())
}

fn print_names(images: &[Listed]) -> Result<(), CliError> {
    print(&images.iter().map(|image| format!("{}\n", image.name)).collect::<String>())
}

/// Data, to standard output.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    Ok(io::stdout().write_all(text.as_bytes()).map_err(mkimage_formats::emit::Error::Stream)?)
}

fn write(tree: &Tree, path: &Path) -> Result<(), CliError> {
    if path == Path::new("-") {
        let mut out = Stream::new(BufWriter::new(io::stdout().lock()));
        tar::write(tree, &mut out)?;
        return Ok(out.get_mut().flush().map_err(mkimage_formats::emit::Error::Stream)?);
    }
    let mut out = Partial::create(path)?;
    let sink: &mut dyn Sink = &mut out;
    tar::write(tree, sink)?;
    Ok(out.commit()?)
}
