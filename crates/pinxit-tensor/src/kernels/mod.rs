//! The one boundary behind which instruction sets live: pure functions on slices, no allocation visible, no graph.
//!
//! A network never names a kernel; [`crate::Tensor`] does. Adding an instruction set is one module here.
//!
//! Read in this order: [`Kernels`], `tile` (the one inner loop), `operand` (what it multiplies), `pass` (geometry), `conv`,
//! `weight_grad`, `depthwise`, `winograd` (faster where it applies).
mod after;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod conv;
mod depthwise;
mod isa;
mod kept;
mod matmul;
pub mod naive;
#[cfg(target_arch = "aarch64")]
mod neon;
mod operand;
mod pass;
mod planes;
mod portable;
mod precision;
mod resample;
mod scaled_grad;
mod scratch;
mod simd;
mod tile;
mod way;
mod weight_grad;
mod winograd;
mod winograd_grad;

use crate::Real;
pub use after::{After, Kink};
pub use isa::{Isa, cpu, isa, set_isa};
pub use kept::Kept;
pub use matmul::Sizes;
use portable::{Portable, PortableBf16};
pub use precision::{Precision, precision, with_precision};
pub use resample::Axis;
pub use scaled_grad::ScaledGrad;
use simd::WIDEST;
pub use way::Way;

/// Geometry of a convolution from `[n, h, w, ci]` to `[n, ho, wo, co]` with `[kh, kw, ci, co]` weights, zero padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Pictures.
    pub n: usize,
    /// Input rows.
    pub h: usize,
    /// Input columns.
    pub w: usize,
    /// Input channels.
    pub ci: usize,
    /// Output channels (equal to `ci` for depthwise).
    pub co: usize,
    /// Kernel rows.
    pub kh: usize,
    /// Kernel columns.
    pub kw: usize,
    /// Step between output pixels.
    pub stride: usize,
    /// Zeros on every side.
    pub pad: usize,
}

impl Conv {
    /// Output rows.
    pub fn ho(&self) -> usize {
        (self.h + 2 * self.pad - self.kh) / self.stride + 1
    }
    /// Output columns.
    pub fn wo(&self) -> usize {
        (self.w + 2 * self.pad - self.kw) / self.stride + 1
    }
    /// Multiply-adds of one pass.
    pub fn macs(&self) -> usize {
        self.n * self.ho() * self.wo() * self.ci * self.co * self.kh * self.kw
    }
}

