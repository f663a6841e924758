//! `stats.jsonl`: one line a tick, never a half one after a resume.
use crate::metrics::Measures;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One line of the log. Losses are means since the line before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Steps done.
    pub step: u64,
    /// Thousands of real pictures shown.
    pub kimg: f64,
    /// Training time so far, seconds.
    pub secs: f64,
    /// Pictures a second since the line before.
    pub img_per_sec: f64,
    /// Loss of the discriminator.
    pub loss_d: f64,
    /// Loss of the generator.
    pub loss_g: f64,
    /// Mean real score minus mean fake score.
    pub gap: f64,
    /// Share of pairs in which the real picture scores higher, 0..=1.
    pub accuracy: f64,
    /// Mean squared gradient of the score (own discriminator).
    pub penalty: f64,
    /// Learning rate of the generator.
    pub lr: f64,
    /// Weight of the penalty.
    pub gamma: f64,
    /// Steps skipped so far.
    pub skipped: u32,
    /// Measures of the average, at snapshots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measures: Option<Measures>,
}

/// The open log.
#[derive(Debug)]
pub struct Stats {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Stats {
    /// Opens `stats.jsonl` in `dir` at `bytes`, dropping what was written after the state that is resumed.
    pub fn open(dir: &Path, bytes: u64) -> Result<Self> {
        let path = dir.join("stats.jsonl");
        let open = |p: &Path| -> std::io::Result<(File, u64)> {
            let mut file = File::options().read(true).write(true).create(true).truncate(false).open(p)?;
            // Shorter than expected only if somebody cut it: then what there is stays.
            let bytes = bytes.min(file.metadata()?.len());
            file.set_len(bytes)?;
            file.seek(SeekFrom::Start(bytes))?;
            Ok((file, bytes))
        };
        let (file, bytes) = open(&path).map_err(Error::file("open", &path))?;
        Ok(Stats { path, file, bytes })
    }

    /// Appends a line; returns the length of the log after it.
    pub fn write(&mut self, line: &Line) -> Result<u64> {
        let mut text = serde_json::to_vec(line).map_err(|e| Error::Config(e.to_string()))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(Error::file("write", &self.path))?;
        self.bytes += text.len() as u64;
        Ok(self.bytes)
    }

    /// All lines of the log in `dir`, for plots and reports.
    pub fn read(dir: &Path) -> Result<Vec<Line>> {
        let path = dir.join("stats.jsonl");
        let text = fs_err::read_to_string(&path).map_err(Error::file("read", &path))?;
        // A last line that is being written right now is not there yet.
        Ok(text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect())
    }
}
