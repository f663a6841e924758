//! Two-dimensional Fourier transforms.

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftNum, FftPlanner};
use std::sync::Arc;

/// Transforms of `[height, width]` arrays, unscaled: there and back multiplies by `width × height`.
pub(super) struct Fft2<T: FftNum> {
    width: usize,
    height: usize,
    /// Along rows and along columns, forward.
    there: [Arc<dyn Fft<T>>; 2],
    /// The same, inverse.
    back: [Arc<dyn Fft<T>>; 2],
}

impl<T: FftNum> Fft2<T> {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let mut planner = FftPlanner::new();
        let there = [planner.plan_fft_forward(width), planner.plan_fft_forward(height)];
        let back = [planner.plan_fft_inverse(width), planner.plan_fft_inverse(height)];
        Self { width, height, there, back }
    }

    /// `[height, width]` samples to their spectrum, which lies transposed: `[width, height]`, the frequency along x outside.
    pub(super) fn forward(&self, samples: Vec<Complex<T>>) -> Vec<Complex<T>> {
        through(&self.there, samples, self.width, self.height)
    }

    /// A spectrum as [`forward`](Self::forward) gives it, back to `[height, width]` samples.
    pub(super) fn inverse(&self, spectrum: Vec<Complex<T>>) -> Vec<Complex<T>> {
        let [rows, columns] = &self.back;
        through(&[columns.clone(), rows.clone()], spectrum, self.height, self.width)
    }
}

/// Transforms rows of length `width`, transposes, transforms the new rows.
fn through<T: FftNum>(
    [inner, outer]: &[Arc<dyn Fft<T>>; 2],
    mut data: Vec<Complex<T>>,
    width: usize,
    height: usize,
) -> Vec<Complex<T>> {
    inner.process(&mut data);
    let mut turned = transposed(&data, width, height);
    outer.process(&mut turned);
    turned
}

/// `[height, width]` to `[width, height]`, in blocks of 16 × 16 so that both sides stay in the first cache.
fn transposed<T: FftNum>(data: &[Complex<T>], width: usize, height: usize) -> Vec<Complex<T>> {
    const BLOCK: usize = 16;
    let mut turned = vec![data[0]; data.len()];
    for y0 in (0..height).step_by(BLOCK) {
        for x0 in (0..width).step_by(BLOCK) {
            for x in x0..(x0 + BLOCK).min(width) {
                for y in y0..(y0 + BLOCK).min(height) {
                    turned[x * height + y] = data[y * width + x];
                }
            }
        }
    }
    turned
}
