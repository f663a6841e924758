//! Folder to rights-checked, deduplicated, labelled, packed collection; deterministic batches; Croissant manifest.
//!
//! Read in this order: [`import`] (files in, collection out, every file accounted for), [`rights`] (what is said about a work's use),
//! [`mod@format`] (what lies on disk),
//! [`Dataset`] (the collection, opened), [`Batches`] (which picture is seen when), [`shelf`] (all collections of a home).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))] // in a test a panic is the report

mod batches;
mod copies;
mod croissant;
mod dataset;
mod error;
mod examiner;
pub mod export;
pub mod format;
mod gate;
mod identity;
mod import;
mod journal;
mod labels;
mod near;
mod options;
mod pack;
mod pipeline;
mod place;
mod prepare;
mod report;
pub mod rights;
pub mod shelf;
mod source;
mod split;

pub use batches::Batches;
pub use dataset::Dataset;
pub use error::{Error, Result};
pub use examiner::Examiner;
pub use format::{Record, Split};
pub use identity::{Identity, Listed, ListedWork, Sameness, TakenDown, forget_unfinished, unfinished, works_of};
pub use import::{import, inspect};
pub use near::{Look, perceptual_hash};
pub use options::{Framing, ImportOptions, check_reason, check_reason_to};
pub use pack::withdraw;
pub use place::check_name;
pub use report::{FileReport, FileStatus, ImportProgress, ImportReport, LabelReport, Phase, counted};
