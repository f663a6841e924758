//! The generator against its published outputs, and its numbers against their distributions.
use crate::Rng;

#[test]
fn outputs_are_those_of_the_paper() {
    // First outputs of xoshiro256++ from state 1, 2, 3, 4, as in the reference C program.
    let mut rng = Rng::from_state([1, 2, 3, 4, 0, 0]);
    let expected = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162];
    assert_eq!(std::array::from_fn(|_| rng.next_u64()), expected);
    // Splitmix64 from 1234567.
    let words = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431];
    assert_eq!(Rng::new(1234567).state()[..4], words);
}

#[test]
fn a_stored_state_goes_on_where_it_stopped() {
    let mut rng = Rng::stream(9, "latents");
    for odd in 1..6 {
        for _ in 0..odd {
            rng.normal();
        }
        let mut again = Rng::from_state(rng.state());
        let draw = |r: &mut Rng| (r.normal(), r.uniform(), r.below(10), r.normal());
        assert_eq!(draw(&mut rng), draw(&mut again));
    }
    let zero = Rng::from_state([0; 6]).next_u64();
    assert_ne!((zero, Rng::from_state([0; 6]).uniform()), (0, 0.0), "the dead state is avoided");
}

#[test]
fn streams_differ_by_purpose_and_by_seed() {
    let first = |seed, purpose| Rng::stream(seed, purpose).next_u64();
    let all = [
        first(1, "latents"),
        first(1, "augment"),
        first(2, "latents"),
        first(2, "augment"),
        first(1, ""),
        Rng::new(1).next_u64(),
    ];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    assert_eq!(first(7, "latents"), first(7, "latents"));
    // Neighbouring seeds share no pattern.
    let (mut a, mut b) = (Rng::stream(1, "x"), Rng::stream(2, "x"));
    let n = 20_000;
    let correlation: f64 = (0..n).map(|_| a.normal() * b.normal()).sum::<f64>() / n as f64;
    assert!(correlation.abs() < 0.03, "{correlation}");
}

#[test]
fn normal_numbers_are_normal() {
    let mut rng = Rng::new(2);
    let n = 100_000;
    let x: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
    let moment = |k| x.iter().map(|v: &f64| v.powi(k)).sum::<f64>() / f64::from(n);
    // Five standard errors each.
    assert!(moment(1).abs() < 0.016, "mean {}", moment(1));
    assert!((moment(2) - 1.0).abs() < 0.023, "variance {}", moment(2));
    assert!(moment(3).abs() < 0.062, "skewness {}", moment(3));
    assert!((moment(4) - 3.0).abs() < 0.16, "kurtosis {}", moment(4));
    let within = x.iter().filter(|v| v.abs() < 1.0).count() as f64 / f64::from(n);
    assert!((within - 0.6827).abs() < 0.0075, "within one deviation: {within}");
    let pairs: f64 = x.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / f64::from(n);
    assert!(pairs.abs() < 0.016, "neighbours correlate: {pairs}");
}

#[test]
fn small_numbers_are_equally_likely() {
    let mut rng = Rng::new(3);
    let mut seen = [0u32; 6];
    (0..60_000).for_each(|_| seen[rng.below(6)] += 1);
    assert!(seen.iter().all(|&c| (9_500..10_500).contains(&c)), "{seen:?}");
    // A range that does not divide 2^64 and is large enough for the bias of a plain remainder to show.
    let n = 3usize << 62;
    let low = (0..30_000).filter(|_| rng.below(n) < n / 3).count();
    assert!((9_500..10_500).contains(&low), "{low} of 30000 in the lowest third");
    assert!((0..1000).all(|_| rng.below(1) == 0));
    let u: Vec<f64> = (0..10_000).map(|_| rng.uniform()).collect();
    assert!(u.iter().all(|v| (0.0..1.0).contains(v)) && (u.iter().sum::<f64>() / 10_000.0 - 0.5).abs() < 0.015);
}

#[test]
fn shuffling_reaches_every_order_equally() {
    let mut rng = Rng::new(4);
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..24_000 {
        let mut list = [0, 1, 2, 3];
        rng.shuffle(&mut list);
        *seen.entry(list).or_insert(0) += 1;
    }
    assert!(seen.len() == 24 && seen.values().all(|c| (840..1160).contains(c)), "{seen:?}");
}
