use super::*;
use crate::augment::Plan;
use crate::config::Discriminator;
use crate::loss::Loss;
use crate::paint::{Fakes, Latents};
use crate::state::Counters;
use pinxit_nn::{FeatureNet, GeneratorConfig, OwnConfig, Preset, ProjectedConfig, ProjectedDiscriminator};
use pinxit_tensor::Rng;

const N: usize = 4;
const RATES: Rates = Rates { lr_g: 1e-3, lr_d: 1e-3, gamma: 1.0 };

fn config(discriminator: Discriminator, loss: Loss, update: Update) -> TrainConfig {
    let mut c = TrainConfig { discriminator, loss, update, batch: N, style_mixing: 0.5, ..TrainConfig::default() };
    (c.projected.energy, c.projected.penalty) = (0.0, 0.0);
    c
}

fn reals() -> Batch {
    let pictures = Rng::stream(1, "reals").normal_tensor(&[N, 32, 32, 3]);
    Batch { pictures, labels: Labels::new(vec![0, 0, 1, 2], vec![0; N]) }
}

fn game(config: &TrainConfig) -> (Players, State) {
    let sizes = GeneratorConfig { channels: vec![16, 16, 8, 8], ..GeneratorConfig::new(Preset::Xs32, (4, 4), 2, 0) };
    let generator = Generator::new(sizes);
    let (judge, weights, spectral) = match config.discriminator {
        Discriminator::Own => {
            let widths = vec![8, 8, 16];
            let d = OwnDiscriminator::new(OwnConfig { widths, ..OwnConfig::new(Preset::Xs32, (32, 32), 2, 0) }).unwrap();
            let w = d.init(3);
            (Judge::Own(d), w, Weights::new())
        }
        Discriminator::Projected => {
            let sizes = ProjectedConfig { mix: 8, channels: 8, embed: 8, ..ProjectedConfig::new((32, 32), 2, 0) };
            let net = ProjectedDiscriminator::new(sizes, FeatureNet::shipped().unwrap()).unwrap();
            let p = ProjectedJudge::new(net, &reals().pictures, config);
            let (w, spectral) = p.init(config);
            (Judge::Projected(p), w, spectral)
        }
    };
    let painter = generator.init(2);
    let state = State {
        average: painter.clone(),
        generator: Learner::new(painter),
        discriminator: Learner::new(weights),
        spectral,
        counters: Counters::start("", None),
    };
    (Players { generator, judge }, state)
}

/// What kinks (hinge, ReLU6, leaky ReLU) and `f32` may cost a finite difference; a wrong sign, factor or missing term costs more.
const TOLERANCE: f64 = 0.08;

/// Every combination that is offered.
fn all() -> Vec<TrainConfig> {
    let mut out = Vec::new();
    for d in [Discriminator::Own, Discriminator::Projected] {
        for loss in [Loss::Hinge, Loss::Relativistic] {
            for update in [Update::Simultaneous, Update::Sequential, Update::Alternating] {
                out.push(config(d, loss, update));
            }
        }
    }
    out
}

/// Moves the weights by `k` times `direction`.
fn moved(w: &Weights, direction: &Weights, k: f32) -> Weights {
    let add = |(n, t): (&String, &Tensor)| {
        let mut t = t.clone();
        let d = direction.get(n).data().to_vec();
        t.data_mut().iter_mut().zip(d).for_each(|(t, d)| *t += k * d);
        (n.clone(), t)
    };
    w.iter().map(add).collect()
}

fn square(w: &Weights) -> f64 {
    w.iter().flat_map(|(_, t)| t.data()).map(|&v| f64::from(v).powi(2)).sum()
}

/// The slope of a loss along its gradient, by finite differences, is the gradient's squared length.
fn along(gradient: &Weights, loss: impl Fn(f32) -> f64) -> (f64, f64) {
    let length = square(gradient);
    let step = (2e-3 / length.sqrt()) as f32;
    ((loss(step) - loss(-step)) / (2.0 * f64::from(step)), length)
}

