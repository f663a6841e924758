//! Walks and loops: key frames and the way between them, in one file.
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pinxit_create::walk::AnimationRecipe;
use pinxit_create::{Latents, Operation, Painter, Recipe};
use pinxit_image::{Animation, AnimationFormat, AnimationSpec, Metadata, Picture};
use pinxit_tensor::pool;
use serde::Serialize;
use serde_json::json;

use super::ffmpeg::Video;
use crate::event::{Event, Task, Watcher, figures};
use crate::generate::{Printing, check_free};
use crate::labels::Labels;
use crate::mark::Mark;
use crate::origin::Origin;
use crate::outbox::{Outbox, Parcel};
use crate::press::{Finished, Press};
use crate::{Error, Result, Studio, paths};

/// Frames painted at once: memory does not grow with the length.
const AT_ONCE: usize = 16;
/// Frames of one animation at most: twenty minutes at 30 a second.
pub const MOST_FRAMES: usize = 36_000;

/// An animation that was made.
#[derive(Clone, Debug, Serialize)]
pub struct Animated {
    /// Hash of the model.
    pub model: String,
    /// The file.
    pub file: PathBuf,
    /// Pictures in it.
    pub frames: usize,
    /// Its length.
    pub seconds: f64,
    /// Whether it carries a credential.
    pub signed: bool,
}

/// What a file's name says that it is to be.
#[derive(Clone, Copy)]
enum Kind {
    Own(AnimationFormat),
    Video(&'static str),
}

fn kind_of(file: &Path) -> Result<Kind> {
    let ending = file.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "gif" => Ok(Kind::Own(AnimationFormat::Gif)),
        "png" | "apng" => Ok(Kind::Own(AnimationFormat::Apng)),
        "webp" => Ok(Kind::Own(AnimationFormat::WebP)),
        "mp4" => Ok(Kind::Video("mp4")),
        "webm" => Ok(Kind::Video("webm")),
        _ => Err(Error::Setting {
            message: format!("{} does not say what kind of animation it shall be", file.display()),
            hint: "end its name with .gif, .png, .webp, or with .mp4 or .webm where there is an ffmpeg".into(),
        }),
    }
}

/// The recipe in an animation's file.
pub fn recipe_in(file: &Path) -> Result<AnimationRecipe> {
    let text = pinxit_image::read_recipe(&fs_err::read(file)?).map_err(|e| Error::from(e).in_file(file))?;
    let text = text.ok_or_else(|| Error::NoRecipe { path: file.into() })?;
    AnimationRecipe::from_json(&text).map_err(|e| Error::from(e).in_file(file))
}

/// Paints an animation into `file`. GIF, APNG and WebP carry its recipe and are signed; videos are neither. `keys` are the files of the key frames
/// that are pictures.
pub fn animate(
    studio: &Studio,
    painter: &mut Painter,
    (recipe, keys): (&AnimationRecipe, &[PathBuf]),
    (file, printing): (&Path, &Printing),
    watcher: &mut dyn Watcher,
) -> Result<Animated> {
    recipe.check()?;
    if recipe.frames > MOST_FRAMES {
        return Err(Error::Setting {
            message: format!("{} frames are too many for one animation", recipe.frames),
            hint: format!("{MOST_FRAMES} at most: make it shorter, or choose fewer frames a second"),
        });
    }
    let (kind, text) = (kind_of(file)?, recipe.to_json()?);
    paths::check_folder(file.parent().unwrap_or(Path::new(".")))?;
    if !printing.overwrite {
        check_free(file, &text)?;
    }
    let origin = Origin::inputs(keys)?;
    let mut outbox = Outbox::open(studio, printing.overwrite)?;
    let signing = (printing.settings.sign && matches!(kind, Kind::Own(_))).then_some(&printing.signing);
    let labels = Labels::of(&printing.settings.visible_label, &printing.settings.label)?;
    let press = Press::open(studio, signing, printing.settings.watermark, watcher)?.with_labels(labels);
    if matches!(kind, Kind::Video(_)) && printing.settings.sign {
        let message = "videos carry neither a recipe nor a credential here".into();
        watcher.event(Event::Warning { message, hint: Some("keep a .webp or .png of it as well: those do".into()) });
    }
    if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
        paths::make_folder(folder)?;
    }
    watcher.event(Event::Started { task: Task::Explore, name: painter.model().name.clone() });
    let first = &recipe.animation[0];
    let (width, height) = painter.sides(first)?;
    press.warn_of_size((width, height), watcher);
    let spec = AnimationSpec { width, height, frames: recipe.frames as u32, fps: recipe.fps };
    let about = Metadata {
        recipe: Some(text.clone()),
        title: first.caption.clone(),
        software: first.software.clone(),
        ..Metadata::default()
    };
    let (about, disclosure) = press.about(file, about);
    let mut film = Film::begin(kind, file, spec, &about)?;
    let shown = frames(painter, recipe, &press, &text, &mut film, watcher)?;
    let unsigned = Finished { bytes: film.finish()?, picture: shown.0, mark: shown.1, disclosure, replaces: false };
    let finished = press.signed(file, unsigned, painter, Some((first, &text, &origin)))?;
    let parcel = Parcel::new(file.into(), finished, painter.model(), &json!({ "frames": recipe.frames, "seed": first.seed }));
    parcel.warn(watcher);
    outbox.add(parcel)?;
    outbox.send()?;
    let seconds = recipe.frames as f64 / f64::from(recipe.fps);
    let signed = press.signed_by().is_some();
    let made = Animated { model: painter.model().hash.clone(), file: file.into(), frames: recipe.frames, seconds, signed };
    watcher.event(Event::Picture { role: "animation".into(), path: file.into() });
    watcher.event(Event::Finished { task: Task::Explore, result: figures(&made), next: Vec::new() });
    Ok(made)
}

