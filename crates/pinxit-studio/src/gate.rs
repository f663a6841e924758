//! The export gate: a painted picture that is a near copy of a training work does not leave, unless the person says why it may; then the
//! ledger keeps her reason. Pictures are compared before mark and label are put on them, at the size of the works.
//!
//! It needs the works. Where they are not on this machine (shipped models, other people's), that is said, and kept with each picture.
use pinxit_create::{Painter, Recipe};
use pinxit_dataset::Dataset;
use pinxit_image::{Picture, resize};
use pinxit_trust::ledger::Kind as Entry;
use serde::Serialize;
use serde_json::json;

use crate::event::{Event, Task, Watcher};
use crate::home::Kind;
use crate::outbox::{Outbox, Parcel};
use crate::works::TrainingWorks;
use crate::{Error, Result, Studio, ledger};

/// Near copies told of by name; all of them stand in the JSON.
const NAMED: usize = 10;
/// Near copies named in one entry of the ledger, and held in memory until then.
const AT_ONCE: usize = 1000;

/// What a person may say to the gate.
#[derive(Clone, Debug, Default)]
pub struct GateOptions {
    /// Let near copies out, for this reason.
    pub allow: Option<String>,
    /// How many of the closest works to tell of each picture; 0 for none.
    pub closest: usize,
}

/// What the gate did with a command's pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// The works are not here: near copies were not looked for.
    #[default]
    #[serde(rename = "not run")]
    NotRun,
    /// None is a near copy.
    #[serde(rename = "passed")]
    Passed,
    /// Some are, and were not written.
    #[serde(rename = "near copies withheld")]
    Withheld,
    /// Some are, and were written for a reason.
    #[serde(rename = "near copies allowed")]
    Allowed,
}

/// What the gate found, as part of what a command answers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GateReport {
    /// In a word.
    pub gate: Outcome,
    /// Unlikeness below which a picture counts as a near copy; none where the gate did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_copy_below: Option<f64>,
    /// The near copies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near_copies: Vec<NearCopy>,
    /// The closest works in the training set of each picture, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub closest: Vec<ClosestWorks>,
}

impl GateReport {
    /// With what was found of other pictures.
    pub(crate) fn join(&mut self, other: GateReport) {
        self.gate = other.gate;
        self.near_copy_below = other.near_copy_below;
        self.near_copies.extend(other.near_copies);
        self.closest.extend(other.closest);
    }
}

/// A picture that passes for a copy.
#[derive(Clone, Debug, Serialize)]
pub struct NearCopy {
    /// Name of its file.
    pub picture: String,
    /// The seed it was painted from.
    pub seed: u64,
    /// The work.
    #[serde(flatten)]
    pub work: CloseWork,
    /// The limit it is below.
    pub below: f64,
}

/// A picture and the works it comes closest to.
#[derive(Clone, Debug, Serialize)]
pub struct ClosestWorks {
    /// Name of its file.
    pub picture: String,
    /// The seed it was painted from.
    pub seed: u64,
    /// Closest first.
    pub works: Vec<CloseWork>,
}

/// A training work, and how unlike a picture is to it.
#[derive(Clone, Debug, Serialize)]
pub struct CloseWork {
    /// Title of the work.
    pub title: String,
    /// Who made it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// SHA-256 of its file, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// 0 for a copy, about 1.4 for nothing in common.
    pub unlikeness: f64,
}

impl CloseWork {
    /// `"Oak" by Ann`, or without her.
    pub fn words(&self) -> String {
        let creator = self.creator.as_ref().map(|creator| format!(" by {creator}")).unwrap_or_default();
        format!("\"{}\"{creator}", self.title)
    }
}

/// A painted picture on its way to the gate.
pub(crate) struct Arrival<'a> {
    pub name: &'a str,
    pub recipe: &'a Recipe,
    pub picture: &'a Picture,
}

