//! Losses, augmentation, averaging, the loop, checkpoints, metrics, health rules.
//!
//! Read in this order: [`config`] (every decision), [`run`] (the loop, as headings), [`step`] (one step), [`state`] and
//! [`checkpoint`] (exact resume), [`metrics`] and [`health`] (how good, what is wrong).
//!
//! Pictures are `[n, h, w, 3]` in -1..1. Progress is counted in thousands of real pictures shown (kimg), never in epochs.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))] // in a test a panic is the report
pub mod augment;
pub mod auto;
pub mod average;
pub mod batch;
pub mod checkpoint;
pub mod config;
pub mod energy;
mod error;
pub mod finetune;
pub mod health;
mod lock;
mod loss;
pub mod metrics;
mod paint;
mod parallel;
mod progress;
pub mod run;
mod schedule;
pub mod state;
pub mod stats;
pub mod step;

pub use config::{Discriminator, Length, TrainConfig, Update};
pub use error::{Error, Result};
pub use loss::{Loss, Seeds};
pub use progress::{Observer, Progress};
pub use run::{Claim, Run, Summary};

// The tests inside this crate share `tests/common` with those outside, which know it by its name.
#[cfg(test)]
extern crate self as pinxit_train;
