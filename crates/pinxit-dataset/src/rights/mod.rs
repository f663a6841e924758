//! What is said about a work's use: reservations against training, and licences. Found in the file's own XMP, in files beside it, and
//! by whoever examines for the importer (`Examiner`).

pub mod licence;
mod sidecar;
mod usage;
mod xmp;

use serde::{Deserialize, Serialize};

pub(crate) use sidecar::{Sidecars, is_sidecar, names_beside};

/// Letters of a statement that are kept.
const MOST_LETTERS: usize = 300;

/// The conventions this crate reads by itself, as [`Signal::kind`] names them.
pub const READS: [&str; 4] = [PLUS, TDM, CONTENT_USAGE, ROBOTS_TAG];
/// IPTC photo metadata: PLUS "Data Mining".
pub(crate) const PLUS: &str = "iptc-plus-data-mining";
/// W3C community report: TDM Reservation Protocol.
pub(crate) const TDM: &str = "tdm-reservation";
/// IETF aipref drafts.
pub(crate) const CONTENT_USAGE: &str = "content-usage";
/// `X-Robots-Tag: noai`.
pub(crate) const ROBOTS_TAG: &str = "x-robots-tag";
/// Not a convention: something that cannot be read, and may be a reservation.
pub(crate) const UNREADABLE: &str = "unreadable";

/// One statement about the use of a work for training, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// The convention: one of [`READS`], one an [`Examiner`](crate::Examiner) reads, or `unreadable`.
    pub kind: String,
    /// Where it stands: `XMP in the file`, or the name of another file.
    pub place: String,
    /// What it says, at most 300 letters.
    pub says: String,
    /// Whether it reserves the work against training; the others allow it or leave it open.
    pub reserves: bool,
}

impl Signal {
    /// A statement; `says` is made one line and cut to 300 letters.
    #[must_use]
    pub fn new(kind: &str, place: &str, says: &str, reserves: bool) -> Self {
        let says = says.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_LETTERS).collect();
        Self { kind: kind.to_owned(), place: place.to_owned(), says, reserves }
    }
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind.as_str() {
            UNREADABLE => write!(f, "{}: {}", self.place, self.says),
            kind => write!(f, "{}: {kind} says {:?}", self.place, self.says),
        }
    }
}

/// What was found about one work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
    /// A licence, where one is clearly named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
}

impl Found {
    /// The first statement that reserves the work.
    pub fn reservation(&self) -> Option<&Signal> {
        self.signals.iter().find(|s| s.reserves)
    }

    /// Adds what was found elsewhere. Every statement is kept; of two licences the stricter counts, of two creators the first.
    pub fn join(&mut self, other: Self) {
        self.signals.extend(other.signals);
        self.licence = licence::stricter(self.licence.take(), other.licence);
        self.creator = self.creator.take().or(other.creator);
    }
}

/// Reads all XMP of a picture file.
pub(crate) fn in_file(bytes: &[u8]) -> Found {
    const PLACE: &str = "XMP in the file";
    let xmp = pinxit_image::xmp_packets(bytes);
    let mut found = Found::default();
    xmp.packets.iter().for_each(|packet| found.join(xmp::read(packet, PLACE)));
    let unreadable = |what: &&str| Signal::new(UNREADABLE, PLACE, &format!("{what}, and may hold a reservation"), true);
    found.signals.extend(xmp.unreadable.iter().map(unreadable));
    found
}
