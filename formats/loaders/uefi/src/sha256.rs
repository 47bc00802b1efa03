//! SHA-256: \[FIPS 180-4\].

/// The digest of what was added so far.
pub(crate) struct Sha256 {
    state: [u32; 8],
    block: [u8; 64],
    len: u64,
}

/// \[FIPS 180-4\] §4.2.2: the first 32 bits of the fractional parts of the cube roots of the first
/// 64 primes.
const K: [u32; 64] = {
    let (mut k, mut prime, mut n) = ([0; 64], 2u128, 0);
    while n < 64 {
        let (mut divisor, mut is_prime) = (2, true);
        while divisor * divisor <= prime {
            is_prime &= !prime.is_multiple_of(divisor);
            divisor += 1;
        }
        if is_prime {
            k[n] = root(prime << 96, 3);
            n += 1;
        }
        prime += 1;
    }
    k
};

/// §5.3.3: the same of the square roots of the first eight primes.
const START: [u32; 8] = {
    let (primes, mut h, mut n) = ([2u128, 3, 5, 7, 11, 13, 17, 19], [0; 8], 0);
    while n < 8 {
        h[n] = root(primes[n] << 64, 2);
        n += 1;
    }
    h
};

/// The low 32 bits of the `power`th root of `of`, rounded down.
const fn root(of: u128, power: u32) -> u32 {
    let (mut low, mut high) = (0u128, 1u128 << 38);
    if power == 3 {
        high = 1 << 36;
    }
    while high - low > 1 {
        let middle = (low + high) / 2;
        if middle.pow(power) <= of {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low & 0xffff_ffff) as u32
}

impl Sha256 {
    pub(crate) const fn new() -> Self {
        Sha256 { state: START, block: [0; 64], len: 0 }
    }

    pub(crate) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let at = (self.len % 64) as usize;
            let (now, later) = bytes.split_at(bytes.len().min(64 - at));
            self.block[at..at + now.len()].copy_from_slice(now);
            self.len += now.len() as u64;
            bytes = later;
            if self.len.is_multiple_of(64) {
                self.compress();
            }
        }
    }

    pub(crate) fn finish(mut self) -> [u8; 32] {
        let bits = self.len * 8;
        self.add(&[0x80]);
        while self.len % 64 != 56 {
            self.add(&[0]);
        }
        self.add(&bits.to_be_bytes());
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }

    /// §6.2.2.
    fn compress(&mut self) {
        let mut w = [0u32; 64];
        for (word, bytes) in w.iter_mut().zip(self.block.chunks_exact(4)) {
            *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for t in 16..64 {
            let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
            let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
            w[t] = w[t - 16].wrapping_add(s0).wrapping_add(w[t - 7]).wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = self.state;
        for (k, w) in K.iter().zip(w) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = (e & f) ^ (!e & g);
            let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(*k).wrapping_add(w);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let t2 = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
        }
        for (word, v) in self.state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = word.wrapping_add(v);
        }
    }
}
