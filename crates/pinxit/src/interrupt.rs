//! Ctrl-C: the first asks the work to stop at a safe point, the second ends at once.
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::output;

static PRESSED: AtomicU32 = AtomicU32::new(0);

/// Starts listening. Without a handler (a system that allows none) Ctrl-C ends at once, and saved states stay whole.
pub fn listen() {
    let installed = ctrlc::set_handler(|| {
        if PRESSED.fetch_add(1, Ordering::SeqCst) > 0 {
            std::process::exit(i32::from(crate::INTERRUPTED));
        }
        // A bar may stand in this line: the words take its place.
        let clear = if std::io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
        output::say(&format!("{clear}stopping at the next safe point; Ctrl-C again stops at once"));
    });
    if let Err(e) = installed {
        output::warning(&format!("Ctrl-C will stop at once: {e}"), None);
    }
}

/// Whether the person asked to stop.
pub fn requested() -> bool {
    PRESSED.load(Ordering::SeqCst) > 0
}
