//! Weights and a recipe to pictures.
//!
//! A [`Recipe`] says everything a picture needs: the model's hash, a seed, labels, psi. A [`Painter`] holds one model and
//! paints recipes; the same recipe gives the same bytes whether it is painted alone or among others. What follows the painting (an
//! [`Operation`], such as to enlarge) is a second step, [`Recipe::finish`]: between the two lies the picture as the model painted it.
//! May use `pinxit-tensor`, `pinxit-nn`, `pinxit-image`; knows no folders, no settings, no progress bars.
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that cannot go on may panic

pub mod bend;
pub mod blend;
pub mod directions;
pub mod drag;
mod error;
pub mod latents;
pub mod near;
mod numbers;
mod operation;
mod painter;
pub mod project;
mod prompt;
mod recipe;
mod sampling;
pub mod walk;

pub use error::Error;
pub use latents::Latents;
pub use numbers::Numbers;
pub use operation::Operation;
pub use painter::{Painter, picture_of};
pub use prompt::Prompt;
pub use recipe::{ModelRef, Recipe, VERSION};

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
