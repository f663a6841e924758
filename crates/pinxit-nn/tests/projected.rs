//! Features and heads of the projected discriminator against finite differences; spectral norm; batch deviation.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
mod common;

use common::{check_gradient, dot, shaken, slope};
use pinxit_nn::{FeatureNet, Labels, ProjectedConfig, ProjectedDiscriminator, View, Weights};
use pinxit_tensor::{Array, Rng, Tape, Tensor, Var, backward, grad};

fn small(minibatch_std: usize) -> ProjectedDiscriminator {
    let base = ProjectedConfig::new((32, 32), 3, 2);
    let config = ProjectedConfig { mix: 4, channels: 5, embed: 6, pixels: true, minibatch_std, words: 3, ..base };
    ProjectedDiscriminator::new(config, FeatureNet::shipped().unwrap()).unwrap()
}

fn labels() -> Labels {
    Labels { words: vec![vec![], vec![0, 1]], ..Labels::new(vec![0, 3], vec![2, 1]) }
}

/// Sum of squares of all scores.
fn energy<A: Array>(maps: &[A]) -> A {
    let parts: Vec<A> = maps.iter().map(|m| m.square().mean().reshape(&[1])).collect();
    A::concat(&parts, 0).sum()
}

fn check_heads(d: &ProjectedDiscriminator) {
    let w = shaken(&d.init(1), 0.1, 2);
    let state = d.spectral_init(&w, 3);
    let x: Tensor<f64> = Rng::new(4).normal_tensor(&[2, 32, 32, 3]).scale(0.5);
    let features = d.features(&d.frozen().cast::<f64>().eager(), &x, &View::Whole);
    let tape = Tape::new();
    let p = w.bind(|_, t| tape.leaf(t.clone()));
    let features_c: Vec<_> = features.iter().map(|f| tape.constant(f.clone())).collect();
    let loss = energy(&d.heads(&d.normalized(&p, &state), &features_c, &labels()));
    let grads = p.named(backward(&[(&loss, Tensor::full(&[1], 1.0))], &p.values()));
    check_gradient(&w, &grads, 1e-5, |w| energy(&d.heads(&d.normalized(&w.eager(), &state), &features, &labels())).item());
}

#[test]
fn gradient_of_the_heads_equals_finite_differences() {
    check_heads(&small(0));
}

#[test]
fn gradient_through_the_batch_deviation_equals_finite_differences() {
    check_heads(&small(2));
}

/// Pictures of another size than the features', so that the resize is part of what is checked.
#[test]
fn input_gradient_through_frozen_features_equals_finite_differences() {
    check_input_gradient((24, 40), &View::Whole);
}

#[test]
fn input_gradient_through_windows_equals_finite_differences() {
    check_input_gradient((40, 48), &View::Windows(vec![(0, 16), (8, 3)]));
}

#[test]
fn from_near_the_features_are_those_of_the_window() {
    let d = small(0);
    let frozen = d.frozen().eager();
    let x: Tensor = Rng::new(5).normal_tensor(&[2, 40, 48, 3]);
    let seen = d.features(&frozen, &x, &View::Windows(vec![(0, 16), (8, 3)]));
    let (height, width) = d.config.feature_size;
    let cut = |i, top, left| x.narrow(0, i, 1).narrow(1, top, height).narrow(2, left, width);
    let windows = Tensor::concat(&[cut(0, 0, 16), cut(1, 8, 3)], 0);
    // The last is the picture itself, seen whole in any view.
    for (a, b) in seen.iter().zip(&d.features(&frozen, &windows, &View::Whole)).take(4) {
        assert_eq!(a.data(), b.data());
    }
}

