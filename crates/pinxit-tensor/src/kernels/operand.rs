//! What dense products are made of: numbers, or pairs of bf16.
//!
//! ```text
//! f32, f64    one number                              a . b = a b
//! Pair        two neighbours along k, rounded to bf16  a . b = a.0 b.0 + a.1 b.1, summed in f32
//! ```
//! Both are one 32-bit lane to a register tile, so the kernels are written once: a pair halves the steps along k. Neighbours
//! are channels in a convolution, pixels in a weight gradient.
use super::scratch::Plain;
use crate::Real;

/// One step along k.
pub trait Operand: Plain {
    /// The numbers it is made of.
    type T: Real + Plain;
    /// Numbers in one operand.
    const NUMBERS: usize;

    /// From one number and its neighbour, which is left out where an operand is one number.
    fn of(first: Self::T, second: Self::T) -> Self;
    /// The numbers themselves, where nothing has to be converted.
    fn same(numbers: &[Self::T]) -> Option<&[Self]>;
}

macro_rules! number {
    ($t:ty) => {
        impl Operand for $t {
            type T = $t;
            const NUMBERS: usize = 1;

            #[inline(always)]
            fn of(first: $t, _second: $t) -> $t {
                first
            }
            fn same(numbers: &[$t]) -> Option<&[$t]> {
                Some(numbers)
            }
        }
    };
}
number!(f32);
number!(f64);

/// Two bf16, the first in the lower half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Pair(u32);

// SAFETY: every bit pattern is a pair.
unsafe impl Plain for Pair {}

impl Operand for Pair {
    type T = f32;
    const NUMBERS: usize = 2;

    #[inline(always)]
    fn of(first: f32, second: f32) -> Pair {
        Pair(round(first) | round(second) << 16)
    }
    fn same(_numbers: &[f32]) -> Option<&[Pair]> {
        None
    }
}

impl Pair {
    /// Its 32 bits.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub fn bits(self) -> u32 {
        self.0
    }
    /// Both as f32.
    #[inline(always)]
    pub fn wide(self) -> (f32, f32) {
        (f32::from_bits(self.0 << 16), f32::from_bits(self.0 & 0xffff_0000))
    }
}

/// The nearest bf16, ties to even, in the lower half; NaN stays NaN, so that a broken step is noticed.
#[inline(always)]
fn round(v: f32) -> u32 {
    let bits = v.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16; // wraps for NaN only
    if v.is_nan() { 0x7fc0 } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_the_nearest_even() {
        let to = |v: f32| Pair::of(v, -v).wide();
        // Between 1 and the next bf16, 1 + 2^-7, the middle goes to 1; between that and 1 + 2^-6 it goes up.
        assert_eq!(to(1.0 + 2f32.powi(-8)), (1.0, -1.0));
        assert_eq!(to(1.0 + 3.0 * 2f32.powi(-8)), (1.0 + 2f32.powi(-6), -1.0 - 2f32.powi(-6)));
        assert_eq!(to(1.0 + 1.01 * 2f32.powi(-8)).0, 1.0 + 2f32.powi(-7));
        assert_eq!(to(f32::INFINITY), (f32::INFINITY, f32::NEG_INFINITY));
        assert_eq!(to(f32::MAX).0, f32::INFINITY);
        assert!(to(f32::NAN).0.is_nan() && to(f32::from_bits(0x7fff_ffff)).0.is_nan());
        assert_eq!(to(0.0).1.to_bits(), (-0.0f32).to_bits());
    }
}
