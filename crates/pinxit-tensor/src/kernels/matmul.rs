//! Matrix products as convolutions of one tap: rows are pixels, columns are channels.
use super::pass::{Axis, Pass};
use super::scratch::{Plain, Slot, with};
use super::simd::Simd;
use super::{Conv, conv, weight_grad};

/// Rows of an axis that is only walked along.
fn plain(len: usize) -> Axis {
    Axis { taps: vec![0], at: 0, step: 1, len, out_step: 1, out_at: 0, source: len, destination: len }
}

/// See [`super::Kernels::matmul`].
pub fn run<S: Simd>(m: usize, k: usize, n: usize, a: &[S::T], ta: bool, b: &[S::T], tb: bool, c: &mut [S::T]) {
    if k == 0 {
        return c.fill(S::T::default());
    }
    match (ta, tb) {
        (false, _) => {
            let weight = if tb { [0, 1, k] } else { [0, n, 1] };
            conv::run::<S>(&Pass { n: 1, y: plain(1), x: plain(m), ci: k, co: n, kw: 1, weight }, a, b, conv::Extras::none(), c);
        }
        (true, false) => {
            weight_grad::run::<S>(&Conv { n: 1, h: 1, w: k, ci: m, co: n, kh: 1, kw: 1, stride: 1, pad: 0 }, a, b, c)
        }
        (true, true) => with(Slot::Transposed, k * n, |plain_b: &mut [S::T]| {
            transpose(b, n, k, plain_b);
            run::<S>(m, k, n, a, true, plain_b, false, c);
        }),
    }
}

/// `[rows, cols]` to `[cols, rows]`.
pub fn transpose<T: Plain>(from: &[T], rows: usize, cols: usize, to: &mut [T]) {
    for r in 0..rows {
        for c in 0..cols {
            to[c * rows + r] = from[r * cols + c];
        }
    }
}