fn check_input_gradient((height, width): (usize, usize), view: &View) {
    let d = small(0);
    let w = shaken(&d.init(1), 0.1, 2);
    let state = d.spectral_init(&w, 3);
    let frozen = d.frozen().cast::<f64>();
    let x: Tensor<f64> = Rng::new(5).normal_tensor(&[2, height, width, 3]).scale(0.5);
    let tape = Tape::new();
    let leaf = tape.leaf(x.clone());
    let bound = frozen.bind(|_, t| tape.constant(t.clone()));
    let heads = d.normalized(&w.bind(|_, t| tape.constant(t.clone())), &state);
    let loss = energy(&d.heads(&heads, &d.features(&bound, &leaf, view), &labels()));
    let grad = backward(&[(&loss, Tensor::full(&[1], 1.0))], &[&leaf]).remove(0);
    let (frozen, heads) = (frozen.eager(), d.normalized(&w.eager(), &state));
    let value = |x: Tensor<f64>| energy(&d.heads(&heads, &d.features(&frozen, &x, view), &labels())).item();
    for seed in 0..4 {
        let direction = Rng::new(seed).normal_tensor(x.shape());
        let (numeric, analytic) = (slope(&x, &direction, value), dot(&grad, &direction));
        assert!((numeric - analytic).abs() < 1e-5 * dot(&grad, &grad).sqrt(), "{analytic} but {numeric} by differences");
    }
}

#[test]
fn spectral_norm_leaves_the_largest_singular_value_at_one() {
    let d = small(0);
    let w = d.init(1).cast::<f64>();
    let mut state = d.spectral_init(&w, 3);
    (0..200).for_each(|_| d.spectral_step(&w, &mut state));
    let p = d.normalized(&w.eager(), &state);
    let weight = p.get("head.0.down.0.weight");
    let [rows, cols] = [4 * 4 * 4, 5];
    let m = weight.reshape(&[rows, cols]);
    // The longest image of many unit vectors: power iteration of its own.
    let mut u: Tensor<f64> = Rng::new(9).normal_tensor(&[1, cols]);
    let mut largest = 0.0;
    for _ in 0..300 {
        u = u.scale(1.0 / dot(&u, &u).sqrt());
        let image = u.matmul(&m, false, true);
        largest = dot(&image, &image).sqrt();
        u = image.matmul(&m, false, false);
    }
    assert!((largest - 1.0).abs() < 1e-6, "{largest}");
}

#[test]
fn batch_deviation_sees_identical_pictures() {
    let d = small(2);
    let w = d.init(1).cast::<f64>();
    let p = d.normalized(&w.eager(), &d.spectral_init(&w, 3));
    let frozen = d.frozen().cast::<f64>().eager();
    let one: Tensor<f64> = Rng::new(6).normal_tensor(&[1, 32, 32, 3]).scale(0.5);
    let other: Tensor<f64> = Rng::new(7).normal_tensor(&[1, 32, 32, 3]).scale(0.5);
    let labels = Labels::none(2, 3, 2);
    let score = |pair: [Tensor<f64>; 2]| {
        d.heads(&p, &d.features(&frozen, &Tensor::concat(&pair, 0), &View::Whole), &labels)[0].narrow(0, 0, 1)
    };
    assert_ne!(score([one.clone(), one.clone()]), score([one.clone(), other.clone()]), "its neighbour changes a picture's score");
    let (plain, q) = (small(0), small(0).init(1).cast::<f64>());
    let p = plain.normalized(&q.eager(), &plain.spectral_init(&q, 3));
    let score = |pair: [Tensor<f64>; 2]| {
        plain.heads(&p, &plain.features(&frozen, &Tensor::concat(&pair, 0), &View::Whole), &labels)[0].narrow(0, 0, 1)
    };
    let (alone, beside) = (score([one.clone(), one.clone()]), score([one, other]));
    assert!(common::relative(&alone, &beside) < 1e-12, "without the channel it does not");
}

