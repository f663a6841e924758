//! Backwards through `y = leaky_relu(sums * scale + bias) * gain`, what a modulated convolution stores, in one pass.
//!
//! ```text
//! v      = sums * scale + bias             recovered from y: the kink can be undone
//! dv     = dy * gain, times the slope where y < 0
//! dsums  = dv * scale                      the only map written
//! totals = sum over pixels of dv, of dv v  all that the gradients of bias and scale need
//! ```
//! As separate operations these were four passes, eight maps read or written against three.
use super::scratch::{Slot, with};
use super::simd::{Body, Simd};
use crate::Real;
use crate::pool::{Parts, tasks};

/// Elements of the map a task handles; its totals are summed in the map's own precision, those of all tasks in `f64`.
const TASK: usize = 16 * 1024;

/// What comes in.
#[derive(Clone, Copy, Debug)]
pub struct ScaledGrad<'a, T> {
    /// Gradient of the result, `[n, pixels, c]`.
    pub dy: &'a [T],
    /// The result, likewise.
    pub y: &'a [T],
    /// Factors on the sums, `[n, c]`.
    pub scale: &'a [T],
    /// Channels.
    pub c: usize,
    /// Factor below zero, positive, at most 1.
    pub slope: f64,
    /// Factor on both sides, positive.
    pub gain: f64,
}

/// See [`super::Kernels::scaled_grad`]. `dsums` as `dy`, `totals` `[2, n, c]`.
pub fn run<S: Simd>(g: ScaledGrad<'_, S::T>, dsums: &mut [S::T], totals: &mut [S::T]) {
    assert!(g.slope > 0.0 && g.slope <= 1.0 && g.gain > 0.0, "slope {} or gain {} cannot be undone", g.slope, g.gain);
    if g.dy.is_empty() {
        return totals.fill(S::T::default());
    }
    let (c, n) = (g.c, g.scale.len() / g.c);
    let pixels = g.dy.len() / g.scale.len();
    assert!(g.dy.len() == n * pixels * c && g.y.len() == g.dy.len() && dsums.len() == g.dy.len() && totals.len() == 2 * n * c);
    let pieces = (pixels * c).div_ceil(TASK).min(pixels);
    with(Slot::Partial, n * pieces * 2 * c, |partial: &mut [S::T]| {
        let (parts, out) = (Parts::new(partial), Parts::new(dsums));
        tasks(n * pieces, |t| {
            let (picture, piece) = (t / pieces, t % pieces);
            let (first, end) = (pixels * piece / pieces, pixels * (piece + 1) / pieces);
            let (at, len) = ((picture * pixels + first) * c, (end - first) * c);
            let (dy, y, scale) = (&g.dy[at..][..len], &g.y[at..][..len], &g.scale[picture * c..][..c]);
            // SAFETY: piece `t` of the map and of the partial totals belongs to this task; the set is the one in use.
            unsafe {
                let (dsums, totals) = (out.slice(at, len), parts.slice(t * 2 * c, 2 * c));
                S::enter(Piece { g: ScaledGrad { dy, y, scale, ..g }, dsums, totals })
            }
        });
        for (i, to) in totals.iter_mut().enumerate() {
            let (which, picture, channel) = (i / (n * c), i / c % n, i % c);
            let of = |piece: usize| partial[((picture * pieces + piece) * 2 + which) * c + channel].to_f64();
            *to = S::T::of((0..pieces).map(of).sum());
        }
    });
}

/// Some pixels of one picture.
struct Piece<'a, T> {
    g: ScaledGrad<'a, T>,
    dsums: &'a mut [T],
    totals: &'a mut [T],
}

impl<S: Simd> Body<S> for Piece<'_, S::T> {
    #[inline(always)]
    unsafe fn run(self) {
        let Piece { g, dsums, totals } = self;
        let (c, len) = (g.c, g.dy.len());
        let (dy, y, dsums, scale) = (g.dy.as_ptr(), g.y.as_ptr(), dsums.as_mut_ptr(), g.scale.as_ptr());
        for channel in (0..c).step_by(S::LANES) {
            let lanes = S::LANES.min(c - channel);
            // SAFETY: inside `enter`; `channel + lanes <= c`, and all maps are `len` long.
            unsafe {
                let splat = |v: f64| S::splat(S::T::of(v));
                let (above, below, zero) = (splat(g.gain), splat(g.gain * g.slope), S::zero());
                let (up, down) = (splat(1.0 / g.gain), splat(1.0 / (g.gain * g.slope)));
                let scale = S::load_first(scale.wrapping_add(channel), lanes);
                let (mut total, mut moment) = (zero, zero);
                for at in (channel..len).step_by(c) {
                    let (d, y) = (S::load_first(dy.wrapping_add(at), lanes), S::load_first(y.wrapping_add(at), lanes));
                    let dv = S::mul_add(d, S::above(y, above, below), zero);
                    // The smaller of the two is the right one on either side of the kink.
                    let v = S::min(S::mul_add(y, up, zero), S::mul_add(y, down, zero));
                    total = S::mul_add(dv, splat(1.0), total);
                    moment = S::mul_add(dv, v, moment);
                    S::store_first(dsums.wrapping_add(at), S::mul_add(dv, scale, zero), lanes);
                }
                S::store_first(totals.as_mut_ptr().wrapping_add(channel), total, lanes);
                S::store_first(totals.as_mut_ptr().wrapping_add(c + channel), moment, lanes);
            }
        }
    }
}
