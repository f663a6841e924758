//! What becomes of the sums of a convolution before they are stored: a bias, and a kink. A pass over memory saved.
use super::simd::Simd;
use crate::Real;

/// The kink after the bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kink {
    /// `leaky_relu(v) * gain`; slope in 0..=1, gain positive.
    Leaky {
        /// Factor below zero.
        slope: f64,
        /// Factor on both sides.
        gain: f64,
    },
    /// Held within these bounds.
    Clamp {
        /// Lower.
        lo: f64,
        /// Upper.
        hi: f64,
    },
}

/// Bias `[c]`, then the kink.
#[derive(Clone, Copy, Debug)]
pub struct After<'a, T> {
    /// One for each channel written.
    pub bias: &'a [T],
    /// Behind it.
    pub kink: Kink,
}

impl<T: Real> After<'_, T> {
    /// The same from channel `first` on.
    #[inline(always)]
    pub(super) fn from(self, first: usize) -> Self {
        After { bias: &self.bias[first..], ..self }
    }

    /// Of a register of sums, whose first channel is `channel`.
    ///
    /// # Safety
    /// Inside `enter`; `bias` holds `LANES` numbers from `channel` on.
    #[inline(always)]
    pub(super) unsafe fn of<S: Simd<T = T>>(&self, sums: S::V, channel: usize) -> S::V {
        debug_assert!(channel + S::LANES <= self.bias.len());
        // SAFETY: the caller's promise. The order of operands lets NaN through.
        unsafe {
            let (one, bias) = (S::splat(T::of(1.0)), S::load(self.bias.as_ptr().wrapping_add(channel)));
            let v = S::mul_add(one, sums, bias);
            let times = |k: f64| S::mul_add(v, S::splat(T::of(k)), S::zero());
            match self.kink {
                Kink::Leaky { slope, gain } => S::max(times(gain), times(slope * gain)),
                Kink::Clamp { lo, hi } => S::max(S::splat(T::of(lo)), S::min(S::splat(T::of(hi)), v)),
            }
        }
    }
}
