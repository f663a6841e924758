//! A run that is stopped, damaged or interfered with ends as if nothing had happened, or says clearly why it cannot.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
mod common;

use common::{Watch, all, config, dataset, log, through};
use pinxit_nn::FeatureNet;
use pinxit_train::stats::Stats;
use pinxit_train::{Claim, Discriminator, Error, Length, Run, TrainConfig};

fn net() -> FeatureNet {
    FeatureNet::shipped().unwrap()
}

#[test]
fn a_state_lost_to_damage_is_made_again_from_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let (set, net, config) = (dataset(dir.path(), 40), net(), config(Discriminator::Own));
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let whole = through(&a, &config, &set, &net);
    let mut run = Run::create(Claim::take(&b).unwrap(), config, &set, &net, None).unwrap();
    run.train(&mut Watch::stop_after(14)).unwrap();
    drop(run);
    // The newer of the two: the one saved at the stop.
    let mut files: Vec<_> = ["a.bin", "b.bin"].map(|f| b.join("state").join(f)).to_vec();
    files.sort_by_key(|f| std::fs::metadata(f).unwrap().modified().unwrap());
    let mut bytes = std::fs::read(&files[1]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&files[1], bytes).unwrap();
    let mut run = Run::resume(&b, &set, &net, None).unwrap();
    assert!(run.counters().step < 14);
    run.train(&mut ()).unwrap();
    assert!(all(&whole) == all(&run));
    assert_eq!(log(&a), log(&b));
}

#[test]
fn refusals_name_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (set, net, config) = (dataset(dir.path(), 40), net(), config(Discriminator::Own));
    let at = dir.path().join("run");
    assert!(matches!(Run::resume(&at, &set, &net, None), Err(Error::NoRun { .. })));
    let mut run = Run::create(Claim::take(&at).unwrap(), config.clone(), &set, &net, None).unwrap();
    run.train(&mut Watch::stop_after(2)).unwrap();
    let second = Run::resume(&at, &set, &net, None).err().unwrap();
    assert!(matches!(&second, Error::Locked { pid, .. } if *pid == std::process::id().to_string()), "{second}");
    assert!(matches!(Claim::take(&at), Err(Error::Locked { .. })), "a folder is held before anything is written into it");
    drop(run);
    assert!(matches!(Claim::take(&at), Err(Error::RunExists { .. })));

    let other = tempfile::tempdir().unwrap();
    let changed = dataset(other.path(), 42);
    let error = Run::resume(&at, &changed, &net, None).err().unwrap();
    let text = error.to_string();
    assert!(text.contains(set.manifest_hash()) && text.contains(changed.manifest_hash()) && error.hint().is_some(), "{text}");

    for file in ["a.bin", "b.bin"] {
        std::fs::write(at.join("state").join(file), b"PINXRUN1").unwrap();
    }
    assert!(matches!(Run::resume(&at, &set, &net, None), Err(Error::BadState { .. })));
    let nonsense = TrainConfig { batch: 0, ..config };
    assert!(matches!(
        Run::create(Claim::take(&dir.path().join("x")).unwrap(), nonsense, &set, &net, None),
        Err(Error::Config(_))
    ));
}

/// An end at a tick that is no snapshot once wrote a second line for the same step, all zeros.
#[test]
fn the_last_line_is_one_like_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let (set, net) = (dataset(dir.path(), 40), net());
    let at = dir.path().join("run");
    let config = TrainConfig { length: Length::Kimg(0.08), ..config(Discriminator::Own) };
    let run = through(&at, &config, &set, &net);
    let lines = Stats::read(&at).unwrap();
    assert_eq!(lines.iter().map(|l| l.step).collect::<Vec<_>>(), [4, 8, 12, 16, 20]);
    assert!(lines.iter().all(|l| l.loss_d != 0.0 && l.loss_g != 0.0), "{lines:?}");
    assert_eq!(run.counters().snapshot_shown, 80, "and the end has its model");
}

#[test]
fn a_finished_run_can_be_given_a_longer_end() {
    let dir = tempfile::tempdir().unwrap();
    let (set, net, config) = (dataset(dir.path(), 40), net(), config(Discriminator::Own));
    let at = dir.path().join("run");
    drop(through(&at, &config, &set, &net));
    let before = log(&at).len();
    let mut same = Run::resume(&at, &set, &net, None).unwrap();
    assert_eq!(same.train(&mut ()).unwrap().kimg, 0.096, "nothing is left to do");
    assert_eq!(log(&at).len(), before);
    drop(same);
    let written = std::fs::read(at.join("config.toml")).unwrap();
    for passed in [Length::Kimg(0.05), Length::Kimg(0.096), Length::Seconds(1e-6)] {
        let error = Run::resume(&at, &set, &net, Some(passed)).err().unwrap();
        assert!(matches!(&error, Error::EndPassed { .. }) && error.hint().is_some(), "{error}");
    }
    let other = tempfile::tempdir().unwrap();
    let changed = dataset(other.path(), 42);
    assert!(Run::resume(&at, &changed, &net, Some(Length::Kimg(9.0))).is_err());
    assert!(std::fs::read(at.join("config.toml")).unwrap() == written, "a refused resume leaves the old end standing");
    assert_eq!(Run::position(&at, &set).unwrap().kimg(), 0.096);
    let mut longer = Run::resume(&at, &set, &net, Some(Length::Kimg(0.112))).unwrap();
    assert_eq!(longer.train(&mut ()).unwrap().kimg, 0.112);
    assert_eq!(TrainConfig::load(&at.join("config.toml")).unwrap().length, Length::Kimg(0.112));
}

#[test]
fn a_run_by_the_clock_ends_and_resumes() {
    let dir = tempfile::tempdir().unwrap();
    let (set, net, mut config) = (dataset(dir.path(), 40), net(), config(Discriminator::Own));
    config.length = Length::Seconds(0.4);
    let at = dir.path().join("run");
    let mut run = Run::create(Claim::take(&at).unwrap(), config, &set, &net, None).unwrap();
    run.train(&mut Watch::stop_after(3)).unwrap();
    let secs = run.counters().elapsed_secs;
    drop(run);
    let mut run = Run::resume(&at, &set, &net, None).unwrap();
    assert_eq!(run.counters().elapsed_secs, secs, "the clock stands where it stood");
    let summary = run.train(&mut ()).unwrap();
    assert!(summary.complete && summary.secs >= 0.4);
}
