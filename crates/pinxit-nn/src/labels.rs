//! Which class, which style and which words each sample of a batch has.
use std::ops::Range;

use pinxit_tensor::{Array, Real, Tensor};

use crate::Bound;

/// Class, style and words of each sample. A value equal to the number of classes (styles) means "no label", and so does an empty
/// list of words.
///
/// Networks hold a table of `count + 1` rows for each; the last row is what "no label" looks like. It is trained by
/// dropping labels at random, and is all there is when a dataset has no labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Class of each sample, `0..=classes`.
    pub class: Vec<u32>,
    /// Style of each sample, `0..=styles`.
    pub style: Vec<u32>,
    /// Words said of each sample, each `0..words`: see [`Vocabulary`](crate::Vocabulary).
    pub words: Vec<Vec<u32>>,
}

impl Labels {
    /// Samples of these classes and styles, of which nothing else is said.
    pub fn new(class: Vec<u32>, style: Vec<u32>) -> Self {
        Labels { words: vec![Vec::new(); class.len()], class, style }
    }

    /// `n` samples with neither class nor style nor words.
    pub fn none(n: usize, classes: usize, styles: usize) -> Self {
        Labels::new(vec![classes as u32; n], vec![styles as u32; n])
    }

    /// `n` samples of the same class and style.
    pub fn all(n: usize, class: u32, style: u32) -> Self {
        Labels::new(vec![class; n], vec![style; n])
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.class.len()
    }

    /// True if there are no samples.
    pub fn is_empty(&self) -> bool {
        self.class.is_empty()
    }

    /// These labels, then the same once more: reals and fakes of one discriminator batch.
    pub fn twice(&self) -> Self {
        let words = [self.words.as_slice(), &self.words].concat();
        Labels { class: self.class.repeat(2), style: self.style.repeat(2), words }
    }

    /// Those of some samples.
    pub fn part(&self, of: Range<usize>) -> Self {
        let words = self.words[of.clone()].to_vec();
        Labels { class: self.class[of.clone()].to_vec(), style: self.style[of].to_vec(), words }
    }

    /// Rows of the class table.
    pub(crate) fn class_rows(&self) -> Vec<usize> {
        self.class.iter().map(|&v| v as usize).collect()
    }

    /// Rows of the style table.
    pub(crate) fn style_rows(&self) -> Vec<usize> {
        self.style.iter().map(|&v| v as usize).collect()
    }
}

/// Rows of the table of words that samples take, in the order of the samples.
pub(crate) struct WordRows {
    /// The rows, those of all samples one after the other; a sample without words takes the last row of the table.
    rows: Vec<usize>,
    /// Which sample takes it.
    of: Vec<usize>,
    /// With which factor: one over the root of the sample's number of words, so that long captions are no louder.
    factor: Vec<f64>,
}

impl WordRows {
    /// Of a table of `rows` rows.
    pub fn new(labels: &Labels, rows: usize) -> Self {
        let mut out = WordRows { rows: Vec::new(), of: Vec::new(), factor: Vec::new() };
        for (i, words) in labels.words.iter().enumerate() {
            let factor = 1.0 / (words.len().max(1) as f64).sqrt();
            let taken = words.iter().map(|&w| w as usize).chain(words.is_empty().then_some(rows - 1));
            for row in taken {
                out.rows.push(row);
                out.of.push(i);
                out.factor.push(factor);
            }
        }
        out
    }

    fn factors<T: Real>(&self) -> Tensor<T> {
        Tensor::new(&[self.factor.len(), 1], self.factor.iter().map(|&f| T::of(f)).collect())
    }

    /// `[rows, e]` to the sums of `n` samples, `[n, e]`.
    fn sum<A: Array>(&self, table: &A, n: usize) -> A {
        let rows = table.rows(&self.rows);
        rows.mul(&rows.lift(self.factors())).scatter_rows(&self.of, n)
    }

    /// Its adjoint: the gradient of a table of `rows` rows from that of the sums.
    pub fn sum_grad<T: Real>(&self, d_sums: &Tensor<T>, rows: usize) -> Tensor<T> {
        d_sums.rows(&self.of).mul(&self.factors()).scatter_rows(&self.rows, rows)
    }
}

/// `[n, e]`: the class's row of table `{prefix}.class`, plus the style's row of `{prefix}.style` and the words' rows of
/// `{prefix}.words` where there are such tables.
pub(crate) fn embed<A: Array>(p: &Bound<A>, prefix: &str, labels: &Labels) -> A {
    let mut sum = p.get(&format!("{prefix}.class")).rows(&labels.class_rows());
    if let Some(table) = p.find(&format!("{prefix}.style")) {
        sum = sum.add(&table.rows(&labels.style_rows()));
    }
    if let Some(table) = p.find(&format!("{prefix}.words")) {
        sum = sum.add(&WordRows::new(labels, table.shape()[0]).sum(table, labels.len()));
    }
    sum
}
