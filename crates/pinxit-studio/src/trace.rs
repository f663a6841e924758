//! Whether a file shows a picture of this studio: by the watermark in it, and by what the ledger keeps of every picture that left.
//! Nothing is written, and no secret is made.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pinxit_image::{Limits, Picture};
use pinxit_trust::fingerprint::{self, SAME_BITS};
use pinxit_trust::keys::KeyError;
use pinxit_trust::ledger::{Entry, Kind};
use pinxit_trust::watermark::{Found, Watermark};
use serde::Serialize;
use serde_json::Value;

use crate::outbox::sha256;
use crate::{Error, Result, Studio, ledger};

/// What was found of this studio in one file.
#[derive(Clone, Debug, Serialize)]
pub struct Trace {
    /// The watermark.
    pub watermark: Sought,
    /// The entry of the ledger.
    pub ledger: Kept,
}

/// What became of the search for a watermark. Found by accident it is once in millions of pictures; not found it says nothing.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Sought {
    /// There is one, made with this studio's secret.
    Found(MarkFact),
    /// None was found.
    NotFound,
    /// This studio has no secret to look with.
    NoKey,
    /// It was not looked for.
    NotLooked {
        /// Why.
        why: String,
    },
}

/// A watermark that was found.
#[derive(Clone, Debug, Serialize)]
pub struct MarkFact {
    /// Its id in hexadecimal digits.
    pub id: String,
    /// Length of the id, bits: 48, or 24 in pictures below 256 px a side.
    pub bits: u32,
    /// How clear it is, deviations above chance: at least 7.
    pub score: f32,
    /// Size of the picture over the size at which it was marked, 0.5 to 2.
    pub scale: f32,
    /// Small turn, degrees, within 4.
    pub degrees: f32,
    /// Whether it was mirrored.
    pub flipped: bool,
    /// Quarter turns clockwise, 0 to 3.
    pub quarter_turns: u8,
}

/// What the ledger has of a file.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Kept {
    /// An entry of a picture that left.
    Match(Match),
    /// No entry is of this picture, as far as can be told.
    NoMatch,
    /// No picture has left this studio.
    Empty,
    /// The ledger is not in order.
    Unreadable {
        /// Why.
        why: String,
    },
}

/// The entry of the ledger that a file was matched to.
#[derive(Clone, Debug, Serialize)]
pub struct Match {
    /// By what.
    pub by: By,
    /// Bits of 64 in which the fingerprints of the pixels differ, where both are known.
    pub bits_apart: Option<u32>,
    /// Further entries that match as well: the same picture may leave many times.
    pub others: usize,
    /// What left.
    #[serde(flatten)]
    pub export: Export,
}

/// How a file was matched, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// It is this very file, byte for byte.
    File,
    /// The id of its watermark.
    Watermark,
    /// It looks the same: the nearest fingerprint, and near enough.
    Fingerprint,
}

/// A picture that left, as the ledger keeps it.
#[derive(Clone, Debug, Serialize)]
pub struct Export {
    /// Number of the entry.
    pub entry: u64,
    /// When, RFC 3339, UTC.
    pub at: String,
    /// Name of the file.
    pub file: Option<String>,
    /// The model that painted it.
    pub model: Option<String>,
    /// Its hash.
    pub model_hash: Option<String>,
    /// The seed; none for a contact sheet.
    pub seed: Option<u64>,
    #[serde(skip)]
    sha256: Option<String>,
    #[serde(skip)]
    mark: Option<String>,
    #[serde(skip)]
    image_bits: Option<u64>,
}

/// Looks for traces of one studio: its secret and its ledger are read once for many files.
pub struct Tracer {
    watermark: std::result::Result<Option<Watermark>, KeyError>,
    exports: Result<Exports>,
}

/// Every picture that left, and where those of one file or one mark are.
struct Exports {
    all: Vec<Export>,
    by_file: HashMap<String, Vec<usize>>,
    by_mark: HashMap<String, Vec<usize>>,
}

impl Tracer {
    /// Of a studio. What cannot be read is said of each file, and stops nothing.
    pub fn of(studio: &Studio) -> Self {
        let secret = studio.keys().watermark();
        let watermark = secret.map(|secret| secret.map(|secret| Watermark::new(&secret.key())));
        Tracer { watermark, exports: Exports::read(studio) }
    }

    /// Everything that can be told of the bytes of a file.
    pub fn trace(&self, bytes: &[u8]) -> Trace {
        let is_needed =
            !matches!(&self.watermark, Ok(None)) || self.exports.as_ref().is_ok_and(|exports| !exports.all.is_empty());
        let decoded = is_needed.then(|| pinxit_image::decode(bytes, &Limits::default()).map(|decoded| decoded.picture));
        self.trace_picture(bytes, decoded)
    }

