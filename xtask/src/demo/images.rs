//! The demo's container images, made of the distribution's packages and `testdata/demo`.

use crate::debian::Packages;
use crate::files::Files;
use crate::image::{Image, Packing};
use crate::kernel;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// What the guest cannot do without, where the kernel does not have it built in.
const MODULES: [&str; 3] = ["virtio_pci", "virtio_net", "overlay"];

/// Fetches the packages; `texts` is the folder with the demo's own files.
pub(crate) fn make(packages: &mut Packages, texts: &Path) -> Result<Vec<Image>> {
    let text =
        |path: &str| fs::read(texts.join(path)).with_context(|| format!("cannot read the demo's `{path}`"));
    let busybox = packages.fetch("busybox-static", &[])?;
    let mut shell = Files::default();
    shell.unpack(&busybox, |path| path == "bin/busybox")?;

    let kernel = kernel::fetch(packages, &MODULES)?;
    let mut modules = Files::default();
    for (path, data) in kernel.modules {
        modules.file(path, 0o644, data);
    }
    let mut parts = Files::default();
    parts.file("kernel", 0o644, kernel.image);
    parts.file("kernel.tar", 0o644, modules.tar()?);

    let jq = packages.fetch("jq", &["lib"])?;
    let mut init = Files::default();
    init.unpack(&busybox, |path| path == "bin/busybox")?;
    for name in INIT_APPLETS.split_whitespace() {
        init.link(format!("bin/{name}"), "busybox");
    }
    init.unpack(&jq, |path| path == "bin/jq")?;
    init.libraries(&jq)?;
    for (path, source) in [("init", "init/init"), ("etc/rc", "init/rc"), ("usr/bin/service", "init/service")]
    {
        init.file(path, 0o755, text(source)?);
    }
    init.file("etc/inittab", 0o644, text("init/inittab")?);
    init.link("sbin/init", "../bin/busybox");
    init.link("sbin/reboot", "../bin/busybox");

    let runc = packages.fetch("runc", &["lib"])?;
    let mut runner = Files::default();
    runner.unpack(&runc, |path| path == "sbin/runc")?;
    runner.libraries(&runc)?;
    runner.link("bin/runc", "../sbin/runc");

    let mut tools = Files::default();
    for name in CONTAINER_APPLETS.split_whitespace() {
        tools.link(format!("bin/{name}"), "busybox");
    }
    for name in ["report", "dhcp-bound", "write-page"] {
        tools.file(format!("bin/{name}"), 0o755, text(&format!("tools/{name}"))?);
    }
    let mut base = Files::default();
    base.unpack(&busybox, |path| path == "bin/busybox")?;

    let lighttpd = packages.fetch("lighttpd", &["lib"])?;
    let mut web = Files::default();
    web.unpack(&lighttpd, |path| path == "sbin/lighttpd" || path.starts_with("lib/lighttpd/"))?;
    web.libraries(&lighttpd)?;
    // Where the program looks for its modules.
    web.link("usr/lib", "../lib");
    for name in CONTAINER_APPLETS.split_whitespace() {
        web.link(format!("bin/{name}"), "busybox");
    }
    web.file("bin/report", 0o755, text("tools/report")?);
    // Bound over; runc makes no mount point in a read-only root.
    web.file("etc/lighttpd/lighttpd.conf", 0o644, "");
    web.file("var/www/index.html", 0o644, "");
    web.file("var/cache/lighttpd/.keep", 0o644, "");
    let label = String::from_utf8(text("web/label.json")?)?;

    Ok(vec![
        image("demo.example/kernel:amd64", vec![(parts, Packing::Gzip)], json!({})),
        image("demo.example/init:amd64", vec![(init, Packing::Zstd)], json!({})),
        image("demo.example/runc:amd64", vec![(runner, Packing::Gzip)], json!({})),
        image(
            "demo.example/tools:amd64",
            vec![(base, Packing::Plain), (tools, Packing::Gzip)],
            json!({ "Env": ["PATH=/bin"] }),
        ),
        image(
            "demo.example/lighttpd:amd64",
            vec![(shell, Packing::Gzip), (web, Packing::Zstd)],
            json!({
                "Env": ["PATH=/bin:/sbin"],
                "Entrypoint": ["/bin/report", "web"],
                "Cmd": ["lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"],
                "WorkingDir": "/var/www",
                "Labels": { "org.mobyproject.config": label },
            }),
        ),
    ])
}

fn image(reference: &'static str, layers: Vec<(Files, Packing)>, config: Value) -> Image {
    Image { reference, layers, config }
}

/// What the scripts of the init image call.
const INIT_APPLETS: &str =
    "cat cp depmod echo ip ln ls mkdir modprobe mount readlink reboot sed sh switch_root tr";

/// What the scripts of the containers call.
const CONTAINER_APPLETS: &str = "cat grep hostname id ip ls readlink sh udhcpc uname";
