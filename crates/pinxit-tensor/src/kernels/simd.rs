//! What a kernel needs of an instruction set. Kernels are written once over [`Simd`] and compiled once per set.
use super::scratch::Plain;
use crate::Real;

/// Vectors of one number type on one instruction set.
///
/// Every method is `#[inline(always)]` and must end up inside [`Simd::enter`], where the instructions are enabled.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Element.
    type T: Real + Plain;
    /// Register.
    type V: Copy;
    /// The same numbers one at a time, for what is left over.
    type One: Simd<T = Self::T>;
    /// Elements in a register.
    const LANES: usize;
    /// Rows of a register tile (at most 8): `ROWS * 2` accumulators, two weights and one broadcast must fit the registers.
    const ROWS: usize;

    /// All zero.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    unsafe fn zero() -> Self::V;
    /// `v` in every lane.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    unsafe fn splat(v: Self::T) -> Self::V;
    /// `LANES` elements from `p`, any alignment.
    ///
    /// # Safety
    /// Inside [`Simd::enter`]; `p` readable for `LANES` elements.
    unsafe fn load(p: *const Self::T) -> Self::V;
    /// `LANES` elements to `p`, any alignment.
    ///
    /// # Safety
    /// Inside [`Simd::enter`]; `p` writable for `LANES` elements.
    unsafe fn store(p: *mut Self::T, v: Self::V);
    /// `a * b + c`.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// Runs `body` with the instruction set enabled.
    ///
    /// # Safety
    /// The processor has the instruction set; the body's own conditions hold.
    unsafe fn enter<B: Body<Self>>(body: B);
}

/// A piece of kernel to run inside [`Simd::enter`].
pub trait Body<S: Simd> {
    /// Must be `#[inline(always)]`.
    ///
    /// # Safety
    /// Called by [`Simd::enter`] only.
    unsafe fn run(self);
}
