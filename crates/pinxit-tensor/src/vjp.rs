//! Every vector-Jacobian product, written once over [`Array`] and in terms of its operations: run on
//! [`Tensor`](crate::Tensor) it is a plain backward pass, run on [`Var`](crate::Var) it can be differentiated again.
use crate::op::{Op, Slot};
use crate::{Array, Leak};

/// A node as its product sees it.
pub(crate) struct Node<'a, A> {
    /// What was done.
    pub op: &'a Op,
    /// To what; values that `op.reads` did not name are absent.
    pub inputs: &'a [Slot<A>],
    /// The result, if `op.reads` named it.
    pub output: Option<&'a A>,
}

impl<A: Array> Node<'_, A> {
    fn x(&self) -> &A {
        self.inputs[0].get(self.op)
    }
    fn y(&self) -> &A {
        self.inputs[1].get(self.op)
    }
    fn shape(&self, i: usize) -> &[usize] {
        &self.inputs[i].shape
    }
    fn out(&self) -> &A {
        match self.output {
            Some(v) => v,
            None => panic!("{} reads a result it did not ask to keep", self.op.name()),
        }
    }
    /// Rows and columns of a map that is input `i`, or of convolution weights.
    fn hw(&self, i: usize) -> (usize, usize) {
        match *self.shape(i) {
            [_, h, w, _] => (h, w),
            ref other => panic!("expected [n, h, w, c], not {other:?}"),
        }
    }
    fn kernel(&self, i: usize) -> (usize, usize) {
        (self.shape(i)[0], self.shape(i)[1])
    }
}

/// Gradients of the inputs marked in `want`, given that of the result; `None` is zero.
pub(crate) fn vjp<A: Array>(node: &Node<'_, A>, dy: &A, want: &[bool]) -> Vec<Option<A>> {
    match node.op {
        Op::Leaf => Vec::new(),
        Op::Concat { axis } => concat(node, *axis, dy, want),
        Op::Scaled { leak } => scaled(node, *leak, dy),
        op if want.len() == 1 => vec![want[0].then(|| unary(op, node, dy))],
        op => {
            let (a, b) = binary(op, node, dy, [want[0], want[1]]);
            vec![a, b]
        }
    }
}

/// With dv and v as in [`Array::scaled_grad`] and sums = (v - bias) / scale: the gradients of sums, scale and bias.
fn scaled<A: Array>(node: &Node<'_, A>, leak: Leak, dy: &A) -> Vec<Option<A>> {
    let (scale, bias) = (node.y(), node.inputs[2].get(node.op));
    let c = bias.shape()[0];
    let [dsums, total, moment] = dy.scaled_grad(node.out(), scale, leak);
    let above = moment.sub(&total.mul(&bias.reshape(&[1, c])));
    // 1 / scale, which is positive.
    let dscale = above.mul(&scale.rsqrt().square());
    vec![Some(dsums), Some(dscale), Some(total.sum_to(&[1, c]).reshape(&[c]))]
}

fn concat<A: Array>(node: &Node<'_, A>, axis: usize, dy: &A, want: &[bool]) -> Vec<Option<A>> {
    let mut start = 0;
    let mut part = |(slot, &want): (&Slot<A>, &bool)| {
        let from = start;
        start += slot.shape[axis];
        want.then(|| dy.narrow(axis, from, slot.shape[axis]))
    };
    node.inputs.iter().zip(want).map(&mut part).collect()
}

fn unary<A: Array>(op: &Op, node: &Node<'_, A>, dy: &A) -> A {
    match op {
        Op::Affine { k } => dy.scale(*k),
        Op::LeakyRelu { slope } => dy.leaky_relu_grad(if *slope >= 0.0 { node.out() } else { node.x() }, *slope),
        Op::Clamp { lo, hi } => dy.clamp_grad(node.out(), *lo, *hi),
        Op::Exp => dy.mul(node.out()),
        Op::Tanh => dy.mul(&node.out().square().affine(-1.0, 1.0)),
        Op::Sigmoid => dy.mul(&node.out().mul(&node.out().affine(-1.0, 1.0))),
        Op::Softplus => dy.mul(&node.x().sigmoid()),
        Op::Ln => dy.mul(&node.x().rsqrt().square()),
        Op::Rsqrt => dy.mul(&node.out().square().mul(node.out()).scale(-0.5)),
        Op::SumTo => dy.broadcast_to(node.shape(0)),
        Op::SquareSumTo => node.x().mul(&dy.scale(2.0)),
        Op::BroadcastTo => dy.sum_to(node.shape(0)),
        Op::Reshape => dy.reshape(node.shape(0)),
        Op::Narrow { axis, start } => dy.widen(*axis, *start, node.shape(0)[*axis]),
        Op::Widen { axis, start } => dy.narrow(*axis, *start, node.shape(0)[*axis]),
        Op::Rows { indices } => dy.scatter_rows(indices, node.shape(0)[0]),
        Op::ScatterRows { indices } => dy.rows(indices),
        Op::Upsample2 => dy.upsample2_grad(),
        Op::Upsample2Grad => dy.upsample2(),
        Op::Pool2 => dy.pool2_grad(),
        Op::Pool2Grad => dy.pool2(),
        Op::SpaceToDepth => dy.depth_to_space(),
        Op::DepthToSpace => dy.space_to_depth(),
        Op::Resize => dy.resize_grad(node.hw(0)),
        Op::ResizeGrad => dy.resize(node.hw(0)),
        Op::GatherPixels { map } => dy.scatter_pixels(map, node.hw(0)),
        Op::ScatterPixels { map } => dy.gather_pixels(map, node.hw(0)),
        other => panic!("{} does not have one input", other.name()),
    }
}

