//! The label `org.mobyproject.config` of an image that somebody else made.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mkimage::container::{Configuration, ImageDefaults};
use mkimage::spec::{Ids, Spec};

fuzz_target!(|label: &str| {
    let spec = Spec::parse("fuzz.yml", "services: [{name: a, image: \"a:b\"}]").expect("a valid file");
    let image = ImageDefaults { label: Some(label.into()), ..ImageDefaults::default() };
    // Refusing is right; only a panic is a finding.
    drop(Configuration::new(&spec.services[0], &image, &Ids::of(&spec), &spec.volumes));
});
