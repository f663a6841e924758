//! Against tensors made by PyTorch (`golden/README.md`).
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
mod common;

use common::{classes, golden, number, relative, relative_all};
use pinxit_nn::{
    FeatureNet, Generator, GeneratorConfig, OwnConfig, OwnDiscriminator, Preset, ProjectedConfig, ProjectedDiscriminator,
    TensorFile, Weights,
};
use pinxit_tensor::{Array, Tape, Tensor, backward, grad};

/// Golden tensors are stored in f32: 1e-7 of relative rounding, a little more where sums cancel.
const STORED_AS_F32: f64 = 2e-6;

fn exact(file: &TensorFile, name: &str) -> Tensor<f64> {
    file.weights.get(name).cast()
}

fn near(what: &str, ours: &Tensor<f64>, theirs: &Tensor<f64>, tolerance: f64) {
    let error = relative(ours, theirs);
    assert!(error < tolerance, "{what}: relative error {error:e}");
}

fn near_all(ours: &Weights<f64>, theirs: &Weights<f64>, tolerance: f64) {
    let (error, cosine) = relative_all(ours, theirs);
    assert!(error < tolerance && cosine > 0.999_999, "gradient: relative error {error:e}, cosine {cosine}");
}

#[test]
fn own_discriminator_equals_double_backward_on_a_trained_network() {
    let file = golden("own_d.safetensors");
    let config = OwnConfig {
        widths: file.metadata["widths"].split(',').map(|v| v.parse().unwrap()).collect(),
        resolution: (number(&file, "height"), number(&file, "width")),
        embed: number(&file, "embed"),
        classes: number(&file, "classes"),
        styles: 0,
    };
    let d = OwnDiscriminator::new(config).unwrap();
    let w = file.weights.under("weight/").cast::<f64>();
    let step = d.penalized_step(&w, &exact(&file, "input"), &classes(&file), number(&file, "gamma"), |s| {
        let n = s.len() / 2;
        let gap: Vec<f64> = (0..n).map(|i| s[i] - s[n + i]).collect();
        let q: Vec<f64> = gap.iter().map(|d| -1.0 / (1.0 + d.exp()) / n as f64).collect();
        (q.iter().copied().chain(q.iter().map(|v| -v)).collect(), gap.iter().map(|d| (-d).exp().ln_1p()).sum::<f64>() / n as f64)
    });
    let n = step.scores.len();
    near("scores", &Tensor::new(&[n], step.scores), &exact(&file, "scores"), STORED_AS_F32);
    near("input gradient", &step.input_grad, &exact(&file, "input_grad"), STORED_AS_F32);
    near("penalty", &Tensor::new(&[n], step.penalty), &exact(&file, "penalty"), STORED_AS_F32);
    near_all(&step.grads, &file.weights.under("grad/").cast(), STORED_AS_F32);
    let loss: f64 = number(&file, "loss");
    let penalty: f64 = exact(&file, "penalty").data().iter().sum::<f64>() * number::<f64>(&file, "gamma") / n as f64;
    let told = (loss - step.loss).abs().min((loss - step.loss - penalty).abs());
    assert!(told < 1e-6, "loss {loss}, ours {} and penalty {penalty}", step.loss);
}

#[test]
fn mobilenet_equals_pytorch() {
    let file = golden("mobilenet_v2.safetensors");
    let net = FeatureNet::shipped().unwrap();
    let w = net.weights().cast::<f64>();
    let (x, tape) = (exact(&file, "input"), Tape::new());
    for (k, tap) in net.taps(&w.eager(), &x).iter().enumerate() {
        near(&format!("tap {k}"), tap, &exact(&file, &format!("tap.{k}")), 1e-6);
        // Against the package's own f32 weights: what rounding them to f16 costs (0.57 % at the pooled vector).
        near(&format!("original tap {k}"), tap, &exact(&file, &format!("original.tap.{k}")), 1e-2);
    }
    let leaf = tape.leaf(x);
    let pooled = net.pooled(&w.bind(|_, t| tape.constant(t.clone())), &leaf);
    near("pooled", &pooled.tensor(), &exact(&file, "pooled"), 1e-6);
    near("original pooled", &pooled.tensor(), &exact(&file, "original.pooled"), 1e-2);
    let grad = backward(&[(&pooled, exact(&file, "probe"))], &[&leaf]).remove(0);
    near("input gradient", &grad, &exact(&file, "input_grad"), 1e-5);
    let described = net.describe(&net.weights().eager(), file.weights.get("input"));
    near("pooled at 128 px, in f32", &described.cast(), &exact(&file, "pooled128"), 1e-4);
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
    let file = golden("projected.safetensors");
    let d = projected(&file, 0);
    let mut frozen = d.frozen().cast::<f64>();
    for (name, tensor) in &file.weights.under("frozen/").cast::<f64>() {
        frozen.insert(name.clone(), tensor.clone());
    }
    let tape = Tape::new();
    let x = tape.leaf(exact(&file, "input"));
    let features = d.features(&frozen.bind(|_, t| tape.constant(t.clone())), &x);
    for (k, f) in features.iter().enumerate() {
        near(&format!("feature {k}"), &f.tensor(), &exact(&file, &format!("feature.{k}")), STORED_AS_F32);
    }
    let p = file.weights.under("weight/").cast::<f64>().bind(|_, t| tape.leaf(t.clone()));
    let scores = d.heads(&d.normalized(&p, &file.weights.under("spectral/").cast()), &features, &classes(&file));
    for (k, s) in scores.iter().enumerate() {
        near(&format!("score {k}"), &s.tensor(), &exact(&file, &format!("score.{k}")), STORED_AS_F32);
    }
    let losses: Vec<_> = scores.iter().map(|s| s.square().mean().reshape(&[1])).collect();
    let loss = Array::concat(&losses, 0).sum();
    let mut wrt = p.values();
    wrt.push(&x);
    let mut grads = backward(&[(&loss, Tensor::full(&[1], 1.0))], &wrt);
    near("input gradient", &grads.pop().unwrap(), &exact(&file, "input_grad"), STORED_AS_F32);
    near_all(&p.named(grads), &file.weights.under("grad/").cast(), STORED_AS_F32);
}

