//! Operations that treat every number alike, and their broadcasts.
use crate::par::{self, GRAIN};
use crate::shape::{Dim, broadcast, collapse};
use crate::{Real, Tensor};

/// `x` where positive, else `slope * x`.
pub(super) fn leaky<T: Real>(x: T, slope: T) -> T {
    x * if x > T::default() { T::of(1.0) } else { slope }
}

/// Exact at both ends: `e^-|x|` cannot overflow.
pub(super) fn sigmoid<T: Real>(x: T) -> T {
    let (one, e) = (T::of(1.0), (-x.abs()).exp());
    let s = one / (one + e);
    if x < T::default() { e * s } else { s }
}

/// `max(x, 0) + ln(1 + e^-|x|)`.
pub(super) fn softplus<T: Real>(x: T) -> T {
    let e = (-x.abs()).exp();
    // ln(1 + e) loses all digits of a small e; two terms of the series keep them.
    let tail = if e < T::of(1e-4) { e - e * e * T::of(0.5) } else { (T::of(1.0) + e).ln() };
    if x > T::default() {
        x + tail
    } else if x < T::default() {
        tail
    } else {
        x + tail
    }
}

/// `f` of every number.
pub(super) fn unary<T: Real>(x: &Tensor<T>, f: impl Fn(T) -> T + Sync) -> Tensor<T> {
    let mut out = Tensor::recycled(x.shape());
    let from = x.data();
    par::blocks(out.data_mut(), GRAIN, |i, block| {
        let from = &from[i * GRAIN..][..block.len()];
        block.iter_mut().zip(from).for_each(|(o, &v)| *o = f(v));
    });
    out
}

/// `f` of every pair, broadcast.
pub(super) fn binary<T: Real>(a: &Tensor<T>, b: &Tensor<T>, f: impl Fn(T, T) -> T + Sync) -> Tensor<T> {
    let shape = broadcast(a.shape(), b.shape());
    let mut out = Tensor::recycled(&shape);
    let dims = collapse(&shape, a.shape(), b.shape());
    if let [Dim { moves: [true, true], .. }] = dims[..] {
        let (a, b) = (a.data(), b.data());
        par::blocks(out.data_mut(), GRAIN, |i, block| {
            let (a, b) = (&a[i * GRAIN..][..block.len()], &b[i * GRAIN..][..block.len()]);
            apply(block, a, b, &f);
        });
        return out;
    }
    broadcast_rows(&dims, a.data(), b.data(), out.data_mut(), |out, a, b| match (a.len() == out.len(), b.len() == out.len()) {
        (true, true) => apply(out, a, b, &f),
        (true, false) => {
            let b = b[0];
            out.iter_mut().zip(a).for_each(|(o, &x)| *o = f(x, b));
        }
        (false, true) => {
            let a = a[0];
            out.iter_mut().zip(b).for_each(|(o, &y)| *o = f(a, y));
        }
        (false, false) => out.fill(f(a[0], b[0])),
    });
    out
}

fn apply<T: Real>(out: &mut [T], a: &[T], b: &[T], f: impl Fn(T, T) -> T) {
    out.iter_mut().zip(a).zip(b).for_each(|((o, &x), &y)| *o = f(x, y));
}

/// Runs `f(out row, a row, b row)` for every innermost row; an operand that does not move along it gives one number.
fn broadcast_rows<T: Real>(dims: &[Dim], a: &[T], b: &[T], out: &mut [T], f: impl Fn(&mut [T], &[T], &[T]) + Sync) {
    let Some((inner, outer)) = dims.split_last() else { return };
    let len = |side: usize| if inner.moves[side] { inner.len } else { 1 };
    // A long row is cut up too, or one picture's worth of work would go to one thread.
    let piece = if outer.is_empty() { GRAIN } else { inner.len };
    par::rows(out, piece, |i, out| {
        let (at, row) = if outer.is_empty() { (i * GRAIN, 0) } else { (0, i) };
        let part = |side: usize, data: &'_ [T]| -> std::ops::Range<usize> {
            let start = offset(outer, side, row) * len(side);
            let range = if inner.moves[side] { start + at..start + at + out.len() } else { start..start + 1 };
            debug_assert!(range.end <= data.len());
            range
        };
        let (ra, rb) = (part(0, a), part(1, b));
        f(out, &a[ra], &b[rb]);
    });
}

/// Which row of operand `side` lies under row `row` of the output.
fn offset(outer: &[Dim], side: usize, mut row: usize) -> usize {
    let (mut at, mut step) = (0, 1);
    for d in outer.iter().rev() {
        if d.moves[side] {
            at += row % d.len * step;
            step *= d.len;
        }
        row /= d.len;
    }
    at
}

/// See [`crate::Array::broadcast_to`].
pub(super) fn broadcast_to<T: Real>(x: &Tensor<T>, shape: &[usize]) -> Tensor<T> {
    if x.shape() == shape {
        return x.clone();
    }
    assert_eq!(*broadcast(x.shape(), shape), *shape, "{:?} does not broadcast to {shape:?}", x.shape());
    let mut out = Tensor::recycled(shape);
    let dims = collapse(shape, x.shape(), x.shape());
    broadcast_rows(&dims, x.data(), x.data(), out.data_mut(), |out, x, _| {
        if x.len() == out.len() { out.copy_from_slice(x) } else { out.fill(x[0]) }
    });
    out
}

/// See [`crate::Array::bias_leaky_relu`].
pub(super) fn bias_leaky_relu<T: Real>(x: &Tensor<T>, bias: &Tensor<T>, slope: f64, gain: f64) -> Tensor<T> {
    assert!(x.shape().last() == Some(&bias.len()) && bias.shape().len() == 1, "bias {:?} for {:?}", bias.shape(), x.shape());
    let mut out = Tensor::recycled(x.shape());
    let (positive, negative) = (T::of(gain), T::of(slope * gain));
    let (from, bias) = (x.data(), bias.data());
    let width = bias.len();
    par::rows(out.data_mut(), width, |i, row| {
        for ((o, &x), &b) in row.iter_mut().zip(&from[i * width..]).zip(bias) {
            let v = x + b;
            *o = v * if v > T::default() { positive } else { negative };
        }
    });
    out
}

/// `a += b`, in place where nobody else holds `a`.
pub(crate) fn accumulate<T: Real>(a: Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    let mut a = a;
    if !a.is_unique() || a.shape() != b.shape() {
        return binary(&a, b, |x, y| x + y);
    }
    let from = b.data();
    par::blocks(a.data_mut(), GRAIN, |i, block| {
        let from = &from[i * GRAIN..][..block.len()];
        block.iter_mut().zip(from).for_each(|(o, &v)| *o += v);
    });
    a
}
