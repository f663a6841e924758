//! Against tensors made by PyTorch (`golden/README.md`).
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
mod common;

use common::{classes, everywhere, golden, number, relative, relative_all};
use pinxit_nn::{
    FeatureNet, Generator, GeneratorConfig, OwnConfig, OwnDiscriminator, Preset, ProjectedConfig, ProjectedDiscriminator,
    TensorFile, View, Weights,
};
use pinxit_tensor::{Array, Precision, Real, Tape, Tensor, backward, grad};

/// Relative errors that are allowed.
#[derive(Clone, Copy)]
struct Tolerance {
    /// Of what a network gives.
    value: f64,
    /// Of gradients.
    gradient: f64,
    /// Of gradients through the 35 ReLU6 of MobileNetV2.
    deep: f64,
}

/// Golden tensors are stored in f32: 1e-7 of relative rounding, a little more where sums cancel.
const DOUBLE: Tolerance = Tolerance { value: 1e-6, gradient: 1e-6, deep: 1e-6 };
/// The same rounding at every step. A value that lands on the other side of a kink changes a gradient by far more than itself:
/// there were 1.7e-4 where values were 1.3e-6 off.
const SINGLE: Tolerance = Tolerance { value: 5e-6, gradient: 2e-5, deep: 5e-4 };
/// Eight bits of mantissa: both factors of a product are off by up to 2^-9, so a layer by 2^-9 sqrt 2 and 52 layers in a row by
/// 0.02; sums that cancel double it (0.028 was the most). With values off by a share e about as large a share of all ReLUs is on
/// the other side, and k of them in a row turn a gradient by about sqrt(k e): 0.1 for a few, 0.8 for 35 (0.67 was the most, imitated
/// and native alike).
const BF16: Tolerance = Tolerance { value: 0.05, gradient: 0.1, deep: 0.8 };

/// `check` in f64, then in f32 with every instruction set and in every precision.
fn in_every_way(double: fn(&str, Tolerance), single: fn(&str, Tolerance)) {
    double("f64", DOUBLE);
    everywhere(|way, p| single(way, if p == Precision::F32 { SINGLE } else { BF16 }));
}

fn exact<T: Real>(file: &TensorFile, name: &str) -> Tensor<T> {
    file.weights.get(name).cast()
}

fn near<T: Real>(what: &str, ours: &Tensor<T>, theirs: &Tensor<T>, tolerance: f64) {
    let error = relative(&ours.cast(), &theirs.cast());
    assert!(error < tolerance, "{what}: relative error {error:e}");
}

fn near_all<T: Real>(what: &str, ours: &Weights<T>, theirs: &Weights<T>, tolerance: f64) {
    let (error, cosine) = relative_all(&ours.cast(), &theirs.cast());
    // Apart by a small angle e, two vectors have the cosine 1 - e^2 / 2.
    assert!(
        error < tolerance && cosine > 1.0 - tolerance * tolerance,
        "{what}: gradient: relative error {error:e}, cosine {cosine}"
    );
}

#[test]
fn own_discriminator_equals_double_backward_on_a_trained_network() {
    in_every_way(own::<f64>, own::<f32>);
}

fn own<T: Real>(way: &str, t: Tolerance) {
    let file = golden("own_d.safetensors");
    let config = OwnConfig {
        widths: file.metadata["widths"].split(',').map(|v| v.parse().unwrap()).collect(),
        resolution: (number(&file, "height"), number(&file, "width")),
        embed: number(&file, "embed"),
        classes: number(&file, "classes"),
        styles: 0,
        words: 0,
    };
    let d = OwnDiscriminator::new(config).unwrap();
    let w = file.weights.under("weight/").cast::<T>();
    let step = d.penalized_step(&w, &exact(&file, "input"), &classes(&file), number(&file, "gamma"), |s| {
        let n = s.len() / 2;
        let gap: Vec<f64> = (0..n).map(|i| s[i] - s[n + i]).collect();
        let q: Vec<f64> = gap.iter().map(|d| -1.0 / (1.0 + d.exp()) / n as f64).collect();
        (q.iter().copied().chain(q.iter().map(|v| -v)).collect(), gap.iter().map(|d| (-d).exp().ln_1p()).sum::<f64>() / n as f64)
    });
    let n = step.scores.len();
    near(&format!("{way} scores"), &Tensor::new(&[n], step.scores), &exact(&file, "scores"), t.value);
    near(&format!("{way} input gradient"), &step.input_grad, &exact(&file, "input_grad"), t.gradient);
    near(&format!("{way} penalty"), &Tensor::new(&[n], step.penalty), &exact(&file, "penalty"), t.value);
    near_all(&format!("{way} own"), &step.grads, &file.weights.under("grad/").cast(), t.gradient);
    let loss: f64 = number(&file, "loss");
    let penalty: f64 = exact::<f64>(&file, "penalty").data().iter().sum::<f64>() * number::<f64>(&file, "gamma") / n as f64;
    let told = (loss - step.loss).abs().min((loss - step.loss - penalty).abs());
    assert!(told < t.value * loss.abs().max(0.5), "{way}: loss {loss}, ours {} and penalty {penalty}", step.loss);
}

