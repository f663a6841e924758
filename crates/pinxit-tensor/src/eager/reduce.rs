//! Sums. Partial sums run in `f64` over pieces whose size depends on the shape only: exact enough for a million terms,
//! and the same bytes on any number of threads.
use crate::par::{self, GRAIN};
use crate::shape::{broadcast, collapse};
use crate::{Real, Tensor};

/// See [`crate::Array::sum_to`].
pub(super) fn sum_to<T: Real>(x: &Tensor<T>, shape: &[usize]) -> Tensor<T> {
    if x.shape() == shape {
        return x.clone();
    }
    assert_eq!(*broadcast(x.shape(), shape), *x.shape(), "{:?} does not sum to {shape:?}", x.shape());
    // Loops merged where the sum behaves alike; one reduction for each loop that is summed over, outermost first.
    let mut dims: Vec<(usize, bool)> = collapse(x.shape(), x.shape(), shape).iter().map(|d| (d.len, d.moves[1])).collect();
    let mut now = x.clone();
    while let Some(at) = dims.iter().position(|&(_, kept)| !kept) {
        let outer = dims[..at].iter().map(|d| d.0).product();
        let inner = dims[at + 1..].iter().map(|d| d.0).product();
        now = sum_middle(&now, outer, dims[at].0, inner);
        dims.remove(at);
    }
    now.reshaped(shape)
}

/// `[outer, r, inner] -> [outer, inner]`.
fn sum_middle<T: Real>(x: &Tensor<T>, outer: usize, r: usize, inner: usize) -> Tensor<T> {
    let piece = (GRAIN / inner.max(1)).clamp(1, r.max(1));
    let pieces = r.div_ceil(piece).max(1);
    let from = x.data();
    let mut partial = Tensor::<f64>::recycled(&[outer * pieces, inner]);
    par::rows(partial.data_mut(), inner, |i, sums| {
        let (o, p) = (i / pieces, i % pieces);
        let rows = &from[(o * r + p * piece) * inner..(o * r + r.min((p + 1) * piece)) * inner];
        if inner == 1 { sums[0] = sum_flat(rows) } else { sum_columns(rows, sums) }
    });
    let partial = partial.data();
    let mut out = Tensor::recycled(&[outer, inner]);
    par::rows(out.data_mut(), inner, |o, row| {
        for (c, v) in row.iter_mut().enumerate() {
            *v = T::of((0..pieces).map(|p| partial[(o * pieces + p) * inner + c]).sum());
        }
    });
    out
}

/// Sum of a slice in sixteen lanes.
fn sum_flat<T: Real>(x: &[T]) -> f64 {
    let mut lanes = [0.0f64; 16];
    let (whole, rest) = x.as_chunks::<16>();
    for chunk in whole {
        for (l, &v) in lanes.iter_mut().zip(chunk) {
            *l += v.to_f64();
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|v| v.to_f64()).sum::<f64>()
}

/// Sums of the columns of rows as wide as `sums`.
fn sum_columns<T: Real>(rows: &[T], sums: &mut [f64]) {
    sums.fill(0.0);
    for row in rows.chunks_exact(sums.len()) {
        for (s, &v) in sums.iter_mut().zip(row) {
            *s += v.to_f64();
        }
    }
}
