//! Plain Rust over small arrays, which the compiler turns into whatever vectors the target has by default.
use super::simd::{Body, Simd};

/// Any machine; the one set for `f64`. `N` lanes.
#[derive(Clone, Copy)]
pub struct Portable<T, const N: usize>(std::marker::PhantomData<T>);

macro_rules! portable {
    ($t:ty) => {
        impl<const N: usize> Simd for Portable<$t, N> {
            type T = $t;
            type V = [$t; N];
            type One = Portable<$t, 1>;
            const LANES: usize = N;
            const ROWS: usize = 3;

            #[inline(always)]
            unsafe fn zero() -> Self::V {
                [0.0; N]
            }
            #[inline(always)]
            unsafe fn splat(v: $t) -> Self::V {
                [v; N]
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self::V {
                // SAFETY: the caller promises `LANES` readable elements; an array has the alignment of its element.
                unsafe { p.cast::<Self::V>().read() }
            }
            #[inline(always)]
            unsafe fn store(p: *mut $t, v: Self::V) {
                // SAFETY: as in `load`, for writing.
                unsafe { p.cast::<Self::V>().write(v) }
            }
            #[inline(always)]
            unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                // Two roundings: `f32::mul_add` would be a library call without FMA.
                let mut d = c;
                for i in 0..N {
                    d[i] += a[i] * b[i];
                }
                d
            }
            #[inline(always)]
            unsafe fn enter<B: Body<Self>>(body: B) {
                // SAFETY: nothing beyond the body's own conditions.
                unsafe { body.run() }
            }
        }
    };
}
portable!(f32);
portable!(f64);
