//! [`Var`] speaks [`Array`]: computes as [`Tensor`] does, and leaves a node on the tape.
use crate::kernels::Kink;
use crate::op::Op;
use crate::{Array, ConvSpec, Leak, Real, Tape, Tensor, Var};
use std::sync::Arc;

impl<T: Real> Var<T> {
    fn one(&self, op: Op, value: Tensor<T>) -> Self {
        Tape::record(op, &[self], value)
    }
    fn two(&self, b: &Self, op: Op, value: Tensor<T>) -> Self {
        Tape::record(op, &[self, b], value)
    }
    /// `kink(op(self, w) + bias)` as the two nodes it is, of which `y` is the only value: no gradient looks at the sums before
    /// the kink, because the result tells the side it was on.
    fn kinked(&self, w: &Self, bias: &Self, op: Op, kink: Kink, y: Tensor<T>) -> Self {
        let sums = self.two(w, op, Tensor::absent(y.shape()));
        let kink = match kink {
            Kink::Leaky { slope, gain } => Op::BiasLeakyRelu { slope, gain },
            Kink::Clamp { lo, hi } => Op::BiasClamp { lo, hi },
        };
        assert!(kink.reads([true, true]).inputs == [false; 3], "{kink:?} looks at what it was made of");
        sums.two(bias, kink, y)
    }
}

impl<T: Real> Array for Var<T> {
    type T = T;

    fn shape(&self) -> Vec<usize> {
        self.value().shape().to_vec()
    }
    fn tensor(&self) -> Tensor<T> {
        self.value().clone()
    }
    fn lift(&self, t: Tensor<T>) -> Self {
        self.tape().constant(t)
    }
    fn needs_grad(&self) -> bool {
        self.has_node()
    }

    fn conv(&self, w: &Self, spec: ConvSpec) -> Self {
        self.two(w, Op::Conv { spec }, self.value().conv(w.value(), spec))
    }
    fn conv_kink(&self, w: &Self, bias: &Self, spec: ConvSpec, kink: Kink) -> Self {
        let y = self.value().conv_kink(w.value(), bias.value(), spec, kink);
        self.kinked(w, bias, Op::Conv { spec }, kink, y)
    }
    fn conv_scaled(&self, w: &Self, scale: &Self, bias: &Self, spec: ConvSpec, leak: Leak) -> Self {
        let y = self.value().conv_scaled(w.value(), scale.value(), bias.value(), spec, leak);
        let sums = self.two(w, Op::Conv { spec }, Tensor::absent(y.shape()));
        Tape::record(Op::Scaled { leak }, &[&sums, scale, bias], y)
    }
    fn depthwise_kink(&self, w: &Self, bias: &Self, spec: ConvSpec, kink: Kink) -> Self {
        let y = self.value().depthwise_kink(w.value(), bias.value(), spec, kink);
        self.kinked(w, bias, Op::Depthwise { spec }, kink, y)
    }
    fn conv_input_grad(&self, w: &Self, spec: ConvSpec, hw: (usize, usize)) -> Self {
        self.two(w, Op::ConvInputGrad { spec }, self.value().conv_input_grad(w.value(), spec, hw))
    }
    fn conv_weight_grad(&self, dy: &Self, spec: ConvSpec, k: (usize, usize)) -> Self {
        self.two(dy, Op::ConvWeightGrad { spec }, self.value().conv_weight_grad(dy.value(), spec, k))
    }
    fn depthwise(&self, w: &Self, spec: ConvSpec) -> Self {
        self.two(w, Op::Depthwise { spec }, self.value().depthwise(w.value(), spec))
    }
    fn depthwise_input_grad(&self, w: &Self, spec: ConvSpec, hw: (usize, usize)) -> Self {
        self.two(w, Op::DepthwiseInputGrad { spec }, self.value().depthwise_input_grad(w.value(), spec, hw))
    }
    fn depthwise_weight_grad(&self, dy: &Self, spec: ConvSpec, k: (usize, usize)) -> Self {
        self.two(dy, Op::DepthwiseWeightGrad { spec }, self.value().depthwise_weight_grad(dy.value(), spec, k))
    }
    fn matmul(&self, b: &Self, ta: bool, tb: bool) -> Self {
        self.two(b, Op::Matmul { ta, tb }, self.value().matmul(b.value(), ta, tb))
    }
    fn matmul_each(&self, b: &Self, ta: bool, tb: bool) -> Self {
        self.two(b, Op::MatmulEach { ta, tb }, self.value().matmul_each(b.value(), ta, tb))
    }

