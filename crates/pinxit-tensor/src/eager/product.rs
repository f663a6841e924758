//! Convolutions and matrix products: geometry and shape checks in front of the kernels.
use super::nhwc;
use crate::kernels::{After, Conv, Kernels, ScaledGrad, Sizes};
use crate::{ConvSpec, Leak, Real, Tensor, count, par, pool};

fn geometry(n: usize, (h, w): (usize, usize), (ci, co): (usize, usize), (kh, kw): (usize, usize), spec: ConvSpec) -> Conv {
    let fits = spec.stride > 0 && h + 2 * spec.pad >= kh && w + 2 * spec.pad >= kw;
    assert!(fits, "a {kh}x{kw} kernel with {spec:?} does not fit a {h}x{w} map");
    Conv { n, h, w, ci, co, kh, kw, stride: spec.stride, pad: spec.pad }
}

fn check<T: Real>(what: &str, t: &Tensor<T>, shape: &[usize]) {
    assert_eq!(t.shape(), shape, "shape of {what}");
}

pub(super) fn conv<T: Real>(x: &Tensor<T>, wt: &Tensor<T>, spec: ConvSpec, after: Option<After<'_, T>>) -> Tensor<T> {
    let (n, h, w, ci) = nhwc(x);
    let (kh, kw, wci, co) = nhwc(wt);
    assert_eq!(ci, wci, "weights {:?} for a map {:?}", wt.shape(), x.shape());
    let g = geometry(n, (h, w), (ci, co), (kh, kw), spec);
    let mut y = Tensor::recycled(&[n, g.ho(), g.wo(), co]);
    count::convolution(&g);
    <T as Kernels>::conv_with(&g, x.data(), wt.data(), wt.packed(), after, y.data_mut());
    y
}

pub(super) fn conv_input_grad<T: Real>(dy: &Tensor<T>, wt: &Tensor<T>, spec: ConvSpec, hw: (usize, usize)) -> Tensor<T> {
    let (kh, kw, ci, co) = nhwc(wt);
    let g = geometry(nhwc(dy).0, hw, (ci, co), (kh, kw), spec);
    check("the output gradient", dy, &[g.n, g.ho(), g.wo(), co]);
    let mut dx = Tensor::recycled(&[g.n, g.h, g.w, ci]);
    count::add(g.macs());
    <T as Kernels>::conv_input_grad_with(&g, dy.data(), wt.data(), wt.packed(), dx.data_mut());
    dx
}

pub(super) fn conv_weight_grad<T: Real>(x: &Tensor<T>, dy: &Tensor<T>, spec: ConvSpec, k: (usize, usize)) -> Tensor<T> {
    let ((n, h, w, ci), co) = (nhwc(x), nhwc(dy).3);
    let g = geometry(n, (h, w), (ci, co), k, spec);
    check("the output gradient", dy, &[n, g.ho(), g.wo(), co]);
    let mut dw = Tensor::recycled(&[k.0, k.1, ci, co]);
    count::add(g.macs());
    <T as Kernels>::conv_weight_grad(&g, x.data(), dy.data(), dw.data_mut());
    dw
}

pub(super) fn scaled_grad<T: Real>(dy: &Tensor<T>, y: &Tensor<T>, scale: &Tensor<T>, leak: Leak) -> [Tensor<T>; 3] {
    let (n, _, _, c) = nhwc(y);
    check("the gradient of a scaled convolution", dy, y.shape());
    check("the scale", scale, &[n, c]);
    let (mut dsums, mut totals) = (Tensor::recycled(y.shape()), Tensor::recycled(&[2, n, c]));
    let g = ScaledGrad { dy: dy.data(), y: y.data(), scale: scale.data(), c, slope: leak.slope, gain: leak.gain };
    <T as Kernels>::scaled_grad(g, dsums.data_mut(), totals.data_mut());
    let half = |i: usize| Tensor::new(&[n, c], totals.data()[i * n * c..][..n * c].to_vec());
    [dsums, half(0), half(1)]
}

pub(super) fn leaky_bias_grad<T: Real>(dy: &Tensor<T>, y: &Tensor<T>, leak: Leak) -> [Tensor<T>; 2] {
    check("the gradient of a kink", dy, y.shape());
    let c = y.shape()[y.shape().len() - 1];
    let (mut dx, mut totals, one) = (Tensor::recycled(y.shape()), Tensor::recycled(&[2, c]), Tensor::full(&[1, c], T::of(1.0)));
    let g = ScaledGrad { dy: dy.data(), y: y.data(), scale: one.data(), c, slope: leak.slope, gain: leak.gain };
    <T as Kernels>::scaled_grad(g, dx.data_mut(), totals.data_mut());
    let bias = Tensor::new(&[c], totals.data()[..c].to_vec());
    [dx, bias]
}

