//! Spectral normalisation (Miyato et al. 2018, arXiv 1802.05957): a weight divided by an estimate of its largest singular value.
//!
//! The estimate is u W v with unit vectors u, v kept from step to step and moved by one power iteration a step. They are held
//! constant in the gradient; W is not, so the division is differentiated.
use pinxit_tensor::{Array, Real, Rng, Tensor};

/// Power iterations before the first step, as PyTorch does; afterwards one a step is enough, since W moves slowly.
const WARM_UP: usize = 15;

/// The two singular vectors of one weight: `u` `[1, c_out]`, `v` `[1, kh * kw * c_in]`.
pub(crate) struct Vectors<T: Real> {
    pub u: Tensor<T>,
    pub v: Tensor<T>,
}

/// First vectors for a weight, from a random start.
pub(crate) fn init<T: Real>(weight: &Tensor<T>, rng: &mut Rng) -> Vectors<T> {
    let [rows, cols] = matrix_shape(weight.shape());
    let start = Vectors { u: unit(&rng.normal_tensor(&[1, cols])), v: unit(&rng.normal_tensor(&[1, rows])) };
    (0..WARM_UP).fold(start, |s, _| step(weight, &s))
}

/// One power iteration.
pub(crate) fn step<T: Real>(weight: &Tensor<T>, s: &Vectors<T>) -> Vectors<T> {
    let m = weight.reshape(&matrix_shape(weight.shape()));
    let u = unit(&s.v.matmul(&m, false, false));
    let v = unit(&u.matmul(&m, false, true));
    Vectors { u, v }
}

/// W / (u W v), differentiable in W.
pub(crate) fn normalized<A: Array>(weight: &A, s: &Vectors<A::T>) -> A {
    let shape = weight.shape();
    let m = weight.reshape(&matrix_shape(&shape));
    let sigma = weight.lift(s.v.clone()).matmul(&m, false, false).matmul(&weight.lift(s.u.clone()), false, true);
    // sigma is positive (u and v were chosen so), hence 1 / sigma = rsqrt(sigma^2).
    weight.mul(&sigma.square().rsqrt().reshape(&vec![1; shape.len()]))
}

/// `[kh, kw, c_in, c_out]` seen as a matrix.
fn matrix_shape(shape: &[usize]) -> [usize; 2] {
    let cols = shape[shape.len() - 1];
    [shape.iter().product::<usize>() / cols, cols]
}

fn unit<T: Real>(x: &Tensor<T>) -> Tensor<T> {
    let norm = x.data().iter().map(|v| v.to_f64() * v.to_f64()).sum::<f64>().sqrt();
    x.scale(1.0 / norm.max(1e-12))
}
