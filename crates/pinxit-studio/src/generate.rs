//! A model into pictures, and a picture's recipe into the same picture again.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub use pinxit_create::Prompt;
use pinxit_create::{Painter, Recipe};
use pinxit_image::{Encoding, Format, Metadata, Picture};
use pinxit_tensor::Rng;
use serde::Serialize;

use crate::event::{Event, Task, Watcher, figures};
use crate::outbox::{Outbox, Parcel};
use crate::press::Press;
use crate::settings::{GenerateSettings, ImageFormat};
use crate::shell::command;
use crate::sign::Signing;
use crate::{Error, Result, Studio, counted, models, paths};

/// Space between pictures of a contact sheet.
const SHEET_GAP_PX: u32 = 2;
/// Pictures painted at once: enough for every thread of a large machine, few enough to stop soon.
const AT_ONCE: usize = 32;
/// Most pictures of one contact sheet.
const SHEET_MOST: usize = 4096;

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
}

/// Paints; every file carries its recipe and is written whole or not at all.
pub fn generate(studio: &Studio, request: &GenerateRequest, watcher: &mut dyn Watcher) -> Result<Generated> {
    let (mut painter, recipes) = plan(studio, request)?;
    watcher.event(Event::Started { task: Task::Generate, name: painter.model().name.clone() });
    for message in remarks(&painter, request) {
        watcher.event(Event::Warning { message, hint: None });
    }
    if request.sheet && recipes.len() > SHEET_MOST {
        return Err(Error::Setting {
            message: format!("a contact sheet of {} pictures is too large", recipes.len()),
            hint: format!("paint at most {SHEET_MOST} at once, or leave --grid away"),
        });
    }
    let out = request.folder(&painter);
    request.check_names(&out, &recipes)?;
    let encoding = request.settings.format.encoding(request.settings.quality);
    let mut outbox = Outbox::open(studio, request.overwrite)?;
    let press = Press::open(studio, request.settings.sign.then_some(&request.signing), request.overwrite, watcher)?;
    press.warn_of(&[encoding], watcher);
    paths::make_folder(&out)?;
    let mut made =
        Generated { model: painter.model().hash.clone(), pictures: Vec::new(), sheet: None, signed_by: press.signed_by() };
    let mut on_sheet = Vec::new();
    for (i, part) in recipes.chunks(AT_ONCE).enumerate() {
        watcher.event(progress(i * AT_ONCE, recipes.len()));
        if watcher.stop() {
            sent(outbox.send()?, &mut made, watcher);
            watcher.event(Event::Interrupted { task: Task::Generate, resume: None });
            return Err(Error::Interrupted { resume: None });
        }
        for (recipe, picture) in part.iter().zip(painter.paint(part)?) {
            let path = out.join(file_name(recipe, request));
            let text = recipe.to_json()?;
            let file = press.finish(&path, encoded(&picture, encoding, &text, recipe)?, &painter, Some(&text))?;
            sent(outbox.add(Parcel::new(path, file, &picture, recipe))?, &mut made, watcher);
            on_sheet.extend(request.sheet.then_some(picture));
        }
    }
    sent(outbox.send()?, &mut made, watcher);
    watcher.event(progress(recipes.len(), recipes.len()));
    if request.sheet {
        let path = write_sheet(&out, &on_sheet, request, &recipes, &press, &painter)?;
        watcher.event(Event::Picture { role: "sheet".into(), path: path.clone() });
        made.sheet = Some(path);
    }
    watcher.event(Event::Finished { task: Task::Generate, result: figures(&made), next: suggestions(&made) });
    Ok(made)
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

/// The model, opened, and every recipe: labels are checked before anything is painted.
pub fn plan(studio: &Studio, request: &GenerateRequest) -> Result<(Painter, Vec<Recipe>)> {
    let found = models::find(studio, &request.model)?;
    let painter = Painter::open(found.load()?, &found.name);
    let prompt = request.prompt.as_deref().map(|text| painter.prompt(text)).unwrap_or_default();
    let caption = request.caption.as_ref().or(request.prompt.as_ref());
    let named =
        |asked: &[String], said: &Option<String>| if asked.is_empty() { said.iter().cloned().collect() } else { asked.to_vec() };
    let (classes, styles) = (named(&request.classes, &prompt.class), named(&request.styles, &prompt.style));
    let mut recipes = Vec::new();
    for &seed in &request.seeds {
        let mut draw = Rng::stream(seed, "labels");
        // Words say what to paint: a class drawn beside them would say something else.
        let classes = asked_or(&classes, || painter.draw_class(&mut draw).filter(|_| prompt.words.is_empty()));
        let styles = asked_or(&styles, || painter.draw_style(&mut draw));
        for class in &classes {
            for style in &styles {
                let mut recipe = painter.recipe(seed, class.as_deref(), style.as_deref(), request.settings.psi)?;
                recipe.caption = caption.cloned();
                recipes.push(recipe);
            }
        }
    }
    Ok((painter, recipes))
}

/// What a person should know of her words: which of them mean nothing to the model.
pub fn remarks(painter: &Painter, request: &GenerateRequest) -> Vec<String> {
    let Some(text) = &request.prompt else { return Vec::new() };
    let (prompt, words) = (painter.prompt(text), painter.vocabulary().terms());
    let known = match words {
        [] => "it learnt no captions (train --condition captions), only names of classes and styles are understood".into(),
        words => format!("it reads {}, such as {}", counted(words.len(), "word"), words[..words.len().min(8)].join(", ")),
    };
    let (mut remarks, mut aside) = (Vec::new(), prompt.set_aside);
    aside.extend(prompt.class.filter(|c| !request.classes.is_empty() && !request.classes.contains(c)));
    aside.extend(prompt.style.filter(|s| !request.styles.is_empty() && !request.styles.contains(s)));
    if !aside.is_empty() {
        remarks.push(format!("not painted: {} (a picture has one class and one style)", aside.join(", ")));
    }
    if !prompt.unknown.is_empty() {
        remarks.push(format!("the model does not know: {} ({known})", prompt.unknown.join(", ")));
    }
    remarks
}

/// What a prompt was understood as, in one line.
pub fn understood(prompt: &Prompt) -> String {
    let part = |what: &str, said: &str| format!("{what} {}", if said.is_empty() { "none" } else { said });
    let (class, style) = (prompt.class.as_deref().unwrap_or_default(), prompt.style.as_deref().unwrap_or_default());
    [part("class", class), part("style", style), part("words", &prompt.words.join(", "))].join("; ")
}

/// The labels asked for; else one drawn, if the model knows any.
fn asked_or<'a>(asked: &[String], draw: impl FnOnce() -> Option<&'a str>) -> Vec<Option<String>> {
    if asked.is_empty() { vec![draw().map(String::from)] } else { asked.iter().cloned().map(Some).collect() }
}

