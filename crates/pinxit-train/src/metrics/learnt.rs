//! A second pair of eyes: features of a network that learnt nothing but to tell this collection's own labels apart.
//!
//! The projected discriminator looks through the network that the first metrics stand on, which flatters it. This one has seen no
//! picture but the collection's, and no discriminator has looked through it. It has the layers of the own discriminator, whose
//! score of a picture and a label is a product of features and the label's row: over all labels that is a linear classifier.
use super::{Eye, LEAST_PICTURES};
use crate::augment::{AugmentConfig, Plan};
use crate::auto::{self, Collection};
use crate::{Error, Result, TrainConfig, batch};
use pinxit_dataset::Dataset;
use pinxit_nn::{OwnConfig, OwnDiscriminator, Weights};
use pinxit_tensor::optim::{AdamStep, adam_step};
use pinxit_tensor::{Array, Rng, Tape, Tensor, backward, with_precision};
use std::collections::BTreeMap;

/// Pictures shown while it learns: under a minute at 64 px on two cores. Whether more would tell more apart was not measured.
const SHOWN: usize = 24_000;
const BATCH: usize = 32;
const LR: f64 = 1e-3;
/// Training pictures that tell the spread of its features.
const MEASURED: usize = 1024;
/// A label with fewer training pictures is not learnt.
const LEAST_OF_LABEL: usize = 4;

/// The network, taught.
pub struct Learnt {
    net: OwnDiscriminator,
    weights: Weights,
    /// Labels it tells apart, and what they are.
    labels: usize,
    kind: &'static str,
    /// Mean and 1 / standard deviation of every feature over training pictures: the metrics expect features of about one.
    spread: Vec<(f32, f32)>,
}

/// Training pictures of each label.
struct Lesson {
    rows: Vec<Vec<u32>>,
    kind: &'static str,
}

impl Lesson {
    /// Classes (in their styles) where there are several; else the works that patches come from.
    fn of(dataset: &Dataset) -> Result<Self> {
        let by = |label: &dyn Fn(usize) -> Option<String>, kind| {
            let mut rows: BTreeMap<String, Vec<u32>> = BTreeMap::new();
            for &i in dataset.train() {
                if let Some(label) = label(i as usize) {
                    rows.entry(label).or_default().push(i);
                }
            }
            Lesson { rows: rows.into_values().filter(|r| r.len() >= LEAST_OF_LABEL).collect(), kind }
        };
        let named = |i: usize| Some(format!("{:?} {:?}", dataset.class(i)?, dataset.style(i)));
        let lessons = [by(&named, "classes"), by(&|i| Some(dataset.record(i).group.clone()), "works")];
        let usable =
            lessons.into_iter().find(|l| l.rows.len() > 1 && l.rows.iter().map(Vec::len).sum::<usize>() >= LEAST_PICTURES);
        usable
            .ok_or_else(|| Error::Config("its labels are too few, or have too few pictures, for a network to learn them".into()))
    }
}

impl Learnt {
    /// Teaches it on the training side of `dataset`; `progress(shown, total)` now and then.
    pub fn teach(dataset: &Dataset, seed: u64, progress: &mut dyn FnMut(usize, usize)) -> Result<Self> {
        let lesson = Lesson::of(dataset)?;
        let config = auto::auto(TrainConfig::own(), Collection::of(dataset), 1);
        let net =
            OwnDiscriminator::new(OwnConfig { classes: lesson.rows.len(), ..auto::own(&config, dataset.resolution(), 0, 0)? })?;
        let mut weights = net.init(seed);
        let mut means = (weights.zeros_like(), weights.zeros_like());
        let (mut rng, steps) = (Rng::stream(seed, "learnt features"), SHOWN / BATCH);
        for step in 0..steps {
            progress(step * BATCH, SHOWN);
            let wanted: Vec<usize> = (0..BATCH).map(|_| rng.below(lesson.rows.len())).collect();
            let rows: Vec<u32> = wanted.iter().map(|&l| lesson.rows[l][rng.below(lesson.rows[l].len())]).collect();
            let x = Plan::draw(&AugmentConfig::default(), &mut rng, BATCH, dataset.resolution(), false)
                .apply(&batch::pictures(dataset, &rows));
            let grads = with_precision(config.precision.resolved(), || net_grads(&net, &weights, &x, &wanted));
            let lr = LR * (1.0 - step as f64 / steps as f64);
            let adam = AdamStep { lr, beta1: 0.9, beta2: 0.99, eps: 1e-8, t: step as u64 + 1 };
            for (name, g) in &grads {
                adam_step(weights.get_mut(name), means.0.get_mut(name), means.1.get_mut(name), g, adam);
            }
        }
        if !weights.is_finite() {
            return Err(Error::Config("the network that learns the labels did not stay finite".into()));
        }
        let spread = vec![(0.0, 1.0); net.config.embed];
        let mut learnt = Learnt { net, weights, labels: lesson.rows.len(), kind: lesson.kind, spread };
        let mut rows = dataset.train().to_vec();
        rng.shuffle(&mut rows);
        let features: Vec<f32> = rows
            .chunks(BATCH)
            .take(MEASURED / BATCH)
            .flat_map(|part| learnt.describe(&batch::pictures(dataset, part)).to_vec())
            .collect();
        learnt.spread = spread_of(&features, learnt.net.config.embed);
        Ok(learnt)
    }

