//! The vocabulary: every operation a network may use, said once.
//!
//! Two things speak it. [`Tensor`](crate::Tensor) computes at once and remembers nothing: inference, metrics and
//! first-order backward passes run on it. [`Var`](crate::Var) computes and writes a node on a [`Tape`](crate::Tape),
//! so that it can be differentiated. A network is written once over `A: Array`, and so is every vector-Jacobian product
//! (`vjp.rs`); because the set is closed under differentiation, differentiating twice works for any network.
//!
//! Pictures and maps are `[n, h, w, c]`; convolution weights `[kh, kw, c_in, c_out]`; depthwise weights `[kh, kw, c]`;
//! matrices `[rows, cols]`. Shapes that do not fit are a programming error and panic with both shapes.
use crate::kernels::Kink;
use crate::{Real, Tensor};

/// Stride and zero padding of a convolution, the same in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvSpec {
    /// Step between output pixels, at least 1.
    pub stride: usize,
    /// Zeros added on every side.
    pub pad: usize,
}

impl ConvSpec {
    /// Stride 1, and the padding that keeps the size for an odd kernel of `k` x `k`.
    pub fn same(k: usize) -> Self {
        ConvSpec { stride: 1, pad: k / 2 }
    }
    /// Any stride and padding.
    pub fn new(stride: usize, pad: usize) -> Self {
        ConvSpec { stride, pad }
    }
    /// Length of the output along one side.
    pub fn out(&self, len: usize, k: usize) -> usize {
        (len + 2 * self.pad - k) / self.stride + 1
    }
}

/// A leaky ReLU that can be undone, and a factor: `x * gain` where x is positive, else `x * slope * gain`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leak {
    /// In 0..=1, not 0.
    pub slope: f64,
    /// Positive.
    pub gain: f64,
}

impl Leak {
    pub(crate) fn kink(self) -> Kink {
        Kink::Leaky { slope: self.slope, gain: self.gain }
    }
}

/// A value that can be computed with. See the module text for layouts.
pub trait Array: Clone {
    /// Number type of the elements.
    type T: Real;

    /// Dimensions, outermost first.
    fn shape(&self) -> Vec<usize>;
    /// The numbers, detached from any tape.
    fn tensor(&self) -> Tensor<Self::T>;
    /// A constant living where `self` lives; no gradient flows into it.
    fn lift(&self, t: Tensor<Self::T>) -> Self;
    /// False only for a value no gradient can be asked of; backward passes skip work for it.
    fn needs_grad(&self) -> bool;

