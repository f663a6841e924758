//! Winograd weight gradient of 3x3 convolutions of stride 1: `dw = Gt [sum over tiles of (Bt x B) * (A dy At)] G`.
//!
//! ```text
//! task  a block of input x output channels, a share of the 4x4 tiles of all pictures
//! load  as many tiles as fit the second-level cache beside the sums:  V [36][tile][ci],  D [36][column tile][tile][lanes]
//! sums  [36][ci][co of the block], 36 matrix products over the tiles of a load; turned into 3x3 weights at the end
//! ```
//! Shares depend on the shape alone and are added in order: the same bytes for any number of threads.
use super::planes::{Gradient, Input, Map, POINTS, WeightGradient};
use super::scratch::{Slot, with};
use super::simd::{Exact, Simd};
use super::tile::{Tile, padded, span, tile, tiles};
use super::weight_grad::add_shares;
use super::{Conv, Precision, precision};
use crate::pool::{Parts, tasks};
use std::ops::Range;

/// Most input channels of a block. D is transformed once for each, so that 48 channels are better one block than 32 and 16.
const ROWS: usize = 48;
/// Column tiles of a block.
const COLUMNS: usize = 2;
/// Tasks to aim at, whatever the number of threads.
const TASKS: usize = 16;
/// Elements of V and D together.
const LOAD: usize = 112 * 1024;

/// True where this kernel applies and is faster than the direct one.
pub fn wins<S: Simd>(g: &Conv) -> bool {
    let whole = |channels: usize| (S::MASKS || channels.is_multiple_of(S::LANES)) && channels >= 16;
    let shape = (g.kh, g.kw, g.stride, g.pad) == (3, 3, 1, 1) && g.h.is_multiple_of(4) && g.w.is_multiple_of(4);
    precision() != Precision::Direct
        && size_of::<S::T>() == 4
        && shape
        && whole(g.ci)
        && whole(g.co)
        && g.h * g.w >= 64
        && g.n * g.h * g.w >= 1024
}

/// Runs a weight gradient that [`wins`].
pub fn run<S: Exact>(g: &Conv, x: &[S::T], dy: &[S::T], dw: &mut [S::T]) {
    let (down, across) = (g.ci.div_ceil(ROWS), tiles::<S>(g.co).div_ceil(COLUMNS));
    let rows = g.ci.div_ceil(down).next_multiple_of(S::ROWS);
    let (blocks, all) = (down * across, g.n * g.h * g.w / 16);
    let shares = TASKS.div_ceil(blocks).min(all.div_ceil(64));
    let weights = 9 * g.ci * padded::<S>(g.co);
    assert!(x.len() >= g.n * g.h * g.w * g.ci && dy.len() >= g.n * g.h * g.w * g.co, "operands of {g:?}");
    with(Slot::Partial, weights * shares, |sums: &mut [S::T]| {
        let parts = Parts::new(sums);
        tasks(blocks * shares, |t| {
            let (share, block) = (t / blocks, t % blocks);
            let (row, column) = (block / across * rows, block % across * COLUMNS);
            let block = Block::<S> {
                g,
                rows: row.min(g.ci)..(row + rows).min(g.ci),
                columns: column..(column + COLUMNS).min(tiles::<S>(g.co)),
                set: std::marker::PhantomData,
            };
            // SAFETY: in the sums of its share this task alone writes its block of channels.
            unsafe {
                block.share(x, dy, all * share / shares..all * (share + 1) / shares, parts.start().wrapping_add(share * weights))
            }
        });
        add_shares(sums, weights, padded::<S>(g.co), g.co, dw);
    });
}

/// Some input channels by some column tiles.
struct Block<'a, S> {
    g: &'a Conv,
    rows: Range<usize>,
    columns: Range<usize>,
    set: std::marker::PhantomData<S>,
}

