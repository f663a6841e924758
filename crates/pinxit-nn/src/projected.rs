//! The projected discriminator (Sauer et al. 2021, arXiv 2111.01007) on MobileNetV2: RECIPE section 9.
//!
//! ```text
//! picture -> resize, or a window of it -> frozen MobileNetV2 -> maps at strides 2, 4, 8, 16
//!   each -> fixed random 1x1 (CCM); from coarse to fine: + bilinear x2 of the coarser one, fixed random 3x3 (CSM)
//!   the picture itself, as 2x2 blocks of 12 channels, unmixed
//!   each -> trained head: 4x4 stride 2 down to 4 px -> [batch deviation] -> 3x3 -> 1x1 and label projection -> scores
//! ```
//! Only the heads are trained; they see features that a GAN cannot fool by one texture. The features hardly tell a white ground
//! from a tinted one; the head on the picture itself does, and at 128 px it is the one that sees every pixel. What holds the heads back is the
//! trainer's choice: spectral norm ([`ProjectedDiscriminator::normalized`], as published), or a penalty on their gradient in
//! the features, for which heads can be differentiated twice on the tape.
use pinxit_tensor::{Array, ConvSpec, Kink, Real, Rng, Tensor};
use serde::{Deserialize, Serialize};

use crate::features::TAPS;
use crate::{
    Bound, Error, FeatureNet, Labels, Result, Weights,
    labels::embed,
    spec::{Init, Spec, initialise, label_tables},
    spectral::{self, Vectors},
};

const SLOPE: f64 = 0.2;
/// Heads stop halving once the shorter side of a map is at most this, px.
const LAST_PX: usize = 4;
/// Three colours of 2 x 2 pixels.
const PIXEL_CHANNELS: usize = 12;

/// Sizes of the projected discriminator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectedConfig {
    /// Height and width that pictures are resized to before the features, px: multiples of 16.
    pub feature_size: (usize, usize),
    /// Height and width of the pictures, px.
    pub resolution: (usize, usize),
    /// Whether a further head looks at the picture itself (even sides only).
    pub pixels: bool,
    /// Channels after the fixed mixing.
    pub mix: usize,
    /// Channels inside the heads.
    pub channels: usize,
    /// Channels of each head's last map, and length of the label embeddings.
    pub embed: usize,
    /// Number of classes, 0 for none.
    pub classes: usize,
    /// Number of styles, 0 for none.
    pub styles: usize,
    /// Number of words, 0 for none.
    pub words: usize,
    /// Seed of the fixed mixing.
    pub mixing_seed: u64,
    /// Samples in a group of the batch-deviation channel (Karras et al. 2018), 0 for no such channel.
    pub minibatch_std: usize,
}

impl ProjectedConfig {
    /// Four heads for pictures of `resolution` = (height, width) px: features at the picture's own size, rounded up to
    /// a multiple of 16; groups of four for the batch deviation.
    pub fn new(resolution: (usize, usize), classes: usize, styles: usize) -> Self {
        let round = |v: usize| v.max(32).next_multiple_of(16);
        ProjectedConfig {
            feature_size: (round(resolution.0), round(resolution.1)),
            resolution,
            pixels: false,
            mix: 32,
            channels: 32,
            embed: 32,
            classes,
            styles,
            words: 0,
            mixing_seed: 0,
            minibatch_std: 4,
        }
    }

    /// Whether a discriminator of these sizes can be made.
    pub fn validate(&self) -> Result<()> {
        let (h, w) = self.feature_size;
        if h == 0 || w == 0 || h % 16 != 0 || w % 16 != 0 || h.max(w) > 1024 {
            return Err(Error::Config(format!("the feature size must be multiples of 16 px up to 1024, not {h}x{w}")));
        }
        let (rows, columns) = self.resolution;
        if self.pixels && !(rows.is_multiple_of(2) && columns.is_multiple_of(2)) {
            return Err(Error::Config(format!("a head on pixels needs even sides, not {:?} px", self.resolution)));
        }
        if [self.mix, self.channels, self.embed].iter().any(|v| !(1..=2048).contains(v)) {
            return Err(Error::Config("the discriminator's channels must lie within 1 to 2048".into()));
        }
        Ok(())
    }
}

/// Where the feature network looks at a batch of pictures from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// From afar: all of every picture, resized to the feature size.
    Whole,
    /// From near: of every picture a window of the feature size, at the picture's own scale. Row and column of its corner, px.
    Windows(Vec<(usize, usize)>),
}

impl View {
    /// The view of some of the pictures.
    pub fn part(&self, of: std::ops::Range<usize>) -> Self {
        match self {
            View::Whole => View::Whole,
            View::Windows(corners) => View::Windows(corners[of].to_vec()),
        }
    }

