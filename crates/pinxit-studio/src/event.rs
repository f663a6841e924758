//! The one stream of facts. Every face (progress bar, plain lines, `--json`) is a `match` on [`Event`].
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Version of the JSON lines.
pub const VERSION: u64 = 1;

/// What a long piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Pictures into a dataset.
    Import,
    /// A dataset into a model.
    Train,
    /// A model into pictures.
    Generate,
    /// Pictures into others: walked between, mixed, moved, bred.
    Explore,
    /// A dataset into files.
    Export,
    /// A model measured.
    Evaluate,
    /// A model held against the works it learnt from.
    Audit,
    /// All of it once.
    Demo,
}

/// Something that happened. In JSON the variant is the field `event`, in kebab-case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Work began.
    Started {
        /// What kind.
        task: Task,
        /// Dataset, run or model it makes or uses.
        name: String,
    },
    /// Steps done within a phase. Sent often: a face shows the latest.
    Progress {
        /// What kind of work.
        task: Task,
        /// The phase, in words.
        phase: String,
        /// Steps done.
        step: u64,
        /// Steps in all; 0 when not known.
        total: u64,
    },
    /// What a search has found by now, at the step that the next progress tells.
    SoFar {
        /// What kind of work.
        task: Task,
        /// Figures by name, such as `likeness_db`.
        figures: Map<String, Value>,
    },
    /// A file that was not simply taken.
    File {
        /// The file, as named by its source.
        path: String,
        /// `fixed`, `rejected` or `dropped`.
        verdict: String,
        /// Why.
        reason: String,
    },
    /// One status line of training.
    Tick {
        /// Thousands of pictures shown.
        kimg: f64,
        /// Thousands of pictures in all; 0 when the run is bounded by time.
        total_kimg: f64,
        /// Share of the run done, 0 to 1.
        fraction: f64,
        /// Pictures a second, measured.
        img_per_sec: f64,
        /// Seconds left, once that is known.
        eta_secs: Option<f64>,
        /// Losses and other figures by name.
        figures: Map<String, Value>,
    },
    /// A picture file was written.
    Picture {
        /// `preview`, `sheet` or `picture`.
        role: String,
        /// The file.
        path: PathBuf,
    },
    /// A model file was written.
    Snapshot {
        /// Thousands of pictures shown.
        kimg: f64,
        /// The file.
        path: PathBuf,
    },
    /// A health rule spoke.
    Health {
        /// Name of the rule.
        rule: String,
        /// What is the matter, in plain words.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Training went back to its last good state.
    Rollback {
        /// Where it went back to, thousands of pictures.
        kimg: f64,
        /// Why.
        reason: String,
    },
    /// Measured quality.
    Metrics {
        /// Thousands of pictures shown.
        kimg: f64,
        /// Best of the run so far; kept as `model-best.safetensors`.
        best: bool,
        /// Figures by name.
        figures: Map<String, Value>,
    },
    /// Something to know that stops nothing.
    Note {
        /// What.
        message: String,
    },
    /// Something to act on that stops nothing.
    Warning {
        /// What.
        message: String,
        /// What to do, if anything.
        hint: Option<String>,
    },
    /// Work ended well.
    Finished {
        /// What kind.
        task: Task,
        /// What came out, by name.
        result: Map<String, Value>,
        /// Commands that make sense next.
        next: Vec<String>,
    },
    /// Work was stopped by the person; nothing is lost.
    Interrupted {
        /// What kind.
        task: Task,
        /// Command that goes on from here, if there is one.
        resume: Option<String>,
    },
}

impl Event {
    /// The event with every command it suggests changed by `f`.
    pub fn map_commands(self, f: impl Fn(&str) -> String) -> Self {
        match self {
            Event::Finished { task, result, next } => Event::Finished { task, result, next: next.iter().map(|c| f(c)).collect() },
            Event::Interrupted { task, resume } => Event::Interrupted { task, resume: resume.map(|c| f(&c)) },
            other => other,
        }
    }

    /// One line of JSON with the format version, without the line end.
    pub fn to_json(&self) -> String {
        versioned(self)
    }
}

/// Any answer as one JSON object with `"v":1` first.
pub fn versioned<T: Serialize>(value: &T) -> String {
    let mut line = Map::new();
    line.insert("v".into(), VERSION.into());
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => line.extend(fields),
        Ok(other) => drop(line.insert("value".into(), other)),
        Err(e) => drop(line.insert("unprintable".into(), e.to_string().into())),
    }
    Value::Object(line).to_string()
}

/// A JSON object from any struct; empty if it is none.
pub fn figures<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// Who watches a use case. A watcher cannot fail a use case: it has no way to return an error.
pub trait Watcher {
    /// Something happened.
    fn event(&mut self, event: Event);
    /// Asked at every safe point: true ends the work there.
    fn stop(&mut self) -> bool;
}

/// Says nothing, and passes on the wish to stop: for an answer that is one object.
pub struct Silent<'a>(pub &'a mut dyn Watcher);

impl Watcher for Silent<'_> {
    fn event(&mut self, _: Event) {}
    fn stop(&mut self) -> bool {
        self.0.stop()
    }
}

/// Nobody watches.
pub struct Unwatched;

impl Watcher for Unwatched {
    fn event(&mut self, _: Event) {}
    fn stop(&mut self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_version_first_and_reads_back() {
        let event = Event::Progress { task: Task::Import, phase: "reading".into(), step: 3, total: 0 };
        let line = event.to_json();
        assert_eq!(line, r#"{"v":1,"event":"progress","task":"import","phase":"reading","step":3,"total":0}"#);
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}
