//! The specification's own files.

use super::check;

#[test]
fn files_make_their_folders_and_the_first_below_one_sets_its_permissions() {
    check("files", &[("init:1", &["d0750:9:9 etc\nd0700 keep\nf keep/x x"])]);
}
