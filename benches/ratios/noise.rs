//! Bytes that are the same in every run.

#[path = "../../testdata/noise.rs"]
mod generator;

pub(crate) use generator::{Noise, noise};
use std::io::Write;

/// A number below `limit`, which is small.
fn below(noise: &mut Noise, limit: usize) -> usize {
    usize::from(u16::from_le_bytes([noise.next().to_le_bytes()[2], noise.next().to_le_bytes()[4]])) % limit
}

/// Words in any order, the first ones more often.
fn text(noise: &mut Noise, words: &[String], block: &mut Vec<u8>, len: usize) {
    block.clear();
    while block.len() < len {
        let word = below(noise, words.len()) * below(noise, words.len()) / words.len();
        block.extend_from_slice(words[word].as_bytes());
    }
    block.truncate(len);
}

/// Bytes of a piece.
const PIECE: usize = 256 << 10;

/// Writes `pieces` pieces of noise and so many of text, alternating.
pub(crate) fn half_random(seed: u64, pieces: usize, out: &mut dyn Write) -> std::io::Result<()> {
    let mut noise = Noise::new(seed);
    let words: Vec<String> = (0..2048)
        .map(|_| {
            let letters = 2 + below(&mut noise, 9);
            let word: String =
                (0..letters).map(|_| char::from(b"etaoinshrdlucmfw"[below(&mut noise, 16)])).collect();
            word + " "
        })
        .collect();
    let mut block = vec![0; PIECE];
    for _ in 0..pieces {
        block.resize(PIECE, 0);
        noise.fill(&mut block);
        out.write_all(&block)?;
        text(&mut noise, &words, &mut block, PIECE);
        out.write_all(&block)?;
    }
    Ok(())
}

/// Writes `pieces` pieces of noise and so many that repeat a few bytes of it, alternating: no two are
/// the same, and none takes long to compress.
pub(crate) fn half_repeated(seed: u64, pieces: usize, out: &mut dyn Write) -> std::io::Result<()> {
    let mut noise = Noise::new(seed);
    let mut block = vec![0; PIECE];
    for _ in 0..pieces {
        noise.fill(&mut block);
        out.write_all(&block)?;
        out.write_all(&block[..64].repeat(PIECE / 64))?;
    }
    Ok(())
}
