//! Operations that treat every number alike, and their broadcasts.
use crate::par::{self, GRAIN};
use crate::shape::{Dim, broadcast, collapse};
use crate::{Real, Tensor};

/// Elements of a row that is long enough.
const ROW: usize = 512;

/// `x` times `above` where `side` is positive, else times `below`. Both products are formed: a choice between two values
/// needs no branch.
fn sided<T: Real>(x: T, side: T, above: T, below: T) -> T {
    let (a, b) = (x * above, x * below);
    if side > T::default() { a } else { b }
}

/// Within `lo..=hi`, written so that NaN stays NaN: a sick run must be seen.
fn held<T: Real>(x: T, lo: T, hi: T) -> T {
    let below = if x > hi { hi } else { x };
    if x < lo { lo } else { below }
}

/// Exact at both ends: `e^-|x|` cannot overflow.
fn sigmoid<T: Real>(x: T) -> T {
    let (one, e) = (T::of(1.0), (-x.abs()).exp());
    let s = one / (one + e);
    if x < T::default() { e * s } else { s }
}

/// `max(x, 0) + ln(1 + e^-|x|)`.
fn softplus<T: Real>(x: T) -> T {
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

/// An operation on every number.
#[derive(Clone, Copy, Debug)]
pub enum Unary {
    /// `x * k + c`.
    Affine(f64, f64),
    /// With this slope below 0.
    LeakyRelu(f64),
    /// Within these bounds.
    Clamp(f64, f64),
    /// `e^x`.
    Exp,
    /// `tanh x`.
    Tanh,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `ln(1 + e^x)`.
    Softplus,
    /// `ln x`.
    Ln,
    /// `1 / sqrt x`.
    Rsqrt,
}

/// An operation on every pair.
#[derive(Clone, Copy, Debug)]
pub enum Binary {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a * b`.
    Mul,
    /// `a`, times the first where `b` is positive, else times the second.
    Sided(f64, f64),
    /// `a` where `b` is strictly within the bounds, else 0.
    Within(f64, f64),
    /// `a + b`, times the first where that is positive, else times the second.
    AddSided(f64, f64),
    /// `a + b` within the bounds.
    AddClamp(f64, f64),
}

/// See [`crate::once::Once::unary`].
pub(crate) fn unary<T: Real>(op: Unary, x: &Tensor<T>) -> Tensor<T> {
    match op {
        Unary::Affine(k, c) => {
            let (k, c) = (T::of(k), T::of(c));
            map(x, move |x| x * k + c)
        }
        Unary::LeakyRelu(slope) => {
            let (one, slope) = (T::of(1.0), T::of(slope));
            map(x, move |x| sided(x, x, one, slope))
        }
        Unary::Clamp(lo, hi) => {
            let (lo, hi) = (T::of(lo), T::of(hi));
            map(x, move |x| held(x, lo, hi))
        }
        Unary::Exp => map(x, T::exp),
        Unary::Tanh => map(x, T::tanh),
        Unary::Sigmoid => map(x, sigmoid),
        Unary::Softplus => map(x, softplus),
        Unary::Ln => map(x, T::ln),
        Unary::Rsqrt => map(x, |x| T::of(1.0) / x.sqrt()),
    }
}

/// See [`crate::once::Once::binary`].
pub(crate) fn binary<T: Real>(op: Binary, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    match op {
        Binary::Add => zip(a, b, |x, y| x + y),
        Binary::Sub => zip(a, b, |x, y| x - y),
        Binary::Mul => zip(a, b, |x, y| x * y),
        Binary::Sided(above, below) => {
            let (above, below) = (T::of(above), T::of(below));
            zip(a, b, move |x, side| sided(x, side, above, below))
        }
        Binary::Within(lo, hi) => {
            let (lo, hi) = (T::of(lo), T::of(hi));
            zip(a, b, move |x, y| if y > lo && y < hi { x } else { T::default() })
        }
        Binary::AddSided(above, below) => {
            let (above, below) = (T::of(above), T::of(below));
            zip(a, b, move |x, y| sided(x + y, x + y, above, below))
        }
        Binary::AddClamp(lo, hi) => {
            let (lo, hi) = (T::of(lo), T::of(hi));
            zip(a, b, move |x, y| held(x + y, lo, hi))
        }
    }
}

/// `f` of every number.
fn map<T: Real>(x: &Tensor<T>, f: impl Fn(T) -> T + Sync) -> Tensor<T> {
    let mut out = Tensor::recycled(x.shape());
    let from = x.data();
    par::blocks(out.data_mut(), GRAIN, |i, block| {
        let from = &from[i * GRAIN..][..block.len()];
        block.iter_mut().zip(from).for_each(|(o, &v)| *o = f(v));
    });
    out
}

/// `f` of every pair, broadcast.
fn zip<T: Real>(a: &Tensor<T>, b: &Tensor<T>, f: impl Fn(T, T) -> T + Sync) -> Tensor<T> {
    let shape = broadcast(a.shape(), b.shape());
    let mut out = Tensor::recycled(&shape);
    let mut dims = collapse(&shape, a.shape(), b.shape());
    if let [Dim { moves: [true, true], .. }] = dims[..] {
        let (a, b) = (a.data(), b.data());
        par::blocks(out.data_mut(), GRAIN, |i, block| {
            let (a, b) = (&a[i * GRAIN..][..block.len()], &b[i * GRAIN..][..block.len()]);
            apply(block, a, b, &f);
        });
        return out;
    }
    let [ta, tb] = tiled(&mut dims, [a, b]);
    let (a, b) = (ta.as_ref().unwrap_or(a), tb.as_ref().unwrap_or(b));
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

/// Few channels make short rows, and a short row is mostly overhead. An operand that repeats over the pixels is laid out
/// a few times over, so that one row covers as many pixels; such operands are small. Returns the operands that changed.
fn tiled<T: Real>(dims: &mut [Dim], sides: [&Tensor<T>; 2]) -> [Option<Tensor<T>>; 2] {
    let [.., pixels, inner] = dims else { return [None, None] };
    // Four rows at least must come out of the work of laying out one.
    let most = (pixels.len / 4).min(ROW / inner.len);
    let Some(k) = (2..=most).rev().find(|&k| pixels.len.is_multiple_of(k)).filter(|_| inner.moves == [true, true]) else {
        return [None, None];
    };
    let repeat = |x: &Tensor<T>| {
        let mut out = Tensor::recycled(&[x.len() / inner.len, k * inner.len]);
        for (to, from) in out.data_mut().chunks_exact_mut(k * inner.len).zip(x.data().chunks_exact(inner.len)) {
            to.chunks_exact_mut(inner.len).for_each(|to| to.copy_from_slice(from));
        }
        out
    };
    let changed = [0, 1].map(|side| (!pixels.moves[side]).then(|| repeat(sides[side])));
    pixels.len /= k;
    inner.len *= k;
    changed
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
pub(crate) fn broadcast_to<T: Real>(x: &Tensor<T>, shape: &[usize]) -> Tensor<T> {
    if x.shape() == shape {
        return x.clone();
    }
    assert_eq!(*broadcast(x.shape(), shape), *shape, "{:?} does not broadcast to {shape:?}", x.shape());
    let mut out = Tensor::recycled(shape);
    let mut dims = collapse(shape, x.shape(), x.shape());
    let tiled = tiled(&mut dims, [x, x]);
    let x = tiled[0].as_ref().unwrap_or(x);
    broadcast_rows(&dims, x.data(), x.data(), out.data_mut(), |out, x, _| {
        if x.len() == out.len() { out.copy_from_slice(x) } else { out.fill(x[0]) }
    });
    out
}

/// See [`crate::Array::bias_leaky_relu`].
pub(super) fn bias_leaky_relu<T: Real>(x: &Tensor<T>, bias: &Tensor<T>, slope: f64, gain: f64) -> Tensor<T> {
    T::binary(Binary::AddSided(gain, slope * gain), x, &last(bias, x))
}

/// See [`crate::Array::bias_clamp`].
pub(super) fn bias_clamp<T: Real>(x: &Tensor<T>, bias: &Tensor<T>, lo: f64, hi: f64) -> Tensor<T> {
    T::binary(Binary::AddClamp(lo, hi), x, &last(bias, x))
}

/// A bias `[c]` shaped to broadcast over all but the last dimension of `x`.
fn last<T: Real>(bias: &Tensor<T>, x: &Tensor<T>) -> Tensor<T> {
    assert!(x.shape().last() == Some(&bias.len()) && bias.shape().len() == 1, "bias {:?} for {:?}", bias.shape(), x.shape());
    let mut shape = vec![1; x.shape().len() - 1];
    shape.push(bias.len());
    bias.reshaped(&shape)
}

/// `a + b`, in the memory of one of them where nobody else holds it.
pub(crate) fn accumulate<T: Real>(a: Tensor<T>, b: Tensor<T>) -> Tensor<T> {
    let (mut to, from) = if a.is_unique() { (a, b) } else { (b, a) };
    if !to.is_unique() || to.shape() != from.shape() {
        return binary(Binary::Add, &to, &from);
    }
    each_onto(&mut to, &from, |a, b| a + b);
    to
}

/// See [`Tensor::side`].
pub(crate) fn side<T: Real>(mut x: Tensor<T>, of: &Tensor<T>, slope: f64) -> Tensor<T> {
    if !x.is_unique() || x.shape() != of.shape() {
        return binary(Binary::Sided(1.0, slope), &x, of);
    }
    let (one, slope) = (T::of(1.0), T::of(slope));
    each_onto(&mut x, of, |x, of| sided(x, of, one, slope));
    x
}

/// `to = f(to, from)` of every pair of two tensors of one shape.
fn each_onto<T: Real>(to: &mut Tensor<T>, from: &Tensor<T>, f: impl Fn(T, T) -> T + Sync) {
    let from = from.data();
    par::blocks(to.data_mut(), GRAIN, |i, block| {
        let from = &from[i * GRAIN..][..block.len()];
        block.iter_mut().zip(from).for_each(|(o, &v)| *o = f(*o, v));
    });
}

/// See [`Tensor::plus_scaled`].
pub(crate) fn plus_scaled<T: Real>(mut to: Tensor<T>, x: &Tensor<T>, factors: &[T]) -> Tensor<T> {
    assert_eq!(to.shape(), x.shape(), "the sum of two shapes");
    assert_eq!(x.shape().first(), Some(&factors.len()), "one factor for each sample of {:?}", x.shape());
    let (size, from) = ((x.len() / factors.len().max(1)).max(1), x.data());
    par::blocks(to.data_mut(), GRAIN, |i, block| {
        let mut at = i * GRAIN;
        let mut rest = block;
        while !rest.is_empty() {
            // As far as the sample goes.
            let len = rest.len().min(size - at % size);
            let (now, later) = rest.split_at_mut(len);
            let k = factors[at / size];
            now.iter_mut().zip(&from[at..]).for_each(|(o, &v)| *o += v * k);
            (at, rest) = (at + len, later);
        }
    });
    to
}
