//! The boot code of mkimage, as bytes.
