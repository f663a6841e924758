//! How much arithmetic was asked for: what a benchmark divides by its time. And which convolutions.
use crate::kernels::Conv;
use std::cell::RefCell;
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

thread_local!(static SEEN: RefCell<Option<Vec<Conv>>> = const { RefCell::new(None) });

/// The dense convolutions that `f` asks for on this thread, forward, each geometry once and in order.
pub fn convolutions(f: impl FnOnce()) -> Vec<Conv> {
    SEEN.set(Some(Vec::new()));
    f();
    SEEN.take().unwrap_or_default()
}

/// Counts a dense convolution, and notes it where somebody listens.
pub(crate) fn convolution(g: &Conv) {
    add(g.macs());
    SEEN.with_borrow_mut(|seen| {
        if let Some(seen) = seen.as_mut().filter(|seen| !seen.contains(g)) {
            seen.push(*g);
        }
    });
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

    #[test]
    fn convolutions_are_told_once_each_and_only_to_who_listens() {
        let conv = |side| Tensor::<f32>::zeros(&[1, side, side, 3]).conv(&Tensor::zeros(&[3, 3, 3, 5]), ConvSpec::new(2, 1));
        let seen = super::convolutions(|| [8, 4, 8].into_iter().for_each(|side| _ = conv(side)));
        assert_eq!(seen.iter().map(|g| (g.h, g.co, g.stride)).collect::<Vec<_>>(), [(8, 5, 2), (4, 5, 2)]);
        conv(16);
        assert_eq!(super::convolutions(|| ()), []);
    }
}
