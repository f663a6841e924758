//! What a person can choose about an import.

use std::path::PathBuf;
use std::sync::Arc;

use pinxit_image::{Fit, Limits};

use crate::error::{Error, Result};
use crate::examiner::Examiner;
use crate::identity::TakenDown;
use crate::rights::licence;

/// Letters that a reason needs at least: enough for a sentence that somebody can answer for.
pub const LEAST_REASON: usize = 20;

/// How a work of any shape becomes pictures of one size. Nothing is ever stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// One picture a work, cropped or letterboxed.
    Fit(Fit),
    /// Up to this many square-cut patches a work, spread over it; for few, large pictures. All patches of a work share a group.
    Patches(u32),
}

/// Everything about an import except what is imported and where to.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Height and width of the packed pictures in px, 8..=2048 each.
    pub resolution: (u32, u32),
    /// How works are brought to that size.
    pub framing: Framing,
    /// A CSV or JSONL file of labels; without it a `manifest.jsonl`, `labels.csv` and the like in the source is used, else sub-folders.
    pub labels: Option<PathBuf>,
    /// Licence of the works for which neither a label row nor a sidecar nor the file itself states one: an SPDX id, `own`, or words.
    pub default_licence: Option<String>,
    /// Take works in although they are reserved against training: the reason, kept with each of them. See [`check_reason`].
    pub override_reservations: Option<String>,
    /// Fingerprints works, and reads reservations that this crate does not see.
    pub examiner: Option<Arc<dyn Examiner>>,
    /// The time, RFC 3339, as the manifest shall tell it: nothing in the dataset's hash depends on it.
    pub examined_at: Option<String>,
    /// Works that were taken down: neither they nor copies of them come in. Heeded only with an examiner.
    pub taken_down: Vec<TakenDown>,
    /// Keep near-duplicates (they share a group, so they stay on one side of the split) instead of dropping all but the first.
    pub keep_near_duplicates: bool,
    /// Classes left out.
    pub skip_classes: Vec<String>,
    /// Styles left out.
    pub skip_styles: Vec<String>,
    /// Seed of the held-out split.
    pub split_seed: u64,
    /// Share of the groups to hold out, 0..=0.5.
    pub held_out_fraction: f64,
    /// The most a single file may ask for.
    pub limits: Limits,
    /// Works with a shorter side below this are rejected, px; 0 for a quarter of the resolution, at least 8.
    pub min_side_px: u32,
    /// Threads that decode; 0 for one a core.
    pub threads: usize,
    /// Replace a dataset of the same name.
    pub replace: bool,
    /// Where the replaced dataset is moved, on the same disk; it is deleted if absent.
    pub replaced_to: Option<PathBuf>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            resolution: (64, 64),
            framing: Framing::Fit(Fit::Centre),
            labels: None,
            default_licence: None,
            override_reservations: None,
            examiner: None,
            examined_at: None,
            taken_down: Vec::new(),
            keep_near_duplicates: false,
            skip_classes: Vec::new(),
            skip_styles: Vec::new(),
            split_seed: 0,
            held_out_fraction: 0.1,
            limits: Limits::default(),
            min_side_px: 0,
            threads: 0,
            replace: false,
            replaced_to: None,
        }
    }
}

/// Whether a reason for taking in reserved works is one: it will be read by those whose works they are.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_reason(reason: &str) -> std::result::Result<(), String> {
    check_reason_to(reason, "say why you may use these works against their reservation")
}

/// Whether a reason for anything is one; `ask` says what to write in its place.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_reason_to(reason: &str, ask: &str) -> std::result::Result<(), String> {
    let letters = reason.trim().chars().count();
    match reason.split_whitespace().count() {
        0..3 => Err(format!("the reason is not a sentence: {ask}")),
        _ if letters < LEAST_REASON => Err(format!("the reason has {letters} letters, and needs {LEAST_REASON}: {ask}")),
        _ => Ok(()),
    }
}

impl ImportOptions {
    /// # Errors
    /// [`Error::BadOption`] with the range that is allowed.
    pub(crate) fn check(&self) -> Result<()> {
        let (h, w) = self.resolution;
        if !(8..=2048).contains(&h) || !(8..=2048).contains(&w) {
            return Err(Error::BadOption(format!("a resolution of {h}×{w} px is outside 8..=2048 a side")));
        }
        if self.framing == Framing::Patches(0) {
            return Err(Error::BadOption("0 patches a work would leave nothing".into()));
        }
        if self.default_licence.as_ref().is_some_and(|l| licence::named(l).is_none()) {
            return Err(Error::BadOption(
                "the licence has no name: write one, such as CC0-1.0, or own for your own works".into(),
            ));
        }
        if let Some(reason) = &self.override_reservations {
            check_reason(reason).map_err(Error::BadOption)?;
        }
        if !(0.0..=0.5).contains(&self.held_out_fraction) {
            return Err(Error::BadOption(format!("a held-out share of {} is outside 0..=0.5", self.held_out_fraction)));
        }
        Ok(())
    }

    pub(crate) fn thread_count(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n.min(256),
        }
    }

    pub(crate) fn min_side(&self) -> u32 {
        match self.min_side_px {
            0 => (self.resolution.0.min(self.resolution.1) / 4).max(8),
            n => n,
        }
    }

    /// The framing in words, as `dataset.json` states it.
    pub(crate) fn framing_words(&self) -> String {
        match self.framing {
            Framing::Fit(Fit::Centre) => "centre".into(),
            Framing::Fit(Fit::Smart) => "smart".into(),
            Framing::Fit(Fit::Letterbox) => "letterbox".into(),
            Framing::Patches(n) => format!("patches {n}"),
        }
    }
}
