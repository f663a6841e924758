//! Going on from a trained model on another collection, also with other labels.
//!
//! A label the model knows by name keeps its row of the embedding table; a new one begins at the mean of the known rows. The
//! row for "no label" stays. A table of styles or words that is no longer needed is folded into the class rows, so the pictures do
//! not jump.
use crate::{Error, Result};
use pinxit_nn::{GeneratorConfig, Model, Weights};
use pinxit_tensor::Tensor;

const CLASS: &str = "mapping.class";
const STYLE: &str = "mapping.style";
const WORDS: &str = "mapping.words";

/// The model's generator for other numbers of labels.
pub fn generator(model: &Model, resolution: (usize, usize), classes: usize, styles: usize) -> Result<GeneratorConfig> {
    let has = model.generator.resolution();
    if has != resolution {
        let ((h, w), (rh, rw)) = (has, resolution);
        return Err(Error::Config(format!(
            "the model paints {w} x {h} px and the collection holds {rw} x {rh} px; import it at the model's size"
        )));
    }
    Ok(GeneratorConfig { classes, styles, ..model.generator.clone() })
}

/// The model's weights with label tables for `classes`, `styles` and `words`.
pub fn weights(model: &Model, classes: &[String], styles: &[String], words: &[String]) -> Weights {
    let mut out = model.weights.clone();
    let mut table = remap(out.get(CLASS), &model.meta.classes, classes);
    for (name, had, names) in [(STYLE, &model.meta.styles, styles), (WORDS, &model.meta.words, words)] {
        match (out.find(name).cloned(), names.is_empty()) {
            (Some(old), false) => out.insert(name, remap(&old, had, names)),
            (Some(old), true) => {
                let width = old.shape()[1];
                let none = &old.data()[old.len() - width..];
                table.data_mut().chunks_exact_mut(width).for_each(|row| row.iter_mut().zip(none).for_each(|(v, n)| *v += n));
                out = out.iter().filter(|(n, _)| *n != name).map(|(n, t)| (n.clone(), t.clone())).collect();
            }
            (None, false) => out.insert(name, Tensor::zeros(&[names.len() + 1, table.shape()[1]])),
            (None, true) => {}
        }
    }
    out.insert(CLASS, table);
    out
}

/// A table `[old + 1, width]` for other names: `[new + 1, width]`.
fn remap(table: &Tensor, old: &[String], new: &[String]) -> Tensor {
    let width = table.shape()[1];
    let row = |i: usize| &table.data()[i * width..][..width];
    let rows = table.shape()[0];
    // A model without labels knows only "no label".
    let known = if rows > 1 { rows - 1 } else { 1 };
    let mut mean = vec![0f32; width];
    (0..known).for_each(|i| mean.iter_mut().zip(row(i)).for_each(|(m, v)| *m += v / known as f32));
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    let mut out = Vec::with_capacity((new.len() + 1) * width);
    for name in new {
        match old.iter().position(|o| same(o, name)) {
            Some(i) => out.extend_from_slice(row(i)),
            None => out.extend_from_slice(&mean),
        }
    }
    out.extend_from_slice(row(rows - 1));
    Tensor::new(&[new.len() + 1, width], out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| s.to_string()).collect()
    }

    #[test]
    fn rows_follow_their_names() {
        let table = Tensor::new(&[3, 2], vec![1.0, 2.0, 3.0, 6.0, 9.0, 9.0]);
        let out = remap(&table, &names(&["cat", "dog"]), &names(&["Dog", "bird", "cat"]));
        assert_eq!(out.to_vec(), [3.0, 6.0, 2.0, 4.0, 1.0, 2.0, 9.0, 9.0]);
        let none = Tensor::new(&[1, 2], vec![5.0, 7.0]);
        assert_eq!(remap(&none, &[], &names(&["a"])).to_vec(), [5.0, 7.0, 5.0, 7.0]);
        assert_eq!(remap(&table, &names(&["cat", "dog"]), &[]).to_vec(), [9.0, 9.0]);
    }

    #[test]
    fn a_style_table_that_goes_leaves_its_mark() {
        let mut weights = Weights::new();
        weights.insert(CLASS, Tensor::new(&[1, 2], vec![1.0, 1.0]));
        weights.insert(STYLE, Tensor::new(&[2, 2], vec![4.0, 4.0, 0.5, 0.25]));
        let generator = GeneratorConfig::new(pinxit_nn::Preset::Xs32, (4, 4), 0, 1);
        let meta = pinxit_nn::ModelMeta { styles: names(&["oil"]), ..Default::default() };
        let model = Model { generator, meta, weights };
        let out = super::weights(&model, &[], &[], &[]);
        assert!(out.find(STYLE).is_none());
        assert_eq!(out.get(CLASS).to_vec(), [1.5, 1.25]);
        let styled = super::weights(&model, &[], &names(&["oil", "ink"]), &names(&["sea"]));
        assert_eq!(styled.get(WORDS).to_vec(), [0.0; 4]);
        assert_eq!(styled.get(STYLE).to_vec(), [4.0, 4.0, 4.0, 4.0, 0.5, 0.25]);
    }
}
