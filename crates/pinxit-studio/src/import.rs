//! Pictures into a dataset.
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pinxit_create::near;
pub use pinxit_dataset::{FileStatus, ImportReport};
use pinxit_dataset::{Framing, ImportOptions, ImportProgress, Phase};
use pinxit_trust::ledger::{Kind as Entry, New};
use serde_json::json;

use crate::event::{Event, Task, Watcher, figures};
use crate::examine::Examination;
use crate::home::Kind;
use crate::settings::{FitTo, ImportSettings};
use crate::shell::command;
use crate::{Error, Result, Studio, ledger};

/// What to take in, and as what.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// Folders, archives, pictures.
    pub sources: Vec<PathBuf>,
    /// Name of the dataset; that of the first source if absent.
    pub into: Option<String>,
    /// How.
    pub settings: ImportSettings,
    /// A CSV or JSONL file of labels.
    pub labels: Option<PathBuf>,
    /// Classes left out.
    pub skip_classes: Vec<String>,
    /// Styles left out.
    pub skip_styles: Vec<String>,
    /// Take in works although they are reserved against training: the reason.
    pub override_reservations: Option<String>,
    /// Replace a dataset of that name.
    pub replace: bool,
}

impl ImportRequest {
    /// Name of the dataset it will make.
    pub fn name(&self) -> Result<String> {
        if let Some(name) = &self.into {
            crate::home::check_name(name)?;
            return Ok(name.clone());
        }
        let stem = self.sources.first().and_then(|s| s.file_stem()).map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let name: String = stem.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
        crate::home::check_name(&name).map_err(|_| Error::Setting {
            message: "the dataset needs a name".into(),
            hint: "give one with --into NAME".into(),
        })?;
        Ok(name)
    }

    fn options(&self, studio: &Studio) -> Result<ImportOptions> {
        let fit = match self.settings.fit {
            FitTo::Centre => pinxit_image::Fit::Centre,
            FitTo::Smart => pinxit_image::Fit::Smart,
            FitTo::Letterbox => pinxit_image::Fit::Letterbox,
        };
        Ok(ImportOptions {
            resolution: (self.settings.size.height, self.settings.size.width),
            framing: if self.settings.patches > 0 { Framing::Patches(self.settings.patches) } else { Framing::Fit(fit) },
            labels: self.labels.clone(),
            default_licence: self.settings.license.clone(),
            override_reservations: self.override_reservations.clone(),
            examiner: Some(Arc::new(Examination { anchors: crate::keys::anchors(studio)? })),
            examined_at: Some(ledger::now()),
            taken_down: crate::takedown::for_import(studio)?,
            keep_near_duplicates: self.settings.keep_near_duplicates,
            skip_classes: self.skip_classes.clone(),
            skip_styles: self.skip_styles.clone(),
            replace: self.replace,
            threads: crate::machine::threads(),
            ..ImportOptions::default()
        })
    }
}

/// Makes the dataset. A file that cannot be used is an event and a line of the report, not an error.
pub fn import(studio: &Studio, request: &ImportRequest, watcher: &mut dyn Watcher) -> Result<ImportReport> {
    let (name, dir) = target(studio, request)?;
    ledger::check_ready(studio)?;
    let mut options = request.options(studio)?;
    if request.replace && dir.exists() {
        crate::runs::check_unused(studio, &name)?;
        options.replaced_to = Some(studio.place_in_bin("datasets", &name, "")?);
    }
    watcher.event(Event::Started { task: Task::Import, name: name.clone() });
    let mut report = watched(pinxit_dataset::import, request, &options, &dir, watcher)?;
    ledger::write(studio, &entries(&report))?;
    tell(&report, watcher);
    if let Some(old) = &options.replaced_to {
        let (old, bin) = (old.display(), studio.bin());
        let message = format!("the replaced dataset lies in {old}; its space is free again when {} is deleted", bin.display());
        watcher.event(Event::Note { message });
    }
    // Each file has been told of already; all of them once more as JSON would take more memory than the whole import.
    let files = std::mem::take(&mut report.files);
    let mut result = figures(&report);
    result.shift_remove("files");
    report.files = files;
    watcher.event(Event::Finished { task: Task::Import, result, next: suggestions(&report) });
    Ok(report)
}

