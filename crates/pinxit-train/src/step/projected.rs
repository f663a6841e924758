//! The turns of the projected discriminator (Sauer et al. 2021): frozen features (and the picture itself), trained heads.
//!
//! ```text
//! reals ── features, at once ────────────┐
//! fakes ── features, on a tape ─┬─ values ┴─ heads, on a tape of their own ── loss ──> the heads' gradient
//!                               └─ values ── heads, frozen ── loss, energy ──> gradient in the features ──> in the fakes
//! ```
//! The features of the fakes are computed once and serve both turns, whatever the order of learning.
use super::Turn;
use crate::batch;
use crate::config::TrainConfig;
use crate::energy;
use crate::loss::Loss;
use crate::state::{State, Sums};
use pinxit_dataset::Dataset;
use pinxit_nn::{Bound, Labels, ProjectedDiscriminator, View, Weights};
use pinxit_tensor::{Array, Rng, Tape, Tensor, Var, backward, grad};

/// Real pictures from which the spread of the features is taken.
const CALIBRATION: usize = 64;

/// The pictures for [`ProjectedJudge::new`]: a pure function of dataset and seed.
pub fn calibration(dataset: &Dataset, seed: u64) -> Tensor {
    let mut rows = dataset.train().to_vec();
    Rng::stream(seed, "calibration").shuffle(&mut rows);
    rows.truncate(CALIBRATION);
    batch::pictures(dataset, &rows)
}

/// The discriminator with what is fixed for a whole run.
pub struct ProjectedJudge {
    net: ProjectedDiscriminator,
    frozen: Weights,
    /// Factor on each feature map.
    scale: Vec<f64>,
    /// Mean distance between real pictures in each pooled, scaled map.
    unit: Vec<f64>,
}

/// Features of a batch.
pub(super) struct Sight {
    /// Scaled features of the reals.
    real: Vec<Tensor>,
    /// The augmented fakes, a leaf.
    fake: Var<f32>,
    /// Their features on the tape, not scaled.
    features: Vec<Var<f32>>,
    /// Scaled features of the fakes.
    scaled: Vec<Tensor>,
}

impl ProjectedJudge {
    /// Calibrates on real pictures `[n, h, w, 3]` (see [`calibration`]): no state of its own, so a resumed run finds the same
    /// factors.
    pub fn new(net: ProjectedDiscriminator, reals: &Tensor, config: &TrainConfig) -> Self {
        let frozen = net.frozen().kept();
        let features = net.features(&frozen.eager(), reals, &View::Whole);
        let scale: Vec<f64> =
            features.iter().map(|f| if config.projected.standardise { 1.0 / deviation(f) } else { 1.0 }).collect();
        let pools = features.iter().zip(&scale).map(|(f, &k)| energy::pooled(&f.scale(k), config.projected.energy_pool));
        let unit = pools.map(|rows| energy::unit(&rows)).collect();
        ProjectedJudge { net, frozen, scale, unit }
    }

    /// Number of heads.
    pub fn head_count(&self) -> usize {
        self.net.head_count()
    }

    /// First weights of the heads, and the first singular vectors for their spectral norm (none where it is off).
    pub fn init(&self, config: &TrainConfig) -> (Weights, Weights) {
        let heads = self.net.init(config.seed);
        let vectors = if config.projected.spectral_norm { self.net.spectral_init(&heads, config.seed) } else { Weights::new() };
        (heads, vectors)
    }

    /// Moves them once.
    pub(super) fn spectral_step(&self, state: &mut State, config: &TrainConfig) {
        if config.projected.spectral_norm {
            self.net.spectral_step(&state.discriminator.weights, &mut state.spectral);
        }
    }

    /// The heads' weights as they act.
    fn normalized<A: Array<T = f32>>(&self, p: &Bound<A>, state: &State, config: &TrainConfig) -> Bound<A> {
        if config.projected.spectral_norm { self.net.normalized(p, &state.spectral) } else { p.clone() }
    }

