//! How painted pictures leave, whatever they were painted for: past the gate of near copies, through the press, into the ledger and onto the disk.
use std::collections::HashMap;
use std::path::PathBuf;

use pinxit_create::{Painter, Recipe};

use super::{Generated, sheet};
use crate::event::{Event, Task, Watcher};
use crate::gate::{Arrival, Gate, GateOptions, GateReport, Outcome};
use crate::labels::Labels;
use crate::origin::Origin;
use crate::outbox::Outbox;
use crate::press::{Painted, Press};
use crate::settings::GenerateSettings;
use crate::sign::Signing;
use crate::{Error, Result, Studio, paths};

/// Pictures painted at once: enough for every thread of a large machine, few enough to stop soon.
const AT_ONCE: usize = 32;
/// Pixels of finished pictures at once: enlarged ones, and what marking them needs beside them, may be large.
const MOST_PIXELS: u64 = AT_ONCE as u64 * 1024 * 1024;

/// How pictures leave.
#[derive(Clone, Debug)]
pub struct Printing {
    /// Format, quality, mark, signature; what these settings say of the painting itself stands in the recipes already.
    pub settings: GenerateSettings,
    /// How they are signed, where the settings say that they are.
    pub signing: Signing,
    /// Folder for the files.
    pub out: PathBuf,
    /// Replace other files of the same names.
    pub overwrite: bool,
    /// What the person says to the gate of near copies.
    pub gate: GateOptions,
    /// Also a contact sheet, of so many columns or about square.
    pub sheet: Option<Option<usize>>,
}

/// One picture to paint.
#[derive(Clone, Debug)]
pub struct Order {
    /// Name of its file.
    pub name: String,
    /// What it shows.
    pub recipe: Recipe,
    /// What it was made from.
    pub origin: Origin,
}

/// Paints recipes of one model and writes their files, each whole or not at all. Whether the names are free is the caller's to check.
pub fn publish(
    studio: &Studio,
    painter: &mut Painter,
    orders: &[Order],
    printing: &Printing,
    watcher: &mut dyn Watcher,
) -> Result<Generated> {
    if printing.sheet.is_some() {
        sheet::check_size(orders.len())?;
    }
    let out = &printing.out;
    let encoding = printing.settings.format.encoding(printing.settings.quality);
    let labels = Labels::of(&printing.settings.visible_label, &printing.settings.label)?;
    let mut outbox = Outbox::open(studio, printing.overwrite)?;
    let signing = printing.settings.sign.then_some(&printing.signing);
    let press = Press::open(studio, signing, printing.settings.watermark, watcher)?.with_labels(labels);
    press.warn_of(&[encoding], watcher);
    let mut gate = Gate::new(studio, &printing.gate);
    gate.open_for(painter, watcher)?;
    let at_once = match orders.first().map(|order| painter.sides(&order.recipe)).transpose()? {
        Some(sides) => {
            press.warn_of_size(sides, watcher);
            pictures_at_once(sides)
        }
        None => AT_ONCE,
    };
    paths::make_folder(out)?;
    let model = painter.model().hash.clone();
    let mut made =
        Generated { model, pictures: Vec::new(), sheet: None, signed_by: press.signed_by(), gate: GateReport::default() };
    let (mut on_sheet, mut shown) = (Vec::new(), Vec::new());
    for (i, part) in orders.chunks(at_once).enumerate() {
        watcher.event(progress(i * at_once, orders.len()));
        if watcher.stop() {
            sent(outbox.send()?, &mut made, watcher);
            watcher.event(Event::Interrupted { task: Task::Generate, resume: None });
            return Err(Error::Interrupted { resume: None });
        }
        let recipes: Vec<Recipe> = part.iter().map(|order| order.recipe.clone()).collect();
        let pictures = painter.paint(&recipes)?;
        let texts: Vec<String> = recipes.iter().map(Recipe::to_json).collect::<std::result::Result<_, _>>()?;
        let arrivals = part.iter().zip(&pictures);
        let arrivals: Vec<_> =
            arrivals.map(|(order, picture)| Arrival { name: &order.name, recipe: &order.recipe, picture }).collect();
        let (mut painted, mut outcomes) = (Vec::new(), Vec::new());
        for (((order, picture), text), outcome) in part.iter().zip(&pictures).zip(&texts).zip(gate.judge(&arrivals)?) {
            if outcome == Outcome::Withheld {
                continue;
            }
            let Order { name, recipe, origin } = order;
            painted.push(Painted { path: out.join(name), picture, recipe, text, origin });
            outcomes.push(outcome);
            if printing.sheet.is_some() {
                on_sheet.push(picture.clone());
                shown.push(recipe.clone());
            }
        }
        for (parcel, outcome) in press.print_all(&painted, encoding, painter)?.into_iter().zip(outcomes) {
            parcel.warn(watcher);
            sent(gate.send(outcome, parcel, &mut outbox)?, &mut made, watcher);
        }
    }
    sent(gate.release(&mut outbox)?, &mut made, watcher);
    sent(outbox.send()?, &mut made, watcher);
    in_order(&mut made.pictures, orders.iter().map(|order| out.join(&order.name)));
    made.gate = gate.report(watcher);
    watcher.event(progress(orders.len(), orders.len()));
    if let Some(columns) = printing.sheet.filter(|_| !on_sheet.is_empty()) {
        let parcel = sheet::print(out, &on_sheet, &shown, (columns, printing.overwrite), &press, painter)?;
        parcel.warn(watcher);
        let path = parcel.path.clone();
        outbox.add(parcel)?;
        outbox.send()?;
        watcher.event(Event::Picture { role: "sheet".into(), path: path.clone() });
        made.sheet = Some(path);
    }
    Ok(made)
}

/// Near copies that may leave are written last: all paths in the order in which they were asked for.
pub(super) fn in_order(paths: &mut [PathBuf], asked: impl Iterator<Item = PathBuf>) {
    let places: HashMap<PathBuf, usize> = asked.zip(0..).collect();
    paths.sort_by_key(|path| places.get(path).copied());
}

/// Tells of pictures that were written.
pub(super) fn sent(paths: Vec<PathBuf>, made: &mut Generated, watcher: &mut dyn Watcher) {
    for path in paths {
        watcher.event(Event::Picture { role: "picture".into(), path: path.clone() });
        made.pictures.push(path);
    }
}

pub(super) fn progress(step: usize, total: usize) -> Event {
    Event::Progress { task: Task::Generate, phase: "painting".into(), step: step as u64, total: total as u64 }
}

/// How many pictures of these sides (px) are painted, marked and encoded at once.
fn pictures_at_once((width, height): (u32, u32)) -> usize {
    (MOST_PIXELS / (u64::from(width) * u64::from(height)).max(1)).clamp(1, AT_ONCE as u64) as usize
}
