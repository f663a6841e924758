//! A small fixed pool: the caller is worker 0, the others spin for about a millisecond between jobs before they sleep.
//!
//! Sleeping at once (rayon was tried) lets the system wake two workers on one core now and then, and a convolution then
//! runs at half speed for tens of milliseconds. Every thread has its share of the tasks, the same part of every job: what
//! it wrote in one it finds in its own cache in the next (from another core's it comes at a quarter of the speed). A thread
//! that is done helps the others; one that wakes too late to find a task is not waited for. Calls from inside a task, or while another thread uses the pool, run inline: always correct,
//! never a deadlock.
use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Set in the gate while workers may enter the job.
const OPEN: usize = 1 << 15;
/// Part of the gate that counts the workers inside the job.
const INSIDE: usize = OPEN - 1;
/// One job further, in the gate's upper bits.
const NEXT: usize = 1 << 16;
/// Spins before a worker sleeps: roughly a millisecond.
const SPINS: usize = 20_000;
/// Spins after which a worker offers its core to whoever waits for it. Two trainings of two threads side by side on two cores made
/// 55 img/s each without and 90 with (`xs-64`, projected); one by itself makes as many either way.
const OFFER: usize = 256;

/// Spins before the caller, with all tasks handed out, believes that a worker has lost its core to another program. It then
/// sleeps, because an idle core is given the worker that waits for one, and a busy one is not.
const PATIENCE: usize = 2_000;
/// How long it sleeps at a time.
const NAP: Duration = Duration::from_micros(20);

type Job = *const (dyn Fn(usize) + Sync);

/// The next task of a thread's share, on cache lines of its own.
#[repr(align(128))]
struct Next(AtomicUsize);

/// What the caller and the workers of one pool share.
struct Gate {
    /// Job number, `OPEN` and the count of workers inside.
    state: AtomicUsize,
    job: UnsafeCell<Option<Job>>,
    /// One for each thread.
    next: Vec<Next>,
    stop: AtomicBool,
}

// SAFETY: `job` is written only by the caller that holds the pool, while the gate is closed and nobody is inside; it is
// read only by workers that have entered through the open gate (acquire/release on `state` orders the two).
unsafe impl Sync for Gate {}
// SAFETY: as above; the raw pointer inside is only followed while the caller keeps the closure alive.
unsafe impl Send for Gate {}

struct Pool {
    gate: Arc<Gate>,
    workers: Vec<JoinHandle<()>>,
    threads: usize,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);
/// Threads asked for; 0 means as many as the machine offers.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// Uses `n` threads from the next job on (1 = none but the caller's; 0 = as many as the machine offers, the default), and never
/// more than the machine offers: workers that spin for a core another one holds made `--threads 8` on two cores three times
/// slower than `--threads 2` (44 beside 131 img/s, `xs-64`, projected). Results never depend on it.
pub fn set_threads(n: usize) {
    set_threads_exactly(n.min(offered()))
}

/// As [`set_threads`], whatever the machine offers: for tests of what more threads than cores must not change.
pub fn set_threads_exactly(n: usize) {
    WANTED.store(n.min(INSIDE), Relaxed)
}

/// Threads that the machine offers this process, as it said first: by its affinity (`taskset`) and its control group's quota.
pub fn offered() -> usize {
    static OFFERED: OnceLock<usize> = OnceLock::new();
    *OFFERED.get_or_init(|| std::thread::available_parallelism().map_or(1, |n| n.get()))
}

/// Threads a job is shared among, the caller's included.
pub fn threads() -> usize {
    match WANTED.load(Relaxed) {
        0 => offered(),
        n => n,
    }
}

/// Runs `f(0) .. f(n - 1)`, each once, shared among the threads in no particular order; returns when all are done.
/// A panic in a task stops the hand-out and is raised again here.
pub fn tasks(n: usize, f: impl Fn(usize) + Sync) {
    if n < 2 || threads() < 2 {
        return (0..n).for_each(f);
    }
    let mut held = match POOL.try_lock() {
        Ok(held) => held,
        Err(TryLockError::Poisoned(held)) => held.into_inner(),
        Err(TryLockError::WouldBlock) => return (0..n).for_each(f),
    };
    if held.as_ref().is_none_or(|p| p.threads != threads()) {
        *held = None; // joins the old workers before new ones start
        *held = Some(Pool::new(threads()));
    }
    let Some(pool) = held.as_ref() else { return (0..n).for_each(f) };
    let (parts, panic) = (pool.gate.next.len(), Mutex::new(None::<Box<dyn Any + Send>>));
    let end = |part: usize| n * (part + 1) / parts;
    for (part, next) in pool.gate.next.iter().enumerate() {
        next.0.store(n * part / parts, Relaxed);
    }
    pool.run(&|me| {
        for part in (me..parts).chain(0..me) {
            let next = &pool.gate.next[part].0;
            loop {
                let i = next.fetch_add(1, Relaxed);
                if i >= end(part) {
                    break;
                }
                if let Err(why) = catch_unwind(AssertUnwindSafe(|| f(i))) {
                    (0..parts).for_each(|p| pool.gate.next[p].0.store(end(p), Relaxed));
                    panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
                }
            }
        }
    });
    drop(held);
    if let Some(why) = panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
        resume_unwind(why)
    }
}

