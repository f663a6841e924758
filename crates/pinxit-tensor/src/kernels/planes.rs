//! The transforms of Winograd's F(4x4, 3x3) (Lavin and Gray 2015, arXiv:1509.09308), a register of channels at a time.
//!
//! ```text
//! y  = At [(G w Gt) * (Bt x B)] A                        forward
//! dw = Gt [sum over tiles of (Bt x B) * (A dy At)] G     weight gradient: the transpose of the same bilinear map
//! ```
use super::after::{After, Ready};
use super::simd::{Body, Simd};
use crate::Real;

/// Points of a transformed tile.
pub const POINTS: usize = 36;

/// Where a transform reads and writes: element (i, j) of the input at `from + i * from_pitch.0 + j * from_pitch.1`, of the
/// output likewise; the same for each of `len` channels side by side.
#[derive(Clone, Copy)]
pub struct Map<'a, T> {
    /// Element (0, 0) of the input.
    pub from: *const T,
    /// Distances between rows and between columns of the input.
    pub from_pitch: (usize, usize),
    /// Element (0, 0) of the output.
    pub to: *mut T,
    /// Distances between rows and between columns of the output.
    pub to_pitch: (usize, usize),
    /// Channels.
    pub len: usize,
    /// What becomes of the output, with the bias of these channels.
    pub after: Option<After<'a, T>>,
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

/// One column of `A dy`.
///
/// # Safety
/// Inside `enter`.
#[inline(always)]
unsafe fn a<S: Simd>(d: [S::V; 4]) -> [S::V; 6] {
    // SAFETY: inside `enter`.
    unsafe {
        let (even, odd) = (plus::<S>(d[0], 1.0, d[2]), plus::<S>(d[1], 1.0, d[3]));
        let (far, near) = (plus::<S>(d[0], 4.0, d[2]), plus::<S>(d[1], 4.0, d[3]));
        [d[0], plus::<S>(even, 1.0, odd), plus::<S>(even, -1.0, odd), plus::<S>(far, 2.0, near), plus::<S>(far, -2.0, near), d[3]]
    }
}

/// One column of `Gt m`.
///
/// # Safety
/// Inside `enter`.
#[inline(always)]
unsafe fn gt<S: Simd>(m: [S::V; 6]) -> [S::V; 3] {
    // SAFETY: inside `enter`.
    unsafe {
        let (p, q) = (plus::<S>(m[1], 1.0, m[2]), plus::<S>(m[2], -1.0, m[1]));
        let (r, t) = (plus::<S>(m[3], 1.0, m[4]), plus::<S>(m[3], -1.0, m[4]));
        let zero = S::zero();
        [
            plus::<S>(plus::<S>(plus::<S>(zero, 0.25, m[0]), -1.0 / 6.0, p), 1.0 / 24.0, r),
            plus::<S>(plus::<S>(zero, 1.0 / 6.0, q), 1.0 / 12.0, t),
            plus::<S>(plus::<S>(m[5], -1.0 / 6.0, p), 1.0 / 6.0, r),
        ]
    }
}

/// A transform of `$n` x `$n` to `$m` x `$m`: `$f` over columns, then over rows.
macro_rules! transform {
    ($(#[$text:meta])* $name:ident, $n:literal, $m:literal, $f:ident) => {
        $(#[$text])*
        pub struct $name<'a, T>(pub Map<'a, T>);

        impl<S: Simd> Body<S> for $name<'_, S::T> {
            #[inline(always)]
            unsafe fn run(self) {
                let map = self.0;
                // SAFETY: inside `enter`; whoever made the map vouches for its addresses.
                unsafe {
                    let after = map.after.map(|a| a.ready::<S>());
                    let whole = map.len / S::LANES * S::LANES;
                    for channel in (0..whole).step_by(S::LANES) {
                        Self::channels(&map, after.as_ref(), channel, S::LANES);
                    }
                    if whole < map.len {
                        Self::channels(&map, after.as_ref(), whole, map.len - whole);
                    }
                }
            }
        }

        impl<T> $name<'_, T> {
            /// A register of channels, of which `lanes` are in use.
            ///
            /// # Safety
            /// Inside `enter`; the map's addresses are good for these channels.
            #[inline(always)]
            unsafe fn channels<S: Simd<T = T>>(map: &Map<T>, after: Option<&Ready<S>>, channel: usize, lanes: usize) {
                let (from, to) = (map.from.wrapping_add(channel), map.to.wrapping_add(channel));
                // SAFETY: the caller's promise.
                unsafe {
                    let mut half = [[S::zero(); $n]; $m];
                    for j in 0..$n {
                        let mut column = [S::zero(); $n];
                        for i in 0..$n {
                            column[i] = S::load_first(from.wrapping_add(i * map.from_pitch.0 + j * map.from_pitch.1), lanes);
                        }
                        let column = $f::<S>(column);
                        for i in 0..$m {
                            half[i][j] = column[i];
                        }
                    }
                    for i in 0..$m {
                        let row = $f::<S>(half[i]);
                        for j in 0..$m {
                            let v = match after {
                                Some(after) => after.of(row[j], 0, channel),
                                None => row[j],
                            };
                            S::store_first(to.wrapping_add(i * map.to_pitch.0 + j * map.to_pitch.1), v, lanes);
                        }
                    }
                }
            }
        }
    };
}
transform!(
    /// `G w Gt`: 3x3 weights to 36 planes.
    Weights, 3, 6, g
);
transform!(
    /// `Bt x B`: 6x6 input pixels to 36 planes.
    Input, 6, 6, bt
);
transform!(
    /// `At m A`: 36 planes to 4x4 output pixels.
    Output, 6, 4, at
);
transform!(
    /// `A dy At`: 4x4 pixels of output gradient to 36 planes.
    Gradient, 4, 6, a
);
transform!(
    /// `Gt m G`: 36 planes to 3x3 weights.
    WeightGradient, 6, 3, gt
);
