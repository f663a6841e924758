//! Each kind of bad input: a clear word about it, and nothing else is lost.

use pinxit_dataset::{Error, FileStatus, ImportOptions, check_name};
use pinxit_image::Picture;

use crate::common::{Place, fate, options, picture, png};

/// Imports three good pictures and one bad file; gives the reason for turning down the bad one.
fn reason_for(name: &str, bytes: &[u8]) -> String {
    let place = Place::with(3);
    place.put(name, bytes);
    let report = place.import().unwrap();
    assert_eq!(report.pictures, 3, "the good pictures are kept");
    let (status, reason) = fate(&report, name);
    assert_eq!(status, FileStatus::Rejected);
    assert_eq!(report.count(FileStatus::Rejected), 1);
    reason
}

#[test]
fn empty_folder() {
    let place = Place::new();
    let error = place.import().unwrap_err();
    assert!(matches!(error, Error::NoPictures { looked: 0 }), "{error}");
    assert!(error.hint().unwrap().contains("PNG"));
    assert!(!place.target().exists());
    assert!(!place.target().with_file_name("set.partial").exists(), "nothing is left behind");
}

#[test]
fn folder_of_texts() {
    let place = Place::new();
    place.put("a.txt", b"hello");
    place.put(".hidden.png", &png(&picture(1, 40, 40)));
    assert!(matches!(place.import(), Err(Error::NoPictures { looked: 2 })));
}

#[test]
fn one_picture() {
    let place = Place::with(1);
    let error = place.import().unwrap_err();
    assert!(matches!(error, Error::TooFew { found: 1, needed: 2 }), "{error}");
    assert!(error.to_string().contains("needs at least 2"));
    assert!(!place.target().exists());
}

#[test]
fn one_picture_many_times() {
    let place = Place::with(1);
    place.put("again.png", &png(&picture(0, 40, 32)));
    assert!(matches!(place.import(), Err(Error::TooFew { found: 1, .. })));
}

#[test]
fn one_pixel() {
    let reason = reason_for("dot.png", &png(&Picture::filled(1, 1, [9; 3])));
    assert!(reason.contains("too small: 1×1 px"), "{reason}");
}

#[test]
fn truncated_jpeg() {
    let jpeg =
        pinxit_image::encode(&picture(7, 64, 64), pinxit_image::Encoding::Jpeg { quality: 90 }, &Default::default()).unwrap();
    let reason = reason_for("cut.jpg", &jpeg[..jpeg.len() / 2]);
    assert!(reason.contains("cut short"), "{reason}");
}

#[test]
fn header_claiming_50000_a_side() {
    let mut bytes = png(&picture(1, 40, 40));
    bytes[16..20].copy_from_slice(&50_000u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&50_000u32.to_be_bytes());
    let reason = reason_for("huge.png", &bytes);
    assert!(!reason.is_empty());
}

#[test]
fn svg_text_and_nothing() {
    assert!(reason_for("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>").contains("SVG"));
    let avif = reason_for("new.avif", b"\0\0\0\x1cftypavif\0\0\0\0");
    assert!(avif.contains("AVIF is not read") && avif.contains("save it as PNG or JPEG"), "{avif}");
    assert!(reason_for("lies.png", b"this is not a picture").contains("not a picture"));
    assert!(reason_for("empty.png", b"").contains("empty"));
}

#[test]
fn archive_inside_the_folder() {
    assert!(reason_for("more.zip", b"PK\x03\x04").contains("source of its own"));
}

#[test]
fn nothing_usable_names_the_first_reason() {
    let place = Place::new();
    place.put("a.png", b"nope");
    let error = place.import().unwrap_err();
    assert!(matches!(&error, Error::AllRejected { looked: 1, file, .. } if file == "a.png"), "{error}");
}

#[test]
fn animated_gif_gives_its_first_frame() {
    let place = Place::with(3);
    place.put("moving.gif", &gif_of_two_frames());
    let report = place.import().unwrap();
    assert_eq!(report.pictures, 4);
    let file = report.files.iter().find(|f| f.file == "moving.gif").unwrap();
    assert_eq!(file.status, FileStatus::Fixed);
    assert!(file.fixes.iter().any(|f| f.contains("first")), "{:?}", file.fixes);
}

/// 16×16 px, all of one colour, 2 bits a code: a clear code before every pixel keeps LZW at its first width.
fn gif_of_two_frames() -> Vec<u8> {
    let mut gif = b"GIF89a\x10\0\x10\0\x80\0\0\xd0\x20\x20\x20\x20\xd0".to_vec();
    for colour in [0u32, 1] {
        let codes = (0..256).flat_map(|_| [4, colour]).chain([5]);
        let (mut packed, mut bits, mut held) = (Vec::new(), 0u32, 0);
        for code in codes {
            bits |= code << held;
            held += 3;
            while held >= 8 {
                packed.push(bits as u8);
                bits >>= 8;
                held -= 8;
            }
        }
        packed.push(bits as u8);
        gif.extend(b"\x21\xf9\x04\0\x0a\0\0\0\x2c\0\0\0\0\x10\0\x10\0\0\x02");
        for block in packed.chunks(255) {
            gif.push(block.len() as u8);
            gif.extend(block);
        }
        gif.push(0);
    }
    gif.push(b';');
    gif
}

#[cfg(unix)]
#[test]
fn unreadable_file_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::with(3);
    let locked = place.put("locked.png", &png(&picture(9, 40, 40)));
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    symlink(place.source(), place.source().join("loop")).unwrap();
    symlink("nowhere.png", place.source().join("broken.png")).unwrap();
    symlink("self.png", place.source().join("self.png")).unwrap();
    let report = place.import().unwrap();
    assert!(fate(&report, "loop").1.contains("a link to a folder"));
    assert!(fate(&report, "broken.png").1.contains("no such file"));
    assert_eq!(fate(&report, "self.png").0, FileStatus::Rejected);
    // The superuser reads everything; then there is nothing to turn down.
    if std::fs::File::open(&locked).is_err() {
        assert!(fate(&report, "locked.png").1.contains("permission denied"));
        assert_eq!(report.pictures, 3);
    } else {
        assert_eq!(report.pictures, 4);
    }
}