/// Which pictures to paint again.
#[derive(Clone, Debug)]
pub struct RepaintRequest {
    /// Files with recipes in them.
    pub pictures: Vec<PathBuf>,
    /// Another file format; without it each file keeps its own.
    pub format: Option<ImageFormat>,
    /// Of lossy formats.
    pub quality: u8,
    /// Folder for the files.
    pub out: PathBuf,
    /// How they are signed, if they are.
    pub signing: Option<Signing>,
    /// Replace other files of the same names.
    pub overwrite: bool,
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
        painter_for(studio, path, &again.recipe)?;
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
    let press = Press::open(studio, request.signing.as_ref(), request.overwrite, watcher)?;
    press.warn_of(&recipes.iter().map(|again| again.encoding).collect::<Vec<_>>(), watcher);
    let mut made = Generated { model: String::new(), pictures: Vec::new(), sheet: None, signed_by: press.signed_by() };
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
            _ => open.insert(painter_for(studio, path, &recipe)?),
        };
        let picture = paint(painter, &recipe)?;
        let to = request.out.join(name);
        let file = press.finish(&to, encoded(&picture, encoding, &text, &recipe)?, painter, Some(&text))?;
        sent(outbox.add(Parcel::new(to, file, &picture, &recipe))?, &mut made, watcher);
        made.model = recipe.model.hash;
    }
    sent(outbox.send()?, &mut made, watcher);
    watcher.event(Event::Finished { task: Task::Generate, result: figures(&made), next: Vec::new() });
    Ok(made)
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

