//! What is packed: fitted, free of copies, the same bytes every time.

use std::collections::BTreeSet;

use pinxit_dataset::{Batches, FileStatus, Framing, Split};
use pinxit_image::{Encoding, Fit, Picture, encode};

use crate::common::{Place, bytes_of, fate, options, picture, png};

#[test]
fn pixels_are_the_fitted_pictures() {
    let place = Place::with(5);
    place.import().unwrap();
    let set = place.open();
    assert_eq!((set.len(), set.resolution()), (5, (32, 32)));
    for i in 0..5 {
        let expected = pinxit_image::fit(&picture(i as u32, 40, 32), Fit::Centre, 32, 32).unwrap();
        assert_eq!(set.pixels(i), expected.pixels(), "picture {i}");
        assert_eq!(set.record(i).original, (40, 32));
    }
}

#[test]
fn the_same_bytes_every_time_on_any_number_of_threads() {
    let build = |threads| {
        let place = Place::with(40);
        place.put("broken.png", b"nope");
        place.put("copy.png", &png(&picture(3, 40, 32)));
        let mut o = options();
        (o.threads, o.resolution) = (threads, (24, 40));
        place.import_with(&o).unwrap();
        bytes_of(&place.target())
    };
    let one = build(1);
    assert_eq!(
        one.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(),
        ["croissant.json", "dataset.json", "looks.jsonl", "pixels.bin", "records.jsonl", "report.json"]
    );
    assert_eq!(one[3].1.len(), 40 * 24 * 40 * 3);
    assert!(build(2) == one && build(7) == one);
}

#[test]
fn fixes_are_told() {
    let place = Place::with(3);
    place.put("tiny.png", &png(&picture(50, 20, 20)));
    let report = place.import().unwrap();
    let tiny = report.files.iter().find(|f| f.file == "tiny.png").unwrap();
    assert_eq!((tiny.status, tiny.fixes.clone()), (FileStatus::Fixed, vec!["enlarged from 20×20 px".to_owned()]));
    assert_eq!(report.count(FileStatus::Accepted), 3);
}

#[test]
fn exact_copies_are_dropped_by_file_and_by_pixels() {
    let place = Place::with(3);
    place.put("z/copy.png", &png(&picture(1, 40, 32)));
    let other_format = encode(&picture(2, 40, 32), Encoding::WebP, &Default::default()).unwrap();
    place.put("z/other.webp", &other_format);
    let report = place.import().unwrap();
    assert_eq!(report.pictures, 3);
    assert_eq!(fate(&report, "z/copy.png"), (FileStatus::Duplicate, "the same file as 001.png".into()));
    assert_eq!(fate(&report, "z/other.webp"), (FileStatus::Duplicate, "the same pixels as 002.png".into()));
}

#[test]
fn near_copies_are_dropped_or_kept_in_one_group() {
    let place = Place::new();
    for i in 0..6 {
        place.put(&format!("{i}.png"), &png(&picture(i, 120, 120)));
    }
    let jpeg = encode(&picture(2, 120, 120), Encoding::Jpeg { quality: 80 }, &Default::default()).unwrap();
    place.put("again.jpg", &jpeg);
    let small = pinxit_image::resize(&picture(4, 120, 120), 90, 90).unwrap();
    place.put("smaller.png", &png(&small));
    // The same shapes in another colour are another picture.
    let mut recoloured = picture(5, 120, 120);
    recoloured.pixels_mut().chunks_exact_mut(3).for_each(|p| p[0] = p[0].saturating_sub(30));
    place.put("recoloured.png", &png(&recoloured));

    let report = place.import().unwrap();
    assert_eq!((report.pictures, report.count(FileStatus::NearDuplicate)), (7, 2), "{:?}", report.near_duplicates);
    // Files are taken in the order of their names: digits, then `again`, then `smaller`.
    assert_eq!(
        report.near_duplicates,
        [vec!["2.png".to_owned(), "again.jpg".into()], vec!["4.png".into(), "smaller.png".into()]]
    );

    let mut keep = options();
    (keep.keep_near_duplicates, keep.replace) = (true, true);
    let report = place.import_with(&keep).unwrap();
    assert_eq!((report.pictures, report.groups), (9, 7));
    assert_eq!(report.near_duplicates.len(), 2);
}

