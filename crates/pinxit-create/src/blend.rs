//! Two models into one: stages of one under stages of the other, or weights between those of related models.
use pinxit_nn::Model;
use pinxit_nn::model::{Ancestor, DatasetSummary, TrainingSummary};
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
    descend(&mut out, &[a, b]);
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
    descend(&mut out, &[a, b, c]);
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

/// Nobody trained a blend: what was measured of its parents does not hold for it, and what they learnt from, under all their licences, does.
fn descend(out: &mut Model, parents: &[&Model]) {
    let ancestor =
        |m: &&Model| Ancestor { name: m.meta.name.clone(), hash: m.hash(), manifest_hash: m.meta.dataset.manifest_hash.clone() };
    out.meta.training = TrainingSummary { version: env!("CARGO_PKG_VERSION").into(), ..TrainingSummary::default() };
    out.meta.parent = None;
    out.meta.blended = parents.iter().flat_map(|m| m.meta.blended.iter().cloned().chain([ancestor(m)])).collect();
    let mut dataset = DatasetSummary { manifest_hash: String::new(), ..parents[0].meta.dataset.clone() };
    let mut seen = vec![&parents[0].meta.dataset.manifest_hash];
    for other in parents[1..].iter().map(|m| &m.meta.dataset) {
        // Models of one dataset, as related ones often are, learnt from its works once.
        if seen.contains(&&other.manifest_hash) {
            continue;
        }
        seen.push(&other.manifest_hash);
        dataset.name = format!("{} and {}", dataset.name, other.name);
        dataset.pictures += other.pictures;
        dataset.works += other.works;
        dataset.overridden += other.overridden;
        dataset.override_reason = dataset.override_reason.or(other.override_reason.clone());
        dataset.licences.extend(other.licences.iter().cloned());
        let new = other.creators.iter().filter(|c| !dataset.creators.contains(c)).cloned().collect::<Vec<_>>();
        dataset.creators.extend(new);
    }
    if let [only] = seen[..] {
        dataset.manifest_hash.clone_from(only);
    }
    out.meta.dataset = dataset;
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
        let hashes: Vec<&str> = halfway.meta.blended.iter().map(|m| m.hash.as_str()).collect();
        assert_eq!(hashes, [a.hash(), b.hash()]);
        let back = add_difference(&a, &b, &a, 1.0).unwrap();
        let close = |n: &str| back.weights.get(n).data().iter().zip(b.weights.get(n).data()).all(|(p, q)| (p - q).abs() < 1e-5);
        assert!(close("start.const") && close("stage.2.rgb.weight"), "a + (b - a) is b");
    }

    #[test]
    fn a_blend_answers_for_the_works_of_both() {
        let (mut a, mut b) = (model(1, &["x"]), model(2, &["x"]));
        let works = |name: &str, licence: &str| DatasetSummary {
            name: name.into(),
            manifest_hash: format!("hash of {name}"),
            works: 3,
            licences: [licence.to_string()].into(),
            creators: vec!["Ann".into()],
            ..DatasetSummary::default()
        };
        (a.meta.dataset, b.meta.dataset) = (works("oaks", "CC0-1.0"), works("elms", "CC-BY-4.0"));
        let joined = blend(&a, &b, &Blend::Between { by: 0.5 }).unwrap().meta.dataset;
        assert_eq!(
            (joined.name.as_str(), joined.works, joined.licences.len(), joined.creators.len()),
            ("oaks and elms", 6, 2, 1)
        );
        assert_eq!(joined.manifest_hash, "", "two datasets have no one manifest");
        b.meta.dataset = a.meta.dataset.clone();
        assert_eq!(blend(&a, &b, &Blend::Between { by: 0.5 }).unwrap().meta.dataset, a.meta.dataset, "the same works count once");
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
