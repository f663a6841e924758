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
use super::conv::{Area, pack, with_source};
use super::pass::{Axis, Pass};
use super::scratch::{Slot, with};
use super::simd::{Body, Simd};
use super::tile::{Tile, padded, span, tile, tiles};
use crate::Real;
use crate::pool::{Parts, tasks, threads};

/// Output tiles (of 4x4 pixels) a task aims at: V of a task stays in the second-level cache.
const TASK: usize = 16;
/// Points of a transformed tile.
const POINTS: usize = 36;

/// True where these kernels apply and are faster than the direct ones.
pub fn wins<S: Simd>(p: &Pass) -> bool {
    let fits = |a: &Axis| {
        a.taps.len() == 3 && a.step == 1 && a.out_step == 1 && a.at == -1 && a.len.is_multiple_of(4) && a.len == a.source
    };
    let whole = |channels: usize| channels.is_multiple_of(S::LANES) && channels >= 16;
    size_of::<S::T>() == 4
        && fits(&p.y)
        && fits(&p.x)
        && whole(p.ci)
        && whole(p.co)
        && p.pixels() >= 64
        && p.n * p.pixels() >= 256
}

/// Runs a pass that [`wins`].
pub fn run<S: Simd>(p: &Pass, source: &[S::T], w: &[S::T], out: &mut [S::T]) {
    let (down, across) = (p.y.len / 4, p.x.len / 4);
    let rows = TASK.div_ceil(across).min(down);
    let bands = down.div_ceil(rows);
    let pictures = if bands > 1 { 1 } else { (TASK / (down * across)).clamp(1, p.n) };
    let (areas, all) = (p.n.div_ceil(pictures) * bands, tiles::<S>(p.co));
    let columns = all.div_ceil(if threads() == 1 { 1 } else { (2 * threads()).div_ceil(areas).min(all) });
    let (groups, plane) = (all.div_ceil(columns), p.ci * padded::<S>(p.co));
    let out = Parts::new(out);
    with(Slot::WeightPlanes, POINTS * plane, |u: &mut [S::T]| {
        transform_weights::<S>(p, w, u);
        tasks(areas * groups, |t| {
            let (area, group) = (t / groups, t % groups);
            let (first, row) = (area / bands * pictures, area % bands * rows * 4);
            let area = Area { first, pictures: pictures.min(p.n - first), row, rows: (rows * 4).min(p.y.len - row) };
            let columns = group * columns..((group + 1) * columns).min(all);
            with_source(p, &area, source, |x, pitch| {
                let origins: Vec<usize> = (0..area.pictures * area.rows / 4 * across)
                    .map(|t| (t / across, t % across))
                    .map(|(r, c)| (r / (area.rows / 4) * pitch.picture) + r % (area.rows / 4) * 4 * pitch.row + c * 4 * p.ci)
                    .collect();
                with(Slot::Planes, POINTS * origins.len() * p.ci, |v: &mut [S::T]| {
                    transform_input::<S>(x, pitch.row, p.ci, &origins, v);
                    multiply::<S>(p, &area, v, u, columns, &out);
                });
            });
        });
    });
}

/// `U = G w Gt`, from the weights as the direct kernel packs them.
fn transform_weights<S: Simd>(p: &Pass, w: &[S::T], u: &mut [S::T]) {
    with(Slot::Packed, p.depth() * padded::<S>(p.co), |packed: &mut [S::T]| {
        pack::<S>(p, w, packed);
        let (parts, plane) = (Parts::new(u), p.ci * padded::<S>(p.co));
        tasks(tiles::<S>(p.co), |j| {
            let (first, q, _) = span::<S>(j, p.co);
            let len = p.ci * q * S::LANES;
            let (from, to) = (packed[first * p.depth()..][..9 * len].as_ptr(), parts.start().wrapping_add(first * p.ci));
            // SAFETY: the set is the one in use; tile `j` owns `len` elements from `first * ci` on of every plane of `u`.
            unsafe { S::enter(Weights { from, to, len, plane }) }
        });
    });
}

