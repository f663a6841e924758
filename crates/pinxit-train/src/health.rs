//! What is going wrong, in plain words: rules over the status lines and the measures, each with a hint.
//!
//! A rule speaks once when it begins to hold and again only after it has ceased to. **Best so far** is the snapshot with the
//! lowest `KID - coverage`: KID alone prefers collapsed models, coverage alone prefers noise that is everywhere. A run whose
//! pictures fall far behind its own best for two snapshots has collapsed and goes back there.
use crate::metrics::Measures;
use crate::stats::Line;
use serde::{Deserialize, Serialize};

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The discriminator is never wrong, so the generator hears nothing useful.
    DiscriminatorWinning,
    /// The discriminator cannot tell real from fake although the pictures are poor.
    DiscriminatorBlind,
    /// Fakes of one class are all alike.
    Collapse,
    /// Fakes are copies.
    Memorising,
    /// No progress for long.
    NotLearning,
    /// Gradients that are not numbers.
    NotANumber,
}

/// A rule that has begun to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which.
    pub rule: Rule,
    /// What is going on.
    pub message: String,
}

/// Status lines in a row before a loss is believed.
const LINES: u32 = 5;
/// Loss of the discriminator, as a share of its value when it is guessing, below which it is winning.
const WINNING: f64 = 0.05;
/// The same above which it sees nothing.
const BLIND: f64 = 0.98;
/// Share of pairs told apart up to which it may be said to guess (chance is 0.5). The loss alone does not tell: scores held near
/// zero by a penalty leave it high at 79 % told apart.
const GUESSED: f64 = 0.6;
/// Variety below which fakes of one class count as alike (RECIPE §7).
const ALIKE: f64 = 0.5;
/// Share of copies that is too much.
const COPIES: f64 = 0.2;
/// Early pictures may be anything: variety and progress are judged from here on, kimg.
const EARLY_KIMG: f64 = 40.0;
/// Progress is looked for over this long, kimg.
const PATIENCE_KIMG: f64 = 100.0;
/// Snapshots in a row before a collapse is believed.
const COLLAPSED_SNAPSHOTS: u32 = 2;

impl Rule {
    /// Name for logs and programs.
    pub fn name(self) -> &'static str {
        match self {
            Rule::DiscriminatorWinning => "discriminator-winning",
            Rule::DiscriminatorBlind => "discriminator-blind",
            Rule::Collapse => "collapse",
            Rule::Memorising => "memorising",
            Rule::NotLearning => "not-learning",
            Rule::NotANumber => "not-a-number",
        }
    }

    /// What a person can do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Rule::DiscriminatorWinning => "lower lr_d, or strengthen the augmentation; more pictures help most",
            Rule::DiscriminatorBlind => "raise lr_d, or weaken the augmentation; it often recovers by itself early in a run",
            Rule::Collapse => {
                "early on this often passes; if it stays, raise projected.energy, lower both learning rates, or use a larger batch"
            }
            Rule::Memorising => "stop here and keep the best model; more pictures, flips or patches make room to go on",
            Rule::NotLearning => "stop here and keep the best model, or go on with half the learning rate",
            Rule::NotANumber => "nothing to do if it stays rare; otherwise start again with half the learning rate",
        }
    }
}

/// What the rules remember between lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    holding: Vec<Rule>,
    winning: u32,
    blind: u32,
    copies: u32,
    fallen: u32,
    skipped: u32,
    best: Option<(f64, Measures)>,
}

/// Figure by which snapshots are ranked, lower is better.
pub fn rank(m: &Measures) -> f64 {
    m.kid - m.coverage
}

impl History {
    /// Looks at a status line; `guessing` is the discriminator's loss when it only guesses. Returns rules that begin to hold.
    pub fn line(&mut self, line: &Line, guessing: f64) -> Vec<Finding> {
        let relative = line.loss_d / guessing.max(1e-9);
        self.winning = if relative < WINNING { self.winning + 1 } else { 0 };
        self.blind = if relative > BLIND && line.accuracy < GUESSED { self.blind + 1 } else { 0 };
        let new_skips = line.skipped.saturating_sub(self.skipped);
        self.skipped = line.skipped;
        let percent = 100.0 * line.accuracy;
        let mut out = Vec::new();
        out.extend(self.judge(Rule::DiscriminatorWinning, self.winning >= LINES, || {
            format!("the discriminator is winning: it tells real from fake {percent:.0} % of the time and has almost nothing left to learn")
        }));
        out.extend(self.judge(Rule::DiscriminatorBlind, self.blind >= LINES, || {
            format!("the discriminator only guesses: it tells real from fake {percent:.0} % of the time, so the generator learns nothing from it")
        }));
        out.extend(self.judge(Rule::NotANumber, new_skips > 0, || {
            let steps = pinxit_dataset::counted(new_skips as usize, "step");
            format!("{steps} skipped because a gradient was not a number; the learning rate was halved each time")
        }));
        out
    }

