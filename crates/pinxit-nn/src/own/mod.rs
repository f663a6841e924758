//! The own discriminator: piecewise linear in its input, by type. RECIPE sections 1 and 3.
//!
//! Its layers are an enum with piecewise-linear variants only. That is what makes the one-pass exact R1 and R2 of
//! [`OwnDiscriminator::penalized_step`] right: a batch norm, an attention or a smooth activation would make that gradient
//! silently wrong, so there is no way to write one down here.
//!
//! ```text
//! space-to-depth 2x2 -> 1x1 -> per stage: x + W3x3(lrelu(W3x3(lrelu(x)))) [-> pool 2x2 -> 1x1 to the next width]
//! last map -> depthwise over the whole map -> linear -> phi;   score = <phi, e_class + e_style>
//! ```
mod step;

use pinxit_tensor::{Array, ConvSpec};
use serde::{Deserialize, Serialize};

pub use step::{PenalizedStep, Scored};

use crate::{
    Bound, Error, Labels, Preset, Result, Weights,
    labels::embed,
    spec::{Init, Spec, initialise, label_tables},
};

const SLOPE: f64 = 0.2;
const GAIN: f64 = 1.386_750_490_563_073; // sqrt(2 / (1 + 0.2^2)): keeps the variance through the leaky ReLU

/// Sizes of the own discriminator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnConfig {
    /// Channels of each stage, from half the picture's size downwards; each stage but the last halves the map.
    pub widths: Vec<usize>,
    /// Height and width of the pictures, px: multiples of 2 to the number of stages.
    pub resolution: (usize, usize),
    /// Length of phi and of the label embeddings.
    pub embed: usize,
    /// Number of classes, 0 for none.
    pub classes: usize,
    /// Number of styles, 0 for none.
    pub styles: usize,
    /// Number of words, 0 for none.
    pub words: usize,
}

impl OwnConfig {
    /// The preset's widths for pictures of `resolution` = (height, width) px.
    pub fn new(preset: Preset, resolution: (usize, usize), classes: usize, styles: usize) -> Self {
        OwnConfig { widths: preset.discriminator_widths().to_vec(), resolution, embed: 64, classes, styles, words: 0 }
    }

    /// Height and width of the last map, px.
    fn last_map(&self) -> (usize, usize) {
        let factor = 1 << self.widths.len();
        (self.resolution.0 / factor, self.resolution.1 / factor)
    }

    fn validate(&self) -> Result<()> {
        let ((h, w), factor) = (self.resolution, 1usize << self.widths.len().min(16));
        if self.widths.is_empty() || h == 0 || w == 0 || h % factor != 0 || w % factor != 0 {
            let stages = self.widths.len();
            return Err(Error::Config(format!(
                "a discriminator of {stages} stages needs sides that are multiples of {factor}, not {h}x{w}"
            )));
        }
        Ok(())
    }
}

/// A convolution with bias, stride 1, size kept.
#[derive(Clone, Debug)]
struct Conv {
    name: String,
    k: usize,
    ci: usize,
    co: usize,
    gain: f64,
}

impl Conv {
    fn spec(&self) -> ConvSpec {
        ConvSpec::same(self.k)
    }
    fn weight(&self) -> String {
        format!("{}.weight", self.name)
    }
    fn bias(&self) -> String {
        format!("{}.bias", self.name)
    }
}

/// Everything this discriminator may be made of. Only piecewise-linear layers: see the module text before adding one.
#[derive(Clone, Debug)]
enum Layer {
    Conv(Conv),
    LeakyRelu,
    Pool,
    SpaceToDepth,
    /// Remembers the map.
    Push,
    /// Adds the map remembered last.
    Add,
}

/// The discriminator: its sizes and layers. The weights live apart.
#[derive(Clone, Debug)]
pub struct OwnDiscriminator {
    /// Sizes.
    pub config: OwnConfig,
    layers: Vec<Layer>,
}

impl OwnDiscriminator {
    /// The discriminator of these sizes.
    pub fn new(config: OwnConfig) -> Result<Self> {
        config.validate()?;
        let layers = layers(&config);
        Ok(OwnDiscriminator { config, layers })
    }

