//! Pictures into other pictures, on any model: walks, mixes, directions, projection, dragging, bending, breeding.
//!
//! Each tool ends in recipes, which are published as any painted picture is; `generate --from` paints them again, and undoing is painting a
//! recipe without its last operations.
pub mod animate;
pub mod breed;
pub mod directions;
mod ffmpeg;
pub mod find;
mod live;
pub mod sheet;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pinxit_create::Numbers;
pub use pinxit_create::bend::{Act, Area, Bend};
pub use pinxit_create::walk::{AnimationRecipe, Easing, Through};
pub use pinxit_create::{Operation, Painter, Recipe, VERSION as RECIPE_VERSION};

use crate::event::{Event, Task, Watcher, figures};
use crate::generate::{Generated, Order, Printing, check_free, painter_for, plain, publish, recipe_of};
use crate::origin::{Origin, Source};
use crate::{Error, Result, Studio, models, paths};

/// Painted pictures to take up again.
#[derive(Clone, Copy, Debug)]
pub struct Pictures<'a> {
    /// The files.
    pub files: &'a [PathBuf],
    /// The model that painted them, where the home does not have it: a name, a run, or a file.
    pub model: Option<&'a str>,
}

/// A painted picture, taken up again.
pub struct TakenUp {
    /// Its model, ready to paint.
    pub painter: Painter,
    /// What it shows.
    pub recipe: Recipe,
    /// Name of its file without the ending.
    pub stem: String,
    /// Its file.
    pub source: Arc<Source>,
}

/// Opens the model of a picture that a studio has painted; `model` where the home does not have it.
pub fn take_up(studio: &Studio, path: &Path, model: Option<&str>) -> Result<TakenUp> {
    let recipe = recipe_of(path)?;
    let painter = painter_for(studio, path, &recipe, model)?;
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(TakenUp { painter, recipe, stem, source: Source::read(path)? })
}

/// The recipes of pictures that one model has painted.
pub fn recipes_of(studio: &Studio, pictures: Pictures<'_>) -> Result<(Painter, Vec<Recipe>)> {
    let [first, ..] = pictures.files else {
        return Err(Error::Setting {
            message: "no picture is named".into(),
            hint: "name pictures that a studio has painted".into(),
        });
    };
    let TakenUp { painter, recipe, .. } = take_up(studio, first, pictures.model)?;
    let mut recipes = vec![recipe];
    for path in &pictures.files[1..] {
        let recipe = recipe_of(path)?;
        if recipe.model.hash != painter.model().hash {
            return Err(Error::Setting {
                message: format!(
                    "{} was painted by another model ({}) than {}",
                    path.display(),
                    recipe.model.name,
                    first.display()
                ),
                hint: "latents mean something only within one model: name pictures of one".into(),
            });
        }
        recipes.push(recipe);
    }
    Ok((painter, recipes))
}

/// The model of a recipe found in `file`; `model` where the home does not have it.
pub fn painter_of(studio: &Studio, recipe: &Recipe, file: &Path, model: Option<&str>) -> Result<Painter> {
    painter_for(studio, file, recipe, model)
}

/// Asks for an enlargement, where there is one, in place of any the recipe has.
pub fn enlarged(recipe: &mut Recipe, times: u32) {
    if times > 1 {
        recipe.operations.retain(|op| !matches!(op, Operation::Enlarge { .. }));
        recipe.operations.push(Operation::Enlarge { times });
    }
}

/// A model ready to paint, by name, run, or file.
pub fn open(studio: &Studio, model: &str) -> Result<Painter> {
    let found = models::find(studio, model)?;
    let model = found.load_for_use(studio)?;
    Ok(Painter::open(model, &found.name))
}

/// What is done to a painted picture.
#[derive(Clone, Debug)]
pub enum Change {
    /// Operations more.
    Do(Vec<Operation>),
    /// Its last operations taken back.
    Undo(usize),
}

/// Pictures changed, each painted anew and written as `STEM-WORD.png`.
pub fn change(
    studio: &Studio,
    pictures: Pictures<'_>,
    (word, change): (&str, &Change),
    printing: &Printing,
    watcher: &mut dyn Watcher,
) -> Result<Generated> {
    let mut all = Vec::new();
    for path in pictures.files {
        let TakenUp { mut painter, recipe, stem, source } = take_up(studio, path, pictures.model)?;
        let changed = changed(&recipe, change).map_err(|e| e.in_file(path))?;
        painter.latents(&changed).map_err(|e| Error::from(e).in_file(path))?;
        all.push((painter, order((&stem, word), changed, Origin::Edit(source, word.into()), printing)?));
    }
    watcher.event(Event::Started { task: Task::Explore, name: word.into() });
    let mut made: Option<Generated> = None;
    for (mut painter, order) in all {
        let one = publish(studio, &mut painter, &[order], printing, watcher)?;
        match &mut made {
            Some(made) => made.join(one),
            None => made = Some(one),
        }
    }
    let made =
        made.ok_or_else(|| Error::Setting { message: "no picture is named".into(), hint: "name pictures to change".into() })?;
    watcher.event(Event::Finished { task: Task::Explore, result: figures(&made), next: Vec::new() });
    Ok(made)
}

fn changed(recipe: &Recipe, change: &Change) -> Result<Recipe> {
    let mut changed = recipe.clone();
    match change {
        // Before an enlargement: what is done to latents is done first in any case, and so the list reads as it is done.
        Change::Do(operations) => {
            let at = changed
                .operations
                .iter()
                .position(|op| matches!(op, Operation::Enlarge { .. }))
                .unwrap_or(changed.operations.len());
            changed.operations.splice(at..at, operations.iter().cloned());
        }
        Change::Undo(steps) if *steps <= changed.operations.len() => {
            changed.operations.truncate(changed.operations.len() - steps)
        }
        Change::Undo(steps) => {
            let (wanted, there) = (crate::counted(*steps, "operation"), crate::counted(changed.operations.len(), "operation"));
            return Err(Error::Setting {
                message: format!("{wanted} cannot be taken back: the recipe has {there}"),
                hint: "`pinxit info PICTURE` shows them".into(),
            });
        }
    }
    Ok(changed)
}

/// Where a picture goes: its name is free, or holds the same recipe.
fn order((stem, word): (&str, &str), mut recipe: Recipe, origin: Origin, printing: &Printing) -> Result<Order> {
    enlarged(&mut recipe, printing.settings.enlarge);
    let name = format!("{}-{word}.{}", plain(stem), printing.settings.format.extension());
    paths::check_folder(&printing.out)?;
    if !printing.overwrite {
        check_free(&printing.out.join(&name), &recipe.to_json()?)?;
    }
    Ok(Order { name, recipe, origin })
}

/// A direction as an operation.
pub fn move_along(direction: &directions::Direction, by: f64, stages: Option<Vec<usize>>) -> Operation {
    let stages = stages.or_else(|| direction.stages.clone());
    Operation::Move { name: Some(direction.name.clone()), direction: Numbers(direction.direction.0.clone()), by, stages }
}