fn binary<A: Array>(op: &Op, n: &Node<'_, A>, dy: &A, [a, b]: [bool; 2]) -> (Option<A>, Option<A>) {
    match op {
        // In <conv(x, w), g> each of the three gradients is one of the trio, whichever two of x, w, g were given.
        Op::Conv { spec } => {
            (a.then(|| dy.conv_input_grad(n.y(), *spec, n.hw(0))), b.then(|| n.x().conv_weight_grad(dy, *spec, n.kernel(1))))
        }
        Op::ConvInputGrad { spec } => {
            (a.then(|| dy.conv(n.y(), *spec)), b.then(|| dy.conv_weight_grad(n.x(), *spec, n.kernel(1))))
        }
        Op::ConvWeightGrad { spec } => (a.then(|| n.y().conv_input_grad(dy, *spec, n.hw(0))), b.then(|| n.x().conv(dy, *spec))),
        Op::Depthwise { spec } => (
            a.then(|| dy.depthwise_input_grad(n.y(), *spec, n.hw(0))),
            b.then(|| n.x().depthwise_weight_grad(dy, *spec, n.kernel(1))),
        ),
        Op::DepthwiseInputGrad { spec } => {
            (a.then(|| dy.depthwise(n.y(), *spec)), b.then(|| dy.depthwise_weight_grad(n.x(), *spec, n.kernel(1))))
        }
        Op::DepthwiseWeightGrad { spec } => {
            (a.then(|| n.y().depthwise_input_grad(dy, *spec, n.hw(0))), b.then(|| n.x().depthwise(dy, *spec)))
        }
        Op::Matmul { ta, tb } => (
            a.then(|| if *ta { n.y().matmul(dy, *tb, true) } else { dy.matmul(n.y(), false, !tb) }),
            b.then(|| if *tb { dy.matmul(n.x(), true, *ta) } else { n.x().matmul(dy, !ta, false) }),
        ),
        Op::MatmulEach { ta, tb } => (
            a.then(|| if *ta { n.y().matmul_each(dy, *tb, true) } else { dy.matmul_each(n.y(), false, !tb) }),
            b.then(|| if *tb { dy.matmul_each(n.x(), true, *ta) } else { n.x().matmul_each(dy, !ta, false) }),
        ),
        Op::Add => (a.then(|| onto(dy.clone(), n.shape(0))), b.then(|| onto(dy.clone(), n.shape(1)))),
        Op::Sub => (a.then(|| onto(dy.clone(), n.shape(0))), b.then(|| onto(dy.clone(), n.shape(1)).neg())),
        Op::Mul => (a.then(|| product(dy, n.y(), n.shape(0))), b.then(|| product(dy, n.x(), n.shape(1)))),
        // The derivative in the second input is zero almost everywhere.
        Op::LeakyReluGrad { slope } => (a.then(|| onto(dy.leaky_relu_grad(n.y(), *slope), n.shape(0))), None),
        Op::ClampGrad { lo, hi } => (a.then(|| onto(dy.clamp_grad(n.y(), *lo, *hi), n.shape(0))), None),
        Op::BiasLeakyRelu { slope, gain } => bias_leaky_relu(n, dy, *slope, *gain, [a, b]),
        Op::BiasClamp { lo, hi } => with_bias(n, dy.clamp_grad(n.out(), *lo, *hi), [a, b]),
        other => panic!("{} does not have two inputs", other.name()),
    }
}

fn bias_leaky_relu<A: Array>(n: &Node<'_, A>, dy: &A, slope: f64, gain: f64, [a, b]: [bool; 2]) -> (Option<A>, Option<A>) {
    if a && b && slope > 0.0 && slope <= 1.0 && gain > 0.0 {
        let [dx, db] = dy.leaky_bias_grad(n.out(), Leak { slope, gain });
        return (Some(dx), Some(db));
    }
    let before = if slope >= 0.0 && gain > 0.0 { n.out().clone() } else { n.x().add_bias(n.y()) };
    with_bias(n, dy.leaky_relu_grad_gain(&before, slope, gain), [a, b])
}

/// Gradients of `x + bias` from that of the sum.
fn with_bias<A: Array>(n: &Node<'_, A>, dx: A, [a, b]: [bool; 2]) -> (Option<A>, Option<A>) {
    let db = b.then(|| {
        let mut one = vec![1; n.shape(0).len()];
        if let Some(last) = one.last_mut() {
            *last = n.shape(1)[0];
        }
        dx.sum_to(&one).reshape(n.shape(1))
    });
    (a.then_some(dx), db)
}

/// Summed back over what broadcasting repeated.
fn onto<A: Array>(dy: A, shape: &[usize]) -> A {
    if dy.shape() == shape { dy } else { dy.sum_to(shape) }
}

/// `dy * x`, summed back over what broadcasting repeated.
fn product<A: Array>(dy: &A, x: &A, shape: &[usize]) -> A {
    if dy.shape() == shape { dy.mul(x) } else { dy.mul_sum_to(x, shape) }
}