/// `V = Bt x B` of every tile.
fn transform_input<S: Simd>(x: &[S::T], row: usize, ci: usize, origins: &[usize], v: &mut [S::T]) {
    let plane = origins.len() * ci;
    for (t, &origin) in origins.iter().enumerate() {
        let from = x[origin..][..5 * row + 6 * ci].as_ptr();
        // SAFETY: the set is the one in use; the slice above holds the 6x6 pixels, `v` holds 36 planes.
        unsafe { S::enter(Input { from, row, pixel: ci, to: v.as_mut_ptr().wrapping_add(t * ci), plane, len: ci }) }
    }
}

/// `M = V U` and `y = At M A` for some column tiles.
fn multiply<S: Simd>(p: &Pass, area: &Area, v: &[S::T], u: &[S::T], columns: std::ops::Range<usize>, out: &Parts<S::T>) {
    let (across, rows) = (p.x.len / 4, area.rows / 4);
    let count = area.pictures * rows * across;
    let (plane, from): (_, Vec<usize>) = (p.ci * padded::<S>(p.co), (0..count).map(|t| t * p.ci).collect());
    with(Slot::Tiles, POINTS * count * 2 * S::LANES, |m: &mut [S::T]| {
        for j in columns {
            let (first, q, width) = span::<S>(j, p.co);
            let to: Vec<usize> = (0..count).map(|t| t * width).collect();
            for point in 0..POINTS {
                let a = v[point * count * p.ci..][..count * p.ci].as_ptr();
                let b = u[point * plane + first * p.ci..][..p.ci * width].as_ptr();
                let out = m[point * count * width..][..count * width].as_mut_ptr();
                for (from, to) in from.chunks(S::ROWS).zip(to.chunks(S::ROWS)) {
                    // SAFETY: rows of `v`, `u` and `m` as sliced above (`width` is whole registers, see `wins`).
                    unsafe { tile::<S>(q, Tile { a, from, step: 1, segments: &[0], len: p.ci, b, out, to, fresh: true }) }
                }
            }
            for t in 0..count {
                let (picture, row, column) = (t / across / rows, t / across % rows * 4, t % across * 4);
                let to = (area.first + picture) * p.destination_len() + p.write_at(area.row + row, column) + first;
                let (m, to) = (m.as_ptr().wrapping_add(t * width), out.start().wrapping_add(to));
                // SAFETY: `m` as above; these 4x4 pixels and channels of the output are this task's alone.
                unsafe { S::enter(Output { from: m, plane: count * width, to, row: p.x.len * p.co, pixel: p.co, len: width }) }
            }
        }
    });
}

/// Weights: `len` elements of each of 9 taps to 36 planes.
struct Weights<T> {
    from: *const T,
    to: *mut T,
    len: usize,
    plane: usize,
}

/// Input: 6x6 pixels of `len` channels to 36 planes.
struct Input<T> {
    from: *const T,
    row: usize,
    pixel: usize,
    to: *mut T,
    plane: usize,
    len: usize,
}

/// Output: 36 planes of `len` channels to 4x4 pixels.
struct Output<T> {
    from: *const T,
    plane: usize,
    to: *mut T,
    row: usize,
    pixel: usize,
    len: usize,
}

/// `sum` + `k` * `v`.
///
/// # Safety
/// Inside `enter`.
#[inline(always)]
unsafe fn plus<S: Simd>(sum: S::V, k: f64, v: S::V) -> S::V {
    // SAFETY: inside `enter`.
    unsafe { S::mul_add(S::splat(S::T::of(k)), v, sum) }
}

/// One column of `G w`.
///
/// # Safety
/// Inside `enter`.
#[inline(always)]
unsafe fn g<S: Simd>(w: [S::V; 3]) -> [S::V; 6] {
    // SAFETY: inside `enter`.
    unsafe {
        let zero = S::zero();
        let even = plus::<S>(plus::<S>(zero, -1.0 / 6.0, w[0]), -1.0 / 6.0, w[2]);
        let far = plus::<S>(plus::<S>(zero, 1.0 / 24.0, w[0]), 1.0 / 6.0, w[2]);
        [
            plus::<S>(zero, 0.25, w[0]),
            plus::<S>(even, -1.0 / 6.0, w[1]),
            plus::<S>(even, 1.0 / 6.0, w[1]),
            plus::<S>(far, 1.0 / 12.0, w[1]),
            plus::<S>(far, -1.0 / 12.0, w[1]),
            w[2],
        ]
    }
}

