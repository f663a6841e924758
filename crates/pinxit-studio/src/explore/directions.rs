//! Directions in w: found without labels or from picked pictures, shown as strips, named and kept by the artist.
use std::path::{Path, PathBuf};

use pinxit_create::directions::{between, principal, sefa};
use pinxit_create::{Numbers, Operation, Painter, Recipe};
use pinxit_tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::home::check_name;
use crate::{Error, Result, Studio};

/// Format version of the files.
const VERSION: u32 = 1;
/// Samples of w that lengths are taken from.
const SAMPLES: usize = 4096;
/// Seed of those.
const SEED: u64 = 0;

/// How directions are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// From the weights (Shen and Zhou 2021).
    Sefa,
    /// From samples (GANSpace, Härkönen et al. 2020).
    Pca,
    /// From pictures the artist picked.
    Picked,
}

/// A kept direction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Direction {
    /// Format version.
    pub v: u32,
    /// The artist's word for it.
    pub name: String,
    /// Hash of the model it means something in.
    pub model: String,
    /// How it was found.
    pub method: Method,
    /// The stages it is meant for; all where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<usize>>,
    /// As long as w deviates along it: a step of 1 is one deviation.
    pub direction: Numbers,
}

/// The leading directions of a model, each as long as w deviates along it.
pub fn find(painter: &Painter, method: Method, most: usize, stages: Option<Vec<usize>>) -> Result<Vec<Direction>> {
    if let Some(high) = stages.iter().flatten().find(|s| **s >= painter.stages()) {
        return Err(no_stage(painter, *high));
    }
    let samples = painter.space(SAMPLES, SEED).samples;
    let found = match method {
        Method::Pca => principal(&samples, most),
        Method::Sefa | Method::Picked => sefa(&painter.affine(stages.as_deref()), most),
    };
    let word = if method == Method::Pca { "pca" } else { "sefa" };
    let made = |(i, vector): (usize, &Vec<f32>)| Direction {
        v: VERSION,
        name: format!("{word}-{}", i + 1),
        model: painter.model().hash.clone(),
        method,
        stages: stages.clone(),
        direction: scaled(vector, deviation(&samples, vector)),
    };
    Ok(found.vectors.iter().enumerate().map(made).collect())
}

/// Refused where the model has no such stage.
pub fn no_stage(painter: &Painter, stage: usize) -> Error {
    Error::Setting {
        message: format!("there is no stage {stage}: this model has stages 0 to {}", painter.stages() - 1),
        hint: "stage 0 is the coarsest; the last paints the finest detail".into(),
    }
}

/// From pictures that have something to pictures that have not, as far apart as the two are.
pub fn pick(painter: &mut Painter, toward: &[Recipe], away: &[Recipe], name: &str) -> Result<Direction> {
    let (toward, away) = (mean_ws(painter, toward)?, mean_ws(painter, away)?);
    let Some((vector, _)) = between(&toward, &away) else {
        return Err(Error::Setting {
            message: "the two sets of pictures are alike: there is no way from one to the other".into(),
            hint: "pick pictures that have something, and others that have not".into(),
        });
    };
    let samples = painter.space(SAMPLES, SEED).samples;
    let direction = scaled(&vector, deviation(&samples, &vector));
    let model = painter.model().hash.clone();
    Ok(Direction { v: VERSION, name: name.into(), model, method: Method::Picked, stages: None, direction })
}

/// The w of each picture, the mean of its stages: `[n, w_dim]`.
fn mean_ws(painter: &mut Painter, recipes: &[Recipe]) -> Result<Tensor> {
    let mut rows = Vec::new();
    for recipe in recipes {
        let stages = painter.latents(recipe)?.stages;
        let width = stages[0].len();
        rows.extend((0..width).map(|i| stages.iter().map(|w| w.data()[i]).sum::<f32>() / stages.len() as f32));
    }
    if recipes.is_empty() {
        return Err(Error::Setting {
            message: "a direction needs pictures at both ends".into(),
            hint: "name some that have something (--toward) and some that have not (--away)".into(),
        });
    }
    let width = rows.len() / recipes.len();
    Ok(Tensor::new(&[recipes.len(), width], rows))
}

