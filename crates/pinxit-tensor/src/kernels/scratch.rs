//! Working memory of a thread, 64-byte aligned and kept between calls: after the first step nothing is allocated.
use crate::recycle::Buffer;
use std::cell::RefCell;

/// What a buffer is for; a thread keeps one of each.
#[derive(Clone, Copy)]
pub enum Slot {
    /// Weights in tile order.
    Packed,
    /// A band of input with its zero halo.
    Band,
    /// Output gradients in tile order, or accumulators of a partial tile.
    Tiles,
    /// Partial sums of a whole weight gradient.
    Partial,
    /// A transposed matrix.
    Transposed,
    /// Transformed weights.
    WeightPlanes,
    /// Transformed input tiles.
    Planes,
    /// Sums of products of transformed tiles.
    PlaneSums,
}

/// Number types for which every bit pattern is a value.
///
/// # Safety
/// Plain old data of alignment at most 64.
pub unsafe trait Plain: Copy + Default + Send + Sync + 'static {}
// SAFETY: every bit pattern is a float.
unsafe impl Plain for f32 {}
// SAFETY: every bit pattern is a float.
unsafe impl Plain for f64 {}

#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
struct Line([u64; 8]);

thread_local!(static KEPT: RefCell<[Vec<Line>; 8]> = const { RefCell::new([const { Vec::new() }; 8]) });

/// Memory as [`with`] lends it, to own. It comes from the shelf: the weights of a training step are packed anew in every step.
pub struct Block(Buffer<Line>);

impl Block {
    /// Room for `len` elements of unspecified content.
    pub fn new<T: Plain>(len: usize) -> Block {
        Block(Buffer::take((len * size_of::<T>()).div_ceil(64)))
    }
    /// All it holds, as elements: rounded up to a whole line.
    pub fn numbers<T: Plain>(&self) -> &[T] {
        let lines = self.0.as_slice();
        // SAFETY: the lines are initialised and aligned to 64, and `T` accepts any bits.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast::<T>(), lines.len() * 64 / size_of::<T>()) }
    }
    /// The same, to be written.
    pub fn numbers_mut<T: Plain>(&mut self) -> &mut [T] {
        let lines = self.0.as_mut_slice();
        // SAFETY: as above, and borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<T>(), lines.len() * 64 / size_of::<T>()) }
    }
}

/// Calls `f` with `len` elements of unspecified content. A nested call for the same slot gets fresh memory.
pub fn with<T: Plain, R>(slot: Slot, len: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    let mut lines =
        KEPT.with(|kept| kept.try_borrow_mut().map(|mut k| std::mem::take(&mut k[slot as usize])).unwrap_or_default());
    let need = (len * size_of::<T>()).div_ceil(64);
    if lines.len() < need {
        lines = vec![Line([0; 8]); need];
    }
    // SAFETY: the lines are initialised, aligned to 64, hold at least `len` elements, and `T` accepts any bits.
    let out = f(unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<T>(), len) });
    KEPT.with(|kept| {
        if let Ok(mut k) = kept.try_borrow_mut() {
            k[slot as usize] = lines
        }
    });
    out
}
