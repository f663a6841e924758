//! Works taken out of a dataset that is there already.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use pinxit_dataset::rights::Signal;
use pinxit_dataset::{
    Examiner, Framing, Identity, ImportOptions, Record, Sameness, Split, TakenDown, forget_unfinished, import, unfinished,
    withdraw, works_of,
};
use pinxit_image::{Encoding, Limits, Metadata, Picture, encode, resize};

use crate::common::{Place, fate, options, picture, png};

/// Fingerprints that are alike where the first pixels are.
#[derive(Debug)]
struct Eye;

impl Examiner for Eye {
    fn reads(&self) -> &[&'static str] {
        &[]
    }
    fn signals(&self, _: &[u8]) -> Vec<Signal> {
        Vec::new()
    }
    fn fingerprint(&self, _: &[u8], picture: &Picture) -> Option<String> {
        Some(format!("{:?}", &picture.pixels()[..3]))
    }
    fn alike(&self, one: &str, other: &str) -> bool {
        one == other
    }
}

fn examined() -> ImportOptions {
    ImportOptions { examiner: Some(Arc::new(Eye)), examined_at: Some("2026-05-03T01:02:03Z".into()), ..options() }
}

fn identity(bytes: &[u8]) -> Identity {
    Identity::of_file(bytes, &Limits::default(), &Eye).unwrap()
}

fn file_of(place: &Place, name: &str) -> String {
    let listed = works_of(&place.target()).unwrap();
    listed.works.into_iter().find(|work| work.record.file == name).unwrap().identity.blake3
}

fn records(place: &Place) -> Vec<(Record, Vec<u8>)> {
    let dataset = place.open();
    (0..dataset.len()).map(|i| (dataset.record(i).clone(), dataset.pixels(i).to_vec())).collect()
}

#[test]
fn the_rest_stays_as_it_is_and_the_dataset_is_whole() {
    let place = Place::with(20);
    let patched = ImportOptions { framing: Framing::Patches(3), ..examined() };
    place.import_with(&patched).unwrap();
    let (before, old_hash) = (records(&place), place.open().manifest_hash().to_owned());
    let victim = file_of(&place, "004.png");
    let after = withdraw(&place.target(), &BTreeSet::from([victim.clone()]), "taken down on 2026-06-01").unwrap().unwrap();
    let dataset = place.open();
    assert!(after != old_hash && after == dataset.manifest_hash());
    let left: Vec<_> = before.into_iter().filter(|(record, _)| record.blake3 != victim).collect();
    let kept = records(&place);
    assert!(kept == left, "records and pixels of all others");
    let about = dataset.description();
    assert_eq!((about.works, about.groups, about.count), (19, 19, left.len()));
    assert_eq!((about.train, about.held_out), (dataset.train().len(), dataset.held_out().len()));
    assert_eq!(about.licences["LicenseRef-own"], left.len());
    let at = |file: &str| std::fs::read_to_string(place.target().join(file)).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&at("croissant.json")).unwrap();
    let rows = manifest["recordSet"][0]["data"].as_array().unwrap();
    assert!(rows.len() == 19 && rows.iter().all(|row| row["works/examined_at"] == "2026-05-03T01:02:03Z"), "{rows:?}");
    assert_eq!(at("looks.jsonl").lines().count(), 19);
    let report: serde_json::Value = serde_json::from_str(&at("report.json")).unwrap();
    assert_eq!((&report["works"], &report["taken_down"], &report["manifest_hash"]), (&19.into(), &1.into(), &after.into()));
    assert!(report["files"].as_array().unwrap().iter().any(|f| f["file"] == "004.png" && f["status"] == "rejected"));
    assert!(!place.target().with_file_name("set.old").exists() && !place.target().with_file_name("set.partial").exists());
}

/// The hash of what is left is that of an import which never saw the work.
#[test]
fn a_dataset_without_the_work_is_the_one_that_never_had_it() {
    let (place, never) = (Place::with(20), Place::with(20));
    place.import_with(&examined()).unwrap();
    std::fs::remove_file(never.source().join("007.png")).unwrap();
    let expected = never.import_with(&examined()).unwrap().manifest_hash;
    let files = BTreeSet::from([file_of(&place, "007.png")]);
    assert_eq!(withdraw(&place.target(), &files, "gone").unwrap(), Some(expected));
    for file in ["records.jsonl", "pixels.bin", "looks.jsonl", "croissant.json", "dataset.json"] {
        let read = |place: &Place| std::fs::read(place.target().join(file)).unwrap();
        assert!(read(&place) == read(&never), "{file}");
    }
}

