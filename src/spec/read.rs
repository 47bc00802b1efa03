//! A [`Spec`] from the nodes of a YAML document: which keys there are, and of which type.

mod config;
mod resources;

use super::error::{Log, Problem};
use super::fields::{Fields, NodeRef};
use super::place::Located;
use super::yaml::{Document, Kind};
use super::{Container, ContainerConfig, File, Kernel, Spec, Volume, VolumeFormat, terms};

/// The specification in `text`; what is wrong in it goes to the log, and is left out.
pub(super) fn spec(text: &str, log: &mut Log) -> Spec {
    let Some(document) = Document::read(log, text) else { return Spec::default() };
    packages(&document, log);
    let Some(mut fields) = NodeRef::root(&document).fields("the specification", log) else {
        return Spec::default();
    };
    let spec = Spec {
        kernel: fields.fields("kernel", log).map(|kernel| self::kernel(kernel, log)).unwrap_or_default(),
        init: fields.texts("init", log).unwrap_or_default(),
        onboot: containers(&mut fields, "onboot", "an entry of `onboot`", log),
        onshutdown: containers(&mut fields, "onshutdown", "an entry of `onshutdown`", log),
        services: containers(&mut fields, "services", "an entry of `services`", log),
        files: fields.list("files", log, file).unwrap_or_default(),
        volumes: fields.list("volumes", log, volume).unwrap_or_default(),
    };
    // Signatures of images were checked once; LinuxKit still accepts the key, and so its files
    // still have it.
    if let Some(mut trust) = fields.fields("trust", log) {
        trust.texts("image", log);
        trust.texts("org", log);
        trust.finish(log);
    }
    fields.finish(log);
    spec
}

/// The configuration in the label of an image.
pub(super) fn label(text: &str, log: &mut Log) -> ContainerConfig {
    let Some(document) = Document::read(log, text) else { return ContainerConfig::default() };
    let Some(mut fields) = NodeRef::root(&document).fields("the label", log) else {
        return ContainerConfig::default();
    };
    for key in ["name", "image"] {
        if let Some(node) = fields.forbidden(key, log) {
            log.report(node.place().clone(), Problem::NotInLabel { key });
        }
    }
    let config = config::read(&mut fields, log);
    fields.finish(log);
    config
}

/// Notes every value that names a package, wherever it is: LinuxKit replaces them all.
fn packages(document: &Document, log: &mut Log) {
    for node in &document.nodes {
        if let Kind::Scalar(scalar) = &node.kind
            && scalar.text.starts_with("@pkg:")
        {
            log.report(node.place.clone(), Problem::Package { package: scalar.text.clone() });
        }
    }
}

fn kernel(mut fields: Fields<'_>, log: &mut Log) -> Kernel {
    let kernel = Kernel {
        image: fields.text("image", log),
        cmdline: fields.text("cmdline", log),
        binary: fields.text("binary", log),
        tar: fields.text("tar", log),
        ucode: fields.text("ucode", log),
    };
    fields.finish(log);
    kernel
}

fn containers(
    fields: &mut Fields<'_>,
    key: &'static str,
    within: &'static str,
    log: &mut Log,
) -> Vec<Container> {
    fields.list(key, log, |item, log| container(item, within, log)).unwrap_or_default()
}

fn container(node: NodeRef<'_>, within: &'static str, log: &mut Log) -> Option<Container> {
    let mut fields = node.fields(within, log)?;
    let name = required(&mut fields, "name", log);
    let image = required(&mut fields, "image", log);
    let config = config::read(&mut fields, log);
    fields.finish(log);
    let (Some(name), Some(image)) = (name, image) else {
        // It is no container, but all that is wrong in it is told.
        terms::check(&config).into_iter().for_each(|error| log.report(error.place, error.problem));
        return None;
    };
    Some(Container { name, image, config })
}

fn required(fields: &mut Fields<'_>, key: &'static str, log: &mut Log) -> Option<Located<String>> {
    let node = fields.take(key, log);
    if node.is_none() {
        fields.missing(key, log);
    }
    node?.text(&format!("`{key}`"), log)
}

fn file(node: NodeRef<'_>, log: &mut Log) -> Option<File> {
    let mut fields = node.fields("an entry of `files`", log)?;
    let path = required(&mut fields, "path", log);
    let directory = fields.boolean("directory", log).unwrap_or_default();
    let symlink = fields.text("symlink", log);
    let contents = fields.text("contents", log);
    let source = fields.text("source", log);
    let metadata = fields.text("metadata", log);
    let optional = fields.boolean("optional", log).unwrap_or_default();
    let mode = fields.text("mode", log);
    let uid = fields.id("uid", log);
    let gid = fields.id("gid", log);
    fields.finish(log);
    Some(File { path: path?, directory, symlink, contents, source, metadata, optional, mode, uid, gid })
}

fn volume(node: NodeRef<'_>, log: &mut Log) -> Option<Volume> {
    let mut fields = node.fields("an entry of `volumes`", log)?;
    let name = fields.text("name", log);
    let image = fields.text("image", log);
    let readonly = fields.boolean("readonly", log).unwrap_or_default();
    let format = fields.text("format", log);
    let platforms = fields.texts("platforms", log).unwrap_or_default();
    fields.finish(log);
    let format = format.and_then(|format| {
        let known = match format.as_str() {
            "filesystem" => Some(VolumeFormat::Filesystem),
            "oci" => Some(VolumeFormat::Oci),
            _ => None,
        };
        if known.is_none() {
            let choices = &["filesystem", "oci"];
            let problem = Problem::Choice { what: "`format`".to_owned(), value: format.value, choices };
            log.report(format.place, problem);
        }
        known
    });
    let name = name.unwrap_or_else(|| Located::new(String::new(), node.place().clone()));
    Some(Volume { name, image, readonly, format, platforms })
}
