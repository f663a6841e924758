//! The one inner loop of all dense kernels: a register tile of `P` rows x `Q` registers of columns.
//!
//! ```text
//!              b: [k][Q * LANES] packed            out[p] += sum over k of a[p][k] * b[k]
//!   a[p][k] -- one element, broadcast to all lanes
//! ```
//! Rows are pixels in a convolution (`step` 1: k runs over neighbouring channels, `segments` over kernel rows), input
//! channels in a weight gradient (`step` = pixel pitch: k runs over pixels, `segments` over rows of pixels). Because `a`
//! is broadcast, no count of channels and no stride needs code of its own. One step of k is an operand: see `operand.rs`.
use super::after::After;
use super::simd::{Body, Simd};

/// Arguments of one tile.
#[derive(Clone, Copy)]
pub struct Tile<'a, K, T> {
    /// Left operand.
    pub a: *const K,
    /// Offset into `a` of every row of the tile; its length is the number of rows, 1 to 8.
    pub from: &'a [usize],
    /// Distance in `a` between neighbouring k.
    pub step: usize,
    /// Further offset into `a` of each run of k.
    pub segments: &'a [usize],
    /// Length of a run.
    pub len: usize,
    /// Right operand, `segments * len` rows of `Q * LANES`.
    pub b: *const K,
    /// Distance in `b` between its rows, `Q * LANES` where it was packed.
    pub pitch: usize,
    /// Result.
    pub out: *mut T,
    /// Offset into `out` of every row of the tile.
    pub to: &'a [usize],
    /// Columns of a row of `out` that are in use: more than `q - 1` registers of them, at most `q`.
    pub columns: usize,
    /// Overwrite `out` instead of adding to it.
    pub fresh: bool,
    /// What becomes of the sums, with the bias of the tile's columns, and where the scales of every row's picture begin (empty
    /// where there are none); none where more is to be added.
    pub after: Option<(After<'a, T>, &'a [usize])>,
}

struct Sized<'a, K, T, const P: usize, const Q: usize>(Tile<'a, K, T>);

impl<S: Simd, const P: usize, const Q: usize> Body<S> for Sized<'_, S::K, S::T, P, Q> {
    #[inline(always)]
    unsafe fn run(self) {
        let t = self.0;
        let (from, to): (&[usize], &[usize]) = (&t.from[..P], &t.to[..P]);
        // SAFETY: inside `enter`; every address is within the operands by the contract of `tile`. Pointers move with
        // `wrapping_add` because `add` costs a check an element in the development profile.
        unsafe {
            let mut c = [[S::zero(); Q]; P];
            let (last, whole) = (t.columns - (Q - 1) * S::LANES, t.columns == Q * S::LANES);
            if !t.fresh {
                for p in 0..P {
                    for q in 0..Q {
                        let at = t.out.wrapping_add(to[p]).wrapping_add(q * S::LANES);
                        c[p][q] = if q + 1 < Q || whole { S::load(at) } else { S::load_first(at, last) };
                    }
                }
            }
            let mut b = t.b;
            for &segment in t.segments {
                let mut a = [t.a.wrapping_add(segment); P];
                for p in 0..P {
                    a[p] = a[p].wrapping_add(from[p]);
                }
                let mut k = 0usize;
                for _ in 0..t.len {
                    let mut w = [S::load_k(b); Q];
                    for q in 1..Q {
                        w[q] = S::load_k(b.wrapping_add(q * S::LANES));
                    }
                    for p in 0..P {
                        let x = S::splat_k(*a[p].wrapping_add(k));
                        for q in 0..Q {
                            c[p][q] = S::dot(x, w[q], c[p][q]);
                        }
                    }
                    k = k.wrapping_add(t.step);
                    b = b.wrapping_add(t.pitch);
                }
            }
            let after = t.after.map(|(a, pictures)| (a.ready::<S>(), pictures));
            for p in 0..P {
                for q in 0..Q {
                    let v = match &after {
                        Some((after, pictures)) => after.of(c[p][q], pictures.get(p).copied().unwrap_or(0), q * S::LANES),
                        None => c[p][q],
                    };
                    let at = t.out.wrapping_add(to[p]).wrapping_add(q * S::LANES);
                    if q + 1 < Q || whole { S::store(at, v) } else { S::store_first(at, v, last) }
                }
            }
        }
    }
}

/// Computes one tile of `from.len()` rows and `q` (1 or 2) registers of columns.
///
/// # Safety
/// The processor has the instruction set. For all rows, segments and k the elements `a[from + segment + k * step]`,
/// `b[k * pitch ..][.. q * LANES]`, `out[to ..][.. columns]` and `q * LANES` of a bias are inside live allocations, and nobody else touches
/// `out` there.
#[inline(always)]
pub unsafe fn tile<S: Simd>(q: usize, t: Tile<S::K, S::T>) {
    macro_rules! rows {
        ($($p:literal)*) => {
            match (t.from.len(), q) {
                $(($p, 1) => S::enter(Sized::<S::K, S::T, $p, 1>(t)), ($p, 2) => S::enter(Sized::<S::K, S::T, $p, 2>(t)),)*
                (p, q) => unreachable!("tile of {p} x {q}"),
            }
        };
    }
    // SAFETY: the caller's promises are those of `Sized`.
    unsafe { rows!(1 2 3 4 5 6 7 8) }
}

/// Columns of tile `j` of `columns` in all: (first column, registers, columns in use).
pub fn span<S: Simd>(j: usize, columns: usize) -> (usize, usize, usize) {
    let (first, width) = (j * 2 * S::LANES, 2 * S::LANES);
    let used = (columns - first).min(width);
    (first, used.div_ceil(S::LANES), used)
}

/// Number of tiles side by side that cover `columns`.
pub fn tiles<S: Simd>(columns: usize) -> usize {
    columns.div_ceil(2 * S::LANES)
}

/// `columns` rounded up to whole registers, as packed operands store them.
pub fn padded<S: Simd>(columns: usize) -> usize {
    columns.div_ceil(S::LANES) * S::LANES
}
