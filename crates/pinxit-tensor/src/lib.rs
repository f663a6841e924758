//! NHWC tensors, the kernels that make convolution fast, and a small reverse-mode autodiff over them.
//! Knows nothing of pictures or networks.
//!
//! Read in this order: [`Array`] (the vocabulary), [`Tensor`] (computes at once), [`Tape`] and [`Var`] (differentiate),
//! [`kernels`] (the one boundary behind which instruction sets live).
#![allow(clippy::should_implement_trait)] // `a.add(&b)` on references: `Array` is a vocabulary, not operator sugar
mod array;
pub mod kernels;
mod real;

pub use array::{Array, ConvSpec};
pub use real::Real;
