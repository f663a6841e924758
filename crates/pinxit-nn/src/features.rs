//! MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) as a frozen feature network, batch norm folded into the convolutions.
//!
//! Serves the projected discriminator, the metrics and perceptual losses. Piecewise linear (ReLU6), so its input gradient is
//! cheap; the weights are bound as constants and cost nothing backwards.
use pinxit_tensor::{Array, ConvSpec, Kink, Tensor};

use crate::tensorfile::Opened;
use crate::{
    Bound, Result, Weights,
    spec::{Init, Spec},
};

/// The weights that come with the program; origin and licences beside them in `assets/weights`.
static SHIPPED: &[u8] = include_bytes!("../../../assets/weights/mobilenet_v2.safetensors");

/// Expansion, channels, repeats and first stride of each group of blocks.
const GROUPS: [(usize, usize, usize, usize); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// ImageNet mean and standard deviation of RGB in 0..1.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const STD: [f64; 3] = [0.229, 0.224, 0.225];

/// Blocks after which a map is tapped, with its channels and stride.
pub const TAPS: [Tap; 4] = [
    Tap { block: 1, channels: 16, stride: 2 },
    Tap { block: 3, channels: 24, stride: 4 },
    Tap { block: 6, channels: 32, stride: 8 },
    Tap { block: 13, channels: 96, stride: 16 },
];

/// Length of the pooled feature vector.
pub const POOLED: usize = 1280;

/// Height and width that [`FeatureNet::describe`] resizes pictures to, px.
pub const DESCRIBE_PX: usize = 128;

/// A map that is looked at on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// The block whose output it is, as torchvision's `features.N`.
    pub block: usize,
    /// Channels.
    pub channels: usize,
    /// Picture pixels a map pixel.
    pub stride: usize,
}

/// An inverted residual block.
struct Block {
    index: usize,
    expand: bool,
    input: usize,
    hidden: usize,
    output: usize,
    stride: usize,
}

/// The feature network with its weights.
#[derive(Clone, Debug)]
pub struct FeatureNet {
    weights: Weights<f32>,
}

impl FeatureNet {
    /// The weights built into the program (ImageNet, BSD-3-Clause).
    pub fn shipped() -> Result<Self> {
        Self::load(SHIPPED)
    }

    /// From a safetensors file in memory with the names and layouts of `assets/weights`.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let opened = Opened::new(bytes)?;
        opened.expect(&specs())?;
        Ok(FeatureNet { weights: opened.weights()?.kept() })
    }

    /// The weights, to be bound as constants; they are [`kept`](Tensor::kept).
    pub fn weights(&self) -> &Weights<f32> {
        &self.weights
    }

    /// The maps of [`TAPS`] for pictures `[n, h, w, 3]`, -1..1, sides multiples of 16 px.
    pub fn taps<A: Array>(&self, p: &Bound<A>, x: &A) -> Vec<A> {
        self.walk(p, x, TAPS[3].block).1
    }

    /// The mean over the last map, `[n, 1280]`, for pictures `[n, h, w, 3]`, -1..1, at their own size (32 px or more a side).
    pub fn pooled<A: Array>(&self, p: &Bound<A>, x: &A) -> A {
        let (x, _) = self.walk(p, x, usize::MAX);
        let x = activated(p, "last", &x, ConvSpec::same(1));
        let n = x.shape()[0];
        x.mean_to(&[n, 1, 1, POOLED]).reshape(&[n, POOLED])
    }

    /// The features the metrics are made of: [`pooled`](Self::pooled) of the pictures resized to 128 x 128 px, bilinear without
    /// antialiasing. `[n, h, w, 3]`, -1..1, values outside are clamped as a saved picture's would be; `[n, 1280]`.
    pub fn describe(&self, p: &Bound<Tensor<f32>>, x: &Tensor<f32>) -> Tensor<f32> {
        self.pooled(p, &x.clamp(-1.0, 1.0).resize((DESCRIBE_PX, DESCRIBE_PX)))
    }

    /// Through the blocks up to `last`; the map there, and those of the taps passed.
    fn walk<A: Array>(&self, p: &Bound<A>, x: &A, last: usize) -> (A, Vec<A>) {
        let mut x = activated(p, "stem", &normalised(x), ConvSpec::new(2, 1));
        let mut taps = Vec::new();
        for block in blocks().into_iter().take_while(|b| b.index <= last) {
            x = block.run(p, &x);
            if TAPS.iter().any(|t| t.block == block.index) {
                taps.push(x.clone());
            }
        }
        (x, taps)
    }
}

/// -1..1 to what the network was trained on: 0..1, minus mean, over standard deviation. Not folded into the first
/// convolution, because its zero padding must mean "average colour".
fn normalised<A: Array>(x: &A) -> A {
    let row = |f: fn(usize) -> f64| x.lift(Tensor::from_fn(&[1, 1, 1, 3], |i| <A::T as pinxit_tensor::Real>::of(f(i))));
    x.mul(&row(|i| 0.5 / STD[i])).add(&row(|i| (0.5 - MEAN[i]) / STD[i]))
}

const RELU6: Kink = Kink::Clamp { lo: 0.0, hi: 6.0 };

/// Convolution, bias and ReLU6.
fn activated<A: Array>(p: &Bound<A>, name: &str, x: &A, spec: ConvSpec) -> A {
    x.conv_kink(p.get(&format!("{name}.weight")), p.get(&format!("{name}.bias")), spec, RELU6)
}

impl Block {
    fn name(&self, part: &str) -> String {
        format!("block.{}.{part}", self.index)
    }

    fn run<A: Array>(&self, p: &Bound<A>, x: &A) -> A {
        let weight = |part: &str| p.get(&self.name(&format!("{part}.weight")));
        let mut y = x.clone();
        if self.expand {
            y = activated(p, &self.name("expand"), &y, ConvSpec::same(1));
        }
        let y = y.depthwise_kink(weight("depthwise"), p.get(&self.name("depthwise.bias")), ConvSpec::new(self.stride, 1), RELU6);
        let y = y.conv(weight("project"), ConvSpec::same(1)).add_bias(p.get(&self.name("project.bias")));
        if self.stride == 1 && self.input == self.output { y.add(x) } else { y }
    }
}

fn blocks() -> Vec<Block> {
    let (mut out, mut input) = (Vec::new(), 32);
    for (expansion, output, repeats, first) in GROUPS {
        for j in 0..repeats {
            let stride = if j == 0 { first } else { 1 };
            let (index, expand, hidden) = (out.len() + 1, expansion > 1, input * expansion);
            out.push(Block { index, expand, input, hidden, output, stride });
            input = output;
        }
    }
    out
}

/// Every weight with its shape, for the check of a file.
fn specs() -> Vec<Spec> {
    let mut out = Vec::new();
    let mut add = |name: String, shape: &[usize]| {
        let channels = shape[shape.len() - 1];
        out.push(Spec::new(format!("{name}.weight"), shape, Init::Constant(0.0)));
        out.push(Spec::new(format!("{name}.bias"), &[channels], Init::Constant(0.0)));
    };
    add("stem".into(), &[3, 3, 3, 32]);
    for b in blocks() {
        if b.expand {
            add(b.name("expand"), &[1, 1, b.input, b.hidden]);
        }
        add(b.name("depthwise"), &[3, 3, b.hidden]);
        add(b.name("project"), &[1, 1, b.hidden, b.output]);
    }
    add("last".into(), &[1, 1, 320, POOLED]);
    out
}
