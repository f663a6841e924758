//! What a kernel needs of an instruction set. Kernels are written once over [`Simd`] and compiled once per set.
use super::operand::Operand;
use super::scratch::Plain;
use crate::Real;

/// Lanes of the widest register of any set.
pub const WIDEST: usize = 16;

/// Vectors of one number type on one instruction set.
///
/// Every method is `#[inline(always)]` and must end up inside [`Simd::enter`], where the instructions are enabled.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Element.
    type T: Real + Plain;
    /// Register.
    type V: Copy;
    /// What dense products are made of: the number itself, or a pair of bf16 whose two products are added at once.
    type K: Operand<T = Self::T>;
    /// Register of them.
    type KV: Copy;
    /// The set that multiplies numbers as they are.
    type Plain: Exact<T = Self::T>;
    /// The same numbers one at a time, for what is left over.
    type One: Simd<T = Self::T>;
    /// True where [`Simd::load_first`] and [`Simd::store_first`] cost what whole registers cost.
    const MASKS: bool = false;
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
    /// The first `n` (at most `LANES`) elements from `p`, zero behind them.
    ///
    /// # Safety
    /// Inside [`Simd::enter`]; `p` readable for `n` elements.
    #[inline(always)]
    unsafe fn load_first(p: *const Self::T, n: usize) -> Self::V {
        if n == Self::LANES {
            // SAFETY: the caller's promise.
            return unsafe { Self::load(p) };
        }
        let mut all = [Self::T::default(); WIDEST];
        // SAFETY: the caller's promise; a register is no longer than `all`.
        unsafe {
            std::ptr::copy_nonoverlapping(p, all.as_mut_ptr(), n.min(Self::LANES));
            Self::load(all.as_ptr())
        }
    }
    /// The first `n` (at most `LANES`) elements to `p`; what lies behind them is left alone.
    ///
    /// # Safety
    /// Inside [`Simd::enter`]; `p` writable for `n` elements.
    #[inline(always)]
    unsafe fn store_first(p: *mut Self::T, v: Self::V, n: usize) {
        if n == Self::LANES {
            // SAFETY: the caller's promise.
            return unsafe { Self::store(p, v) };
        }
        let mut all = [Self::T::default(); WIDEST];
        // SAFETY: as in `load_first`.
        unsafe {
            Self::store(all.as_mut_ptr(), v);
            std::ptr::copy_nonoverlapping(all.as_ptr(), p, n.min(Self::LANES));
        }
    }
    /// `a * b + c`.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger; `b` where one is not a number.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The smaller; `b` where one is not a number.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// `a` where `x` is positive, else `b`.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    #[inline(always)]
    unsafe fn above(x: Self::V, a: Self::V, b: Self::V) -> Self::V {
        let mut all = [[Self::T::default(); WIDEST]; 3];
        // SAFETY: inside `enter`; a register is no longer than a row of `all`.
        unsafe {
            Self::store(all[0].as_mut_ptr(), x);
            Self::store(all[1].as_mut_ptr(), a);
            Self::store(all[2].as_mut_ptr(), b);
            let [x, a, b] = &mut all;
            a.iter_mut().zip(x).zip(b).for_each(|((a, x), b)| *a = if *x > Self::T::default() { *a } else { *b });
            Self::load(a.as_ptr())
        }
    }
    /// `v` in every lane.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    unsafe fn splat_k(v: Self::K) -> Self::KV;
    /// `LANES` operands from `p`, any alignment.
    ///
    /// # Safety
    /// Inside [`Simd::enter`]; `p` readable for `LANES` operands.
    unsafe fn load_k(p: *const Self::K) -> Self::KV;
    /// `a . b + c`.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    unsafe fn dot(a: Self::KV, b: Self::KV, c: Self::V) -> Self::V;
    /// Operands of `first[i]` and its neighbour `second[i]`, zero where there is none; all slices equally long.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    #[inline(always)]
    unsafe fn pairs(first: Option<&[Self::T]>, second: Option<&[Self::T]>, to: &mut [Self::K]) {
        let zero = Self::T::default();
        match (first, second) {
            (Some(a), Some(b)) => to.iter_mut().zip(a).zip(b).for_each(|((to, &a), &b)| *to = Self::K::of(a, b)),
            (Some(a), None) => to.iter_mut().zip(a).for_each(|(to, &a)| *to = Self::K::of(a, zero)),
            (None, Some(b)) => to.iter_mut().zip(b).for_each(|(to, &b)| *to = Self::K::of(zero, b)),
            (None, None) => to.fill(Self::K::default()),
        }
    }
    /// Operands of numbers that lie side by side; a last one without a neighbour gets zero.
    ///
    /// # Safety
    /// Inside [`Simd::enter`].
    #[inline(always)]
    unsafe fn neighbours(from: &[Self::T], to: &mut [Self::K]) {
        let two = |n: &[Self::T]| Self::K::of(n[0], if n.len() > 1 { n[1] } else { Self::T::default() });
        to.iter_mut().zip(from.chunks(Self::K::NUMBERS)).for_each(|(to, n)| *to = two(n));
    }
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

/// A set whose operands are the numbers themselves.
pub trait Exact: Simd<K = <Self as Simd>::T> {}
impl<S: Simd<K = <S as Simd>::T>> Exact for S {}