#[test]
fn an_inspection_says_what_the_import_would_and_writes_nothing() {
    let place = Place::with(5);
    place.put("broken.png", b"nope");
    place.put("copy.png", &png(&picture(0, 40, 32)));
    place.put("small.png", &png(&picture(9, 16, 16)));
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    let mut inspect = |options: &ImportOptions| pinxit_dataset::inspect(&[place.source()], options, &place.target(), go_on);
    let seen = inspect(&options()).unwrap();
    assert!(!place.target().parent().unwrap().exists(), "not even the home is made");
    let mut done = place.import().unwrap();
    done.manifest_hash.clear();
    done.croissant_sha256 = None;
    assert_eq!(seen, done);
    assert!(matches!(inspect(&options()), Err(Error::Exists(_))));
    assert_eq!(inspect(&ImportOptions { replace: true, ..options() }).unwrap(), seen);
}

#[test]
fn missing_source_and_bad_options() {
    let place = Place::with(2);
    let nowhere = [place.dir.path().join("nowhere")];
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    assert!(matches!(pinxit_dataset::import(&nowhere, &options(), &place.target(), go_on), Err(Error::SourceMissing(_))));
    let mut bad = options();
    bad.resolution = (4, 32);
    assert!(matches!(place.import_with(&bad), Err(Error::BadOption(_))));
    let unnamed = ImportOptions { default_licence: Some(" ".into()), ..options() };
    assert!(matches!(place.import_with(&unnamed), Err(Error::BadOption(_))));
}

#[test]
fn names() {
    for bad in ["", ".", "..", "a/b", "a\\b", "a b", "-x", "x.partial", "x.old", ".x", "x\n"] {
        assert!(matches!(check_name(bad), Err(Error::BadName { .. })), "{bad:?}");
    }
    for good in ["landscapes", "met-64_v1.2", "Bäume"] {
        check_name(good).unwrap();
    }
}

#[test]
fn an_existing_name_is_refused_without_replace() {
    let place = Place::with(3);
    let first = place.import().unwrap();
    assert!(matches!(place.import(), Err(Error::Exists(_))));
    place.put("new.png", &png(&picture(77, 40, 40)));
    let mut replace = options();
    replace.replace = true;
    let second = place.import_with(&replace).unwrap();
    assert_eq!((first.pictures, second.pictures, place.open().len()), (3, 4, 4));
    assert!(!place.target().with_file_name("set.old").exists());
}

#[test]
fn a_folder_that_is_no_dataset_is_never_replaced() {
    let place = Place::with(3);
    std::fs::create_dir_all(place.target()).unwrap();
    std::fs::write(place.target().join("thesis.txt"), "years of work").unwrap();
    let mut replace = options();
    replace.replace = true;
    assert!(matches!(place.import_with(&replace), Err(Error::NotADataset(_))));
    let bin = place.dir.path().join("bin");
    assert!(matches!(pinxit_dataset::shelf::remove(&place.target(), &bin), Err(Error::NotADataset(_))));
    assert!(place.target().join("thesis.txt").exists());
}

#[test]
fn two_imports_into_one_name() {
    let place = Place::with(3);
    let mut inner = None;
    let result = pinxit_dataset::import(&[place.source()], &options(), &place.target(), &mut |_| {
        inner.get_or_insert_with(|| place.import().unwrap_err());
        std::ops::ControlFlow::Continue(())
    });
    assert!(matches!(inner, Some(Error::Locked(_))), "{inner:?}");
    assert_eq!(result.unwrap().pictures, 3);
}

#[test]
fn a_dataset_stays_while_it_is_imported_anew() {
    let place = Place::with(3);
    place.import().unwrap();
    let (bin, mut removed) = (place.dir.path().join("bin"), None);
    let replace = ImportOptions { replace: true, ..options() };
    let result = pinxit_dataset::import(&[place.source()], &replace, &place.target(), &mut |_| {
        removed.get_or_insert_with(|| pinxit_dataset::shelf::remove(&place.target(), &bin));
        std::ops::ControlFlow::Continue(())
    });
    assert!(matches!(removed, Some(Err(Error::Locked(_)))), "{removed:?}");
    assert!(result.is_ok() && !bin.exists());
    pinxit_dataset::shelf::remove(&place.target(), &bin).unwrap();
    assert!(bin.join("dataset.json").is_file() && !place.target().exists());
}

#[test]
fn an_import_leaves_no_lock_behind() {
    let names = |place: &Place| -> Vec<String> {
        let home = place.target().parent().unwrap().to_owned();
        std::fs::read_dir(home).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    };
    let place = Place::with(3);
    std::fs::create_dir_all(place.target().parent().unwrap()).unwrap();
    std::fs::write(place.target().with_file_name(".set.lock"), "").unwrap();
    place.import().unwrap();
    assert_eq!(names(&place), ["set"], "nor does one of a killed import stay");
    place.import().unwrap_err();
    assert_eq!(names(&place), ["set"]);
    // Many at once: each waits its turn or is refused, and one wins.
    let place = Place::with(3);
    let won: usize = std::thread::scope(|s| {
        let all: Vec<_> = (0..8).map(|_| s.spawn(|| usize::from(place.import().is_ok()))).collect();
        all.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!((won, names(&place)), (1, vec!["set".to_string()]));
}
