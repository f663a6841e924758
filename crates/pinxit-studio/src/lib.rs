//! The use cases, composing the crates below; one file each. They emit [`Event`]s and return what they made; who prints
//! that, and how, is not their business. Settings are resolved here and nowhere below.
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that cannot go on may panic

pub mod audit;
pub mod authorship;
pub mod blend;
pub mod card;
pub mod datasets;
pub mod demo;
pub mod doctor;
pub mod error;
pub mod evaluate;
pub mod event;
mod examine;
pub mod explore;
pub mod findings;
pub mod gate;
pub mod generate;
pub mod home;
pub mod import;
pub mod info;
pub mod keys;
pub mod labels;
pub mod ledger;
pub mod machine;
mod mark;
pub mod models;
pub mod origin;
mod outbox;
pub mod paths;
pub mod policy;
mod press;
pub mod runs;
pub mod settings;
pub mod shell;
pub mod shipped;
pub mod sign;
pub mod takedown;
pub mod trace;
pub mod train;
pub mod verify;
mod works;

pub use error::Error;
pub use event::{Event, Task, Watcher};
pub use home::{Kind, Studio};
pub use pinxit_dataset::{check_reason, check_reason_to, counted};
pub use pinxit_trust::ledger::Head;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
