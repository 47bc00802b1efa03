//! How YAML becomes a specification.

use crate::spec::{FileContent, Ids, Spec};

fn spec(text: &str) -> Spec {
    Spec::parse("test.yml", text).unwrap()
}

fn command(text: &str) -> Vec<String> {
    let spec = spec(text);
    let command = spec.services.last().and_then(|service| service.config.command.as_ref());
    command.unwrap().iter().map(|word| word.value.clone()).collect()
}

#[test]
fn places_are_counted_from_one_and_in_characters() {
    let spec = spec("# é\nkernel: {cmdline: é, image: a}\n");
    let image = spec.kernel.image.unwrap();
    assert_eq!(
        (image.place.to_string(), image.place.source_line()),
        ("test.yml:2:29".to_owned(), "kernel: {cmdline: é, image: a}")
    );
}

#[test]
fn aliases_and_merge_keys_repeat_what_they_name() {
    let base = "services:\n- &base {name: a, image: i, command: [x], env: [A=1]}\n";
    assert_eq!(command(&format!("{base}- {{<<: *base, name: b}}\n")), ["x"]);
    assert_eq!(command(&format!("{base}- {{name: b, command: [y], <<: *base}}\n")), ["y"]);
    assert_eq!(command(&format!("{base}- {{<<: [{{name: b, command: [z]}}, *base]}}\n")), ["z"]);
    assert_eq!(
        command("services: [{name: a, image: i, command: &c [x, &w y]}, {name: b, image: *w, command: *c}]"),
        ["x", "y"]
    );
}

#[test]
fn line_ends_a_byte_order_mark_and_json_are_all_the_same() {
    let expected = spec("kernel:\n  image: a\ninit:\n- b\n");
    for text in [
        "kernel:\r\n  image: a\r\ninit:\r\n- b\r\n",
        "\u{feff}kernel:\n  image: a\ninit: [b]",
        "{\n\t\"kernel\": {\"image\": \"a\"},\n\t\"init\": [\n\t\t\"b\"\n\t]\n}\n",
        "---\nkernel: {image: a}\ninit: [b]\n...\n",
        "%YAML 1.2\n---\nkernel: {image: !!str a}\ninit: [b]\n---\n",
    ] {
        assert_eq!(spec(text), expected, "{text:?}");
    }
}

#[test]
fn trust_is_accepted_and_means_nothing() {
    let text = "init: [a]\n";
    assert_eq!(spec(&format!("{text}trust: {{image: [a], org: [b]}}\n")), spec(text));
}

#[test]
fn text_in_quotes_stays_text() {
    assert_eq!(
        command("services: [{name: a, image: i, command: ['1', \"true\", '', \"a\\tb\", ! 5]}]"),
        ["1", "true", "", "a\tb", "5"]
    );
}

#[test]
fn files_are_for_their_owner_unless_a_mode_is_given() {
    let spec = spec(
        "files: [{path: /a/b, contents: ''}, {path: //c, directory: true}, {path: d, symlink: e, mode: '4755'}]",
    );
    let entries: Vec<_> = spec.files.iter().map(|file| file.resolve(&Ids::default()).unwrap()).collect();
    let found: Vec<_> = entries.iter().map(|entry| (entry.path, entry.mode, &entry.content)).collect();
    let expected = [
        ("a/b", 0o600, &FileContent::Contents("")),
        ("/c", 0o700, &FileContent::Directory),
        ("d", 0o4755, &FileContent::Symlink("e")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn keys_of_the_specification_are_known_in_one_spelling_only() {
    let error =
        Spec::parse("test.yml", "services: [{name: a, image: i, maskedpaths: [x]}]").unwrap_err().to_string();
    assert!(error.contains("did you mean `maskedPaths`?"), "{error}");
}

#[test]
fn packages_are_told_wherever_they_are() {
    for text in ["'@pkg:x': 1", "files: [{path: a, contents: '@pkg:x'}]", "init: [&a '@pkg:x', *a]"] {
        let error = Spec::parse("test.yml", text).unwrap_err().to_string();
        assert!(error.contains("`@pkg:x`: building packages is not supported yet"), "{error}");
    }
}
