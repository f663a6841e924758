//! A model into pictures, and a picture's recipe into the same picture again.
mod again;
mod plan;
mod publish;
mod sheet;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub use pinxit_create::Prompt;
use pinxit_create::{Operation, Painter, Recipe};
use serde::Serialize;

pub use self::again::{RepaintRequest, repaint, replan};
pub(crate) use self::again::{painter_for, recipe_of};
pub use self::plan::{plan, remarks, understood};
pub use self::publish::{Order, Printing, publish};
pub(crate) use self::sheet::check_size as check_sheet;
use crate::event::{Event, Task, Watcher, figures};
use crate::gate::{GateOptions, GateReport};
use crate::origin::Origin;
use crate::settings::GenerateSettings;
use crate::shell::command;
use crate::sign::Signing;
use crate::{Error, Result, Studio, paths};

/// What to paint.
#[derive(Clone, Debug)]
pub struct GenerateRequest {
    /// Model: a name, a run, or a file.
    pub model: String,
    /// One picture for each seed (and class and style).
    pub seeds: Vec<u64>,
    /// Classes; none: each seed draws one of those the model knows.
    pub classes: Vec<String>,
    /// Styles; none: each seed draws one.
    pub styles: Vec<String>,
    /// Words kept in the recipe; a model that learnt captions reads them.
    pub caption: Option<String>,
    /// A sentence: its names of a class and a style are taken for those not asked for, and all of it for the caption.
    pub prompt: Option<String>,
    /// Guidance toward the labels: 1 none.
    pub guide: f64,
    /// How.
    pub settings: GenerateSettings,
    /// How they are signed, where the settings say that they are.
    pub signing: Signing,
    /// Also a contact sheet.
    pub sheet: bool,
    /// Columns of the contact sheet; near-square if absent.
    pub columns: Option<usize>,
    /// Folder for the files; `NAME-pictures` after the model's name if absent.
    pub out: Option<PathBuf>,
    /// Replace other files of the same names.
    pub overwrite: bool,
    /// What the person says to the gate of near copies.
    pub gate: GateOptions,
}

impl GenerateRequest {
    /// The folder for the files.
    pub fn folder(&self, painter: &Painter) -> PathBuf {
        self.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}-pictures", plain(&painter.model().name))))
    }

    /// How the pictures leave.
    fn printing(&self, painter: &Painter) -> Printing {
        Printing {
            settings: self.settings.clone(),
            signing: self.signing.clone(),
            out: self.folder(painter),
            overwrite: self.overwrite,
            gate: self.gate.clone(),
            sheet: self.sheet.then_some(self.columns),
        }
    }

    /// The names of the files, in order.
    pub fn files(&self, recipes: &[Recipe]) -> Vec<String> {
        recipes.iter().map(|recipe| file_name(recipe, self)).collect()
    }

    /// Before anything is painted: no two pictures may have one name, and no file of another picture may lie where one shall be
    /// written.
    pub fn check_names(&self, folder: &Path, recipes: &[Recipe]) -> Result<()> {
        paths::check_folder(folder)?;
        let mut names = HashMap::new();
        for recipe in recipes {
            let name = file_name(recipe, self);
            let path = folder.join(&name);
            if names.insert(name, recipe).is_some_and(|other| other != recipe) {
                return Err(two_alike(&path, "their labels are alike but for signs a file name leaves out"));
            }
            if !self.overwrite {
                check_free(&path, &recipe.to_json()?)?;
            }
        }
        Ok(())
    }
}

fn two_alike(path: &Path, why: &str) -> Error {
    Error::Setting {
        message: format!("two of these pictures would be {}", path.display()),
        hint: format!("{why}: paint them into separate folders (-o)"),
    }
}

/// Whether no file lies there, or one of the same recipe. That its bytes are the same too, only the painting can tell: a recipe does
/// not hold the quality of a JPEG.
pub(crate) fn check_free(path: &Path, recipe: &str) -> Result<()> {
    let Ok(bytes) = fs_err::read(path) else { return Ok(()) };
    let found = pinxit_image::read_recipe(&bytes).ok().flatten();
    if found.as_deref() == Some(recipe) { Ok(()) } else { Err(Error::InTheWay { path: path.into() }) }
}

/// What was painted.
#[derive(Clone, Debug, Serialize)]
pub struct Generated {
    /// Hash of the model.
    pub model: String,
    /// The files, in order.
    pub pictures: Vec<PathBuf>,
    /// The contact sheet.
    pub sheet: Option<PathBuf>,
    /// Whose name stands in their credentials; none where they are not signed.
    pub signed_by: Option<String>,
    /// What the gate of near copies found.
    #[serde(flatten)]
    pub gate: GateReport,
}

impl Generated {
    /// With the pictures of another command beside these.
    pub(crate) fn join(&mut self, other: Generated) {
        self.pictures.extend(other.pictures);
        self.gate.join(other.gate);
    }

    /// An error where pictures were withheld, for that is how a command ends.
    pub fn verdict(&self) -> Result<()> {
        crate::gate::verdict(&self.gate, self.pictures.len() + self.gate.near_copies.len())
    }
}

/// Paints; every file carries its recipe and is written whole or not at all.
pub fn generate(studio: &Studio, request: &GenerateRequest, watcher: &mut dyn Watcher) -> Result<Generated> {
    let (mut painter, recipes) = plan(studio, request)?;
    watcher.event(Event::Started { task: Task::Generate, name: painter.model().name.clone() });
    for message in remarks(&painter, request) {
        watcher.event(Event::Warning { message, hint: None });
    }
    let printing = request.printing(&painter);
    request.check_names(&printing.out, &recipes)?;
    let orders: Vec<Order> =
        recipes.into_iter().map(|recipe| Order { name: file_name(&recipe, request), recipe, origin: Origin::Recipe }).collect();
    let made = publish(studio, &mut painter, &orders, &printing, watcher)?;
    watcher.event(Event::Finished { task: Task::Generate, result: figures(&made), next: suggestions(&made) });
    Ok(made)
}

/// What makes sense after painting.
pub fn suggestions(made: &Generated) -> Vec<String> {
    let first = made.pictures.first().map(|p| p.display().to_string());
    first.map_or(Vec::new(), |first| vec![command(&["info", &first]), command(&["generate", "--from", &first])])
}

/// `trees-oak-000042.png`, `trees-oak-000042-psi0.7-x4.png`; class and style only where the model has them, psi and guidance where they are not 1,
/// the enlargement where there is one.
fn file_name(recipe: &Recipe, request: &GenerateRequest) -> String {
    let labels = [&recipe.class, &recipe.style].into_iter().flatten().map(|l| format!("{}-", plain(l))).collect::<String>();
    let psi = if recipe.psi == 1.0 { String::new() } else { format!("-psi{}", recipe.psi) };
    let guide = if request.guide == 1.0 { String::new() } else { format!("-guide{}", request.guide) };
    let times = |op: &Operation| if let Operation::Enlarge { times } = op { format!("-x{times}") } else { String::new() };
    let large: String = recipe.operations.iter().map(times).collect();
    format!("{}-{labels}{:06}{psi}{guide}{large}.{}", plain(&recipe.model.name), recipe.seed, request.settings.format.extension())
}

/// A label as part of a file name.
pub(crate) fn plain(label: &str) -> String {
    label.chars().take(60).map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect()
}
