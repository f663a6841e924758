//! What becomes of the sums of a convolution before they are stored: a factor, a bias, and a kink. Passes over memory saved.
use super::simd::{Simd, WIDEST};
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

/// `kink(sums * scale + bias)`.
#[derive(Clone, Copy, Debug)]
pub struct After<'a, T> {
    /// One for each channel of each picture, `[n, c]`; left out where all are 1.
    pub scale: Option<&'a [T]>,
    /// One for each channel written.
    pub bias: &'a [T],
    /// Behind it.
    pub kink: Kink,
}

/// Numbers in a row of bias or scales of `c` channels: whole registers of any set.
pub(super) fn row(c: usize) -> usize {
    c.next_multiple_of(WIDEST)
}

impl<T: Real> After<'_, T> {
    /// The same from channel `first` on.
    #[inline(always)]
    pub(super) fn from(self, first: usize) -> Self {
        After { bias: &self.bias[first..], scale: self.scale.map(|s| &s[first..]), ..self }
    }

    /// The same from the scale's element `at` on: those of a picture.
    #[inline(always)]
    pub(super) fn scaled_from(self, at: usize) -> Self {
        After { scale: self.scale.map(|s| &s[at..]), ..self }
    }

    /// With its constants in registers, for a loop to hold.
    ///
    /// # Safety
    /// Inside `enter`.
    #[inline(always)]
    pub(super) unsafe fn ready<S: Simd<T = T>>(&self) -> Ready<S> {
        // SAFETY: inside `enter`.
        let splat = |v: f64| unsafe { S::splat(T::of(v)) };
        let (clamps, [a, b]) = match self.kink {
            Kink::Leaky { slope, gain } => (false, [gain, slope * gain]),
            Kink::Clamp { lo, hi } => (true, [lo, hi]),
        };
        let (bias, channels, scale) = (self.bias.as_ptr(), self.bias.len(), self.scale.map(<[T]>::as_ptr));
        Ready { bias, channels, scale, clamps, a: splat(a), b: splat(b), one: splat(1.0) }
    }
}

/// See [`After::ready`].
#[derive(Clone, Copy)]
pub(super) struct Ready<S: Simd> {
    bias: *const S::T,
    channels: usize,
    scale: Option<*const S::T>,
    clamps: bool,
    /// The lower bound, or the factor above zero.
    a: S::V,
    /// The upper bound, or the factor below zero.
    b: S::V,
    one: S::V,
}

impl<S: Simd> Ready<S> {
    /// Of a register of sums, whose first channel is `channel`, in the picture whose scales begin at `picture`.
    ///
    /// # Safety
    /// Inside `enter`; the bias, alive, holds `LANES` numbers from `channel` on, the scale as many from `picture + channel` on.
    #[inline(always)]
    pub(super) unsafe fn of(&self, sums: S::V, picture: usize, channel: usize) -> S::V {
        debug_assert!(channel + S::LANES <= self.channels);
        // SAFETY: the caller's promise. The order of operands lets NaN through.
        unsafe {
            let factor = match self.scale {
                Some(scale) => S::load(scale.wrapping_add(picture + channel)),
                None => self.one,
            };
            let v = S::mul_add(factor, sums, S::load(self.bias.wrapping_add(channel)));
            if self.clamps {
                S::max(self.a, S::min(self.b, v))
            } else {
                S::max(S::mul_add(v, self.a, S::zero()), S::mul_add(v, self.b, S::zero()))
            }
        }
    }
}
