//! AVX-512: 16 lanes, 32 registers. Products of f32, or of pairs of bf16 (AVX512_BF16), summed in f32 either way.
use super::operand::Pair;
use super::portable::Portable;
use super::simd::{Body, Simd};
use std::arch::x86_64::*;

/// f32 on AVX-512F.
#[derive(Clone, Copy)]
pub struct Avx512;

/// Pairs of bf16 on AVX-512F with AVX512_BF16. The dot product counts denormals as zero.
#[derive(Clone, Copy)]
pub struct Avx512Bf16;

// SAFETY of the intrinsics below: each needs the features named (given inside `enter`) and, for memory, what the trait demands.
macro_rules! set {
    ($set:ident, $features:literal, $k:ty, $kv:ty, splat $splat:expr, load $load:expr, dot $dot:expr, $($own:item)*) => {
        impl Simd for $set {
            type T = f32;
            type V = __m512;
            type K = $k;
            type KV = $kv;
            type Plain = Avx512;
            type One = Portable<f32, 1>;
            const MASKS: bool = true;
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
            unsafe fn load_first(p: *const f32, n: usize) -> __m512 {
                // SAFETY: see above.
                unsafe { _mm512_maskz_loadu_ps(first_lanes(n), p) }
            }
            #[inline(always)]
            unsafe fn store_first(p: *mut f32, v: __m512, n: usize) {
                // SAFETY: see above.
                unsafe { _mm512_mask_storeu_ps(p, first_lanes(n), v) }
            }
            #[inline(always)]
            unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
                // SAFETY: see above.
                unsafe { _mm512_fmadd_ps(a, b, c) }
            }
            #[inline(always)]
            unsafe fn max(a: __m512, b: __m512) -> __m512 {
                // SAFETY: see above.
                unsafe { _mm512_max_ps(a, b) }
            }
            #[inline(always)]
            unsafe fn min(a: __m512, b: __m512) -> __m512 {
                // SAFETY: see above.
                unsafe { _mm512_min_ps(a, b) }
            }
            #[inline(always)]
            unsafe fn above(x: __m512, a: __m512, b: __m512) -> __m512 {
                // SAFETY: see above.
                unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps()), b, a) }
            }
            #[inline(always)]
            unsafe fn splat_k(v: $k) -> $kv {
                // SAFETY: see above.
                unsafe { $splat(v) }
            }
            #[inline(always)]
            unsafe fn load_k(p: *const $k) -> $kv {
                // SAFETY: see above.
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn dot(a: $kv, b: $kv, c: __m512) -> __m512 {
                // SAFETY: see above.
                unsafe { $dot(a, b, c) }
            }
            $($own)*
            #[inline(always)]
            unsafe fn enter<B: Body<Self>>(body: B) {
                #[target_feature(enable = $features)]
                unsafe fn go<B: Body<$set>>(body: B) {
                    // SAFETY: this is `enter`; the rest is the caller's promise.
                    unsafe { body.run() }
                }
                // SAFETY: the caller promises the features.
                unsafe { go(body) }
            }
        }
    };
}
set!(Avx512, "avx512f", f32, __m512, splat _mm512_set1_ps, load _mm512_loadu_ps, dot _mm512_fmadd_ps,);
set!(
    Avx512Bf16, "avx512f,avx512bw,avx512bf16", Pair, __m512i,
    splat | v: Pair | _mm512_set1_epi32(v.bits() as i32),
    load | p: *const Pair | _mm512_loadu_si512(p.cast()),
    dot | a, b, c | _mm512_dpbf16_ps(c, bf16(a), bf16(b)),

    #[inline(always)]
    unsafe fn pairs(first: Option<&[f32]>, second: Option<&[f32]>, to: &mut [Pair]) {
        let len = to.len();
        assert!([first, second].iter().flatten().all(|s| s.len() == len), "operands of {len} pairs");
        for i in (0..len).step_by(16) {
            let here = first_lanes(len - i);
            // SAFETY: see above; the mask keeps to the slices, which are `len` long.
            unsafe {
                let load = |s: &[f32]| _mm512_maskz_loadu_ps(here, s.as_ptr().wrapping_add(i));
                let (a, b) = (first.map_or(_mm512_setzero_ps(), load), second.map_or(_mm512_setzero_ps(), load));
                let both = _mm512_permutexvar_epi16(interleave(), bits(_mm512_cvtne2ps_pbh(b, a)));
                _mm512_mask_storeu_epi32(to.as_mut_ptr().wrapping_add(i).cast(), here, both);
            }
        }
    }
    #[inline(always)]
    unsafe fn neighbours(from: &[f32], to: &mut [Pair]) {
        assert!(from.len().div_ceil(2) == to.len(), "{} numbers to {} pairs", from.len(), to.len());
        for i in (0..to.len()).step_by(16) {
            let (at, left) = (from.as_ptr().wrapping_add(2 * i), from.len() - 2 * i);
            // SAFETY: see above; the masks keep to the slices.
            unsafe {
                let low = _mm512_maskz_loadu_ps(first_lanes(left), at);
                let high = _mm512_maskz_loadu_ps(first_lanes(left.saturating_sub(16)), at.wrapping_add(16));
                let both = bits(_mm512_cvtne2ps_pbh(high, low));
                _mm512_mask_storeu_epi32(to.as_mut_ptr().wrapping_add(i).cast(), first_lanes(to.len() - i), both);
            }
        }
    }
);

/// The same register, seen as 32 bf16.
#[inline(always)]
fn bf16(v: __m512i) -> __m512bh {
    // SAFETY: both are 64 bytes of which every pattern is valid.
    unsafe { std::mem::transmute(v) }
}

/// The same register, seen as bits.
#[inline(always)]
fn bits(v: __m512bh) -> __m512i {
    // SAFETY: both are 64 bytes of which every pattern is valid.
    unsafe { std::mem::transmute(v) }
}

/// The first `n` of 16 lanes.
#[inline(always)]
fn first_lanes(n: usize) -> __mmask16 {
    if n < 16 { (1 << n) - 1 } else { u16::MAX }
}

/// Where the halves of 16 pairs lie in a register that holds first the 16 first ones, then the 16 second ones.
#[inline(always)]
fn interleave() -> __m512i {
    const PLACES: [u16; 32] = {
        let mut places = [0; 32];
        let mut i = 0;
        while i < 32 {
            places[i] = (i / 2 + i % 2 * 16) as u16;
            i += 1;
        }
        places
    };
    // SAFETY: both are 64 bytes of which every pattern is valid.
    unsafe { std::mem::transmute(PLACES) }
}
