//! No text makes the reader panic, and what is written can be read again.

use crate::container::{Configuration, ImageDefaults};
use crate::spec::{Ids, MetadataFormat, Spec};
use proptest::prelude::*;

const COMPLETE: &str = include_str!("../../../testdata/specs/complete/complete.yml");

/// Reads `text` as a specification and as a label, and shows what is wrong with it.
fn read(text: &str) {
    let spec = Spec::parse("noise.yml", text).inspect_err(|errors| assert!(!errors.to_string().is_empty()));
    if let Ok(spec) = spec {
        let image = ImageDefaults { label: Some(text.to_owned()), ..ImageDefaults::default() };
        let ids = Ids::of(&spec);
        for container in spec.containers() {
            let _ = Configuration::new(container, &image, &ids, &spec.volumes).map_err(|e| e.to_string());
        }
        let _ = spec.check().map_err(|errors| errors.to_string());
    }
}

/// Text of the characters that mean something in YAML, and some that may not be there.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z]{1,4}",
        4 => prop::sample::select(vec![
            ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", ", ", "\"", "'", "&a ", "*a", "<<: ", "|\n", ">\n", "!!str ", "!x ",
            "#", "? ", "---\n", "...\n", "%", "@pkg:", "\t", "\r", "\u{0}", "\u{feff}", "é", "\\", "0644", "~", "true",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "kernel: ", "init: ", "services: ", "- name: ", "image: ", "files: ", "path: ", "binds: ", "uid: ", "mode: ",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Spec::parse_bytes("noise.yml", &bytes).map_err(|errors| errors.to_string());
    }

    #[test]
    fn yaml_like_text_is_read_or_refused(text in yaml_like()) {
        read(&text);
    }

    #[test]
    fn a_changed_specification_is_read_or_refused(
        at in 0..COMPLETE.len(),
        cut in 0..20_usize,
        put in yaml_like(),
    ) {
        let at = (0..=at).rev().find(|i| COMPLETE.is_char_boundary(*i)).unwrap_or(0);
        let end = (at + cut..=COMPLETE.len()).find(|i| COMPLETE.is_char_boundary(*i)).unwrap_or(COMPLETE.len());
        read(&[&COMPLETE[..at], &put, &COMPLETE[end..]].concat());
    }

    #[test]
    fn what_is_written_reads_as_the_same(texts in prop::collection::vec("[ -~\\n\\té🦀\u{1}\u{85}\u{2028}]{0,12}", 4)) {
        let mut spec = Spec::parse("a.yml", COMPLETE).unwrap();
        spec.kernel.cmdline.as_mut().unwrap().value = format!("x{}", texts[0]);
        spec.init[0].value = texts[1].clone();
        spec.files[0].contents.as_mut().unwrap().value = texts[2].clone();
        if let Some(sysctl) = spec.services[0].config.sysctl.as_mut() {
            sysctl.insert(texts[3].clone(), texts[0].clone());
        }
        let yaml = spec.to_yaml();
        prop_assume!(!yaml.contains("@pkg:"));
        prop_assert_eq!(&Spec::parse("b.yml", &yaml).map_err(|e| e.to_string()).unwrap(), &spec, "{}", yaml);
        let narrow = spec.metadata(MetadataFormat::Yaml, str::to_owned);
        prop_assert_eq!(&Spec::parse("c.yml", &narrow).map_err(|e| e.to_string()).unwrap(), &spec, "{}", narrow);
    }
}
