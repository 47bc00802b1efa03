//! Bytes that nothing compresses, the same in every run.

/// Marsaglia's xorshift64.
pub(crate) struct Noise(u64);

impl Noise {
    /// Noise that differs for each `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Noise(0x9e37_79b9_7f4a_7c15 ^ seed)
    }

    /// Fills `block`, whose length is a multiple of 8.
    pub(crate) fn fill(&mut self, block: &mut [u8]) {
        for word in block.chunks_exact_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            word.copy_from_slice(&self.0.to_le_bytes());
        }
    }
}
