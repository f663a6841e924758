//! One or more examples of every operation, at small odd shapes.
use crate::{Array, ConvSpec, Kink, Leak, Var};
use std::sync::Arc;

pub(super) type V = Var<f64>;

type Function = Box<dyn Fn(&[V]) -> V>;

/// An operation applied to inputs of the given shapes.
pub(super) struct Case {
    pub name: &'static str,
    pub shapes: Vec<Vec<usize>>,
    pub positive: bool,
    pub f: Function,
}

fn case<const N: usize>(name: &'static str, shapes: [&[usize]; N], f: impl Fn(&[V]) -> V + 'static) -> Case {
    Case { name, shapes: shapes.iter().map(|s| s.to_vec()).collect(), positive: false, f: Box::new(f) }
}

fn positive(c: Case) -> Case {
    Case { positive: true, ..c }
}

pub(super) fn all() -> Vec<Case> {
    [convolutions(), matrices(), pairs(), pointwise(), shapes(), resampling()].into_iter().flatten().collect()
}

fn convolutions() -> Vec<Case> {
    let mut cases = Vec::new();
    // (kernel, stride, pad, output size) for a 4 x 5 map: the usual, a stride that leaves a rest, even and lopsided kernels.
    let geometries =
        [((3, 3), 1, 1, (4, 5)), ((3, 3), 2, 1, (2, 3)), ((1, 1), 1, 0, (4, 5)), ((2, 3), 1, 0, (3, 3)), ((3, 2), 3, 2, (2, 3))];
    for ((kh, kw), stride, pad, (ho, wo)) in geometries {
        let s = ConvSpec::new(stride, pad);
        let (x, w, y): (&[usize], &[usize], &[usize]) = (&[2, 4, 5, 2], &[kh, kw, 2, 3], &[2, ho, wo, 3]);
        cases.push(case("conv", [x, w], move |v| v[0].conv(&v[1], s)));
        cases.push(case("conv_input_grad", [y, w], move |v| v[0].conv_input_grad(&v[1], s, (4, 5))));
        cases.push(case("conv_weight_grad", [x, y], move |v| v[0].conv_weight_grad(&v[1], s, (kh, kw))));
        let (x, w, y): (&[usize], &[usize], &[usize]) = (&[2, 4, 5, 3], &[kh, kw, 3], &[2, ho, wo, 3]);
        cases.push(case("depthwise", [x, w], move |v| v[0].depthwise(&v[1], s)));
        cases.push(case("depthwise_input_grad", [y, w], move |v| v[0].depthwise_input_grad(&v[1], s, (4, 5))));
        cases.push(case("depthwise_weight_grad", [x, y], move |v| v[0].depthwise_weight_grad(&v[1], s, (kh, kw))));
    }
    cases
}

fn matrices() -> Vec<Case> {
    vec![
        case("matmul", [&[3, 4], &[4, 5]], |v| v[0].matmul(&v[1], false, false)),
        case("matmul, first turned", [&[4, 3], &[4, 5]], |v| v[0].matmul(&v[1], true, false)),
        case("matmul, second turned", [&[3, 4], &[5, 4]], |v| v[0].matmul(&v[1], false, true)),
        case("matmul, both turned", [&[4, 3], &[5, 4]], |v| v[0].matmul(&v[1], true, true)),
        case("matmul with itself", [&[4, 3]], |v| v[0].matmul(&v[0], true, false)),
        case("matmul_each", [&[2, 3, 4], &[2, 4, 5]], |v| v[0].matmul_each(&v[1], false, false)),
        case("matmul_each, first turned", [&[2, 4, 3], &[2, 4, 5]], |v| v[0].matmul_each(&v[1], true, false)),
        case("matmul_each, second turned", [&[2, 3, 4], &[2, 5, 4]], |v| v[0].matmul_each(&v[1], false, true)),
        case("matmul_each, both turned", [&[2, 4, 3], &[2, 5, 4]], |v| v[0].matmul_each(&v[1], true, true)),
        case("linear", [&[3, 4], &[4, 2], &[2]], |v| v[0].linear(&v[1], &v[2])),
    ]
}