#[test]
fn generator_equals_pytorch() {
    let file = golden("generator.safetensors");
    let mut config = GeneratorConfig::new(Preset::Xs32, (4, 4), number(&file, "classes"), 0);
    config.channels = file.metadata["channels"].split(',').map(|v| v.parse().unwrap()).collect();
    (config.z_dim, config.w_dim, config.cond_dim) = (number(&file, "z_dim"), number(&file, "w_dim"), number(&file, "cond_dim"));
    let (g, tape) = (Generator::new(config), Tape::new());
    let p = file.weights.under("weight/").cast::<f64>().bind(|_, t| tape.leaf(t.clone()));
    let w = g.mapping(&p, &tape.constant(exact(&file, "z")), &classes(&file));
    near("w", &w.tensor(), &exact(&file, "w"), STORED_AS_F32);
    let picture = g.synthesize(&p, &vec![w; g.stages()]);
    near("picture", &picture.tensor(), &exact(&file, "image"), STORED_AS_F32);
    let grads = p.named(backward(&[(&picture, exact(&file, "probe"))], &p.values()));
    near_all(&grads, &file.weights.under("grad/").cast(), STORED_AS_F32);
}

/// The loss of the default recipe: relativistic pairing and the penalty on the features' gradients, differentiated twice.
#[test]
fn penalised_heads_equal_double_backward() {
    let file = golden("penalised.safetensors");
    let d = projected(&file, number(&file, "minibatch_std"));
    let tape = Tape::new();
    let p = file.weights.under("weight/").cast::<f64>().bind(|_, t| tape.leaf(t.clone()));
    let maps = |side: &str| -> Vec<_> { (0..d.head_count()).map(|k| tape.leaf(exact(&file, &format!("{side}.{k}")))).collect() };
    let (real, fake, labels) = (maps("real"), maps("fake"), classes(&file));
    let (scores_r, scores_f) = (d.heads(&p, &real, &labels), d.heads(&p, &fake, &labels));

    let n = real[0].shape()[0] as f64;
    let one = |v: pinxit_tensor::Var<f64>| v.reshape(&[1]);
    let per_sample = |s: &pinxit_tensor::Var<f64>| one(s.mean().scale(n));
    let pairing = scores_r.iter().zip(&scores_f).map(|(r, f)| one(f.sub(r).softplus().mean()));
    let total = Array::concat(&scores_r.iter().chain(&scores_f).map(per_sample).collect::<Vec<_>>(), 0).sum();
    let slopes = grad(&total, &real.iter().chain(&fake).collect::<Vec<_>>());
    let squares: Vec<_> = slopes.iter().map(|g| one(g.square().sum().scale(1.0 / n))).collect();
    let penalty = Array::concat(&squares, 0).sum();
    let gamma: f64 = number(&file, "gamma");
    let terms: Vec<_> = pairing.chain([penalty.scale(gamma / 2.0)]).collect();
    let loss = Array::concat(&terms, 0).sum();

    let told = |name: &str, ours: f64| {
        let theirs: f64 = number(&file, name);
        assert!((ours - theirs).abs() < 1e-5 * theirs.abs(), "{name}: {ours}, PyTorch {theirs}");
    };
    told("penalty", penalty.tensor().item());
    told("loss", loss.tensor().item());
    let grads = backward(&[(&loss, Tensor::full(&[1], 1.0))], &p.values());
    near_all(&p.named(grads), &file.weights.under("grad/").cast(), STORED_AS_F32);
}
