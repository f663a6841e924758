//! Depthwise convolution: every channel by itself, vectors run over channels. Bound by memory, so the loops are plain.
//!
//! Forward and input gradient walk the same [`Pass`] as the dense kernels (the input gradient of stride s is s x s phases),
//! one task some rows. The weight gradient gives each task a share of the rows and its own sums, added in order: the
//! shares depend on the shape alone. Channels beyond the last whole register go one by one.
use super::Conv;
use super::after::After;
use super::pass::Pass;
use super::scratch::{Slot, with};
use super::simd::{Body, Simd};
use crate::pool::{Parts, even, tasks};
use std::ops::Range;

/// Elements of output a task aims at.
const TASK: usize = 16 * 1024;
/// Most shares of a weight gradient.
const SHARES: usize = 16;

/// See [`super::Kernels::depthwise`].
pub fn forward<S: Simd>(g: &Conv, x: &[S::T], w: &[S::T], after: Option<After<'_, S::T>>, y: &mut [S::T]) {
    run::<S>(&Pass::forward(g), x, w, after, y)
}

/// See [`super::Kernels::depthwise_input_grad`].
pub fn input_grad<S: Simd>(g: &Conv, dy: &[S::T], w: &[S::T], dx: &mut [S::T]) {
    Pass::backward(g).iter().for_each(|pass| run::<S>(pass, dy, w, None, dx));
}

/// The part of `0..taps` that stays within `0..len` when the first tap is at `at`.
#[inline(always)]
fn inside(at: isize, taps: usize, len: usize) -> (usize, usize) {
    let start = (-at).clamp(0, taps as isize);
    (start as usize, (len as isize - at).clamp(start, taps as isize) as usize)
}

fn run<S: Simd>(p: &Pass, source: &[S::T], w: &[S::T], after: Option<After<'_, S::T>>, out: &mut [S::T]) {
    let (c, rows) = (p.co, p.n * p.y.len);
    if rows * p.x.len * c == 0 {
        return;
    }
    assert!(source.len() >= p.n * p.source_len() && out.len() >= p.n * p.destination_len(), "operands of {p:?}");
    let kernel = p.y.taps.iter().flat_map(|ky| p.x.taps.iter().map(move |kx| ky * p.kw + kx));
    let weights: Vec<S::T> = kernel.flat_map(|tap| w[tap * c..][..c].iter().copied()).collect();
    let (out, together) = (Parts::new(out), even(rows, TASK / (p.x.len * c)));
    tasks(rows.div_ceil(together), |t| {
        for line in t * together..((t + 1) * together).min(rows) {
            let (picture, row) = (line / p.y.len, line % p.y.len);
            let top = (row * p.y.step) as isize + p.y.at;
            let to = out.start().wrapping_add(picture * p.destination_len() + p.write_at(row, 0));
            let from = source[picture * p.source_len()..].as_ptr();
            let line = Line { p, from, top, rows: inside(top, p.y.taps.len(), p.y.source), weights: &weights, after, to };
            let whole = c / S::LANES * S::LANES;
            // SAFETY: the set is the one in use; `inside` keeps reads in the picture; this task alone writes this row.
            unsafe {
                S::enter(line.channels(0..whole));
                S::One::enter(line.channels(whole..c));
            }
        }
    });
}

/// One output row.
#[derive(Clone, Copy)]
struct Line<'a, T> {
    p: &'a Pass,
    /// The source picture.
    from: *const T,
    /// Source row of the first tap.
    top: isize,
    /// Tap rows that are inside the picture.
    rows: (usize, usize),
    /// `[tap][c]`.
    weights: &'a [T],
    after: Option<After<'a, T>>,
    /// Channel 0 of the first pixel of the row.
    to: *mut T,
}

/// Some channels of a row, a multiple of the lanes.
struct Span<'a, T>(Line<'a, T>, Range<usize>);

impl<'a, T: Copy> Line<'a, T> {
    fn channels(&self, range: Range<usize>) -> Span<'a, T> {
        Span(*self, range)
    }
}

impl<S: Simd> Body<S> for Span<'_, S::T> {
    #[inline(always)]
    unsafe fn run(self) {
        let Span(l, channels) = self;
        let (p, c, taps) = (l.p, l.p.co, l.p.x.taps.len());
        // SAFETY: inside `enter`.
        let after = unsafe { l.after.map(|a| a.ready::<S>()) };
        // Channels innermost: memory is read and written in one direction, which the prefetcher rewards threefold.
        for i in 0..p.x.len {
            let left = (i * p.x.step) as isize + p.x.at;
            let (first, last) = inside(left, taps, p.x.source);
            let start = ((l.top + l.rows.0 as isize) * p.x.source as isize + left + first as isize) * c as isize;
            let (x, w) = (l.from.wrapping_offset(start), l.weights.as_ptr().wrapping_add((l.rows.0 * taps + first) * c));
            let (pitch, width) = (p.x.source * c, taps * c);
            let mut channel = channels.start;
            while channel < channels.end {
                // SAFETY: inside `enter`; taps first..last of rows l.rows are in the picture, `channel + LANES <= c`.
                unsafe {
                    let mut sum = S::zero();
                    let (mut x, mut w) = (x.wrapping_add(channel), w.wrapping_add(channel));
                    for _ in l.rows.0..l.rows.1 {
                        if last - first == 3 {
                            sum = S::mul_add(S::load(x), S::load(w), sum);
                            sum = S::mul_add(S::load(x.wrapping_add(c)), S::load(w.wrapping_add(c)), sum);
                            sum = S::mul_add(S::load(x.wrapping_add(2 * c)), S::load(w.wrapping_add(2 * c)), sum);
                        } else {
                            for kx in 0..last - first {
                                sum = S::mul_add(S::load(x.wrapping_add(kx * c)), S::load(w.wrapping_add(kx * c)), sum);
                            }
                        }
                        (x, w) = (x.wrapping_add(pitch), w.wrapping_add(width));
                    }
                    let v = match &after {
                        Some(after) => after.of(sum, 0, channel),
                        None => sum,
                    };
                    S::store(l.to.wrapping_add(i * p.x.out_step * c + channel), v);
                }
                channel += S::LANES;
            }
        }
    }
}

