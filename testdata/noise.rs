//! Bytes that nothing compresses, the same in every run: tests, benches and chores of every crate
//! have this file as a module.

#![allow(dead_code, reason = "each crate uses its part")]

/// Marsaglia's xorshift64.
pub(crate) struct Noise(u64);

impl Noise {
    /// Noise that differs for each `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Noise(0x9e37_79b9_7f4a_7c15 ^ seed)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Fills `block`.
    pub(crate) fn fill(&mut self, block: &mut [u8]) {
        for word in block.chunks_mut(8) {
            word.copy_from_slice(&self.next().to_le_bytes()[..word.len()]);
        }
    }
}

/// So many bytes of it.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Noise::new(0).fill(&mut bytes);
    bytes
}
