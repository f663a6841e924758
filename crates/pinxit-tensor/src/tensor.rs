//! Numbers in memory: a shape and a shared, recycled, cache-line-aligned buffer.
use crate::kernels::Kept;
use crate::recycle::Buffer;
use crate::shape::Shape;
use crate::{Real, par};
use std::sync::Arc;

/// A dense array. Cloning shares the numbers; writing to a shared one copies first.
#[derive(Clone)]
pub struct Tensor<T: Real = f32> {
    buffer: Arc<Buffer<T>>,
    shape: Shape,
    /// Where convolutions keep these numbers as they want them, see [`Tensor::kept`].
    packed: Option<Arc<Kept>>,
}

impl<T: Real> Tensor<T> {
    /// From numbers in row-major order (last dimension fastest).
    pub fn new(shape: &[usize], data: Vec<T>) -> Self {
        let mut t = Self::recycled(shape);
        assert_eq!(t.len(), data.len(), "{} numbers for shape {shape:?}", data.len());
        t.data_mut().copy_from_slice(&data);
        t
    }

    /// Zeros.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::full(shape, T::default())
    }

    /// The same number everywhere.
    pub fn full(shape: &[usize], value: T) -> Self {
        let mut t = Self::recycled(shape);
        par::blocks(t.data_mut(), par::GRAIN, |_, block| block.fill(value));
        t
    }

    /// `f(i)` at row-major position `i`.
    pub fn from_fn(shape: &[usize], mut f: impl FnMut(usize) -> T) -> Self {
        let mut t = Self::recycled(shape);
        t.data_mut().iter_mut().enumerate().for_each(|(i, v)| *v = f(i));
        t
    }

    /// One number, without dimensions.
    pub fn scalar(value: T) -> Self {
        Self::full(&[], value)
    }

    /// Whatever numbers the recycled buffer held: for an operation that overwrites all of them.
    pub(crate) fn recycled(shape: &[usize]) -> Self {
        let shape = Shape::new(shape);
        Tensor { buffer: Arc::new(Buffer::take(shape.numel())), shape, packed: None }
    }

    /// A shape without numbers, for a value that nobody looks at: whoever does finds an empty slice, and panics.
    pub(crate) fn absent(shape: &[usize]) -> Self {
        Tensor { buffer: Arc::new(Buffer::take(0)), shape: Shape::new(shape), packed: None }
    }

    /// Dimensions, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
    /// Dimensions as a value.
    pub(crate) fn dims(&self) -> Shape {
        self.shape
    }
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.numel()
    }
    /// Without any element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The numbers in row-major order.
    pub fn data(&self) -> &[T] {
        self.buffer.as_slice()
    }
    /// The numbers, to be changed; copies them first if another tensor shares them.
    pub fn data_mut(&mut self) -> &mut [T] {
        self.packed = None;
        Arc::make_mut(&mut self.buffer).as_mut_slice()
    }
    /// The same numbers, as the weights of many convolutions to come: they are packed at the first and kept so, which takes about
    /// as much memory again for each kind of pass.
    pub fn kept(&self) -> Self {
        Tensor { packed: Some(self.packed.clone().unwrap_or_default()), ..self.clone() }
    }
    pub(crate) fn packed(&self) -> Option<&Kept> {
        self.packed.as_deref()
    }
    /// Whether no other tensor shares the numbers.
    pub(crate) fn is_unique(&self) -> bool {
        Arc::strong_count(&self.buffer) == 1
    }
    /// A copy of the numbers.
    pub fn to_vec(&self) -> Vec<T> {
        self.data().to_vec()
    }

    /// The number of a tensor that holds one.
    pub fn item(&self) -> T {
        assert_eq!(self.len(), 1, "item() of a tensor of shape {:?}", self.shape);
        self.data()[0]
    }

    /// The same numbers in another type.
    pub fn cast<U: Real>(&self) -> Tensor<U> {
        let mut out = Tensor::recycled(self.shape());
        let from = self.data();
        par::blocks(out.data_mut(), par::GRAIN, |i, block| {
            let from = &from[i * par::GRAIN..][..block.len()];
            block.iter_mut().zip(from).for_each(|(o, &v)| *o = U::of(v.to_f64()));
        });
        out
    }

    /// `self + b`, in the memory of one of them where nobody else holds it.
    pub fn plus(self, b: Self) -> Self {
        T::accumulate(self, b)
    }

    /// [`leaky_relu_grad`](crate::Array::leaky_relu_grad) at `of`, in the memory of `self` where nobody else holds it.
    pub fn side(self, of: &Self, slope: f64) -> Self {
        T::side(self, of, slope)
    }

    /// `self + x * factor` with one factor for each sample (the first dimension), in the memory of `self` where nobody else holds it.
    pub fn plus_scaled(self, x: &Self, factors: &[T]) -> Self {
        T::plus_scaled(self, x, factors)
    }

    /// The same numbers under another shape, shared.
    pub(crate) fn reshaped(&self, shape: &[usize]) -> Self {
        let shape = Shape::new(shape);
        assert_eq!(self.len(), shape.numel(), "cannot reshape {:?} to {shape:?}", self.shape);
        Tensor { buffer: self.buffer.clone(), shape, packed: None }
    }
}

impl<T: Real> std::fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.data()[..self.len().min(8)];
        write!(f, "Tensor {:?} {shown:?}{}", self.shape, if self.len() > 8 { "…" } else { "" })
    }
}

impl<T: Real> PartialEq for Tensor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.data() == other.data()
    }
}