    /// As what the metrics look through.
    pub fn eye(&self) -> Eye<'_> {
        Eye::Learnt(self)
    }

    /// What it is, for people.
    pub fn name(&self) -> String {
        format!("learnt from the collection ({} {}), {} features", self.labels, self.kind, self.net.config.embed)
    }

    /// Features `[n, embed]` of pictures `[n, h, w, 3]` in -1..1, each of mean 0 and standard deviation 1 over training pictures.
    pub fn describe(&self, x: &Tensor) -> Tensor {
        let mut features = self.net.phi(&self.weights.eager(), x);
        for row in features.data_mut().chunks_exact_mut(self.spread.len()) {
            row.iter_mut().zip(&self.spread).for_each(|(v, (mean, scale))| *v = (*v - mean) * scale);
        }
        features
    }
}

/// Mean and 1 / standard deviation of each of `d` features.
fn spread_of(rows: &[f32], d: usize) -> Vec<(f32, f32)> {
    let n = (rows.len() / d).max(1) as f64;
    let of = |j: usize| {
        let column = || rows.iter().skip(j).step_by(d).map(|&v| f64::from(v));
        let mean = column().sum::<f64>() / n;
        let variance = column().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        (mean as f32, (1.0 / variance.sqrt().max(1e-6)) as f32)
    };
    (0..d).map(of).collect()
}

/// Gradient of the cross-entropy of `wanted` labels, mean over the pictures.
fn net_grads(net: &OwnDiscriminator, weights: &Weights, x: &Tensor, wanted: &[usize]) -> Weights {
    let tape = Tape::new();
    let p = weights.bind(|_, t| tape.leaf(t.clone()));
    let table = p.get("head.class").narrow(0, 0, net.config.classes);
    let logits = net.phi(&p, &tape.constant(x.clone())).matmul(&table, false, true);
    let slope = softmax_slope(logits.value(), wanted);
    p.named(backward(&[(&logits, slope)], &p.values()))
}

/// `(softmax(logits) - one_hot(wanted)) / n` of `logits` `[n, labels]`.
fn softmax_slope(logits: &Tensor, wanted: &[usize]) -> Tensor {
    let (n, labels) = (logits.shape()[0], logits.shape()[1]);
    let mut slope = logits.clone();
    for (row, &label) in slope.data_mut().chunks_exact_mut(labels).zip(wanted) {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|v| *v = (*v - most).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|v| *v /= sum * n as f32);
        row[label] -= 1.0 / n as f32;
    }
    slope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_cross_entropy() {
        let (logits, wanted) = (Rng::new(1).normal_tensor::<f32>(&[3, 4]), [2, 0, 3]);
        let loss = |l: &Tensor| -> f64 {
            let row = |(row, &w): (&[f32], &usize)| row.iter().map(|&v| f64::from(v).exp()).sum::<f64>().ln() - f64::from(row[w]);
            l.data().chunks_exact(4).zip(&wanted).map(row).sum::<f64>() / 3.0
        };
        let slope = softmax_slope(&logits, &wanted);
        for at in 0..12 {
            let moved = |e: f32| {
                let mut l = logits.clone();
                l.data_mut()[at] += e;
                loss(&l)
            };
            let found = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((found - f64::from(slope.data()[at])).abs() < 1e-4, "{at}: {found} {}", slope.data()[at]);
        }
    }
}
