//! AVX-512F, f32: 16 lanes, 32 registers.
use super::portable::Portable;
use super::simd::{Body, Simd};
use std::arch::x86_64::*;

/// f32 on AVX-512F.
#[derive(Clone, Copy)]
pub struct Avx512;

// SAFETY of the intrinsics below: each needs AVX-512F (given inside `enter`) and, for memory, what the trait demands.
impl Simd for Avx512 {
    type T = f32;
    type V = __m512;
    type One = Portable<f32, 1>;
    const LANES: usize = 16;
    const ROWS: usize = 8;

    #[inline(always)]
    unsafe fn zero() -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn splat(v: f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(v) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: __m512) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn enter<B: Body<Self>>(body: B) {
        #[target_feature(enable = "avx512f")]
        unsafe fn go<B: Body<Avx512>>(body: B) {
            // SAFETY: this is `enter`; the rest is the caller's promise.
            unsafe { body.run() }
        }
        // SAFETY: the caller promises AVX-512F.
        unsafe { go(body) }
    }
}
