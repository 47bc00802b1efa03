//! Bytes that are the same in every run.

use std::io::Write;

/// Marsaglia's xorshift64.
pub(crate) struct Noise(u64);

impl Noise {
    /// Noise that differs for each `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Noise(0x9e37_79b9_7f4a_7c15 ^ seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Fills `block`, whose length is a multiple of 8, with what nothing compresses.
    pub(crate) fn fill(&mut self, block: &mut [u8]) {
        block.chunks_exact_mut(8).for_each(|word| word.copy_from_slice(&self.next().to_le_bytes()));
    }

    /// A number below `limit`, which is small.
    fn below(&mut self, limit: usize) -> usize {
        usize::from(u16::from_le_bytes([self.next().to_le_bytes()[2], self.next().to_le_bytes()[4]])) % limit
    }

    /// Words in any order, the first ones more often.
    fn text(&mut self, words: &[String], block: &mut Vec<u8>, len: usize) {
        block.clear();
        while block.len() < len {
            let word = self.below(words.len()) * self.below(words.len()) / words.len();
            block.extend_from_slice(words[word].as_bytes());
        }
        block.truncate(len);
    }
}

/// Bytes of a piece.
const PIECE: usize = 256 << 10;

/// Writes `pieces` pieces of noise and so many of text, alternating.
pub(crate) fn half_random(seed: u64, pieces: usize, out: &mut dyn Write) -> std::io::Result<()> {
    let mut noise = Noise::new(seed);
    let words: Vec<String> = (0..2048)
        .map(|_| {
            let letters = 2 + noise.below(9);
            let word: String =
                (0..letters).map(|_| char::from(b"etaoinshrdlucmfw"[noise.below(16)])).collect();
            word + " "
        })
        .collect();
    let mut block = vec![0; PIECE];
    for _ in 0..pieces {
        block.resize(PIECE, 0);
        noise.fill(&mut block);
        out.write_all(&block)?;
        noise.text(&words, &mut block, PIECE);
        out.write_all(&block)?;
    }
    Ok(())
}