/// What training without spectral norm needs: the squared gradient of the scores in the features, differentiated in the heads.
#[test]
fn penalty_on_the_feature_gradient_equals_finite_differences() {
    let d = small(2);
    let w = shaken(&d.init(1), 0.1, 2);
    let x: Tensor<f64> = Rng::new(4).normal_tensor(&[2, 32, 32, 3]).scale(0.5);
    let features = d.features(&d.frozen().cast::<f64>().eager(), &x, &View::Whole);
    let penalty = |w: &Weights<f64>| {
        let tape = Tape::new();
        let p = w.bind(|_, t| tape.leaf(t.clone()));
        let leaves: Vec<_> = features.iter().map(|f| tape.leaf(f.clone())).collect();
        let scores = d.heads(&p, &leaves, &labels());
        let sums: Vec<_> = scores.iter().map(|s| s.sum().reshape(&[1])).collect();
        let slopes = grad(&Var::concat(&sums, 0).sum(), &leaves.iter().collect::<Vec<_>>());
        let squares: Vec<_> = slopes.iter().map(|g| g.square().sum().reshape(&[1])).collect();
        let total = Var::concat(&squares, 0).sum();
        let grads = p.named(backward(&[(&total, Tensor::full(&[1], 1.0))], &p.values()));
        (total.tensor().item(), grads)
    };
    let (_, grads) = penalty(&w);
    // Biases of the last layer move scores, not slopes; those of the first move them so little that differences drown it.
    let with: Weights<f64> =
        w.iter().filter(|(n, _)| dot(grads.get(n), grads.get(n)) > 1e-7).map(|(n, t)| (n.clone(), t.clone())).collect();
    assert!(with.len() > w.len() / 2);
    check_gradient(&with, &grads, 1e-5, |some| {
        let mut all = w.clone();
        some.iter().for_each(|(n, t)| all.insert(n.clone(), t.clone()));
        penalty(&all).0
    });
}

#[test]
fn rectangles_and_other_sizes_give_score_maps() {
    for (size, first) in [((64, 96), [4, 6]), ((96, 96), [3, 3]), ((128, 128), [4, 4])] {
        let config = ProjectedConfig { mix: 4, channels: 4, embed: 4, pixels: true, ..ProjectedConfig::new(size, 0, 0) };
        let d = ProjectedDiscriminator::new(config, FeatureNet::shipped().unwrap()).unwrap();
        let w = d.init(0);
        let p = d.normalized(&w.eager(), &d.spectral_init(&w, 0));
        let x = Tensor::zeros(&[1, size.0, size.1, 3]);
        let maps = d.heads(&p, &d.features(&d.frozen().eager(), &x, &View::Whole), &Labels::none(1, 0, 0));
        assert_eq!((maps.len(), d.head_count()), (5, 5));
        for k in [0, 4] {
            assert_eq!(maps[k].shape(), [1, first[0], first[1], 1], "{size:?}, head {k}");
        }
    }
}

#[test]
fn mixing_is_a_function_of_its_seed_and_feature_sizes_are_checked() {
    let (a, b) = (small(0).frozen(), small(0).frozen());
    assert!(a.iter().zip(b.iter()).all(|(x, y)| x == y));
    let mut other = small(0);
    other.config.mixing_seed = 1;
    assert_ne!(a.get("csm.2"), other.frozen().get("csm.2"));
    let odd = ProjectedConfig { feature_size: (40, 64), ..ProjectedConfig::new((40, 64), 0, 0) };
    let error = ProjectedDiscriminator::new(odd, FeatureNet::shipped().unwrap()).unwrap_err();
    assert!(error.to_string().contains("multiples of 16"), "{error}");
}

#[test]
fn features_of_the_shipped_network_are_finite_and_differ_by_picture() {
    let net = FeatureNet::shipped().unwrap();
    let p = net.weights().eager();
    let x: Tensor<f32> = Rng::new(1).normal_tensor(&[2, 40, 56, 3]);
    let pooled = net.describe(&p, &x);
    assert_eq!(pooled.shape(), [2, 1280]);
    assert!(pooled.data().iter().all(|v| v.is_finite()));
    assert_ne!(pooled.data()[..1280], pooled.data()[1280..]);
}
