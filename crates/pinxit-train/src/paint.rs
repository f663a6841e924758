//! Fakes: painted on a tape to be learnt from, or at once to be looked at.
use crate::TrainConfig;
use pinxit_nn::{Bound, Generator, Labels, Weights};
use pinxit_tensor::{Array, Rng, Tape, Tensor, Var, backward};
use std::ops::Range;

/// What the fakes of a whole batch are painted from.
pub struct Latents {
    z: Tensor,
    /// The z that stages from this one upwards take instead.
    mixed: Option<(usize, Tensor)>,
}

impl Latents {
    /// One for each of `n` fakes; with probability `style_mixing` the whole batch takes the w of a second z from some stage
    /// upwards (Karras et al. 2019).
    pub fn draw(generator: &Generator, n: usize, config: &TrainConfig, rng: &mut Rng) -> Self {
        let (shape, stages) = ([n, generator.config.z_dim], generator.stages());
        let z = rng.normal_tensor(&shape);
        let mixed =
            (stages > 1 && rng.chance(config.style_mixing)).then(|| (1 + rng.below(stages - 1), rng.normal_tensor(&shape)));
        Latents { z, mixed }
    }

    /// Those of some fakes.
    pub fn part(&self, of: Range<usize>) -> Self {
        let rows = |z: &Tensor| z.narrow(0, of.start, of.len());
        Latents { z: rows(&self.z), mixed: self.mixed.as_ref().map(|(from, z)| (*from, rows(z))) }
    }
}

/// Fakes of one step and the tape they were painted on.
pub struct Fakes {
    params: Bound<Var<f32>>,
    pictures: Var<f32>,
}

impl Fakes {
    /// Paints one fake for each latent, with these labels.
    pub fn paint(generator: &Generator, weights: &Weights, latents: &Latents, labels: &Labels) -> Self {
        let tape = Tape::new();
        let params = weights.bind(|_, t| tape.leaf(t.clone()));
        let w = |z: &Tensor| generator.mapping(&params, &tape.constant(z.clone()), labels);
        let mut ws = vec![w(&latents.z); generator.stages()];
        if let Some((from, z)) = &latents.mixed {
            let other = w(z);
            ws[*from..].iter_mut().for_each(|w| *w = other.clone());
        }
        let pictures = generator.synthesize(&params, &ws);
        Fakes { params, pictures }
    }

    /// The pictures, `[n, h, w, 3]`, about -1..1.
    pub fn pictures(&self) -> &Tensor {
        self.pictures.value()
    }

    /// Gradient in every weight of the generator, from the gradient in the pictures.
    pub fn learn(&self, gradient: Tensor) -> Weights {
        self.params.named(backward(&[(&self.pictures, gradient)], &self.params.values()))
    }
}

/// Pictures looked at once, in parts of this many, so that memory stays bounded.
const PART: usize = 32;

/// Paints latents `z` `[n, z_dim]` with these labels, giving each part's pictures `[part, h, w, 3]` to `see` in order.
pub fn show(generator: &Generator, weights: &Weights, z: &Tensor, labels: &Labels, mut see: impl FnMut(Tensor)) {
    let (p, d, n) = (generator.plan(weights), generator.config.z_dim, labels.len());
    for start in (0..n).step_by(PART) {
        let len = PART.min(n - start);
        let z = Tensor::new(&[len, d], z.data()[start * d..][..len * d].to_vec());
        see(generator.generate(&p, &z, &labels.part(start..start + len)));
    }
}
