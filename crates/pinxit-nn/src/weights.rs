//! Named tensors, and the same names bound to values that a network computes with.
use std::collections::{BTreeMap, btree_map};

use pinxit_tensor::{Array, Real, Tensor};

/// The numbers of one network: tensors by name, in the order of the names.
///
/// The order is part of the contract: optimizers, checkpoints and hashes go through it and must meet the same sequence.
#[derive(Clone, Debug)]
pub struct Weights<T: Real = f32> {
    map: BTreeMap<String, Tensor<T>>,
}

impl<T: Real> Default for Weights<T> {
    fn default() -> Self {
        Weights { map: BTreeMap::new() }
    }
}

impl<T: Real> Weights<T> {
    /// No tensors yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tensor of that name.
    ///
    /// # Panics
    /// If there is none: a network asking for a weight it never declared is a programming error (files are checked on reading).
    pub fn get(&self, name: &str) -> &Tensor<T> {
        self.map.get(name).unwrap_or_else(|| panic!("no weight named {name:?}"))
    }

    /// The tensor of that name, to be changed in place. Panics as [`get`](Self::get).
    pub fn get_mut(&mut self, name: &str) -> &mut Tensor<T> {
        self.map.get_mut(name).unwrap_or_else(|| panic!("no weight named {name:?}"))
    }

    /// The tensor of that name, if there is one.
    pub fn find(&self, name: &str) -> Option<&Tensor<T>> {
        self.map.get(name)
    }

    /// Adds or replaces a tensor.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor<T>) {
        self.map.insert(name.into(), tensor);
    }

    /// Names and tensors, in the order of the names.
    pub fn iter(&self) -> btree_map::Iter<'_, String, Tensor<T>> {
        self.map.iter()
    }

    /// Names and tensors to be changed in place, in the order of the names.
    pub fn iter_mut(&mut self) -> btree_map::IterMut<'_, String, Tensor<T>> {
        self.map.iter_mut()
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// True if there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Number of numbers in all tensors together.
    pub fn parameters(&self) -> usize {
        self.map.values().map(|t| t.len()).sum()
    }

    /// True if every number is finite.
    pub fn is_finite(&self) -> bool {
        self.map.values().all(|t| t.data().iter().all(|v| v.is_finite()))
    }

    /// The same numbers in another type.
    pub fn cast<U: Real>(&self) -> Weights<U> {
        self.iter().map(|(n, t)| (n.clone(), t.cast::<U>())).collect()
    }

    /// Tensors of the same shapes, all zero.
    pub fn zeros_like(&self) -> Self {
        self.iter().map(|(n, t)| (n.clone(), Tensor::zeros(t.shape()))).collect()
    }

    /// Gives every tensor to `place` (a tape's `leaf` or `constant`, or a plain clone) under the same name.
    pub fn bind<A: Array<T = T>>(&self, mut place: impl FnMut(&str, &Tensor<T>) -> A) -> Bound<A> {
        Bound { map: self.iter().map(|(n, t)| (n.clone(), place(n, t))).collect() }
    }

    /// Bound to the tensors themselves: computes at once, nothing is recorded.
    pub fn eager(&self) -> Bound<Tensor<T>> {
        self.bind(|_, t| t.clone())
    }

    /// The same tensors, [`kept`](Tensor::kept): for weights that never change.
    pub fn kept(&self) -> Self {
        self.iter().map(|(n, t)| (n.clone(), t.kept())).collect()
    }

    /// Those whose name starts with `prefix`, with the prefix removed.
    pub fn under(&self, prefix: &str) -> Self {
        self.iter().filter_map(|(n, t)| n.strip_prefix(prefix).map(|rest| (rest.to_string(), t.clone()))).collect()
    }
}

impl<T: Real> FromIterator<(String, Tensor<T>)> for Weights<T> {
    fn from_iter<I: IntoIterator<Item = (String, Tensor<T>)>>(iter: I) -> Self {
        Weights { map: iter.into_iter().collect() }
    }
}

impl<'a, T: Real> IntoIterator for &'a Weights<T> {
    type Item = (&'a String, &'a Tensor<T>);
    type IntoIter = btree_map::Iter<'a, String, Tensor<T>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// [`Weights`] turned into values of an [`Array`] type, under the same names.
#[derive(Clone)]
pub struct Bound<A> {
    map: BTreeMap<String, A>,
}

impl<A> Bound<A> {
    /// The value of that name.
    ///
    /// # Panics
    /// If there is none, with the name.
    pub fn get(&self, name: &str) -> &A {
        self.map.get(name).unwrap_or_else(|| panic!("no weight named {name:?}"))
    }

    /// The value of that name, if there is one.
    pub fn find(&self, name: &str) -> Option<&A> {
        self.map.get(name)
    }

    /// Adds or replaces a value.
    pub fn insert(&mut self, name: impl Into<String>, value: A) {
        self.map.insert(name.into(), value);
    }

    /// Names and values, in the order of the names (that of the [`Weights`]).
    pub fn iter(&self) -> btree_map::Iter<'_, String, A> {
        self.map.iter()
    }

    /// Values in the order of the names: what a backward pass is asked for.
    pub fn values(&self) -> Vec<&A> {
        self.map.values().collect()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// True if there is no value.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Results in the order of [`values`](Self::values) (gradients) under their names.
    pub fn named<T: Real>(&self, tensors: Vec<Tensor<T>>) -> Weights<T> {
        assert_eq!(tensors.len(), self.len(), "one tensor for each bound weight");
        self.map.keys().cloned().zip(tensors).collect()
    }
}

impl<A> FromIterator<(String, A)> for Bound<A> {
    fn from_iter<I: IntoIterator<Item = (String, A)>>(iter: I) -> Self {
        Bound { map: iter.into_iter().collect() }
    }
}
