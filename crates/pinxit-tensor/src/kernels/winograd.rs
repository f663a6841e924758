//! Winograd F(4x4, 3x3) (Lavin and Gray 2015, arXiv:1509.09308) for 3x3 convolutions of stride 1, forward and input gradient.
//!
//! ```text
//! y = At [(G w Gt) * (Bt x B)] A    on tiles of 4x4 outputs (6x6 inputs): a quarter of the multiplications
//! U  [36][column tile][ci][lanes]   weights, once a call
//! V  [36][tile][ci]                 input tiles of a task
//! M  [36][tile][lanes]              36 matrix products with the register tile of `tile.rs`, one column tile at a time
//! ```
//! The rounding error is about ten times that of the direct sum (3e-5 of the output's scale), far below what training
//! notices; `wins` keeps it to the shapes where it is faster.
use super::after::{self, After};
use super::conv::Extras;
use super::conv::{Area, pack, with_source};
use super::kept::{Order, packed};
use super::operand::Operand;
use super::pass::{Axis, Pass};
use super::planes::{Input, Map, Output, POINTS, Weights};
use super::scratch::{Slot, with};
use super::simd::{Exact, Simd};
use super::tile::{Tile, padded, span, tile, tiles};
use super::{Precision, precision};
use crate::pool::{Parts, tasks, threads};

/// Output tiles (of 4x4 pixels) a task aims at: V of a task stays in the second-level cache.
const TASK: usize = 16;

/// True where these kernels apply and are faster than the direct ones.
pub fn wins<S: Simd>(p: &Pass) -> bool {
    let fits = |a: &Axis| {
        a.taps.len() == 3 && a.step == 1 && a.out_step == 1 && a.at == -1 && a.len.is_multiple_of(4) && a.len == a.source
    };
    let whole = |channels: usize| (S::MASKS || channels.is_multiple_of(S::LANES)) && channels >= 16;
    precision() != Precision::Direct
        && size_of::<S::T>() == 4
        && fits(&p.y)
        && fits(&p.x)
        && whole(p.ci)
        && whole(p.co)
        && p.pixels() >= 64
        && p.n * p.pixels() >= if S::K::NUMBERS > 1 { 1024 } else { 256 }
}

/// Runs a pass that [`wins`].
pub fn run<S: Exact>(p: &Pass, source: &[S::T], w: &[S::T], extras: Extras<'_, S::T>, out: &mut [S::T]) {
    let (down, across) = (p.y.len / 4, p.x.len / 4);
    let rows = TASK.div_ceil(across).min(down);
    let bands = down.div_ceil(rows);
    let pictures = if bands > 1 { 1 } else { (TASK / (down * across)).clamp(1, p.n) };
    let (areas, all) = (p.n.div_ceil(pictures) * bands, tiles::<S>(p.co));
    let columns = all.div_ceil(if threads() == 1 { 1 } else { (2 * threads()).div_ceil(areas).min(all) });
    let (groups, plane) = (all.div_ceil(columns), p.ci * padded::<S>(p.co));
    let out = Parts::new(out);
    let order = Order::of::<S>(p, true);
    packed(
        extras.kept,
        order,
        Slot::WeightPlanes,
        POINTS * plane,
        |u| transform_weights::<S>(p, w, u),
        |u: &[S::T]| {
            tasks(areas * groups, |t| {
                let (area, group) = (t / groups, t % groups);
                let (first, row) = (area / bands * pictures, area % bands * rows * 4);
                let area = Area { first, pictures: pictures.min(p.n - first), row, rows: (rows * 4).min(p.y.len - row) };
                let columns = group * columns..((group + 1) * columns).min(all);
                with_source::<S>(p, &area, source, |x, pitch| {
                    let origins: Vec<usize> = (0..area.pictures * area.rows / 4 * across)
                        .map(|t| (t / across, t % across))
                        .map(|(r, c)| (r / (area.rows / 4) * pitch.picture) + r % (area.rows / 4) * 4 * pitch.row + c * 4 * p.ci)
                        .collect();
                    with(Slot::Planes, POINTS * origins.len() * p.ci, |v: &mut [S::T]| {
                        transform_input::<S>(x, pitch.row, p.ci, &origins, v);
                        multiply::<S>(p, &area, (v, u), columns, extras.after, &out);
                    });
                });
            });
        },
    );
}

