//! One changed byte anywhere is noticed.
#![allow(clippy::unwrap_used)] // in a test a panic is the report

mod common;

use common::flips::flips;
use common::{FORMATS, edited, generated, key, owner, picture};
use pinxit_trust::credential::sign;
use pinxit_trust::verify::{State, verify_bytes};

#[test]
fn every_changed_byte_outside_padding_makes_the_credential_invalid() {
    let jane = key("Jane Artist");
    let anchors = owner(&jane.chain().root);
    let mut missed = Vec::new();
    for (ending, format) in FORMATS {
        let first = sign(&picture(format), &generated(), &jane).unwrap();
        let second = sign(&first, &edited(&first), &jane).unwrap();
        for (what, file) in [("generated", &first), ("edited", &second)] {
            for (offset, mask) in flips(file) {
                let mut changed = file.clone();
                changed[offset] ^= mask;
                // Not a picture any more, or one without a credential: nobody can take that for the signed one.
                if verify_bytes(&changed, &anchors).is_ok_and(|report| report.state == State::Valid) {
                    missed.push(format!("{what}.{ending}: byte {offset} of {} ^ {mask:#04x}", file.len()));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} of 1000: {missed:#?}", missed.len());
}
