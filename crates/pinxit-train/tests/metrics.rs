//! The metrics against numpy and scipy on the same features (`benches/peers/metrics_golden.py` made the golden values).
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
use pinxit_tensor::Tensor;
use pinxit_train::metrics::{Neighbours, kid, memorised, neighbours, self_nn, self_nn_ratio, sliced_wasserstein, thumbnails};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/metrics.json")).unwrap()
}

/// The formula of the script.
fn features(n: usize, d: usize, seed: f64) -> Tensor {
    Tensor::from_fn(&[n, d], |at| {
        let (i, j) = ((at / d) as f64, (at % d) as f64);
        let base = (0.7 * i + 1.3 * j + 0.11 * i * j + seed).sin() * (2.0 + 0.8 * seed) + 0.3 * seed;
        (base + (i % 3.0) * (j + 0.5).cos()) as f32
    })
}

fn directions(d: usize, k: usize) -> Tensor {
    let raw = |i: usize, j: usize| (0.9 * i as f64 + 2.1 * j as f64 + 0.07 * (i * j) as f64).cos();
    let norm = |j: usize| (0..d).map(|i| raw(i, j).powi(2)).sum::<f64>().sqrt();
    Tensor::from_fn(&[d, k], |at| (raw(at / k, at % k) / norm(at % k)) as f32)
}

fn close(name: &str, got: f64, want: &Value, tolerance: f64) {
    let want = want.as_f64().unwrap();
    assert!((got - want).abs() <= tolerance * want.abs().max(1e-3), "{name}: {got} here, {want} in numpy");
}

fn all_close(n: &Neighbours, want: &Value) {
    for (name, got) in [
        ("precision", n.precision),
        ("recall", n.recall),
        ("density", n.density),
        ("coverage", n.coverage),
        ("memorised", n.memorised),
    ] {
        close(name, got, &want[name], 1e-9);
    }
}

#[test]
fn kernel_distance_agrees_with_numpy() {
    let g = golden();
    close("kid", kid(&features(60, 16, 0.0), &features(50, 16, 1.3)), &g["kid"], 1e-4);
    close("kid of near twins", kid(&features(60, 16, 0.0), &features(50, 16, 0.3)), &g["kid_same"], 1e-4);
}

#[test]
fn sliced_wasserstein_agrees_with_numpy() {
    let got = sliced_wasserstein(&features(60, 16, 0.0), &features(50, 16, 1.3), &directions(16, 12));
    close("swd", got, &golden()["swd"], 1e-4);
}

#[test]
fn neighbourhoods_agree_with_scipy() {
    let (g, real) = (golden(), features(60, 16, 0.0));
    all_close(&neighbours(&real, &features(50, 16, 1.3), 5), &g["near"]);
}

#[test]
fn copies_are_found() {
    let (g, real) = (golden(), features(60, 16, 0.0));
    let (copied, own) = (features(60, 16, 0.0), features(30, 16, 3.0));
    let mut rows: Vec<f32> = copied.data()[..20 * 16].iter().map(|v| v + 1e-4).collect();
    rows.extend_from_slice(own.data());
    let fake = Tensor::new(&[50, 16], rows);
    all_close(&neighbours(&real, &fake, 5), &g["copies"]);
    assert!((memorised(&real, &fake) - 0.4).abs() < 1e-9, "20 of 50 are copies");
}

#[test]
fn variety_agrees_with_scipy() {
    let x = Tensor::from_fn(&[40, 16, 24, 3], |i| (1.2 * (i as f64 * 0.37 + (i / 1152) as f64 * 1.7).sin()) as f32);
    let class: Vec<u32> = (0..40).map(|k| if k < 36 { k % 3 } else { 3 }).collect();
    let got = self_nn(&thumbnails(&x), &class);
    let want = golden()["self_nn"].clone();
    assert_eq!(got.len(), want.as_object().unwrap().len(), "a class of four says nothing");
    for (c, d) in &got {
        close(&format!("class {c}"), *d, &want[c.to_string()], 1e-4);
    }
    let half: Vec<(u32, f64)> = got.iter().map(|(c, d)| (*c, d * 0.5)).collect();
    let (median, lowest) = self_nn_ratio(&got, &half).unwrap();
    assert!((median - 0.5).abs() < 1e-6 && (lowest - 0.5).abs() < 1e-6);
}
