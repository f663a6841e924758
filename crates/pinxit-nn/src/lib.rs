//! Layers and networks: generator, discriminators, feature network; weights in and out.
//!
//! A network is a plain description (sizes, names); its numbers live apart in [`Weights`], so that one description serves
//! training in `f32`, checking in `f64`, the running average and the file on disk. Every network is written once over
//! [`Array`](pinxit_tensor::Array): [`Weights::bind`] decides whether it computes at once or is differentiated.
//!
//! Read in this order: [`weights`], [`generator`], [`own`] (piecewise linear, exact R1 and R2 in one pass), [`features`] and
//! [`projected`] (frozen features, trained heads), [`model`] and [`tensorfile`] (files that may be hostile).
mod error;
pub mod features;
pub mod generator;
mod labels;
pub mod model;
pub mod own;
pub mod projected;
mod spec;
mod spectral;
pub mod tensorfile;
pub mod weights;
pub mod words;

pub use error::Error;
pub use features::FeatureNet;
pub use generator::{Architecture, Generator, GeneratorConfig, Preset};
pub use labels::Labels;
pub use model::{Model, ModelMeta, Precision};
pub use own::{OwnConfig, OwnDiscriminator, PenalizedStep};
pub use projected::{ProjectedConfig, ProjectedDiscriminator, View};
pub use tensorfile::{TensorFile, read_tensors, write_tensors};
pub use weights::{Bound, Weights};
pub use words::{Reading, Vocabulary};

/// What every function of this crate that can fail returns.
pub type Result<T> = std::result::Result<T, Error>;
