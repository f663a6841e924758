//! Resizing. Every one of these is a linear map applied to rows and to columns in turn, and the adjoint is the same
//! walk with the table transposed, so one loop serves all six operations.
use super::nhwc;
use crate::{Real, Tensor, par};

/// A sparse matrix over one axis: for every output position the inputs it sums and their weights.
struct Axis<T> {
    taps: Vec<Vec<(usize, T)>>,
    inputs: usize,
}

impl<T: Real> Axis<T> {
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
        Axis { taps: (0..to).map(tap).collect(), inputs: from }
    }

    /// Mean of pairs.
    fn halve(from: usize) -> Self {
        assert!(from.is_multiple_of(2), "cannot halve {from} pixels");
        let half = T::of(0.5);
        Axis { taps: (0..from / 2).map(|o| vec![(2 * o, half), (2 * o + 1, half)]).collect(), inputs: from }
    }

    fn transposed(&self) -> Self {
        let mut taps = vec![Vec::new(); self.inputs];
        for (o, list) in self.taps.iter().enumerate() {
            for &(i, weight) in list {
                taps[i].push((o, weight));
            }
        }
        Axis { taps, inputs: self.taps.len() }
    }
}

/// `out[y, x] = sum of wy wx in[iy, ix]`: rows first into one line, then along the line.
fn separable<T: Real>(x: &Tensor<T>, rows: &Axis<T>, columns: &Axis<T>) -> Tensor<T> {
    let (n, h, w, c) = nhwc(x);
    assert_eq!((h, w), (rows.inputs, columns.inputs), "size of {:?}", x.shape());
    let (ho, wo) = (rows.taps.len(), columns.taps.len());
    let mut out = Tensor::recycled(&[n, ho, wo, c]);
    let from = x.data();
    let group = (par::GRAIN / (w.max(wo) * c).max(1)).clamp(1, ho);
    par::blocks(out.data_mut(), group * wo * c, |i, block| {
        let mut line = Tensor::recycled(&[w * c]);
        for (j, row) in block.chunks_exact_mut((wo * c).max(1)).enumerate() {
            let (picture, y) = ((i * group + j) / ho, (i * group + j) % ho);
            let line = line.data_mut();
            weighted(&from[picture * h * w * c..], w * c, &rows.taps[y], line);
            for (to, taps) in row.chunks_exact_mut(c).zip(&columns.taps) {
                weighted(line, c, taps, to);
            }
        }
    });
    out
}

/// `to = sum of weight * from[index]` over slices as long as `to`.
fn weighted<T: Real>(from: &[T], width: usize, taps: &[(usize, T)], to: &mut [T]) {
    let part = |i: usize| &from[i * width..][..width];
    match *taps {
        [] => to.fill(T::default()),
        [(i, a)] => to.iter_mut().zip(part(i)).for_each(|(o, &v)| *o = v * a),
        [(i, a), (j, b), ref more @ ..] => {
            to.iter_mut().zip(part(i)).zip(part(j)).for_each(|((o, &v), &u)| *o = v * a + u * b);
            for &(k, weight) in more {
                to.iter_mut().zip(part(k)).for_each(|(o, &v)| *o += v * weight);
            }
        }
    }
}

/// One of the resizing operations.
#[derive(Clone, Copy, Debug)]
pub enum Resampling {
    /// Bilinear to this size.
    Bilinear(usize, usize),
    /// Adjoint of bilinear from this size.
    BilinearGrad(usize, usize),
    /// Mean over 2x2.
    Halve,
    /// Adjoint of that mean.
    HalveGrad,
}

/// See [`crate::once::Once::resample`].
pub(crate) fn resample<T: Real>(how: Resampling, x: &Tensor<T>) -> Tensor<T> {
    let (_, h, w, _) = nhwc(x);
    match how {
        Resampling::Bilinear(to_h, to_w) => separable(x, &Axis::bilinear(h, to_h), &Axis::bilinear(w, to_w)),
        Resampling::BilinearGrad(from_h, from_w) => {
            separable(x, &Axis::bilinear(from_h, h).transposed(), &Axis::bilinear(from_w, w).transposed())
        }
        Resampling::Halve => separable(x, &Axis::halve(h), &Axis::halve(w)),
        Resampling::HalveGrad => separable(x, &Axis::halve(2 * h).transposed(), &Axis::halve(2 * w).transposed()),
    }
}

/// Size of `x` divided by two.
pub(super) fn half<T: Real>(x: &Tensor<T>) -> (usize, usize) {
    let (_, h, w, _) = nhwc(x);
    assert!(h % 2 == 0 && w % 2 == 0, "half of an odd size {:?}", x.shape());
    (h / 2, w / 2)
}