impl<S: Exact> Block<'_, S> {
    /// First output channel and number of them, both in whole registers.
    fn channels(&self) -> (usize, usize) {
        let first = self.columns.start * 2 * S::LANES;
        (first, padded::<S>(self.g.co).min(self.columns.end * 2 * S::LANES) - first)
    }

    /// Picture, and first row and column of output tile `t`.
    fn place(&self, t: usize) -> (usize, usize, usize) {
        let (down, across) = (self.g.h / 4, self.g.w / 4);
        (t / across / down, t / across % down * 4, t % across * 4)
    }

    /// The weight gradient of a share of the tiles, into `out` (`[3][3][ci][padded co]`).
    ///
    /// # Safety
    /// `out` holds all weights; nobody else touches the block's channels of it.
    unsafe fn share(&self, x: &[S::T], dy: &[S::T], share: Range<usize>, out: *mut S::T) {
        let (rows, (first, width)) = (self.rows.len(), self.channels());
        let together = (LOAD / (POINTS * (rows + width))).min(share.len());
        with(Slot::PlaneSums, POINTS * rows * width, |sums: &mut [S::T]| {
            with(Slot::Planes, POINTS * together * rows, |v: &mut [S::T]| {
                with(Slot::Tiles, POINTS * together * width, |d: &mut [S::T]| {
                    for load in share.clone().step_by(together) {
                        let load = load..(load + together).min(share.end);
                        self.transform_input(x, load.clone(), v);
                        self.transform_gradient(dy, load.clone(), d);
                        self.multiply(v, d, load.len(), load.start == share.start, sums);
                    }
                })
            });
            let co = padded::<S>(self.g.co);
            let (plane, from_plane) = (self.g.ci * co, rows * width);
            for i in 0..rows {
                let (from, to) = (sums[i * width..].as_ptr(), out.wrapping_add((self.rows.start + i) * co + first));
                let map = Map {
                    from,
                    from_pitch: (6 * from_plane, from_plane),
                    to,
                    to_pitch: (3 * plane, plane),
                    len: width,
                    after: None,
                };
                // SAFETY: the set is the one in use; `sums` has 36 planes; `out` by the caller's promise.
                unsafe { S::enter(WeightGradient(map)) }
            }
        });
    }

    /// V: a 6x6 patch of the block's input channels, zeros beyond the picture, to 36 planes.
    fn transform_input(&self, x: &[S::T], load: Range<usize>, v: &mut [S::T]) {
        let (g, rows, plane) = (self.g, self.rows.len(), load.len() * self.rows.len());
        let mut patch = [S::T::default(); POINTS * ROWS];
        for (i, t) in load.enumerate() {
            let (picture, row, column) = self.place(t);
            for (point, to) in patch.chunks_exact_mut(rows).take(POINTS).enumerate() {
                // One less than the pixel's place, wrapped around where it is above or left of the picture.
                let (y, x_) = ((row + point / 6).wrapping_sub(1), (column + point % 6).wrapping_sub(1));
                if y < g.h && x_ < g.w {
                    to.copy_from_slice(&x[((picture * g.h + y) * g.w + x_) * g.ci + self.rows.start..][..rows]);
                } else {
                    to.fill(S::T::default());
                }
            }
            let to = v[i * rows..].as_mut_ptr();
            let map = Map {
                from: patch.as_ptr(),
                from_pitch: (6 * rows, rows),
                to,
                to_pitch: (6 * plane, plane),
                len: rows,
                after: None,
            };
            // SAFETY: the set is the one in use; `patch` holds 36 pixels of `rows` channels, `v` 36 planes.
            unsafe { S::enter(Input(map)) }
        }
    }

    /// D: the output gradient of the block's channels to 36 planes, column tile by column tile. Lanes that are not in use
    /// keep what they held: no other lane looks at them, and nobody at their sums.
    fn transform_gradient(&self, dy: &[S::T], load: Range<usize>, d: &mut [S::T]) {
        let (g, (start, width), count) = (self.g, self.channels(), load.len());
        let plane = count * width;
        for (i, t) in load.enumerate() {
            let (picture, row, column) = self.place(t);
            for j in self.columns.clone() {
                let (first, q, len) = span::<S>(j, g.co);
                let from = dy[((picture * g.h + row) * g.w + column) * g.co + first..].as_ptr();
                let to = d[(first - start) * count + i * q * S::LANES..].as_mut_ptr();
                let map = Map { from, from_pitch: (g.w * g.co, g.co), to, to_pitch: (6 * plane, plane), len, after: None };
                // SAFETY: the set is the one in use; 4x4 pixels from an aligned place are in the picture, `d` has 36 planes.
                unsafe { S::enter(Gradient(map)) }
            }
        }
    }

    /// Adds `V[point]^T D[point]` of a load to the sums.
    fn multiply(&self, v: &[S::T], d: &[S::T], count: usize, fresh: bool, sums: &mut [S::T]) {
        let (rows, (start, width)) = (self.rows.len(), self.channels());
        let (from, to): (Vec<usize>, Vec<usize>) = (0..rows).map(|i| (i, i * width)).unzip();
        for point in 0..POINTS {
            let a = v[point * count * rows..][..count * rows].as_ptr();
            for j in self.columns.clone() {
                let (first, q, _) = span::<S>(j, self.g.co);
                let len = q * S::LANES;
                let b = d[point * count * width + (first - start) * count..][..count * len].as_ptr();
                let out = sums[point * rows * width..][..rows * width].as_mut_ptr().wrapping_add(first - start);
                for (from, to) in from.chunks(S::ROWS).zip(to.chunks(S::ROWS)) {
                    let (step, segments, pitch, columns) = (rows, &[0][..], len, len);
                    let t = Tile { a, from, step, segments, len: count, b, pitch, out, to, columns, fresh, after: None };
                    // SAFETY: rows of V, D and the sums as sliced above.
                    unsafe { tile::<S>(q, t) }
                }
            }
        }
    }
}
