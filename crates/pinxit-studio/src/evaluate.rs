//! A model measured against a collection, next to what real pictures themselves score.
use std::path::{Path, PathBuf};

use pinxit_dataset::Dataset;
use pinxit_nn::{FeatureNet, Model};
use pinxit_train::metrics::{self, Measures, Report};
use serde::Serialize;

use crate::event::{Event, Task, Watcher, figures};
use crate::{Result, Studio, datasets, models};

/// What to measure.
#[derive(Clone, Debug)]
pub struct EvaluateRequest {
    /// Model: a name, a run, or a file.
    pub model: String,
    /// Dataset; the one the model was trained on if absent.
    pub dataset: Option<String>,
    /// Fakes for each seed, at most half of the training pictures.
    pub pictures: usize,
    /// Sets of fakes.
    pub repeats: u64,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluated {
    /// Hash of the model.
    pub model: String,
    /// Name of the model.
    pub name: String,
    /// Name of the dataset.
    pub dataset: String,
    /// Hash of the dataset's manifest.
    pub dataset_hash: String,
    /// The figures.
    #[serde(flatten)]
    pub report: Report,
    /// Where they were saved.
    pub path: PathBuf,
}

/// Measures, and saves the figures beside the model as `NAME.evaluation.json`.
pub fn evaluate(studio: &Studio, request: &EvaluateRequest, watcher: &mut dyn Watcher) -> Result<Evaluated> {
    let found = models::find(studio, &request.model)?;
    let model = found.load()?;
    let wanted = request.dataset.as_ref().unwrap_or(&model.meta.dataset.name).clone();
    let dataset = match &request.dataset {
        Some(name) => datasets::open(studio, name)?,
        None => dataset_of(studio, &found.name, &model)?,
    };
    let dataset = dataset.with_labels(model.generator.classes > 0, model.generator.styles > 0);
    check_fits(&model, &dataset)?;
    watcher.event(Event::Started { task: Task::Evaluate, name: found.name.clone() });
    let seeds: Vec<u64> = (0..request.repeats.max(1)).collect();
    let mut progress = |done: usize, total: usize| {
        let phase = if done == 0 { "describing real pictures" } else { "measuring painted ones" };
        watcher.event(Event::Progress { task: Task::Evaluate, phase: phase.into(), step: done as u64, total: total as u64 });
    };
    let net = FeatureNet::shipped()?;
    let report = metrics::evaluate(&model.network(), &model.weights, &dataset, &net, request.pictures, &seeds, &mut progress)?;
    let path = figures_path(&found.path);
    let evaluated = Evaluated {
        model: model.hash(),
        name: found.name.clone(),
        dataset: wanted,
        dataset_hash: dataset.manifest_hash().into(),
        report,
        path: path.clone(),
    };
    pinxit_image::write_atomic(&path, crate::event::versioned(&evaluated).as_bytes())?;
    watcher.event(Event::Finished { task: Task::Evaluate, result: figures(&evaluated), next: suggestions(&request.model) });
    Ok(evaluated)
}

/// What the model `name` learnt from.
fn dataset_of(studio: &Studio, name: &str, model: &Model) -> Result<Dataset> {
    let needed_by = format!("model \"{name}\"");
    datasets::open_for(studio, &model.meta.dataset.name, &needed_by, Some("name another one with --dataset"))
}

/// Where the figures of the model in file `model` lie: beside it.
pub(crate) fn figures_path(model: &Path) -> PathBuf {
    model.with_extension("evaluation.json")
}

/// What makes sense after measuring `model`, called as the person called it.
pub fn suggestions(model: &str) -> Vec<String> {
    vec![crate::shell::command(&["generate", model, "--seeds", "0-63", "--grid"])]
}

fn check_fits(model: &Model, dataset: &Dataset) -> Result<()> {
    let (mine, theirs) = (model.generator.resolution(), dataset.resolution());
    if mine != theirs {
        return Err(crate::Error::Setting {
            message: format!("the model paints {}x{} px, the dataset holds {}x{} px", mine.1, mine.0, theirs.1, theirs.0),
            hint: format!("import the pictures again with --size {}x{}", mine.1, mine.0),
        });
    }
    // The figures paint each real picture's own label, so labels must mean the same on both sides.
    let same = model.meta.classes == dataset.classes() && model.meta.styles == dataset.styles();
    if same {
        return Ok(());
    }
    Err(crate::Error::Setting {
        message: "the model and the dataset have different classes or styles".into(),
        hint: "evaluate on the dataset it was trained on, or one with the same labels".into(),
    })
}

/// The figures by name, with what is better: for tables.
pub fn rows(m: &Measures) -> Vec<(&'static str, Option<f64>)> {
    vec![
        ("KID (lower)", Some(m.kid)),
        ("sliced Wasserstein (lower)", Some(m.swd)),
        ("precision (higher)", Some(m.precision)),
        ("recall (higher)", Some(m.recall)),
        ("density (higher)", Some(m.density)),
        ("coverage (higher)", Some(m.coverage)),
        ("self-NN (below 0.5: collapse)", Some(m.self_nn)),
        ("memorised (lower)", Some(m.memorised)),
        ("label accuracy (higher)", m.label_accuracy),
    ]
}
