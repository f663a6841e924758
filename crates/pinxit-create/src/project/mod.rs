//! The latents of a picture that no model has painted.
//!
//! Gradient descent on w from the best of many samples (Karras et al. 2020, arXiv 1912.04958, appendix D), first one w for all stages, then one for
//! each (W+), in units of w's own spread and drawn to its mean, so that the result can still be edited; and, if wished, the weights are tuned about
//! the latents found (pivotal tuning: Roich et al. 2022, arXiv 2106.05744).
mod likeness;
mod tune;

use pinxit_nn::{Bound, FeatureNet, Generator};
use pinxit_tensor::optim::{AdamStep, adam_step};
use pinxit_tensor::{Array, Rng, Tape, Tensor, Var, backward};

pub(crate) use likeness::Likeness;
pub use tune::{Tuning, tune};

use crate::latents::Latents;

/// Samples that a start is chosen from.
const SAMPLES: usize = 256;
/// Starts among them that are followed.
const STARTS: usize = 4;
/// Weight of the features beside the pixels.
pub(crate) const FEATURES: f64 = 0.1;
/// Share of the steps with one w for all stages.
const SHARED: f64 = 0.3;
/// Length of a step at first, in deviations of w.
const STEP: f64 = 0.08;

/// Where latents are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Space {
    /// One w for all stages: the most editable, the least alike.
    W,
    /// One w for each stage.
    #[default]
    WPlus,
}

/// How a projection goes.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Where.
    pub space: Space,
    /// Steps.
    pub steps: usize,
    /// Starts that are followed for the first tenth of the steps, of which the best goes on.
    pub starts: usize,
    /// How strongly w is drawn to its mean; 0 not at all.
    pub pull: f64,
    /// Seed of the samples.
    pub seed: u64,
}

impl Default for Search {
    fn default() -> Self {
        Search { space: Space::WPlus, steps: 300, starts: STARTS, pull: 1e-4, seed: 0 }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Projection {
    /// The latents.
    pub latents: Latents,
    /// Likeness of what they paint, dB.
    pub psnr_db: f64,
    /// Mean squared difference of features over their mean square: 0 for the same picture, about 1 and more for another.
    pub features: f64,
    /// Root mean square of w's deviation from its mean, in deviations of w: about 1 for a picture of the model's own, more the less the
    /// model knows such pictures.
    pub off_centre: f64,
}

/// A generator with what is known of its w.
pub struct WSpace<'a> {
    /// The network.
    pub generator: &'a Generator,
    /// Its weights.
    pub weights: &'a Bound<Tensor>,
    /// Mean of w, `[1, w_dim]`.
    pub mean: Tensor,
    /// Standard deviation of w, `[1, w_dim]`.
    pub spread: Tensor,
    /// Samples of w, `[n, w_dim]`, to start from.
    pub samples: Tensor,
}

impl WSpace<'_> {
    fn stages(&self) -> usize {
        self.generator.stages()
    }

    pub(crate) fn bound(&self, tape: &Tape<f32>) -> Bound<Var<f32>> {
        self.weights.iter().map(|(name, t)| (name.clone(), tape.constant(t.clone()))).collect()
    }

    pub(crate) fn paint(&self, ws: &[Tensor]) -> Tensor {
        self.generator.synthesize(self.weights, ws)
    }

    /// From units of the spread to w.
    pub(crate) fn w<A: Array<T = f32>>(&self, v: &A) -> A {
        v.mul(&v.lift(self.spread.clone())).add(&v.lift(self.mean.clone()))
    }

    pub(crate) fn v(&self, w: &Tensor) -> Tensor {
        let inverse = Tensor::new(self.spread.shape(), self.spread.data().iter().map(|s| 1.0 / s.max(1e-6)).collect());
        w.sub(&self.mean).mul(&inverse)
    }
}

/// The latents that paint `target`, `[1, h, w, 3]` in -1..1, most nearly. `watch` is shown the step, of how many, and what is painted
/// (`[1, h, w, 3]`) every now and then; when it says false the search ends with what it has.
pub fn project(
    space: &WSpace<'_>,
    net: &FeatureNet,
    target: &Tensor,
    search: &Search,
    watch: &mut dyn FnMut(usize, usize, &Tensor) -> bool,
) -> Projection {
    let likeness = Likeness::to(target, net);
    let mut descents: Vec<Descent> = starts(space, &likeness, search).into_iter().map(Descent::from).collect();
    let first = if descents.len() > 1 { search.steps / 10 } else { 0 };
    for descent in &mut descents {
        for step in 0..first {
            descent.step(space, &likeness, search, step, true);
        }
    }
    let best = descents.into_iter().min_by(|a, b| a.loss.total_cmp(&b.loss));
    let mut descent = best.unwrap_or_else(|| Descent::from(space.v(&space.mean)));
    let shared = if search.space == Space::W { search.steps } else { (search.steps as f64 * SHARED) as usize };
    for step in first..search.steps {
        if step == shared {
            descent.part(space.stages());
        }
        let painted = descent.step(space, &likeness, search, step, step < shared);
        if step % 10 == 0 && !watch(step, search.steps, &painted) {
            break;
        }
    }
    finish(space, net, &likeness, descent)
}