/// One column of `Bt x`.
///
/// # Safety
/// Inside `enter`.
#[inline(always)]
unsafe fn bt<S: Simd>(d: [S::V; 6]) -> [S::V; 6] {
    // SAFETY: inside `enter`.
    unsafe {
        let (a, b) = (plus::<S>(d[4], -4.0, d[2]), plus::<S>(d[3], -4.0, d[1]));
        let (e, f) = (plus::<S>(d[4], -1.0, d[2]), plus::<S>(d[3], -1.0, d[1]));
        [
            plus::<S>(plus::<S>(d[4], -5.0, d[2]), 4.0, d[0]),
            plus::<S>(a, 1.0, b),
            plus::<S>(a, -1.0, b),
            plus::<S>(e, 2.0, f),
            plus::<S>(e, -2.0, f),
            plus::<S>(plus::<S>(d[5], -5.0, d[3]), 4.0, d[1]),
        ]
    }
}

/// One column of `At m`.
///
/// # Safety
/// Inside `enter`.
#[inline(always)]
unsafe fn at<S: Simd>(m: [S::V; 6]) -> [S::V; 4] {
    // SAFETY: inside `enter`.
    unsafe {
        let (p, q) = (plus::<S>(m[1], 1.0, m[2]), plus::<S>(m[1], -1.0, m[2]));
        let (r, t) = (plus::<S>(m[3], 1.0, m[4]), plus::<S>(m[3], -1.0, m[4]));
        [
            plus::<S>(plus::<S>(m[0], 1.0, p), 1.0, r),
            plus::<S>(q, 2.0, t),
            plus::<S>(p, 4.0, r),
            plus::<S>(plus::<S>(m[5], 1.0, q), 8.0, t),
        ]
    }
}

/// The body of a transform: `$n` x `$n` vectors in (element i, j at `from + i * $row + j * $pixel`), `$f` over columns,
/// then over rows, `$m` x `$m` vectors out.
macro_rules! transform {
    ($name:ident, $n:literal, $m:literal, $f:ident, |$s:ident| $read:expr, $write:expr) => {
        impl<S: Simd> Body<S> for $name<S::T> {
            #[inline(always)]
            unsafe fn run(self) {
                let $s = self;
                let (((in_row, in_pixel), (out_row, out_pixel)), mut channel) = (($read, $write), 0);
                while channel < $s.len {
                    let (from, to) = ($s.from.wrapping_add(channel), $s.to.wrapping_add(channel));
                    // SAFETY: inside `enter`; the constructor's caller vouches for the addresses.
                    unsafe {
                        let mut half = [[S::zero(); $n]; $m];
                        for j in 0..$n {
                            let mut column = [S::zero(); $n];
                            for i in 0..$n {
                                column[i] = S::load(from.wrapping_add(i * in_row + j * in_pixel));
                            }
                            let column = $f::<S>(column);
                            for i in 0..$m {
                                half[i][j] = column[i];
                            }
                        }
                        for i in 0..$m {
                            let row = $f::<S>(half[i]);
                            for j in 0..$m {
                                S::store(to.wrapping_add(i * out_row + j * out_pixel), row[j]);
                            }
                        }
                    }
                    channel += S::LANES;
                }
            }
        }
    };
}
transform!(Weights, 3, 6, g, |s| (3 * s.len, s.len), (6 * s.plane, s.plane));
transform!(Input, 6, 6, bt, |s| (s.row, s.pixel), (6 * s.plane, s.plane));
transform!(Output, 6, 4, at, |s| (6 * s.plane, s.plane), (s.row, s.pixel));