    /// Looks at a snapshot's measures. Returns rules that begin to hold.
    pub fn snapshot(&mut self, kimg: f64, m: &Measures) -> Vec<Finding> {
        let improved = self.best.is_none_or(|(_, best)| rank(m) < rank(&best) - 0.005);
        let fell = self.best.is_some_and(|(_, best)| fallen(m, &best));
        self.fallen = if fell { self.fallen + 1 } else { 0 };
        self.copies = if m.memorised > COPIES { self.copies + 1 } else { 0 };
        if improved {
            self.best = Some((kimg, *m));
        }
        let stale_kimg = self.best.map_or(0.0, |(at, _)| kimg - at);
        let mut out = Vec::new();
        out.extend(self.judge(Rule::Collapse, kimg >= EARLY_KIMG && m.self_nn < ALIKE, || {
            format!("the pictures of a class are too much alike: they differ {:.2} times as much as real ones do", m.self_nn)
        }));
        out.extend(self.judge(Rule::Memorising, self.copies >= 2, || {
            format!("it is memorising: {:.0} % of the pictures are close to copies of the collection's", 100.0 * m.memorised)
        }));
        out.extend(self.judge(Rule::NotLearning, stale_kimg >= PATIENCE_KIMG, || {
            format!("the pictures have not become better for {stale_kimg:.0} kimg (KID {:.3}, coverage {:.2})", m.kid, m.coverage)
        }));
        out
    }

    /// Whether the run should go back to its best state, and why.
    pub fn collapsed(&self, m: &Measures) -> Option<String> {
        let (kimg, best) = self.best?;
        (self.fallen >= COLLAPSED_SNAPSHOTS).then(|| {
            let (now, then) = (m.coverage, best.coverage);
            format!(
                "the pictures collapsed: coverage {now:.2} and KID {:.2}, after {then:.2} and {:.2} at {kimg} kimg",
                m.kid, best.kid
            )
        })
    }

    /// Forgets what led to a rollback.
    pub fn rolled_back(&mut self) {
        (self.fallen, self.winning, self.blind) = (0, 0, 0);
        self.holding.clear();
    }

    /// Remembers whether `rule` holds; returns a finding if it begins to.
    fn judge(&mut self, rule: Rule, holds: bool, message: impl FnOnce() -> String) -> Option<Finding> {
        let held = self.holding.contains(&rule);
        if holds && !held {
            self.holding.push(rule);
            return Some(Finding { rule, message: message() });
        }
        if !holds {
            self.holding.retain(|r| *r != rule);
        }
        None
    }
}

