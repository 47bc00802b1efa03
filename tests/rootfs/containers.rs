//! Volumes and bundles.

use super::support::image::{Compression, Made};
use super::support::lines;
use super::{check, check_with, made};
use mkimage::build::Sbom;
use serde_json::json;

const TOOL: &str = "d0700 data\nf0755 data/tool tool";

#[test]
fn volumes_begin_blank_or_with_an_image_or_as_an_image_layout() {
    let tool = made(&("tool:1", &[TOOL]));
    check_with("volumes", &["volumes.yml", "volumes.2.yml"], &[("tool:1", tool)], None);
}

#[test]
fn an_image_is_in_bundles_once() {
    check("bundles", &[("tool:1", &[TOOL]), ("other:1", &["f0755 other other"])]);
}

#[test]
fn containers_run_as_each_other_by_name() {
    check("uids", &[("tool:1", &["f0755 tool tool"])]);
}

#[test]
fn a_bill_of_materials_names_files_at_every_place_they_are_at() {
    let image = |name: &str| {
        let path = format!("/bin/{name}");
        let layer = lines::archive(&format!("f bin/{name} {name}"), 1000);
        let sbom = json!({
            "SPDXID": "SPDXRef-DOCUMENT",
            "packages": [{"SPDXID": format!("SPDXRef-p-{name}"), "name": name}],
            "files": [{"SPDXID": format!("SPDXRef-f-{name}"), "fileName": path}],
            "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                "relatedSpdxElement": format!("SPDXRef-p-{name}")}],
        });
        Made::index_with(&[("amd64", Made::image("amd64", &[(Compression::None, layer)]))], &sbom)
    };
    let images = ["both", "kernel", "one"].map(|name| (format!("{name}:1"), image(name)));
    let images = images.each_ref().map(|(name, made)| (name.as_str(), made.clone()));
    check_with("sbom", &["sbom.yml"], &images, Some(Sbom::linuxkit()));
}
