//! [`Tensor`] speaks [`Array`]: every operation computed at once, nothing remembered.
mod elementwise;
mod product;
mod rearrange;
mod reduce;
mod resample;

pub use elementwise::{Binary, Unary};
pub(crate) use elementwise::{accumulate, binary, broadcast_to, plus_scaled, side, unary};
pub(crate) use reduce::{mul_sum_to, sum_to};

use crate::kernels::{After, Kink};
use crate::{Array, ConvSpec, Leak, Real, Tensor};
use resample::{Resampling, resample};
use std::sync::Arc;

impl<T: Real> Array for Tensor<T> {
    type T = T;

    fn shape(&self) -> Vec<usize> {
        Tensor::shape(self).to_vec()
    }
    fn tensor(&self) -> Tensor<T> {
        self.clone()
    }
    fn lift(&self, t: Tensor<T>) -> Self {
        t
    }
    fn needs_grad(&self) -> bool {
        false
    }

    fn conv(&self, w: &Self, spec: ConvSpec) -> Self {
        product::conv(self, w, spec, None)
    }
    fn conv_kink(&self, w: &Self, bias: &Self, spec: ConvSpec, kink: Kink) -> Self {
        product::conv(self, w, spec, Some(After { scale: None, bias: bias.data(), kink }))
    }
    fn conv_scaled(&self, w: &Self, scale: &Self, bias: &Self, spec: ConvSpec, leak: Leak) -> Self {
        let after = After { scale: Some(scale.data()), bias: bias.data(), kink: leak.kink() };
        product::conv(self, w, spec, Some(after))
    }
    fn scaled_grad(&self, y: &Self, scale: &Self, leak: Leak) -> [Self; 3] {
        product::scaled_grad(self, y, scale, leak)
    }
    fn leaky_bias_grad(&self, y: &Self, leak: Leak) -> [Self; 2] {
        product::leaky_bias_grad(self, y, leak)
    }
    fn depthwise_kink(&self, w: &Self, bias: &Self, spec: ConvSpec, kink: Kink) -> Self {
        product::depthwise(self, w, spec, Some(After { scale: None, bias: bias.data(), kink }))
    }
    fn conv_input_grad(&self, w: &Self, spec: ConvSpec, hw: (usize, usize)) -> Self {
        product::conv_input_grad(self, w, spec, hw)
    }
    fn conv_weight_grad(&self, dy: &Self, spec: ConvSpec, k: (usize, usize)) -> Self {
        product::conv_weight_grad(self, dy, spec, k)
    }
    fn depthwise(&self, w: &Self, spec: ConvSpec) -> Self {
        product::depthwise(self, w, spec, None)
    }
    fn depthwise_input_grad(&self, w: &Self, spec: ConvSpec, hw: (usize, usize)) -> Self {
        product::depthwise_input_grad(self, w, spec, hw)
    }
    fn depthwise_weight_grad(&self, dy: &Self, spec: ConvSpec, k: (usize, usize)) -> Self {
        product::depthwise_weight_grad(self, dy, spec, k)
    }
    fn matmul(&self, b: &Self, transpose_a: bool, transpose_b: bool) -> Self {
        product::matmul(self, b, transpose_a, transpose_b)
    }
    fn matmul_each(&self, b: &Self, transpose_a: bool, transpose_b: bool) -> Self {
        product::matmul_each(self, b, transpose_a, transpose_b)
    }

