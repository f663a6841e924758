//! AVX2 with FMA, f32: 8 lanes, 16 registers.
use super::portable::Portable;
use super::simd::{Body, Simd};
use std::arch::x86_64::*;

/// f32 on AVX2 with FMA.
#[derive(Clone, Copy)]
pub struct Avx2;

// SAFETY of the intrinsics below: each needs AVX2 and FMA (given inside `enter`) and, for memory, what the trait demands.
impl Simd for Avx2 {
    type T = f32;
    type V = __m256;
    type K = f32;
    type KV = __m256;
    type Plain = Avx2;
    type One = Portable<f32, 1>;
    const LANES: usize = 8;
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn zero() -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn splat(v: f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_set1_ps(v) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: __m256) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn max(a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn min(a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_min_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn above(x: __m256, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_blendv_ps(b, a, _mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps())) }
    }
    #[inline(always)]
    unsafe fn splat_k(v: f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_set1_ps(v) }
    }
    #[inline(always)]
    unsafe fn load_k(p: *const f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn dot(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn enter<B: Body<Self>>(body: B) {
        #[target_feature(enable = "avx2,fma")]
        unsafe fn go<B: Body<Avx2>>(body: B) {
            // SAFETY: this is `enter`; the rest is the caller's promise.
            unsafe { body.run() }
        }
        // SAFETY: the caller promises AVX2 and FMA.
        unsafe { go(body) }
    }
}
