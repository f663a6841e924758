//! Buffers that come back: a dropped tensor leaves its memory on a shelf, and the next of that size takes it down.
//!
//! A training step asks for the same sizes over and over, so after the first steps nothing is allocated, no page is
//! touched for the first time, and memory use is flat. What lies unused for long is given back to the system.
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::any::TypeId;
use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// Start of every buffer in bytes: a cache line, and the width of the widest vector.
const ALIGN: usize = 64;
/// How many buffers may be handed out before an untouched one is given back to the system: tens of training steps.
const PATIENCE: u64 = 1 << 16;
/// How often the shelf is searched for such buffers.
const SWEEP_EVERY: u64 = 1 << 12;

/// What the shelf has done so far, in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferStats {
    /// Buffers newly allocated.
    pub fresh: u64,
    /// Buffers handed out again.
    pub reused: u64,
    /// Bytes in tensors that live.
    pub live_bytes: usize,
    /// Bytes waiting on the shelf.
    pub free_bytes: usize,
}

struct Waiting {
    since: u64,
    address: usize,
    layout: Layout,
}

#[derive(Default)]
struct Shelf {
    waiting: HashMap<(TypeId, usize), Vec<Waiting>>,
    clock: u64,
    stats: BufferStats,
}

static SHELF: LazyLock<Mutex<Shelf>> = LazyLock::new(Mutex::default);

fn shelf() -> MutexGuard<'static, Shelf> {
    // No code that can panic leaves the shelf half changed, so a poisoned lock is still good.
    SHELF.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counters of the buffer shelf.
pub fn buffer_stats() -> BufferStats {
    shelf().stats
}

/// Gives all unused buffers back to the system, for the moment between two different jobs.
pub fn release_buffers() {
    shelf().drop_older_than(u64::MAX);
}

impl Shelf {
    fn take(&mut self, key: (TypeId, usize), layout: Layout) -> Option<usize> {
        self.clock += 1;
        if self.clock.is_multiple_of(SWEEP_EVERY) {
            self.drop_older_than(self.clock.saturating_sub(PATIENCE));
        }
        self.stats.live_bytes += layout.size();
        let Some(found) = self.waiting.get_mut(&key).and_then(Vec::pop) else {
            self.stats.fresh += 1;
            return None;
        };
        self.stats.reused += 1;
        self.stats.free_bytes -= layout.size();
        Some(found.address)
    }

    fn give(&mut self, key: (TypeId, usize), address: usize, layout: Layout) {
        self.stats.live_bytes -= layout.size();
        self.stats.free_bytes += layout.size();
        self.waiting.entry(key).or_default().push(Waiting { since: self.clock, address, layout });
    }

    /// The last to come is the first to go, so the oldest of a size lie at the front.
    fn drop_older_than(&mut self, clock: u64) {
        let mut freed = 0;
        for list in self.waiting.values_mut() {
            let old = list.partition_point(|w| w.since < clock);
            for w in list.drain(..old) {
                freed += w.layout.size();
                // SAFETY: the address came from `alloc` with this layout, and nobody but the shelf knew it.
                unsafe { dealloc(w.address as *mut u8, w.layout) };
            }
        }
        self.waiting.retain(|_, list| !list.is_empty());
        self.stats.free_bytes -= freed;
    }
}

/// An aligned block of `len` numbers that returns to the shelf when dropped. Its contents are always initialised, though
/// those of a recycled block are whatever was there before.
pub(crate) struct Buffer<T: Copy + Default + 'static> {
    start: NonNull<T>,
    len: usize,
}

// SAFETY: a buffer owns its memory exclusively, as a `Vec` does.
unsafe impl<T: Copy + Default + Send + 'static> Send for Buffer<T> {}
// SAFETY: shared access only reads.
unsafe impl<T: Copy + Default + Sync + 'static> Sync for Buffer<T> {}

impl<T: Copy + Default + 'static> Buffer<T> {
    /// Numbers from the shelf, or defaults.
    pub fn take(len: usize) -> Self {
        let layout = Self::layout(len);
        // The guard must be gone before the allocation: another thread need not wait for the system.
        let recycled = shelf().take((TypeId::of::<T>(), layout.size()), layout);
        if let Some(start) = recycled.and_then(|address| NonNull::new(address as *mut T)) {
            return Buffer { start, len };
        }
        // SAFETY: the layout is never of size zero.
        let Some(start) = NonNull::new(unsafe { alloc(layout) }.cast::<T>()) else { handle_alloc_error(layout) };
        for i in 0..layout.size() / size_of::<T>() {
            // SAFETY: inside the block just allocated, which is aligned for `T`.
            unsafe { start.add(i).write(T::default()) };
        }
        Buffer { start, len }
    }

    /// Rounded up to whole cache lines, at least one, so that near sizes share and reads may run to the end of a line.
    fn layout(len: usize) -> Layout {
        const { assert!(ALIGN.is_multiple_of(size_of::<T>()) && align_of::<T>() <= ALIGN) };
        let bytes = len.checked_mul(size_of::<T>()).map(|b| b.max(1).next_multiple_of(ALIGN));
        match bytes.and_then(|b| Layout::from_size_align(b, ALIGN).ok()) {
            Some(layout) => layout,
            None => panic!("a tensor of {len} numbers does not fit in memory"),
        }
    }

    pub fn as_slice(&self) -> &[T] {
        // SAFETY: `len` initialised numbers at `start`, owned by `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Copy + Default + 'static> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::take(self.len);
        copy.as_mut_slice().copy_from_slice(self.as_slice());
        copy
    }
}

impl<T: Copy + Default + 'static> Drop for Buffer<T> {
    fn drop(&mut self) {
        let layout = Self::layout(self.len);
        shelf().give((TypeId::of::<T>(), layout.size()), self.start.as_ptr() as usize, layout);
    }
}
