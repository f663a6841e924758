//! A model into pictures, and a picture's recipe into the same picture again.
mod again;
mod plan;
mod sheet;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub use pinxit_create::Prompt;
use pinxit_create::{Operation, Painter, Recipe};
use serde::Serialize;

pub use self::again::{RepaintRequest, repaint, replan};
pub use self::plan::{plan, remarks, understood};
use crate::event::{Event, Task, Watcher, figures};
use crate::gate::{Arrival, Gate, GateOptions, GateReport, Outcome};
use crate::labels::Labels;
use crate::outbox::Outbox;
use crate::press::{Painted, Press};
use crate::settings::GenerateSettings;
use crate::shell::command;
use crate::sign::Signing;
use crate::{Error, Result, Studio, paths};

/// Pictures painted at once: enough for every thread of a large machine, few enough to stop soon.
const AT_ONCE: usize = 32;
/// Pixels of finished pictures at once: enlarged ones, and what marking them needs beside them, may be large.
const MOST_PIXELS: u64 = AT_ONCE as u64 * 1024 * 1024;

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
fn check_free(path: &Path, recipe: &str) -> Result<()> {
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
    if request.sheet {
        sheet::check_size(recipes.len())?;
    }
    let out = request.folder(&painter);
    request.check_names(&out, &recipes)?;
    let encoding = request.settings.format.encoding(request.settings.quality);
    let labels = Labels::of(&request.settings.visible_label, &request.settings.label)?;
    let mut outbox = Outbox::open(studio, request.overwrite)?;
    let signing = request.settings.sign.then_some(&request.signing);
    let press = Press::open(studio, signing, request.settings.watermark, watcher)?.with_labels(labels);
    press.warn_of(&[encoding], watcher);
    let mut gate = Gate::new(studio, &request.gate);
    gate.open_for(&painter, watcher)?;
    let at_once = match recipes.first().map(|recipe| painter.sides(recipe)).transpose()? {
        Some(sides) => {
            press.warn_of_size(sides, watcher);
            pictures_at_once(sides)
        }
        None => AT_ONCE,
    };
    paths::make_folder(&out)?;
    let model = painter.model().hash.clone();
    let mut made =
        Generated { model, pictures: Vec::new(), sheet: None, signed_by: press.signed_by(), gate: GateReport::default() };
    let (mut on_sheet, mut shown) = (Vec::new(), Vec::new());
    for (i, part) in recipes.chunks(at_once).enumerate() {
        watcher.event(progress(i * at_once, recipes.len()));
        if watcher.stop() {
            sent(outbox.send()?, &mut made, watcher);
            watcher.event(Event::Interrupted { task: Task::Generate, resume: None });
            return Err(Error::Interrupted { resume: None });
        }
        let (pictures, names) = (painter.paint(part)?, request.files(part));
        let texts: Vec<String> = part.iter().map(Recipe::to_json).collect::<std::result::Result<_, _>>()?;
        let arrivals = part.iter().zip(&names).zip(&pictures);
        let arrivals: Vec<_> = arrivals.map(|((recipe, name), picture)| Arrival { name, recipe, picture }).collect();
        let (mut painted, mut outcomes) = (Vec::new(), Vec::new());
        for ((arrival, text), outcome) in arrivals.iter().zip(&texts).zip(gate.judge(&arrivals)?) {
            if outcome == Outcome::Withheld {
                continue;
            }
            let Arrival { name, recipe, picture } = *arrival;
            painted.push(Painted { path: out.join(name), picture, recipe, text });
            outcomes.push(outcome);
            if request.sheet {
                on_sheet.push(picture.clone());
                shown.push(recipe.clone());
            }
        }
        for (parcel, outcome) in press.print_all(&painted, encoding, &painter)?.into_iter().zip(outcomes) {
            parcel.warn(watcher);
            sent(gate.send(outcome, parcel, &mut outbox)?, &mut made, watcher);
        }
    }
    sent(gate.release(&mut outbox)?, &mut made, watcher);
    sent(outbox.send()?, &mut made, watcher);
    in_order(&mut made.pictures, request.files(&recipes).iter().map(|name| out.join(name)));
    made.gate = gate.report(watcher);
    watcher.event(progress(recipes.len(), recipes.len()));
    if request.sheet && !on_sheet.is_empty() {
        let parcel = sheet::print(&out, &on_sheet, request, &shown, &press, &painter)?;
        parcel.warn(watcher);
        let path = parcel.path.clone();
        outbox.add(parcel)?;
        outbox.send()?;
        watcher.event(Event::Picture { role: "sheet".into(), path: path.clone() });
        made.sheet = Some(path);
    }
    watcher.event(Event::Finished { task: Task::Generate, result: figures(&made), next: suggestions(&made) });
    Ok(made)
}

/// Near copies that may leave are written last: all paths in the order in which they were asked for.
fn in_order(paths: &mut [PathBuf], asked: impl Iterator<Item = PathBuf>) {
    let places: HashMap<PathBuf, usize> = asked.zip(0..).collect();
    paths.sort_by_key(|path| places.get(path).copied());
}

/// Tells of pictures that were written.
fn sent(paths: Vec<PathBuf>, made: &mut Generated, watcher: &mut dyn Watcher) {
    for path in paths {
        watcher.event(Event::Picture { role: "picture".into(), path: path.clone() });
        made.pictures.push(path);
    }
}

/// What makes sense after painting.
pub fn suggestions(made: &Generated) -> Vec<String> {
    let first = made.pictures.first().map(|p| p.display().to_string());
    first.map_or(Vec::new(), |first| vec![command(&["info", &first]), command(&["generate", "--from", &first])])
}

fn progress(step: usize, total: usize) -> Event {
    Event::Progress { task: Task::Generate, phase: "painting".into(), step: step as u64, total: total as u64 }
}

/// How many pictures of these sides (px) are painted, marked and encoded at once.
fn pictures_at_once((width, height): (u32, u32)) -> usize {
    (MOST_PIXELS / (u64::from(width) * u64::from(height)).max(1)).clamp(1, AT_ONCE as u64) as usize
}

/// `trees-oak-000042.png`, `trees-oak-000042-psi0.7-x4.png`; class and style only where the model has them, psi where it is not 1, the
/// enlargement where there is one.
fn file_name(recipe: &Recipe, request: &GenerateRequest) -> String {
    let labels = [&recipe.class, &recipe.style].into_iter().flatten().map(|l| format!("{}-", plain(l))).collect::<String>();
    let psi = if recipe.psi == 1.0 { String::new() } else { format!("-psi{}", recipe.psi) };
    let large: String = recipe.operations.iter().map(|Operation::Enlarge { times }| format!("-x{times}")).collect();
    format!("{}-{labels}{:06}{psi}{large}.{}", plain(&recipe.model.name), recipe.seed, request.settings.format.extension())
}

/// A label as part of a file name.
fn plain(label: &str) -> String {
    label.chars().take(60).map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect()
}
