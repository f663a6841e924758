//! Opened datasets: whole, unchanged, and honest about harm.

use pinxit_dataset::{Dataset, Error, shelf};

use crate::common::{Place, options, picture, png};

fn flip(place: &Place, file: &str, at: usize) {
    let path = place.target().join(file);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[at] ^= 1;
    // A new file, as a copy from a failing disk would be; the mapped one stays as it is.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn corrupted_pixels_are_noticed_and_named() {
    let place = Place::with(5);
    place.import().unwrap();
    flip(&place, "pixels.bin", 3 * 32 * 32 * 3 + 100);
    let error = Dataset::open(&place.target()).unwrap_err();
    assert!(matches!(&error, Error::Damaged { what, .. } if what.contains("003.png")), "{error}");
    assert!(error.hint().unwrap().contains("--replace"));
}

#[test]
fn corrupted_records_and_lengths_are_noticed() {
    let place = Place::with(5);
    place.import().unwrap();
    flip(&place, "records.jsonl", 40);
    assert!(matches!(Dataset::open(&place.target()), Err(Error::Damaged { .. })));

    let place = Place::with(5);
    place.import().unwrap();
    let pixels = place.target().join("pixels.bin");
    let bytes = std::fs::read(&pixels).unwrap();
    std::fs::write(&pixels, &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(Dataset::open(&place.target()), Err(Error::Damaged { what, .. }) if what.contains("15359 bytes")));
    std::fs::remove_file(&pixels).unwrap();
    assert!(matches!(Dataset::open(&place.target()), Err(Error::Damaged { .. })));
}

#[test]
fn other_folders_and_versions_are_refused() {
    let place = Place::with(5);
    assert!(matches!(Dataset::open(&place.source()), Err(Error::NotADataset(_))));
    place.import().unwrap();
    let path = place.target().join("dataset.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"version\": 2", "\"version\": 3")).unwrap();
    assert!(matches!(Dataset::open(&place.target()), Err(Error::Version { found: 3, known: 2, .. })));
    std::fs::write(&path, "{").unwrap();
    assert!(matches!(Dataset::open(&place.target()), Err(Error::Damaged { .. })));
}

#[test]
fn absurd_sizes_are_damage_not_a_crash() {
    let place = Place::with(5);
    place.import().unwrap();
    let path = place.target().join("dataset.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"height\": 32", "\"height\": 4294967295")).unwrap();
    assert!(matches!(Dataset::open(&place.target()), Err(Error::Damaged { .. })));
}

#[test]
fn a_change_under_a_run_is_noticed() {
    let place = Place::with(5);
    place.import().unwrap();
    let running = place.open();
    running.verify_unchanged().unwrap();
    // Touched but not changed.
    let pixels = place.target().join("pixels.bin");
    let bytes = std::fs::read(&pixels).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::remove_file(&pixels).unwrap();
    std::fs::write(&pixels, bytes).unwrap();
    running.verify_unchanged().unwrap();
    // Edited.
    std::thread::sleep(std::time::Duration::from_millis(20));
    flip(&place, "pixels.bin", 9);
    assert!(matches!(running.verify_unchanged(), Err(Error::Changed { what, .. }) if what.contains("000.png")));
    // Imported anew.
    place.put("new.png", &png(&picture(55, 40, 40)));
    let before = running.pixels(0).to_vec();
    let mut replace = options();
    replace.replace = true;
    place.import_with(&replace).unwrap();
    assert!(matches!(running.verify_unchanged(), Err(Error::Changed { what, .. }) if what.contains("anew")));
    assert_eq!(running.pixels(0), before, "what was opened stays readable");
    // Gone.
    shelf::remove(&place.target(), &place.dir.path().join("bin")).unwrap();
    assert!(matches!(running.verify_unchanged(), Err(Error::Changed { .. })));
}

#[test]
fn the_shelf_lists_and_removes() {
    let place = Place::with(4);
    let home = place.dir.path().join("home");
    assert_eq!(shelf::list(&home).unwrap(), []);
    place.import().unwrap();
    std::fs::create_dir(home.join("not-a-dataset")).unwrap();
    let listed = shelf::list(&home).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, "set");
    assert_eq!(listed[0].state.as_ref().unwrap().count, 4);
    assert!(listed[0].bytes > 4 * 32 * 32 * 3);
    std::fs::write(home.join("set/dataset.json"), "{").unwrap();
    assert!(shelf::list(&home).unwrap()[0].state.is_err(), "a damaged dataset is listed as such");
    shelf::remove(&home.join("set"), &place.dir.path().join("bin")).unwrap();
    assert_eq!(shelf::list(&home).unwrap(), []);
    assert!(home.join("not-a-dataset").exists());
    let left: Vec<_> = std::fs::read_dir(&home).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// Written by pinxit before works were examined: it opens as it did, with the hash that runs remember.
#[test]
fn a_dataset_of_the_first_version_opens_with_its_hash() {
    let set = Dataset::open(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/first-version"))).unwrap();
    assert_eq!(set.manifest_hash(), "5a400847e3294cdc29faeda8fdc68dea0b1a757b371f3a358b67b1c84d806cdf");
    assert_eq!((set.len(), set.description().version, set.examined_works()), (3, 1, 0));
    assert_eq!((set.record(0).licence.as_str(), set.record(0).sha256.as_ref()), ("unstated", None));
    set.verify_unchanged().unwrap();
}
