//! The face of a use case on a terminal, in a pipe, or as JSON lines: each is a `match` on [`Event`].
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pinxit_studio::{Event, Task, Watcher};
use serde_json::{Map, Value};

use crate::cli::Globals;
use crate::context::HomeSuffix;
use crate::{interrupt, output};

/// Without a bar, a phase says how far it is at most this often.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Prints events as they come.
pub struct Face {
    json: bool,
    quiet: bool,
    verbose: bool,
    bar: Option<ProgressBar>,
    phase: String,
    /// What the next progress says besides.
    so_far: String,
    last_plain: Option<Instant>,
    suffix: HomeSuffix,
    /// Standard output has failed.
    is_unheard: bool,
}

impl Face {
    /// As the person asked for; a bar only on a terminal.
    pub fn new(globals: &Globals, suffix: HomeSuffix) -> Self {
        let wants_bar = !globals.json && !globals.quiet && !globals.no_progress && std::io::stderr().is_terminal();
        Face {
            json: globals.json,
            quiet: globals.quiet,
            verbose: globals.verbose,
            bar: wants_bar.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())),
            phase: String::new(),
            so_far: String::new(),
            last_plain: None,
            suffix,
            is_unheard: false,
        }
    }

    /// The event as a line of JSON, its commands with the home they need. A reader that goes away, or a full disk behind `> log`,
    /// stops no work: it is said once.
    fn json(&mut self, event: Event) {
        let line = event.map_commands(|command| self.suffix.after(command)).to_json();
        if self.is_unheard {
            return;
        }
        if let Err(e) = output::try_data(&line) {
            self.is_unheard = true;
            output::warning(&format!("nobody reads the events any more ({e}); the work goes on"), None);
        }
    }

    /// A line above the bar, or just a line.
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::say(line)),
            None => output::say(line),
        }
    }

    fn human(&mut self, event: Event) {
        match event {
            Event::Progress { task, phase, step, total } => self.progress(task, phase, step, total),
            Event::SoFar { figures, .. } => self.so_far = format!(" · {}", named(&figures)),
            Event::Tick { kimg, total_kimg, img_per_sec, eta_secs, figures, .. } => {
                let line = tick_line(kimg, total_kimg, img_per_sec, eta_secs, &figures);
                self.say(&line);
            }
            Event::File { path, verdict, reason } if self.verbose || verdict == "rejected" => {
                self.say(&format!("{verdict}: {path}: {reason}"));
            }
            Event::Picture { path, role } if self.verbose || role == "sheet" => self.say(&format!("{role}: {}", path.display())),
            Event::Snapshot { kimg, path } => self.say(&format!("saved {} at {kimg} kimg", path.display())),
            Event::Health { rule, message, hint } => {
                self.say(&format!("health ({rule}): {message}"));
                self.say(&format!("  hint: {hint}"));
            }
            Event::Rollback { kimg, reason } => self.say(&format!("went back to the last good state at {kimg} kimg: {reason}")),
            Event::Metrics { kimg, best, figures } => {
                let best = if best { " (best so far)" } else { "" };
                self.say(&format!("measured at {kimg} kimg{best}: {}", named(&figures)));
            }
            Event::Note { message } => self.say(&message),
            Event::Warning { message, hint } => self.warn(&message, hint.as_deref()),
            Event::Finished { .. } | Event::Interrupted { .. } => self.clear(),
            Event::Started { .. } | Event::File { .. } | Event::Picture { .. } => {}
        }
    }

    fn progress(&mut self, task: Task, phase: String, step: u64, total: u64) {
        let (is_new, so_far) = (self.phase != phase, std::mem::take(&mut self.so_far));
        self.phase = phase;
        if let Some(bar) = &self.bar {
            // A demo is several pieces of work: each that ended has put the bar away.
            if bar.is_finished() {
                bar.reset();
            }
            if is_new {
                bar.set_style(bar_style(total > 0));
            }
            if is_new || !so_far.is_empty() {
                bar.set_message(format!("{}{so_far}", self.phase));
            }
            if total > 0 {
                bar.set_length(total);
            }
            bar.set_position(step);
            return;
        }
        if task == Task::Train {
            // Without a bar, training speaks at its ticks.
            return;
        }
        let is_due = self.last_plain.is_none_or(|last| last.elapsed() >= PLAIN_EVERY);
        if is_new || is_due {
            self.last_plain = Some(Instant::now());
            let of = if total > 0 { format!(" of {total}") } else { String::new() };
            let line = if step == 0 { format!("{} …", self.phase) } else { format!("{}: {step}{of}{so_far}", self.phase) };
            output::say(&line);
        }
    }

    fn warn(&self, message: &str, hint: Option<&str>) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::warning(message, hint)),
            None => output::warning(message, hint),
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Watcher for Face {
    fn event(&mut self, event: Event) {
        if self.json {
            self.json(event);
        } else if !self.quiet {
            self.human(event);
        }
    }

    fn stop(&mut self) -> bool {
        interrupt::requested()
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        self.clear();
    }
}

