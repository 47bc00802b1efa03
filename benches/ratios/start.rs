//! What starting takes.

use crate::Result;
use crate::cost::shell;
use crate::inputs::Inputs;
use crate::table::{Contender, Row, Table, Target};
use std::path::Path;

/// How often a row starts a program: one start is too short to be measured.
const STARTS: u32 = 100;

/// What needs no image and no cache, against another program that says its version.
pub(crate) fn start(inputs: &Inputs, table: &mut Table) -> Result<()> {
    inputs
        .once("broken.yml", |out| Ok(out.write_all(b"kernel:\n  image: docker.io/x/y\n  cmd: quiet\n")?))?;
    let mkimage = env!("CARGO_BIN_EXE_mkimage");
    let again = |command: &str| shell(inputs.dir(), &format!("for i in $(seq {STARTS}); do {command}; done"));
    let starts = [
        ("`mkimage --version`", format!("{mkimage} --version")),
        ("an error in a YAML", format!("{mkimage} build broken.yml 2>&1 && exit 1 || true")),
    ];
    for (what, command) in &starts {
        let contender =
            |command| Contender { keep: true, ..Contender::new(Path::new(""), move || again(command)) };
        table.row(&Row {
            what: format!("{what}, {STARTS} times"),
            against: "`qemu-img --version`".into(),
            tools: &["qemu-img"],
            ours: contender(command),
            theirs: Some(contender("qemu-img --version")),
            is_build: false,
            target: Target { wall: Some(1.0), cpu: Some(1.0), ..Target::default() },
            ..Row::default()
        })?;
    }
    Ok(())
}
