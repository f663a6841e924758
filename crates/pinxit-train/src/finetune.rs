//! Going on from a trained model on another collection, also with other labels or with larger pictures.
//!
//! A stage more for each doubling of the sides (growing: Karras et al. 2018, arXiv 1710.10196) begins without a say in the colours, so
//! the first picture is the model's, enlarged: no fading in is needed where colours are summed over the stages.
//!
//! A label the model knows by name keeps its row of the embedding table; a new one begins at the mean of the known rows. The
//! row for "no label" stays. A table of styles or words that is no longer needed is folded into the class rows, so the pictures do
//! not jump.
use crate::{Error, Result, TrainConfig};
use pinxit_nn::{Generator, GeneratorConfig, Model, Preset, Weights};
use pinxit_tensor::Tensor;

const CLASS: &str = "mapping.class";
const STYLE: &str = "mapping.style";
const WORDS: &str = "mapping.words";

/// How many times as large the pictures are as the model's: 1, 2, 4 … in both directions, or none where it cannot grow into them.
pub fn growth(model: (usize, usize), pictures: (usize, usize)) -> Option<usize> {
    let factor = pictures.0 / model.0.max(1);
    (factor.is_power_of_two() && (model.0 * factor, model.1 * factor) == pictures).then_some(factor)
}

/// Preset and channels of the model's generator for pictures of `resolution` = (height, width) px: its own or, where the sides are 2, 4, 8 times its own,
/// with a stage more for each doubling, as wide as `wanted`
/// (or the preset of its breadth with so many stages) has it there.
pub fn size(model: &GeneratorConfig, resolution: (usize, usize), wanted: &TrainConfig) -> Result<(String, Vec<usize>)> {
    let ((h, w), (rh, rw)) = (model.resolution(), resolution);
    let Some(factor) = growth(model.resolution(), resolution) else {
        return Err(Error::Config(format!(
            "the model paints {w} x {h} px and the collection holds {rw} x {rh} px; import it at the model's size, or at twice that"
        )));
    };
    let mut channels = model.channels.clone();
    if factor == 1 {
        return Ok((model.preset.clone(), channels));
    }
    let stages = channels.len() + factor.trailing_zeros() as usize;
    let asked: Preset = wanted.preset.parse()?;
    let alike = Preset::ALL.into_iter().find(|p| p.channels().len() == stages && p.w_dim() == asked.w_dim());
    let preset = if asked.channels().len() == stages { asked } else { alike.unwrap_or(asked) };
    let widths = if wanted.channels.len() == stages { &wanted.channels } else { preset.channels() };
    if widths.len() != stages {
        return Err(Error::Config(format!(
            "pictures of {rw} x {rh} px need {stages} stages to grow the model of {w} x {h} px; there are {}",
            widths.len()
        )));
    }
    channels.extend_from_slice(&widths[channels.len()..]);
    Ok((preset.to_string(), channels))
}

/// The model's generator with the stages of `config` (see [`size`]), for other numbers of labels.
pub fn generator(model: &Model, config: &TrainConfig, classes: usize, styles: usize) -> GeneratorConfig {
    GeneratorConfig {
        preset: config.preset.clone(),
        channels: config.channels.clone(),
        classes,
        styles,
        ..model.generator.clone()
    }
}

/// Adds the weights that `generator` has beyond the model's: its first weights for `seed`, silent in the colours.
pub fn grow(weights: &mut Weights, generator: &Generator, seed: u64) {
    for (name, tensor) in generator.init(seed).iter() {
        if weights.find(name).is_none() {
            let silent = name.ends_with(".rgb.weight");
            weights.insert(name, if silent { Tensor::zeros(tensor.shape()) } else { tensor.clone() });
        }
    }
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