    /// First values, a pure function of the seed. The last convolution of each block begins at zero (fix-up).
    pub fn init(&self, seed: u64) -> Weights<f32> {
        initialise(&self.specs(), seed)
    }

    /// Scores `[n, 1]` of pictures `[n, h, w, 3]`, -1..1; higher is more real.
    pub fn scores<A: Array>(&self, p: &Bound<A>, x: &A, labels: &Labels) -> A {
        self.phi(p, x).mul(&embed(p, "head", labels)).sum_to(&[x.shape()[0], 1])
    }

    /// What the score is made of, phi `[n, embed]`, of pictures `[n, h, w, 3]`, -1..1.
    pub fn phi<A: Array>(&self, p: &Bound<A>, x: &A) -> A {
        let (mut x, mut kept) = (x.clone(), Vec::new());
        for layer in &self.layers {
            x = match layer {
                Layer::Conv(c) => x.conv(p.get(&c.weight()), c.spec()).add_bias(p.get(&c.bias())),
                Layer::LeakyRelu => x.leaky_relu(SLOPE),
                Layer::Pool => x.pool2(),
                Layer::SpaceToDepth => x.space_to_depth(),
                Layer::Push => {
                    kept.push(x.clone());
                    x
                }
                Layer::Add => x.add(&popped(&mut kept)),
            };
        }
        head_linear(&x, p)
    }

    fn specs(&self) -> Vec<Spec> {
        let c = &self.config;
        let mut out = Vec::new();
        for layer in &self.layers {
            if let Layer::Conv(v) = layer {
                let std = v.gain / ((v.ci * v.k * v.k) as f64).sqrt();
                out.push(Spec::new(v.weight(), &[v.k, v.k, v.ci, v.co], Init::Normal(std)));
                out.push(Spec::new(v.bias(), &[v.co], Init::Constant(0.0)));
            }
        }
        let ((h, w), last) = (c.last_map(), c.widths[c.widths.len() - 1]);
        out.push(Spec::new("head.depthwise", &[h, w, last], Init::Normal(1.0 / ((h * w) as f64).sqrt())));
        out.push(Spec::new("head.linear", &[last, c.embed], Init::Normal(1.0 / (last as f64).sqrt())));
        out.extend(label_tables("head", [c.classes, c.styles, c.words], c.embed, Init::Normal(1.0 / (c.embed as f64).sqrt())));
        out
    }
}

/// The last map `[n, h, w, c]` to phi `[n, embed]`.
fn head_linear<A: Array>(x: &A, p: &Bound<A>) -> A {
    let (n, c) = (x.shape()[0], x.shape()[3]);
    let mid = x.depthwise(p.get("head.depthwise"), ConvSpec::new(1, 0)).reshape(&[n, c]);
    mid.matmul(p.get("head.linear"), false, false)
}

fn layers(config: &OwnConfig) -> Vec<Layer> {
    let stages = config.widths.len();
    let conv = |name: String, k, ci, co, gain| Layer::Conv(Conv { name, k, ci, co, gain });
    let mut out = vec![Layer::SpaceToDepth, conv("stem".into(), 1, 12, config.widths[0], 1.0)];
    for (i, &c) in config.widths.iter().enumerate() {
        out.extend([Layer::Push, Layer::LeakyRelu]);
        out.push(conv(format!("stage.{i}.conv.0"), 3, c, c, GAIN * (stages as f64).powf(-0.25)));
        out.push(Layer::LeakyRelu);
        out.push(conv(format!("stage.{i}.conv.1"), 3, c, c, 0.0));
        out.push(Layer::Add);
        if let Some(&next) = config.widths.get(i + 1) {
            out.push(Layer::Pool);
            out.push(conv(format!("stage.{i}.widen"), 1, c, next, 1.0));
        }
    }
    out
}

/// What `Push` put there; the layer list pairs every `Add` with a `Push`.
fn popped<A>(kept: &mut Vec<A>) -> A {
    kept.pop().unwrap_or_else(|| panic!("an Add layer without its Push"))
}
