//! A picture's recipe into the same picture again.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pinxit_create::{Painter, Recipe};
use pinxit_image::{Encoding, Format, Picture};

use super::publish::{in_order, progress, sent};
use super::{Generated, check_free, two_alike};
use crate::event::{Event, Task, Watcher, figures};
use crate::gate::{Arrival, Gate, GateOptions, GateReport, Outcome};
use crate::labels::Labels;
use crate::origin::Origin;
use crate::outbox::Outbox;
use crate::press::{Painted, Press};
use crate::settings::ImageFormat;
use crate::shell::command;
use crate::sign::Signing;
use crate::{Error, Result, Studio, models, paths};

/// Which pictures to paint again.
#[derive(Clone, Debug)]
pub struct RepaintRequest {
    /// Files with recipes in them.
    pub pictures: Vec<PathBuf>,
    /// The model that painted them, where the home does not have it.
    pub model: Option<String>,
    /// Another file format; without it each file keeps its own.
    pub format: Option<ImageFormat>,
    /// Of lossy formats.
    pub quality: u8,
    /// Folder for the files.
    pub out: PathBuf,
    /// Hide a watermark in those that are large enough.
    pub watermark: bool,
    /// How they are signed, if they are.
    pub signing: Option<Signing>,
    /// Labels on them. A recipe knows of none: a labelled picture is painted again without, unless they are asked for again.
    pub labels: Labels,
    /// Replace other files of the same names.
    pub overwrite: bool,
    /// What the person says to the gate of near copies.
    pub gate: GateOptions,
}

/// A recipe found in a file, and how its picture will be written.
struct Again {
    text: String,
    recipe: Recipe,
    encoding: Encoding,
    name: String,
}

impl RepaintRequest {
    /// Every recipe, before anything is painted: all can be read, the folder can be one, no two pictures have one name, and no file
    /// of another picture is in the way.
    fn read_all(&self) -> Result<Vec<Again>> {
        paths::check_folder(&self.out)?;
        let mut names = HashMap::new();
        let mut all = Vec::new();
        for path in &self.pictures {
            let again = self.read(path)?;
            let to = self.out.join(&again.name);
            if names.insert(to.clone(), again.text.clone()).is_some_and(|other| other != again.text) {
                return Err(two_alike(&to, "they have one name"));
            }
            if !self.overwrite {
                check_free(&to, &again.text)?;
            }
            all.push(again);
        }
        Ok(all)
    }

    fn read(&self, path: &Path) -> Result<Again> {
        let (text, own_format) = read(path)?;
        let recipe = Recipe::from_json(&text).map_err(|e| Error::from(e).in_file(path))?;
        let encoding = self.format.or(own_format).unwrap_or(ImageFormat::Png).encoding(self.quality);
        Ok(Again { text, recipe, encoding, name: again_name(path, &encoding) })
    }
}

/// The names of the files that [`repaint`] would write; refused where that would be.
pub fn replan(studio: &Studio, request: &RepaintRequest) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (path, again) in request.pictures.iter().zip(request.read_all()?) {
        painter_for(studio, path, &again.recipe, request.model.as_deref())?
            .sides(&again.recipe)
            .map_err(|e| Error::from(e).in_file(path))?;
        names.push(again.name);
    }
    Ok(names)
}