/// `U = G w Gt`, from the weights as the direct kernel packs them.
fn transform_weights<S: Exact>(p: &Pass, w: &[S::T], u: &mut [S::T]) {
    with(Slot::Packed, p.depth() * padded::<S>(p.co), |packed: &mut [S::T]| {
        pack::<S>(p, w, packed);
        let (parts, plane) = (Parts::new(u), p.ci * padded::<S>(p.co));
        tasks(tiles::<S>(p.co), |j| {
            let (first, q, _) = span::<S>(j, p.co);
            let len = p.ci * q * S::LANES;
            let (from, to) = (packed[first * p.depth()..][..9 * len].as_ptr(), parts.start().wrapping_add(first * p.ci));
            // SAFETY: the set is the one in use; tile `j` owns `len` elements from `first * ci` on of every plane of `u`.
            unsafe {
                S::enter(Weights(Map { from, from_pitch: (3 * len, len), to, to_pitch: (6 * plane, plane), len, after: None }))
            }
        });
    });
}

/// `V = Bt x B` of every tile.
fn transform_input<S: Exact>(x: &[S::T], row: usize, ci: usize, origins: &[usize], v: &mut [S::T]) {
    let plane = origins.len() * ci;
    for (t, &origin) in origins.iter().enumerate() {
        let from = x[origin..][..5 * row + 6 * ci].as_ptr();
        // SAFETY: the set is the one in use; the slice above holds the 6x6 pixels, `v` holds 36 planes.
        let to = v.as_mut_ptr().wrapping_add(t * ci);
        unsafe { S::enter(Input(Map { from, from_pitch: (row, ci), to, to_pitch: (6 * plane, plane), len: ci, after: None })) }
    }
}

/// `M = V U` and `y = At M A` for some column tiles.
fn multiply<S: Exact>(
    p: &Pass,
    area: &Area,
    (v, u): (&[S::T], &[S::T]),
    columns: std::ops::Range<usize>,
    after: Option<After<'_, S::T>>,
    out: &Parts<S::T>,
) {
    let (across, rows) = (p.x.len / 4, area.rows / 4);
    let count = area.pictures * rows * across;
    let (plane, from): (_, Vec<usize>) = (p.ci * padded::<S>(p.co), (0..count).map(|t| t * p.ci).collect());
    with(Slot::Tiles, POINTS * count * 2 * S::LANES, |m: &mut [S::T]| {
        for j in columns {
            let (first, q, used) = span::<S>(j, p.co);
            let width = q * S::LANES;
            let to: Vec<usize> = (0..count).map(|t| t * width).collect();
            for point in 0..POINTS {
                let a = v[point * count * p.ci..][..count * p.ci].as_ptr();
                let b = u[point * plane + first * p.ci..][..p.ci * width].as_ptr();
                let out = m[point * count * width..][..count * width].as_mut_ptr();
                for (from, to) in from.chunks(S::ROWS).zip(to.chunks(S::ROWS)) {
                    let (step, segments, len, pitch, columns) = (1, &[0][..], p.ci, width, width);
                    let t = Tile { a, from, step, segments, len, b, pitch, out, to, columns, fresh: true, after: None };
                    // SAFETY: rows of `v`, `u` and `m` as sliced above.
                    unsafe { tile::<S>(q, t) }
                }
            }
            for t in 0..count {
                let (picture, row, column) = (t / across / rows, t / across % rows * 4, t % across * 4);
                let to = (area.first + picture) * p.destination_len() + p.write_at(area.row + row, column) + first;
                let (from, to) = (m.as_ptr().wrapping_add(t * width), out.start().wrapping_add(to));
                // SAFETY: `m` as above; these 4x4 pixels and channels of the output are this task's alone.
                unsafe {
                    S::enter(Output(Map {
                        from,
                        from_pitch: (6 * count * width, count * width),
                        to,
                        to_pitch: (p.x.len * p.co, p.co),
                        len: used,
                        after: after.map(|a| a.from(first).scaled_from((area.first + picture) * after::row(p.co))),
                    }))
                }
            }
        }
    });
}