    /// From where to look at `n` reals and as many fakes: both from near with probability `projected.near`, where that is another view.
    pub(super) fn views(&self, config: &TrainConfig, rng: &mut Rng, n: usize) -> [View; 2] {
        let ((rows, columns), (height, width)) = (self.net.config.resolution, self.net.config.feature_size);
        let near = rng.chance(config.projected.near) && rows >= height && columns >= width && (rows, columns) != (height, width);
        let mut corner = |side: usize, window: usize| rng.below(side - window + 1);
        let mut windows = || View::Windows((0..n).map(|_| (corner(rows, height), corner(columns, width))).collect());
        if near { [windows(), windows()] } else { [View::Whole, View::Whole] }
    }

    /// Looks at reals and fakes, `[n, h, w, 3]` both, each in its view.
    pub(super) fn see(&self, real: &Tensor, fake: &Tensor, views: &[View; 2]) -> Sight {
        let scaled = |maps: Vec<Tensor>| maps.iter().zip(&self.scale).map(|(f, &k)| f.scale(k)).collect();
        let real = scaled(self.net.features(&self.frozen.eager(), real, &views[0]));
        let tape = Tape::new();
        let fake = tape.leaf(fake.clone());
        let features = self.net.features(&self.frozen.bind(|_, t| tape.constant(t.clone())), &fake, &views[1]);
        let scaled = scaled(features.iter().map(|f| f.value().clone()).collect());
        Sight { real, fake, features, scaled }
    }

    /// Loss of the heads, with the penalty on the features' gradients where it is asked for.
    pub(super) fn discriminator_turn(&self, state: &State, sight: &Sight, labels: &Labels, config: &TrainConfig) -> Turn {
        let (tape, n) = (Tape::new(), labels.len());
        let penalised = config.projected.penalty > 0.0;
        let params = state.discriminator.weights.bind(|_, t| tape.leaf(t.clone()));
        let normal = self.normalized(&params, state, config);
        let place = |t: Tensor| if penalised { tape.leaf(t) } else { tape.constant(t) };
        let both: Vec<Var<f32>> =
            sight.real.iter().zip(&sight.scaled).map(|(r, f)| place(Tensor::concat(&[r.clone(), f.clone()], 0))).collect();
        let scores = self.net.heads(&normal, &both, &labels.twice());
        let half = |start: usize| -> Vec<Tensor> { scores.iter().map(|s| s.value().narrow(0, start, n)).collect() };
        let (real, fake) = (half(0), half(n));
        let seeds = config.loss.discriminator(&real, &fake);
        let mut outs: Vec<(&Var<f32>, Tensor)> = Vec::new();
        for ((s, r), f) in scores.iter().zip(&seeds.real).zip(&seeds.fake) {
            outs.push((s, Tensor::concat(&[r.clone(), f.clone()], 0)));
        }
        let penalty = penalised.then(|| penalty(&scores, &both, n));
        if let Some(p) = &penalty {
            outs.push((p, Tensor::full(p.value().shape(), (config.projected.penalty / 2.0) as f32)));
        }
        let grads = params.named(backward(&outs, &params.values()));
        let norm = penalty.map_or(0.0, |p| f64::from(p.value().item()) / 2.0);
        Turn { grads, sums: Sums { loss_d: seeds.loss, penalty: norm, ..summary(&real, &fake) }, fakes: None }
    }