/// Paints the recipes found in pictures again: the same pixels. A recipe is written back word for word, so without a signature,
/// which holds the time, a file has the same bytes as its original had without one.
pub fn repaint(studio: &Studio, request: &RepaintRequest, watcher: &mut dyn Watcher) -> Result<Generated> {
    let (pictures, recipes) = (&request.pictures, request.read_all()?);
    watcher.event(Event::Started { task: Task::Generate, name: "again".into() });
    let mut outbox = Outbox::open(studio, request.overwrite)?;
    let press = Press::open(studio, request.signing.as_ref(), request.watermark, watcher)?.with_labels(request.labels.clone());
    press.warn_of(&recipes.iter().map(|again| again.encoding).collect::<Vec<_>>(), watcher);
    let (signed_by, gate_report) = (press.signed_by(), GateReport::default());
    let mut made = Generated { model: String::new(), pictures: Vec::new(), sheet: None, signed_by, gate: gate_report };
    let mut gate = Gate::new(studio, &request.gate);
    let asked: Vec<PathBuf> = recipes.iter().map(|again| request.out.join(&again.name)).collect();
    let mut open: Option<Painter> = None;
    for (i, (path, again)) in pictures.iter().zip(recipes).enumerate() {
        watcher.event(progress(i, pictures.len()));
        if watcher.stop() {
            sent(outbox.send()?, &mut made, watcher);
            return Err(Error::Interrupted { resume: None });
        }
        let Again { text, recipe, encoding, name } = again;
        let painter = match open.take() {
            Some(painter) if painter.model().hash == recipe.model.hash => open.insert(painter),
            _ => {
                let painter = open.insert(painter_for(studio, path, &recipe, request.model.as_deref())?);
                sent(gate.release(&mut outbox)?, &mut made, watcher);
                gate.open_for(painter, watcher)?;
                painter
            }
        };
        let sides = painter.sides(&recipe).map_err(|e| Error::from(e).in_file(path))?;
        press.warn_of_size(sides, watcher);
        let picture = paint(painter, &recipe)?;
        let outcomes = gate.judge(&[Arrival { name: &name, recipe: &recipe, picture: &picture }])?;
        for outcome in outcomes.into_iter().filter(|outcome| *outcome != Outcome::Withheld) {
            let painted = Painted {
                path: request.out.join(&name),
                picture: &picture,
                recipe: &recipe,
                text: &text,
                origin: &Origin::Recipe,
            };
            let parcel = press.print(&painted, encoding, painter)?;
            parcel.warn(watcher);
            sent(gate.send(outcome, parcel, &mut outbox)?, &mut made, watcher);
        }
        made.model = recipe.model.hash;
    }
    sent(gate.release(&mut outbox)?, &mut made, watcher);
    sent(outbox.send()?, &mut made, watcher);
    in_order(&mut made.pictures, asked.into_iter());
    made.gate = gate.report(watcher);
    watcher.event(Event::Finished { task: Task::Generate, result: figures(&made), next: Vec::new() });
    Ok(made)
}

/// The recipe in a file.
pub(crate) fn recipe_of(path: &Path) -> Result<Recipe> {
    Recipe::from_json(&read(path)?.0).map_err(|e| Error::from(e).in_file(path))
}

/// The recipe's own text and the file's format, if it is one that can be written.
fn read(path: &Path) -> Result<(String, Option<ImageFormat>)> {
    let bytes = fs_err::read(path)?;
    let format = match pinxit_image::sniff(&bytes) {
        Some(Format::Png) => Some(ImageFormat::Png),
        Some(Format::Jpeg) => Some(ImageFormat::Jpeg),
        Some(Format::WebP) => Some(ImageFormat::Webp),
        Some(Format::Avif) => Some(ImageFormat::Avif),
        _ => None,
    };
    let recipe = pinxit_image::read_recipe(&bytes).map_err(|e| Error::from(e).in_file(path))?;
    Ok((recipe.ok_or_else(|| Error::NoRecipe { path: path.into() })?, format))
}

/// The model of a recipe found in a file: the one that is `named`, else the home's of that hash.
pub(crate) fn painter_for(studio: &Studio, path: &Path, recipe: &Recipe, named: Option<&str>) -> Result<Painter> {
    let wanted = &recipe.model;
    let model = match named {
        Some(word) => {
            let model = models::find(studio, word)?.load_for_use(studio)?;
            if model.hash() != wanted.hash {
                return Err(Error::Setting {
                    message: format!(
                        "{} was painted by \"{}\" ({}), and {word} is another model",
                        path.display(),
                        wanted.name,
                        wanted.hash
                    ),
                    hint: format!("`{}` shows the hash of a model", command(&["models", "show", word])),
                });
            }
            model
        }
        None => match models::find_by_hash(studio, &wanted.hash, &wanted.name)? {
            Some((found, model)) => {
                crate::takedown::check_model(studio, &model, &found.name)?;
                model
            }
            None => {
                let renamed = models::find(studio, &wanted.name).is_ok();
                let (name, hash) = (wanted.name.clone(), wanted.hash.clone());
                return Err(Error::NoSuchModel { path: path.into(), name, hash, home: studio.home().into(), renamed });
            }
        },
    };
    Ok(Painter::open(model, &wanted.name))
}

fn paint(painter: &mut Painter, recipe: &Recipe) -> Result<Picture> {
    let mut pictures = painter.paint(std::slice::from_ref(recipe))?;
    pictures.pop().ok_or_else(|| std::io::Error::other("a recipe gave no picture").into())
}

/// `NAME-again.EXT`.
fn again_name(path: &Path, encoding: &Encoding) -> String {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{stem}-again.{}", encoding.extension())
}