/// See [`super::Kernels::depthwise_weight_grad`].
pub fn weight_grad<S: Simd>(g: &Conv, x: &[S::T], dy: &[S::T], dw: &mut [S::T]) {
    let (p, c) = (Pass::forward(g), g.ci);
    let (rows, weights) = (g.n * p.y.len, g.kh * g.kw * c);
    if rows * p.x.len * c == 0 {
        return dw.fill(S::T::default());
    }
    assert!(x.len() >= g.n * p.source_len() && dy.len() >= g.n * p.destination_len(), "operands of {g:?}");
    let shares = rows.div_ceil((TASK / (p.x.len * c)).max(1)).min(SHARES);
    with(Slot::Partial, shares * weights, |sums: &mut [S::T]| {
        let parts = Parts::new(sums);
        tasks(shares, |share| {
            // SAFETY: share `share` belongs to this task.
            let sums = unsafe { parts.slice(share * weights, weights) };
            sums.fill(S::T::default());
            for line in rows * share / shares..rows * (share + 1) / shares {
                let (picture, row) = (line / p.y.len, line % p.y.len);
                let top = (row * p.y.step) as isize + p.y.at;
                let (x, dy) = (x[picture * p.source_len()..].as_ptr(), dy[line * p.x.len * c..].as_ptr());
                let grad = Grad { p: &p, x, top, rows: inside(top, g.kh, g.h), dy, sums: sums.as_mut_ptr() };
                let (fours, whole) = (c / (4 * S::LANES) * 4 * S::LANES, c / S::LANES * S::LANES);
                // SAFETY: as in `run`; `sums` is this task's.
                unsafe {
                    S::enter(GradSpan::<S::T, 4>(grad, 0..fours));
                    S::enter(GradSpan::<S::T, 1>(grad, fours..whole));
                    S::One::enter(GradSpan::<S::T, 1>(grad, whole..c));
                }
            }
        });
        dw.copy_from_slice(&sums[..weights]);
        for share in sums.chunks_exact(weights).skip(1) {
            dw.iter_mut().zip(share).for_each(|(d, &s)| *d += s);
        }
    });
}

/// What one row of output gradient adds to the weight gradient.
#[derive(Clone, Copy)]
struct Grad<'a, T> {
    p: &'a Pass,
    x: *const T,
    top: isize,
    rows: (usize, usize),
    dy: *const T,
    sums: *mut T,
}

/// Some channels of it, a multiple of `B * LANES`: `B` registers at a time hide the latency of the additions.
struct GradSpan<'a, T, const B: usize>(Grad<'a, T>, Range<usize>);

impl<S: Simd, const B: usize> Body<S> for GradSpan<'_, S::T, B> {
    #[inline(always)]
    unsafe fn run(self) {
        let GradSpan(l, channels) = self;
        let (p, c, taps) = (l.p, l.p.co, l.p.x.taps.len());
        let mut channel = channels.start;
        while channel < channels.end {
            for ky in l.rows.0..l.rows.1 {
                let row = (l.top + ky as isize) * p.x.source as isize;
                for kx in 0..taps {
                    let at = kx as isize + p.x.at;
                    // Output pixels i with 0 <= i * step + at < source.
                    let first = ((-at).max(0) as usize).div_ceil(p.x.step);
                    let end = ((p.x.source as isize - at).max(0) as usize).div_ceil(p.x.step).min(p.x.len);
                    let start = (row + (first * p.x.step) as isize + at) * c as isize;
                    let (mut x, mut dy) =
                        (l.x.wrapping_offset(start).wrapping_add(channel), l.dy.wrapping_add(first * c + channel));
                    let sums = l.sums.wrapping_add((ky * taps + kx) * c + channel);
                    // SAFETY: inside `enter`; pixels and rows are in the picture, `channel + B * LANES <= c`.
                    unsafe {
                        let mut sum = [S::zero(); B];
                        for b in 0..B {
                            sum[b] = S::load(sums.wrapping_add(b * S::LANES));
                        }
                        for _ in first..end {
                            for b in 0..B {
                                sum[b] = S::mul_add(
                                    S::load(x.wrapping_add(b * S::LANES)),
                                    S::load(dy.wrapping_add(b * S::LANES)),
                                    sum[b],
                                );
                            }
                            x = x.wrapping_add(p.x.step * c);
                            dy = dy.wrapping_add(c);
                        }
                        for b in 0..B {
                            S::store(sums.wrapping_add(b * S::LANES), sum[b]);
                        }
                    }
                }
            }
            channel += B * S::LANES;
        }
    }
}
