//! Parallel loops over slices, cut into pieces whose size depends on the data only, never on the number of threads.

/// Elements a task handles: large enough to hide a dispatch, small enough that two threads finish together.
pub(crate) const GRAIN: usize = 1 << 13;

/// A pointer that tasks may share because each touches its own part.
struct Shared<T>(*mut T);
// SAFETY: `zipped` hands every task a different range.
unsafe impl<T: Send> Sync for Shared<T> {}
impl<T> Shared<T> {
    fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

/// The pool behind one function that is not generic: it is compiled once, not again for every loop of every crate.
fn run(n: usize, f: &(dyn Fn(usize) + Sync)) {
    crate::pool::tasks(n, f);
}

/// Runs `f(index, blocks)` over consecutive blocks of `size` elements (the last may be shorter) of slices of one length.
pub(crate) fn zipped<T: Send, const N: usize>(data: [&mut [T]; N], size: usize, f: impl Fn(usize, [&mut [T]; N]) + Sync) {
    let (len, size) = (data[0].len(), size.max(1));
    let starts = data.map(|d| {
        assert_eq!(d.len(), len, "slices cut in step must be equally long");
        Shared(d.as_mut_ptr())
    });
    run(len.div_ceil(size), &|i| {
        let from = i * size;
        // SAFETY: blocks of different `i` do not overlap, all lie inside `data`, which is borrowed exclusively.
        let block = |s: &Shared<T>| unsafe { std::slice::from_raw_parts_mut(s.at(from), size.min(len - from)) };
        f(i, std::array::from_fn(|k| block(&starts[k])));
    });
}

/// Runs `f(index, block)` over consecutive blocks of `size` elements (the last may be shorter).
pub(crate) fn blocks<T: Send>(data: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    zipped([data], size, |i, [block]| f(i, block));
}

/// Runs `f(row, content)` over rows of `width` elements, several rows to a task where they are short.
pub(crate) fn rows<T: Send>(data: &mut [T], width: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    shares(data, width, width, f)
}

/// As [`rows`], where a row costs as much as `work` elements.
pub(crate) fn shares<T: Send>(data: &mut [T], width: usize, work: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    let width = width.max(1);
    let group = (GRAIN / work.max(1)).max(1);
    blocks(data, group * width, |i, block| {
        for (j, row) in block.chunks_mut(width).enumerate() {
            f(i * group + j, row);
        }
    });
}