    /// The same, of a file that was decoded already, or need not be.
    fn trace_picture(&self, bytes: &[u8], picture: Option<std::result::Result<Picture, pinxit_image::Error>>) -> Trace {
        let watermark = match (&self.watermark, &picture) {
            (Ok(None), _) => Sought::NoKey,
            (Err(e), _) => Sought::NotLooked { why: e.to_string() },
            (_, Some(Err(e))) => Sought::NotLooked { why: format!("the picture cannot be decoded: {e}") },
            (Ok(Some(watermark)), Some(Ok(picture))) => {
                watermark.detect(picture).map_or(Sought::NotFound, |found| Sought::Found(found.into()))
            }
            (Ok(Some(_)), None) => Sought::NotFound,
        };
        let picture = picture.as_ref().and_then(|picture| picture.as_ref().ok());
        let ledger = match &self.exports {
            Err(e) => Kept::Unreadable { why: e.to_string() },
            Ok(exports) if exports.all.is_empty() => Kept::Empty,
            Ok(exports) => exports.find(bytes, picture, &watermark).map_or(Kept::NoMatch, Kept::Match),
        };
        Trace { watermark, ledger }
    }
}

/// What `pinxit watermark detect` found in one file.
#[derive(Clone, Debug, Serialize)]
pub struct Detected {
    /// The file.
    pub path: PathBuf,
    /// What was found.
    #[serde(flatten)]
    pub trace: Trace,
}

impl Detected {
    /// Whether it carries a mark of this studio.
    pub fn is_marked(&self) -> bool {
        matches!(self.trace.watermark, Sought::Found(_))
    }
}

/// Looks for marks of this studio in files from anywhere; each is answered for by itself.
///
/// # Errors
/// [`Error::NoMarks`] when the studio has no secret, and what is wrong with it when it cannot be read.
pub fn detect(studio: &Studio, files: &[PathBuf]) -> Result<Vec<Result<Detected>>> {
    if studio.keys().watermark()?.is_none() {
        return Err(Error::NoMarks { folder: studio.keys().folder().into() });
    }
    let tracer = Tracer::of(studio);
    Ok(files.iter().map(|path| tracer.detect(path)).collect())
}

impl Tracer {
    fn detect(&self, path: &Path) -> Result<Detected> {
        let bytes = crate::verify::read(path)?;
        // A file that shows nothing is an error here, and only a fact beside a credential.
        let decoded = pinxit_image::decode(&bytes, &Limits::default()).map_err(|e| Error::from(e).in_file(path))?;
        Ok(Detected { path: path.into(), trace: self.trace_picture(&bytes, Some(Ok(decoded.picture))) })
    }
}

impl Exports {
    fn read(studio: &Studio) -> Result<Self> {
        let mut exports = Exports { all: Vec::new(), by_file: HashMap::new(), by_mark: HashMap::new() };
        for entry in ledger::of(studio).entries()? {
            let entry = entry?;
            // What was signed by hand left as well.
            if [Kind::Export, Kind::Sign].iter().any(|kind| entry.kind == kind.word()) {
                exports.add(Export::of(entry));
            }
        }
        Ok(exports)
    }

    fn add(&mut self, export: Export) {
        let i = self.all.len();
        for (map, key) in [(&mut self.by_file, &export.sha256), (&mut self.by_mark, &export.mark)] {
            key.iter().for_each(|key| map.entry(key.clone()).or_default().push(i));
        }
        self.all.push(export);
    }

    /// The surest match there is.
    fn find(&self, bytes: &[u8], picture: Option<&Picture>, watermark: &Sought) -> Option<Match> {
        let image_bits = picture.and_then(|picture| fingerprint::image_bits(&fingerprint::image_code(picture).ok()?).ok());
        if let Some(found) = self.by_file.get(&sha256(bytes)) {
            return self.nearest(By::File, found, image_bits);
        }
        let marked = match watermark {
            Sought::Found(mark) => self.by_mark.get(&mark.id),
            _ => None,
        };
        if let Some(found) = marked {
            return self.nearest(By::Watermark, found, image_bits);
        }
        let is_alike = |i: &usize| self.all[*i].bits_apart(image_bits).is_some_and(|bits| bits <= SAME_BITS);
        let alike: Vec<usize> = (0..self.all.len()).filter(is_alike).collect();
        self.nearest(By::Fingerprint, &alike, image_bits)
    }

    /// Of several entries the one that looks most like the file; of those alike the first. Short ids are shared by chance among
    /// thousands of pictures: then the look decides.
    fn nearest(&self, by: By, found: &[usize], image_bits: Option<u64>) -> Option<Match> {
        let best = *found.iter().min_by_key(|i| self.all[**i].bits_apart(image_bits).unwrap_or(u32::MAX))?;
        let export = self.all[best].clone();
        Some(Match { by, bits_apart: export.bits_apart(image_bits), others: found.len() - 1, export })
    }
}

impl Export {
    fn of(mut entry: Entry) -> Self {
        let mut text = |name: &str| match entry.subject.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let image_bits = text("iscc").and_then(|code| fingerprint::image_bits(&code).ok());
        Export {
            file: text("file"),
            model: text("model"),
            model_hash: text("model_hash"),
            sha256: text("sha256"),
            mark: text("watermark"),
            image_bits,
            seed: entry.subject.get("seed").and_then(Value::as_u64),
            entry: entry.seq,
            at: entry.at,
        }
    }

    fn bits_apart(&self, image_bits: Option<u64>) -> Option<u32> {
        self.image_bits.zip(image_bits).map(|(own, other)| (own ^ other).count_ones())
    }
}

impl From<Found> for MarkFact {
    fn from(found: Found) -> Self {
        let Found { bits, score, scale, degrees, flipped, quarter_turns, .. } = found;
        MarkFact { id: found.id_text(), bits, score, scale, degrees, flipped, quarter_turns }
    }
}
