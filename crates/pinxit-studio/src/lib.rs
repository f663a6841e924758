//! The use cases, composing the crates below; one file each. They emit [`Event`]s and return what they made; who prints
//! that, and how, is not their business. Settings are resolved here and nowhere below.
pub mod error;
pub mod event;
pub mod home;
pub mod settings;

pub use error::Error;
pub use event::{Event, Task, Watcher};
pub use home::{Kind, Studio};

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
