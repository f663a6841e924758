//! Two models into one: stages of one under stages of the other, or weights between those of related models.
use pinxit_nn::Model;
use pinxit_nn::model::TrainingSummary;
use pinxit_tensor::{Array, Tensor};

use crate::{Error, Result};

/// How two models are joined.
#[derive(Clone, Debug, PartialEq)]
pub enum Blend {
    /// Stages from this one on, and the colours they paint, are the second model's (layer swap: Pinkney and Adler 2020, arXiv 2010.05334).
    Swap {
        /// First stage of the second model, 1 to the last.
        from_stage: usize,
    },
    /// All weights `by` of the way from the first to the second.
    Between {
        /// 0 is the first, 1 the second; beyond them too.
        by: f64,
    },
}

/// The model that `how` makes of `a` and `b`. Both must be of the same sizes; what the second model's labels mean must be what the first
/// one's mean, or it must have none. Weights are only related where one model was trained from the other or both from a third: nothing can check that
/// here, and unrelated ones paint noise.
///
/// # Errors
/// [`Error::Unlike`] where the sizes or labels differ, or the stage is none of theirs.
pub fn blend(a: &Model, b: &Model, how: &Blend) -> Result<Model> {
    check_alike(a, b)?;
    let stages = a.generator.stages();
    if let Blend::Swap { from_stage } = how
        && !(1..stages).contains(from_stage)
    {
        return Err(Error::Unlike(format!(
            "stage {from_stage} cannot be the first of the second model: it is one of 1 to {}",
            stages - 1
        )));
    }
    let mut out = a.clone();
    for (name, value) in out.weights.iter_mut() {
        let other = b.weights.get(name);
        match how {
            Blend::Swap { from_stage } if stage_of(name).is_some_and(|s| s >= *from_stage) => *value = other.clone(),
            Blend::Swap { .. } => {}
            Blend::Between { by } => *value = crate::latents::lerp(value, other, *by),
        }
    }
    forget_training(&mut out, a);
    Ok(out)
}

/// `a + by (b - c)`: what training made of c into b, done to a (model arithmetic: Ilharco et al. 2023, arXiv 2212.04089).
///
/// # Errors
/// As [`blend`].
pub fn add_difference(a: &Model, b: &Model, c: &Model, by: f64) -> Result<Model> {
    check_alike(a, b)?;
    check_alike(a, c)?;
    let mut out = a.clone();
    for (name, value) in out.weights.iter_mut() {
        let difference: Tensor = b.weights.get(name).sub(c.weights.get(name));
        *value = value.add(&difference.scale(by));
    }
    forget_training(&mut out, a);
    Ok(out)
}

/// The stage a weight belongs to, if it belongs to one.
fn stage_of(name: &str) -> Option<usize> {
    name.strip_prefix("stage.")?.split('.').next()?.parse().ok()
}

fn check_alike(a: &Model, b: &Model) -> Result<()> {
    let (mut x, mut y) = (a.generator.clone(), b.generator.clone());
    (x.preset, y.preset) = Default::default(); // a name
    if x != y {
        let size = |m: &Model| {
            let (h, w) = m.generator.resolution();
            format!(
                "{w}x{h} px, {}, {} classes, {} styles, {} words",
                m.generator.preset,
                m.meta.classes.len(),
                m.meta.styles.len(),
                m.meta.words.len()
            )
        };
        return Err(Error::Unlike(format!("the models are not of one make: {} and {}", size(a), size(b))));
    }
    let labels = [
        ("classes", &a.meta.classes, &b.meta.classes),
        ("styles", &a.meta.styles, &b.meta.styles),
        ("words", &a.meta.words, &b.meta.words),
    ];
    match labels.into_iter().find(|(_, a, b)| a != b) {
        Some((what, ..)) => Err(Error::Unlike(format!("the models do not know the same {what}"))),
        None => Ok(()),
    }
}

/// Nobody trained a blend: what was measured of the first model does not hold for it.
fn forget_training(out: &mut Model, a: &Model) {
    out.meta.training = TrainingSummary { version: a.meta.training.version.clone(), ..TrainingSummary::default() };
    out.meta.parent = Some(a.hash());
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinxit_nn::{Generator, GeneratorConfig, Preset};

    fn model(seed: u64, classes: &[&str]) -> Model {
        let mut config = GeneratorConfig::new(Preset::Xs32, (4, 4), classes.len(), 0);
        config.channels = vec![8, 8, 4];
        let weights = Generator::new(config.clone()).init(seed);
        let mut model = Model { generator: config, meta: Default::default(), weights };
        model.meta.classes = classes.iter().map(|c| c.to_string()).collect();
        model
    }

    #[test]
    fn stages_are_swapped_and_weights_lie_between() {
        let (a, b) = (model(1, &["x"]), model(2, &["x"]));
        let swapped = blend(&a, &b, &Blend::Swap { from_stage: 1 }).unwrap();
        for (name, value) in &swapped.weights {
            let from = if name.starts_with("stage.1") || name.starts_with("stage.2") { &b } else { &a };
            assert_eq!(value, from.weights.get(name), "{name}");
        }
        let halfway = blend(&a, &b, &Blend::Between { by: 0.5 }).unwrap();
        let [x, y, z] = [&a, &b, &halfway].map(|m| m.weights.get("start.const").data()[0]);
        assert!((z - (x + y) / 2.0).abs() < 1e-6);
        assert_eq!(halfway.meta.parent, Some(a.hash()));
        let back = add_difference(&a, &b, &a, 1.0).unwrap();
        let close = |n: &str| back.weights.get(n).data().iter().zip(b.weights.get(n).data()).all(|(p, q)| (p - q).abs() < 1e-5);
        assert!(close("start.const") && close("stage.2.rgb.weight"), "a + (b - a) is b");
    }

    #[test]
    fn what_is_not_of_one_make_is_refused() {
        let a = model(1, &["x"]);
        let said = |b: &Model, how: Blend| blend(&a, b, &how).unwrap_err().to_string();
        assert!(said(&model(2, &["y"]), Blend::Between { by: 0.5 }).contains("the same classes"));
        assert!(said(&model(2, &["x", "y"]), Blend::Between { by: 0.5 }).contains("not of one make"));
        for from_stage in [0, 3] {
            assert!(said(&model(2, &["x"]), Blend::Swap { from_stage }).contains("1 to 2"));
        }
    }
}
