//! Which class and which style each sample of a batch has.
use std::ops::Range;

use pinxit_tensor::Array;

use crate::Bound;

/// Class and style of each sample. A value equal to the number of classes (styles) means "no label".
///
/// Networks hold a table of `count + 1` rows for each; the last row is what "no label" looks like. It is trained by
/// dropping labels at random, and is all there is when a dataset has no labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Class of each sample, `0..=classes`.
    pub class: Vec<u32>,
    /// Style of each sample, `0..=styles`.
    pub style: Vec<u32>,
}

impl Labels {
    /// `n` samples with neither class nor style.
    pub fn none(n: usize, classes: usize, styles: usize) -> Self {
        Labels { class: vec![classes as u32; n], style: vec![styles as u32; n] }
    }

    /// `n` samples of the same class and style.
    pub fn all(n: usize, class: u32, style: u32) -> Self {
        Labels { class: vec![class; n], style: vec![style; n] }
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
        Labels { class: self.class.repeat(2), style: self.style.repeat(2) }
    }

    /// Those of some samples.
    pub fn part(&self, of: Range<usize>) -> Self {
        Labels { class: self.class[of.clone()].to_vec(), style: self.style[of].to_vec() }
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

/// `[n, e]`: the class's row of table `{prefix}.class`, plus the style's row of `{prefix}.style` where there is such a table.
pub(crate) fn embed<A: Array>(p: &Bound<A>, prefix: &str, labels: &Labels) -> A {
    let class = p.get(&format!("{prefix}.class")).rows(&labels.class_rows());
    match p.find(&format!("{prefix}.style")) {
        Some(table) => class.add(&table.rows(&labels.style_rows())),
        None => class,
    }
}