    /// The generator's loss, and its gradient in the augmented fakes.
    pub(super) fn generator_turn(&self, state: &State, sight: &Sight, labels: &Labels, config: &TrainConfig) -> (f64, Tensor) {
        let tape = Tape::new();
        let now = self.normalized(&state.discriminator.weights.eager(), state, config);
        let params: Bound<Var<f32>> = now.iter().map(|(name, t)| (name.clone(), tape.constant(t.clone()))).collect();
        let leaves: Vec<Var<f32>> = sight.scaled.iter().map(|f| tape.leaf(f.clone())).collect();
        let scores = self.net.heads(&params, &leaves, labels);
        let fake: Vec<Tensor> = scores.iter().map(|s| s.value().clone()).collect();
        let real = match config.loss {
            Loss::Hinge => fake.clone(), // not looked at
            Loss::Relativistic => self.net.heads(&now, &sight.real, labels),
        };
        let seeds = config.loss.generator(&real, &fake);
        let outs: Vec<(&Var<f32>, Tensor)> = scores.iter().zip(seeds.fake).collect();
        let mut grads = backward(&outs, &leaves.iter().collect::<Vec<_>>());
        if config.projected.energy > 0.0 {
            self.add_energy(sight, labels, config, &mut grads);
        }
        let back: Vec<(&Var<f32>, Tensor)> =
            sight.features.iter().zip(grads.iter().zip(&self.scale).map(|(g, &k)| g.scale(k))).collect();
        let gradient = backward(&back, &[&sight.fake]).swap_remove(0);
        (seeds.loss, gradient)
    }

    /// Adds the energy distance's gradient in each scaled feature map.
    fn add_energy(&self, sight: &Sight, labels: &Labels, config: &TrainConfig, grads: &mut [Tensor]) {
        let (side, share) = (config.projected.energy_pool, config.projected.energy / grads.len() as f64);
        for (k, g) in grads.iter_mut().enumerate() {
            let (real, fake) = (energy::pooled(&sight.real[k], side), energy::pooled(&sight.scaled[k], side));
            let (_, slope) = energy::energy(&real, &fake, labels, self.unit[k]);
            *g = g.add(&energy::pooled_grad(&slope.scale(share), sight.scaled[k].shape(), side));
        }
    }
}

/// Mean over the `2n` samples' halves of the squared gradient of each sample's score (mean over pixels, sum over heads) in the
/// features: R1 + R2 on features. Recorded, so that it can be differentiated.
fn penalty(scores: &[Var<f32>], features: &[Var<f32>], n: usize) -> Var<f32> {
    let one = |s: &Var<f32>| {
        let pixels = (s.shape()[1] * s.shape()[2]) as f64;
        s.sum().scale(1.0 / pixels)
    };
    let sum = |terms: Vec<Var<f32>>| terms.into_iter().reduce(|a, b| a.add(&b));
    let Some(total) = sum(scores.iter().map(one).collect()) else { return features[0].sum().scale(0.0) };
    let slopes = grad(&total, &features.iter().collect::<Vec<_>>());
    let squares = slopes.iter().map(|g| g.square_sum_to(&vec![1; g.shape().len()]).scale(1.0 / n as f64)).collect();
    sum(squares).unwrap_or_else(|| total.scale(0.0))
}

/// Standard deviation of all values.
fn deviation(t: &Tensor) -> f64 {
    let n = t.len().max(1) as f64;
    let mean = t.data().iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = t.data().iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    variance.sqrt().max(1e-6)
}

/// Mean scores per picture (mean over pixels and heads) of both halves, and how often the real one is higher.
fn summary(real: &[Tensor], fake: &[Tensor]) -> Sums {
    let n = real.first().map_or(1, |t| t.shape()[0]);
    let per_picture = |maps: &[Tensor]| -> Vec<f64> {
        let mut out = vec![0.0; n];
        for map in maps {
            let size = (map.len() / n).max(1);
            for (o, m) in out.iter_mut().zip(map.data().chunks_exact(size)) {
                *o += m.iter().map(|&v| f64::from(v)).sum::<f64>() / (size * maps.len()) as f64;
            }
        }
        out
    };
    let (r, f) = (per_picture(real), per_picture(fake));
    let share = 1.0 / n as f64;
    Sums {
        steps: 1,
        real: r.iter().sum::<f64>() * share,
        fake: f.iter().sum::<f64>() * share,
        accuracy: r.iter().zip(&f).filter(|(r, f)| r > f).count() as f64 * share,
        ..Sums::default()
    }
}