#[test]
fn no_side_is_left_empty_and_one_work_is_no_dataset() {
    let place = Place::with(6);
    place.import_with(&examined()).unwrap();
    let held: BTreeSet<String> =
        records(&place).into_iter().filter(|(r, _)| r.split == Split::HeldOut).map(|(r, _)| r.blake3).collect();
    withdraw(&place.target(), &held, "gone").unwrap().unwrap();
    let dataset = place.open();
    assert!(!dataset.held_out().is_empty() && !dataset.train().is_empty());
    let all_but_one: BTreeSet<String> = records(&place).into_iter().skip(1).map(|(r, _)| r.blake3).collect();
    assert_eq!(withdraw(&place.target(), &all_but_one, "gone").unwrap(), None);
    assert!(std::fs::read_dir(place.target().parent().unwrap()).unwrap().next().is_none(), "nothing of it is left");
}

#[test]
fn works_are_known_again_saved_anew_and_others_are_not() {
    let work = picture(3, 60, 48);
    let known = identity(&png(&work));
    let jpeg = encode(&work, Encoding::Jpeg { quality: 80 }, &Metadata::default()).unwrap();
    let small = png(&resize(&work, 40, 32).unwrap());
    let same = |bytes: &[u8]| known.same(&identity(bytes), &Eye);
    assert_eq!(same(&png(&work)), Some(Sameness::File));
    assert_eq!(same(&encode(&work, Encoding::WebP, &Metadata::default()).unwrap()), Some(Sameness::Pixels));
    assert_eq!((same(&jpeg), same(&small)), (Some(Sameness::Looks), Some(Sameness::Looks)));
    (10..60).for_each(|seed| assert_eq!(same(&png(&picture(seed, 60, 48))), None, "{seed}"));
    // Without looks the fingerprint decides, with them it does not.
    let bare = Identity { look: None, content: None, sha256: None, blake3: "another".into(), ..known.clone() };
    assert_eq!(known.same(&bare, &Eye), Some(Sameness::Fingerprint));
    let text = serde_json::to_string(&known).unwrap();
    assert_eq!(serde_json::from_str::<Identity>(&text).unwrap(), known);
}

#[test]
fn an_import_turns_down_what_was_taken_down() {
    let place = Place::with(8);
    let taken = TakenDown { identity: identity(&png(&picture(2, 40, 32))), on: "2026-06-01".into() };
    let jpeg = encode(&picture(2, 40, 32), Encoding::Jpeg { quality: 85 }, &Metadata::default()).unwrap();
    place.put("again.jpg", &jpeg);
    let reason = Some("I may do whatever I like with these".into());
    let strict = ImportOptions { taken_down: vec![taken], override_reservations: reason, ..examined() };
    let report = place.import_with(&strict).unwrap();
    assert!(fate(&report, "002.png").1.starts_with("taken down on 2026-06-01 (the same file)"), "{:?}", fate(&report, "002.png"));
    assert!(fate(&report, "again.jpg").1.starts_with("taken down on 2026-06-01 (it looks the same)"));
    assert_eq!((report.works, report.taken_down), (7, 2));
    assert!(report.warnings.iter().any(|warning| warning.contains("2 works are left out, having been taken down")));
}

#[test]
fn an_unfinished_import_that_has_read_the_work_is_forgotten() {
    let place = Place::with(200);
    let stopped = import(&[place.source()], &examined(), &place.target(), &mut |p| {
        if p.done >= 150 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(stopped.is_err());
    let home = place.target().parent().unwrap().to_owned();
    assert_eq!(unfinished(&home).unwrap(), [place.target()]);
    let known = |seed: u32| identity(&png(&picture(seed, 40, 32)));
    let forget = |seed: u32| forget_unfinished(&place.target(), &|found| known(seed).same(found, &Eye).is_some()).unwrap();
    assert!(!forget(190), "that one was not read yet");
    assert_eq!(unfinished(&home).unwrap().len(), 1);
    assert!(forget(5));
    assert!(unfinished(&home).unwrap().is_empty() && unfinished(&home.join("absent")).unwrap().is_empty());
}
