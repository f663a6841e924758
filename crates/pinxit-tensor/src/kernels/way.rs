//! Which way a dense convolution of f32 goes, for people who ask. The answer is that of the rules the kernels go by.
use super::operand::Operand;
use super::pass::Pass;
use super::simd::Simd;
use super::{Conv, winograd, winograd_grad};

/// How one pass of a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Sums of products in f32.
    Direct,
    /// Sums in f32 of products in bf16.
    Bf16,
    /// Winograd's form, in f32.
    Winograd,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.pad(match self {
            Way::Direct => "direct",
            Way::Bf16 => "bf16",
            Way::Winograd => "winograd",
        })
    }
}

/// See [`super::ways`].
pub fn of<S: Simd>(g: &Conv) -> [Way; 3] {
    let way = |winograd: bool| match (winograd, S::K::NUMBERS > 1) {
        (true, _) => Way::Winograd,
        (false, true) => Way::Bf16,
        (false, false) => Way::Direct,
    };
    // Winograd's form is for stride 1, whose input gradient is one pass.
    let backward = Pass::backward(g).iter().any(winograd::wins::<S>);
    [winograd::wins::<S>(&Pass::forward(g)), backward, winograd_grad::wins::<S>(g)].map(way)
}
