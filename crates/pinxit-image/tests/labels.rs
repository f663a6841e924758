//! Labels of laws, written into files of every format and read back.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod common;

use common::scene;
use pinxit_image::{Disclosure, Encoding, LabelLaw, LatentLabel, Metadata, encode, info, xmp_packets};

const ALL: [Encoding; 4] = [Encoding::Png, Encoding::Jpeg { quality: 92 }, Encoding::WebP, Encoding::Avif { quality: 80 }];

fn labelled(laws: &[LabelLaw]) -> Metadata {
    let disclosure = Disclosure {
        provider: "Jane & Co".into(),
        system: "pinxit".into(),
        version: "0.1.0".into(),
        when: "2026-11-26T02:10:00Z".into(),
        id: "urn:uuid:1".into(),
    };
    Metadata { label: Some(LatentLabel { disclosure, laws: laws.to_vec() }), ..Metadata::default() }
}

#[test]
fn labels_come_back_from_all_four_formats() {
    for encoding in ALL {
        let bytes = encode(&scene(40, 30), encoding, &labelled(&[LabelLaw::China, LabelLaw::California])).unwrap();
        let stated = info(&bytes).unwrap().stated;
        assert_eq!(stated.laws(), [LabelLaw::China, LabelLaw::California], "{encoding:?}");
        assert_eq!(stated.provider.as_deref(), Some("Jane & Co"), "{encoding:?}");
        assert!(stated.aigc.unwrap().contains("\"ContentProducer\":\"Jane%20&%20Co\""), "{encoding:?}");
    }
}

#[test]
fn nothing_of_it_is_written_unasked() {
    for encoding in ALL {
        let bytes = encode(&scene(40, 30), encoding, &Metadata::default()).unwrap();
        assert!(info(&bytes).unwrap().stated.is_empty(), "{encoding:?}");
        let packets = xmp_packets(&bytes).packets;
        assert!(!packets.is_empty() && packets.iter().all(|p| !p.contains("TC260") && !p.contains("CreateDate")), "{encoding:?}");
    }
}
