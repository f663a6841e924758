//! The running average of the generator (EMA): calmer than the generator itself, so it is what people see.
//!
//! The half-life grows with the run, `min(share · shown, max)` pictures: early on, the average must forget fast or it shows
//! a past that was worse. A plain bias-corrected start `(1 + t) / (10 + t)` caps it over the first steps.
use crate::config::AverageConfig;
use pinxit_nn::Weights;
use pinxit_tensor::optim;
use serde::{Deserialize, Serialize};

/// Counters of the average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AverageState {
    /// Times the average was moved.
    pub updates: u64,
}

/// Share of the old average that is kept at update `t` (from 0), when `shown` pictures have been shown in batches of `batch`.
pub fn beta(config: &AverageConfig, t: u64, shown: u64, batch: usize) -> f64 {
    let half_life = (config.half_life_share * shown as f64).min(config.max_half_life_kimg * 1000.0);
    let by_half_life = 0.5f64.powf(batch as f64 / half_life.max(1e-9));
    by_half_life.min((1 + t) as f64 / (10 + t) as f64)
}

/// Moves `average` towards `weights`.
pub fn update(average: &mut Weights, weights: &Weights, beta: f64) {
    for ((_, a), (_, w)) in average.iter_mut().zip(weights) {
        optim::ema_step(a, w, beta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_life_is_what_it_says() {
        let config = AverageConfig { half_life_share: 0.05, max_half_life_kimg: 10.0 };
        let shown = 100_000;
        let b = beta(&config, 3000, shown, 32);
        let kept = b.powf(0.05 * shown as f64 / 32.0);
        assert!((kept - 0.5).abs() < 1e-9, "after 5 kimg half is left, not {kept}");
        let b = beta(&config, 100_000, 4_000_000, 64);
        assert!((b.powf(10_000.0 / 64.0) - 0.5).abs() < 1e-9, "never longer than 10 kimg");
        assert!(beta(&config, 0, 0, 32) <= 0.1, "the first update takes the generator nearly whole");
    }
}
