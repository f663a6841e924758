//! NHWC tensors, the kernels that make convolution fast, and a small reverse-mode autodiff over them.
//! Knows nothing of pictures or networks.
//!
//! Read in this order: [`Array`] (the vocabulary), [`Tensor`] (computes at once), [`Tape`] and [`Var`] (differentiate),
//! [`kernels`] (the one boundary behind which instruction sets live).
#![allow(clippy::should_implement_trait)] // `a.add(&b)` on references: `Array` is a vocabulary, not operator sugar
mod array;
#[cfg(test)]
mod checks;
mod count;
mod eager;
pub mod kernels;
mod once;
mod op;
pub mod optim;
mod par;
pub mod pool;
mod real;
mod recycle;
pub mod rng;
mod shape;
mod tape;
mod tensor;
mod var;
mod vjp;

pub use array::{Array, ConvSpec, Leak};
pub use count::{convolutions, multiply_adds};
pub use kernels::{Isa, Kink, Precision, cpu, set_isa, with_precision};
pub use pool::{set_threads, set_threads_exactly, threads};
pub use real::Real;
pub use recycle::{BufferStats, buffer_stats, release_buffers};
pub use rng::Rng;
pub use tape::{Tape, Var, backward, grad, grad_seeded};
pub use tensor::Tensor;
