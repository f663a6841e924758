//! Which groups are held out: decided by a hash of each group's own name, so that pictures added later move nothing.

use std::collections::BTreeMap;

use crate::batches::unit;
use crate::format::Split;

/// The side of each group.
///
/// A group is held out when its hash with `seed` falls below `fraction`, or when a label row asked for it (`asked`, by group).
/// At least one group ends up on each side where there are two: the one with the lowest (highest) hash is moved.
pub(crate) fn sides<'a>(
    groups: impl IntoIterator<Item = &'a str>,
    asked: &BTreeMap<String, Split>,
    seed: u64,
    fraction: f64,
) -> BTreeMap<String, Split> {
    let mut place: BTreeMap<String, f64> = BTreeMap::new();
    for group in groups {
        if !place.contains_key(group) {
            place.insert(group.to_owned(), position(seed, group));
        }
    }
    // Where a label file states sides, its word stands for the groups it names and the hash decides the rest only if it names none.
    let fraction = if asked.values().any(|&s| s == Split::HeldOut) { 0.0 } else { fraction };
    let side = |(group, &x): (&String, &f64)| {
        let by_hash = if x < fraction { Split::HeldOut } else { Split::Train };
        (group.clone(), asked.get(group).copied().unwrap_or(by_hash))
    };
    let mut sides: BTreeMap<String, Split> = place.iter().map(side).collect();
    let order = |a: &&String, b: &&String| place[*a].total_cmp(&place[*b]);
    for (missing, extreme) in [(Split::HeldOut, place.keys().min_by(order)), (Split::Train, place.keys().max_by(order))] {
        if !sides.values().any(|&s| s == missing)
            && let Some(group) = extreme
        {
            sides.insert(group.clone(), missing);
        }
    }
    sides
}

/// The group's place in 0..1.
fn position(seed: u64, group: &str) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"pinxit held-out split 1\n");
    hasher.update(&seed.to_le_bytes());
    hasher.update(group.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    unit(u64::from_le_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("picture:{i}")).collect()
    }

    proptest! {
        #[test]
        fn both_sides_are_peopled(n in 2usize..80, seed: u64, fraction in 0.0f64..0.5) {
            let names = names(n);
            let sides = sides(names.iter().map(String::as_str), &BTreeMap::new(), seed, fraction);
            prop_assert_eq!(sides.len(), n);
            prop_assert!(sides.values().any(|&s| s == Split::HeldOut));
            prop_assert!(sides.values().any(|&s| s == Split::Train));
        }

        #[test]
        fn newcomers_move_nobody(n in 100usize..200, more in 1usize..100, seed: u64) {
            let all = names(n + more);
            let before = sides(all[..n].iter().map(String::as_str), &BTreeMap::new(), seed, 0.1);
            let after = sides(all.iter().map(String::as_str), &BTreeMap::new(), seed, 0.1);
            // With 100 groups at a tenth, an empty side (which alone may move one) has probability 0.9^100 = 3e-5.
            prop_assume!(before.values().filter(|&&s| s == Split::HeldOut).count() > 1);
            for (group, side) in before {
                prop_assert_eq!(after[&group], side);
            }
        }
    }

    #[test]
    fn about_a_tenth_is_held_out() {
        let names = names(10_000);
        let held =
            sides(names.iter().map(String::as_str), &BTreeMap::new(), 1, 0.1).values().filter(|&&s| s == Split::HeldOut).count();
        assert!((900..1100).contains(&held), "{held} of 10,000");
    }

    #[test]
    fn a_label_files_word_stands() {
        let names = names(50);
        let asked = BTreeMap::from([("picture:7".to_owned(), Split::HeldOut), ("picture:8".to_owned(), Split::Train)]);
        let sides = sides(names.iter().map(String::as_str), &asked, 3, 0.3);
        assert_eq!(
            sides.iter().filter(|(_, s)| **s == Split::HeldOut).map(|(g, _)| g.as_str()).collect::<Vec<_>>(),
            ["picture:7"]
        );
    }
}