/// Far behind one's own best: half the coverage and a much larger distance.
fn fallen(m: &Measures, best: &Measures) -> bool {
    best.coverage >= 0.05 && m.coverage < 0.5 * best.coverage && m.kid > best.kid.max(0.05) * 1.5 + 0.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(loss_d: f64, skipped: u32) -> Line {
        Line {
            step: 1,
            kimg: 1.0,
            secs: 1.0,
            img_per_sec: 1.0,
            loss_d,
            loss_g: 1.0,
            gap: 1.0,
            accuracy: 0.5,
            penalty: 0.0,
            lr: 1e-3,
            gamma: 1.0,
            skipped,
            measures: None,
        }
    }

    fn measures(kid: f64, coverage: f64, self_nn: f64, memorised: f64) -> Measures {
        Measures { kid, coverage, self_nn, memorised, ..Measures::default() }
    }

    /// Rules that speak over a curve of discriminator losses (8 is guessing: four heads of hinge).
    fn spoken(losses: &[f64]) -> Vec<Rule> {
        let mut h = History::default();
        losses.iter().flat_map(|&l| h.line(&line(l, 0), 8.0)).map(|f| f.rule).collect()
    }

    #[test]
    fn a_healthy_curve_is_silent() {
        // Discriminator losses of `lab.py` B0, one in 50 steps.
        assert!(spoken(&[7.9, 7.2, 6.6, 6.1, 5.9, 6.2, 5.8, 5.7, 6.0, 5.9]).is_empty());
    }

    #[test]
    fn winning_and_guessing_need_five_lines_and_speak_once() {
        assert_eq!(spoken(&[0.3, 0.2, 0.1, 0.2]), []);
        assert_eq!(spoken(&[0.3, 0.2, 0.1, 0.2, 0.1, 0.1, 0.1]), [Rule::DiscriminatorWinning]);
        assert_eq!(spoken(&[0.3, 0.2, 0.1, 5.0, 0.1, 0.1]), [], "interrupted");
        assert_eq!(spoken(&[8.0; 9]), [Rule::DiscriminatorBlind]);
    }

    #[test]
    fn who_can_tell_is_not_said_to_guess() {
        let mut h = History::default();
        let told = |accuracy| Line { accuracy, ..line(8.0, 0) };
        assert!((0..9).all(|_| h.line(&told(0.79), 8.0).is_empty()));
        let spoken: Vec<Finding> = (0..9).flat_map(|_| h.line(&told(0.52), 8.0)).collect();
        assert!(spoken.len() == 1 && spoken[0].message.contains("only guesses: it tells real from fake 52 %"), "{spoken:?}");
    }

    #[test]
    fn skipped_steps_are_said() {
        let mut h = History::default();
        assert!(h.line(&line(5.0, 0), 8.0).is_empty());
        let found = h.line(&line(5.0, 2), 8.0);
        assert!(found[0].rule == Rule::NotANumber && found[0].message.starts_with("2 steps"));
        assert!(h.line(&line(5.0, 2), 8.0).is_empty() && h.line(&line(5.0, 3), 8.0).len() == 1);
    }

    #[test]
    fn alike_pictures_are_an_alarm_but_no_collapse() {
        let mut h = History::default();
        assert!(h.snapshot(10.0, &measures(1.3, 0.06, 0.41, 0.0)).is_empty(), "too early to say");
        let found = h.snapshot(60.0, &measures(1.0, 0.15, 0.33, 0.0));
        assert_eq!(found.iter().map(|f| f.rule).collect::<Vec<_>>(), [Rule::Collapse]);
        assert!(h.collapsed(&measures(1.0, 0.15, 0.33, 0.0)).is_none());
        assert!(h.snapshot(80.0, &measures(0.9, 0.2, 0.6, 0.0)).is_empty());
    }

    #[test]
    fn a_fall_from_the_best_is_a_collapse_after_two_snapshots() {
        let mut h = History::default();
        h.snapshot(100.0, &measures(0.5, 0.3, 0.7, 0.0));
        let low = measures(1.4, 0.05, 0.1, 0.0);
        h.snapshot(120.0, &low);
        assert!(h.collapsed(&low).is_none(), "one bad snapshot may be chance");
        h.snapshot(140.0, &low);
        assert!(h.collapsed(&low).is_some_and(|why| why.contains("100 kimg")));
        h.rolled_back();
        assert!(h.collapsed(&low).is_none());
    }

    #[test]
    fn copies_and_standing_still_are_said() {
        let mut h = History::default();
        assert!(h.snapshot(100.0, &measures(0.2, 0.5, 0.9, 0.5)).is_empty());
        assert_eq!(h.snapshot(120.0, &measures(0.2, 0.5, 0.9, 0.5))[0].rule, Rule::Memorising);
        assert_eq!(h.snapshot(200.0, &measures(0.2, 0.5, 0.9, 0.0))[0].rule, Rule::NotLearning);
        assert!(h.snapshot(220.0, &measures(0.1, 0.6, 0.9, 0.0)).is_empty());
    }

    #[test]
    fn every_rule_has_a_name_and_a_hint() {
        for rule in [
            Rule::DiscriminatorWinning,
            Rule::DiscriminatorBlind,
            Rule::Collapse,
            Rule::Memorising,
            Rule::NotLearning,
            Rule::NotANumber,
        ] {
            assert!(rule.name().len() > 5 && rule.hint().len() > 20);
            assert_eq!(serde_json::to_string(&rule).unwrap(), format!("\"{}\"", rule.name()));
        }
    }
}