/// Samples whose pictures are most alike, in units of the spread, and the mean.
fn starts(space: &WSpace<'_>, likeness: &Likeness<'_>, search: &Search) -> Vec<Tensor> {
    let mut rows: Vec<usize> = (0..space.samples.shape()[0]).collect();
    Rng::stream(search.seed, "projection").shuffle(&mut rows);
    rows.truncate(SAMPLES);
    let paint = |i: &usize| {
        let w = space.samples.narrow(0, *i, 1);
        let picture = space.paint(&vec![w.clone(); space.stages()]);
        (f64::from(likeness.pixels(&picture).item()), w)
    };
    let mut found: Vec<(f64, Tensor)> = rows.iter().map(paint).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.truncate(search.starts.max(1));
    found.into_iter().map(|(_, w)| space.v(&w)).collect()
}

/// One search on its way.
struct Descent {
    /// In units of the spread: one for all stages, or one each.
    vs: Vec<Tensor>,
    momenta: Vec<[Tensor; 2]>,
    t: u64,
    loss: f64,
}

impl From<Tensor> for Descent {
    fn from(v: Tensor) -> Self {
        let zeros = Tensor::zeros(v.shape());
        Descent { momenta: vec![[zeros.clone(), zeros]], vs: vec![v], t: 0, loss: f64::INFINITY }
    }
}

impl Descent {
    /// One for each stage from here on.
    fn part(&mut self, stages: usize) {
        if self.vs.len() == 1 {
            self.vs = vec![self.vs[0].clone(); stages];
            self.momenta = vec![self.momenta[0].clone(); stages];
        }
    }

    /// The latents of every stage.
    fn latents(&self, space: &WSpace<'_>) -> Latents {
        let ws: Vec<Tensor> = self.vs.iter().map(|v| space.w(v)).collect();
        let stages = (0..space.stages()).map(|i| ws[i.min(ws.len() - 1)].clone()).collect();
        Latents { stages }
    }

    /// One step; gives what was painted before it.
    fn step(&mut self, space: &WSpace<'_>, likeness: &Likeness<'_>, search: &Search, step: usize, shared: bool) -> Tensor {
        let tape = Tape::new();
        let leaves: Vec<Var<f32>> = self.vs.iter().map(|v| tape.leaf(v.clone())).collect();
        let ws: Vec<Var<f32>> = leaves.iter().map(|v| space.w(v)).collect();
        let all: Vec<Var<f32>> = (0..space.stages()).map(|i| ws[i.min(ws.len() - 1)].clone()).collect();
        let picture = space.generator.synthesize(&space.bound(&tape), &all);
        let done = step as f64 / search.steps.max(1) as f64;
        let mut loss = likeness.pixels(&picture).reshape(&[1]);
        // The features show the way while the picture is far off; at the end pixels decide.
        if done < 0.7 {
            loss = loss.add(&likeness.features(&likeness.bound(&tape), &picture).scale(FEATURES));
        }
        for v in &leaves {
            loss = loss.add(&v.square().mean().reshape(&[1]).scale(search.pull / leaves.len() as f64));
        }
        self.loss = f64::from(loss.value().item());
        let gradients = backward(&[(&loss, Tensor::full(&[1], 1.0))], &leaves.iter().collect::<Vec<_>>());
        // A cosine to zero; half as long where every stage has its own.
        let length = STEP * if shared { 1.0 } else { 0.5 } * (0.5 + 0.5 * (std::f64::consts::PI * done).cos()).max(0.02);
        self.t += 1;
        for ((v, [m, s]), g) in self.vs.iter_mut().zip(&mut self.momenta).zip(&gradients) {
            adam_step(v, m, s, g, AdamStep { lr: length, beta1: 0.9, beta2: 0.99, eps: 1e-8, t: self.t });
        }
        picture.tensor()
    }
}

fn finish(space: &WSpace<'_>, net: &FeatureNet, likeness: &Likeness<'_>, descent: Descent) -> Projection {
    let latents = descent.latents(space);
    let picture = space.paint(&latents.stages);
    let features = f64::from(likeness.features(&net.weights().eager(), &picture).item());
    let count: usize = descent.vs.iter().map(|v| v.len()).sum();
    let square: f64 = descent.vs.iter().flat_map(|v| v.data()).map(|&x| f64::from(x).powi(2)).sum();
    Projection { psnr_db: likeness.psnr_db(&picture), features, off_centre: (square / count as f64).sqrt(), latents }
}
