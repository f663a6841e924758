//! What one hostile file may cost.
use std::sync::Once;

use pinxit_trust::verify::{Anchors, State, verify_bytes};

/// Memory of the whole test program: files, credentials and whatever a reader believes, in two threads at once.
const MOST_BYTES: u64 = 2 << 30;

/// Seconds of a processor for one file, the library of C2PA being built without optimisation here.
const MOST_SECS: f64 = 5.0;

/// From now on an allocation that a lying file asks for fails, and with it the test.
pub fn limit() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(target_os = "linux")]
        {
            let most = libc::rlimit { rlim_cur: MOST_BYTES, rlim_max: MOST_BYTES };
            // SAFETY: the call only reads `most`.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &most) }, 0);
        }
    });
}

/// Whether a file has a credential that holds. What is invalid says why, what is refused says what to do, and neither takes long.
pub fn holds(bytes: &[u8]) -> bool {
    state(bytes) == Some(State::Valid)
}

/// What is found in a file; `None` for one that is refused.
pub fn state(bytes: &[u8]) -> Option<State> {
    limit();
    let begun = cpu_secs();
    let found = verify_bytes(bytes, &Anchors::default());
    let took = cpu_secs() - begun;
    assert!(took < MOST_SECS, "{took} s for a file of {} bytes", bytes.len());
    match found {
        Ok(report) => {
            assert!(report.state != State::Invalid || !report.problems.is_empty(), "an invalid credential says why");
            Some(report.state)
        }
        Err(e) => {
            assert!(!e.to_string().is_empty() && e.hint().is_some(), "{e}");
            None
        }
    }
}

/// Seconds that a processor has spent on this thread; 0 where nobody counts them.
fn cpu_secs() -> f64 {
    #[cfg(target_os = "linux")]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the call only writes `time`.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }
    #[cfg(not(target_os = "linux"))]
    0.0
}
