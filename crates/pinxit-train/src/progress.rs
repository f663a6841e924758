//! What a run tells those who watch, and the one thing they may ask of it.
use crate::metrics::Measures;
use std::path::PathBuf;

/// A fact about a run in progress.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Progress {
    /// Training begins, or goes on after a resume.
    Started {
        /// Thousands of pictures shown before.
        kimg: f64,
        /// Where the run ends, if its length is given in pictures.
        target_kimg: Option<f64>,
        /// Where the run ends, if its length is given in time, seconds in all.
        target_secs: Option<f64>,
        /// Trained numbers in the generator.
        generator_parameters: usize,
        /// Trained numbers in the discriminator.
        discriminator_parameters: usize,
        /// What was wrong with one of the two saved states, if one was damaged.
        damaged_state: Option<String>,
    },
    /// A status line.
    Tick {
        /// Thousands of pictures shown.
        kimg: f64,
        /// Share of the run done, 0..=1.
        fraction: f64,
        /// Pictures a second since the last line.
        img_per_sec: f64,
        /// Seconds left, measured; absent until there is something to measure.
        eta_secs: Option<f64>,
        /// Loss of the discriminator.
        loss_d: f64,
        /// Loss of the generator.
        loss_g: f64,
        /// Mean real score minus mean fake score.
        gap: f64,
        /// Bytes held in tensors.
        memory_bytes: u64,
    },
    /// The fixed-seed grid, painted by the average.
    Preview {
        /// Thousands of pictures shown.
        kimg: f64,
        /// Width, px.
        width: usize,
        /// Height, px.
        height: usize,
        /// `height * width * 3` bytes, sRGB.
        rgb: Vec<u8>,
    },
    /// The average was measured.
    Metrics {
        /// Thousands of pictures shown.
        kimg: f64,
        /// The figures.
        measures: Measures,
        /// Whether they are the best so far; that model is `model-best.safetensors`.
        best: bool,
    },
    /// A model file was written.
    Snapshot {
        /// Thousands of pictures shown.
        kimg: f64,
        /// The file.
        path: PathBuf,
    },
    /// A health rule has begun to hold.
    Health {
        /// Thousands of pictures shown.
        kimg: f64,
        /// Name of the rule.
        rule: &'static str,
        /// What is going on, in plain words.
        message: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The run went back to its best state.
    Rollback {
        /// Thousands of pictures shown.
        kimg: f64,
        /// Those shown when that state was saved.
        to_kimg: f64,
        /// Why.
        reason: String,
    },
    /// The run ended or was stopped; its state is saved.
    Finished {
        /// Thousands of pictures shown.
        kimg: f64,
        /// Training time of all sessions, seconds.
        secs: f64,
        /// False if it was stopped before its end.
        complete: bool,
        /// The newest model file.
        model: Option<PathBuf>,
    },
}

/// Watches a run. Nothing an observer does can change what is learnt.
pub trait Observer {
    /// A fact, in order.
    fn progress(&mut self, progress: Progress);
    /// Asked before every step: true saves the state and ends the session.
    fn stop(&mut self) -> bool {
        false
    }
}

/// Watches nothing.
impl Observer for () {
    fn progress(&mut self, _: Progress) {}
}
