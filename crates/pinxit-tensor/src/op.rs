//! What a node of the tape remembers: which operation, and its settings.
use crate::shape::Shape;
use crate::{ConvSpec, Leak};
use std::sync::Arc;

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident: $type:ty),* })?),* $(,)?) => {
        /// An operation and its settings; one for each method of [`crate::Array`] that is not written in terms of others.
        #[derive(Clone, Debug)]
        pub(crate) enum Op { $($(#[$doc])* $name $({ $($field: $type),* })?),* }

        impl Op {
            /// Every operation by name; the tests walk it so that none goes unchecked.
            #[cfg(test)]
            pub const ALL: &[&str] = &[$(stringify!($name)),*];

            /// Name of the operation.
            pub fn name(&self) -> &'static str {
                match self { $(Op::$name $({ $($field: _),* })? => stringify!($name)),* }
            }
        }
    };
}

ops! {
    /// A variable: no operation made it.
    Leaf,
    Conv { spec: ConvSpec },
    ConvInputGrad { spec: ConvSpec },
    ConvWeightGrad { spec: ConvSpec },
    Depthwise { spec: ConvSpec },
    DepthwiseInputGrad { spec: ConvSpec },
    DepthwiseWeightGrad { spec: ConvSpec },
    Matmul { ta: bool, tb: bool },
    MatmulEach { ta: bool, tb: bool },
    Add,
    Sub,
    Mul,
    Affine { k: f64 },
    LeakyRelu { slope: f64 },
    LeakyReluGrad { slope: f64 },
    BiasLeakyRelu { slope: f64, gain: f64 },
    BiasClamp { lo: f64, hi: f64 },
    /// `leak(sums * scale + bias)`.
    Scaled { leak: Leak },
    Clamp { lo: f64, hi: f64 },
    ClampGrad { lo: f64, hi: f64 },
    Exp,
    Tanh,
    Sigmoid,
    Softplus,
    Ln,
    Rsqrt,
    SumTo,
    SquareSumTo,
    BroadcastTo,
    Reshape,
    Concat { axis: usize },
    Narrow { axis: usize, start: usize },
    Widen { axis: usize, start: usize },
    Rows { indices: Arc<[usize]> },
    ScatterRows { indices: Arc<[usize]> },
    Upsample2,
    Upsample2Grad,
    Pool2,
    Pool2Grad,
    SpaceToDepth,
    DepthToSpace,
    Resize,
    ResizeGrad,
    GatherPixels { map: Arc<[u32]> },
    ScatterPixels { map: Arc<[u32]> },
}

/// Which values the vector-Jacobian product of an operation looks at; all others need not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reads {
    /// The first inputs.
    pub inputs: [bool; 3],
    /// The result.
    pub output: bool,
}

impl Op {
    /// What the product for the inputs marked in `want` reads. Shapes are always known.
    pub fn reads(&self, want: [bool; 2]) -> Reads {
        let inputs = |a, b| Reads { inputs: [a, b, false], output: false };
        let output = Reads { inputs: [false; 3], output: true };
        match self {
            // Bilinear: the gradient of one side needs the other side.
            Op::Conv { .. } | Op::ConvInputGrad { .. } | Op::ConvWeightGrad { .. } => inputs(want[1], want[0]),
            Op::Depthwise { .. } | Op::DepthwiseInputGrad { .. } | Op::DepthwiseWeightGrad { .. } => inputs(want[1], want[0]),
            Op::Matmul { .. } | Op::MatmulEach { .. } | Op::Mul => inputs(want[1], want[0]),
            // A positive gain and a slope that is not negative leave the sign: the result tells the side of the kink.
            Op::LeakyRelu { slope } if *slope >= 0.0 => output,
            Op::BiasLeakyRelu { slope, gain } if *slope >= 0.0 && *gain > 0.0 => output,
            Op::LeakyRelu { .. } | Op::Softplus | Op::Ln | Op::SquareSumTo => inputs(true, false),
            Op::BiasLeakyRelu { .. } => inputs(true, true),
            Op::Scaled { .. } => Reads { inputs: [false, true, true], output: true },
            // Constant in their second input, linear in the first.
            Op::LeakyReluGrad { .. } | Op::ClampGrad { .. } => inputs(false, want[0]),
            Op::BiasClamp { .. } | Op::Clamp { .. } | Op::Exp | Op::Tanh | Op::Sigmoid | Op::Rsqrt => output,
            _ => inputs(false, false),
        }
    }
}

/// An input of a node: its shape, and the value if the product reads it.
#[derive(Clone, Debug)]
pub(crate) struct Slot<A> {
    pub shape: Shape,
    pub value: Option<A>,
}

impl<A> Slot<A> {
    /// The value; [`Op::reads`] promised it.
    pub fn get(&self, op: &Op) -> &A {
        match &self.value {
            Some(v) => v,
            None => panic!("{} reads a value it did not ask to keep", op.name()),
        }
    }
}
