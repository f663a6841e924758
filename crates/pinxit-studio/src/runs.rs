//! `pinxit runs`: what was trained, what stands still, what is running.
use std::path::{Path, PathBuf};

use pinxit_train::checkpoint::Store;
use pinxit_train::run::lies_ahead;
use pinxit_train::stats::Line;
use pinxit_train::{Length, TrainConfig};
use serde::Serialize;

use crate::home::Kind;
use crate::train::RunCard;
use crate::{Error, Result, Studio};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// A process trains in it now.
    Running,
    /// Reached its end.
    Finished,
    /// Can be resumed.
    Stopped,
}

impl RunState {
    /// In a table.
    pub fn word(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Finished => "finished",
            RunState::Stopped => "stopped",
        }
    }
}

/// Everything about one run.
#[derive(Clone, Debug, Serialize)]
pub struct RunDetail {
    /// Name.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// How it stands.
    pub state: RunState,
    /// Why it may not be used: the work that was taken down, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
    /// What it learns from.
    pub card: RunCard,
    /// Thousands of pictures shown: by the log, or by the saved state where that is further, as after a stop between two ticks.
    pub at_kimg: f64,
    /// Seconds it took, counted alike.
    pub at_secs: f64,
    /// Where it ends: `400 kimg` or `30m`.
    pub end: String,
    /// The last line of its log.
    pub last: Option<Line>,
    /// The last measured line of its log.
    pub measured: Option<Line>,
    /// Its model files, oldest first, the best last.
    pub models: Vec<PathBuf>,
    /// Its newest preview.
    pub preview: Option<PathBuf>,
}

/// A run in a list.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum RunEntry {
    /// Can be read.
    Whole(Box<RunDetail>),
    /// Cannot, and why.
    Damaged {
        /// Name.
        name: String,
        /// The reason.
        error: String,
    },
}

/// All runs, by name.
pub fn list(studio: &Studio) -> Result<Vec<RunEntry>> {
    let mut entries = Vec::new();
    for name in studio.names(Kind::Run)? {
        let dir = studio.path(Kind::Run, &name)?;
        entries.push(match detail(studio, &name, &dir) {
            Ok(detail) => RunEntry::Whole(Box::new(detail)),
            Err(e) => RunEntry::Damaged { name, error: e.to_string() },
        });
    }
    Ok(entries)
}

/// One run by name.
pub fn show(studio: &Studio, name: &str) -> Result<RunDetail> {
    detail(studio, name, &studio.existing(Kind::Run, name)?)
}

/// A run by name or by folder: what it is called, and where it lies.
pub fn find(studio: &Studio, wanted: &str) -> Result<(String, PathBuf)> {
    let path = Path::new(wanted);
    if !crate::paths::is_path(wanted) || !path.is_dir() {
        return Ok((wanted.into(), studio.existing(Kind::Run, wanted)?));
    }
    if !is_run(path) {
        return Err(Error::NotKnown { path: path.into() });
    }
    Ok((folder_name(path)?, path.into()))
}

/// What a folder is called, also where it is written `.` or `runs/trees/`.
pub(crate) fn folder_name(dir: &Path) -> Result<String> {
    Ok(fs_err::canonicalize(dir)?.file_name().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default())
}

/// Whether a folder is a run's.
pub fn is_run(dir: &Path) -> bool {
    dir.join("run.toml").is_file()
}

pub(crate) fn detail(studio: &Studio, name: &str, dir: &Path) -> Result<RunDetail> {
    let card = RunCard::load(dir)?;
    let config = TrainConfig::load(&dir.join("config.toml"))?;
    let lines = lines(dir)?;
    let last = lines.last().cloned();
    // Where the log ends is not enough: a run is finished when its last state was saved.
    let saved = Store::at(dir).counters();
    let state = match &saved {
        _ if is_running(dir) => RunState::Running,
        Some(counters) if lies_ahead(config.length, counters).is_err() => RunState::Finished,
        _ => RunState::Stopped,
    };
    let blocked = crate::takedown::of_run(studio, saved.as_ref())?;
    let blocked = blocked.map(|takedown| takedown.blocking());
    let logged = last.as_ref().map_or((0.0, 0.0), |l| (l.kimg, l.secs));
    let (at_kimg, at_secs) = saved.map_or(logged, |c| (logged.0.max(c.kimg()), logged.1.max(c.elapsed_secs)));
    let end = end_words(config.length);
    let measured = lines.into_iter().rev().find(|l| l.measures.is_some());
    let preview = sorted(&dir.join("previews"), |n| n.ends_with(".png")).pop();
    let (name, path, models) = (name.into(), dir.into(), snapshots(dir));
    Ok(RunDetail { name, path, state, blocked, card, at_kimg, at_secs, end, last, measured, models, preview })
}