#[test]
fn mobilenet_equals_pytorch() {
    in_every_way(mobilenet::<f64>, mobilenet::<f32>);
}

fn mobilenet<T: Real>(way: &str, t: Tolerance) {
    let file = golden("mobilenet_v2.safetensors");
    let net = FeatureNet::shipped().unwrap();
    let w = net.weights().cast::<T>();
    let (x, tape) = (exact::<T>(&file, "input"), Tape::new());
    // Against the package's own f32 weights: what rounding them to f16 costs (0.57 % at the pooled vector).
    let rounded = 1e-2 + t.value;
    for (k, tap) in net.taps(&w.eager(), &x).iter().enumerate() {
        near(&format!("{way} tap {k}"), tap, &exact(&file, &format!("tap.{k}")), t.value);
        near(&format!("{way} original tap {k}"), tap, &exact(&file, &format!("original.tap.{k}")), rounded);
    }
    let leaf = tape.leaf(x);
    let pooled = net.pooled(&w.bind(|_, t| tape.constant(t.clone())), &leaf);
    near(&format!("{way} pooled"), &pooled.tensor(), &exact(&file, "pooled"), t.value);
    near(&format!("{way} original pooled"), &pooled.tensor(), &exact(&file, "original.pooled"), rounded);
    let grad = backward(&[(&pooled, exact(&file, "probe"))], &[&leaf]).remove(0);
    near(&format!("{way} mobilenet input gradient"), &grad, &exact(&file, "input_grad"), t.deep);
}

#[test]
fn described_at_128_px_equals_pytorch() {
    let (file, net) = (golden("mobilenet_v2.safetensors"), FeatureNet::shipped().unwrap());
    everywhere(|way, p| {
        let described = net.describe(&net.weights().eager(), file.weights.get("input"));
        let tolerance = if p == Precision::F32 { SINGLE.value } else { BF16.value };
        near(&format!("{way} pooled at 128 px"), &described, &exact(&file, "pooled128"), tolerance);
    });
}

fn projected(file: &TensorFile, minibatch_std: usize) -> ProjectedDiscriminator {
    let side = number(file, "feature_size");
    let pixels: Option<usize> = file.metadata.get("pixels").map(|v| v.parse().unwrap());
    let picture = pixels.unwrap_or(side);
    let config = ProjectedConfig {
        feature_size: (side, side),
        pixels: pixels.is_some(),
        mix: number(file, "mix"),
        channels: number(file, "channels"),
        embed: number(file, "embed"),
        minibatch_std,
        ..ProjectedConfig::new((picture, picture), number(file, "classes"), 0)
    };
    ProjectedDiscriminator::new(config, FeatureNet::shipped().unwrap()).unwrap()
}

#[test]
fn projected_features_and_heads_equal_pytorch() {
    in_every_way(features_and_heads::<f64>, features_and_heads::<f32>);
}

fn features_and_heads<T: Real>(way: &str, t: Tolerance) {
    let file = golden("projected.safetensors");
    let d = projected(&file, 0);
    let mut frozen = d.frozen().cast::<T>();
    for (name, tensor) in &file.weights.under("frozen/").cast::<T>() {
        frozen.insert(name.clone(), tensor.clone());
    }
    let tape = Tape::new();
    let x = tape.leaf(exact(&file, "input"));
    let features = d.features(&frozen.bind(|_, t| tape.constant(t.clone())), &x, &View::Whole);
    for (k, f) in features.iter().enumerate() {
        near(&format!("{way} feature {k}"), &f.tensor(), &exact(&file, &format!("feature.{k}")), t.value);
    }
    let p = file.weights.under("weight/").cast::<T>().bind(|_, t| tape.leaf(t.clone()));
    let scores = d.heads(&d.normalized(&p, &file.weights.under("spectral/").cast()), &features, &classes(&file));
    for (k, s) in scores.iter().enumerate() {
        near(&format!("{way} score {k}"), &s.tensor(), &exact(&file, &format!("score.{k}")), t.value);
    }
    let losses: Vec<_> = scores.iter().map(|s| s.square().mean().reshape(&[1])).collect();
    let loss = Array::concat(&losses, 0).sum();
    let mut wrt = p.values();
    wrt.push(&x);
    let mut grads = backward(&[(&loss, Tensor::full(&[1], T::of(1.0)))], &wrt);
    near(&format!("{way} projected input gradient"), &grads.pop().unwrap(), &exact(&file, "input_grad"), t.deep);
    near_all(&format!("{way} projected"), &p.named(grads), &file.weights.under("grad/").cast(), t.gradient);
}

