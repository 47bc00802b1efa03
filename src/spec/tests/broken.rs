//! Every file of `testdata/specs/broken` gets the message beside it.

use super::{folder, golden};
use crate::container::{Configuration, ImageDefaults};
use crate::spec::{Ids, Spec};
use std::path::Path;

/// What is said about a file: a specification (`.yml`), or the label of an image (`.label`).
fn complaint(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    let bytes = std::fs::read(path).unwrap();
    let result = if name.ends_with(".label") {
        let spec = Spec::parse("test.yml", "services: [{name: web, image: example/web:1}]").unwrap();
        let image = ImageDefaults { label: String::from_utf8(bytes).ok(), ..ImageDefaults::default() };
        Configuration::new(&spec.services[0], &image, &Ids::of(&spec), &spec.volumes).map(|_| ())
    } else {
        Spec::parse_bytes(name, &bytes).and_then(|spec| spec.check())
    };
    result.expect_err(name).to_string() + "\n"
}

#[test]
fn every_broken_file_gets_its_message() {
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder("broken")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension != "err") {
            count += 1;
            failures.extend(golden(&path.with_extension("err"), &complaint(&path)).err());
        }
    }
    assert!(failures.is_empty(), "{}", failures.concat());
    assert!(count >= 40, "only {count} broken files");
}

#[test]
fn ten_thousand_levels_are_told_and_do_not_overflow_the_stack() {
    for text in ["[".repeat(10_000), "{a: ".repeat(10_000), "- ".repeat(10_000), "? ".repeat(10_000)] {
        let error = Spec::parse("deep.yml", &text).unwrap_err().to_string();
        assert!(error.contains("more than 64 lists and mappings inside each other"), "{error}");
    }
}

#[test]
fn aliases_cannot_stack_levels_that_overflow_the_stack() {
    let mut text = String::from("a0: &a0 [x]\n");
    for i in 1..20_000 {
        text += &format!("a{i}: &a{i} [*a{}]\n", i - 1);
    }
    assert!(Spec::parse("chain.yml", &text).is_err());
}

#[test]
fn a_hundred_errors_are_shown_and_the_others_counted() {
    let errors = Spec::parse("many.yml", &format!("init: [{}]", "1, ".repeat(150))).unwrap_err();
    assert_eq!(errors.as_slice().len(), 150);
    let shown = errors.to_string();
    assert_eq!(shown.matches("many.yml:1:").count(), 100);
    assert!(shown.ends_with("\nand 50 more"), "{shown}");
}

#[test]
fn errors_are_in_the_order_of_their_places() {
    let text =
        "volumes: [{name: A}]\nservices: [{name: a, image: i, binds: [x]}]\nkernal: {}\nkernel: {imag: x}\n";
    let errors = Spec::parse("order.yml", text).unwrap_err();
    let lines: Vec<usize> = errors.as_slice().iter().map(|error| error.place.line()).collect();
    assert_eq!(lines, [1, 2, 3, 4]);
}