    /// What is seen of pictures `[n, h, w, 3]`: `[n, height, width, 3]`.
    fn of<A: Array>(&self, x: &A, (height, width): (usize, usize)) -> A {
        let (rows, columns) = (x.shape()[1], x.shape()[2]);
        match self {
            View::Whole if (rows, columns) == (height, width) => x.clone(),
            View::Whole => x.resize((height, width)),
            View::Windows(corners) => {
                let pixels = |&(top, left): &(usize, usize)| {
                    (0..height).flat_map(move |y| (0..width).map(move |x| ((top + y) * columns + left + x) as u32))
                };
                x.gather_pixels(&corners.iter().flat_map(pixels).collect(), (height, width))
            }
        }
    }
}

/// The discriminator: its sizes and the frozen feature network. The trained weights live apart.
#[derive(Clone, Debug)]
pub struct ProjectedDiscriminator {
    /// Sizes.
    pub config: ProjectedConfig,
    net: FeatureNet,
}

impl ProjectedDiscriminator {
    /// The discriminator of these sizes on `net`.
    pub fn new(config: ProjectedConfig, net: FeatureNet) -> Result<Self> {
        config.validate()?;
        Ok(ProjectedDiscriminator { config, net })
    }

    /// First values of the trained weights (the heads), a pure function of the seed.
    pub fn init(&self, seed: u64) -> Weights<f32> {
        initialise(&self.specs(), seed)
    }

    /// Weights that are never trained: the feature network's, and the random mixing made from `config.mixing_seed`.
    pub fn frozen(&self) -> Weights<f32> {
        let (mix, mut all) = (self.config.mix, self.net.weights().clone());
        let mut specs = Vec::new();
        for (k, tap) in TAPS.iter().enumerate() {
            let std = |fan: usize| Init::Normal((2.0 / fan as f64).sqrt());
            specs.push(Spec::new(format!("ccm.{k}"), &[1, 1, tap.channels, mix], std(tap.channels)));
            specs.push(Spec::new(format!("csm.{k}"), &[3, 3, mix, mix], std(mix * 9)));
        }
        for (name, tensor) in &initialise(&specs, self.config.mixing_seed) {
            all.insert(name.clone(), tensor.clone());
        }
        all
    }

    /// What the heads look at, of pictures `[n, h, w, 3]`, -1..1, in this view: mixed features `[n, h, w, mix]` at strides 2, 4, 8, 16, and with
    /// `pixels` all of the picture as `[n, h / 2, w / 2, 12]`. `frozen` is bound from [`frozen`](Self::frozen) as constants.
    pub fn features<A: Array>(&self, frozen: &Bound<A>, x: &A, view: &View) -> Vec<A> {
        let maps = self.net.taps(frozen, &view.of(x, self.config.feature_size));
        let mut out: Vec<A> = Vec::new();
        for (k, map) in maps.iter().enumerate().rev() {
            let mut y = map.conv(frozen.get(&format!("ccm.{k}")), ConvSpec::same(1));
            if let Some(coarser) = out.last() {
                y = y.add(&coarser.upsample2()).scale(std::f64::consts::FRAC_1_SQRT_2);
            }
            out.push(y.conv(frozen.get(&format!("csm.{k}")), ConvSpec::same(3)));
        }
        out.reverse();
        out.extend(self.config.pixels.then(|| x.space_to_depth()));
        out
    }

    /// Number of heads, and of score maps.
    pub fn head_count(&self) -> usize {
        TAPS.len() + usize::from(self.config.pixels)
    }

    /// Score maps `[n, h, w, 1]`, one for each of the [`features`](Self::features); higher is more real. `p` is bound from the trained weights,
    /// through [`normalized`](Self::normalized) where spectral norm is wanted. With `minibatch_std` no group of neighbours may
    /// hold reals and fakes together: score them apart, or one after the other in numbers divisible by the group.
    pub fn heads<A: Array>(&self, p: &Bound<A>, features: &[A], labels: &Labels) -> Vec<A> {
        features.iter().enumerate().map(|(k, x)| self.head(p, k, x, labels)).collect()
    }

    fn head<A: Array>(&self, p: &Bound<A>, k: usize, x: &A, labels: &Labels) -> A {
        let layer = |x: &A, name: &str, spec| {
            let kink = Kink::Leaky { slope: SLOPE, gain: 1.0 };
            x.conv_kink(p.get(&format!("{name}.weight")), p.get(&format!("{name}.bias")), spec, kink)
        };
        let mut x = x.clone();
        for j in 0..self.halvings(k) {
            x = layer(&x, &format!("head.{k}.down.{j}"), ConvSpec::new(2, 1));
        }
        if self.config.minibatch_std > 0 {
            x = with_deviation(&x, self.config.minibatch_std);
        }
        let h = layer(&x, &format!("head.{k}.conv"), ConvSpec::same(3));
        let [n, rows, cols, _] = h.shape()[..] else { panic!("a map has four dimensions") };
        let plain =
            h.conv(p.get(&format!("head.{k}.out.weight")), ConvSpec::same(1)).add_bias(p.get(&format!("head.{k}.out.bias")));
        let label = embed(p, &format!("head.{k}"), labels).reshape(&[n, 1, 1, self.config.embed]);
        plain.add(&h.mul(&label).sum_to(&[n, rows, cols, 1]))
    }

