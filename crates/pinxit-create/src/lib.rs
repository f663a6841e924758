//! Weights and a recipe to pictures.
//!
//! A [`Recipe`] says everything a picture needs: the model's hash, a seed, labels, psi. A [`Painter`] holds one model and
//! paints recipes; the same recipe gives the same bytes whether it is painted alone or among others. What follows the painting (an
//! [`Operation`], such as to enlarge) is a second step, [`Recipe::finish`]: between the two lies the picture as the model painted it.
//! May use `pinxit-tensor`, `pinxit-nn`, `pinxit-image`; knows no folders, no settings, no progress bars.
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that cannot go on may panic

mod error;
pub mod near;
mod operation;
mod painter;
mod prompt;
mod recipe;

pub use error::Error;
pub use operation::Operation;
pub use painter::Painter;
pub use prompt::Prompt;
pub use recipe::{ModelRef, Recipe, VERSION};

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
