//! The one place that hands disjoint pieces of a slice to the tensor crate's workers.
use pinxit_tensor::pool;
use std::sync::Mutex;

/// Calls `job(i, piece)` for each piece of `size` elements of `data`, in parallel.
pub(crate) fn chunks<T: Send>(data: &mut [T], size: usize, job: impl Fn(usize, &mut [T]) + Sync) {
    let pieces: Vec<Mutex<&mut [T]>> = data.chunks_mut(size.max(1)).map(Mutex::new).collect();
    pool::tasks(pieces.len(), |i| {
        // Each index is handed out once, so the lock is free; a poisoned one belongs to a panic already on its way.
        if let Ok(mut piece) = pieces[i].lock() {
            job(i, &mut piece);
        }
    });
}
