//! `pinxit datasets`: what has been taken in.
use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::{Path, PathBuf};

use pinxit_dataset::format::{DatasetFile, SHEET_FILE};
use pinxit_dataset::{Dataset, export};
use pinxit_image::{Encoding, Metadata};
use pinxit_train::{metrics, run};
use serde::Serialize;

use crate::event::{Event, Task, Watcher, figures};
use crate::home::Kind;
use crate::settings::{GenerateSettings, ImageFormat};
use crate::shell::command;
use crate::{Error, Result, Studio, counted, paths};

/// Most pictures on a contact sheet.
const SHEET_PICTURES: usize = 96;

/// A dataset in a list.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetEntry {
    /// Name.
    pub name: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// What it is, or why it cannot be read.
    #[serde(flatten)]
    pub state: DatasetState,
}

/// Partial failure is data: one damaged dataset does not hide the others.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum DatasetState {
    /// Can be used.
    Whole(Box<DatasetFile>),
    /// Cannot, and why.
    Damaged {
        /// The reason.
        error: String,
    },
}

/// Everything about one dataset.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetDetail {
    /// Its folder.
    pub path: PathBuf,
    /// Its own description.
    #[serde(flatten)]
    pub file: DatasetFile,
    /// Pictures of each class.
    pub class_counts: BTreeMap<String, usize>,
    /// Pictures of each style.
    pub style_counts: BTreeMap<String, usize>,
    /// Pictures with a caption.
    pub captions: usize,
    /// The contact sheet.
    pub sheet: Option<PathBuf>,
    /// Why there is none, where that is no reason to fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_sheet: Option<String>,
}

/// All datasets, by name.
pub fn list(studio: &Studio) -> Result<Vec<DatasetEntry>> {
    let found = pinxit_dataset::shelf::list(&studio.folder(Kind::Dataset))?;
    let entry = |summary: pinxit_dataset::shelf::Summary| DatasetEntry {
        name: summary.name,
        bytes: summary.bytes,
        state: match summary.state {
            Ok(file) => DatasetState::Whole(Box::new(file)),
            Err(error) => DatasetState::Damaged { error },
        },
    };
    Ok(found.into_iter().map(entry).collect())
}

/// Opens a dataset by name.
pub fn open(studio: &Studio, name: &str) -> Result<Dataset> {
    Ok(Dataset::open(&studio.existing(Kind::Dataset, name)?)?)
}

/// Opens the dataset that a run or a model names (`run "oaks"`), which nobody has typed; if it is not there, `otherwise` helps too.
pub(crate) fn open_for(studio: &Studio, name: &str, needed_by: &str, otherwise: Option<&'static str>) -> Result<Dataset> {
    open(studio, name).map_err(|e| match e {
        Error::Unknown { name: dataset, home, .. } => {
            Error::DatasetGone { needed_by: needed_by.into(), dataset, home, otherwise }
        }
        e => e,
    })
}

/// What makes sense with a dataset of `train` pictures to learn from: nothing that is bound to fail.
pub fn suggestions(name: &str, train: usize) -> Vec<String> {
    if train < run::LEAST_PICTURES { Vec::new() } else { vec![command(&["train", name])] }
}

/// In one line, what `train` pictures to learn from are too few for.
pub(crate) fn too_small_for(train: usize) -> Option<String> {
    let needs = [("to train", run::LEAST_PICTURES), ("to evaluate a model on", metrics::LEAST_PICTURES)];
    let (what, needed) = needs.into_iter().find(|(_, needed)| train < *needed)?;
    let (pictures, are) = if train == 1 { ("picture", "is") } else { ("pictures", "are") };
    Some(format!("{train} {pictures} to learn from, beside those held out, {are} too few {what}: that takes {needed}"))
}

/// Where a contact sheet goes.
#[derive(Clone, Debug)]
pub enum SheetPlace {
    /// This file, and another one that lies there is replaced only if so said.
    Here {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: ImageFormat,
        /// Replace another file.
        overwrite: bool,
    },
    /// `sheet.png` in the dataset's own folder. It was not asked for by name, so a folder that cannot be written to is no failure.
    WithDataset,
}

/// One dataset, with a contact sheet of up to 96 pictures.
pub fn show(studio: &Studio, name: &str, place: &SheetPlace) -> Result<DatasetDetail> {
    let dataset = open(studio, name)?;
    let mut detail = detail(&dataset);
    match (write_sheet(&dataset, place), place) {
        (Ok(path), _) => detail.sheet = Some(path),
        (Err(e), SheetPlace::WithDataset) => detail.no_sheet = Some(reason(&e)),
        (Err(e), SheetPlace::Here { .. }) => return Err(e),
    }
    Ok(detail)
}