    /// First singular vectors for the spectral norm of trained weights `w`: state that belongs into a checkpoint.
    pub fn spectral_init<T: Real>(&self, w: &Weights<T>, seed: u64) -> Weights<T> {
        let mut state = Weights::new();
        for name in self.convolutions() {
            let mut rng = Rng::stream(seed, &format!("spectral {name}"));
            keep(&mut state, &name, spectral::init(w.get(&format!("{name}.weight")), &mut rng));
        }
        state
    }

    /// Moves the singular vectors by one power iteration: once before every discriminator step.
    pub fn spectral_step<T: Real>(&self, w: &Weights<T>, state: &mut Weights<T>) {
        for name in self.convolutions() {
            let moved = spectral::step(w.get(&format!("{name}.weight")), &vectors(state, &name));
            keep(state, &name, moved);
        }
    }

    /// The trained weights with every convolution divided by its spectral norm, differentiable; what [`heads`](Self::heads)
    /// takes under spectral norm.
    pub fn normalized<A: Array>(&self, p: &Bound<A>, state: &Weights<A::T>) -> Bound<A> {
        let mut out = p.clone();
        for name in self.convolutions() {
            let weight = format!("{name}.weight");
            let divided = spectral::normalized(p.get(&weight), &vectors(state, &name));
            out.insert(weight, divided);
        }
        out
    }

    /// How often head `k` halves its map.
    fn halvings(&self, k: usize) -> usize {
        let ((h, w), stride) = match TAPS.get(k) {
            Some(tap) => (self.config.feature_size, tap.stride),
            None => (self.config.resolution, 2),
        };
        let mut side = h.min(w) / stride;
        let mut count = 0;
        while side > LAST_PX {
            side /= 2;
            count += 1;
        }
        count
    }

    /// Names of the convolutions, which spectral norm divides.
    fn convolutions(&self) -> Vec<String> {
        let down = |k: usize| (0..self.halvings(k)).map(move |j| format!("head.{k}.down.{j}"));
        (0..self.head_count()).flat_map(|k| down(k).chain([format!("head.{k}.conv"), format!("head.{k}.out")])).collect()
    }

    fn specs(&self) -> Vec<Spec> {
        let (c, mut out) = (&self.config, Vec::new());
        for k in 0..self.head_count() {
            let mut width = if k < TAPS.len() { c.mix } else { PIXEL_CHANNELS };
            for j in 0..self.halvings(k) {
                out.extend(conv_specs(&format!("head.{k}.down.{j}"), 4, width, c.channels));
                width = c.channels;
            }
            let deviation = usize::from(c.minibatch_std > 0);
            out.extend(conv_specs(&format!("head.{k}.conv"), 3, width + deviation, c.embed));
            out.extend(conv_specs(&format!("head.{k}.out"), 1, c.embed, 1));
            let init = Init::Normal(1.0 / (c.embed as f64).sqrt());
            out.extend(label_tables(&format!("head.{k}"), [c.classes, c.styles, c.words], c.embed, init));
        }
        out
    }
}

/// Weight and bias, uniform within 1 / sqrt(fan_in).
fn conv_specs(name: &str, k: usize, ci: usize, co: usize) -> [Spec; 2] {
    let init = Init::Uniform(1.0 / ((k * k * ci) as f64).sqrt());
    [Spec::new(format!("{name}.weight"), &[k, k, ci, co], init), Spec::new(format!("{name}.bias"), &[co], init)]
}

/// One more channel: the standard deviation over groups of `group` neighbours in the batch at each pixel, averaged over channels.
/// A generator that paints one picture for every z shows here. The group is the largest divisor of the batch up to `group`.
fn with_deviation<A: Array>(x: &A, group: usize) -> A {
    let [n, h, w, c] = x.shape()[..] else { panic!("a map has four dimensions") };
    let g = (1..=group.min(n)).rev().find(|g| n % g == 0).unwrap_or(1);
    let (m, pixels) = (n / g, h * w);
    let grouped = x.reshape(&[m, g, pixels, c]);
    let centred = grouped.sub(&grouped.mean_to(&[m, 1, pixels, c]));
    let variance = centred.square().mean_to(&[m, 1, pixels, c]).affine(1.0, 1e-8);
    let deviation = variance.mul(&variance.rsqrt()).mean_to(&[m, 1, pixels, 1]);
    let channel = deviation.broadcast_to(&[m, g, pixels, 1]).reshape(&[n, h, w, 1]);
    A::concat(&[x.clone(), channel], 3)
}

fn vectors<T: Real>(state: &Weights<T>, name: &str) -> Vectors<T> {
    let get = |part: &str| -> Tensor<T> { state.get(&format!("{name}.{part}")).clone() };
    Vectors { u: get("u"), v: get("v") }
}

fn keep<T: Real>(state: &mut Weights<T>, name: &str, s: Vectors<T>) {
    state.insert(format!("{name}.u"), s.u);
    state.insert(format!("{name}.v"), s.v);
}
