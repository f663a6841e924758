//! Sheets that show what a tool does: style mixing, directions.
use std::path::{Path, PathBuf};

use pinxit_create::{Operation, Painter, Recipe};
use pinxit_image::{Encoding, Metadata, grid};
use serde::Serialize;
use serde_json::json;

use crate::event::{Event, Task, Watcher, figures};
use crate::generate::{Printing, check_sheet};
use crate::labels::Labels;
use crate::outbox::{Outbox, Parcel};
use crate::press::Press;
use crate::settings::ImageFormat;
use crate::{Error, Result, Studio, paths};

/// Between pictures, px.
const GAP_PX: u32 = 2;
/// Painted at once.
const AT_ONCE: usize = 32;

/// A sheet that was drawn.
#[derive(Clone, Debug, Serialize)]
pub struct Drawn {
    /// Hash of the model.
    pub model: String,
    /// The file.
    pub sheet: PathBuf,
}

/// Style mixing (Karras et al. 2019, arXiv 1812.04948, figure 3): in each row the picture at its left takes `stages` of the picture at the top.
/// In the corner lies the model's mean picture.
pub fn mix(
    studio: &Studio,
    painter: &mut Painter,
    (rows, columns): (&[Recipe], &[Recipe]),
    stages: &[usize],
    (file, printing): (&Path, &Printing),
    watcher: &mut dyn Watcher,
) -> Result<Drawn> {
    let [first, ..] = rows else { return Err(nothing("rows")) };
    if columns.is_empty() {
        return Err(nothing("columns"));
    }
    let mut all = vec![Recipe { psi: 0.0, operations: Vec::new(), ..first.clone() }];
    all.extend(columns.iter().cloned());
    for row in rows {
        all.push(row.clone());
        all.extend(columns.iter().map(|column| mixed(row, column, stages)));
    }
    draw(studio, painter, &all, columns.len() + 1, (file, printing), watcher)
}

fn nothing(what: &str) -> Error {
    Error::Setting {
        message: format!("a mixing sheet without {what} shows nothing"),
        hint: "name seeds for --rows and --columns".into(),
    }
}

/// A picture with some stages of another.
pub fn mixed(recipe: &Recipe, other: &Recipe, stages: &[usize]) -> Recipe {
    let [class, style, caption] = [&other.class, &other.style, &other.caption].map(Clone::clone);
    let operation =
        Operation::Mix { seed: other.seed, class, style, caption, psi: other.psi, by: 1.0, stages: Some(stages.to_vec()) };
    let mut mixed = recipe.clone();
    mixed.operations.push(operation);
    mixed
}

/// Paints recipes and writes them as one picture, marked and signed as any other, with `columns` beside each other.
pub fn draw(
    studio: &Studio,
    painter: &mut Painter,
    recipes: &[Recipe],
    columns: usize,
    (file, printing): (&Path, &Printing),
    watcher: &mut dyn Watcher,
) -> Result<Drawn> {
    check_sheet(recipes.len())?;
    if let Some(folder) = file.parent() {
        paths::check_folder(folder)?;
    }
    let wrong = |message: String| Error::Setting { message, hint: "end its name with .png, .jpg or .webp".into() };
    let encoding = ImageFormat::of_name(file).map_err(wrong)?.encoding(printing.settings.quality);
    watcher.event(Event::Started { task: Task::Explore, name: painter.model().name.clone() });
    let labels = Labels::of(&printing.settings.visible_label, &printing.settings.label)?;
    let mut outbox = Outbox::open(studio, printing.overwrite)?;
    let press = Press::open(studio, printing.settings.sign.then_some(&printing.signing), printing.settings.watermark, watcher)?
        .with_labels(labels);
    press.warn_of(&[encoding], watcher);
    let mut pictures = Vec::new();
    for part in recipes.chunks(AT_ONCE) {
        let (step, total) = (pictures.len() as u64, recipes.len() as u64);
        watcher.event(Event::Progress { task: Task::Explore, phase: "painting".into(), step, total });
        if watcher.stop() {
            watcher.event(Event::Interrupted { task: Task::Explore, resume: None });
            return Err(Error::Interrupted { resume: None });
        }
        pictures.extend(painter.paint(part)?);
    }
    let texts: Vec<String> = recipes.iter().map(Recipe::to_json).collect::<std::result::Result<_, _>>()?;
    let parcel = print(painter, &press, &grid(&pictures, columns, GAP_PX)?, &texts.join("\n"), (file, encoding))?;
    parcel.warn(watcher);
    outbox.add(parcel)?;
    outbox.send()?;
    let drawn = Drawn { model: painter.model().hash.clone(), sheet: file.into() };
    watcher.event(Event::Picture { role: "sheet".into(), path: file.into() });
    watcher.event(Event::Finished { task: Task::Explore, result: figures(&drawn), next: Vec::new() });
    Ok(drawn)
}

fn print(
    painter: &Painter,
    press: &Press,
    sheet: &pinxit_image::Picture,
    text: &str,
    (file, encoding): (&Path, Encoding),
) -> Result<Parcel> {
    let about = Metadata { title: Some(format!("sheet of {}", painter.model().name)), ..Metadata::default() };
    let unsigned = press.marked(file, sheet.clone(), text, about, encoding)?;
    let signed = press.signed(file, unsigned, painter, None)?;
    Ok(Parcel::new(file.into(), signed, painter.model(), &json!({ "sheet": true })))
}
