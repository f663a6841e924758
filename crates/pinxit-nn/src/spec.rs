//! What a network declares of each weight: name, shape, first values. One list serves initialisation and the check of files.
use pinxit_tensor::{Rng, Tensor};

use crate::Weights;

/// How a weight begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Init {
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform in -bound..bound.
    Uniform(f64),
    /// The same value everywhere.
    Constant(f64),
}

/// One weight of a network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spec {
    pub name: String,
    pub shape: Vec<usize>,
    pub init: Init,
}

impl Spec {
    pub fn new(name: impl Into<String>, shape: &[usize], init: Init) -> Self {
        Spec { name: name.into(), shape: shape.to_vec(), init }
    }
}

/// First values of all weights. Each has its own random stream, by seed and name, so that adding one never changes another.
pub(crate) fn initialise(specs: &[Spec], seed: u64) -> Weights<f32> {
    specs.iter().map(|s| (s.name.clone(), first_values(s, seed))).collect()
}

fn first_values(spec: &Spec, seed: u64) -> Tensor<f32> {
    let mut rng = Rng::stream(seed, &format!("init {}", spec.name));
    match spec.init {
        Init::Normal(std) => Tensor::from_fn(&spec.shape, |_| (rng.normal() as f64 * std) as f32),
        Init::Uniform(bound) => Tensor::from_fn(&spec.shape, |_| ((rng.uniform() as f64 * 2.0 - 1.0) * bound) as f32),
        Init::Constant(v) => Tensor::full(&spec.shape, v as f32),
    }
}

/// The label tables under `prefix`, for so many classes, styles and words; those of styles and words exist only where there are any.
pub(crate) fn label_tables(prefix: &str, [classes, styles, words]: [usize; 3], width: usize, init: Init) -> Vec<Spec> {
    let table = |name: &str, count: usize| Spec::new(format!("{prefix}.{name}"), &[count + 1, width], init);
    let others = [("style", styles), ("words", words)].into_iter().filter(|&(_, count)| count > 0);
    [table("class", classes)].into_iter().chain(others.map(|(name, count)| table(name, count))).collect()
}
