//! Matrix products as convolutions of one tap: rows are pixels, columns are channels.
use super::kept::Kept;
use super::pass::{Axis, Pass};
use super::scratch::{Plain, Slot, with};
use super::simd::Exact;
use super::tile::{Tile, span, tile, tiles};
use super::{Conv, conv, weight_grad};
use crate::pool::{Parts, tasks};

/// Most rows for which `b` is read where it lies. Packing it first took most of the time where a batch is small: for one
/// picture of s-64 the products with fully connected weights were 2.3 of 5.6 ms.
const FEW: usize = 32;
/// Rows of `b` at a time: each may lie on a page of its own, and the first-level table of pages holds 64 or so.
const PAGES: usize = 64;
/// Products a task aims at.
const WORK: usize = 1 << 16;

/// Rows of an axis that is only walked along.
fn plain(len: usize) -> Axis {
    Axis { taps: vec![0], at: 0, step: 1, len, out_step: 1, out_at: 0, source: len, destination: len }
}

/// Of a product `c[m,n] = op(a)[m,k] op(b)[k,n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of the result.
    pub m: usize,
    /// Products summed into one number.
    pub k: usize,
    /// Columns of the result.
    pub n: usize,
    /// `a` is stored `[k,m]`.
    pub ta: bool,
    /// `b` is stored `[n,k]`.
    pub tb: bool,
}

/// See [`super::Kernels::matmul_with`].
pub fn run<S: Exact>(s: Sizes, a: &[S::T], b: &[S::T], kept: Option<&Kept>, c: &mut [S::T]) {
    let Sizes { m, k, n, ta, tb } = s;
    if k == 0 {
        return c.fill(S::T::default());
    }
    match (ta, tb) {
        (false, false) if kept.is_none() && m <= FEW && n.is_multiple_of(S::LANES) => few_rows::<S>(m, k, n, a, b, c),
        (false, _) => {
            let weight = if tb { [0, 1, k] } else { [0, n, 1] };
            let pass = Pass { n: 1, y: plain(1), x: plain(m), ci: k, co: n, kw: 1, weight };
            conv::run::<S>(&pass, a, b, conv::Extras { kept, after: None }, c);
        }
        (true, false) => {
            weight_grad::run::<S>(&Conv { n: 1, h: 1, w: k, ci: m, co: n, kh: 1, kw: 1, stride: 1, pad: 0 }, a, b, c)
        }
        (true, true) => with(Slot::Transposed, k * n, |plain_b: &mut [S::T]| {
            transpose(b, n, k, plain_b);
            run::<S>(Sizes { tb: false, ..s }, a, plain_b, None, c);
        }),
    }
}

/// `c = a b` for few rows of `a`, and columns that fill registers.
fn few_rows<S: Exact>(m: usize, k: usize, n: usize, a: &[S::T], b: &[S::T], c: &mut [S::T]) {
    assert!(a.len() == m * k && b.len() == k * n && c.len() == m * n, "matrices of {m} x {k} x {n}");
    let (from, to): (Vec<usize>, Vec<usize>) = (0..m).map(|i| (i * k, i * n)).unzip();
    let (out, together) = (Parts::new(c), (WORK / (m * k * 2 * S::LANES).max(1)).max(1));
    tasks(tiles::<S>(n).div_ceil(together), |t| {
        for first_k in (0..k).step_by(PAGES) {
            let len = PAGES.min(k - first_k);
            for j in t * together..((t + 1) * together).min(tiles::<S>(n)) {
                let (first, q, columns) = span::<S>(j, n);
                let b = b[first_k * n + first..].as_ptr();
                for (from, to) in from.chunks(S::ROWS).zip(to.chunks(S::ROWS)) {
                    let (a, out, fresh) = (a.as_ptr(), out.start().wrapping_add(first), first_k == 0);
                    let (step, segments, pitch) = (1, &[first_k][..], n);
                    let t = Tile { a, from, step, segments, len, b, pitch, out, to, columns, fresh, after: None };
                    // SAFETY: rows of the matrices as asserted; these columns of the result are this task's alone.
                    unsafe { tile::<S>(q, t) }
                }
            }
        }
    });
}

/// `[rows, cols]` to `[cols, rows]`.
pub fn transpose<T: Plain>(from: &[T], rows: usize, cols: usize, to: &mut [T]) {
    for r in 0..rows {
        for c in 0..cols {
            to[c * rows + r] = from[r * cols + c];
        }
    }
}