#[test]
fn both_players_follow_the_gradient_of_their_loss() {
    for c in all().into_iter().filter(|c| c.update == Update::Sequential) {
        let ((players, state), batch) = (game(&c), reals());
        let plan = Plan::draw(&c.augment, &mut Rng::stream(5, "plan"), N, (32, 32), true);
        let latents = Latents::draw(&players.generator, N, &c, &mut Rng::stream(5, "z"));
        let paint = |w: &Weights| Fakes::paint(&players.generator, w, &latents, &batch.labels);
        let see = |w: &Weights| {
            players.judge.see(&batch.pictures, &plan.apply(paint(w).pictures()), &batch.labels, &[View::Whole, View::Whole], N)
        };

        let sight = see(&state.generator.weights);
        let (_, gradient) = players.judge.generator_turn(&state, &sight, &batch.labels, &c);
        let grads = paint(&state.generator.weights).learn(plan.adjoint(&gradient));
        let loss_g = |k: f32| {
            let sight = see(&moved(&state.generator.weights, &grads, k));
            players.judge.generator_turn(&state, &sight, &batch.labels, &c).0
        };
        let (slope, length) = along(&grads, loss_g);
        assert!((slope / length - 1.0).abs() < TOLERANCE, "G of {:?} {:?}: {slope} against {length}", c.discriminator, c.loss);

        let turn = |s: &State| players.judge.discriminator_turn(s, &sight, &batch.labels, &c, 0.0);
        let found = turn(&state);
        let loss_d = |k: f32| {
            let mut s = state.clone();
            s.discriminator.weights = moved(&state.discriminator.weights, &found.grads, k);
            turn(&s).sums.loss_d
        };
        let (slope, length) = along(&found.grads, loss_d);
        assert!((slope / length - 1.0).abs() < TOLERANCE, "D of {:?} {:?}: {slope} against {length}", c.discriminator, c.loss);
    }
}

#[test]
fn the_penalty_on_features_is_part_of_the_gradient() {
    let mut c = config(Discriminator::Projected, Loss::Relativistic, Update::Sequential);
    (c.projected.penalty, c.projected.spectral_norm) = (4.0, false);
    let ((players, state), batch) = (game(&c), reals());
    let fakes = Rng::stream(9, "fakes").normal_tensor(&[N, 32, 32, 3]);
    let sight = players.judge.see(&batch.pictures, &fakes, &batch.labels, &[View::Whole, View::Whole], N);
    let turn = |s: &State| players.judge.discriminator_turn(s, &sight, &batch.labels, &c, 0.0);
    let found = turn(&state);
    assert!(found.sums.penalty > 0.0);
    let (slope, length) = along(&found.grads, |k| {
        let mut s = state.clone();
        s.discriminator.weights = moved(&state.discriminator.weights, &found.grads, k);
        let sums = turn(&s).sums;
        sums.loss_d + c.projected.penalty * sums.penalty
    });
    assert!((slope / length - 1.0).abs() < TOLERANCE, "{slope} against {length}");
}

#[test]
fn parts_of_a_batch_add_up_to_the_whole() {
    for update in [Update::Simultaneous, Update::Sequential, Update::Alternating] {
        let c = config(Discriminator::Own, Loss::Relativistic, update);
        let (players, start) = game(&c);
        // After the first step Adam's memory is a hundredth of the squared gradient, which tells it to rounding.
        let played = |size: usize| {
            let mut state = start.clone();
            assert_eq!(play(&players, &c, &mut state, &reals(), RATES, size), Outcome::Learnt);
            state
        };
        let whole = played(N);
        for size in [1, 3] {
            let parts = played(size);
            let close = |a: &Weights, b: &Weights| {
                let gap: f64 = a.iter().map(|(n, a)| distance(a, b.get(n))).sum();
                assert!(gap < 1e-9 * square(b), "{update:?} in parts of {size}: {gap:e} of {:e}", square(b));
            };
            close(&parts.discriminator.v, &whole.discriminator.v);
            if update == Update::Simultaneous {
                // Otherwise the judge has moved on, and Adam's first step has made much of the smallest roundings.
                close(&parts.generator.v, &whole.generator.v);
            }
            let (a, b) = (parts.counters.sums, whole.counters.sums);
            assert_eq!((a.steps, a.accuracy), (b.steps, b.accuracy));
            for (a, b) in [(a.loss_d, b.loss_d), (a.penalty, b.penalty), (a.real, b.real), (a.fake, b.fake)] {
                assert!((a - b).abs() < 1e-5 * b.abs().max(1e-2), "{update:?} in parts of {size}: {a} for {b}");
            }
        }
    }
}

