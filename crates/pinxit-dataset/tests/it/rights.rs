//! The import gate: what is reserved or has no licence stays out, and what was found is kept with what comes in.

use std::ops::ControlFlow;

use pinxit_dataset::rights::licence;
use pinxit_dataset::{Error, FileStatus, ImportOptions, ImportReport, import};
use pinxit_image::{Encoding, Picture, encode};

use crate::common::{Place, fate, options, picture, png};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rights");

/// Pictures written by exiftool, in a place with three pictures of nobody's concern.
fn fixtures(wanted: impl Fn(&str) -> bool) -> (Place, Vec<String>) {
    let place = Place::with(3);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(FIXTURES).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".py") && !name.ends_with(".config") && wanted(&name) {
            place.put(&name, &std::fs::read(&path).unwrap());
            names.push(name);
        }
    }
    names.sort();
    (place, names)
}

fn unlicensed() -> ImportOptions {
    ImportOptions { default_licence: None, ..options() }
}

/// A group for each picture, so that a few are a dataset.
fn reasons(report: &ImportReport, names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("{name}: {}", fate(report, name).1)).collect()
}

#[test]
fn every_reservation_that_exiftool_writes_is_refused() {
    let (place, names) = fixtures(|name| !name.starts_with("free-"));
    assert_eq!(names.len(), 22);
    let report = place.import().unwrap();
    for name in &names {
        let (status, reason) = fate(&report, name);
        assert!(
            status == FileStatus::Rejected && reason.starts_with("reserved against training. "),
            "{name}: {status:?} {reason}"
        );
    }
    assert_eq!((report.works, report.reserved), (3, names.len()));
    let all = reasons(&report, &names).join("\n");
    for (name, says) in [
        ("plus-seeconstraint.jpg", "No machine learning without a fee"),
        ("plus-extended.jpg", "DMI-PROHIBITED"),
        ("plus-packed.png", "DMI-PROHIBITED"),
        ("tdm-1.webp", "policy https://ann.example/policy.json"),
        ("malformed-entity.jpg", "declares a document type"),
    ] {
        assert!(all.lines().any(|line| line.starts_with(name) && line.contains(says)), "{name}\n{all}");
    }
    assert!(report.warnings.iter().any(|w| w.contains("reserved against training")), "{:?}", report.warnings);
}

#[test]
fn what_is_allowed_or_left_open_comes_in() {
    for name in ["free-plus-allowed.jpg", "free-plus-unspecified.png", "free-tdm-0.webp", "free-cc-by.jpg", "free-malformed.jpg"]
    {
        let (place, names) = fixtures(|n| n == name);
        let report = place.import().unwrap();
        assert_eq!((report.works, report.reserved, names.len()), (4, 0, 1), "{name}: {:?}", report.files);
        let set = place.open();
        let record = (0..set.len()).map(|i| set.record(i)).find(|r| r.file == name).unwrap();
        let is_said = !["free-cc-by.jpg", "free-malformed.jpg"].contains(&name);
        assert_eq!(record.signals.len(), usize::from(is_said), "what allows it is kept as well: {name}");
        if name == "free-cc-by.jpg" {
            assert_eq!((record.licence.as_str(), record.creator.as_deref()), ("CC-BY-4.0", Some("Ann")));
        }
    }
}

#[test]
fn sidecars_reserve_by_picture_and_by_folder() {
    let place = Place::with(9);
    place.put("000.tdm.json", b"{\"tdm-reservation\": 1}");
    place.put("001.png.headers", b"HTTP/1.1 200 OK\ncontent-usage: train-ai=n\n");
    place.put("002.png.xmp", b"<x xmlns:p='http://ns.useplus.org/ldf/xmp/1.0/'><p:DataMining>DMI-PROHIBITED</p:DataMining></x>");
    place.put("003.http", b"X-Robots-Tag: noai");
    place.put("deep/a.png", &png(&picture(20, 40, 32)));
    place.put("deep/.well-known/tdmrep.json", b"[{\"location\": \"/\", \"tdm-reservation\": 1}]");
    place.put("wide/b.png", &png(&picture(21, 40, 32)));
    place.put("wide/c.png", &png(&picture(22, 40, 32)));
    place.put("wide/robots.txt", b"User-agent: *\nContent-Usage: /b train-ai=n\n");
    let report = place.import().unwrap();
    for name in ["000.png", "001.png", "002.png", "003.png", "deep/a.png", "wide/b.png"] {
        assert!(fate(&report, name).1.starts_with("reserved against training. "), "{name}: {:?}", fate(&report, name));
    }
    assert_eq!((report.works, report.reserved), (6, 6));
    assert_eq!(fate(&report, "wide/robots.txt").0, FileStatus::Ignored);
}