fn taps<T: Real>(wt: &Tensor<T>) -> (usize, usize, usize) {
    match *wt.shape() {
        [kh, kw, c] => (kh, kw, c),
        ref other => panic!("expected depthwise weights [kh, kw, c], not {other:?}"),
    }
}

pub(super) fn depthwise<T: Real>(x: &Tensor<T>, wt: &Tensor<T>, spec: ConvSpec, after: Option<After<'_, T>>) -> Tensor<T> {
    let ((n, h, w, c), (kh, kw, wc)) = (nhwc(x), taps(wt));
    assert_eq!(c, wc, "depthwise weights {:?} for a map {:?}", wt.shape(), x.shape());
    let g = geometry(n, (h, w), (c, c), (kh, kw), spec);
    let mut y = Tensor::recycled(&[n, g.ho(), g.wo(), c]);
    count::add(g.macs() / c);
    <T as Kernels>::depthwise_with(&g, x.data(), wt.data(), after, y.data_mut());
    y
}

pub(super) fn depthwise_input_grad<T: Real>(dy: &Tensor<T>, wt: &Tensor<T>, spec: ConvSpec, hw: (usize, usize)) -> Tensor<T> {
    let (kh, kw, c) = taps(wt);
    let g = geometry(nhwc(dy).0, hw, (c, c), (kh, kw), spec);
    check("the output gradient", dy, &[g.n, g.ho(), g.wo(), c]);
    let mut dx = Tensor::recycled(&[g.n, g.h, g.w, c]);
    count::add(g.macs() / c);
    <T as Kernels>::depthwise_input_grad(&g, dy.data(), wt.data(), dx.data_mut());
    dx
}

pub(super) fn depthwise_weight_grad<T: Real>(x: &Tensor<T>, dy: &Tensor<T>, spec: ConvSpec, k: (usize, usize)) -> Tensor<T> {
    let (n, h, w, c) = nhwc(x);
    let g = geometry(n, (h, w), (c, c), k, spec);
    check("the output gradient", dy, &[n, g.ho(), g.wo(), c]);
    let mut dw = Tensor::recycled(&[k.0, k.1, c]);
    count::add(g.macs() / c);
    <T as Kernels>::depthwise_weight_grad(&g, x.data(), dy.data(), dw.data_mut());
    dw
}

/// Rows, common length and columns of a product of matrices of these shapes.
fn product_shape(a: &[usize], ta: bool, b: &[usize], tb: bool) -> [usize; 3] {
    let turned = |shape: &[usize], transpose: bool| match *shape {
        [rows, cols] if transpose => (cols, rows),
        [rows, cols] => (rows, cols),
        ref other => panic!("expected a matrix [rows, cols], not {other:?}"),
    };
    let ((m, k), (kb, n)) = (turned(a, ta), turned(b, tb));
    assert_eq!(k, kb, "matrices {a:?} (transposed: {ta}) and {b:?} (transposed: {tb}) do not fit");
    [m, k, n]
}

pub(super) fn matmul<T: Real>(a: &Tensor<T>, b: &Tensor<T>, ta: bool, tb: bool) -> Tensor<T> {
    let [m, k, n] = product_shape(a.shape(), ta, b.shape(), tb);
    let mut c = Tensor::recycled(&[m, n]);
    count::add(m * k * n);
    <T as Kernels>::matmul_with(Sizes { m, k, n, ta, tb }, a.data(), b.data(), b.packed(), c.data_mut());
    c
}

pub(super) fn matmul_each<T: Real>(a: &Tensor<T>, b: &Tensor<T>, ta: bool, tb: bool) -> Tensor<T> {
    let (sa, sb) = (a.shape(), b.shape());
    assert!(sa.len() == 3 && sb.len() == 3 && sa[0] == sb[0], "expected [n, rows, cols] twice, not {sa:?} and {sb:?}");
    let [m, k, n] = product_shape(&sa[1..], ta, &sb[1..], tb);
    let mut c = Tensor::recycled(&[sa[0], m, n]);
    count::add(sa[0] * m * k * n);
    let product = |i: usize, c: &mut [T]| {
        let (a, b) = (&a.data()[i * m * k..][..m * k], &b.data()[i * k * n..][..k * n]);
        <T as Kernels>::matmul(m, k, n, a, ta, b, tb, c);
    };
    // A product of its own for each thread: shared out one by one they were no faster on two threads than on one.
    match m * n {
        0 => {}
        _ if sa[0] < pool::threads() => c.data_mut().chunks_exact_mut(m * n).enumerate().for_each(|(i, c)| product(i, c)),
        len => par::blocks(c.data_mut(), len, product),
    }
    c
}
