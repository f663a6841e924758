use super::*;

#[path = "../../tests/common/mod.rs"]
mod common;
use common::{Watch, config, dataset};

/// A run with one snapshot behind it, so that there is a good state to return to.
fn after_a_snapshot(dir: &Path) -> Run {
    let (set, net) = (dataset(dir, 60), FeatureNet::shipped().unwrap());
    let settings = TrainConfig { metric_pictures: 20, ..config(Discriminator::Own) };
    let mut run = Run::create(Claim::take(&dir.join("run")).unwrap(), settings, &set, &net, None).unwrap();
    run.train(&mut Watch::stop_after(14)).unwrap();
    run
}

fn poison(run: &mut Run) {
    run.state.generator.weights.get_mut("start.const").data_mut()[0] = f32::NAN;
}

#[test]
fn broken_gradients_lead_back_to_the_good_state_and_at_last_give_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = after_a_snapshot(dir.path());
    assert_eq!((run.counters().step, run.counters().good_step), (14, Some(12)));
    let good = run.store.load_good(12).unwrap();
    poison(&mut run);
    run.config.length = Length::Kimg(1.0);
    let mut watch = Watch::stop_after(BROKEN_STEPS);
    run.train(&mut watch).unwrap();
    assert_eq!(watch.said.iter().filter(|s| *s == "Rollback").count(), 1);
    let c = run.counters();
    assert_eq!((c.rollbacks, c.skipped, c.skipped_in_a_row, c.lr_scale), (1, BROKEN_STEPS, 0, 0.5));
    assert_eq!(c.step, 14 + u64::from(BROKEN_STEPS), "pictures shown are shown");
    assert!(run.state.generator.weights.get("start.const").data() == good.generator.weights.get("start.const").data());

    for _ in 1..ROLLBACKS {
        poison(&mut run);
        run.train(&mut Watch::stop_after(BROKEN_STEPS)).unwrap();
    }
    poison(&mut run);
    assert!(matches!(run.train(&mut Watch::stop_after(BROKEN_STEPS)), Err(Error::Diverged(_))));
}

/// Dawdles over previews, so that a run by the clock ends within a tick.
struct Slow;

impl Observer for Slow {
    fn progress(&mut self, progress: Progress) {
        if matches!(progress, Progress::Preview { .. }) {
            std::thread::sleep(std::time::Duration::from_millis(400));
        }
    }
}

#[test]
fn a_run_by_the_clock_that_ends_within_a_tick_still_tells_how_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (set, net) = (dataset(dir.path(), 60), FeatureNet::shipped().unwrap());
    let settings = TrainConfig { metric_pictures: 20, length: Length::Seconds(0.4), ..config(Discriminator::Own) };
    let mut run = Run::create(Claim::take(&dir.path().join("run")).unwrap(), settings, &set, &net, None).unwrap();
    assert!(run.train(&mut Slow).unwrap().complete);
    let lines = Stats::read(&run.dir).unwrap();
    let (last, before) = (&lines[lines.len() - 1], &lines[lines.len() - 2]);
    assert!(last.secs >= 0.4 && last.measures.is_some() && last.loss_d > 0.0, "{last:?}");
    assert!(last.step > before.step, "a line tells of a step");
}

#[test]
fn a_run_begun_when_names_were_whole_kimg_finds_its_model() {
    let dir = tempfile::tempdir().unwrap();
    let named = |name: &str| dir.path().join(name);
    assert_eq!(tick::saved_model(dir.path(), 19_600), None);
    std::fs::write(named("model-000020.safetensors"), "").unwrap();
    assert_eq!(tick::saved_model(dir.path(), 19_600), Some(named("model-000020.safetensors")));
    std::fs::write(named("model-000019.600.safetensors"), "").unwrap();
    assert_eq!(tick::saved_model(dir.path(), 19_600), Some(named("model-000019.600.safetensors")));
}

#[test]
fn a_model_with_broken_weights_is_never_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = after_a_snapshot(dir.path());
    run.state.average.get_mut("start.const").data_mut()[0] = f32::NAN;
    assert!(matches!(run.tick(&mut (), None, true), Err(Error::Network(_))));
    let models = std::fs::read_dir(dir.path().join("run")).unwrap().flatten().map(|e| e.file_name().into_string().unwrap());
    let mut models: Vec<String> = models.filter(|name| name.starts_with("model-")).collect();
    models.sort();
    assert_eq!(models, ["model-000000.048.safetensors", "model-best.safetensors"]);
}
