//! Plain Rust over small arrays, which the compiler turns into whatever vectors the target has by default.
use super::simd::{Body, Simd};

/// Any machine; the one set for `f64`.
#[derive(Clone, Copy)]
pub struct Portable<T>(std::marker::PhantomData<T>);

macro_rules! portable {
    ($t:ty, $lanes:literal) => {
        impl Simd for Portable<$t> {
            type T = $t;
            type V = [$t; $lanes];
            const LANES: usize = $lanes;
            const ROWS: usize = 3;

            #[inline(always)]
            unsafe fn zero() -> Self::V {
                [0.0; $lanes]
            }
            #[inline(always)]
            unsafe fn splat(v: $t) -> Self::V {
                [v; $lanes]
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
                for i in 0..$lanes {
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
portable!(f32, 8);
portable!(f64, 4);