/// The message with what the system said.
fn reason(e: &Error) -> String {
    e.source().map_or_else(|| e.to_string(), |cause| format!("{e}: {cause}"))
}

/// Files of an exported dataset.
#[derive(Clone, Debug, Serialize)]
pub struct Exported {
    /// The folder.
    pub folder: PathBuf,
    /// Pictures in it.
    pub pictures: usize,
    /// The label file.
    pub labels: PathBuf,
}

/// Says so where pictures of a longer export lie in the folder: they would be taken for this one's.
fn warn_of_others(folder: &Path, pictures: usize, watcher: &mut dyn Watcher) -> Result<()> {
    let mut others = 0;
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|s| s.to_str()).filter(|s| s.len() == 6).and_then(|s| s.parse::<usize>().ok());
        others += usize::from(number.is_some_and(|n| n >= pictures) && path.extension().is_some_and(|e| e == "png"));
    }
    if others > 0 {
        let message = format!("{} of another export in {}", counted(others, "picture"), folder.display());
        watcher.event(Event::Warning { message, hint: Some("export into an empty folder".into()) });
    }
    Ok(())
}

/// Every picture as a PNG of the dataset's size, and last of all a label file that says what each is: other programs read them, and
/// `pinxit import` takes them in again. What lies there with the same bytes is left, so an export that was stopped goes on.
pub fn export(studio: &Studio, name: &str, folder: &Path, overwrite: bool, watcher: &mut dyn Watcher) -> Result<Exported> {
    let dataset = open(studio, name)?;
    let task = Task::Export;
    watcher.event(Event::Started { task, name: name.into() });
    paths::make_folder(folder)?;
    let (labels, table) = (folder.join(export::LABEL_FILE), export::label_table(&dataset)?);
    if !overwrite && labels.exists() && fs_err::read(&labels)? != table {
        return Err(Error::InTheWay { path: labels });
    }
    warn_of_others(folder, dataset.len(), watcher)?;
    let total = dataset.len() as u64;
    for i in 0..dataset.len() {
        watcher.event(Event::Progress { task, phase: "writing pictures".into(), step: i as u64, total });
        if watcher.stop() {
            watcher.event(Event::Interrupted { task, resume: None });
            return Err(Error::Interrupted { resume: None });
        }
        let bytes = pinxit_image::encode(&dataset.picture(i)?, Encoding::Png, &Metadata::default())?;
        paths::write_beside_others(&folder.join(export::file_name(i)), &bytes, overwrite)?;
        if let Some((name, text)) = export::sidecar(&dataset, i) {
            paths::write_beside_others(&folder.join(name), text, overwrite)?;
        }
    }
    paths::write_beside_others(&labels, &table, overwrite)?;
    let exported = Exported { folder: folder.into(), pictures: dataset.len(), labels };
    watcher.event(Event::Finished { task, result: figures(&exported), next: Vec::new() });
    Ok(exported)
}

pub(crate) fn detail(dataset: &Dataset) -> DatasetDetail {
    let count = |names: &[String], label: &dyn Fn(usize) -> Option<u32>| {
        let mut counts = BTreeMap::new();
        for name in (0..dataset.len()).filter_map(label).filter_map(|i| names.get(i as usize)) {
            *counts.entry(name.clone()).or_insert(0) += 1;
        }
        counts
    };
    DatasetDetail {
        path: dataset.dir().to_path_buf(),
        file: dataset.description().clone(),
        class_counts: count(dataset.classes(), &|i| dataset.class(i)),
        style_counts: count(dataset.styles(), &|i| dataset.style(i)),
        captions: (0..dataset.len()).filter(|&i| dataset.record(i).caption.is_some()).count(),
        sheet: None,
        no_sheet: None,
    }
}

fn write_sheet(dataset: &Dataset, place: &SheetPlace) -> Result<PathBuf> {
    let own = dataset.dir().join(SHEET_FILE);
    let (path, format, overwrite) = match place {
        SheetPlace::Here { path, format, overwrite } => (path, *format, *overwrite),
        SheetPlace::WithDataset => (&own, ImageFormat::Png, true),
    };
    let sheet = dataset.contact_sheet(SHEET_PICTURES)?;
    let encoding = format.encoding(GenerateSettings::default().quality);
    let bytes = pinxit_image::encode(&sheet, encoding, &Metadata::default())?;
    paths::write_beside_others(path, &bytes, overwrite)?;
    Ok(path.clone())
}
