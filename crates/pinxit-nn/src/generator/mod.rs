//! From a latent z and labels to pictures.
mod config;
mod style;

use pinxit_tensor::{Array, Tensor};

pub use config::{Architecture, GeneratorConfig, Preset};

use crate::{
    Bound, Labels, Weights,
    spec::{Spec, initialise},
};

/// A generator: its sizes, and the functions that run it. The weights live apart.
#[derive(Clone, Debug)]
pub struct Generator {
    /// Sizes.
    pub config: GeneratorConfig,
}

impl Generator {
    /// The generator of these sizes (see [`GeneratorConfig::validate`]).
    pub fn new(config: GeneratorConfig) -> Self {
        Generator { config }
    }

    /// First values, a pure function of the seed. Names that start with `mapping.` belong to the mapping network.
    pub fn init(&self, seed: u64) -> Weights<f32> {
        initialise(&self.specs(), seed)
    }

    /// The weights of many pictures to come: what every picture would pack or compute anew of them alone is done once. The
    /// pictures are the same to the last bit.
    pub fn plan(&self, weights: &Weights<f32>) -> Bound<Tensor> {
        let mut p = weights.kept().eager();
        match self.config.architecture {
            Architecture::Style => style::prepare(&self.config, &mut p),
        }
        p
    }

    /// Number of stages; each takes its own w.
    pub fn stages(&self) -> usize {
        self.config.stages()
    }

    /// z `[n, z_dim]`, standard normal, and labels to w `[n, w_dim]`.
    pub fn mapping<A: Array>(&self, p: &Bound<A>, z: &A, labels: &Labels) -> A {
        assert_eq!(z.shape()[0], labels.len(), "one label for each z");
        match self.config.architecture {
            Architecture::Style => style::mapping(p, z, labels),
        }
    }

    /// One w `[n, w_dim]` for each stage, coarse to fine, to pictures `[n, h, w, 3]`, about -1..1, not clamped.
    ///
    /// Style mixing gives another w to the later stages.
    pub fn synthesize<A: Array>(&self, p: &Bound<A>, ws: &[A]) -> A {
        self.synthesize_bent(p, ws, |_, map| map)
    }

    /// The same, where the map of each stage, `[n, h, w, c]` with sides of `base * 2^stage`, passes through `bend` before anything is
    /// made of it: to be looked at, or to be changed (network bending: Broad et al. 2021, arXiv 2005.12420).
    pub fn synthesize_bent<A: Array>(&self, p: &Bound<A>, ws: &[A], bend: impl FnMut(usize, A) -> A) -> A {
        match self.config.architecture {
            Architecture::Style => style::synthesize(&self.config, p, ws, bend),
        }
    }

    /// The affine maps `[w_dim, channels]` by which a stage reads its w: of its convolutions, of its colours, and of the base grid.
    pub fn affine_names(&self, stage: usize) -> Vec<String> {
        match self.config.architecture {
            Architecture::Style => style::affine_names(stage),
        }
    }

    /// z `[n, z_dim]` and labels straight to pictures `[n, h, w, 3]`, the same w in every stage.
    pub fn generate<A: Array>(&self, p: &Bound<A>, z: &A, labels: &Labels) -> A {
        let w = self.mapping(p, z, labels);
        self.synthesize(p, &vec![w; self.stages()])
    }

    /// Every weight with its shape.
    pub(crate) fn specs(&self) -> Vec<Spec> {
        match self.config.architecture {
            Architecture::Style => style::specs(&self.config),
        }
    }
}