#[test]
fn generator_equals_pytorch() {
    in_every_way(generator::<f64>, generator::<f32>);
}

fn generator<T: Real>(way: &str, t: Tolerance) {
    let file = golden("generator.safetensors");
    let mut config = GeneratorConfig::new(Preset::Xs32, (4, 4), number(&file, "classes"), 0);
    config.channels = file.metadata["channels"].split(',').map(|v| v.parse().unwrap()).collect();
    (config.z_dim, config.w_dim, config.cond_dim) = (number(&file, "z_dim"), number(&file, "w_dim"), number(&file, "cond_dim"));
    let (g, tape) = (Generator::new(config), Tape::new());
    let p = file.weights.under("weight/").cast::<T>().bind(|_, t| tape.leaf(t.clone()));
    let w = g.mapping(&p, &tape.constant(exact(&file, "z")), &classes(&file));
    near(&format!("{way} w"), &w.tensor(), &exact(&file, "w"), t.value);
    let picture = g.synthesize(&p, &vec![w; g.stages()]);
    near(&format!("{way} picture"), &picture.tensor(), &exact(&file, "image"), t.value);
    let grads = p.named(backward(&[(&picture, exact(&file, "probe"))], &p.values()));
    near_all(&format!("{way} generator"), &grads, &file.weights.under("grad/").cast(), t.gradient);
}

/// The loss of the default recipe: relativistic pairing and the penalty on the features' gradients, differentiated twice.
#[test]
fn penalised_heads_equal_double_backward() {
    in_every_way(penalised_heads::<f64>, penalised_heads::<f32>);
}

fn penalised_heads<T: Real>(way: &str, t: Tolerance) {
    let file = golden("penalised.safetensors");
    let d = projected(&file, number(&file, "minibatch_std"));
    let tape = Tape::new();
    let p = file.weights.under("weight/").cast::<T>().bind(|_, t| tape.leaf(t.clone()));
    let maps = |side: &str| -> Vec<_> { (0..d.head_count()).map(|k| tape.leaf(exact(&file, &format!("{side}.{k}")))).collect() };
    let (real, fake, labels) = (maps("real"), maps("fake"), classes(&file));
    let (scores_r, scores_f) = (d.heads(&p, &real, &labels), d.heads(&p, &fake, &labels));

    let n = real[0].shape()[0] as f64;
    let one = |v: pinxit_tensor::Var<T>| v.reshape(&[1]);
    let per_sample = |s: &pinxit_tensor::Var<T>| one(s.mean().scale(n));
    let pairing = scores_r.iter().zip(&scores_f).map(|(r, f)| one(f.sub(r).softplus().mean()));
    let total = Array::concat(&scores_r.iter().chain(&scores_f).map(per_sample).collect::<Vec<_>>(), 0).sum();
    let slopes = grad(&total, &real.iter().chain(&fake).collect::<Vec<_>>());
    let squares: Vec<_> = slopes.iter().map(|g| one(g.square().sum().scale(1.0 / n))).collect();
    let penalty = Array::concat(&squares, 0).sum();
    let gamma: f64 = number(&file, "gamma");
    let terms: Vec<_> = pairing.chain([penalty.scale(gamma / 2.0)]).collect();
    let loss = Array::concat(&terms, 0).sum();

    let told = |name: &str, ours: T| {
        let (ours, theirs) = (ours.to_f64(), number::<f64>(&file, name));
        assert!((ours - theirs).abs() < 5.0 * t.value * theirs.abs(), "{way} {name}: {ours}, PyTorch {theirs}");
    };
    told("penalty", penalty.tensor().item());
    told("loss", loss.tensor().item());
    let grads = backward(&[(&loss, Tensor::full(&[1], T::of(1.0)))], &p.values());
    near_all(&format!("{way} penalised"), &p.named(grads), &file.weights.under("grad/").cast(), t.gradient);
}