fn bar_style(is_bounded: bool) -> ProgressStyle {
    let template = if is_bounded { "{msg} {wide_bar} {pos}/{len} {eta}" } else { "{spinner} {msg} {pos}" };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// `12.008 of 400 kimg · 17.2 img/s · 6h15m left · loss-d 0.71 · loss-g 0.93`
fn tick_line(kimg: f64, total_kimg: f64, img_per_sec: f64, eta_secs: Option<f64>, figures: &Map<String, Value>) -> String {
    let of = if total_kimg > 0.0 { format!(" of {total_kimg}") } else { String::new() };
    let eta = eta_secs.map(|s| format!(" · {} left", span(s))).unwrap_or_default();
    let figures = if figures.is_empty() { String::new() } else { format!(" · {}", named(figures)) };
    format!("{kimg}{of} kimg · {img_per_sec:.1} img/s{eta}{figures}")
}

/// `name 0.71 · other 3`
pub fn named(figures: &Map<String, Value>) -> String {
    let shown = figures.iter().filter(|(_, v)| !v.is_null() && !v.is_object() && !v.is_array());
    shown.map(|(k, v)| format!("{} {}", k.replace('_', "-"), value(v))).collect::<Vec<_>>().join(" · ")
}

/// A JSON value as people read it: three significant digits for a fraction.
pub fn value(v: &Value) -> String {
    match v {
        Value::Number(n) if n.is_f64() => n.as_f64().map(short).unwrap_or_default(),
        Value::String(s) => s.clone(),
        Value::Null => "-".into(),
        other => other.to_string(),
    }
}

/// Three significant digits, without trailing zeros.
pub fn short(x: f64) -> String {
    let magnitude = if x == 0.0 { 0 } else { x.abs().log10().floor() as i32 };
    let decimals = (2 - magnitude).clamp(0, 6) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// Seconds as `1h05m`, `12m`, `40s`.
pub fn span(secs: f64) -> String {
    let secs = secs.max(0.0).round() as u64;
    match (secs / 3600, secs / 60 % 60, secs % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, _) => format!("{m}m"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        for (x, text) in
            [(0.0, "0"), (0.712_34, "0.712"), (17.0, "17"), (12345.6, "12346"), (-0.001_234, "-0.00123"), (1.5, "1.5")]
        {
            assert_eq!(short(x), text);
        }
        for (secs, text) in [(40.2, "40s"), (725.0, "12m"), (3900.0, "1h05m"), (-3.0, "0s")] {
            assert_eq!(span(secs), text);
        }
    }

    #[test]
    fn a_bar_that_was_put_away_comes_back_with_the_next_work() {
        let mut face = Face {
            json: false,
            quiet: false,
            verbose: false,
            bar: Some(ProgressBar::hidden()),
            phase: String::new(),
            so_far: String::new(),
            last_plain: None,
            suffix: HomeSuffix::default(),
            is_unheard: false,
        };
        let is_away = |face: &Face| face.bar.as_ref().is_some_and(ProgressBar::is_finished);
        face.event(Event::Finished { task: Task::Import, result: Map::new(), next: Vec::new() });
        assert!(is_away(&face));
        face.event(Event::Progress { task: Task::Train, phase: "training".into(), step: 1, total: 2 });
        assert!(!is_away(&face));
    }

    #[test]
    fn a_tick_is_one_line() {
        let figures = serde_json::json!({ "loss_d": 0.7123, "note": null });
        let line = tick_line(12.008, 400.0, 17.23, Some(22_500.0), figures.as_object().unwrap());
        assert_eq!(line, "12.008 of 400 kimg · 17.2 img/s · 6h15m left · loss-d 0.712");
        assert_eq!(tick_line(1.0, 0.0, 9.0, None, &Map::new()), "1 kimg · 9.0 img/s");
    }
}
