//! What the trainer says, as events; and the previews on disk.
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pinxit_image::{Encoding, Metadata, Picture};
use pinxit_train::{Length, Observer, Progress, Run};

use crate::event::{Event, Task, Watcher, figures};
use crate::{Result, paths};

/// Between two status lines, a bar moves at most this often.
const STEP_EVERY: Duration = Duration::from_secs(1);

/// Stands between the trainer and a watcher.
pub struct Face<'a> {
    dir: PathBuf,
    watcher: &'a mut dyn Watcher,
    total_kimg: f64,
    tick_kimg: f64,
    position: Position,
    said: Instant,
}

/// How far the run is, counted step by step: the trainer itself speaks only at ticks.
struct Position {
    length: Length,
    batch: u64,
    shown: u64,
    secs_before: f64,
    since: Instant,
}

impl Position {
    /// Done and in all: pictures, or seconds where the run is bounded by time.
    fn steps(&self) -> (u64, u64) {
        match self.length {
            Length::Kimg(kimg) => (self.shown, (kimg * 1000.0) as u64),
            Length::Seconds(secs) => ((self.secs_before + self.since.elapsed().as_secs_f64()) as u64, secs as u64),
        }
    }
}

impl<'a> Face<'a> {
    /// For `run` in `dir`.
    pub fn new(dir: &Path, run: &Run, watcher: &'a mut dyn Watcher) -> Self {
        let (config, counters, now) = (run.config(), run.counters(), Instant::now());
        let position = Position {
            length: config.length,
            batch: config.batch as u64,
            shown: counters.shown,
            secs_before: counters.elapsed_secs,
            since: now,
        };
        Face { dir: dir.into(), watcher, total_kimg: 0.0, tick_kimg: config.tick_kimg, position, said: now }
    }

    /// Called before every step.
    fn step(&mut self) {
        if self.said.elapsed() >= STEP_EVERY {
            self.say();
        }
        self.position.shown += self.position.batch;
    }

    fn say(&mut self) {
        self.said = Instant::now();
        let (step, total) = self.position.steps();
        self.watcher.event(Event::Progress { task: Task::Train, phase: "training".into(), step: step.min(total), total });
    }

    fn preview(&mut self, kimg: f64, width: usize, height: usize, rgb: Vec<u8>) {
        let path = self.dir.join("previews").join(preview_name(kimg, self.tick_kimg));
        // A viewer can never stop a run: a preview that cannot be written is a warning.
        match write_preview(&path, width, height, rgb) {
            Ok(()) => self.watcher.event(Event::Picture { role: "preview".into(), path }),
            Err(e) => self.watcher.event(Event::Warning { message: format!("no preview: {e}"), hint: e.hint() }),
        }
    }
}

/// Numbers are kimg; with decimals in a run whose ticks are finer than that, and where a run ends between two: no two share a name.
fn preview_name(kimg: f64, tick_kimg: f64) -> String {
    if tick_kimg < 1.0 || kimg.fract() != 0.0 { format!("{kimg:010.3}.png") } else { format!("{kimg:06}.png") }
}

fn write_preview(path: &Path, width: usize, height: usize, rgb: Vec<u8>) -> Result<()> {
    let picture = Picture::new(width as u32, height as u32, rgb)?;
    paths::make_parent(path)?;
    Ok(pinxit_image::write_atomic(path, &pinxit_image::encode(&picture, Encoding::Png, &Metadata::default())?)?)
}

impl Observer for Face<'_> {
    fn progress(&mut self, progress: Progress) {
        let event = match progress {
            Progress::Started {
                kimg,
                target_kimg,
                target_secs,
                generator_parameters,
                discriminator_parameters,
                damaged_state,
            } => {
                self.total_kimg = target_kimg.unwrap_or(0.0);
                if let Some(what) = damaged_state {
                    let message = format!("one of the two saved states was damaged and is not used: {what}");
                    self.watcher.event(Event::Warning { message, hint: None });
                }
                let end = match (target_kimg, target_secs) {
                    (Some(kimg), _) => format!("to {kimg} kimg"),
                    (None, Some(secs)) => format!("for {} in all", crate::settings::Span::from_secs(secs as u64)),
                    (None, None) => "without end".into(),
                };
                Event::Note {
                    message: format!(
                        "training from {kimg} kimg {end}; generator {generator_parameters}, discriminator \
                         {discriminator_parameters} weights"
                    ),
                }
            }
            Progress::Tick { kimg, fraction, img_per_sec, eta_secs, loss_d, loss_g, gap, memory_bytes } => {
                self.position.shown = (kimg * 1000.0).round() as u64;
                // Measuring may follow for a minute: a bar shall not stand where it was before the tick.
                self.say();
                let figures = serde_json::json!({
                    "loss_d": loss_d, "loss_g": loss_g, "gap": gap, "memory_mib": memory_bytes >> 20,
                });
                let figures = figures.as_object().cloned().unwrap_or_default();
                Event::Tick { kimg, total_kimg: self.total_kimg, fraction, img_per_sec, eta_secs, figures }
            }
            Progress::Preview { kimg, width, height, rgb } => return self.preview(kimg, width, height, rgb),
            Progress::Metrics { kimg, measures, best } => Event::Metrics { kimg, best, figures: figures(&measures) },
            Progress::Snapshot { kimg, path } => Event::Snapshot { kimg, path },
            Progress::Health { rule, message, hint, .. } => Event::Health { rule: rule.into(), message, hint: hint.into() },
            Progress::Rollback { to_kimg, reason, .. } => Event::Rollback { kimg: to_kimg, reason },
            // The use case says how it ended.
            _ => return,
        };
        self.watcher.event(event);
    }

    fn stop(&mut self) -> bool {
        self.step();
        self.watcher.stop()
    }
}

#[cfg(test)]
mod tests {
    use super::preview_name;

    #[test]
    fn previews_sort_by_kimg() {
        assert_eq!((preview_name(128.0, 4.0), preview_name(0.04, 0.04)), ("000128.png".into(), "000000.040.png".into()));
        assert_ne!(preview_name(19.504, 4.0), preview_name(19.552, 4.0), "the end of a run that went on");
        let names: Vec<String> = [0.0, 0.5, 1.0, 10.25, 128.0].iter().map(|k| preview_name(*k, 0.5)).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}
