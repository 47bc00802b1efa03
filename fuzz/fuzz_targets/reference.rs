//! Image references: what is accepted has a registry, a repository and a name in the cache.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mkimage::oci::Reference;

fuzz_target!(|text: &str| {
    let Ok(reference) = text.parse::<Reference>() else { return };
    assert!(!reference.registry().is_empty() && !reference.repository().is_empty());
    assert!(!reference.cache_name().is_empty());
});
