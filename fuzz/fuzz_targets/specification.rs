//! YAML files: bytes that become a specification must give ids and a bundle's files too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mkimage::container::{Configuration, ImageDefaults};
use mkimage::spec::{Ids, Spec};

fuzz_target!(|bytes: &[u8]| {
    let Ok(spec) = Spec::parse_bytes("fuzz.yml", bytes) else { return };
    let ids = Ids::of(&spec);
    for container in spec.onboot.iter().chain(&spec.onshutdown).chain(&spec.services) {
        // Refusing is right; only a panic is a finding.
        drop(Configuration::new(container, &ImageDefaults::default(), &ids, &spec.volumes));
    }
});
