//! How much arithmetic was asked for: what a benchmark divides by its time.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static MULTIPLY_ADDS: AtomicU64 = AtomicU64::new(0);

/// Multiply-adds that convolutions and matrix products have been asked for since the program began, each counted as the direct
/// way computes it, taps on padding included: Winograd does fewer. Elementwise work is not counted.
pub fn multiply_adds() -> u64 {
    MULTIPLY_ADDS.load(Relaxed)
}

/// One addition a kernel call: nothing beside the kernel.
pub(crate) fn add(multiply_adds: usize) {
    MULTIPLY_ADDS.fetch_add(multiply_adds as u64, Relaxed);
}

#[cfg(test)]
mod tests {
    use crate::{Array, ConvSpec, Tensor};

    #[test]
    fn convolutions_and_products_are_counted() {
        let before = super::multiply_adds();
        let spec = ConvSpec { stride: 1, pad: 1 };
        Tensor::<f32>::zeros(&[2, 4, 4, 3]).conv(&Tensor::zeros(&[3, 3, 3, 5]), spec);
        Tensor::<f32>::zeros(&[2, 4, 4, 3]).depthwise(&Tensor::zeros(&[3, 3, 3]), spec);
        Tensor::<f32>::zeros(&[2, 3]).matmul(&Tensor::zeros(&[3, 5]), false, false);
        // Other tests count at the same time.
        assert!(super::multiply_adds() - before >= 2 * 16 * 9 * 3 * 5 + 2 * 16 * 9 * 3 + 2 * 3 * 5);
    }
}
