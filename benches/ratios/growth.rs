//! What one more service costs.

use crate::inputs::Inputs;
use crate::payload::build_anew;
use crate::table::{Contender, Row, Table, Target};
use crate::{Result, noise, store};
use std::fmt::Write;

/// Images that there are.
const IMAGES: usize = 20;
/// How much more one of many images may cost than the first.
const CONSTANT: f64 = 1.1;
/// How much more than one service many of the same image may cost.
const SHARED: f64 = 2.0;

/// Against the system of one service.
pub(crate) fn services(inputs: &Inputs, table: &mut Table) -> Result<()> {
    for n in 0..IMAGES {
        let layer = layer(u64::try_from(n)? + 10)?;
        let path = inputs.once(&format!("layer-{n}.tar"), |out| Ok(out.write_all(&layer)?))?;
        store::add(inputs, &format!("bench/service-{n}:1"), &path)?;
    }
    let one = system(inputs, "one", 1, 1)?;
    for (services, images) in [(10, 10), (100, IMAGES), (100, 1)] {
        let name = format!("services-{services}-{images}");
        let many = system(inputs, &name, services, images)?;
        let what = format!("kernel+initrd, {services} services of {images} images");
        let (what, limit) = match images {
            1 => (what.replace("images", "image"), SHARED),
            _ => (what + ", per image", CONSTANT),
        };
        table.row(&Row {
            what,
            against: "one service".into(),
            ours: Contender::new(&many, || build_anew(inputs, &name)),
            theirs: Some(Contender::new(&one, || build_anew(inputs, "one"))),
            times: u32::try_from(images)?,
            // Neither may the work grow, nor what waits for the disk.
            target: Target { wall: Some(limit), cpu: Some(limit), ..Target::default() },
            ..Row::default()
        })?;
    }
    Ok(())
}

/// The initrd of a system whose services take the images in turn.
fn system(inputs: &Inputs, name: &str, services: usize, images: usize) -> Result<std::path::PathBuf> {
    let mut text = String::from("services:\n");
    for n in 0..services {
        writeln!(text, "  - name: service-{n}\n    image: bench/service-{}:1", n % images)?;
    }
    std::fs::write(inputs.at(&format!("{name}.yml")), text)?;
    Ok(inputs.at(&format!("{name}-initrd.img")))
}

/// An archive of 64 files, 8 MiB together.
fn layer(seed: u64) -> Result<Vec<u8>> {
    let mut contents = Vec::new();
    noise::half_random(seed, 16, &mut contents)?;
    let mut tar = tar::Builder::new(Vec::new());
    for (n, file) in contents.chunks(128 << 10).enumerate() {
        let mut header = tar::Header::new_ustar();
        header.set_size(file.len() as u64);
        header.set_mode(0o755);
        tar.append_data(&mut header, format!("usr/bin/program-{n}"), file)?;
    }
    Ok(tar.into_inner()?)
}