fn pairs() -> Vec<Case> {
    const FULL: &[usize] = &[2, 3, 2, 3];
    let others: [&[usize]; 8] =
        [FULL, &[1, 1, 1, 3], &[2, 1, 1, 3], &[2, 1, 1, 1], &[2, 3, 2, 1], &[1, 3, 2, 1], &[1, 1, 1, 1], &[1, 3, 1, 3]];
    let mut cases = Vec::new();
    for other in others {
        for (a, b) in [(FULL, other), (other, FULL)] {
            cases.push(case("add", [a, b], |v| v[0].add(&v[1])));
            cases.push(case("sub", [a, b], |v| v[0].sub(&v[1])));
            cases.push(case("mul", [a, b], |v| v[0].mul(&v[1])));
        }
    }
    cases.extend([
        case("mul, both broadcast", [&[2, 1, 3], &[1, 4, 3]], |v| v[0].mul(&v[1])),
        case("square", [&[5]], |v| v[0].square()),
        case("leaky_relu_grad", [&[3, 5], &[3, 5]], |v| v[0].leaky_relu_grad(&v[1], 0.2)),
        case("leaky_relu_grad, broadcast", [&[1, 5], &[3, 5]], |v| v[0].leaky_relu_grad(&v[1], 0.2)),
        case("leaky_relu_grad_gain", [&[3, 5], &[3, 5]], |v| v[0].leaky_relu_grad_gain(&v[1], 0.2, 1.5)),
        case("clamp_grad", [&[3, 5], &[3, 5]], |v| v[0].clamp_grad(&v[1], -0.7, 0.9)),
        case("bias_leaky_relu", [&[2, 2, 3, 3], &[3]], |v| v[0].bias_leaky_relu(&v[1], 0.2, 1.4)),
        case("bias_clamp", [&[2, 2, 3, 3], &[3]], |v| v[0].bias_clamp(&v[1], -0.7, 0.9)),
        case("conv_kink, leaky", [&[1, 4, 3, 2], &[3, 3, 2, 3], &[3]], |v| {
            v[0].conv_kink(&v[1], &v[2], ConvSpec::same(3), Kink::Leaky { slope: 0.2, gain: 1.4 })
        }),
        case("conv_kink, clamp", [&[2, 3, 3, 2], &[1, 1, 2, 3], &[3]], |v| {
            v[0].conv_kink(&v[1], &v[2], ConvSpec::same(1), Kink::Clamp { lo: -0.7, hi: 0.9 })
        }),
        case("conv_scaled", [&[2, 4, 3, 2], &[3, 3, 2, 3], &[2, 3], &[3]], |v| {
            let scale = v[2].square().affine(1.0, 0.5);
            v[0].conv_scaled(&v[1], &scale, &v[3], ConvSpec::same(3), Leak { slope: 0.2, gain: 1.4 })
        }),
        case("depthwise_kink", [&[1, 4, 4, 3], &[3, 3, 3], &[3]], |v| {
            v[0].depthwise_kink(&v[1], &v[2], ConvSpec::new(2, 1), Kink::Clamp { lo: -0.7, hi: 0.9 })
        }),
        case("bias_leaky_relu, rectified", [&[4, 3], &[3]], |v| v[0].bias_leaky_relu(&v[1], 0.0, 1.0)),
        case("bias_leaky_relu, folded", [&[4, 3], &[3]], |v| v[0].bias_leaky_relu(&v[1], -0.5, 1.4)),
        case("bias_leaky_relu, turned over", [&[4, 3], &[3]], |v| v[0].bias_leaky_relu(&v[1], 0.2, -1.4)),
    ]);
    cases
}

