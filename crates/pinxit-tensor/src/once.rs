//! What is compiled once for each number type, in this crate. Generic code is compiled again in every crate that uses it,
//! and these loops, in all their variants, are most of the engine: behind a trait they are ordinary functions.
use crate::eager::{self, Binary, Unary};
use crate::tape::{backward_now, grad_recorded};
use crate::{Real, Tensor, Var};

/// The loops over numbers of this type. Implemented here for `f32` and `f64` and nowhere else.
pub trait Once: Sized {
    /// One of the operations on every number.
    fn unary(op: Unary, x: &Tensor<Self>) -> Tensor<Self>
    where
        Self: Real;
    /// One of the operations on every pair, broadcast.
    fn binary(op: Binary, a: &Tensor<Self>, b: &Tensor<Self>) -> Tensor<Self>
    where
        Self: Real;
    /// `a + b`, in the memory of one of them where nobody else holds it.
    fn accumulate(a: Tensor<Self>, b: Tensor<Self>) -> Tensor<Self>
    where
        Self: Real;
    /// See [`crate::Array::broadcast_to`].
    fn broadcast_to(x: &Tensor<Self>, shape: &[usize]) -> Tensor<Self>
    where
        Self: Real;
    /// See [`crate::Array::sum_to`].
    fn sum_to(x: &Tensor<Self>, shape: &[usize]) -> Tensor<Self>
    where
        Self: Real;
    /// See [`crate::Array::mul_sum_to`].
    fn mul_sum_to(a: &Tensor<Self>, b: &Tensor<Self>, shape: &[usize]) -> Tensor<Self>
    where
        Self: Real;
    /// See [`Tensor::side`].
    fn side(x: Tensor<Self>, of: &Tensor<Self>, slope: f64) -> Tensor<Self>
    where
        Self: Real;
    /// See [`Tensor::plus_scaled`].
    fn plus_scaled(to: Tensor<Self>, x: &Tensor<Self>, factors: &[Self]) -> Tensor<Self>
    where
        Self: Real;
    /// See [`crate::backward`].
    fn backward(outs: &[(&Var<Self>, Tensor<Self>)], wrt: &[&Var<Self>]) -> Vec<Tensor<Self>>
    where
        Self: Real;
    /// See [`crate::grad_seeded`].
    fn grad(outs: &[(&Var<Self>, Var<Self>)], wrt: &[&Var<Self>]) -> Vec<Var<Self>>
    where
        Self: Real;
}

macro_rules! once {
    ($t:ty) => {
        impl Once for $t {
            fn unary(op: Unary, x: &Tensor<Self>) -> Tensor<Self> {
                eager::unary(op, x)
            }
            fn binary(op: Binary, a: &Tensor<Self>, b: &Tensor<Self>) -> Tensor<Self> {
                eager::binary(op, a, b)
            }
            fn accumulate(a: Tensor<Self>, b: Tensor<Self>) -> Tensor<Self> {
                eager::accumulate(a, b)
            }
            fn broadcast_to(x: &Tensor<Self>, shape: &[usize]) -> Tensor<Self> {
                eager::broadcast_to(x, shape)
            }
            fn sum_to(x: &Tensor<Self>, shape: &[usize]) -> Tensor<Self> {
                eager::sum_to(x, shape)
            }
            fn mul_sum_to(a: &Tensor<Self>, b: &Tensor<Self>, shape: &[usize]) -> Tensor<Self> {
                eager::mul_sum_to(a, b, shape)
            }
            fn side(x: Tensor<Self>, of: &Tensor<Self>, slope: f64) -> Tensor<Self> {
                eager::side(x, of, slope)
            }
            fn plus_scaled(to: Tensor<Self>, x: &Tensor<Self>, factors: &[Self]) -> Tensor<Self> {
                eager::plus_scaled(to, x, factors)
            }
            fn backward(outs: &[(&Var<Self>, Tensor<Self>)], wrt: &[&Var<Self>]) -> Vec<Tensor<Self>> {
                backward_now(outs, wrt)
            }
            fn grad(outs: &[(&Var<Self>, Var<Self>)], wrt: &[&Var<Self>]) -> Vec<Var<Self>> {
                grad_recorded(outs, wrt)
            }
        }
    };
}
once!(f32);
once!(f64);
