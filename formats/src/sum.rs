//! Digests of contents.

use sha2::Digest;
use std::io::{self, Write};

/// A digest that is written to.
pub(crate) struct Sum<D>(pub(crate) D);

impl<D: Digest> Write for Sum<D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