/// A frame, and the watermark in it.
type Frame = (Picture, Option<Mark>);

/// Paints, marks and writes every frame; gives the first with its mark, which stand for the file in the ledger.
fn frames(
    painter: &mut Painter,
    recipe: &AnimationRecipe,
    press: &Press,
    text: &str,
    film: &mut Film,
    watcher: &mut dyn Watcher,
) -> Result<Frame> {
    let keys: Vec<Latents> = recipe.animation.iter().map(|key| painter.latents(key)).collect::<std::result::Result<_, _>>()?;
    // Bends and enlargement are those of the first key frame: a map is bent or it is not.
    let after: Vec<Operation> = recipe.animation[0]
        .operations
        .iter()
        .filter(|op| matches!(op, Operation::Bend(_) | Operation::Enlarge { .. }))
        .cloned()
        .collect();
    let plain = Recipe { operations: after, ..recipe.animation[0].clone() };
    let mut first = None;
    for from in (0..recipe.frames).step_by(AT_ONCE) {
        watcher.event(Event::Progress {
            task: Task::Explore,
            phase: "painting frames".into(),
            step: from as u64,
            total: recipe.frames as u64,
        });
        if watcher.stop() {
            watcher.event(Event::Interrupted { task: Task::Explore, resume: None });
            return Err(Error::Interrupted { resume: None });
        }
        let part = from..(from + AT_ONCE).min(recipe.frames);
        let latents: Vec<Latents> = part.map(|i| recipe.latents(painter, &keys, i)).collect::<std::result::Result<_, _>>()?;
        let slots: Vec<OnceLock<Result<Frame>>> = latents.iter().map(|_| Default::default()).collect();
        let painter = &*painter;
        let paint = |i: usize| -> Result<Frame> {
            let picture = plain.finish(&painter.paint_latents(&latents[i], &plain)?)?;
            press.mark(picture, text)
        };
        pool::tasks(latents.len(), |i| {
            slots[i].get_or_init(|| paint(i));
        });
        for (i, slot) in slots.into_iter().enumerate() {
            let (picture, mark) = slot.into_inner().unwrap_or_else(|| paint(i))?;
            film.frame(&picture)?;
            first.get_or_insert((picture, mark));
        }
    }
    first.ok_or_else(|| std::io::Error::other("an animation without frames").into())
}

/// A file in the making.
enum Film {
    Own { animation: Box<Animation<BufWriter<std::fs::File>>>, file: tempfile::NamedTempFile },
    Video(Video),
}

impl Film {
    fn begin(kind: Kind, path: &Path, spec: AnimationSpec, about: &Metadata) -> Result<Self> {
        match kind {
            Kind::Own(format) => {
                let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let file = tempfile::Builder::new().prefix(".pinxit-").suffix(".partial").tempfile_in(folder)?;
                let animation = Animation::begin(BufWriter::new(file.reopen()?), format, spec, about)?;
                Ok(Film::Own { animation: Box::new(animation), file })
            }
            Kind::Video(ending) => Ok(Film::Video(Video::begin(path, ending, spec)?)),
        }
    }

    fn frame(&mut self, picture: &Picture) -> Result<()> {
        match self {
            Film::Own { animation, .. } => Ok(animation.frame(picture)?),
            Film::Video(video) => video.frame(picture),
        }
    }

    fn finish(self) -> Result<Vec<u8>> {
        match self {
            Film::Own { animation, file } => {
                animation.finish()?;
                Ok(fs_err::read(file.path())?)
            }
            Film::Video(video) => video.finish(),
        }
    }
}
