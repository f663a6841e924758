//! What dense convolutions of f32 multiply in.
use std::cell::Cell;

/// Precision of the products in dense convolutions of f32. Tensors and sums are f32 either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    #[default]
    F32,
    /// Both factors rounded to bf16 (8 bits of mantissa): twice as many products a second where the processor has them.
    Bf16,
    /// f32 with every product formed, by no faster way: what the others are held against.
    Direct,
}

impl Precision {
    /// True when the processor multiplies in it. Without, [`Precision::Bf16`] is imitated: right, and slow.
    pub fn native(self) -> bool {
        self != Precision::Bf16 || native()
    }
}

/// AVX512_BF16 is there and may be used.
pub(super) fn native() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        let has = is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512bw");
        has && super::isa() == super::Isa::Avx512
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

thread_local!(static PRECISION: Cell<Precision> = const { Cell::new(Precision::F32) });

/// The precision in use on this thread.
pub fn precision() -> Precision {
    PRECISION.get()
}

/// Runs `f` with the convolutions that this thread asks for in precision `p`.
pub fn with_precision<R>(p: Precision, f: impl FnOnce() -> R) -> R {
    /// Puts back what was, also when `f` panics.
    struct Before(Precision);
    impl Drop for Before {
        fn drop(&mut self) {
            PRECISION.set(self.0)
        }
    }
    let _before = Before(PRECISION.replace(p));
    f()
}
