//! The shapes that matter, and kernels called on them: shared by the examples and benches that time or count kernels.
#![allow(dead_code)] // each of them uses its part
use pinxit_tensor::kernels::{Conv, Kernels};

/// Name, `[n, h, w, ci, co, k, stride, pad]`, depthwise.
pub type Shape = (&'static str, [usize; 8], bool);

pub const SHAPES: &[Shape] = &[
    ("8x8 256>256", [32, 8, 8, 256, 256, 3, 1, 1], false),
    ("16x16 128>128", [32, 16, 16, 128, 128, 3, 1, 1], false),
    ("32x32 64>64", [32, 32, 32, 64, 64, 3, 1, 1], false),
    ("64x64 32>32", [32, 64, 64, 32, 32, 3, 1, 1], false),
    ("4x4 160>160", [32, 4, 4, 160, 160, 3, 1, 1], false),
    ("4x4/2 64>64 at 32", [32, 32, 32, 64, 64, 4, 2, 1], false),
    ("1x1 160>128 at 8", [32, 8, 8, 160, 128, 1, 1, 0], false),
    ("rgb 3>32 at 64", [32, 64, 64, 3, 32, 3, 1, 1], false),
    ("8x8 128>128 of 8", [8, 8, 8, 128, 128, 3, 1, 1], false),
    ("16x16 96>96 of 8", [8, 16, 16, 96, 96, 3, 1, 1], false),
    ("32x32 64>64 of 8", [8, 32, 32, 64, 64, 3, 1, 1], false),
    ("64x64 48>48 of 8", [8, 64, 64, 48, 48, 3, 1, 1], false),
    ("64x64 40>40 of 8", [8, 64, 64, 40, 40, 3, 1, 1], false),
    ("128x128 20>20 of 8", [8, 128, 128, 20, 20, 3, 1, 1], false),
    ("8x8 192>192 of 8", [8, 8, 8, 192, 192, 3, 1, 1], false),
    ("4x4 160>160 of 8", [8, 4, 4, 160, 160, 3, 1, 1], false),
    ("4x4 33>32 of 16", [16, 4, 4, 33, 32, 3, 1, 1], false),
    ("4x4/2 32>32 at 8", [16, 8, 8, 32, 32, 4, 2, 1], false),
    ("4x4/2 32>32 at 16", [16, 16, 16, 32, 32, 4, 2, 1], false),
    ("4x4/2 32>32 at 32", [16, 32, 32, 32, 32, 4, 2, 1], false),
    ("1x1 64>32 at 32 of 8", [8, 32, 32, 64, 32, 1, 1, 0], false),
    ("1x1 40>20 at 64 of 8", [8, 64, 64, 40, 20, 1, 1, 0], false),
    ("1x1 16>96 at 32 of 8", [8, 32, 32, 16, 96, 1, 1, 0], false),
    ("1x1 96>576 at 4 of 8", [8, 4, 4, 96, 576, 1, 1, 0], false),
    ("rgb/2 3>32 at 64 of 8", [8, 64, 64, 3, 32, 3, 2, 1], false),
    ("one 16x16 128>128", [1, 16, 16, 128, 128, 3, 1, 1], false),
    ("depthwise 96 at 32", [32, 32, 32, 96, 96, 3, 1, 1], true),
    ("depthwise 96 small", [1, 32, 32, 96, 96, 3, 1, 1], true),
    ("depthwise/2 96 at 32", [32, 32, 32, 96, 96, 3, 2, 1], true),
];

/// The three passes of a convolution, by name.
pub const PASSES: [&str; 3] = ["forward", "input", "weight"];

/// A convolution and its operands.
pub struct Case {
    g: Conv,
    depthwise: bool,
    x: Vec<f32>,
    weights: Vec<f32>,
    y: Vec<f32>,
}

impl Case {
    pub fn new([n, h, w, ci, co, k, stride, pad]: [usize; 8], depthwise: bool) -> Case {
        let g = Conv { n, h, w, ci, co, kh: k, kw: k, stride, pad };
        let (x, y) = (noise(n * h * w * ci), noise(n * g.ho() * g.wo() * co));
        let weights = noise(k * k * ci * if depthwise { 1 } else { co });
        Case { g, depthwise, x, weights, y }
    }
    /// Multiply-adds of a pass.
    pub fn macs(&self) -> usize {
        self.g.macs() / if self.depthwise { self.g.co } else { 1 }
    }
    /// One pass. It writes over one of the operands of the others.
    pub fn run(&mut self, pass: &str) {
        let Case { g, depthwise, x, weights, y } = self;
        match (pass, *depthwise) {
            ("forward", false) => f32::conv(g, x, weights, y),
            ("input", false) => f32::conv_input_grad(g, y, weights, x),
            ("weight", false) => f32::conv_weight_grad(g, x, y, weights),
            ("forward", true) => f32::depthwise(g, x, weights, y),
            ("input", true) => f32::depthwise_input_grad(g, y, weights, x),
            ("weight", true) => f32::depthwise_weight_grad(g, x, y, weights),
            _ => panic!("no pass {pass}"),
        }
    }
}

/// Numbers in -1..1.
pub fn noise(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919) % 1013) as f32 / 506.5 - 1.0).collect()
}
