//! Labels and rights: sub-folders, CSV, JSONL, manifest.

use std::collections::BTreeMap;

use pinxit_dataset::{Error, FileStatus, ImportOptions, Split};

use crate::common::{Place, fate, options, picture, png};

#[test]
fn sub_folders_are_classes() {
    let place = Place::new();
    for i in 0..6 {
        place.put(&format!("{}/{i}.png", if i % 2 == 0 { "cats" } else { "dogs" }), &png(&picture(i, 40, 40)));
    }
    let report = place.import().unwrap();
    let set = place.open();
    assert_eq!(set.classes(), ["cats", "dogs"]);
    assert_eq!(report.classes, BTreeMap::from([("cats".into(), 3), ("dogs".into(), 3)]));
    for i in 0..6 {
        let expected = u32::from(set.record(i).file.starts_with("dogs"));
        assert_eq!(set.class(i), Some(expected));
        assert_eq!(set.style(i), None);
    }
    assert_eq!(set.record(0).licence, "LicenseRef-own");
}

/// A folder of one sub-folder lost its class without a word.
#[test]
fn a_class_alone_is_not_learnt_and_that_is_said() {
    let place = Place::with(2);
    (2..5).for_each(|i| drop(place.put(&format!("cats/{i}.png"), &png(&picture(i, 40, 40)))));
    let report = place.import().unwrap();
    let said = |w: &String| w.contains("\"cats\" is the only class") && w.contains("not learnt");
    assert!(report.warnings.iter().any(said), "{:?}", report.warnings);
    assert!(!report.warnings.iter().any(|w| w.contains("style")), "{:?}", report.warnings);
    let set = place.open();
    assert!(set.classes().is_empty());
    assert_eq!((0..5).filter(|&i| set.record(i).class.as_deref() == Some("cats")).count(), 3, "the records keep it");
}

#[test]
fn a_manifest_speaks_for_each_work() {
    let place = Place::with(4);
    let rows = r#"{"file":"000.png","title":"One","creator":"Ann","licence":"CC0-1.0","source":"pip:x","class":"a","style":"s","caption":"c"}
{"file":"./001.png","class":"b","style":"t","license":"MIT"}
{"file":"gone.png","class":"b"}
not a row
"#;
    place.put("manifest.jsonl", rows.as_bytes());
    place.put("make.py", b"print('no picture, so no row is missing')");
    let mut with_licence = options();
    with_licence.default_licence = Some("CC-BY-4.0".into());
    let report = place.import_with(&with_licence).unwrap();
    let labels = &report.labels[0];
    assert_eq!((labels.rows, labels.matched, labels.absent, labels.unlabelled), (3, 2, 1, 2));
    assert!(report.warnings.iter().any(|w| w.contains("2 of 4 pictures have no row")), "{:?}", report.warnings);
    assert_eq!(labels.absent_names, ["gone.png"]);
    assert_eq!(labels.bad_rows.len(), 1);
    let set = place.open();
    let first = set.record(0);
    assert_eq!((first.title.as_str(), first.creator.as_deref(), first.licence.as_str()), ("One", Some("Ann"), "CC0-1.0"));
    assert_eq!((first.source.as_deref(), first.caption.as_deref()), (Some("pip:x"), Some("c")));
    assert_eq!((set.class(0), set.class(1), set.class(2)), (Some(0), Some(1), None));
    assert_eq!((set.style(0), set.style(1)), (Some(0), Some(1)));
    assert_eq!(set.record(2).title, "002");
    assert_eq!(set.licences().into_iter().collect::<Vec<_>>(), ["CC-BY-4.0", "CC0-1.0", "MIT"]);
    assert_eq!(fate(&report, "manifest.jsonl").0, FileStatus::Ignored);
}

#[test]
fn a_csv_asked_for_by_name() {
    let place = Place::with(4);
    let csv = place.dir.path().join("my labels.csv");
    std::fs::write(&csv, "file,class\n000.png,x\n001.png,y\n002.png,y\nabsent.png,y\n").unwrap();
    let mut asked = options();
    asked.labels = Some(csv.clone());
    let report = place.import_with(&asked).unwrap();
    assert_eq!(place.open().classes(), ["x", "y"]);
    assert!(report.warnings.iter().any(|w| w.contains("1 of 4 rows name pictures that are not there")), "{:?}", report.warnings);
}

#[test]
fn a_label_file_that_matches_nothing_is_an_error_only_if_asked_for() {
    let place = Place::with(3);
    let csv = place.put("labels.csv", b"file,class\nx.png,a\ny.png,b\n");
    let report = place.import().unwrap();
    assert!(report.warnings.iter().any(|w| w.contains("none of its rows (2)")), "{:?}", report.warnings);
    let mut asked = options();
    asked.labels = Some(csv);
    asked.replace = true;
    let error = place.import_with(&asked).unwrap_err();
    assert!(matches!(&error, Error::LabelsMatchNothing { rows: 2, example, .. } if example == "x.png"), "{error}");
    assert_eq!(place.open().len(), 3, "the dataset that was there is still there");
    asked.labels = Some(place.dir.path().join("absent.csv"));
    let error = place.import_with(&asked).unwrap_err();
    assert!(matches!(&error, Error::SourceMissing(path) if path.ends_with("absent.csv")), "{error}");
}

