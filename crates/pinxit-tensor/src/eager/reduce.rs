//! Sums. Partial sums run in `f64` over pieces whose size depends on the shape only: exact enough for a million terms,
//! and the same bytes on any number of threads.
use super::elementwise::{Binary, binary};
use crate::par::{self, GRAIN};
use crate::pool::{Parts, tasks};
use crate::shape::{broadcast, collapse};
use crate::{Real, Tensor};

/// Columns summed at once where rows are narrow: several rows then count as one, which fills the vector lanes.
const WIDE: usize = 64;

/// See [`crate::Array::sum_to`].
pub(crate) fn sum_to<T: Real>(x: &Tensor<T>, shape: &[usize]) -> Tensor<T> {
    if x.shape() == shape {
        return x.clone();
    }
    sum_products([x], shape)
}

/// See [`crate::Array::mul_sum_to`].
pub(crate) fn mul_sum_to<T: Real>(a: &Tensor<T>, b: &Tensor<T>, shape: &[usize]) -> Tensor<T> {
    if a.shape() != b.shape() || a.shape() == shape {
        return sum_to(&binary(Binary::Mul, a, b), shape);
    }
    sum_products([a, b], shape)
}

/// Sums the products of `N` tensors of one shape to `shape`.
fn sum_products<T: Real, const N: usize>(x: [&Tensor<T>; N], shape: &[usize]) -> Tensor<T> {
    let full = x[0].shape();
    assert_eq!(*broadcast(full, shape), *full, "{full:?} does not sum to {shape:?}");
    // Loops merged where the sum behaves alike; one reduction for each loop that is summed over, outermost first.
    let mut dims: Vec<(usize, bool)> = collapse(full, full, shape).iter().map(|d| (d.len, d.moves[1])).collect();
    let mut now: Option<Tensor<T>> = None;
    while let Some(at) = dims.iter().position(|&(_, kept)| !kept) {
        let outer = dims[..at].iter().map(|d| d.0).product();
        let inner = dims[at + 1..].iter().map(|d| d.0).product();
        now = Some(match now {
            None => sum_middle(x.map(Tensor::data), outer, dims[at].0, inner),
            Some(sums) => sum_middle([sums.data()], outer, dims[at].0, inner),
        });
        dims.remove(at);
    }
    now.as_ref().unwrap_or(x[0]).reshaped(shape)
}

/// Columns from which rows are cut across: partial sums of whole rows would be larger than what is summed.
const BROAD: usize = 4096;
/// Columns a task sums then.
const STRIP: usize = 1024;

/// `[outer, r, inner] -> [outer, inner]` of the products, for broad rows.
fn sum_strips<T: Real, const N: usize>(from: [&[T]; N], outer: usize, r: usize, inner: usize) -> Tensor<T> {
    let (mut out, strips) = (Tensor::recycled(&[outer, inner]), inner.div_ceil(STRIP));
    let parts = Parts::new(out.data_mut());
    tasks(outer * strips, |t| {
        let (o, first) = (t / strips, t % strips * STRIP);
        let (mut sums, len) = ([0.0; STRIP], STRIP.min(inner - first));
        let sums = &mut sums[..len];
        for i in 0..r {
            add_rows(from.map(|f| &f[(o * r + i) * inner + first..][..len]), sums);
        }
        // SAFETY: strip `t` of the result belongs to this task.
        let to = unsafe { parts.slice(o * inner + first, len) };
        to.iter_mut().zip(sums).for_each(|(v, s)| *v = T::of(*s));
    });
    out
}

/// `[outer, r, inner] -> [outer, inner]` of the products.
fn sum_middle<T: Real, const N: usize>(from: [&[T]; N], outer: usize, r: usize, inner: usize) -> Tensor<T> {
    if inner >= BROAD {
        return sum_strips(from, outer, r, inner);
    }
    let piece = (GRAIN / inner.max(1)).clamp(1, r.max(1));
    let pieces = r.div_ceil(piece).max(1);
    let mut partial = Tensor::<f64>::recycled(&[outer * pieces, inner]);
    par::shares(partial.data_mut(), inner, piece * inner, |i, sums| {
        let (o, p) = (i / pieces, i % pieces);
        let rows = from.map(|f| &f[(o * r + p * piece) * inner..(o * r + r.min((p + 1) * piece)) * inner]);
        if inner == 1 { sums[0] = sum_flat(rows) } else { sum_columns(rows, sums) }
    });
    let partial = partial.data();
    let mut out = Tensor::recycled(&[outer, inner]);
    par::shares(out.data_mut(), inner, pieces * inner, |o, row| {
        for (c, v) in row.iter_mut().enumerate() {
            *v = T::of((0..pieces).map(|p| partial[(o * pieces + p) * inner + c]).sum());
        }
    });
    out
}

/// The product of the elements at `i`.
#[inline(always)]
fn product<T: Real, const N: usize>(x: &[&[T]; N], i: usize) -> f64 {
    let mut v = x[0][i];
    for f in &x[1..] {
        v = v * f[i];
    }
    v.to_f64()
}

/// Sum of all, in sixteen lanes.
fn sum_flat<T: Real, const N: usize>(x: [&[T]; N]) -> f64 {
    let mut lanes = [0.0f64; 16];
    let whole = x[0].len() / 16 * 16;
    for start in (0..whole).step_by(16) {
        let chunk = x.map(|f| &f[start..start + 16]);
        for (i, l) in lanes.iter_mut().enumerate() {
            *l += product(&chunk, i);
        }
    }
    lanes.iter().sum::<f64>() + (whole..x[0].len()).map(|i| product(&x, i)).sum::<f64>()
}

/// Sums of the columns of rows as wide as `sums`.
fn sum_columns<T: Real, const N: usize>(x: [&[T]; N], sums: &mut [f64]) {
    let width = sums.len();
    sums.fill(0.0);
    let mut done = 0;
    if width <= WIDE / 2 {
        let mut wide = [0.0f64; WIDE];
        let group = WIDE / width * width;
        done = x[0].len() / group * group;
        add_rows(x.map(|f| &f[..done]), &mut wide[..group]);
        for row in wide[..group].chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
        }
    }
    add_rows(x.map(|f| &f[done..]), sums);
}

fn add_rows<T: Real, const N: usize>(x: [&[T]; N], sums: &mut [f64]) {
    let width = sums.len();
    for start in (0..x[0].len()).step_by(width.max(1)) {
        let row = x.map(|f| &f[start..start + width]);
        for (i, s) in sums.iter_mut().enumerate() {
            *s += product(&row, i);
        }
    }
}