/// Standard deviation of samples along a vector of unit length.
fn deviation(samples: &Tensor, vector: &[f32]) -> f64 {
    let along: Vec<f64> =
        samples.data().chunks_exact(vector.len()).map(|w| w.iter().zip(vector).map(|(a, b)| f64::from(a * b)).sum()).collect();
    let mean = along.iter().sum::<f64>() / along.len() as f64;
    (along.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / along.len() as f64).sqrt()
}

fn scaled(vector: &[f32], by: f64) -> Numbers {
    Numbers(vector.iter().map(|v| (f64::from(*v) * by) as f32).collect())
}

/// A strip for each direction: a picture from `-reach` to `reach` deviations along it in `steps` steps.
pub fn strips(recipe: &Recipe, directions: &[Direction], (reach, steps): (f64, usize)) -> Vec<Recipe> {
    let at = |k: usize| if steps < 2 { 0.0 } else { reach * (2.0 * k as f64 / (steps - 1) as f64 - 1.0) };
    let one = |direction: &Direction, k: usize| {
        let mut moved = recipe.clone();
        moved.operations.push(super::move_along(direction, at(k), None));
        moved
    };
    directions.iter().flat_map(|d| (0..steps).map(move |k| (d, k))).map(|(d, k)| one(d, k)).collect()
}

fn folder(studio: &Studio, model: &str) -> PathBuf {
    studio.home().join("directions").join(&model[..model.len().min(16)])
}

/// Keeps a direction under its name; another of that name gives way only if `overwrite` says so.
pub fn keep(studio: &Studio, direction: &Direction, overwrite: bool) -> Result<PathBuf> {
    check_name(&direction.name)?;
    let path = folder(studio, &direction.model).join(format!("{}.json", direction.name));
    if path.exists() && !overwrite && load(&path)?.direction != direction.direction {
        return Err(Error::Taken { kind: "direction", name: direction.name.clone() });
    }
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let text = serde_json::to_string_pretty(direction).map_err(std::io::Error::from)? + "\n";
    pinxit_image::write_atomic(&path, text.as_bytes())?;
    Ok(path)
}

/// The directions kept for a model, by name.
pub fn list(studio: &Studio, model: &str) -> Result<Vec<Direction>> {
    let entries = match fs_err::read_dir(folder(studio, model)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e.into()),
    };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            all.push(load(&path)?);
        }
    }
    all.retain(|d| d.model == model);
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// A kept direction by name.
pub fn named(studio: &Studio, model: &str, name: &str) -> Result<Direction> {
    let all = list(studio, model)?;
    let names: Vec<String> = all.iter().map(|d| d.name.clone()).collect();
    all.into_iter().find(|d| d.name == name).ok_or_else(|| Error::Setting {
        message: format!("no direction \"{name}\" is kept for this model"),
        hint: match names.as_slice() {
            [] => "find some first: pinxit explore directions MODEL".into(),
            names => format!("there are {}", names.join(", ")),
        },
    })
}

/// Gives a kept direction the artist's own name.
pub fn rename(studio: &Studio, model: &str, (from, to): (&str, &str)) -> Result<PathBuf> {
    let mut direction = named(studio, model, from)?;
    direction.name = to.into();
    let path = keep(studio, &direction, false)?;
    fs_err::remove_file(folder(studio, model).join(format!("{from}.json")))?;
    Ok(path)
}

fn load(path: &Path) -> Result<Direction> {
    let text = fs_err::read_to_string(path)?;
    let read = |why: String| Error::Setting {
        message: format!("{} is not a direction that can be read: {why}", path.display()),
        hint: "remove the file, and find the direction again".into(),
    };
    let direction: Direction = serde_json::from_str(&text).map_err(|e| read(e.to_string()))?;
    if direction.v > VERSION { Err(read(format!("it has version {}", direction.v))) } else { Ok(direction) }
}

/// Whether an operation is one along a direction of that name.
pub fn is_named(operation: &Operation, wanted: &str) -> bool {
    matches!(operation, Operation::Move { name: Some(name), .. } if name == wanted)
}
