//! Credentials taken apart and put together wrongly: at every border, with every length, in every wrong place. None may hold, and
//! none may cost more than a moment.
#![allow(clippy::unwrap_used)] // in a test a panic is the report

mod common;

use common::boxes::{
    Place, chunk, chunk_of, chunk_place, described, places, plain, replaced, superbox, with_chunk, with_content,
};
use common::limits::{holds, state};
use common::{FORMATS, edited, generated, key, picture};
use image::ImageFormat;
use pinxit_trust::credential::sign;
use pinxit_trust::verify::{Anchors, State, verify_bytes};

/// A signed PNG, its store, and the boxes of that.
fn apart() -> (Vec<u8>, Vec<u8>, Vec<Place>) {
    let file = sign(&picture(ImageFormat::Png), &generated(), &key("Jane Artist")).unwrap();
    assert!(holds(&file));
    let store = chunk_of(&file, b"caBX");
    let all = places(&store);
    assert!(all.len() > 20, "{all:?}");
    (file, store, all)
}

/// Those of the named stores that hold in the file.
fn holding(file: &[u8], stores: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<String> {
    let bad = stores.into_iter().filter(|(_, store)| holds(&with_content(file, b"caBX", store)));
    bad.map(|(what, _)| what).collect()
}

fn words(place: &Place) -> String {
    format!("{} at {}..{}", String::from_utf8_lossy(&place.name), place.start, place.end)
}

#[test]
fn a_store_cut_at_any_border_does_not_hold() {
    let (file, store, all) = apart();
    let mut borders: Vec<usize> = all.iter().flat_map(|p| [p.start, p.start + 4, p.start + 8, p.end]).collect();
    borders.sort_unstable();
    borders.dedup();
    let cut = borders.iter().filter(|&&at| at < store.len()).flat_map(|&at| {
        // Once as a broken download leaves it, once as somebody would who sets every length right.
        let around: Vec<usize> = (0..all.len()).filter(|&i| all[i].start + 8 <= at && at < all[i].end).collect();
        let mut mended = store[..at].to_vec();
        for &i in &around {
            let len = (at - all[i].start) as u32;
            mended[all[i].start..all[i].start + 4].copy_from_slice(&len.to_be_bytes());
        }
        [(format!("cut at {at}"), store[..at].to_vec()), (format!("cut and mended at {at}"), mended)]
    });
    assert_eq!(holding(&file, cut), [""; 0]);
}

#[test]
fn a_wrong_length_of_any_box_does_not_hold() {
    let (file, store, all) = apart();
    let wrong = all.iter().flat_map(|place| {
        let len = (place.end - place.start) as u32;
        // 0 stands for "to the end", 1 for "64 bits follow"; the last three claim 2 to 4 GiB.
        [0, 1, 7, 8, len - 1, len + 1, 0x7fff_ffff, 0x8000_0000, u32::MAX].map(|claim| {
            let mut store = store.clone();
            store[place.start..place.start + 4].copy_from_slice(&claim.to_be_bytes());
            (format!("{} claims {claim}", words(place)), store)
        })
    });
    assert_eq!(holding(&file, wrong), [""; 0]);
}

#[test]
fn a_box_that_is_gone_doubled_renamed_or_emptied_does_not_hold() {
    let (file, store, all) = apart();
    let changed = all.iter().flat_map(|place| {
        let own = &store[place.start..place.end];
        let with = |bytes: &[u8]| replaced(&store, &all, &place.within, place.start, place.end, bytes);
        let renamed = |name: &[u8; 4]| [&own[..4], name, &own[8..]].concat();
        [
            ("gone", with(b"")),
            ("doubled", with(&own.repeat(2))),
            ("renamed", with(&renamed(b"free"))),
            ("of the other kind", with(&renamed(if &place.name == b"jumb" { b"jumd" } else { b"jumb" }))),
            ("emptied", with(&plain(place.name.as_slice().try_into().unwrap(), b""))),
        ]
        .map(|(what, store)| (format!("{} {what}", words(place)), store))
    });
    assert_eq!(holding(&file, changed), [""; 0]);
}

/// A box that belongs nowhere, slipped in front of and behind each.
#[test]
fn a_box_too_many_does_not_hold() {
    let (file, store, all) = apart();
    let more = [("free", plain(b"free", b"")), ("json", plain(b"json", b"{}")), ("a manifest", described(b"c2ma", "x", b""))];
    let slipped = all.iter().flat_map(|place| {
        more.iter().flat_map(|(what, more)| {
            [place.start, place.end].map(|at| (format!("{what} at {at}"), replaced(&store, &all, &place.within, at, at, more)))
        })
    });
    assert_eq!(holding(&file, slipped), [""; 0]);
}

#[test]
fn of_two_credentials_in_one_file_neither_holds() {
    let (file, store, _) = apart();
    let other = chunk_of(&sign(&picture(ImageFormat::Png), &generated(), &key("Joe")).unwrap(), b"caBX");
    for (what, second) in [("the same", &store), ("another", &other), ("an empty one", &Vec::new())] {
        assert!(!holds(&with_chunk(&file, b"caBX", second)), "{what} before it");
        let (_, end) = chunk_place(&file, b"caBX");
        let behind = [&file[..end], &chunk(b"caBX", second), &file[end..]].concat();
        assert!(!holds(&behind), "{what} behind it");
    }
    assert_eq!(holding(&file, [("two stores".into(), [&store[..], &other].concat())]), [""; 0]);
    // The manifests of both in one store.
    let inside = |store: &[u8]| store[places(store)[2].start..].to_vec();
    for pair in [[inside(&store), inside(&other)], [inside(&other), inside(&store)]] {
        assert_eq!(holding(&file, [("two strangers".into(), superbox(&pair.concat()))]), [""; 0]);
    }
}

/// Without the older of two manifests an edit has lost what it came from.
#[test]
fn an_edit_without_its_parents_manifest_says_so() {
    let first = sign(&picture(ImageFormat::Png), &generated(), &key("Jane Artist")).unwrap();
    let second = sign(&first, &edited(&first), &key("Joe Editor")).unwrap();
    let store = chunk_of(&second, b"caBX");
    let all = places(&store);
    let manifests: Vec<&Place> = all.iter().filter(|p| p.within.len() == 1 && &p.name == b"jumb").collect();
    assert_eq!(manifests.len(), 2);
    let without = replaced(&store, &all, &[0], manifests[0].start, manifests[0].end, b"");
    assert_eq!(state(&with_content(&second, b"caBX", &without)), Some(State::Invalid));
}

#[test]
fn a_credential_in_the_wrong_place_does_not_hold() {
    let (file, store, _) = apart();
    let (start, end) = chunk_place(&file, b"caBX");
    let (own, rest) = (file[start..end].to_vec(), [&file[..start], &file[end..]].concat());
    let ends = rest.len() - 12;
    for (what, at) in [("behind the pixels", ends), ("behind the end", rest.len()), ("before the header", 8), ("first of all", 0)]
    {
        assert!(!holds(&[&rest[..at], &own, &rest[at..]].concat()), "{what}");
    }
    // Under another name nobody looks for it; the file then has none.
    for name in [b"caBx", b"tEXt", b"eXIf", b"jumb"] {
        assert_eq!(state(&with_chunk(&rest, name, &store)), Some(State::Missing));
    }
    // The store of one format in another.
    for (ending, format) in FORMATS.into_iter().skip(1) {
        let plain = picture(format);
        assert!(!holds(&[&plain, &store[..]].concat()), "{ending}");
        assert!(!holds(&[&plain, &own[..]].concat()), "{ending}");
    }
}

/// Claims of gigabytes in what each format keeps around a credential.
#[test]
fn claims_of_gigabytes_around_a_credential_are_not_believed() {
    let (_, store, _) = apart();
    let huge = |at: usize, len: [u8; 4]| [&store[..at], &len, &store[at + 4..]].concat();
    let jpeg = picture(ImageFormat::Jpeg);
    let webp = picture(ImageFormat::WebP);
    let gif = picture(ImageFormat::Gif);
    let segment = |content: &[u8]| {
        let content = &content[..content.len().min(60_000)];
        let len = (content.len() as u16 + 10).to_be_bytes();
        [&jpeg[..2], &[0xff, 0xeb], &len, b"JP\x02\x11\0\0\0\x01", content, &jpeg[2..]].concat()
    };
    let tiff = |count: u32, at: u32| {
        // One directory with one entry: C2PA's tag 52545, type "undefined".
        let entry = [&52545u16.to_le_bytes()[..], &7u16.to_le_bytes(), &count.to_le_bytes(), &at.to_le_bytes()].concat();
        [b"II*\0\x08\0\0\0\x01\0".as_slice(), &entry, &[0; 4]].concat()
    };
    let files = [
        ("JPEG, box of 4 GiB", segment(&huge(0, [0xff; 4]))),
        ("JPEG, 64-bit length", segment(&[b"\0\0\0\x01jumb".as_slice(), &[0xff; 8], &store[8..]].concat())),
        ("JPEG, box of no length", segment(&huge(0, [0; 4]))),
        ("JPEG, box shorter than itself", segment(&huge(0, [0, 0, 0, 7]))),
        ("JPEG, a segment without end", [&jpeg[..2], b"\xff\xeb\xff\xff", b"JP\x02\x11\0\0\0\x01", &store[..]].concat()),
        ("JPEG, parts 2 and 3 of none", [&jpeg[..2], b"\xff\xeb\0\x14JP\x02\x11\0\0\0\x02\0\0\0\x40jumbx", &jpeg[2..]].concat()),
        ("WebP, chunk of 4 GiB", [&webp, b"C2PA\xff\xff\xff\xfe".as_slice(), &store[..]].concat()),
        ("WebP, RIFF of 4 GiB", [b"RIFF\xff\xff\xff\xff", &webp[8..], b"C2PA", &store[..]].concat()),
        ("GIF, blocks without end", [&gif[..gif.len() - 1], b"!\xff\x0bC2PA_GIF\x01\0\0\xff", &store[..]].concat()),
        ("TIFF, tag of 4 GiB", tiff(u32::MAX, 26)),
        ("TIFF, tag behind the end", tiff(1000, u32::MAX)),
        ("TIFF, tag that is its own directory", tiff(26, 0)),
        ("BigTIFF, 2^64 entries", [b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0".as_slice(), &[0xff; 64]].concat()),
        ("PNG, chunk of 2 GiB", [&picture(ImageFormat::Png)[..33], b"\x7f\xff\xff\xffcaBX", &store[..]].concat()),
    ];
    for (what, file) in files {
        assert!(!holds(&file), "{what}");
    }
}

/// An address in the metadata is told, and nothing is fetched (that is watched in `pinxit/tests/sockets.rs`).
#[test]
fn a_credential_that_lies_elsewhere_is_missing_here() {
    const URL: &str = "https://credentials.invalid/4711.c2pa";
    let xmp = format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
         rdf:about='' xmlns:dcterms='http://purl.org/dc/terms/' dcterms:provenance=\"{URL}\"/></rdf:RDF></x:xmpmeta>"
    );
    let text = [b"XML:com.adobe.xmp\0\0\0\0\0", xmp.as_bytes()].concat();
    let jpeg = picture(ImageFormat::Jpeg);
    let packet = [b"http://ns.adobe.com/xap/1.0/\0", xmp.as_bytes()].concat();
    let len = (packet.len() as u16 + 2).to_be_bytes();
    for file in
        [with_chunk(&picture(ImageFormat::Png), b"iTXt", &text), [&jpeg[..2], &[0xff, 0xe1], &len, &packet, &jpeg[2..]].concat()]
    {
        let report = verify_bytes(&file, &Anchors::default()).unwrap();
        assert_eq!((report.state, report.elsewhere.as_deref()), (State::Missing, Some(URL)));
    }
    // Beside an own credential it is a change of the file like any other.
    let (file, ..) = apart();
    assert_eq!(state(&with_chunk(&file, b"iTXt", &text)), Some(State::Invalid));
}
