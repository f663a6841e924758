//! What the importer is told of each file by the crates that see more of it than it does.
use pinxit_dataset::Examiner;
use pinxit_dataset::rights::Signal;
use pinxit_image::Picture;
use pinxit_trust::verify::{Anchors, Report, State, Trust, verify_bytes};

/// The convention it reads, as records name it.
const TRAINING_MINING: &str = "c2pa-training-mining";
/// Where such a statement stands.
const PLACE: &str = "content credential";

/// Fingerprints each work, and reads what its credential says about training.
#[derive(Debug)]
pub(crate) struct Examination {
    /// The person's own keys: what she signed, and so reserved against others, is hers to learn from.
    pub anchors: Anchors,
}

impl Examiner for Examination {
    fn reads(&self) -> &[&'static str] {
        &[TRAINING_MINING]
    }

    fn signals(&self, bytes: &[u8]) -> Vec<Signal> {
        // Most pictures have none, and a search for the word is quicker than the reader.
        if !names_a_credential(bytes) {
            return Vec::new();
        }
        match verify_bytes(bytes, &self.anchors) {
            Ok(report) => signals(&report),
            Err(_) => Vec::new(), // no picture that could be taken in
        }
    }

    fn fingerprint(&self, bytes: &[u8], picture: &Picture) -> Option<String> {
        pinxit_trust::fingerprint::iscc(bytes, picture).ok()
    }

    fn alike(&self, one: &str, other: &str) -> bool {
        use pinxit_trust::fingerprint::{ALIKE_BITS, distance};
        one == other || distance(one, other).is_ok_and(|bits| bits <= ALIKE_BITS)
    }
}

/// Whether the bytes name C2PA's box at all.
fn names_a_credential(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|four| four == b"c2pa")
}

/// What a credential says about training. One that was tampered with still says it: nobody removes a reservation by breaking its
/// signature.
fn signals(report: &Report) -> Vec<Signal> {
    if report.trust == Trust::Own {
        return Vec::new();
    }
    let said = report.says.iter().flat_map(|said| &said.training);
    let about_training = said.filter(|(kind, _)| kind.contains("training") || kind.contains("data_mining"));
    let stated: Vec<Signal> = about_training
        .map(|(kind, use_)| Signal::new(TRAINING_MINING, PLACE, &format!("{kind}: {use_}"), use_ != "allowed"))
        .collect();
    let is_unreadable = report.state == State::Invalid && report.says.is_none();
    if is_unreadable {
        return vec![Signal::new("unreadable", PLACE, "it cannot be read, and may hold a reservation", true)];
    }
    stated
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinxit_image::Format;
    use pinxit_trust::verify::Said;

    fn report(state: State, trust: Trust, says: Option<Said>) -> Report {
        let format = Format::Png;
        Report { format, state, intact: None, signer: None, trust, problems: Vec::new(), says, elsewhere: None }
    }

    fn said(pairs: &[(&str, &str)]) -> Option<Said> {
        let training = pairs.iter().map(|(kind, use_)| (kind.to_string(), use_.to_string())).collect();
        Some(Said { training, ..Said::default() })
    }

    #[test]
    fn reservations_in_credentials_are_obeyed_but_not_ones_own() {
        let no = said(&[("cawg.ai_generative_training", "notAllowed"), ("cawg.ai_inference", "notAllowed")]);
        let found = signals(&report(State::Valid, Trust::Unrecognised, no.clone()));
        assert!(found.len() == 1 && found[0].reserves && found[0].says.contains("notAllowed"), "{found:?}");
        assert!(signals(&report(State::Invalid, Trust::Nobody, no.clone()))[0].reserves, "breaking the signature frees nothing");
        assert!(signals(&report(State::Valid, Trust::Own, no)).is_empty());
        let some = said(&[("c2pa.data_mining", "constrained"), ("c2pa.ai_training", "allowed")]);
        let found: Vec<bool> = signals(&report(State::Valid, Trust::Unrecognised, some)).iter().map(|s| s.reserves).collect();
        assert_eq!(found, [false, true], "constrained is reserved");
        assert!(signals(&report(State::Invalid, Trust::Nobody, None))[0].reserves, "what cannot be read may say no");
        assert!(signals(&report(State::Missing, Trust::Nobody, None)).is_empty());
    }
}