    // ---- convolution (a closed trio), depthwise (a closed trio), matrices
    /// `[n,h,w,ci] * [kh,kw,ci,co] -> [n,ho,wo,co]` (cross-correlation).
    fn conv(&self, w: &Self, spec: ConvSpec) -> Self;
    /// `kink(conv(self, w) + bias)` with `bias` `[co]`, in one pass over the result.
    fn conv_kink(&self, w: &Self, bias: &Self, spec: ConvSpec, kink: Kink) -> Self;
    /// `leak(conv(self, w) * scale + bias)` with a positive `scale` `[n, co]`, likewise: a modulated convolution.
    fn conv_scaled(&self, w: &Self, scale: &Self, bias: &Self, spec: ConvSpec, leak: Leak) -> Self;
    /// Of `y = leak(sums * scale + bias)` and its gradient `self`: the gradient of the sums, and with v the leak's argument and
    /// dv its gradient, the sums over pixels of dv and of dv v, `[n, c]`. One pass where that is possible.
    fn scaled_grad(&self, y: &Self, scale: &Self, leak: Leak) -> [Self; 3] {
        let [n, _, _, c] = y.shape()[..] else { panic!("expected [n, h, w, c], not {:?}", y.shape()) };
        let (whole, flat) = ([n, 1, 1, c], [n, c]);
        let dv = self.leaky_relu_grad_gain(y, leak.slope, leak.gain);
        let v = y.leaky_relu_grad_gain(y, 1.0 / leak.slope, 1.0 / leak.gain);
        [dv.mul(&scale.reshape(&whole)), dv.sum_to(&whole).reshape(&flat), dv.mul_sum_to(&v, &whole).reshape(&flat)]
    }
    /// Of `y = leak(x + bias)` and its gradient `self`: the gradients of x and of the bias `[c]`, in one pass where possible.
    fn leaky_bias_grad(&self, y: &Self, leak: Leak) -> [Self; 2] {
        let shape = y.shape();
        let c = shape[shape.len() - 1];
        let mut one = vec![1; shape.len()];
        one[shape.len() - 1] = c;
        let dx = self.leaky_relu_grad_gain(y, leak.slope, leak.gain);
        let bias = dx.sum_to(&one).reshape(&[c]);
        [dx, bias]
    }
    /// `kink(depthwise(self, w) + bias)`, likewise.
    fn depthwise_kink(&self, w: &Self, bias: &Self, spec: ConvSpec, kink: Kink) -> Self;
    /// Adjoint of `conv` in its input: `self` is the output gradient; `hw` the size of the input.
    fn conv_input_grad(&self, w: &Self, spec: ConvSpec, hw: (usize, usize)) -> Self;
    /// Adjoint of `conv` in its weights: `self` is the input, `dy` the output gradient; `k` = (kh, kw).
    fn conv_weight_grad(&self, dy: &Self, spec: ConvSpec, k: (usize, usize)) -> Self;
    /// `[n,h,w,c] * [kh,kw,c] -> [n,ho,wo,c]`, each channel by itself.
    fn depthwise(&self, w: &Self, spec: ConvSpec) -> Self;
    /// Adjoint of `depthwise` in its input.
    fn depthwise_input_grad(&self, w: &Self, spec: ConvSpec, hw: (usize, usize)) -> Self;
    /// Adjoint of `depthwise` in its weights.
    fn depthwise_weight_grad(&self, dy: &Self, spec: ConvSpec, k: (usize, usize)) -> Self;
    /// Product of two matrices, either one transposed first.
    fn matmul(&self, b: &Self, transpose_a: bool, transpose_b: bool) -> Self;
    /// Products of `n` pairs of matrices `[n, rows, columns]`, either ones transposed first.
    fn matmul_each(&self, b: &Self, transpose_a: bool, transpose_b: bool) -> Self;

    // ---- elementwise; the shapes are equal or one broadcasts over the other (dimensions of length 1; ranks equal)
    /// `self + b`.
    fn add(&self, b: &Self) -> Self;
    /// `self - b`.
    fn sub(&self, b: &Self) -> Self;
    /// `self * b`.
    fn mul(&self, b: &Self) -> Self;
    /// `self * k + c`.
    fn affine(&self, k: f64, c: f64) -> Self;
    /// `x` where positive, else `slope * x`.
    fn leaky_relu(&self, slope: f64) -> Self;
    /// `self` where `x` is positive, else `slope * self`: linear in `self`, constant in `x` (almost everywhere).
    fn leaky_relu_grad(&self, x: &Self, slope: f64) -> Self;
    /// `leaky_relu_grad(self, x, slope) * gain`, in one pass where that is possible.
    fn leaky_relu_grad_gain(&self, x: &Self, slope: f64, gain: f64) -> Self {
        self.leaky_relu_grad(x, slope).scale(gain)
    }
    /// `leaky_relu(self + bias) * gain` with `bias` `[c]` over the last dimension, in one pass.
    fn bias_leaky_relu(&self, bias: &Self, slope: f64, gain: f64) -> Self;
    /// `clamp(self + bias)` with `bias` `[c]` over the last dimension, in one pass.
    fn bias_clamp(&self, bias: &Self, lo: f64, hi: f64) -> Self;
    /// Held within `lo..=hi` (ReLU6 is `clamp(0, 6)`).
    fn clamp(&self, lo: f64, hi: f64) -> Self;
    /// `self` where `lo < x < hi`, else 0.
    fn clamp_grad(&self, x: &Self, lo: f64, hi: f64) -> Self;
    /// `e^x`.
    fn exp(&self) -> Self;
    /// `tanh x`.
    fn tanh(&self) -> Self;
    /// `1 / (1 + e^-x)`.
    fn sigmoid(&self) -> Self;
    /// `ln(1 + e^x)`, without overflow.
    fn softplus(&self) -> Self;
    /// `ln x`.
    fn ln(&self) -> Self;
    /// `1 / sqrt(x)`.
    fn rsqrt(&self) -> Self;

