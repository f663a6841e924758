//! Stopped, killed or harmed on the way: the next import goes on, and the bytes are those of an uninterrupted one.

use std::ops::ControlFlow;
use std::path::PathBuf;

use pinxit_dataset::{Error, ImportReport, Phase, import};

use crate::common::{Place, bytes_of, options, picture, png};

const FILES: u32 = 200;

fn source() -> Place {
    let place = Place::with(FILES);
    place.put("100-broken.png", b"nope");
    place.put("150-copy.png", &png(&picture(3, 40, 32)));
    place
}

/// Imports until `files` are read, then stops.
fn stop_after(place: &Place, files: usize) {
    let stop = &mut |p: pinxit_dataset::ImportProgress| {
        if p.phase == Phase::Reading && p.done >= files { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let error = import(&[place.source()], &options(), &place.target(), stop).unwrap_err();
    assert!(matches!(error, Error::Interrupted(_)), "{error}");
    assert!(!place.target().exists(), "nothing unfinished is ever visible");
}

fn work(place: &Place, file: &str) -> PathBuf {
    place.target().with_file_name("set.partial").join("work").join(file)
}

fn uninterrupted() -> Vec<(String, Vec<u8>)> {
    let place = source();
    place.import().unwrap();
    bytes_of(&place.target())
}

fn finish(place: &Place) -> ImportReport {
    let report = place.import().unwrap();
    assert!(bytes_of(&place.target()) == uninterrupted(), "the bytes differ from an uninterrupted import");
    assert!(!place.target().with_file_name("set.partial").exists());
    report
}

#[test]
fn goes_on_where_it_was_stopped() {
    let place = source();
    stop_after(&place, 60);
    stop_after(&place, 130);
    let report = finish(&place);
    assert_eq!(report.resumed, 130);
}

#[test]
fn a_truncated_line_costs_that_line() {
    let place = source();
    stop_after(&place, 120);
    let journal = std::fs::read(work(&place, "journal")).unwrap();
    std::fs::write(work(&place, "journal"), &journal[..journal.len() - 7]).unwrap();
    assert_eq!(finish(&place).resumed, 119);
}

#[test]
fn lost_and_harmed_pixels_are_made_again() {
    let place = source();
    stop_after(&place, 90);
    let pixels = std::fs::OpenOptions::new().write(true).open(work(&place, "pixels")).unwrap();
    pixels.set_len(50 * 32 * 32 * 3 + 17).unwrap();
    assert_eq!(finish(&place).resumed, 50);

    let place = source();
    stop_after(&place, 90);
    let mut pixels = std::fs::read(work(&place, "pixels")).unwrap();
    pixels[20 * 32 * 32 * 3 + 5] ^= 1;
    std::fs::write(work(&place, "pixels"), pixels).unwrap();
    assert_eq!(finish(&place).resumed, 20);
}

#[test]
fn any_cut_of_the_journal_is_survived() {
    let place = source();
    stop_after(&place, 40);
    let journal = std::fs::read(work(&place, "journal")).unwrap();
    let expected = uninterrupted();
    for cut in [0, 1, 30, journal.len() / 3, journal.len() / 2, journal.len() - 1] {
        let place = source();
        // Times of the files are part of the fingerprint, so each place makes its own journal.
        stop_after(&place, 40);
        let own = std::fs::read(work(&place, "journal")).unwrap();
        std::fs::write(work(&place, "journal"), &own[..cut.min(own.len())]).unwrap();
        place.import().unwrap();
        assert!(bytes_of(&place.target()) == expected, "cut at {cut}");
    }
}

#[test]
fn a_stop_while_packing_loses_nothing() {
    let place = source();
    let stop = &mut |p: pinxit_dataset::ImportProgress| {
        if p.phase == Phase::Packing { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    assert!(matches!(import(&[place.source()], &options(), &place.target(), stop), Err(Error::Interrupted(_))));
    assert_eq!(finish(&place).resumed, FILES as usize + 2);
}

#[test]
fn a_changed_source_or_size_begins_anew() {
    let place = source();
    stop_after(&place, 60);
    place.put("000.png", &png(&picture(999, 40, 32)));
    let report = place.import().unwrap();
    assert_eq!(report.resumed, 0);

    let place = source();
    stop_after(&place, 60);
    let mut other = options();
    other.resolution = (40, 40);
    assert_eq!(place.import_with(&other).unwrap().resumed, 0);
    assert_eq!(place.open().resolution(), (40, 40));
}

#[test]
fn a_swap_cut_short_is_finished() {
    let place = Place::with(4);
    place.import().unwrap();
    let old = place.target().with_file_name("set.old");
    std::fs::rename(place.target(), &old).unwrap();
    assert!(matches!(place.import(), Err(Error::Exists(_))), "the old dataset is back");
    assert_eq!(place.open().len(), 4);
}