/// Parts of `all` of at most `most` (0 for 1) and as nearly equal as can be: 8 by 6 are two of 4, not one of 6 and one of 2.
pub(crate) fn even(all: usize, most: usize) -> usize {
    all.div_ceil(all.div_ceil(most.max(1)).max(1)).max(1)
}

/// A slice that tasks write in disjoint parts.
pub(crate) struct Parts<'a, T> {
    start: *mut T,
    pub len: usize,
    data: std::marker::PhantomData<&'a mut [T]>,
}

// SAFETY: hands out parts of a `&mut [T]` only through `unsafe` methods whose callers promise that they do not overlap.
unsafe impl<T: Send> Sync for Parts<'_, T> {}

impl<'a, T> Parts<'a, T> {
    pub fn new(data: &'a mut [T]) -> Self {
        Parts { start: data.as_mut_ptr(), len: data.len(), data: std::marker::PhantomData }
    }
    /// # Safety
    /// No other live reference overlaps `from .. from + len`. (The range itself is checked.)
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn slice(&self, from: usize, len: usize) -> &mut [T] {
        assert!(from <= self.len && len <= self.len - from, "part {from}+{len} of {}", self.len);
        // SAFETY: inside the borrowed slice by the assertion; not aliased by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(from), len) }
    }
    /// Start of the slice, for kernels that write through pointers.
    pub fn start(&self) -> *mut T {
        self.start
    }
}

impl Pool {
    fn new(threads: usize) -> Pool {
        let next = (0..threads).map(|_| Next(0.into())).collect();
        let gate = Arc::new(Gate { state: 0.into(), job: None.into(), next, stop: false.into() });
        let spawn = |id: usize| {
            let gate = gate.clone();
            std::thread::Builder::new().name(format!("pinxit-{id}")).spawn(move || work(&gate, id)).ok()
        };
        // A thread the system refuses is one worker fewer, nothing worse.
        Pool { workers: (1..threads).filter_map(spawn).collect(), gate, threads }
    }

    /// Runs `job` here and on every worker that comes in time. `job` must not unwind.
    fn run(&self, job: &(dyn Fn(usize) + Sync)) {
        // SAFETY: only the lifetime is forgotten; nobody follows the pointer after the wait below.
        let pointer = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), Job>(job) };
        // SAFETY: the gate is closed and empty (end of the previous run), so no worker reads the cell.
        unsafe { *self.gate.job.get() = Some(pointer) }
        let state = self.gate.state.load(Relaxed);
        self.gate.state.store((state & !INSIDE).wrapping_add(NEXT) | OPEN, Release);
        self.workers.iter().for_each(|w| w.thread().unpark());
        job(0);
        self.gate.state.fetch_and(!OPEN, AcqRel);
        let mut spins = 0;
        while self.gate.state.load(Acquire) & INSIDE > 0 {
            spins += 1;
            if spins < PATIENCE { std::hint::spin_loop() } else { std::thread::sleep(NAP) }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.gate.stop.store(true, Release);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            let _ = worker.join(); // a worker cannot panic: jobs catch
        }
    }
}

/// Life of worker `id`: wait for an open gate of a new job, enter, run, leave.
fn work(gate: &Gate, id: usize) {
    let (mut seen, mut spins) = (0, 0);
    while !gate.stop.load(Acquire) {
        let state = gate.state.load(Acquire);
        if state & OPEN == 0 || state / NEXT == seen {
            spins += 1;
            if spins < SPINS {
                if spins % OFFER == 0 { std::thread::yield_now() } else { std::hint::spin_loop() }
            } else {
                std::thread::park()
            }
            continue;
        }
        if gate.state.compare_exchange(state, state + 1, AcqRel, Relaxed).is_err() {
            continue;
        }
        (seen, spins) = (state / NEXT, 0);
        // SAFETY: this worker is counted inside, so the caller waits and the job it wrote before opening is alive.
        if let Some(job) = unsafe { *gate.job.get() } {
            // SAFETY: as above.
            unsafe { (*job)(id) }
        }
        gate.state.fetch_sub(1, Release);
    }
}

#[cfg(test)]
mod tests {
    use super::even;

    #[test]
    fn parts_are_even_and_not_too_large() {
        assert_eq!((even(8, 6), even(8, 8), even(8, 100), even(32, 10), even(5, 0), even(0, 3)), (4, 8, 8, 8, 1, 1));
        for (all, most) in (1..40).flat_map(|all| (1..40).map(move |most| (all, most))) {
            let part = even(all, most);
            assert!(part <= most && all.div_ceil(part) == all.div_ceil(most), "{all} by {most}: {part}");
        }
    }
}
