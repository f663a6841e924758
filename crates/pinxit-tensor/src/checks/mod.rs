//! Tests that need to see inside: every operation against finite differences, values against their definitions.
#![allow(clippy::unwrap_used)] // tests say what they expect by failing
mod cases;
mod gradients;
mod network;
mod optim;
mod rng;
mod values;

use crate::{Rng, Tensor};

/// Numbers of size 0.1 to 1.5 and either sign: away from zero, where the kinks are.
fn away_from_zero(rng: &mut Rng, shape: &[usize]) -> Tensor<f64> {
    Tensor::from_fn(shape, |_| (0.1 + 1.4 * rng.uniform()) * if rng.chance(0.5) { 1.0 } else { -1.0 })
}