#[test]
fn patches_of_one_work_stay_together() {
    let place = Place::new();
    for i in 0..8 {
        place.put(&format!("{i}.png"), &png(&picture(i, 200, 100)));
    }
    let mut patches = options();
    patches.framing = Framing::Patches(4);
    let report = place.import_with(&patches).unwrap();
    assert_eq!((report.works, report.groups), (8, 8));
    assert!(report.pictures > 16, "{} patches of 8 works", report.pictures);
    let set = place.open();
    let sides = |split: &[u32]| split.iter().map(|&i| set.record(i as usize).file.clone()).collect::<BTreeSet<_>>();
    assert!(sides(set.train()).is_disjoint(&sides(set.held_out())));
    for i in 0..set.len() {
        let [x, y, w, h] = set.record(i).window.unwrap();
        assert!(x + w <= 200 && y + h <= 100 && w == h, "{x} {y} {w} {h}");
    }
    let mut windows: Vec<_> = (0..set.len()).map(|i| (set.record(i).file.clone(), set.record(i).window)).collect();
    windows.dedup();
    assert_eq!(windows.len(), set.len());
}

#[test]
fn bare_patches_are_left_out_but_one_stays() {
    let place = Place::with(3);
    // A work that is black but for its left third, and one that is all black.
    let part = picture(9, 100, 100);
    let mut night = Picture::filled(300, 100, [0; 3]);
    night.paste(&part, 0, 0);
    place.put("night.png", &png(&night));
    place.put("void.png", &png(&Picture::filled(300, 100, [0; 3])));
    let mut patches = options();
    patches.framing = Framing::Patches(6);
    place.import_with(&patches).unwrap();
    let set = place.open();
    let of = |file: &str| (0..set.len()).filter(|&i| set.record(i).file == file).collect::<Vec<_>>();
    assert_eq!(of("void.png").len(), 1);
    let lit = of("night.png");
    assert!(!lit.is_empty() && lit.iter().skip(1).all(|&i| set.pixels(i).iter().any(|&p| p > 30)), "{lit:?}");
}

#[test]
fn adding_pictures_moves_no_other() {
    let place = Place::with(60);
    place.import().unwrap();
    let held = |place: &Place| -> BTreeSet<String> {
        let set = place.open();
        set.held_out().iter().map(|&i| set.record(i as usize).blake3.clone()).collect()
    };
    let before = held(&place);
    for i in 100..160 {
        place.put(&format!("a/more/{i}.png"), &png(&picture(i, 40, 32)));
    }
    let mut replace = options();
    replace.replace = true;
    place.import_with(&replace).unwrap();
    let after = held(&place);
    assert!(before.len() > 1 && before.is_subset(&after), "{} before, {} after", before.len(), after.len());
}

#[test]
fn batches_keep_to_their_side() {
    let place = Place::with(30);
    place.import().unwrap();
    let set = place.open();
    for split in [Split::Train, Split::HeldOut] {
        let side: BTreeSet<u32> = if split == Split::Train { set.train() } else { set.held_out() }.iter().copied().collect();
        let batches = Batches::new(&set, 5, 0.0, split);
        assert_eq!(batches.epoch_len(), side.len());
        let seen: BTreeSet<u32> = batches.indices(17 * side.len() as u64, side.len()).into_iter().collect();
        assert_eq!(seen, side);
    }
}

#[test]
fn contact_sheets_show_many_classes() {
    let place = Place::new();
    for i in 0..12 {
        let colour = [[250, 0, 0], [0, 250, 0]][usize::from(i == 11)];
        let mut p = picture(i, 40, 40);
        p.pixels_mut().chunks_exact_mut(3).take(800).for_each(|q| q.copy_from_slice(&colour));
        place.put(&format!("{}/{i}.png", if i == 11 { "rare" } else { "common" }), &png(&p));
    }
    place.import().unwrap();
    let sheet: Picture = place.open().contact_sheet(4).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (2 * 32 + 3 * 2, 2 * 32 + 3 * 2));
    let greens = sheet.pixels().chunks_exact(3).filter(|p| p[1] > 200 && p[0] < 50 && p[2] < 50).count();
    assert!(greens > 100, "the one picture of the rare class is on the sheet");
}