fn painter_for(studio: &Studio, path: &Path, recipe: &Recipe) -> Result<Painter> {
    match models::find_by_hash(studio, &recipe.model.hash, &recipe.model.name)? {
        Some((_, model)) => Ok(Painter::open(model, &recipe.model.name)),
        None => Err(Error::NoSuchModel {
            path: path.into(),
            name: recipe.model.name.clone(),
            hash: recipe.model.hash.clone(),
            home: studio.home().into(),
            renamed: models::find(studio, &recipe.model.name).is_ok(),
        }),
    }
}

fn paint(painter: &mut Painter, recipe: &Recipe) -> Result<Picture> {
    let mut pictures = painter.paint(std::slice::from_ref(recipe))?;
    pictures.pop().ok_or_else(|| std::io::Error::other("a recipe gave no picture").into())
}

fn progress(step: usize, total: usize) -> Event {
    Event::Progress { task: Task::Generate, phase: "painting".into(), step: step as u64, total: total as u64 }
}

/// `trees-oak-000042.png`, `trees-oak-000042-psi0.7.png`; class and style only where the model has them, psi where it is not 1.
fn file_name(recipe: &Recipe, request: &GenerateRequest) -> String {
    let labels = [&recipe.class, &recipe.style].into_iter().flatten().map(|l| format!("{}-", plain(l))).collect::<String>();
    let psi = if recipe.psi == 1.0 { String::new() } else { format!("-psi{}", recipe.psi) };
    format!("{}-{labels}{:06}{psi}.{}", plain(&recipe.model.name), recipe.seed, request.settings.format.extension())
}

/// A label as part of a file name.
fn plain(label: &str) -> String {
    label.chars().take(60).map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

fn again_name(path: &Path, encoding: &Encoding) -> String {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{stem}-again.{}", encoding.extension())
}

fn encoded(picture: &Picture, encoding: Encoding, recipe_text: &str, recipe: &Recipe) -> Result<Vec<u8>> {
    let metadata =
        Metadata { recipe: Some(recipe_text.to_string()), title: recipe.caption.clone(), software: recipe.software.clone() };
    Ok(pinxit_image::encode(picture, encoding, &metadata)?)
}

/// `sheet.png`, or the next free number after it: nobody chose that name, so another sheet in the folder is no reason to fail.
fn write_sheet(
    folder: &Path,
    pictures: &[Picture],
    request: &GenerateRequest,
    recipes: &[Recipe],
    press: &Press,
    painter: &Painter,
) -> Result<PathBuf> {
    let columns = request.columns.unwrap_or_else(|| (pictures.len() as f64).sqrt().ceil() as usize).max(1);
    let sheet = pinxit_image::grid(pictures, columns, SHEET_GAP_PX)?;
    let bytes = pinxit_image::encode(&sheet, Encoding::Png, &about_sheet(recipes))?;
    let wanted = folder.join("sheet.png");
    let path = if request.overwrite { wanted } else { paths::free_or(&wanted, |path| press.is_same(path, &bytes)) };
    press.write(&path, bytes, painter, None)?;
    Ok(path)
}

/// What a contact sheet says of itself, as its title: no recipe paints it, but the model and the seeds paint its pictures.
fn about_sheet(recipes: &[Recipe]) -> Metadata {
    let Some(first) = recipes.first() else { return Metadata::default() };
    let seeds = ranges(recipes.iter().map(|r| r.seed));
    let title = format!("seeds {seeds} of {} ({}), psi {}", first.model.name, first.model.hash, first.psi);
    Metadata { title: Some(title), software: first.software.clone(), recipe: None }
}

/// `1,5,9-12`, as `--seeds` reads them.
fn ranges(seeds: impl Iterator<Item = u64>) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for seed in seeds {
        match runs.last_mut() {
            // A seed painted in several classes is one seed.
            Some((_, last)) if *last == seed || last.checked_add(1) == Some(seed) => *last = seed,
            _ => runs.push((seed, seed)),
        }
    }
    let written = |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.iter().map(written).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_written_as_they_are_read() {
        assert_eq!(ranges([1, 5, 9, 9, 10, 11, 12, u64::MAX].into_iter()), "1,5,9-12,18446744073709551615");
    }
}
