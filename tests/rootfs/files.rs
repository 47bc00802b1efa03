//! The specification's own files.

use super::check;
use super::support::fails;
use super::support::workplace::{Workplace, done, untar};

#[test]
fn files_make_their_folders_and_the_first_below_one_sets_its_permissions() {
    check("files", &[("init:1", &["d0750:9:9 etc\nd0700 keep\nf keep/x x"])]);
}

#[test]
fn sources_are_files_of_the_host_and_a_tilde_is_the_users_folder() {
    let place = Workplace::new();
    std::fs::write(place.dir.path().join("home/motd"), "mine").unwrap();
    place.write("here", "here");
    let built = |source: &str| {
        place.write("x.yml", format!("files: [{{path: f, {source}}}]"));
        place.build(&["-f", "tar", "--no-sbom", "-o", "-", "x.yml"])
    };
    for (source, want) in [
        ("source: ~/motd", Some(&b"mine"[..])),
        ("source: here", Some(b"here")),
        ("source: none, optional: true", None),
    ] {
        assert_eq!(untar(&done(&mut built(source))).get("f").map(Vec::as_slice), want, "{source}");
    }
    let said = fails(&mut built("source: ~/none"));
    let none = std::path::Path::new("home").join("none").display().to_string();
    assert!(said.contains("x.yml:1:") && said.contains(&none), "{said}");
}