/// What the ledger is told of an import: one entry for it, and the works that were taken in against a reservation.
fn entries(report: &ImportReport) -> Vec<New> {
    /// Works named in one entry.
    const AT_ONCE: usize = 1000;
    let import = json!({
        "dataset": report.name,
        "manifest_hash": report.manifest_hash,
        "croissant_sha256": report.croissant_sha256,
        "works": report.works,
        "pictures": report.pictures,
        "licences": report.licences,
        "turned_down": {
            "unlicensed": report.unlicensed,
            "reserved": report.reserved,
            "taken_down": report.taken_down,
            "left_out": report.count(FileStatus::LeftOut),
        },
        "overridden": report.overridden,
    });
    let mut entries = vec![ledger::entry(Entry::Import, import)];
    for works in report.overridden_works.chunks(AT_ONCE) {
        let works: Vec<_> = works.iter().map(|(file, sha256)| json!({ "file": file, "sha256": sha256 })).collect();
        let subject = json!({
            "dataset": report.name,
            "manifest_hash": report.manifest_hash,
            "reason": report.override_reason,
            "works": works,
        });
        entries.push(ledger::entry(Entry::Override, subject));
    }
    entries
}

/// What makes sense after an import.
pub fn suggestions(report: &ImportReport) -> Vec<String> {
    let mut next = crate::datasets::suggestions(&report.name, report.train);
    next.push(command(&["datasets", "show", &report.name]));
    next
}

/// Looks at every picture as [`import`] would, tells the same, and writes nothing.
pub fn inspect(studio: &Studio, request: &ImportRequest, watcher: &mut dyn Watcher) -> Result<ImportReport> {
    let (_, dir) = target(studio, request)?;
    let report = watched(pinxit_dataset::inspect, request, &request.options(studio)?, &dir, watcher)?;
    tell(&report, watcher);
    Ok(report)
}

/// Name and place of the dataset, where its pictures can be learnt at all.
fn target(studio: &Studio, request: &ImportRequest) -> Result<(String, PathBuf)> {
    crate::train::check_learnable(request.settings.size)?;
    let name = request.name()?;
    let dir = studio.path(Kind::Dataset, &name)?;
    Ok((name, dir))
}

/// An import or an inspection.
type Work = fn(&[PathBuf], &ImportOptions, &Path, &mut dyn FnMut(ImportProgress) -> ControlFlow<()>) -> Outcome;
type Outcome = pinxit_dataset::Result<ImportReport>;

/// Does `work` with its progress as events.
fn watched(
    work: Work,
    request: &ImportRequest,
    options: &ImportOptions,
    dir: &Path,
    watcher: &mut dyn Watcher,
) -> Result<ImportReport> {
    let mut progress = |p: ImportProgress| {
        watcher.event(Event::Progress {
            task: Task::Import,
            phase: phase(p.phase).into(),
            step: p.done as u64,
            total: p.total as u64,
        });
        if watcher.stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    match work(&request.sources, options, dir, &mut progress) {
        Err(pinxit_dataset::Error::Interrupted(_)) => {
            watcher.event(Event::Interrupted { task: Task::Import, resume: None });
            Err(Error::Interrupted { resume: None })
        }
        other => Ok(other?),
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Looking => "looking for pictures",
        Phase::Reading => "reading",
        Phase::Comparing => "comparing",
        Phase::Packing => "packing",
    }
}

fn tell(report: &ImportReport, watcher: &mut dyn Watcher) {
    for file in &report.files {
        let reason = match file.status {
            FileStatus::Accepted | FileStatus::Ignored => continue,
            FileStatus::Fixed => file.fixes.join(", "),
            _ => file.reason.clone().unwrap_or_default(),
        };
        watcher.event(Event::File { path: file.file.clone(), verdict: file.status.word().into(), reason });
    }
    for message in &report.warnings {
        watcher.event(Event::Warning { message: message.clone(), hint: None });
    }
    let skips = [("class", &report.unknown_classes, &report.classes), ("style", &report.unknown_styles, &report.styles)];
    for (kind, unknown, known) in skips {
        let known: Vec<&str> = known.keys().map(String::as_str).collect();
        for name in unknown {
            let message = format!("no picture has the {kind} \"{name}\" that was asked to be left out");
            let hint = (!known.is_empty()).then(|| near::hint(name, &known, "there are"));
            watcher.event(Event::Warning { message, hint });
        }
    }
    if let Some(message) = crate::datasets::too_small_for(report.train) {
        watcher.event(Event::Note { message });
    }
}