/// The gate of one command.
pub(crate) struct Gate<'a> {
    studio: &'a Studio,
    options: GateOptions,
    /// Dataset manifest of the model whose pictures come now, with its works where they are here.
    works: Option<(String, Option<TrainingWorks>)>,
    /// Model of the pictures that come now: name and hash.
    model: (String, String),
    report: GateReport,
    /// Near copies that are let out: each waits for its entry.
    held: Vec<Parcel>,
    /// Near copies that an entry names already.
    written_down: usize,
}

impl<'a> Gate<'a> {
    /// A gate through which nothing has come yet.
    pub fn new(studio: &'a Studio, options: &GateOptions) -> Self {
        let options = options.clone();
        Gate {
            studio,
            options,
            works: None,
            model: Default::default(),
            report: Default::default(),
            held: Vec::new(),
            written_down: 0,
        }
    }

    /// Makes ready for the pictures of a model: finds its works, and says once where they are not here.
    pub fn open_for(&mut self, painter: &Painter, watcher: &mut dyn Watcher) -> Result<()> {
        let (model, manifest) = (painter.model(), painter.dataset_manifest());
        self.model = (model.name.clone(), model.hash.clone());
        if self.works.as_ref().is_some_and(|(known, _)| known == manifest) {
            return Ok(());
        }
        let works = match find_dataset(self.studio, manifest) {
            Ok(Some(dataset)) => Some(TrainingWorks::open(&dataset, Task::Generate, watcher)?),
            Ok(None) => {
                watcher.event(Event::Note { message: not_here(&model.name, manifest) });
                None
            }
            Err(e) => {
                let message =
                    format!("near copies were not looked for: the works that \"{}\" learnt from cannot be read: {e}", model.name);
                watcher.event(Event::Warning { message, hint: e.hint() });
                None
            }
        };
        self.works = Some((manifest.to_string(), works));
        Ok(())
    }

