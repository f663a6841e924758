//! NEON, f32: 4 lanes, 32 registers. Every aarch64 processor that can run std has it.
//!
//! Proved against the plain loops under an emulator (`cargo xtask evidence neon`); no real processor of this kind has been
//! seen yet, so nothing is known of its speed.
use super::portable::Portable;
use super::simd::{Body, Simd};
use std::arch::aarch64::*;

/// f32 on NEON.
#[derive(Clone, Copy)]
pub struct Neon;

// SAFETY of the intrinsics below: each needs NEON (part of the target) and, for memory, what the trait demands.
impl Simd for Neon {
    type T = f32;
    type V = float32x4_t;
    type K = f32;
    type KV = float32x4_t;
    type Plain = Neon;
    type One = Portable<f32, 1>;
    const LANES: usize = 4;
    const ROWS: usize = 8;

    #[inline(always)]
    unsafe fn zero() -> float32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_n_f32(0.0) }
    }
    #[inline(always)]
    unsafe fn splat(v: f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_n_f32(v) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vld1q_f32(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: float32x4_t) {
        // SAFETY: see above.
        unsafe { vst1q_f32(p, v) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // Not `vmaxq_f32`, which gives NaN where `a` alone is one; the trait asks for `b` there.
        // SAFETY: see above.
        unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
    }
    #[inline(always)]
    unsafe fn min(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vbslq_f32(vcltq_f32(a, b), a, b) }
    }
    #[inline(always)]
    unsafe fn above(x: float32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vbslq_f32(vcgtzq_f32(x), a, b) }
    }
    #[inline(always)]
    unsafe fn splat_k(v: f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_n_f32(v) }
    }
    #[inline(always)]
    unsafe fn load_k(p: *const f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vld1q_f32(p) }
    }
    #[inline(always)]
    unsafe fn dot(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    unsafe fn enter<B: Body<Self>>(body: B) {
        // SAFETY: nothing beyond the body's own conditions; the target has NEON enabled throughout.
        unsafe { body.run() }
    }
}
