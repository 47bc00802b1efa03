//! The command `mkimage`.

fn main() {}