    /// Looks at pictures of the model that the gate was opened for; what becomes of each.
    pub fn judge(&mut self, arrivals: &[Arrival<'_>]) -> Result<Vec<Outcome>> {
        let Some((_, Some(works))) = &self.works else { return Ok(vec![Outcome::NotRun; arrivals.len()]) };
        let pictures = arrivals.iter().map(|a| fitted(a.picture, works)).collect::<Result<Vec<_>>>()?;
        let (limit, ranked) = (works.limit(), works.ranked(&pictures)?);
        self.report.near_copy_below = Some(limit);
        let mut outcomes = Vec::new();
        for (arrival, found) in arrivals.iter().zip(ranked) {
            let mut close: Vec<CloseWork> = Vec::new();
            for c in found.iter().take(self.options.closest.max(1)) {
                let record = works.record(c.work);
                let (title, creator, sha256) = (record.title.clone(), record.creator.clone(), record.sha256.clone());
                close.push(CloseWork { title, creator, sha256, unlikeness: c.unlikeness });
            }
            let (picture, seed) = (arrival.name.to_string(), arrival.recipe.seed);
            let is_copy = close.first().is_some_and(|work| work.unlikeness < limit);
            if let Some(work) = close.first().filter(|_| is_copy).cloned() {
                self.report.near_copies.push(NearCopy { picture: picture.clone(), seed, work, below: limit });
            }
            if self.options.closest > 0 {
                self.report.closest.push(ClosestWorks { picture, seed, works: close });
            }
            outcomes.push(match (is_copy, &self.options.allow) {
                (false, _) => Outcome::Passed,
                (true, None) => Outcome::Withheld,
                (true, Some(_)) => Outcome::Allowed,
            });
        }
        self.report.gate = self.report.gate.and(&outcomes);
        Ok(outcomes)
    }

    /// Sends a parcel off. A near copy that may leave waits until the ledger has the reason. Gives the paths of files that were written.
    pub fn send(&mut self, outcome: Outcome, mut parcel: Parcel, outbox: &mut Outbox<'_>) -> Result<Vec<std::path::PathBuf>> {
        parcel.note("gate", json!(outcome));
        if outcome != Outcome::Allowed {
            return outbox.add(parcel);
        }
        self.held.push(parcel);
        if self.held.len() < AT_ONCE { Ok(Vec::new()) } else { self.release(outbox) }
    }

    /// Writes down the near copies that may leave, with the reason, and sends them off.
    pub fn release(&mut self, outbox: &mut Outbox<'_>) -> Result<Vec<std::path::PathBuf>> {
        if self.held.is_empty() {
            return Ok(Vec::new());
        }
        let subject = json!({
            "reason": self.options.allow,
            "model": self.model.0,
            "model_hash": self.model.1,
            "manifest_hash": self.works.as_ref().map(|(manifest, _)| manifest),
            "near_copies": self.report.near_copies[self.written_down..],
        });
        ledger::write(self.studio, &[ledger::entry(Entry::Override, subject)])?;
        self.written_down = self.report.near_copies.len();
        let mut written = Vec::new();
        for parcel in std::mem::take(&mut self.held) {
            written.extend(outbox.add(parcel)?);
        }
        Ok(written)
    }

    /// What was found; near copies are told of by name.
    pub fn report(self, watcher: &mut dyn Watcher) -> GateReport {
        let became = if self.options.allow.is_some() { "written, though it is" } else { "not written: it is" };
        for copy in self.report.near_copies.iter().take(NAMED) {
            let (work, unlikeness, below) = (copy.work.words(), copy.work.unlikeness, copy.below);
            let message = format!(
                "seed {} {became} a near copy of {work} (unlikeness {unlikeness:.3}, and near copies are below {below:.3})",
                copy.seed
            );
            watcher.event(Event::Warning { message, hint: None });
        }
        if let Some(more) = self.report.near_copies.len().checked_sub(NAMED).filter(|&more| more > 0) {
            watcher.event(Event::Warning { message: format!("and {more} more near copies (--json names all)"), hint: None });
        }
        self.report
    }
}

impl Outcome {
    /// Of more pictures: what is most to be said.
    fn and(self, others: &[Outcome]) -> Outcome {
        let weight = |outcome: &Outcome| match outcome {
            Outcome::NotRun => 0,
            Outcome::Passed => 1,
            Outcome::Allowed => 2,
            Outcome::Withheld => 3,
        };
        others.iter().copied().chain([self]).max_by_key(weight).unwrap_or(self)
    }
}

/// The error with which a command ends that has withheld pictures.
pub(crate) fn verdict(report: &GateReport, all: usize) -> Result<()> {
    match report.near_copies.first().filter(|_| report.gate == Outcome::Withheld) {
        Some(first) => Err(Error::NearCopies { withheld: report.near_copies.len(), all, first: Box::new(first.clone()) }),
        None => Ok(()),
    }
}

/// The picture at the size of the works: enlarged ones are brought back to it.
fn fitted(picture: &Picture, works: &TrainingWorks) -> Result<Picture> {
    let (h, w) = works.resolution();
    let is_fitting = (picture.height() as usize, picture.width() as usize) == (h, w);
    if is_fitting { Ok(picture.clone()) } else { Ok(resize(picture, w as u32, h as u32)?) }
}

/// The dataset with that manifest, whatever it is called now.
fn find_dataset(studio: &Studio, manifest: &str) -> Result<Option<Dataset>> {
    if manifest.is_empty() {
        return Ok(None);
    }
    let all = pinxit_dataset::shelf::list(&studio.folder(Kind::Dataset))?;
    let found = all.into_iter().find(|entry| entry.state.as_ref().is_ok_and(|file| file.manifest_hash == manifest));
    Ok(found.map(|entry| Dataset::open(&studio.folder(Kind::Dataset).join(entry.name))).transpose()?)
}

fn not_here(model: &str, manifest: &str) -> String {
    let which = match manifest.get(..12) {
        Some(short) => format!("no dataset here has the manifest {short}…"),
        None => "the model does not say which".into(),
    };
    format!("near copies were not looked for: the works that \"{model}\" learnt from are not here ({which})")
}
