//! Resizing: a linear map over rows and one over columns, one after the other.
//!
//! ```text
//! line = sum over the taps of an output row of weight * input row      [w * c]
//! out  = sum over the taps of an output column of weight * line pixel  [c], for every column
//! ```
//! Bound by memory; vectors run over the line, then over the channels of a pixel.
use super::scratch::{Plain, Slot, with};
use super::simd::{Body, Simd};
use crate::Real;
use crate::par::GRAIN;
use crate::pool::{Parts, even, tasks};

/// A sparse matrix over one axis: for every output position the inputs it sums and their weights.
pub struct Axis<T> {
    /// Where the taps of each output begin, and their end.
    starts: Vec<usize>,
    taps: Vec<(usize, T)>,
    /// Positions there are to read.
    pub inputs: usize,
}

impl<T: Copy> Axis<T> {
    /// From the taps of every output.
    pub fn new(outputs: &[Vec<(usize, T)>], inputs: usize) -> Self {
        let mut starts = vec![0];
        starts.extend(outputs.iter().scan(0, |end, taps| {
            *end += taps.len();
            Some(*end)
        }));
        let taps = outputs.concat();
        assert!(taps.iter().all(|&(i, _)| i < inputs), "taps within {inputs} positions");
        Axis { starts, taps, inputs }
    }
    /// Positions there are to write.
    pub fn outputs(&self) -> usize {
        self.starts.len() - 1
    }
    fn taps(&self, output: usize) -> &[(usize, T)] {
        &self.taps[self.starts[output]..self.starts[output + 1]]
    }
}

/// See [`super::Kernels::resample`].
pub fn run<S: Simd>(x: &[S::T], n: usize, c: usize, rows: &Axis<S::T>, columns: &Axis<S::T>, out: &mut [S::T]) {
    let (w, ho, wo) = (columns.inputs, rows.outputs(), columns.outputs());
    let (picture, row) = (rows.inputs * w * c, wo * c);
    assert!(x.len() == n * picture && out.len() == n * ho * row, "maps of {n} pictures of {c} channels");
    if out.is_empty() {
        return;
    }
    let (together, out) = (even(n * ho, GRAIN / (w.max(wo) * c)), Parts::new(out));
    tasks((n * ho).div_ceil(together), |t| {
        with(Slot::Band, w * c, |line: &mut [S::T]| {
            for i in t * together..((t + 1) * together).min(n * ho) {
                let from = &x[i / ho * picture..][..picture];
                // SAFETY: row `i` belongs to this task; the set is the one in use.
                unsafe { S::enter(Row { from, c, taps: rows.taps(i % ho), columns, line, to: out.slice(i * row, row) }) }
            }
        })
    });
}

/// One output row.
struct Row<'a, T> {
    from: &'a [T],
    c: usize,
    taps: &'a [(usize, T)],
    columns: &'a Axis<T>,
    line: &'a mut [T],
    to: &'a mut [T],
}

impl<S: Simd> Body<S> for Row<'_, S::T> {
    #[inline(always)]
    unsafe fn run(self) {
        let Row { from, c, taps, columns, line, to } = self;
        // SAFETY: inside `enter`; taps are within the axes (see `Axis::new`), and `from`, `line` and `to` are as long as these.
        unsafe {
            weighted::<S>(from.as_ptr(), line.len(), taps, line.as_mut_ptr());
            for (i, to) in to.chunks_exact_mut(c).enumerate() {
                weighted::<S>(line.as_ptr(), c, columns.taps(i), to.as_mut_ptr());
            }
        }
    }
}

/// `to = sum of weight * from[index]` over pieces of `width` elements.
///
/// # Safety
/// Inside `enter`; every piece and `to` hold `width` elements.
#[inline(always)]
unsafe fn weighted<S: Simd>(from: *const S::T, width: usize, taps: &[(usize, S::T)], to: *mut S::T)
where
    S::T: Real + Plain,
{
    for at in (0..width).step_by(S::LANES) {
        let lanes = S::LANES.min(width - at);
        // SAFETY: the caller's promise.
        unsafe {
            let mut sum = S::zero();
            for &(i, weight) in taps {
                sum = S::mul_add(S::load_first(from.wrapping_add(i * width + at), lanes), S::splat(weight), sum);
            }
            S::store_first(to.wrapping_add(at), sum, lanes);
        }
    }
}
