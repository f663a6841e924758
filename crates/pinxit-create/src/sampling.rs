//! From a recipe to latents: its seed, its labels, its truncation, and the operations on latents in their order.
use std::collections::BTreeMap;

use pinxit_nn::{Bound, Generator, Labels, Vocabulary};
use pinxit_tensor::{Array, Rng, Tensor};

use crate::latents::{Latents, lerp, slerp};
use crate::project::WSpace;
use crate::{Error, Operation, Recipe, Result};

/// Latents averaged for the mean w of a label: 4096 puts its error near 1.5 % of the spread of w.
const MEAN_SAMPLES: usize = 4096;
/// Latents mapped at once for the mean.
const MEAN_BATCH: usize = 256;
/// Seed of the latents behind the mean w; part of what a recipe means, never to change within recipe version 1.
const MEAN_SEED: u64 = 0;

/// Class and style as the network counts them (the count itself means "no label"), and words.
pub(crate) type LabelSet = (u32, u32, Vec<u32>);

/// Mean and standard deviation of w for one set of labels, each `[1, w_dim]`.
#[derive(Clone)]
pub(crate) struct Moments {
    pub mean: Tensor,
    pub spread: Tensor,
}

/// What samples are drawn with.
pub(crate) struct Sampling<'a> {
    pub generator: &'a Generator,
    pub weights: &'a Bound<Tensor>,
    pub classes: &'a [String],
    pub styles: &'a [String],
    pub vocabulary: &'a Vocabulary,
    pub moments: &'a BTreeMap<LabelSet, Moments>,
}

/// Seed, labels and truncation of one sample.
struct Sample<'a> {
    seed: u64,
    class: Option<&'a str>,
    style: Option<&'a str>,
    caption: Option<&'a str>,
    psi: f64,
}

impl<'a> Sample<'a> {
    fn of(recipe: &'a Recipe) -> Self {
        let [class, style, caption] = [&recipe.class, &recipe.style, &recipe.caption].map(Option::as_deref);
        Sample { seed: recipe.seed, class, style, caption, psi: recipe.psi }
    }

    /// The other sample of a mix.
    fn mixed(operation: &'a Operation) -> Option<Self> {
        let Operation::Mix { seed, class, style, caption, psi, .. } = operation else { return None };
        Some(Sample { seed: *seed, class: class.as_deref(), style: style.as_deref(), caption: caption.as_deref(), psi: *psi })
    }
}

impl<'a> Sampling<'a> {
    /// The latents of a recipe. What [`Sampling::needs`] names must be there.
    pub fn latents(&self, recipe: &Recipe) -> Result<Latents> {
        let mut z = self.z(recipe.seed);
        let at_z = recipe.operations.iter().take_while(|op| matches!(op, Operation::Slerp { .. })).count();
        for operation in &recipe.operations[..at_z] {
            if let Operation::Slerp { seed, by } = operation {
                z = slerp(&z, &self.z(*seed), *by);
            }
        }
        let w = self.truncated(&z, &Sample::of(recipe))?;
        let mut latents = Latents::same(w, self.generator.stages());
        recipe.operations[at_z..].iter().try_for_each(|operation| self.edit(operation, recipe, &mut latents))?;
        Ok(latents)
    }

    /// Does one operation, if it is one on latents.
    fn edit(&self, operation: &Operation, recipe: &Recipe, latents: &mut Latents) -> Result<()> {
        let (count, dim) = (self.generator.stages(), self.generator.config.w_dim);
        let stages = operation.stages();
        if let Some(high) = stages.into_iter().flatten().find(|s| **s >= count) {
            return Err(Error::Misfit(format!("there is no stage {high}: this model has stages 0 to {}", count - 1)));
        }
        match operation {
            Operation::Slerp { .. } => return Err(Error::Misfit("a slerp comes before all other operations".into())),
            Operation::Mix { by, .. } => {
                if let Some(other) = Sample::mixed(operation) {
                    let other = self.truncated(&self.z(other.seed), &other)?;
                    latents.change(stages, |_, w| lerp(w, &other, *by));
                }
            }
            Operation::Truncate { psi, .. } => {
                let moments = self.moments(&self.labels(recipe)?);
                latents.change(stages, |_, w| lerp(&moments.mean, w, *psi));
            }
            Operation::Move { direction, by, .. } => {
                let direction = one_w(&direction.0, dim)?.scale(*by);
                latents.change(stages, |_, w| w.add(&direction));
            }
            Operation::Latents { w, .. } => {
                let found = Latents::from_numbers(&w.0, count, dim);
                let found = found.ok_or_else(|| {
                    Error::Misfit(format!("it holds {} numbers where the model has {}", w.0.len(), count * dim))
                })?;
                latents.change(stages, |i, _| found.stages[i].clone());
            }
            Operation::Mutate { seed, by, .. } => {
                let moments = self.moments(&self.labels(recipe)?);
                let noise = Rng::stream(*seed, "mutation").normal_tensor(&[1, dim]).mul(&moments.spread).scale(*by);
                latents.change(stages, |_, w| w.add(&noise));
            }
            Operation::Bend(bend) => match bend.fault(&self.generator.config.channels) {
                Some(fault) => return Err(Error::Misfit(fault)),
                None => return Ok(()),
            },
            Operation::Enlarge { .. } => {}
        }
        Ok(())
    }

    /// The labels whose moments a recipe needs.
    pub fn needs(&self, recipe: &Recipe) -> Result<Vec<LabelSet>> {
        let mut needed = Vec::new();
        let own = self.labels(recipe)?;
        for operation in &recipe.operations {
            if let Some(other) = Sample::mixed(operation) {
                let labels = self.labels_of(&other)?;
                needed.extend((other.psi != 1.0).then_some(labels));
            }
        }
        let is_own_needed = |op: &Operation| matches!(op, Operation::Truncate { .. } | Operation::Mutate { .. });
        if recipe.psi != 1.0 || recipe.operations.iter().any(is_own_needed) {
            needed.push(own);
        }
        Ok(needed)
    }