/// An end as people write it: `400 kimg` or `30m`.
pub fn end_words(length: Length) -> String {
    match length {
        Length::Kimg(kimg) => format!("{kimg} kimg"),
        Length::Seconds(secs) => crate::settings::Span::from_secs(secs as u64).to_string(),
    }
}

/// The log, without a line that a killed process left half-written.
fn lines(dir: &Path) -> Result<Vec<Line>> {
    match fs_err::read_to_string(dir.join("stats.jsonl")) {
        Ok(text) => Ok(text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e.into()),
    }
}

/// A process that trains holds the lock of the run folder.
fn is_running(dir: &Path) -> bool {
    let Ok(file) = std::fs::File::open(dir.join("lock")) else { return false };
    matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock))
}

/// Refuses to take a dataset away from a run that learns from it now.
pub(crate) fn check_unused(studio: &Studio, dataset: &str) -> Result<()> {
    for run in studio.names(Kind::Run)? {
        let dir = studio.path(Kind::Run, &run)?;
        if is_running(&dir) && RunCard::load(&dir).is_ok_and(|card| card.dataset == dataset) {
            return Err(Error::InUse { dataset: dataset.into(), run });
        }
    }
    Ok(())
}

/// Refuses to take works away from a run that learns from them now: from a dataset of that name, or begun on that manifest.
pub(crate) fn check_idle(studio: &Studio, dataset: &str, manifest: &str) -> Result<()> {
    check_unused(studio, dataset)?;
    for run in studio.names(Kind::Run)? {
        let dir = studio.path(Kind::Run, &run)?;
        if is_running(&dir) && Store::at(&dir).counters().is_some_and(|counters| counters.dataset_hash == manifest) {
            return Err(Error::InUse { dataset: dataset.into(), run });
        }
    }
    Ok(())
}

/// Model files of a run, oldest first; `model-best.safetensors` sorts last.
pub fn snapshots(dir: &Path) -> Vec<PathBuf> {
    sorted(dir, |n| n.starts_with("model-") && n.ends_with(".safetensors"))
}

/// The model to use of a run: the best, else the newest.
pub fn usable_model(dir: &Path) -> Option<PathBuf> {
    snapshots(dir).pop()
}

fn sorted(dir: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir(dir) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().filter(|e| is_wanted(&e.file_name().to_string_lossy())).map(|e| e.path()).collect();
    // Without the ending: `model-000020` comes before `model-000020.304`.
    found.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Condition;

    #[test]
    fn models_come_in_the_order_of_their_kimg_and_the_best_last() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["model-000020", "model-000020.304", "model-000021", "model-best"].map(|n| format!("{n}.safetensors"));
        for name in names.iter().rev() {
            fs_err::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(snapshots(dir.path()), names.map(|n| dir.path().join(n)));
    }

    #[test]
    fn a_dataset_is_in_use_while_a_run_holds_its_lock() {
        let dir = tempfile::tempdir().unwrap();
        let studio = Studio::at(dir.path());
        let run = studio.path(Kind::Run, "oaks").unwrap();
        fs_err::create_dir_all(&run).unwrap();
        RunCard::new("trees", None, Condition::Both).save(&run).unwrap();
        let lock = std::fs::File::create(run.join("lock")).unwrap();
        assert!(check_unused(&studio, "trees").is_ok(), "nobody holds it");
        lock.lock().unwrap();
        assert!(matches!(check_unused(&studio, "trees"), Err(Error::InUse { run, .. }) if run == "oaks"));
        assert!(check_unused(&studio, "flowers").is_ok());
    }
}
