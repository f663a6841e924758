//! Shared by the tests: finite differences, relative errors, golden files.
#![allow(dead_code)] // each test file uses its part
use pinxit_nn::{Labels, TensorFile, Weights, read_tensors};
use pinxit_tensor::{Isa, Precision, Rng, Tensor, set_isa, with_precision};
use std::sync::{Mutex, PoisonError};

/// Calls `check` with every instruction set this machine has and in every precision, one after the other: the set belongs to
/// the process. For f32 alone: in f64, which knows neither, there is one way.
pub fn everywhere(check: impl Fn(&str, Precision)) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for isa in Isa::ALL.into_iter().filter(|&isa| set_isa(isa)) {
        for p in [Precision::F32, Precision::Bf16] {
            with_precision(p, || check(&format!("{isa}, {p:?}"), p));
        }
    }
}

/// Every weight moved by normal noise, so that none is at a special first value (zero, one).
pub fn shaken(w: &Weights<f32>, by: f64, seed: u64) -> Weights<f64> {
    let mut rng = Rng::new(seed);
    w.cast::<f64>().iter().map(|(n, t)| (n.clone(), plus(t, &rng.normal_tensor(t.shape()), by))).collect()
}

/// `a + k * b`.
pub fn plus(a: &Tensor<f64>, b: &Tensor<f64>, k: f64) -> Tensor<f64> {
    Tensor::new(a.shape(), a.data().iter().zip(b.data()).map(|(x, y)| x + k * y).collect())
}

pub fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    a.data().iter().zip(b.data()).map(|(x, y)| x * y).sum()
}

/// |a - b| / |b|.
pub fn relative(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    let d = plus(a, b, -1.0);
    (dot(&d, &d) / dot(b, b).max(1e-300)).sqrt()
}

/// Both flattened into one vector each: relative error and cosine.
pub fn relative_all(a: &Weights<f64>, b: &Weights<f64>) -> (f64, f64) {
    assert!(a.iter().map(|(n, _)| n).eq(b.iter().map(|(n, _)| n)), "the same names");
    let sum = |f: &dyn Fn(&Tensor<f64>, &Tensor<f64>) -> f64| a.iter().zip(b.iter()).map(|((_, x), (_, y))| f(x, y)).sum::<f64>();
    let (aa, bb, ab) = (sum(&|x, _| dot(x, x)), sum(&|_, y| dot(y, y)), sum(&dot));
    let difference = sum(&|x, y| {
        let d = plus(x, y, -1.0);
        dot(&d, &d)
    });
    ((difference / bb).sqrt(), ab / (aa * bb).sqrt())
}

/// Compares `grads` with central differences of `f`: along a random direction over every tensor, and along single numbers.
pub fn check_gradient(w: &Weights<f64>, grads: &Weights<f64>, tolerance: f64, f: impl Fn(&Weights<f64>) -> f64) {
    let mut rng = Rng::new(99);
    for (name, tensor) in w {
        let grad = grads.get(name);
        let size = dot(grad, grad).sqrt();
        assert!(size > 1e-9, "{name} has no gradient: the check would be empty");
        for probe in 0..3 {
            let direction = match probe {
                0 => rng.normal_tensor::<f64>(tensor.shape()),
                _ => one_hot(tensor, rng.below(tensor.len())),
            };
            let numeric = slope(tensor, &direction, |t| {
                let mut moved = w.clone();
                moved.insert(name.clone(), t);
                f(&moved)
            });
            let analytic = dot(grad, &direction);
            let scale = size * dot(&direction, &direction).sqrt() / (tensor.len() as f64).sqrt();
            assert!(
                (numeric - analytic).abs() < tolerance * scale.max(analytic.abs()),
                "{name}: {analytic} but {numeric} by differences"
            );
        }
    }
}

/// Derivative of `f` at `x` along `direction`, by central differences.
pub fn slope(x: &Tensor<f64>, direction: &Tensor<f64>, f: impl Fn(Tensor<f64>) -> f64) -> f64 {
    // Small, so that hardly any leaky ReLU changes sides between the two points.
    let h = 1e-6;
    (f(plus(x, direction, h)) - f(plus(x, direction, -h))) / (2.0 * h)
}

fn one_hot(like: &Tensor<f64>, at: usize) -> Tensor<f64> {
    Tensor::from_fn(like.shape(), |i| if i == at { 1.0 } else { 0.0 })
}

/// A file of `tests/golden`.
pub fn golden(name: &str) -> TensorFile {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    read_tensors(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A number from a golden file's metadata.
pub fn number<T: std::str::FromStr>(file: &TensorFile, key: &str) -> T {
    file.metadata.get(key).and_then(|v| v.parse().ok()).unwrap_or_else(|| panic!("metadata {key:?}"))
}

/// Classes from `labels.class`; no styles.
pub fn classes(file: &TensorFile) -> Labels {
    let class: Vec<u32> = file.weights.get("labels.class").data().iter().map(|&v| v as u32).collect();
    Labels::new(class.clone(), vec![0; class.len()])
}