    fn z(&self, seed: u64) -> Tensor {
        Rng::stream(seed, "latents").normal_tensor(&[1, self.generator.config.z_dim])
    }

    fn truncated(&self, z: &Tensor, sample: &Sample<'_>) -> Result<Tensor> {
        let labels = self.labels_of(sample)?;
        let w = self.map(z, std::slice::from_ref(&labels));
        Ok(if sample.psi == 1.0 {
            w
        } else {
            let mean = &self.moments(&labels).mean;
            mean.add(&w.sub(mean).scale(sample.psi))
        })
    }

    /// Those that were computed before; here where they were not.
    fn moments(&self, labels: &LabelSet) -> std::borrow::Cow<'a, Moments> {
        match self.moments.get(labels) {
            Some(found) => std::borrow::Cow::Borrowed(found),
            None => std::borrow::Cow::Owned(self.moments_of(labels)),
        }
    }

    /// z `[n, z_dim]` to w `[n, w_dim]`, with labels for each row.
    fn map(&self, z: &Tensor, labels: &[LabelSet]) -> Tensor {
        let labels = Labels {
            class: labels.iter().map(|l| l.0).collect(),
            style: labels.iter().map(|l| l.1).collect(),
            words: labels.iter().map(|l| l.2.clone()).collect(),
        };
        self.generator.mapping(self.weights, z, &labels)
    }

    /// Mean and deviation of w with these labels.
    pub fn moments_of(&self, labels: &LabelSet) -> Moments {
        let mut rng = Rng::stream(MEAN_SEED, "truncation");
        let (mut sum, mut squares) = (vec![0.0f64; self.generator.config.w_dim], vec![0.0f64; self.generator.config.w_dim]);
        for _ in 0..MEAN_SAMPLES / MEAN_BATCH {
            let z = rng.normal_tensor(&[MEAN_BATCH, self.generator.config.z_dim]);
            let w = self.map(&z, &vec![labels.clone(); MEAN_BATCH]);
            for row in w.data().chunks_exact(sum.len()) {
                for ((s, q), x) in sum.iter_mut().zip(&mut squares).zip(row) {
                    *s += f64::from(*x);
                    *q += f64::from(*x) * f64::from(*x);
                }
            }
        }
        let n = MEAN_SAMPLES as f64;
        let spread = sum.iter().zip(&squares).map(|(s, q)| (q / n - (s / n).powi(2)).max(0.0).sqrt() as f32).collect();
        let mean = sum.iter().map(|s| (s / n) as f32).collect();
        Moments { mean: Tensor::new(&[1, sum.len()], mean), spread: Tensor::new(&[1, sum.len()], spread) }
    }

    /// w over all labels, with `samples` of it.
    pub fn space(&self, samples: usize, seed: u64, mut draw: impl FnMut(&mut Rng) -> LabelSet) -> WSpace<'a> {
        let mut rng = Rng::stream(seed, "space");
        let dim = self.generator.config.w_dim;
        let mut rows = Vec::with_capacity(samples * dim);
        for _ in 0..samples.div_ceil(MEAN_BATCH) {
            let labels: Vec<LabelSet> = (0..MEAN_BATCH).map(|_| draw(&mut rng)).collect();
            let z = rng.normal_tensor(&[MEAN_BATCH, self.generator.config.z_dim]);
            rows.extend_from_slice(self.map(&z, &labels).data());
        }
        rows.truncate(samples * dim);
        let samples = Tensor::new(&[samples, dim], rows);
        let (mean, spread) = moments(&samples);
        WSpace { generator: self.generator, weights: self.weights, mean, spread, samples }
    }

    /// The labels of a recipe as the network counts them.
    pub fn labels(&self, recipe: &Recipe) -> Result<LabelSet> {
        self.labels_of(&Sample::of(recipe))
    }

    fn labels_of(&self, sample: &Sample<'_>) -> Result<LabelSet> {
        let class = label_index("class", sample.class, self.classes)?;
        let style = label_index("style", sample.style, self.styles)?;
        let words = sample.caption.map(|text| self.vocabulary.read(text).known).unwrap_or_default();
        Ok((class, style, words))
    }
}

/// Mean and standard deviation of rows `[n, d]`, each `[1, d]`.
fn moments(rows: &Tensor) -> (Tensor, Tensor) {
    let &[n, d] = rows.shape() else { panic!("rows are [n, d], not {:?}", rows.shape()) };
    let mean = rows.mean_to(&[1, d]);
    let centred = rows.sub(&mean);
    let spread = centred.square_sum_to(&[1, d]).data().iter().map(|q| (q / n.max(1) as f32).sqrt()).collect();
    (mean, Tensor::new(&[1, d], spread))
}

fn one_w(numbers: &[f32], dim: usize) -> Result<Tensor> {
    if numbers.len() != dim {
        return Err(Error::Misfit(format!("a direction of {} numbers where w has {dim}", numbers.len())));
    }
    Ok(Tensor::new(&[1, dim], numbers.to_vec()))
}

fn label_index(kind: &'static str, wanted: Option<&str>, known: &[String]) -> Result<u32> {
    let Some(wanted) = wanted else { return Ok(known.len() as u32) };
    match known.iter().position(|k| k == wanted) {
        Some(i) => Ok(i as u32),
        None => Err(Error::Label { kind, wanted: wanted.into(), known: known.to_vec() }),
    }
}
