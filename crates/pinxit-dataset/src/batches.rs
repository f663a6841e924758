//! Which pictures are seen when: a pure function of seed and position.
//!
//! Nothing is drawn from a stream, so a run resumes exactly from one number, and two runs with one seed see the same pictures in
//! the same order whatever else they do.

use crate::dataset::Dataset;
use crate::format::Split;

/// The endless order in which pictures of one side of the split are seen.
#[derive(Debug, Clone)]
pub struct Batches {
    seed: u64,
    draw: Draw,
}

#[derive(Debug, Clone)]
enum Draw {
    /// Every picture once an epoch, each epoch in another order.
    Shuffle { pool: Vec<u32> },
    /// Independent draws: first a class by weight, then one of its pictures.
    Balanced { members: Vec<Vec<u32>>, cumulative: Vec<f64> },
}

impl Batches {
    /// The order over `split` of `dataset`.
    ///
    /// `balance` in 0..=1 weighs a picture by `count^-balance` of its class: 0 sees every picture equally often (a shuffled pass an
    /// epoch), 1 sees every class equally often (independent draws). Unlabelled pictures count as one class.
    #[must_use]
    pub fn new(dataset: &Dataset, seed: u64, balance: f64, split: Split) -> Self {
        let pool = match split {
            Split::Train => dataset.train(),
            Split::HeldOut => dataset.held_out(),
        };
        let labels: Vec<Option<u32>> = pool.iter().map(|&i| dataset.class(i as usize)).collect();
        Self::over(pool.to_vec(), &labels, seed, balance)
    }

    /// The order over `pool`, whose classes are `labels`, entry by entry. See [`Batches::new`].
    #[must_use]
    pub fn over(pool: Vec<u32>, labels: &[Option<u32>], seed: u64, balance: f64) -> Self {
        let mut members: std::collections::BTreeMap<Option<u32>, Vec<u32>> = std::collections::BTreeMap::new();
        for (&index, &label) in pool.iter().zip(labels) {
            members.entry(label).or_default().push(index);
        }
        // NaN and negative values fall back to plain shuffling as well.
        if balance.is_nan() || balance <= 0.0 || members.len() < 2 {
            return Self { seed, draw: Draw::Shuffle { pool } };
        }
        let mut total = 0.0;
        let cumulative = members
            .values()
            .map(|m| {
                total += (m.len() as f64).powf(1.0 - balance.min(1.0));
                total
            })
            .collect();
        Self { seed, draw: Draw::Balanced { members: members.into_values().collect(), cumulative } }
    }

    /// Pictures in one epoch.
    #[must_use]
    pub fn epoch_len(&self) -> usize {
        match &self.draw {
            Draw::Shuffle { pool } => pool.len(),
            Draw::Balanced { members, .. } => members.iter().map(Vec::len).sum(),
        }
    }

    /// The `n` pictures that follow after `position` pictures have been seen.
    ///
    /// `indices(p, a + b)` equals `indices(p, a)` followed by `indices(p + a, b)`. Empty if the pool is.
    #[must_use]
    pub fn indices(&self, position: u64, n: usize) -> Vec<u32> {
        if self.epoch_len() == 0 {
            return Vec::new();
        }
        (0..n as u64).map(|i| self.at(position + i)).collect()
    }

    fn at(&self, position: u64) -> u32 {
        match &self.draw {
            Draw::Shuffle { pool } => {
                let len = pool.len() as u64;
                let key = mix(self.seed ^ mix(position / len));
                pool[permute(position % len, len, key) as usize]
            }
            Draw::Balanced { members, cumulative } => {
                let r = mix(self.seed ^ mix(position));
                let total = cumulative.last().copied().unwrap_or(0.0);
                let x = unit(r) * total;
                let class = cumulative.partition_point(|&c| c <= x).min(members.len() - 1);
                let m = &members[class];
                m[(unit(mix(r)) * m.len() as f64) as usize]
            }
        }
    }
}

/// SplitMix64's step and finaliser: a good 64-bit hash of a counter (Steele et al. 2014, "Fast splittable pseudorandom number generators").
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The top 53 bits as a number in 0..1.
pub(crate) fn unit(x: u64) -> f64 {
    (x >> 11) as f64 / (1u64 << 53) as f64
}

/// A keyed bijection of 0..len: a Feistel network over the next even power of two, walked until it lands inside
/// (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"). At most 4 tries on average.
fn permute(index: u64, len: u64, key: u64) -> u64 {
    let half = (64 - len.saturating_sub(1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1u64 << half) - 1;
    let mut x = index;
    loop {
        let (mut left, mut right) = (x >> half, x & mask);
        for round in 0..6u64 {
            let f = mix(key ^ mix(round << 32 ^ right)) & mask;
            (left, right) = (right, left ^ f);
        }
        x = left << half | right;
        if x < len {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_epoch_shows_each_picture_once(len in 1u32..600, seed: u64, epoch in 0u64..1000) {
            let b = Batches::over((0..len).collect(), &vec![None; len as usize], seed, 0.0);
            let mut seen = b.indices(epoch * u64::from(len), len as usize);
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..len).collect::<Vec<_>>());
        }

        #[test]
        fn position_is_all_the_state(len in 1u32..300, seed: u64, start in 0u64..1_000_000, a in 0usize..70, b in 0usize..70, balance in 0f64..1.0) {
            let labels: Vec<_> = (0..len).map(|i| Some(i % 3)).collect();
            let order = Batches::over((0..len).collect(), &labels, seed, balance);
            let mut parts = order.indices(start, a);
            parts.extend(order.indices(start + a as u64, b));
            prop_assert_eq!(order.indices(start, a + b), parts);
        }
    }

    #[test]
    fn epochs_and_seeds_differ() {
        let order = |seed| Batches::over((0..500).collect(), &[None; 500], seed, 0.0);
        assert_ne!(order(1).indices(0, 500), order(1).indices(500, 500));
        assert_ne!(order(1).indices(0, 500), order(2).indices(0, 500));
        // A shuffle leaves about one picture in place; ten would be one in 10 million.
        let fixed = order(1).indices(0, 500).iter().enumerate().filter(|(i, v)| *i == **v as usize).count();
        assert!(fixed < 10, "{fixed} of 500 pictures stayed in place");
    }

    /// One class of 900, one of 100: shares 0.9/0.1 at 0, 0.75/0.25 at 0.5 (30:10), 0.5/0.5 at 1.
    #[test]
    fn balance_moves_class_shares() {
        let labels: Vec<_> = (0..1000).map(|i| Some(u32::from(i >= 900))).collect();
        for (balance, share) in [(0.0, 0.1), (0.5, 0.25), (1.0, 0.5)] {
            let seen = Batches::over((0..1000).collect(), &labels, 7, balance).indices(0, 20_000);
            let rare = seen.iter().filter(|&&i| i >= 900).count() as f64 / 20_000.0;
            assert!((rare - share).abs() < 0.015, "balance {balance}: {rare}, expected {share}");
        }
    }

    #[test]
    fn balanced_draws_reach_every_picture() {
        let labels: Vec<_> = (0..60).map(|i| Some(u32::from(i >= 50))).collect();
        let mut seen = Batches::over((0..60).collect(), &labels, 3, 1.0).indices(0, 5_000);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 60);
    }

    #[test]
    fn empty_pool_gives_nothing() {
        assert!(Batches::over(Vec::new(), &[], 1, 0.5).indices(10, 4).is_empty());
    }
}
