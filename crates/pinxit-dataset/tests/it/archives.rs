//! ZIP and TAR: the same pictures as the folder they were made of; nothing climbs out, nothing explodes.

use std::io::Write;
use std::ops::ControlFlow;

use pinxit_dataset::{Dataset, Error, FileStatus, ImportReport, import};

use crate::common::{Place, fate, options, picture, png, tar_of, zip_of};

fn import_archive(name: &str, bytes: &[u8]) -> (Place, Result<ImportReport, Error>) {
    let place = Place::new();
    let archive = place.dir.path().join(name);
    std::fs::write(&archive, bytes).unwrap();
    let result = import(&[archive], &options(), &place.target(), &mut |_| ControlFlow::Continue(()));
    (place, result)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn archives_give_what_the_folder_gives() {
    let folder = Place::new();
    let pictures: Vec<(String, Vec<u8>)> =
        (0..12).map(|i| (format!("{}/{i:02}.png", ["a", "b"][i as usize / 6]), png(&picture(i, 40, 32)))).collect();
    for (name, bytes) in &pictures {
        folder.put(name, bytes);
    }
    folder.import().unwrap();
    let expected = folder.open();
    assert_eq!(expected.classes(), ["a", "b"]);
    let entries: Vec<(&str, &[u8])> = pictures.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    for (name, bytes) in [("x.zip", zip_of(&entries)), ("x.tar", tar_of(&entries)), ("x.tar.gz", gz(&tar_of(&entries)))] {
        let (place, report) = import_archive(name, &bytes);
        assert_eq!(report.unwrap().pictures, 12, "{name}");
        assert_eq!(Dataset::open(&place.target()).unwrap().manifest_hash(), expected.manifest_hash(), "{name}");
    }
}

#[test]
fn climbing_paths_are_refused_and_nothing_is_written() {
    let good: Vec<Vec<u8>> = (0..3).map(|i| png(&picture(i, 40, 32))).collect();
    let evil = png(&picture(66, 40, 32));
    let entries: Vec<(&str, &[u8])> = vec![
        ("a.png", &good[0]),
        ("../evil.png", &evil),
        ("/evil.png", &evil),
        ("b.png", &good[1]),
        ("x/../../evil.png", &evil),
        ("c.png", &good[2]),
    ];
    for (name, bytes) in [("x.zip", zip_of(&entries)), ("x.tar", tar_of(&entries))] {
        let (place, report) = import_archive(name, &bytes);
        let report = report.unwrap();
        assert_eq!((report.pictures, report.count(FileStatus::Rejected)), (3, 3), "{name}: {:?}", report.files);
        assert!(fate(&report, "../evil.png").1.contains("refused"), "{name}");
        let found = std::fs::read_dir(place.dir.path()).unwrap().any(|e| e.unwrap().file_name() == "evil.png");
        assert!(!found, "{name} wrote outside itself");
    }
}

#[test]
fn links_in_a_tar_are_refused() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "link.png", "/etc/passwd").unwrap();
    let mut bytes = tar.into_inner().unwrap();
    bytes.truncate(512);
    let pictures: Vec<Vec<u8>> = (0..2).map(|i| png(&picture(i, 40, 32))).collect();
    bytes.extend(tar_of(&[("0.png", &pictures[0]), ("1.png", &pictures[1])]));
    let (_place, report) = import_archive("x.tar", &bytes);
    assert!(fate(&report.unwrap(), "link.png").1.contains("a link"));
}

#[test]
fn zip_bomb() {
    let zeros = vec![0u8; 20 << 20];
    let pictures: Vec<Vec<u8>> = (0..2).map(|i| png(&picture(i, 40, 32))).collect();
    let (_place, report) =
        import_archive("x.zip", &zip_of(&[("0.png", &pictures[0]), ("1.png", &pictures[1]), ("bomb.png", &zeros)]));
    let report = report.unwrap();
    assert!(fate(&report, "bomb.png").1.contains("zip bomb"), "{:?}", report.files);
    assert_eq!(report.pictures, 2);
}

#[test]
fn gzip_bomb() {
    // 600 MiB of zeros in 600 kB, as one entry after a good picture.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let good = png(&picture(1, 40, 32));
    let tar = tar_of(&[("0.png", &good)]);
    encoder.write_all(&tar[..tar.len() - 1024]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("bomb.png").unwrap();
    header.set_size(600 << 20);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    for _ in 0..600 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bytes = encoder.finish().unwrap();
    let (_place, result) = import_archive("x.tar.gz", &bytes);
    assert!(matches!(result, Err(Error::TooFew { found: 1, .. })), "{result:?}");
}

#[test]
fn broken_archives_say_so() {
    let pictures: Vec<Vec<u8>> = (0..3).map(|i| png(&picture(i, 40, 32))).collect();
    let entries: Vec<(&str, &[u8])> = vec![("0.png", &pictures[0]), ("1.png", &pictures[1]), ("2.png", &pictures[2])];
    let zip = zip_of(&entries);
    let (_place, result) = import_archive("x.zip", &zip[..zip.len() - 30]);
    assert!(
        matches!(&result, Err(Error::BadArchive { reason, .. }) if reason.contains("ZIP archive, perhaps cut")),
        "{result:?}"
    );
    assert!(result.unwrap_err().hint().unwrap().contains("fresh copy"), "it once spoke of smaller sizes");
    let tar = tar_of(&entries);
    let cut = 2 * (512 + pictures[0].len().next_multiple_of(512)) + 600;
    let (_place, result) = import_archive("x.tar", &tar[..cut]);
    let report = result.unwrap();
    assert_eq!(report.pictures, 2, "what came before the cut is kept: {:?}", report.files);
    assert!(report.count(FileStatus::Rejected) > 0);
}

#[test]
fn a_name_twice_counts_once() {
    let pictures: Vec<Vec<u8>> = (0..3).map(|i| png(&picture(i, 40, 32))).collect();
    let (_place, report) =
        import_archive("x.tar", &tar_of(&[("0.png", &pictures[0]), ("1.png", &pictures[1]), ("0.png", &pictures[2])]));
    let report = report.unwrap();
    assert_eq!((report.pictures, report.count(FileStatus::Rejected)), (2, 1));
}

#[test]
fn several_sources_keep_their_names_apart() {
    let place = Place::with(4);
    let archive = place.dir.path().join("more.zip");
    let pictures: Vec<Vec<u8>> = (10..12).map(|i| png(&picture(i, 40, 32))).collect();
    std::fs::write(&archive, zip_of(&[("000.png", &pictures[0]), ("x/1.png", &pictures[1])])).unwrap();
    let single = place.dir.path().join("single.png");
    std::fs::write(&single, png(&picture(20, 40, 40))).unwrap();
    let sources = [place.source(), archive, single];
    let report = import(&sources, &options(), &place.target(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(report.pictures, 7);
    let names: Vec<&str> = report.files.iter().map(|f| f.file.as_str()).collect();
    assert_eq!(
        names,
        ["in/000.png", "in/001.png", "in/002.png", "in/003.png", "more.zip/000.png", "more.zip/x/1.png", "single.png/single.png"]
    );
}
