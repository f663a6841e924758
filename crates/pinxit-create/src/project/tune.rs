//! Pivotal tuning (Roich et al. 2022, arXiv 2106.05744): the weights are changed a little, so that the latents found paint their target.
use pinxit_nn::{Bound, FeatureNet, Weights};
use pinxit_tensor::optim::{AdamStep, adam_step};
use pinxit_tensor::{Array, Rng, Tape, Tensor, Var, backward};

use super::{FEATURES, Likeness, WSpace};
use crate::latents::{Latents, lerp};

/// How the weights are tuned.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Steps.
    pub steps: usize,
    /// Length of a step.
    pub rate: f64,
    /// How strongly pictures near by are held as they were.
    pub hold: f64,
    /// Of the pictures that are held.
    pub seed: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning { steps: 150, rate: 5e-4, hold: 0.3, seed: 0 }
    }
}

/// How far from the pivot the pictures lie that are held, as a share of the way to a sample.
const NEAR: f64 = 0.3;

/// Weights under which `latents` paint `target` more nearly, and pictures around them stay. `weights` are those of `space`; the mapping network stays
/// as it is, so that labels and seeds mean what they meant. `watch` as in [`project`](super::project). The second value is the likeness reached, dB.
pub fn tune(
    space: &WSpace<'_>,
    weights: &Weights<f32>,
    net: &FeatureNet,
    (latents, target): (&Latents, &Tensor),
    tuning: &Tuning,
    watch: &mut dyn FnMut(usize, usize, &Tensor) -> bool,
) -> (Weights<f32>, f64) {
    let likeness = Likeness::to(target, net);
    let mut tuned = weights.clone();
    let (mut m, mut v) = (tuned.zeros_like(), tuned.zeros_like());
    let mut rng = Rng::stream(tuning.seed, "tuning");
    for step in 0..tuning.steps {
        let tape = Tape::new();
        let bound = tuned.bind(|name, t| if is_tuned(name) { tape.leaf(t.clone()) } else { tape.constant(t.clone()) });
        let constants = |stages: &[Tensor]| stages.iter().map(|w| tape.constant(w.clone())).collect::<Vec<_>>();
        let picture = space.generator.synthesize(&bound, &constants(&latents.stages));
        let mut loss = likeness.pixels(&picture).reshape(&[1]);
        loss = loss.add(&likeness.features(&likeness.bound(&tape), &picture).scale(FEATURES));
        let near = near_by(space, latents, &mut rng);
        let (now, before) = (space.generator.synthesize(&bound, &constants(&near)), space.paint(&near));
        loss = loss.add(&now.sub(&tape.constant(before)).square().mean().reshape(&[1]).scale(tuning.hold));
        step_all(&mut tuned, (&mut m, &mut v), &bound, &loss, tuning.rate, step as u64 + 1);
        if step % 10 == 0 && !watch(step, tuning.steps, picture.value()) {
            break;
        }
    }
    let painted = space.generator.synthesize(&tuned.eager(), &latents.stages);
    let reached = likeness.psnr_db(&painted);
    (tuned, reached)
}

fn is_tuned(name: &str) -> bool {
    !name.starts_with("mapping.")
}

/// The latents on their way to a sample.
fn near_by(space: &WSpace<'_>, latents: &Latents, rng: &mut Rng) -> Vec<Tensor> {
    let sample = space.samples.narrow(0, rng.below(space.samples.shape()[0]), 1);
    latents.stages.iter().map(|w| lerp(w, &sample, NEAR)).collect()
}

fn step_all(
    weights: &mut Weights<f32>,
    (m, v): (&mut Weights<f32>, &mut Weights<f32>),
    bound: &Bound<Var<f32>>,
    loss: &Var<f32>,
    rate: f64,
    t: u64,
) {
    let leaves: Vec<(&String, &Var<f32>)> = bound.iter().filter(|(name, _)| is_tuned(name)).collect();
    let gradients = backward(&[(loss, Tensor::full(&[1], 1.0))], &leaves.iter().map(|(_, l)| *l).collect::<Vec<_>>());
    for ((name, _), gradient) in leaves.into_iter().zip(&gradients) {
        let step = AdamStep { lr: rate, beta1: 0.9, beta2: 0.999, eps: 1e-8, t };
        adam_step(weights.get_mut(name), m.get_mut(name), v.get_mut(name), gradient, step);
    }
}
