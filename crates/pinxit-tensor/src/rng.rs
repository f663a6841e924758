//! Random numbers that are the same on every machine: xoshiro256++ (Blackman and Vigna 2019), seeded by splitmix64.
use crate::{Real, Tensor};

/// A generator. Its whole state is six numbers, so a run can go on exactly where it stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Rng {
    words: [u64; 4],
    /// The second of a pair of normal numbers, not yet handed out.
    spare: Option<f64>,
}

/// The next number of a splitmix64 sequence.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// From any seed.
    pub fn new(seed: u64) -> Self {
        let mut s = seed;
        Rng { words: std::array::from_fn(|_| splitmix(&mut s)), spare: None }
    }

    /// A generator of its own for each purpose: drawing more numbers for one never shifts those of another.
    pub fn stream(seed: u64, purpose: &str) -> Self {
        // FNV-1a of the purpose, then mixed with the seed.
        let name = purpose.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let mut mixed = seed;
        Rng::new(splitmix(&mut mixed) ^ name)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.words;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal, by Marsaglia's polar method.
    pub fn normal(&mut self) -> f64 {
        if let Some(v) = self.spare.take() {
            return v;
        }
        loop {
            let (a, b) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let r = a * a + b * b;
            if r > 0.0 && r < 1.0 {
                let k = (-2.0 * r.ln() / r).sqrt();
                self.spare = Some(b * k);
                return a * k;
            }
        }
    }

    /// Uniform in `0..n`, every value equally likely. `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "no number lies below 0");
        let n = n as u64;
        // Lemire 2019: the few products that would favour some values are drawn again.
        let unfair = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= unfair {
                return (product >> 64) as usize;
            }
        }
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Every order equally likely.
    pub fn shuffle<E>(&mut self, list: &mut [E]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }

    /// Standard normal numbers.
    pub fn normal_tensor<T: Real>(&mut self, shape: &[usize]) -> Tensor<T> {
        Tensor::from_fn(shape, |_| T::of(self.normal()))
    }

    /// The whole state, to be stored.
    pub fn state(&self) -> [u64; 6] {
        let [a, b, c, d] = self.words;
        [a, b, c, d, u64::from(self.spare.is_some()), self.spare.unwrap_or(0.0).to_bits()]
    }

    /// From a stored state.
    pub fn from_state(state: [u64; 6]) -> Self {
        let [a, b, c, d, has_spare, spare] = state;
        // All zeros is the one state the generator never leaves.
        let words = if (a | b | c | d) == 0 { Rng::new(0).words } else { [a, b, c, d] };
        Rng { words, spare: (has_spare != 0).then(|| f64::from_bits(spare)) }
    }
}
