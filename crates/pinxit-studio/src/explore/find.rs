//! Latents looked for: those of a person's own picture, and those in which a point has moved.
use std::path::{Path, PathBuf};

pub use pinxit_create::drag::Handle;
use pinxit_create::drag::{self, Drag};
use pinxit_create::project;
pub use pinxit_create::project::{Search, Space, Tuning};
use pinxit_create::{Latents, Numbers, Operation, Painter, Recipe, bend};
use pinxit_image::{Fit, Limits, Picture, fit};
use pinxit_nn::{FeatureNet, Model};
use pinxit_tensor::Tensor;
use serde::Serialize;

use super::live::Live;
use super::{TakenUp, order, take_up};
use crate::event::{Event, Task, Watcher, figures};
use crate::generate::{Generated, Printing, publish};
use crate::home::Kind;
use crate::origin::Origin;
use crate::{Error, Result, Studio, models};

/// Samples of w that a search starts from and measures with.
const SAMPLES: usize = 2048;
/// Steps of pivotal tuning.
pub const TUNING_STEPS: usize = 150;

/// A picture to find in a model.
#[derive(Clone, Debug)]
pub struct ProjectRequest {
    /// The model.
    pub model: String,
    /// The picture, from anywhere.
    pub picture: PathBuf,
    /// Where it is looked for.
    pub search: Search,
    /// Tune the weights about what was found, and keep them as a model of this name.
    pub tune_as: Option<String>,
    /// A file that shows the picture while it is looked for.
    pub preview: Option<PathBuf>,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Projected {
    /// Likeness to the picture, dB.
    pub psnr_db: f64,
    /// Unlikeness in features: 0 for the same, about 1 and more for another picture.
    pub features: f64,
    /// How far w lies from its mean, in its deviations: about 1 for a picture of the model's own.
    pub off_centre: f64,
    /// The tuned model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuned: Option<PathBuf>,
    /// The painted picture.
    #[serde(flatten)]
    pub made: Generated,
}

/// Finds a picture in a model, and writes what the model makes of it as `STEM-projected.png`.
pub fn project(studio: &Studio, request: &ProjectRequest, printing: &Printing, watcher: &mut dyn Watcher) -> Result<Projected> {
    let found = models::find(studio, &request.model)?;
    let model = found.load_for_use(studio)?;
    let mut painter = Painter::open(model.clone(), &found.name);
    if let Some(name) = &request.tune_as
        && studio.path(Kind::Model, name)?.exists()
    {
        return Err(Error::Taken { kind: "model", name: name.clone() });
    }
    let picture = target(&request.picture, painter.resolution())?;
    let (target, mut live) = (pm1(&picture), Live::new(request.preview.as_deref(), Some(&picture), printing)?);
    let origin = Origin::inputs(std::slice::from_ref(&request.picture))?;
    watcher.event(Event::Started { task: Task::Explore, name: found.name.clone() });
    let net = FeatureNet::shipped()?;
    let result = live.search(watcher, "looking for the picture", |watch| {
        project::project(&painter.space(SAMPLES, request.search.seed), &net, &target, &request.search, watch)
    })?;
    let (mut psnr_db, mut tuned) = (result.psnr_db, None);
    if let Some(name) = &request.tune_as {
        let (model, reached) =
            tuned_model((&painter, &model, &net), (&result.latents, &target), request.search.seed, &mut live, watcher)?;
        let path = studio.path(Kind::Model, name)?;
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        model.save(&path, pinxit_nn::model::Precision::F32)?;
        (painter, psnr_db, tuned) = (Painter::open(model, name), reached, Some(path));
    }
    let stem = request.picture.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let recipe = with_latents(&painter.recipe(0, None, None, 1.0)?, "projection", Vec::new(), &result.latents);
    let made = publish(studio, &mut painter, &[order((&stem, "projected"), recipe, origin, printing)?], printing, watcher)?;
    let projected = Projected { psnr_db, features: result.features, off_centre: result.off_centre, tuned, made };
    watcher.event(Event::Finished { task: Task::Explore, result: figures(&projected), next: Vec::new() });
    Ok(projected)
}

fn tuned_model(
    (painter, model, net): (&Painter, &Model, &FeatureNet),
    found: (&Latents, &Tensor),
    seed: u64,
    live: &mut Live<'_>,
    watcher: &mut dyn Watcher,
) -> Result<(Model, f64)> {
    let tuning = Tuning { steps: TUNING_STEPS, seed, ..Tuning::default() };
    let space = painter.space(SAMPLES, seed);
    let (weights, reached) =
        live.search(watcher, "tuning the weights", |watch| project::tune(&space, &model.weights, net, found, &tuning, watch))?;
    let mut tuned = Model { weights, ..model.clone() };
    tuned.meta.parent = Some(model.hash());
    tuned.meta.training.figures.clear(); // measured of other weights
    Ok((tuned, reached))
}

/// A recipe whose latents are those that were found, and nothing of its own but bends and enlargement.
fn with_latents(recipe: &Recipe, from: &str, parents: Vec<String>, latents: &Latents) -> Recipe {
    let w = Numbers(latents.numbers());
    let found = Operation::Latents { from: from.into(), parents, w, stages: None };
    let kept = recipe.operations.iter().filter(|op| matches!(op, Operation::Bend(_) | Operation::Enlarge { .. }));
    Recipe { operations: std::iter::once(found).chain(kept.cloned()).collect(), ..recipe.clone() }
}

/// A picture from anywhere, cut and sized to what the model paints.
fn target(path: &Path, (h, w): (usize, usize)) -> Result<Picture> {
    let read = || -> Result<Picture> {
        Ok(fit(&pinxit_image::read(path, &Limits::default())?.picture, Fit::Centre, w as u32, h as u32)?)
    };
    read().map_err(|e| e.in_file(path))
}

/// `[1, h, w, 3]`, -1..1.
fn pm1(picture: &Picture) -> Tensor {
    let data = picture.pixels().iter().map(|&v| f32::from(v) / 127.5 - 1.0).collect();
    Tensor::new(&[1, picture.height() as usize, picture.width() as usize, 3], data)
}

/// A point to move in a painted picture.
#[derive(Clone, Debug)]
pub struct DragRequest {
    /// The picture.
    pub picture: PathBuf,
    /// The model that painted it, where the home does not have it.
    pub model: Option<String>,
    /// Points and their targets.
    pub handles: Vec<Handle>,
    /// A picture of any size: only where it is light may anything move.
    pub mask: Option<PathBuf>,
    /// Steps at most.
    pub steps: usize,
    /// A file that shows the picture while its points move.
    pub preview: Option<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Dragged {
    /// How far each point still is from its target, px of the picture as it is painted.
    pub left_px: Vec<f64>,
    /// Steps taken.
    pub steps: usize,
    /// The painted picture.
    #[serde(flatten)]
    pub made: Generated,
}

/// Moves points, and writes the picture as `STEM-dragged.png`.
pub fn drag(studio: &Studio, request: &DragRequest, printing: &Printing, watcher: &mut dyn Watcher) -> Result<Dragged> {
    let TakenUp { mut painter, recipe, stem, source } = take_up(studio, &request.picture, request.model.as_deref())?;
    let latents = painter.latents(&recipe).map_err(|e| Error::from(e).in_file(&request.picture))?;
    let (h, w) = painter.resolution();
    let mask = request.mask.as_ref().map(|path| mask(path, (h, w))).transpose()?;
    let mut live = Live::new(request.preview.as_deref(), None, printing)?;
    watcher.event(Event::Started { task: Task::Explore, name: stem.clone() });
    let wanted = Drag { handles: request.handles.clone(), mask: mask.as_ref(), steps: request.steps };
    let found = live.search(watcher, "moving", |watch| drag::drag(&painter.space(SAMPLES, 0), &latents, &wanted, watch))?;
    let left =
        |(now, handle): (&[f64; 2], &Handle)| ((now[0] - handle.to[0]) * w as f64).hypot((now[1] - handle.to[1]) * h as f64);
    let left_px: Vec<f64> = found.now.iter().zip(&request.handles).map(left).collect();
    let moved = with_latents(&recipe, "drag", vec![recipe.id()?], &found.latents);
    let order = order((&stem, "dragged"), moved, Origin::Edit(source, "dragged".into()), printing)?;
    let made = publish(studio, &mut painter, &[order], printing, watcher)?;
    let dragged = Dragged { left_px, steps: found.steps, made };
    watcher.event(Event::Finished { task: Task::Explore, result: figures(&dragged), next: Vec::new() });
    Ok(dragged)
}

/// Width and height of a picture's file, px.
pub fn sides(path: &Path) -> Result<(u32, u32)> {
    let info = pinxit_image::info(&fs_err::read(path)?).map_err(|e| Error::from(e).in_file(path))?;
    Ok((info.width, info.height))
}

/// 1 where the picture is light: `[h, w]`.
fn mask(path: &Path, (h, w): (usize, usize)) -> Result<Tensor> {
    let read = || -> Result<Picture> {
        Ok(pinxit_image::resize(&pinxit_image::read(path, &Limits::default())?.picture, w as u32, h as u32)?)
    };
    let picture = read().map_err(|e| e.in_file(path))?;
    let light = |p: &[u8]| f32::from(u8::from(p.iter().map(|&v| u32::from(v)).sum::<u32>() > 3 * 127));
    let data: Vec<f32> = picture.pixels().chunks_exact(3).map(light).collect();
    if data.iter().all(|&v| v == 0.0) {
        return Err(Error::Setting {
            message: format!("{} is dark everywhere: nothing may move", path.display()),
            hint: "paint white where the picture may change".into(),
        });
    }
    Ok(Tensor::new(&[h, w], data))
}

/// One of `of` groups of channels that light up in the same places, counted from 1, in what a stage makes of a picture.
pub fn cluster(painter: &mut Painter, recipe: &Recipe, stage: usize, (number, of): (usize, usize)) -> Result<Vec<usize>> {
    if stage >= painter.stages() {
        return Err(super::directions::no_stage(painter, stage));
    }
    let latents = painter.latents(recipe)?;
    let map = painter.maps(&latents).swap_remove(stage);
    let groups = bend::clusters(&[map], of, 0);
    let count = groups.len();
    groups.into_iter().nth(number.wrapping_sub(1)).ok_or_else(|| Error::Setting {
        message: format!("there is no group {number} of {of}: the channels of stage {stage} fall into {count}"),
        hint: format!("--cluster 1/{of} to {count}/{of}"),
    })
}
