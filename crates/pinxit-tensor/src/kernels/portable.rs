//! Plain Rust over small arrays, which the compiler turns into whatever vectors the target has by default.
use super::operand::{Operand, Pair};
use super::simd::{Body, Simd};

/// Any machine; the one set for `f64`. `N` lanes of `T`, products of `K`.
#[derive(Clone, Copy)]
pub struct Portable<T, const N: usize, K = T>(std::marker::PhantomData<(T, K)>);

/// Pairs of bf16 on any machine: what the faster ones are held against, too slow to train with.
pub type PortableBf16<const N: usize> = Portable<f32, N, Pair>;

/// The sum of the products in a pair of operands.
trait Dot: Operand {
    fn dot(a: Self, b: Self) -> Self::T;
}

impl Dot for f32 {
    #[inline(always)]
    fn dot(a: f32, b: f32) -> f32 {
        a * b
    }
}
impl Dot for f64 {
    #[inline(always)]
    fn dot(a: f64, b: f64) -> f64 {
        a * b
    }
}
impl Dot for Pair {
    #[inline(always)]
    fn dot(a: Pair, b: Pair) -> f32 {
        let ((a0, a1), (b0, b1)) = (a.wide(), b.wide());
        a0 * b0 + a1 * b1
    }
}

macro_rules! portable {
    ($t:ty, $k:ty) => {
        impl<const N: usize> Simd for Portable<$t, N, $k> {
            type T = $t;
            type V = [$t; N];
            type K = $k;
            type KV = [$k; N];
            type Plain = Portable<$t, N>;
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
            unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
            }
            #[inline(always)]
            unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
            }
            #[inline(always)]
            unsafe fn above(x: Self::V, a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| if x[i] > 0.0 { a[i] } else { b[i] })
            }
            #[inline(always)]
            unsafe fn splat_k(v: $k) -> Self::KV {
                [v; N]
            }
            #[inline(always)]
            unsafe fn load_k(p: *const $k) -> Self::KV {
                // SAFETY: as in `load`.
                unsafe { p.cast::<Self::KV>().read() }
            }
            #[inline(always)]
            unsafe fn dot(a: Self::KV, b: Self::KV, c: Self::V) -> Self::V {
                let mut d = c;
                for i in 0..N {
                    d[i] += Dot::dot(a[i], b[i]);
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
portable!(f32, f32);
portable!(f64, f64);
portable!(f32, Pair);
