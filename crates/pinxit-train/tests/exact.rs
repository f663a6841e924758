//! Resume is exact with every instruction set and in every precision. One test function, since the set belongs to the process.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
mod common;

use common::{Watch, all, config, dataset, log, through};
use pinxit_nn::FeatureNet;
use pinxit_tensor::{Isa, set_isa};
use pinxit_train::config::Precision;
use pinxit_train::{Claim, Discriminator, Loss, Run, TrainConfig, Update};

/// Training stopped three times and resumed leaves the same numbers, files and log as training in one go.
fn stopped_and_resumed_is_the_same(what: &str, config: &TrainConfig) {
    let dir = tempfile::tempdir().unwrap();
    let (set, net) = (dataset(dir.path(), 60), FeatureNet::shipped().unwrap());
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let whole = through(&a, config, &set, &net);

    let mut run = Run::create(Claim::take(&b).unwrap(), config.clone(), &set, &net, None).unwrap();
    for steps in [5, 1, 7] {
        let mut watch = Watch::stop_after(steps);
        let summary = run.train(&mut watch).unwrap();
        assert!(!summary.complete && watch.complete == Some(false));
        drop(run);
        run = Run::resume(&b, &set, &net, None).unwrap();
    }
    assert_eq!(run.counters().step, 13);
    let mut watch = Watch::default();
    assert!(run.train(&mut watch).unwrap().complete);
    assert!(all(&whole) == all(&run), "{what}: weights differ");
    assert_eq!(log(&a), log(&b), "{what}");
    let measured = config.metric_pictures > 0;
    assert_eq!(measured, a.join("model-best.safetensors").exists());
    // Two snapshots within one kimg are two files.
    let models = ["model-000000.048.safetensors", "model-000000.096.safetensors", "model-best.safetensors"];
    for model in models.into_iter().take(2 + usize::from(measured)) {
        assert!(std::fs::read(a.join(model)).unwrap() == std::fs::read(b.join(model)).unwrap(), "{what}: {model} differs");
    }
    assert_eq!(measured, watch.said.iter().any(|s| s == "Metrics"));
    assert!(watch.said.iter().any(|s| s == "Tick") && watch.said.iter().any(|s| s == "Preview"));
}

/// The defaults, measured on the way; the other switches of the projected discriminator; the own one.
fn recipes() -> [(&'static str, TrainConfig); 3] {
    let mut other = config(Discriminator::Projected);
    (other.loss, other.update, other.augment.cutout) = (Loss::Hinge, Update::Alternating, false);
    (other.projected.spectral_norm, other.projected.penalty, other.projected.minibatch_std) = (true, 0.0, 0);
    [
        ("projected", TrainConfig { metric_pictures: 20, ..config(Discriminator::Projected) }),
        ("projected, other switches", other),
        ("own", config(Discriminator::Own)),
    ]
}

#[test]
fn stopped_and_resumed_is_the_same_in_every_way() {
    for isa in Isa::ALL.into_iter().filter(|&isa| set_isa(isa)) {
        // Where bf16 is not native a run computes in f32, which has been seen by then.
        let is_another = |p: &Precision| *p == Precision::F32 || p.resolved() != Precision::F32.resolved();
        for precision in [Precision::F32, Precision::Bf16].into_iter().filter(is_another) {
            for (recipe, config) in recipes() {
                stopped_and_resumed_is_the_same(&format!("{isa}, {precision:?}, {recipe}"), &TrainConfig { precision, ..config });
            }
        }
    }
}
