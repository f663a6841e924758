//! Reading, decoding and fitting in parallel, in bounded memory, with results in the order of the items.
//!
//! ```text
//! one reader ──(files, at most WINDOW a thread and 64 MiB)──▶ workers ──(packed pictures)──▶ the caller, in order
//! ```
//!
//! At any time there are at most: 64 MiB of files (or one file that is larger), one decoded picture a thread, and as many packed
//! pictures as the window has places. Neither grows with the collection.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::prepare::{Prepared, Spec, prepare};
use crate::source::{self, Listing};

/// Files in flight for each thread.
const WINDOW: usize = 4;
/// Bytes of files in flight.
const MAX_BYTES: u64 = 64 << 20;

/// What became of an item: a work, or the reason why there is none.
pub(crate) type Outcome = std::result::Result<Prepared, String>;

/// A file on its way to a worker.
type Job = (usize, std::result::Result<Vec<u8>, String>);

/// Prepares the items from number `start` on and hands each outcome, in order, to `collect`, which may stop the work.
///
/// # Errors
/// Whatever `collect` returns.
pub(crate) fn run(
    listing: &Listing,
    start: usize,
    spec: &Spec<'_>,
    threads: usize,
    collect: &mut dyn FnMut(usize, Outcome) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let gate = Gate::new(threads * WINDOW);
    let (jobs, queue) = channel::<Job>();
    let (results, arrivals) = channel();
    let queue = Mutex::new(queue);
    std::thread::scope(|scope| {
        let gate = &gate;
        let queue = &queue;
        scope.spawn(move || {
            source::read(listing, start, spec.limits.max_file_bytes, &mut |i, bytes| {
                if !gate.enter(bytes.as_ref().map_or(0, |b| b.len() as u64)) || jobs.send((i, bytes)).is_err() {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
        });
        for _ in 0..threads {
            let results = results.clone();
            scope.spawn(move || work(queue, gate, spec, &results));
        }
        drop(results);
        let flow = in_order(&arrivals, gate, start, collect);
        gate.close();
        flow
    })
}

fn work(queue: &Mutex<Receiver<Job>>, gate: &Gate, spec: &Spec<'_>, results: &Sender<(usize, Outcome)>) {
    loop {
        let job = lock(queue).recv();
        let Ok((i, bytes)) = job else { return };
        if gate.is_closed() {
            return;
        }
        let outcome = match bytes {
            Ok(bytes) => {
                let outcome = prepare(&bytes, spec);
                gate.bytes_done(bytes.len() as u64);
                outcome
            }
            Err(reason) => Err(reason),
        };
        if results.send((i, outcome)).is_err() {
            return;
        }
    }
}

fn in_order(
    arrivals: &Receiver<(usize, Outcome)>,
    gate: &Gate,
    start: usize,
    collect: &mut dyn FnMut(usize, Outcome) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut waiting = BTreeMap::new();
    let mut next = start;
    for (i, outcome) in arrivals {
        waiting.insert(i, outcome);
        while let Some(outcome) = waiting.remove(&next) {
            gate.leave();
            if collect(next, outcome)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            next += 1;
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Lets in only so many files and bytes at a time.
struct Gate {
    places: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    files: usize,
    bytes: u64,
    closed: bool,
}

impl Gate {
    fn new(places: usize) -> Self {
        Self { places, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits for room; false if the gate was closed. A file above the limit goes in when no other bytes are inside.
    fn enter(&self, bytes: u64) -> bool {
        let mut state = lock(&self.state);
        while !state.closed && (state.files >= self.places || (state.bytes > 0 && state.bytes + bytes > MAX_BYTES)) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.files += 1;
        state.bytes += bytes;
        !state.closed
    }

    fn bytes_done(&self, bytes: u64) {
        lock(&self.state).bytes -= bytes;
        self.changed.notify_all();
    }

    fn leave(&self) {
        lock(&self.state).files -= 1;
        self.changed.notify_all();
    }

    fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }
}

/// Nothing panics while holding these locks, and plain counters stay sound if something did.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