fn pointwise() -> Vec<Case> {
    const S: &[usize] = &[3, 7];
    vec![
        case("affine", [S], |v| v[0].affine(-1.7, 0.3)),
        case("leaky_relu", [S], |v| v[0].leaky_relu(0.2)),
        case("leaky_relu, rectified", [S], |v| v[0].leaky_relu(0.0)),
        case("leaky_relu, folded", [S], |v| v[0].leaky_relu(-0.5)),
        case("clamp", [S], |v| v[0].clamp(-0.7, 0.9)),
        case("exp", [S], |v| v[0].exp()),
        case("tanh", [S], |v| v[0].tanh()),
        case("sigmoid", [S], |v| v[0].sigmoid()),
        case("softplus", [S], |v| v[0].softplus()),
        positive(case("ln", [S], |v| v[0].ln())),
        positive(case("rsqrt", [S], |v| v[0].rsqrt())),
        case("three times over", [S], |v| v[0].tanh().mul(&v[0]).add(&v[0].exp())),
    ]
}

fn shapes() -> Vec<Case> {
    const FULL: &[usize] = &[2, 3, 2, 3];
    let smaller: [&[usize]; 7] =
        [&[1, 1, 1, 3], &[2, 1, 1, 3], &[2, 1, 1, 1], &[2, 3, 2, 1], &[1, 3, 2, 1], &[1, 1, 1, 1], &[1, 3, 1, 3]];
    let mut cases = Vec::new();
    for s in smaller {
        cases.push(case("sum_to", [FULL], |v| v[0].sum_to(s)));
        cases.push(case("broadcast_to", [s], |v| v[0].broadcast_to(FULL)));
        cases.push(case("mean_to", [FULL], |v| v[0].mean_to(s)));
        cases.push(case("square_sum_to", [FULL], |v| v[0].square_sum_to(s)));
    }
    cases.extend([
        case("reshape", [&[2, 6]], |v| v[0].reshape(&[3, 4])),
        case("concat", [&[2, 1, 3], &[2, 2, 3], &[2, 3, 3]], |v| V::concat(v, 1)),
        case("concat, channels", [&[2, 2, 1], &[2, 2, 3]], |v| V::concat(v, 2)),
        case("narrow", [&[2, 5, 3]], |v| v[0].narrow(1, 1, 3)),
        case("widen", [&[2, 2, 3]], |v| v[0].widen(1, 2, 5)),
        case("rows", [&[4, 3]], |v| v[0].rows(&[2, 0, 2, 3, 2])),
        case("scatter_rows", [&[5, 3]], |v| v[0].scatter_rows(&[2, 0, 2, 3, 2], 4)),
    ]);
    cases
}

fn resampling() -> Vec<Case> {
    const GAP: u32 = u32::MAX;
    let to_small: Arc<[u32]> = [5, GAP, 0, 5, 5, 3, 2, 2, 1, GAP, 4, 0].into();
    let (a, b) = (to_small.clone(), to_small);
    vec![
        case("upsample2", [&[2, 3, 1, 2]], |v| v[0].upsample2()),
        case("upsample2_grad", [&[2, 6, 2, 2]], |v| v[0].upsample2_grad()),
        case("pool2", [&[2, 4, 6, 2]], |v| v[0].pool2()),
        case("pool2_grad", [&[2, 2, 3, 2]], |v| v[0].pool2_grad()),
        case("space_to_depth", [&[2, 4, 6, 2]], |v| v[0].space_to_depth()),
        case("depth_to_space", [&[2, 2, 3, 8]], |v| v[0].depth_to_space()),
        case("resize up", [&[2, 3, 2, 2]], |v| v[0].resize((5, 7))),
        case("resize down", [&[2, 5, 7, 2]], |v| v[0].resize((3, 2))),
        case("resize_grad", [&[2, 5, 7, 2]], |v| v[0].resize_grad((3, 2))),
        case("gather_pixels", [&[2, 2, 3, 2]], move |v| v[0].gather_pixels(&a, (3, 2))),
        case("scatter_pixels", [&[2, 3, 2, 2]], move |v| v[0].scatter_pixels(&b, (2, 3))),
    ]
}