    fn add(&self, b: &Self) -> Self {
        self.two(b, Op::Add, self.value().add(b.value()))
    }
    fn sub(&self, b: &Self) -> Self {
        self.two(b, Op::Sub, self.value().sub(b.value()))
    }
    fn mul(&self, b: &Self) -> Self {
        self.two(b, Op::Mul, self.value().mul(b.value()))
    }
    fn affine(&self, k: f64, c: f64) -> Self {
        self.one(Op::Affine { k }, self.value().affine(k, c))
    }
    fn leaky_relu(&self, slope: f64) -> Self {
        self.one(Op::LeakyRelu { slope }, self.value().leaky_relu(slope))
    }
    fn leaky_relu_grad(&self, x: &Self, slope: f64) -> Self {
        self.two(x, Op::LeakyReluGrad { slope }, self.value().leaky_relu_grad(x.value(), slope))
    }
    fn bias_leaky_relu(&self, bias: &Self, slope: f64, gain: f64) -> Self {
        self.two(bias, Op::BiasLeakyRelu { slope, gain }, self.value().bias_leaky_relu(bias.value(), slope, gain))
    }
    fn bias_clamp(&self, bias: &Self, lo: f64, hi: f64) -> Self {
        self.two(bias, Op::BiasClamp { lo, hi }, self.value().bias_clamp(bias.value(), lo, hi))
    }
    fn clamp(&self, lo: f64, hi: f64) -> Self {
        self.one(Op::Clamp { lo, hi }, self.value().clamp(lo, hi))
    }
    fn clamp_grad(&self, x: &Self, lo: f64, hi: f64) -> Self {
        self.two(x, Op::ClampGrad { lo, hi }, self.value().clamp_grad(x.value(), lo, hi))
    }
    fn exp(&self) -> Self {
        self.one(Op::Exp, self.value().exp())
    }
    fn tanh(&self) -> Self {
        self.one(Op::Tanh, self.value().tanh())
    }
    fn sigmoid(&self) -> Self {
        self.one(Op::Sigmoid, self.value().sigmoid())
    }
    fn softplus(&self) -> Self {
        self.one(Op::Softplus, self.value().softplus())
    }
    fn ln(&self) -> Self {
        self.one(Op::Ln, self.value().ln())
    }
    fn rsqrt(&self) -> Self {
        self.one(Op::Rsqrt, self.value().rsqrt())
    }

    fn sum_to(&self, shape: &[usize]) -> Self {
        self.one(Op::SumTo, self.value().sum_to(shape))
    }
    fn square_sum_to(&self, shape: &[usize]) -> Self {
        self.one(Op::SquareSumTo, self.value().square_sum_to(shape))
    }
    fn broadcast_to(&self, shape: &[usize]) -> Self {
        self.one(Op::BroadcastTo, self.value().broadcast_to(shape))
    }
    fn reshape(&self, shape: &[usize]) -> Self {
        self.one(Op::Reshape, self.value().reshape(shape))
    }
    fn concat(parts: &[Self], axis: usize) -> Self {
        let values: Vec<Tensor<T>> = parts.iter().map(|p| p.value().clone()).collect();
        let value = Tensor::concat(&values, axis);
        Tape::record(Op::Concat { axis }, &parts.iter().collect::<Vec<_>>(), value)
    }
    fn narrow(&self, axis: usize, start: usize, len: usize) -> Self {
        self.one(Op::Narrow { axis, start }, self.value().narrow(axis, start, len))
    }
    fn widen(&self, axis: usize, start: usize, total: usize) -> Self {
        self.one(Op::Widen { axis, start }, self.value().widen(axis, start, total))
    }
    fn rows(&self, indices: &[usize]) -> Self {
        self.one(Op::Rows { indices: indices.into() }, self.value().rows(indices))
    }
    fn scatter_rows(&self, indices: &[usize], rows: usize) -> Self {
        self.one(Op::ScatterRows { indices: indices.into() }, self.value().scatter_rows(indices, rows))
    }

    fn upsample2(&self) -> Self {
        self.one(Op::Upsample2, self.value().upsample2())
    }
    fn upsample2_grad(&self) -> Self {
        self.one(Op::Upsample2Grad, self.value().upsample2_grad())
    }
    fn pool2(&self) -> Self {
        self.one(Op::Pool2, self.value().pool2())
    }
    fn pool2_grad(&self) -> Self {
        self.one(Op::Pool2Grad, self.value().pool2_grad())
    }
    fn space_to_depth(&self) -> Self {
        self.one(Op::SpaceToDepth, self.value().space_to_depth())
    }
    fn depth_to_space(&self) -> Self {
        self.one(Op::DepthToSpace, self.value().depth_to_space())
    }
    fn resize(&self, hw: (usize, usize)) -> Self {
        self.one(Op::Resize, self.value().resize(hw))
    }
    fn resize_grad(&self, hw: (usize, usize)) -> Self {
        self.one(Op::ResizeGrad, self.value().resize_grad(hw))
    }
    fn gather_pixels(&self, map: &Arc<[u32]>, hw: (usize, usize)) -> Self {
        self.one(Op::GatherPixels { map: map.clone() }, self.value().gather_pixels(map, hw))
    }
    fn scatter_pixels(&self, map: &Arc<[u32]>, hw: (usize, usize)) -> Self {
        self.one(Op::ScatterPixels { map: map.clone() }, self.value().scatter_pixels(map, hw))
    }
}
