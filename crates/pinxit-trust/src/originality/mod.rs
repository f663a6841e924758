//! Does a model make pictures, or copies? Answers that need no network of their own: rows of features come from the caller.
//!
//! * [`copying`]: three tests of a whole model, against works it was never shown.
//! * [`likeness`]: is this picture a window of that work, mirrored perhaps, saved anew?
//! * [`works`]: the works a model has seen, and which of them is closest to a picture.
//! * [`stored`]: such an index as a file, for describing the works takes minutes.
//!
//! They speak of likeness. What influenced a picture cannot be read off it.
pub mod copying;
pub mod likeness;
mod nearest;
pub mod stored;
pub mod works;

pub use copying::{Audit, Verdict, audit};
pub use nearest::nearest;
pub use stored::Index;
pub use works::{Closest, PictureOf, Works};
