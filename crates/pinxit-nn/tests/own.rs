//! The own discriminator: one-pass R1 and R2 against differentiating twice on the tape, and against finite differences.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
mod common;

use common::{check_gradient, dot, plus, relative, relative_all, shaken, slope};
use pinxit_nn::{Labels, OwnConfig, OwnDiscriminator, Preset, Weights};
use pinxit_tensor::{Array, Rng, Tape, Tensor, backward, grad};

const GAMMA: f64 = 3.0;

fn small() -> OwnDiscriminator {
    let config = OwnConfig { widths: vec![4, 5, 6], resolution: (16, 24), embed: 7, classes: 3, styles: 2, words: 4 };
    OwnDiscriminator::new(config).unwrap()
}

/// Two reals and two fakes with the same labels in pairs.
fn batch() -> (Tensor<f64>, Labels) {
    let words = vec![vec![0, 3], vec![]];
    let labels = Labels { words, ..Labels::new(vec![1, 3], vec![2, 0]) }.twice();
    (Rng::new(11).normal_tensor(&[4, 16, 24, 3]), labels)
}

/// Relativistic pairing loss and the mean square of the scores: dloss/dscore of each sample, loss. (By the pairing alone the
/// last bias would have no gradient: it moves both scores of a pair alike.)
fn loss(scores: &[f64]) -> (Vec<f64>, f64) {
    let (n, all) = (scores.len() / 2, scores.len() as f64);
    let gap: Vec<f64> = (0..n).map(|i| scores[i] - scores[n + i]).collect();
    let q: Vec<f64> = gap.iter().map(|d| -1.0 / (1.0 + d.exp()) / n as f64).collect();
    let pairing = gap.iter().map(|d| (-d).exp().ln_1p()).sum::<f64>() / n as f64;
    let slopes = q.iter().copied().chain(q.iter().map(|v| -v)).zip(scores).map(|(q, s)| q + 2.0 * s / all).collect();
    (slopes, pairing + scores.iter().map(|s| s * s).sum::<f64>() / all)
}

/// loss + gamma/2 (mean |g_r|^2 + mean |g_f|^2), differentiated twice by the tape.
fn by_tape(d: &OwnDiscriminator, w: &Weights<f64>, x: &Tensor<f64>, labels: &Labels) -> (Weights<f64>, Tensor<f64>) {
    let tape = Tape::new();
    let p = w.bind(|_, t| tape.leaf(t.clone()));
    let x = tape.leaf(x.clone());
    let scores = d.scores(&p, &x, labels);
    let n = labels.len() / 2;
    let pairing = scores.narrow(0, n, n).sub(&scores.narrow(0, 0, n)).softplus().mean();
    let g = grad(&scores.sum(), &[&x]).remove(0);
    let penalty = g.square().sum().scale(GAMMA / 2.0 / n as f64).reshape(&[1, 1]);
    let total = pairing.add(&scores.square().mean()).add(&penalty);
    (p.named(backward(&[(&total, Tensor::full(&[1, 1], 1.0))], &p.values())), g.tensor())
}

#[test]
fn one_pass_equals_differentiating_twice() {
    let (d, (x, labels)) = (small(), batch());
    let w = shaken(&d.init(1), 0.2, 3);
    let step = d.penalized_step(&w, &x, &labels, GAMMA, loss);
    let (grads, input_grad) = by_tape(&d, &w, &x, &labels);
    let (error, cosine) = relative_all(&step.grads, &grads);
    assert!(error < 1e-10 && cosine > 1.0 - 1e-12, "relative error {error:e}, cosine {cosine}");
    for (name, g) in &grads {
        let error = relative(step.grads.get(name), g);
        assert!(error < 1e-10, "{name}: relative error {error:e}");
    }
    assert!(relative(&step.input_grad, &input_grad) < 1e-12);
}

#[test]
fn one_pass_equals_finite_differences() {
    let (d, (x, labels)) = (small(), batch());
    let w = shaken(&d.init(1), 0.2, 3);
    let step = d.penalized_step(&w, &x, &labels, GAMMA, loss);
    let value = |w: &Weights<f64>| {
        let scored = d.scored(w, &x, &labels);
        loss(&scored.scores).1 + GAMMA / 2.0 * dot(&scored.input_grad, &scored.input_grad) / 2.0
    };
    let total: f64 = step.penalty.iter().sum();
    assert!((value(&w) - (step.loss + GAMMA / 2.0 * total / 2.0)).abs() < 1e-12);
    check_gradient(&w, &step.grads, 1e-5, value);
}

#[test]
fn input_gradient_equals_finite_differences() {
    let (d, (x, labels)) = (small(), batch());
    let w = shaken(&d.init(1), 0.2, 3);
    let scored = d.scored(&w, &x, &labels);
    let direction = Rng::new(4).normal_tensor(x.shape());
    let numeric = slope(&x, &direction, |x| d.scores(&w.eager(), &x, &labels).data().iter().sum());
    assert!((numeric / dot(&scored.input_grad, &direction) - 1.0).abs() < 1e-6);
    assert_eq!(scored.scores, d.scores(&w.eager(), &x, &labels).data(), "the same forward pass");
}

#[test]
fn scores_are_piecewise_linear_in_the_picture() {
    let (d, (x, labels)) = (small(), batch());
    let w = shaken(&d.init(1), 0.2, 3);
    // Between two pictures so near that no slope changes, the gradient at one gives the score at the other exactly.
    let (scored, direction) = (d.scored(&w, &x, &labels), Rng::new(4).normal_tensor(x.shape()));
    let moved: f64 = d.scores(&w.eager(), &plus(&x, &direction, 1e-7), &labels).data().iter().sum();
    let predicted = scored.scores.iter().sum::<f64>() + 1e-7 * dot(&scored.input_grad, &direction);
    assert!((moved - predicted).abs() < 1e-13, "{:e}", moved - predicted);
}

#[test]
fn every_preset_fits_its_pictures() {
    for (preset, side) in [(Preset::Xs32, 32), (Preset::Xs64, 64), (Preset::S64, 64), (Preset::Xs128, 128), (Preset::S128, 128)] {
        let d = OwnDiscriminator::new(OwnConfig::new(preset, (side, side), 2, 0)).unwrap();
        assert_eq!(d.init(0).get("head.depthwise").shape()[..2], [4, 4], "{preset}");
    }
    let wide = OwnDiscriminator::new(OwnConfig::new(Preset::Xs64, (64, 96), 2, 0)).unwrap();
    assert_eq!(wide.init(0).get("head.depthwise").shape()[..2], [4, 6]);
}

#[test]
fn sizes_that_do_not_halve_are_refused() {
    let error = OwnDiscriminator::new(OwnConfig::new(Preset::Xs64, (60, 64), 2, 0)).unwrap_err();
    assert!(error.to_string().contains("multiples of 16"), "{error}");
}

#[test]
fn blocks_begin_as_the_identity() {
    let w = small().init(0);
    assert!(w.iter().filter(|(n, _)| n.ends_with("conv.1.weight")).all(|(_, t)| t.data().iter().all(|&v| v == 0.0)));
}