    // ---- shape and reduction
    /// Sum over every dimension where `shape` has length 1 (ranks equal).
    fn sum_to(&self, shape: &[usize]) -> Self;
    /// `(self * b).sum_to(shape)`, in one pass where that is possible.
    fn mul_sum_to(&self, b: &Self, shape: &[usize]) -> Self {
        self.mul(b).sum_to(shape)
    }
    /// Sum of squares over every dimension where `shape` has length 1 (ranks equal).
    fn square_sum_to(&self, shape: &[usize]) -> Self;
    /// Repeated along the dimensions of length 1 to `shape` (ranks equal).
    fn broadcast_to(&self, shape: &[usize]) -> Self;
    /// The same numbers under another shape.
    fn reshape(&self, shape: &[usize]) -> Self;
    /// `parts` side by side along `axis`.
    fn concat(parts: &[Self], axis: usize) -> Self;
    /// `len` slices from `start` along `axis`.
    fn narrow(&self, axis: usize, start: usize, len: usize) -> Self;
    /// Adjoint of `narrow`: zeros around, so that `axis` has length `total`.
    fn widen(&self, axis: usize, start: usize, total: usize) -> Self;
    /// Rows of a table `[rows, c]` by index -> `[indices, c]`.
    fn rows(&self, indices: &[usize]) -> Self;
    /// Adjoint of `rows`: sums `[indices, c]` into `[rows, c]`.
    fn scatter_rows(&self, indices: &[usize], rows: usize) -> Self;

    // ---- resampling, all linear; each pair is adjoint
    /// Twice the size, bilinear, half-pixel centres, edges replicated.
    fn upsample2(&self) -> Self;
    /// Adjoint of `upsample2`.
    fn upsample2_grad(&self) -> Self;
    /// Mean over 2x2.
    fn pool2(&self) -> Self;
    /// Adjoint of `pool2`: each value to four pixels, a quarter each.
    fn pool2_grad(&self) -> Self;
    /// 2x2 pixels become channels: `[n,h,w,c] -> [n,h/2,w/2,4c]`, channel order (dy, dx, c).
    fn space_to_depth(&self) -> Self;
    /// Inverse of `space_to_depth`.
    fn depth_to_space(&self) -> Self;
    /// Bilinear, half-pixel centres, no antialiasing (as PyTorch `align_corners=False`), to `hw`.
    fn resize(&self, hw: (usize, usize)) -> Self;
    /// Adjoint of `resize` from size `hw`.
    fn resize_grad(&self, hw: (usize, usize)) -> Self;
    /// Per sample a source pixel for each pixel: `out[n,p] = in[n, index[n*p]]` or 0 where the index is `u32::MAX`.
    /// `map` holds `n*ho*wo` indices into `h*w`; `hw` is the output size.
    fn gather_pixels(&self, map: &std::sync::Arc<[u32]>, hw: (usize, usize)) -> Self;
    /// Adjoint of `gather_pixels`, for an input of size `hw`.
    fn scatter_pixels(&self, map: &std::sync::Arc<[u32]>, hw: (usize, usize)) -> Self;

    // ---- written in terms of the above, once for all
    /// `self * k`.
    fn scale(&self, k: f64) -> Self {
        self.affine(k, 0.0)
    }
    /// `-self`.
    fn neg(&self) -> Self {
        self.affine(-1.0, 0.0)
    }
    /// `self * self`.
    fn square(&self) -> Self {
        self.mul(self)
    }
    /// Sum of everything, `[1; rank]`.
    fn sum(&self) -> Self {
        self.sum_to(&vec![1; self.shape().len()])
    }
    /// Mean of everything, `[1; rank]`.
    fn mean(&self) -> Self {
        let n: usize = self.shape().iter().product();
        self.sum().scale(1.0 / n as f64)
    }
    /// Mean over every dimension where `shape` has length 1.
    fn mean_to(&self, shape: &[usize]) -> Self {
        let (n, m): (usize, usize) = (self.shape().iter().product(), shape.iter().product());
        self.sum_to(shape).scale(m as f64 / n as f64)
    }
    /// `self + bias` with `bias` `[c]` over the last dimension.
    fn add_bias(&self, bias: &Self) -> Self {
        let mut s = vec![1; self.shape().len()];
        if let Some(last) = s.last_mut() {
            *last = bias.shape()[0];
        }
        self.add(&bias.reshape(&s))
    }
    /// Fully connected: `[n, i] x [i, o] + [o]`.
    fn linear(&self, w: &Self, bias: &Self) -> Self {
        self.matmul(w, false, false).add_bias(bias)
    }
}