/// Pictures named one by one have their sidecars too.
#[test]
fn sidecars_of_single_files_are_read() {
    let place = Place::with(5);
    place.put("001.xmp", b"<x xmlns:t='http://www.w3.org/ns/tdmrep/' t:reservation='1'/>");
    place.put("robots.txt", b"Content-Usage: /002 train-ai=n");
    let files: Vec<_> = (0..5).map(|i| place.source().join(format!("{i:03}.png"))).collect();
    let report = import(&files, &options(), &place.target(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((report.works, report.reserved), (3, 2), "{:?}", report.files);
}

/// The same work without its metadata is the same work.
#[test]
fn copies_of_a_reserved_work_are_refused_too() {
    let place = Place::new();
    (0..6).for_each(|i| drop(place.put(&format!("{i}.png"), &png(&picture(i, 120, 120)))));
    let jpeg = encode(&picture(2, 120, 120), Encoding::Jpeg { quality: 85 }, &Default::default()).unwrap();
    place.put("a-stripped.jpg", &jpeg);
    place.put("b-again.webp", &encode(&picture(2, 120, 120), Encoding::WebP, &Default::default()).unwrap());
    place.put("2.tdm.json", b"{\"tdm-reservation\": 1}");
    let report = place.import().unwrap();
    for copy in ["a-stripped.jpg", "b-again.webp"] {
        assert_eq!(fate(&report, copy), (FileStatus::Rejected, "a copy of 2.png, which is reserved against training".into()));
    }
    assert_eq!((report.works, report.reserved), (5, 3));
}

#[test]
fn an_override_keeps_what_was_found_and_why() {
    let place = Place::with(4);
    place.put("001.tdm.json", b"{\"tdm-reservation\": 1}");
    for bad in ["", "because", "I may do so", "abcdefghijklmnopqrstuvw xyz"] {
        let refused = place.import_with(&ImportOptions { override_reservations: Some(bad.into()), ..options() });
        assert!(matches!(refused, Err(Error::BadOption(_))), "{bad}");
    }
    let reason = "Ann gave me leave in her letter of May 2026".to_owned();
    let with = ImportOptions { override_reservations: Some(reason.clone()), ..options() };
    let report = place.import_with(&with).unwrap();
    assert_eq!((report.works, report.reserved, report.overridden), (4, 0, 1));
    assert_eq!(report.overridden_works[0].0, "001.png");
    assert!(report.warnings.iter().any(|w| w.contains("letter of May")), "{:?}", report.warnings);
    let set = place.open();
    let reasons: Vec<_> = (0..4).map(|i| set.record(i).override_reason.clone()).collect();
    assert_eq!(reasons, [None, Some(reason.clone()), None, None], "only with the work it was needed for");
    assert_eq!(set.record(1).signals[0].kind, "tdm-reservation");
    assert_eq!((set.description().overridden, set.description().override_reason.as_ref()), (1, Some(&reason)));
    let manifest = std::fs::read_to_string(place.target().join("croissant.json")).unwrap();
    assert!(manifest.matches(&reason).count() == 2, "at the work, and at the top: {manifest}");
}

#[test]
fn a_work_without_a_licence_stays_out() {
    let place = Place::with(4);
    let error = place.import_with(&unlicensed()).unwrap_err();
    assert!(matches!(error, Error::Unlicensed { works: 4, looked: 4 }), "{error}");
    assert!(error.hint().unwrap().contains("--license own"));
    place.put("labels.csv", b"file,licence\n000.png,CC0-1.0\n001.png,cc by 4.0\n002.png,unstated\n");
    place.put("003.png.license", b"SPDX-License-Identifier: MIT\nSPDX-FileCopyrightText: Ben\n");
    let report = place.import_with(&unlicensed()).unwrap();
    assert_eq!((report.works, report.unlicensed), (3, 1));
    assert_eq!(fate(&report, "002.png"), (FileStatus::Rejected, "no licence is stated for it".into()));
    let set = place.open();
    assert_eq!(set.licences().into_iter().collect::<Vec<_>>(), ["CC-BY-4.0", "CC0-1.0", "MIT"]);
    assert_eq!((set.record(2).creator.as_deref(), set.creators(9)), (Some("Ben"), vec!["Ben".to_owned()]));
}

#[test]
fn the_flag_speaks_only_for_works_that_nothing_else_does() {
    let (place, _) = fixtures(|name| name == "free-cc-by.jpg");
    place.put("labels.csv", b"file,licence\n000.png,CC0-1.0\nfree-cc-by.jpg,CC0-1.0\n");
    place.import_with(&ImportOptions { default_licence: Some("own".into()), ..options() }).unwrap();
    let set = place.open();
    let licences: Vec<&str> = (0..4).map(|i| set.record(i).licence.as_str()).collect();
    assert_eq!(licences, ["CC0-1.0", licence::OWN, licence::OWN, "CC-BY-4.0"], "of row and file the stricter");
}

#[test]
fn when_all_is_reserved_the_first_is_named() {
    let place = Place::with(3);
    place.put("tdmrep.json", b"{not json");
    let error = place.import().unwrap_err();
    assert!(matches!(&error, Error::Reserved { works: 3, file, .. } if file == "000.png"), "{error}");
    assert!(error.to_string().contains("cannot be read") && error.hint().unwrap().contains("--override-reservations"), "{error}");
}

/// What was read, and when, stands in the manifest; the hash of the dataset does not depend on the time.
#[test]
fn the_manifest_tells_of_every_work_and_of_the_time() {
    let at = |time: &str| {
        let place = Place::with(5);
        let with = ImportOptions { examined_at: Some(time.into()), ..options() };
        let report = place.import_with(&with).unwrap();
        let manifest: serde_json::Value =
            serde_json::from_slice(&std::fs::read(place.target().join("croissant.json")).unwrap()).unwrap();
        (report.manifest_hash, manifest)
    };
    let (first, manifest) = at("2026-11-26T02:00:00Z");
    let (second, _) = at("2027-01-01T00:00:00Z");
    assert_eq!(first, second);
    assert_eq!(manifest["conformsTo"], "http://mlcommons.org/croissant/1.1");
    let rows = manifest["recordSet"][0]["data"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    for row in rows {
        assert!(row["works/sha256"].as_str().is_some_and(|s| s.len() == 64), "{row}");
        assert_eq!((&row["works/opt_out"], &row["works/examined_at"]), (&"none found".into(), &"2026-11-26T02:00:00Z".into()));
    }
    assert!(manifest["identifier"].as_str().unwrap().contains(&first));
}

#[test]
fn a_bomb_in_a_picture_costs_that_picture_alone() {
    let place = Place::with(3);
    let clean = png(&Picture::from_fn(40, 32, |x, y| [x as u8 * 6, y as u8 * 7, 90]));
    let xmp = format!("<!DOCTYPE x [{}]><x>&a9; DataMining</x>", "<!ENTITY a 'bb'>".repeat(200_000));
    let data = [b"XML:com.adobe.xmp\0\0\0\0\0", xmp.as_bytes()].concat();
    let chunk = [&(data.len() as u32).to_be_bytes()[..], b"iTXt", &data, &[0; 4]].concat();
    // Behind the header chunk: 8 bytes of signature, 25 of IHDR.
    let file = [&clean[..33], &chunk, &clean[33..]].concat();
    place.put("bomb.png", &file);
    let report = place.import().unwrap();
    assert_eq!((fate(&report, "bomb.png").0, report.works), (FileStatus::Rejected, 3), "{:?}", fate(&report, "bomb.png"));
}
