//! Resizing. Every one of these is a linear map applied to rows and to columns in turn, and the adjoint is the same
//! walk with the table transposed, so one loop serves all six operations.
use super::nhwc;
use crate::kernels::{Axis, Kernels};
use crate::{Real, Tensor};

/// For every position written the positions it sums and their weights.
struct Taps<T> {
    taps: Vec<Vec<(usize, T)>>,
    inputs: usize,
}

impl<T: Real> Taps<T> {
    /// Bilinear from `from` to `to` pixels: half-pixel centres, edges replicated.
    fn bilinear(from: usize, to: usize) -> Self {
        assert!(from > 0 && to > 0, "cannot resize {from} pixels to {to}");
        let tap = |o: usize| {
            let at = ((o as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, (from - 1) as f64);
            let (low, part) = (at as usize, at.fract());
            let mut taps = vec![(low, T::of(1.0 - part))];
            if part > 0.0 {
                taps.push((low + 1, T::of(part)));
            }
            taps
        };
        Taps { taps: (0..to).map(tap).collect(), inputs: from }
    }

    /// Mean of pairs.
    fn halve(from: usize) -> Self {
        assert!(from.is_multiple_of(2), "cannot halve {from} pixels");
        let half = T::of(0.5);
        Taps { taps: (0..from / 2).map(|o| vec![(2 * o, half), (2 * o + 1, half)]).collect(), inputs: from }
    }

    fn transposed(&self) -> Self {
        let mut taps = vec![Vec::new(); self.inputs];
        for (o, list) in self.taps.iter().enumerate() {
            for &(i, weight) in list {
                taps[i].push((o, weight));
            }
        }
        Taps { taps, inputs: self.taps.len() }
    }
}

/// Rows first, then columns.
fn separable<T: Real>(x: &Tensor<T>, rows: Taps<T>, columns: Taps<T>) -> Tensor<T> {
    let (n, h, w, c) = nhwc(x);
    assert_eq!((h, w), (rows.inputs, columns.inputs), "size of {:?}", x.shape());
    let (rows, columns) = (Axis::new(&rows.taps, h), Axis::new(&columns.taps, w));
    let mut out = Tensor::recycled(&[n, rows.outputs(), columns.outputs(), c]);
    <T as Kernels>::resample(x.data(), n, c, &rows, &columns, out.data_mut());
    out
}

/// One of the resizing operations.
#[derive(Clone, Copy, Debug)]
pub(super) enum Resampling {
    /// Bilinear to this size.
    Bilinear(usize, usize),
    /// Adjoint of bilinear from this size.
    BilinearGrad(usize, usize),
    /// Mean over 2x2.
    Halve,
    /// Adjoint of that mean.
    HalveGrad,
}

/// `x` resized.
pub(super) fn resample<T: Real>(how: Resampling, x: &Tensor<T>) -> Tensor<T> {
    let (_, h, w, _) = nhwc(x);
    match how {
        Resampling::Bilinear(to_h, to_w) => separable(x, Taps::bilinear(h, to_h), Taps::bilinear(w, to_w)),
        Resampling::BilinearGrad(from_h, from_w) => {
            separable(x, Taps::bilinear(from_h, h).transposed(), Taps::bilinear(from_w, w).transposed())
        }
        Resampling::Halve => separable(x, Taps::halve(h), Taps::halve(w)),
        Resampling::HalveGrad => separable(x, Taps::halve(2 * h).transposed(), Taps::halve(2 * w).transposed()),
    }
}

/// Size of `x` divided by two.
pub(super) fn half<T: Real>(x: &Tensor<T>) -> (usize, usize) {
    let (_, h, w, _) = nhwc(x);
    assert!(h % 2 == 0 && w % 2 == 0, "half of an odd size {:?}", x.shape());
    (h / 2, w / 2)
}
