//! The command `mkimage`.

use std::process::ExitCode;

fn main() -> ExitCode {
    mkimage::cli::main(std::env::args_os())
}
