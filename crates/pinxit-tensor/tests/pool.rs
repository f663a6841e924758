//! The pool: every task once, from anywhere, and a panic comes back to whoever asked.
use pinxit_tensor::pool::{offered, tasks, threads};
use pinxit_tensor::{set_threads, set_threads_exactly};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The thread count belongs to the process: tests that choose it take turns.
fn with_threads(n: usize) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    set_threads_exactly(n);
    turn
}

/// Runs `n` tasks and checks that each ran once.
fn each_once(n: usize) {
    let ran: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
    tasks(n, |i| _ = ran[i].fetch_add(1, SeqCst));
    assert!(ran.iter().all(|r| r.load(SeqCst) == 1), "{ran:?}");
}

#[test]
fn every_task_runs_once() {
    for count in 1..=4 {
        let _turn = with_threads(count);
        assert_eq!(threads(), count);
        (0..200).for_each(|n| each_once(n % 37));
    }
}

#[test]
fn workers_share_the_work() {
    let _turn = with_threads(3);
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for _ in 0..20 {
        tasks(6, |_| {
            most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(2));
            inside.fetch_sub(1, SeqCst);
        });
    }
    assert_eq!(most.load(SeqCst), 3, "three threads, never more, work at once");
}

#[test]
fn tasks_may_start_tasks() {
    let _turn = with_threads(3);
    let count = AtomicUsize::new(0);
    tasks(8, |_| tasks(8, |_| tasks(2, |_| _ = count.fetch_add(1, SeqCst))));
    assert_eq!(count.load(SeqCst), 128);
}

#[test]
fn several_threads_may_call_at_once() {
    let _turn = with_threads(2);
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| (0..300).for_each(|_| each_once(17)));
        }
    });
}

#[test]
fn the_count_may_change_between_and_inside_jobs() {
    let _turn = with_threads(2);
    for n in [3, 1, 4, 2, 0] {
        set_threads_exactly(n);
        each_once(20);
        tasks(4, |i| set_threads_exactly(1 + i % 2));
    }
}

#[test]
fn a_panic_comes_back_and_the_pool_lives_on() {
    let _turn = with_threads(3);
    for bad in [0, 7, 99] {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            tasks(100, |i| {
                if i == bad {
                    panic!("task {i} broke");
                }
            })
        }));
        let why = caught.err().and_then(|why| why.downcast::<String>().ok());
        assert_eq!(why.as_deref(), Some(&format!("task {bad} broke")), "the panic must come back with its message");
        each_once(50);
    }
}

#[test]
fn sleeping_workers_wake() {
    let _turn = with_threads(2);
    for _ in 0..5 {
        std::thread::sleep(std::time::Duration::from_millis(20));
        each_once(64);
    }
}

#[test]
fn no_more_threads_than_the_machine_offers() {
    let _turn = with_threads(1);
    for (asked, used) in [(0, offered()), (1, 1), (offered(), offered()), (offered() + 6, offered()), (usize::MAX, offered())] {
        set_threads(asked);
        assert_eq!(threads(), used, "{asked} asked for");
        each_once(20);
    }
    set_threads_exactly(offered() + 1);
    assert_eq!(threads(), offered() + 1, "tests may have more");
}
