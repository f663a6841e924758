//! A model's pictures, or anybody's, measured against a collection, next to what real pictures themselves score.
use std::path::{Path, PathBuf};

use pinxit_dataset::Dataset;
use pinxit_image::Limits;
use pinxit_nn::{FeatureNet, Model, Vocabulary};
use pinxit_tensor::{Rng, Tensor};
use pinxit_train::batch::pm1_from_u8;
pub use pinxit_train::metrics::Report;
use pinxit_train::metrics::{self, Eye, Learnt, Measures, PART, Reference, Seen};
use serde::Serialize;

use crate::event::{Event, Task, Watcher, figures};
use crate::settings::ImageFormat;
use crate::train::captioned;
use crate::{Result, Studio, counted, datasets, models};

/// What to measure.
#[derive(Clone, Debug)]
pub enum Judged {
    /// A model: a name, a run, or a file.
    Model(String),
    /// A folder of pictures that anything has painted, those of a class in a sub-folder of its name.
    Pictures(PathBuf),
}

/// What to measure, and against what.
#[derive(Clone, Debug)]
pub struct EvaluateRequest {
    /// Whose pictures.
    pub judged: Judged,
    /// Dataset; the one the model was trained on if absent.
    pub dataset: Option<String>,
    /// Pictures of each set, at most half of the training pictures.
    pub samples: usize,
    /// Sets a model paints.
    pub repeats: u64,
    /// Also in the features of a network taught on the dataset's own labels.
    pub learnt: bool,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluated {
    /// Hash of the model; none for pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Name of the model or the folder.
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

/// Measures, and saves the figures: a model's beside it as `NAME.evaluation.json`, those of pictures in their folder as
/// `evaluation.json`.
pub fn evaluate(studio: &Studio, request: &EvaluateRequest, watcher: &mut dyn Watcher) -> Result<Evaluated> {
    let evaluated = match &request.judged {
        Judged::Model(name) => of_model(studio, name, request, watcher)?,
        Judged::Pictures(folder) => of_pictures(studio, folder, request, watcher)?,
    };
    pinxit_image::write_atomic(&evaluated.path, crate::event::versioned(&evaluated).as_bytes())?;
    let next = suggestions(&request.judged);
    watcher.event(Event::Finished { task: Task::Evaluate, result: figures(&evaluated), next });
    Ok(evaluated)
}

fn of_model(studio: &Studio, name: &str, request: &EvaluateRequest, watcher: &mut dyn Watcher) -> Result<Evaluated> {
    let found = models::find(studio, name)?;
    let model = found.load_for_use(studio)?;
    let wanted = request.dataset.as_ref().unwrap_or(&model.meta.dataset.name).clone();
    let dataset = match &request.dataset {
        Some(name) => datasets::open(studio, name)?,
        None => dataset_of(studio, &found.name, &model)?,
    };
    let dataset = dataset.with_labels(model.generator.classes > 0, model.generator.styles > 0);
    check_fits(&model, &dataset)?;
    let dataset = captioned(&dataset, &Vocabulary::new(model.meta.words.clone()));
    watcher.event(Event::Started { task: Task::Evaluate, name: found.name.clone() });
    let seeds: Vec<u64> = (0..request.repeats.max(1)).collect();
    let learnt = taught(&dataset, request, watcher)?;
    let mut progress = |done: usize, total: usize| watcher.event(progress(done, total));
    let net = FeatureNet::shipped()?;
    let report = through_all_eyes(&net, learnt.as_ref(), |eye| {
        Ok(metrics::evaluate(&model.network(), &model.weights, &dataset, eye, request.samples, &seeds, &mut progress)?)
    })?;
    Ok(Evaluated {
        model: Some(model.hash()),
        name: found.name.clone(),
        dataset: wanted,
        dataset_hash: dataset.manifest_hash().into(),
        report,
        path: figures_path(&found.path),
    })
}

fn progress(done: usize, total: usize) -> Event {
    let phase = if done == 0 { "describing real pictures" } else { "measuring painted ones" };
    Event::Progress { task: Task::Evaluate, phase: phase.into(), step: done as u64, total: total as u64 }
}

fn of_pictures(studio: &Studio, folder: &Path, request: &EvaluateRequest, watcher: &mut dyn Watcher) -> Result<Evaluated> {
    let Some(wanted) = &request.dataset else {
        return Err(crate::Error::Setting {
            message: "pictures from elsewhere do not say what they shall be compared with".into(),
            hint: "name a dataset with --dataset".into(),
        });
    };
    let dataset = datasets::open(studio, wanted)?;
    let name = folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
    watcher.event(Event::Started { task: Task::Evaluate, name: name.clone() });
    let path = folder.join("evaluation.json");
    check_ours(&path)?;
    let found = painted(folder, &dataset, watcher)?;
    let (net, learnt) = (FeatureNet::shipped()?, taught(&dataset, request, watcher)?);
    let report = through_all_eyes(&net, learnt.as_ref(), |eye| {
        watcher.event(progress(0, 1 + found.len()));
        let reference = Reference::new(&dataset, eye, request.samples.min(found.len()), 0)?;
        let (mut seen, found) = (Seen::default(), &found[..reference.pictures()]);
        for (i, part) in found.chunks(PART).enumerate() {
            watcher.event(progress(1 + i * PART, 1 + found.len()));
            reference.look(&mut seen, &read_together(part, dataset.resolution())?);
        }
        let class: Vec<u32> = found.iter().map(|p| p.class).collect();
        Ok(reference.report(&[], vec![reference.judge(seen, &class)]))
    })?;
    Ok(Evaluated { model: None, name, dataset: wanted.clone(), dataset_hash: dataset.manifest_hash().into(), report, path })
}

/// The report through the shipped network, and within it the one through the network that was taught.
fn through_all_eyes(
    net: &FeatureNet,
    learnt: Option<&Learnt>,
    mut measure: impl FnMut(Eye<'_>) -> Result<Report>,
) -> Result<Report> {
    let mut report = measure(Eye::Shipped(net))?;
    report.learnt = learnt.map(|learnt| measure(learnt.eye())).transpose()?.map(Box::new);
    Ok(report)
}

/// A network taught on the dataset's own labels, where it is asked for.
fn taught(dataset: &Dataset, request: &EvaluateRequest, watcher: &mut dyn Watcher) -> Result<Option<Learnt>> {
    if !request.learnt {
        return Ok(None);
    }
    let mut progress = |done: usize, total: usize| {
        let phase = "teaching a network the labels".into();
        watcher.event(Event::Progress { task: Task::Evaluate, phase, step: done as u64, total: total as u64 });
    };
    Ok(Some(Learnt::teach(dataset, 0, &mut progress)?))
}

/// A picture to be measured; its class as the dataset counts them, their number for none.
struct Painted {
    path: PathBuf,
    class: u32,
}

/// Refuses to replace a file of that name that no evaluation has written.
pub(crate) fn check_ours(path: &Path) -> Result<()> {
    let Ok(bytes) = fs_err::read(path) else { return Ok(()) };
    let found: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let ours = found.is_some_and(|v| v.get("dataset_hash").is_some());
    if ours { Ok(()) } else { Err(crate::Error::InTheWay { path: path.into() }) }
}

/// The pictures of a folder and of its sub-folders that are called like classes, in an order that mixes the classes: the first of
/// them are measured where there are more than reals. Other sub-folders are left out, and named.
fn painted(folder: &Path, dataset: &Dataset, watcher: &mut dyn Watcher) -> Result<Vec<Painted>> {
    let (classes, mut left_out) = (dataset.classes(), Vec::new());
    let mut found = pictures_in(folder, classes.len())?;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        match classes.iter().position(|class| class.to_lowercase() == name.to_lowercase()) {
            _ if !path.is_dir() => {}
            Some(class) => found.extend(pictures_in(&path, class)?),
            None => left_out.push(name),
        }
    }
    if !left_out.is_empty() {
        let known = if classes.is_empty() { "it has none".into() } else { classes.join(", ") };
        let message = format!("left out, for they are called like no class of {}: {}", dataset.name(), left_out.join(", "));
        watcher.event(Event::Warning { message, hint: Some(format!("its classes: {known}")) });
    }
    let without = found.iter().filter(|p| p.class as usize == classes.len()).count();
    if without > 0 && without < found.len() {
        let message =
            format!("{} of {} lie in no class's folder: their class counts as unknown", without, counted(found.len(), "picture"));
        watcher.event(Event::Warning { message, hint: None });
    }
    if found.len() < metrics::LEAST {
        return Err(crate::Error::Setting {
            message: format!(
                "{} holds {}; measuring takes at least {}",
                folder.display(),
                counted(found.len(), "picture"),
                metrics::LEAST
            ),
            hint: "PNG, JPEG, WebP and AVIF are looked for in the folder and in sub-folders called like classes".into(),
        });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Rng::stream(0, "pictures to measure").shuffle(&mut found);
    Ok(found)
}

fn pictures_in(folder: &Path, class: usize) -> Result<Vec<Painted>> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && ImageFormat::of_name(&path).is_ok() {
            found.push(Painted { path, class: class as u32 });
        }
    }
    Ok(found)
}

/// `[n, h, w, 3]` in -1..1.
fn read_together(part: &[Painted], (h, w): (usize, usize)) -> Result<Tensor> {
    let mut all = Vec::with_capacity(part.len() * h * w * 3);
    for Painted { path, .. } in part {
        let picture = pinxit_image::read(path, &Limits::default()).map_err(|e| crate::Error::from(e).in_file(path))?.picture;
        if (picture.height() as usize, picture.width() as usize) != (h, w) {
            return Err(crate::Error::Setting {
                message: format!(
                    "{} is {} x {} px, the dataset holds {w} x {h} px",
                    path.display(),
                    picture.width(),
                    picture.height()
                ),
                hint: "measure pictures of the size of the dataset's, unscaled".into(),
            });
        }
        all.extend(picture.pixels().iter().map(|&b| pm1_from_u8(b)));
    }
    Ok(Tensor::new(&[part.len(), h, w, 3], all))
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

/// What makes sense after measuring a model, called as the person called it.
pub fn suggestions(judged: &Judged) -> Vec<String> {
    match judged {
        Judged::Model(name) => vec![crate::shell::command(&["generate", name, "--seeds", "0-63", "--grid"])],
        Judged::Pictures(_) => Vec::new(),
    }
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
        ("  of the class that varies least", m.self_nn_lowest),
        ("memorised (lower)", Some(m.memorised)),
        ("label accuracy (higher)", m.label_accuracy),
    ]
}