/// Squared distance.
fn distance(a: &Tensor, b: &Tensor) -> f64 {
    a.data().iter().zip(b.data()).map(|(&a, &b)| f64::from(a - b).powi(2)).sum()
}

#[test]
fn every_combination_learns_and_counts() {
    for c in all() {
        let (players, mut state) = game(&c);
        let before = (state.generator.weights.clone(), state.discriminator.weights.clone());
        for _ in 0..2 {
            assert_eq!(step(&players, &c, &mut state, &reals(), RATES), Outcome::Learnt, "{c:?}");
        }
        let moved = |a: &Weights, b: &Weights| a.iter().zip(b).any(|((_, a), (_, b))| a.data() != b.data());
        assert!(moved(&before.0, &state.generator.weights) && moved(&before.1, &state.discriminator.weights), "{c:?}");
        assert!(state.generator.weights.is_finite() && state.discriminator.weights.is_finite());
        assert_eq!((state.counters.step, state.counters.shown, state.counters.sums.steps), (2, 2 * N as u64, 2));
    }
}

#[test]
fn a_broken_gradient_is_not_learnt_from() {
    for c in all() {
        let (players, mut state) = game(&c);
        state.generator.weights.get_mut("start.const").data_mut()[0] = f32::NAN;
        let (g, d) = (state.generator.weights.clone(), state.discriminator.weights.clone());
        assert_eq!(step(&players, &c, &mut state, &reals(), RATES), Outcome::Skipped, "{c:?}");
        let bits = |w: &Weights| -> Vec<u32> { w.iter().flat_map(|(_, t)| t.data().iter().map(|v| v.to_bits())).collect() };
        assert!(bits(&g) == bits(&state.generator.weights) && bits(&d) == bits(&state.discriminator.weights), "{c:?}");
        let k = &state.counters;
        assert_eq!((k.step, k.skipped, k.skipped_in_a_row, k.lr_scale, k.sums.steps), (1, 1, 1, 0.5, 0));
    }
}

#[test]
fn only_the_layers_of_the_mapping_are_slowed() {
    assert!(maps("mapping.0.weight") && maps("mapping.1.bias"));
    assert!(!maps("mapping.class") && !maps("mapping.style") && !maps("stage.0.rgb.weight"));
}

#[test]
fn batches_are_seen_from_near_as_often_as_asked() {
    let mut config = config(Discriminator::Projected, Loss::Relativistic, Update::Sequential);
    let sizes = ProjectedConfig { feature_size: (32, 32), ..ProjectedConfig::new((48, 64), 2, 0) };
    let net = ProjectedDiscriminator::new(sizes, FeatureNet::shipped().unwrap()).unwrap();
    let judge = ProjectedJudge::new(net, &Rng::new(1).normal_tensor(&[N, 48, 64, 3]), &config);
    let mut near = |share| {
        config.projected.near = share;
        let mut rng = Rng::new(7);
        let views: Vec<[View; 2]> = (0..100).map(|_| judge.views(&config, &mut rng, N)).collect();
        let corners = |view: &View| match view {
            View::Whole => Vec::new(),
            View::Windows(corners) => corners.clone(),
        };
        let all: Vec<(usize, usize)> = views.iter().flatten().flat_map(corners).collect();
        assert!(all.iter().all(|&(top, left)| top <= 16 && left <= 32));
        assert!(
            views.iter().all(|[real, fake]| corners(real).len() == corners(fake).len() && (*real == View::Whole || real != fake))
        );
        all.len() / (2 * N)
    };
    assert_eq!((near(0.0), near(1.0)), (0, 100));
    assert!((30..70).contains(&near(0.5)));
}