/// What an instruction set provides. Outputs are overwritten, never accumulated into. Slices have exactly the lengths
/// the geometry says. The sum order depends on shapes only, never on the number of threads: same machine, same bytes.
/// Convolutions of `f32` multiply in the [`Precision`] in use; everything else is exact to rounding.
pub trait Kernels: Sized {
    /// `y = x * w`, and what comes after; packed weights are kept in `kept`, which belongs to these weights alone.
    fn conv_with(g: &Conv, x: &[Self], w: &[Self], kept: Option<&Kept>, after: Option<After<'_, Self>>, y: &mut [Self]);
    /// `dx` from `dy`, likewise.
    fn conv_input_grad_with(g: &Conv, dy: &[Self], w: &[Self], kept: Option<&Kept>, dx: &mut [Self]);
    /// `y = x * w`.
    fn conv(g: &Conv, x: &[Self], w: &[Self], y: &mut [Self]) {
        Self::conv_with(g, x, w, None, None, y)
    }
    /// `dx` from `dy`.
    fn conv_input_grad(g: &Conv, dy: &[Self], w: &[Self], dx: &mut [Self]) {
        Self::conv_input_grad_with(g, dy, w, None, dx)
    }
    /// `dw` from `x` and `dy`.
    fn conv_weight_grad(g: &Conv, x: &[Self], dy: &[Self], dw: &mut [Self]);
    /// Depthwise `y = x * w`, weights `[kh, kw, c]`, and what comes after.
    fn depthwise_with(g: &Conv, x: &[Self], w: &[Self], after: Option<After<'_, Self>>, y: &mut [Self]);
    /// Depthwise `y = x * w`.
    fn depthwise(g: &Conv, x: &[Self], w: &[Self], y: &mut [Self]) {
        Self::depthwise_with(g, x, w, None, y)
    }
    /// Depthwise `dx` from `dy`.
    fn depthwise_input_grad(g: &Conv, dy: &[Self], w: &[Self], dx: &mut [Self]);
    /// Depthwise `dw` from `x` and `dy`.
    fn depthwise_weight_grad(g: &Conv, x: &[Self], dy: &[Self], dw: &mut [Self]);
    /// `dsums` and `totals` from `dy` and `y` of `y = leaky_relu(sums * scale + bias) * gain`, see [`ScaledGrad`].
    fn scaled_grad(g: ScaledGrad<'_, Self>, dsums: &mut [Self], totals: &mut [Self]);
    /// Resizes `n` pictures of `c` channels: a linear map over rows, then one over columns.
    fn resample(x: &[Self], n: usize, c: usize, rows: &Axis<Self>, columns: &Axis<Self>, out: &mut [Self]);
    /// `c[m,n] = op(a)[m,k] op(b)[k,n]`; packed `b` is kept in `kept`, which belongs to `b` alone.
    fn matmul_with(s: Sizes, a: &[Self], b: &[Self], kept: Option<&Kept>, c: &mut [Self]);
    /// `c[m,n] = op(a)[m,k] op(b)[k,n]`; `ta`: `a` is stored `[k,m]`; `tb`: `b` is stored `[n,k]`.
    #[allow(clippy::too_many_arguments)]
    fn matmul(m: usize, k: usize, n: usize, a: &[Self], ta: bool, b: &[Self], tb: bool, c: &mut [Self]) {
        Self::matmul_with(Sizes { m, k, n, ta, tb }, a, b, None, c)
    }
}

/// Calls a kernel written over [`simd::Simd`] with the instruction set in use.
macro_rules! f32_kernel {
    ($($path:ident)::+ ($($argument:expr),*)) => {
        match isa() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => $($path)::+::<avx512::Avx512>($($argument),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => $($path)::+::<avx2::Avx2>($($argument),*),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => $($path)::+::<neon::Neon>($($argument),*),
            _ => $($path)::+::<Portable<f32, 8>>($($argument),*), // sets of other processors are never in use
        }
    };
}
/// As [`f32_kernel`], in the precision in use.
macro_rules! f32_dense {
    ($($path:ident)::+ ($($argument:expr),*)) => {
        match precision() {
            Precision::F32 | Precision::Direct => f32_kernel!($($path)::+($($argument),*)),
            #[cfg(target_arch = "x86_64")]
            Precision::Bf16 if precision::native() => $($path)::+::<avx512::Avx512Bf16>($($argument),*),
            Precision::Bf16 => $($path)::+::<PortableBf16<8>>($($argument),*),
        }
    };
}
macro_rules! f64_kernel {
    ($($path:ident)::+ ($($argument:expr),*)) => { $($path)::+::<Portable<f64, 4>>($($argument),*) };
}
macro_rules! kernels {
    ($t:ty, $call:ident, $dense:ident) => {
        impl Kernels for $t {
            fn conv_with(g: &Conv, x: &[Self], w: &[Self], kept: Option<&Kept>, after: Option<After<'_, Self>>, y: &mut [Self]) {
                in_registers(after, g, |after| $dense!(conv::forward(g, x, w, conv::Extras { kept, after }, y)))
            }
            fn conv_input_grad_with(g: &Conv, dy: &[Self], w: &[Self], kept: Option<&Kept>, dx: &mut [Self]) {
                $dense!(conv::input_grad(g, dy, w, kept, dx))
            }
            fn conv_weight_grad(g: &Conv, x: &[Self], dy: &[Self], dw: &mut [Self]) {
                $dense!(weight_grad::run(g, x, dy, dw))
            }
            fn depthwise_with(g: &Conv, x: &[Self], w: &[Self], after: Option<After<'_, Self>>, y: &mut [Self]) {
                check(after, g);
                assert!(after.is_none_or(|a| a.scale.is_none()), "depthwise sums are not scaled");
                $call!(depthwise::forward(g, x, w, after, y))
            }
            fn depthwise_input_grad(g: &Conv, dy: &[Self], w: &[Self], dx: &mut [Self]) {
                $call!(depthwise::input_grad(g, dy, w, dx))
            }
            fn depthwise_weight_grad(g: &Conv, x: &[Self], dy: &[Self], dw: &mut [Self]) {
                $call!(depthwise::weight_grad(g, x, dy, dw))
            }
            fn resample(x: &[Self], n: usize, c: usize, rows: &Axis<Self>, columns: &Axis<Self>, out: &mut [Self]) {
                $call!(resample::run(x, n, c, rows, columns, out))
            }
            fn scaled_grad(g: ScaledGrad<'_, Self>, dsums: &mut [Self], totals: &mut [Self]) {
                $call!(scaled_grad::run(g, dsums, totals))
            }
            fn matmul_with(s: Sizes, a: &[Self], b: &[Self], kept: Option<&Kept>, c: &mut [Self]) {
                $call!(matmul::run(s, a, b, kept, c))
            }
        }
    };
}
kernels!(f32, f32_kernel, f32_dense);
kernels!(f64, f64_kernel, f64_kernel);

/// How a convolution of f32 is computed with the instruction set and in the precision in use: forward, input gradient, weight
/// gradient.
pub fn ways(g: &Conv) -> [Way; 3] {
    f32_dense!(way::of(g))
}

/// Calls `f` with bias and scales in whole registers of any instruction set.
fn in_registers<T: Real, R>(after: Option<After<'_, T>>, g: &Conv, f: impl FnOnce(Option<After<'_, T>>) -> R) -> R {
    check(after, g);
    let co = g.co;
    match after {
        None => f(None),
        Some(after) => {
            if co == after::row(co) {
                return f(Some(after));
            }
            let padded = |rows: &[T]| -> Vec<T> {
                let row = |row: &[T]| [row, &[T::default(); WIDEST][..after::row(co) - co]].concat();
                rows.chunks_exact(co).flat_map(row).collect()
            };
            let (bias, scale) = (padded(after.bias), after.scale.map(padded));
            f(Some(After { bias: &bias, scale: scale.as_deref(), ..after }))
        }
    }
}

/// What comes after must fit the channels, and be of the kind that the kernels compute as the larger of two products.
fn check<T>(after: Option<After<'_, T>>, g: &Conv) {
    let Some(After { scale, bias, kink }) = after else { return };
    assert_eq!(bias.len(), g.co, "one bias for each channel");
    assert!(scale.is_none_or(|s| s.len() == g.n * g.co), "one factor for each channel of each picture");
    if let Kink::Leaky { slope, gain } = kink {
        assert!((0.0..=1.0).contains(&slope) && gain > 0.0, "{kink:?} has a slope outside 0..=1 or a gain that is not positive");
    }
}
