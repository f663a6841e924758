//! What the present step is worth: rates from the position in the run, and the autopilot of the penalty.
use crate::config::{Length, TrainConfig};
use crate::state::{Counters, State, Sums};
use crate::step::Rates;

/// Steps in a row after which the autopilot acts.
const PILOT_STEPS: i64 = 1000;
/// Gap between real and fake scores above which the discriminator is far ahead.
const AHEAD: f64 = 3.0;
/// Gap below which it has no hold.
const NO_HOLD: f64 = 0.2;
/// The autopilot never moves gamma further than this factor.
const PILOT_LIMIT: f64 = 64.0;

/// Share of the run that is done, 0..=1.
pub fn fraction(config: &TrainConfig, counters: &Counters) -> f64 {
    let share = match config.length {
        Length::Kimg(kimg) => counters.kimg() / kimg,
        Length::Seconds(secs) => counters.elapsed_secs / secs,
    };
    share.clamp(0.0, 1.0)
}

/// Rates of the present step.
pub fn rates(config: &TrainConfig, state: &State) -> Rates {
    let c = &state.counters;
    let done = fraction(config, c);
    let warm = ((c.step + 1) as f64 / config.warmup_steps.max(1) as f64).min(1.0);
    let fallen = ((done - config.lr_hold) / (1.0 - config.lr_hold).max(1e-9)).clamp(0.0, 1.0);
    let lr = warm * (1.0 - (1.0 - config.lr_final) * fallen) * c.lr_scale;
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
    let p = &config.penalty;
    let gamma = p.gamma * (p.gamma_final + (1.0 - p.gamma_final) * cosine) * c.gamma_mult;
    Rates { lr_g: config.lr_g * lr, lr_d: config.lr_d * lr, gamma }
}

/// Lets the autopilot see a step of the own discriminator.
pub fn autopilot(config: &TrainConfig, counters: &mut Counters, before: &Sums) {
    if !config.penalty.autopilot {
        return;
    }
    let gap = (counters.sums.real - before.real) - (counters.sums.fake - before.fake);
    counters.gap_steps = match counters.gap_steps {
        n if gap > AHEAD => n.max(0) + 1,
        n if gap < NO_HOLD => n.min(0) - 1,
        _ => 0,
    };
    if counters.gap_steps.abs() < PILOT_STEPS {
        return;
    }
    let factor = if counters.gap_steps > 0 { 2.0 } else { 0.5 };
    counters.gamma_mult = (counters.gamma_mult * factor).clamp(1.0 / PILOT_LIMIT, PILOT_LIMIT);
    counters.gap_steps = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_autopilot_waits_for_a_thousand_steps() {
        let config = TrainConfig::own();
        let mut c = Counters::start("", None);
        let mut run = |gap: f64, steps: usize| {
            for _ in 0..steps {
                let before = c.sums;
                c.sums.real += gap;
                autopilot(&config, &mut c, &before);
            }
            c.gamma_mult
        };
        assert_eq!(run(4.0, 999), 1.0);
        assert_eq!(run(1.0, 1), 1.0);
        assert_eq!(run(4.0, 1000), 2.0);
        assert_eq!(run(0.1, 2000), 0.5);
    }

    #[test]
    fn rates_warm_up_and_decay() {
        let config = TrainConfig { lr_final: 0.2, length: Length::Kimg(10.0), ..TrainConfig::own() };
        let weights = pinxit_nn::Weights::new;
        let learner = || crate::state::Learner::new(weights());
        let mut state = State {
            generator: learner(),
            discriminator: learner(),
            spectral: weights(),
            average: weights(),
            counters: Counters::start("", None),
        };
        assert!((rates(&config, &state).lr_g - config.lr_g / 50.0).abs() < 1e-12);
        (state.counters.step, state.counters.shown) = (5000, 10_000);
        assert!((rates(&config, &state).lr_g - config.lr_g * 0.2).abs() < 1e-12);
        state.counters.lr_scale = 0.5;
        assert!((rates(&config, &state).lr_d - config.lr_d * 0.1).abs() < 1e-12);
    }
}