    fn add(&self, b: &Self) -> Self {
        T::binary(Binary::Add, self, b)
    }
    fn sub(&self, b: &Self) -> Self {
        T::binary(Binary::Sub, self, b)
    }
    fn mul(&self, b: &Self) -> Self {
        T::binary(Binary::Mul, self, b)
    }
    fn affine(&self, k: f64, c: f64) -> Self {
        T::unary(Unary::Affine(k, c), self)
    }
    fn leaky_relu(&self, slope: f64) -> Self {
        T::unary(Unary::LeakyRelu(slope), self)
    }
    fn leaky_relu_grad(&self, x: &Self, slope: f64) -> Self {
        self.leaky_relu_grad_gain(x, slope, 1.0)
    }
    fn leaky_relu_grad_gain(&self, x: &Self, slope: f64, gain: f64) -> Self {
        T::binary(Binary::Sided(gain, slope * gain), self, x)
    }
    fn bias_leaky_relu(&self, bias: &Self, slope: f64, gain: f64) -> Self {
        elementwise::bias_leaky_relu(self, bias, slope, gain)
    }
    fn bias_clamp(&self, bias: &Self, lo: f64, hi: f64) -> Self {
        elementwise::bias_clamp(self, bias, lo, hi)
    }
    fn clamp(&self, lo: f64, hi: f64) -> Self {
        T::unary(Unary::Clamp(lo, hi), self)
    }
    fn clamp_grad(&self, x: &Self, lo: f64, hi: f64) -> Self {
        T::binary(Binary::Within(lo, hi), self, x)
    }
    fn exp(&self) -> Self {
        T::unary(Unary::Exp, self)
    }
    fn tanh(&self) -> Self {
        T::unary(Unary::Tanh, self)
    }
    fn sigmoid(&self) -> Self {
        T::unary(Unary::Sigmoid, self)
    }
    fn softplus(&self) -> Self {
        T::unary(Unary::Softplus, self)
    }
    fn ln(&self) -> Self {
        T::unary(Unary::Ln, self)
    }
    fn rsqrt(&self) -> Self {
        T::unary(Unary::Rsqrt, self)
    }

    fn sum_to(&self, shape: &[usize]) -> Self {
        T::sum_to(self, shape)
    }
    fn mul_sum_to(&self, b: &Self, shape: &[usize]) -> Self {
        T::mul_sum_to(self, b, shape)
    }
    fn square_sum_to(&self, shape: &[usize]) -> Self {
        T::mul_sum_to(self, self, shape)
    }
    fn broadcast_to(&self, shape: &[usize]) -> Self {
        T::broadcast_to(self, shape)
    }
    fn reshape(&self, shape: &[usize]) -> Self {
        self.reshaped(shape)
    }
    fn concat(parts: &[Self], axis: usize) -> Self {
        rearrange::concat(parts, axis)
    }
    fn narrow(&self, axis: usize, start: usize, len: usize) -> Self {
        rearrange::narrow(self, axis, start, len)
    }
    fn widen(&self, axis: usize, start: usize, total: usize) -> Self {
        rearrange::widen(self, axis, start, total)
    }
    fn rows(&self, indices: &[usize]) -> Self {
        rearrange::rows(self, indices)
    }
    fn scatter_rows(&self, indices: &[usize], rows: usize) -> Self {
        rearrange::scatter_rows(self, indices, rows)
    }

    fn upsample2(&self) -> Self {
        let (_, h, w, _) = nhwc(self);
        resample(Resampling::Bilinear(2 * h, 2 * w), self)
    }
    fn upsample2_grad(&self) -> Self {
        let (h, w) = resample::half(self);
        resample(Resampling::BilinearGrad(h, w), self)
    }
    fn pool2(&self) -> Self {
        resample(Resampling::Halve, self)
    }
    fn pool2_grad(&self) -> Self {
        resample(Resampling::HalveGrad, self)
    }
    fn space_to_depth(&self) -> Self {
        rearrange::space_to_depth(self)
    }
    fn depth_to_space(&self) -> Self {
        rearrange::depth_to_space(self)
    }
    fn resize(&self, hw: (usize, usize)) -> Self {
        resample(Resampling::Bilinear(hw.0, hw.1), self)
    }
    fn resize_grad(&self, hw: (usize, usize)) -> Self {
        resample(Resampling::BilinearGrad(hw.0, hw.1), self)
    }
    fn gather_pixels(&self, map: &Arc<[u32]>, hw: (usize, usize)) -> Self {
        rearrange::gather_pixels(self, map, hw)
    }
    fn scatter_pixels(&self, map: &Arc<[u32]>, hw: (usize, usize)) -> Self {
        rearrange::scatter_pixels(self, map, hw)
    }
}

/// `[n, h, w, c]` of a picture or map.
fn nhwc<T: Real>(x: &Tensor<T>) -> (usize, usize, usize, usize) {
    match *x.shape() {
        [n, h, w, c] => (n, h, w, c),
        ref other => panic!("expected [n, h, w, c], not {other:?}"),
    }
}