#[test]
fn rows_that_cannot_be_read_are_counted_and_the_first_is_shown() {
    let place = Place::with(4);
    place.put("labels.csv", b"file,class\n000.png,a\n001.png,b,c\n,b\n003.png,b\n");
    let report = place.import().unwrap();
    assert_eq!((report.labels[0].rows, report.labels[0].unreadable), (2, 2));
    let said = "labels.csv: 2 of 4 rows cannot be read, the first is line 3: it has 3 columns, the first line has 2";
    assert!(report.warnings.iter().any(|w| w == said), "{:?}", report.warnings);
}

/// The hint spoke of a missing header, and the rows with umlauts lost their labels.
#[test]
fn a_label_file_in_an_old_encoding_says_how_to_save_it() {
    let place = Place::with(3);
    let csv = place.put("labels.csv", b"file,class\n000.png,a\n001.png,B\xe4ume\n");
    let warnings = place.import().unwrap().warnings;
    let said = |w: &String| w.contains("not UTF-8 text: line 3") && w.contains("iconv");
    assert!(warnings.iter().any(said), "{warnings:?}");
    let error = place.import_with(&ImportOptions { labels: Some(csv), replace: true, ..options() }).unwrap_err();
    assert!(matches!(error, Error::LabelsNotUtf8 { line: 3, .. }), "{error}");
    assert!(error.hint().unwrap().contains("CSV UTF-8"));
}

/// A label file for a few pictures once took the classes of all others away.
#[test]
fn pictures_no_row_names_keep_the_class_of_their_folder() {
    let place = Place::new();
    for i in 0..8 {
        place.put(&format!("{}/{i}.png", ["cats", "dogs"][i as usize % 2]), &png(&picture(i, 40, 40)));
    }
    place.put("labels.csv", b"file,class\ncats/0.png,lion\ncats/2.png,lion\ndogs/1.png,\n");
    let report = place.import().unwrap();
    assert_eq!(report.classes, BTreeMap::from([("cats".into(), 2), ("dogs".into(), 3), ("lion".into(), 2)]));
    assert_eq!((report.labels[0].unlabelled, place.open().class(4)), (5, None), "an empty class in a row is meant");
    let file = place.dir.path().join("captions.csv");
    std::fs::write(&file, "file,caption,class\ncats/0.png,a cat,\n").unwrap();
    let asked = ImportOptions { labels: Some(file), replace: true, ..options() };
    let classes = BTreeMap::from([("cats".into(), 4), ("dogs".into(), 4)]);
    assert_eq!(place.import_with(&asked).unwrap().classes, classes, "no class in the whole column says nothing");
}

#[test]
fn columns_nobody_reads_are_named() {
    let place = Place::with(3);
    place.put("labels.csv", b"File,Clas,licence,colour\n000.png,a,MIT,red\n");
    let report = place.import().unwrap();
    assert_eq!(report.labels[0].unknown_columns, ["clas", "colour"]);
    let said = |w: &String| w.contains("clas, colour") && w.contains("known columns are file, class, caption");
    assert!(report.warnings.iter().any(said), "{:?}", report.warnings);
}

#[test]
fn groups_never_straddle_the_split() {
    let place = Place::new();
    let mut rows = String::new();
    for i in 0..60 {
        place.put(&format!("{i:02}.png"), &png(&picture(i, 40, 40)));
        rows.push_str(&format!("{{\"file\":\"{i:02}.png\",\"concept\":\"c{}\",\"class\":\"k{}\"}}\n", i / 5, i % 3));
    }
    place.put("manifest.jsonl", rows.as_bytes());
    for seed in 0..8 {
        let mut seeded = options();
        (seeded.split_seed, seeded.replace) = (seed, true);
        let report = place.import_with(&seeded).unwrap();
        assert_eq!(report.groups, 12);
        let set = place.open();
        let mut sides: BTreeMap<&str, Split> = BTreeMap::new();
        for i in 0..set.len() {
            let r = set.record(i);
            assert_eq!(*sides.entry(&r.group).or_insert(r.split), r.split, "group {} lies on both sides", r.group);
        }
        assert_eq!(set.train().len() + set.held_out().len(), 60);
        assert!(!set.train().is_empty() && !set.held_out().is_empty());
    }
}

#[test]
fn a_stated_split_stands() {
    let place = Place::with(8);
    let rows: String =
        (0..8).map(|i| format!("{{\"file\":\"00{i}.png\",\"split\":\"{}\"}}\n", if i < 5 { "train" } else { "test" })).collect();
    place.put("manifest.jsonl", rows.as_bytes());
    place.import().unwrap();
    assert_eq!(place.open().held_out(), [5, 6, 7]);
}

#[test]
fn classes_and_styles_can_be_left_out() {
    let place = Place::new();
    for i in 0..9 {
        place.put(&format!("{}/{i}.png", ["a", "b", "c"][i as usize % 3]), &png(&picture(i, 40, 40)));
    }
    let mut skip = options();
    skip.skip_classes = vec!["b".into(), "bb".into()];
    skip.skip_styles = vec!["oil".into()];
    let report = place.import_with(&skip).unwrap();
    assert_eq!(report.unknown_classes, ["bb"]);
    assert_eq!(report.unknown_styles, ["oil"]);
    assert_eq!((report.pictures, report.count(FileStatus::LeftOut)), (6, 3));
    assert_eq!(place.open().classes(), ["a", "c"]);
}
