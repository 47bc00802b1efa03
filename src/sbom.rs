//! The software bill of materials of a system: those of its images in one.
//!
//! ```text
//! image ─▶ in-toto statement ─▶ SPDX document ─┐   packages, files, licences, relationships,
//! image ─▶ in-toto statement ─▶ SPDX document ─┴─▶ annotations and references, one after
//!                                                  the other, with their new places
//! ```
//!
//! As LinuxKit does it, but that the namespace, which SPDX wants to differ where the document
//! does, comes from the content and not from chance.
//!
//! \[SPDX\] *Software Package Data Exchange* 2.3; \[IN-TOTO\] *in-toto Attestation Framework*, "Statement".

use crate::oci::{Attestation, Reference};
use crate::rootfs::{Images, RootFs};
use mkimage_formats::TreePath;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::PathBuf;

/// \[IN-TOTO\] `predicateType` of an SPDX document.
const SPDX: &str = "https://spdx.dev/Document";
/// Bytes of an image's statements; SPDX documents of large images have some megabytes.
const MAX_STATEMENTS: u64 = 64 << 20;
/// \[SPDX\] §6 to §12: the lists of a document, in the order in which they are written.
const LISTS: [&str; 6] = [
    "packages",
    "files",
    "hasExtractedLicensingInfos",
    "relationships",
    "annotations",
    "externalDocumentRefs",
];

/// The bill of everything in `root`, an SPDX document in one line of JSON. `created` is when, as
/// `YYYY-MM-DDThh:mm:ssZ`.
///
/// # Errors
/// What an image states about itself cannot be read, or is no SPDX document.
pub fn document(root: &RootFs, images: &Images, created: &str) -> Result<Vec<u8>, Error> {
    let mut lists: [Vec<Value>; 6] = Default::default();
    for placed in &root.images {
        let Some(image) = images.images.get(&placed.reference) else { continue };
        for statement in statements(&placed.reference, &image.attestations)? {
            let mut predicate = predicate(&placed.reference, statement)?;
            for (key, list) in LISTS.iter().zip(&mut lists) {
                let Some(Value::Array(items)) = predicate.remove(*key) else { continue };
                list.extend(items.into_iter().map(|item| moved(key, item, &placed.folder)));
            }
        }
    }
    Ok(assemble(lists, created).to_string().into_bytes())
}

/// Those of an image's statements that are SPDX documents: a manifest may name one any number of
/// times.
fn statements<'a>(image: &Reference, all: &'a [Attestation]) -> Result<Vec<&'a Attestation>, Error> {
    let spdx: Vec<_> = all.iter().filter(|statement| statement.predicate_type == SPDX).collect();
    let size = spdx.iter().fold(0_u64, |size, statement| size.saturating_add(statement.size));
    match size > MAX_STATEMENTS {
        true => Err(Error::Size { image: Box::new(image.clone()), size }),
        false => Ok(spdx),
    }
}

/// The SPDX document of a statement.
fn predicate(image: &Reference, statement: &Attestation) -> Result<Map<String, Value>, Error> {
    let failed = |source| Error::Read { path: statement.path.clone(), source };
    let file = BufReader::new(File::open(&statement.path).map_err(failed)?);
    let wrong = |source| Error::Statement { image: Box::new(image.clone()), source };
    let mut value: Value = serde_json::from_reader(file).map_err(|e| wrong(Some(e)))?;
    match value.get_mut("predicate").map(Value::take) {
        Some(Value::Object(predicate)) => Ok(predicate),
        _ => Err(wrong(None)),
    }
}

/// A package or file at its place in the system.
fn moved(list: &str, mut item: Value, folder: &TreePath) -> Value {
    let key = match list {
        "packages" => "packageFileName",
        "files" => "fileName",
        _ => return item,
    };
    if folder.is_root() {
        return item;
    }
    if let Value::Object(fields) = &mut item {
        let name = fields.get(key).and_then(Value::as_str).unwrap_or_default();
        fields.insert(key.into(), joined(&folder.to_string(), name).into());
    }
    item
}

/// `name` below `folder`, without `.`, `..` and doubled slashes.
fn joined(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn assemble(lists: [Vec<Value>; 6], created: &str) -> Value {
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "sbom",
        "creationInfo": {
            "licenseListVersion": "3.20",
            "creators": ["Organization: LinuxKit", "Tool: linuxkit"],
            "created": created,
        },
    });
    for (key, list) in LISTS.into_iter().zip(lists).filter(|(_, list)| !list.is_empty()) {
        document[key] = list.into();
    }
    let hash = Sha256::digest(document.to_string());
    document["documentNamespace"] =
        format!("https://github.com/linuxkit/linuxkit/sbom-{}", uuid(&hash)).into();
    document
}

/// A UUID of version 8 (RFC 9562 §5.8), whose bits are the maker's own.
fn uuid(hash: &[u8]) -> String {
    let mut hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    hex.replace_range(12..13, "8");
    hex.replace_range(16..17, "8");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Why there is no bill of materials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the cache.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A statement.
    #[error("what image `{image}` states about itself is no SPDX document; --no-sbom does without it")]
    Statement {
        /// The image.
        image: Box<Reference>,
        /// Why it is not even JSON.
        source: Option<serde_json::Error>,
    },
    /// All statements.
    #[error(
        "what image `{image}` states about itself has {size} bytes; {MAX_STATEMENTS} are allowed, and \
         --no-sbom does without it"
    )]
    Size {
        /// The image.
        image: Box<Reference>,
        /// Bytes.
        size: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_in_the_system() {
        let folder = TreePath::new("containers/services/a/lower").unwrap();
        let file = moved("files", json!({"fileName": "/bin/x"}), &folder);
        assert_eq!(file["fileName"], "containers/services/a/lower/bin/x");
        let package = moved("packages", json!({"name": "p"}), &folder);
        assert_eq!(package["packageFileName"], "containers/services/a/lower");
        assert_eq!(moved("files", json!({"fileName": "/bin/x"}), &TreePath::root())["fileName"], "/bin/x");
        assert_eq!(joined("a/b", "../c//./d"), "a/c/d");
    }

    #[test]
    fn statements_have_a_limit_together() {
        let statement = |size| Attestation {
            digest: crate::oci::Digest::of(b""),
            predicate_type: SPDX.into(),
            size,
            path: PathBuf::new(),
        };
        let told = |sizes: &[u64]| {
            let all: Vec<_> = sizes.iter().map(|size| statement(*size)).collect();
            let found = statements(&"test:v1".parse().unwrap(), &all);
            found.map(|found| found.len()).map_err(|e| e.to_string())
        };
        let said = |size: u64| {
            let image = "what image `docker.io/library/test:v1` states about itself";
            format!("{image} has {size} bytes; 67108864 are allowed, and --no-sbom does without it")
        };
        assert_eq!(told(&[60 << 20, 4 << 20]), Ok(2));
        assert_eq!(told(&[1 << 20; 65]), Err(said(65 << 20)));
        assert_eq!(told(&[u64::MAX, u64::MAX]), Err(said(u64::MAX)));
    }

    #[test]
    fn the_namespace_differs_where_the_content_does() {
        let made =
            |name: &str| assemble([vec![json!({"name": name})], vec![], vec![], vec![], vec![], vec![]], "");
        assert_eq!(made("a"), made("a"));
        assert_ne!(made("a")["documentNamespace"], made("b")["documentNamespace"]);
    }
}
