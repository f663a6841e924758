//! An invisible mark that carries a number: a place in the studio's ledger.
//!
//! `docs/watermark.md` describes the mark so that anyone who has a key can write a detector, with test vectors,
//! measured figures and limits. No watermark survives a determined attacker; this one is for the picture that lost its
//! metadata on the way.
//!
//! ```
//! use pinxit_trust::watermark::{Key, Watermark};
//! # use pinxit_image::Picture;
//! # let picture = Picture::from_fn(256, 256, |x, y| [(x / 2 + y / 4) as u8, (x * y / 600) as u8, 90]);
//! let watermark = Watermark::new(&Key::derive("a secret of the studio"));
//! let marked = watermark.embed(&picture, 4711)?;
//! let found = watermark.detect(&marked.picture);
//! assert_eq!(found.map(|found| found.id), Some(4711));
//! # Ok::<(), pinxit_trust::watermark::Error>(())
//! ```

mod code;
mod correlate;
mod detect;
mod embed;
mod filter;
mod fourier;
mod lattice;
mod pattern;
mod plane;

use correlate::Bank;
use pinxit_image::Picture;
use plane::Plane;

/// Shortest side that carries an id of 48 bits, px.
pub const FULL_SIDE_PX: u32 = 256;
/// Shortest side that carries an id of 24 bits, px.
pub const SHORT_SIDE_PX: u32 = 128;

/// The secret of a mark: 32 bytes. Who has it can read, write and remove marks.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key from 32 bytes, which should be random.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key from a secret of any length (BLAKE3 in its key derivation mode). As hard to guess as the secret is.
    #[must_use]
    pub fn derive(secret: impl AsRef<[u8]>) -> Self {
        Self(blake3::derive_key("pinxit watermark 1 key", secret.as_ref()))
    }
}

impl std::fmt::Debug for Key {
    /// Nothing of the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(secret)")
    }
}

/// How long the id of a mark is: it depends on the picture's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    Short,
    Full,
}

impl Form {
    const fn id_bits(self) -> usize {
        match self {
            Self::Short => 24,
            Self::Full => 48,
        }
    }

    const fn coded_bits(self) -> usize {
        code::coded_bits(self.id_bits())
    }

    fn of(width: u32, height: u32) -> Option<Self> {
        match width.min(height) {
            FULL_SIDE_PX.. => Some(Self::Full),
            SHORT_SIDE_PX.. => Some(Self::Short),
            _ => None,
        }
    }
}

/// Bits of the id that a picture of these sides (px) carries: 48, 24, or 0 for "too small".
#[must_use]
pub fn capacity_bits(width: u32, height: u32) -> u32 {
    Form::of(width, height).map_or(0, |form| form.id_bits() as u32)
}

/// A picture with a mark in it.
#[derive(Clone, Debug)]
pub struct Marked {
    /// The picture, of the same sides.
    pub picture: Picture,
    /// Peak signal to noise ratio against the unmarked picture, all channels, dB.
    pub psnr_db: f32,
    /// Whether the mark was read again after JPEG 30, and after a cut to half the area and JPEG 75.
    pub survived: bool,
    /// Length of the id it carries, bits.
    pub bits: u32,
}

/// A mark that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The number it carries.
    pub id: u64,
    /// Length of the id, bits.
    pub bits: u32,
    /// Energy of the mark, in deviations above an unmarked picture; at least 7.
    pub score: f32,
    /// The picture's size over the size at which it was marked, within 0.5…2.
    pub scale: f32,
    /// Small turn, degrees, within ±4.
    pub degrees: f32,
    /// Whether the picture was mirrored left to right before it was turned.
    pub flipped: bool,
    /// Quarter turns clockwise, 0…3.
    pub quarter_turns: u8,
    form: Form,
}

/// Name of this mark as soft bindings of credentials give it (C2PA's `alg`): by reverse domain, since it is in no public list.
pub const ALGORITHM: &str = "org.pinxit.watermark.v1";

/// An id in hexadecimal digits, as ledger and credentials write it: 12 digits for 48 bits, 6 for 24.
#[must_use]
pub fn id_text(id: u64, bits: u32) -> String {
    format!("{id:0digits$x}", digits = bits as usize / 4)
}

impl Found {
    /// The id in hexadecimal digits.
    #[must_use]
    pub fn id_text(&self) -> String {
        id_text(self.id, self.bits)
    }

    fn plain(id: u64, form: Form, score: f32) -> Self {
        let bits = form.id_bits() as u32;
        Self { id, bits, score, scale: 1.0, degrees: 0.0, flipped: false, quarter_turns: 0, form }
    }
}

/// Why a picture was not marked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No id fits.
    #[error("a picture of {width} × {height} px is too small for a watermark")]
    TooSmall {
        /// Width, px.
        width: u32,
        /// Height, px.
        height: u32,
    },
    /// The id is longer than the picture can carry.
    #[error("the id {id} does not fit into the {bits} bits that a picture of {width} × {height} px carries")]
    IdTooLong {
        /// The id.
        id: u64,
        /// What fits, bits.
        bits: u32,
        /// Width, px.
        width: u32,
        /// Height, px.
        height: u32,
    },
    /// The picture could not be coded for the trial of the mark.
    #[error("the mark could not be tried")]
    Trial(#[from] pinxit_image::Error),
}

type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TooSmall { .. } => Some("enlarge it before the export: 128 px a side carry 24 bits, 256 px 48 bits"),
            Self::IdTooLong { .. } => Some("enlarge it to 256 px a side, or give it an id below 16777216"),
            Self::Trial(error) => error.hint(),
        }
    }
}

/// A key made ready for use; making it takes about a tenth of a second, so keep it.
pub struct Watermark {
    bank: Bank,
}

impl Watermark {
    /// Makes the patterns of a key.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self { bank: Bank::new(key) }
    }

    /// Hides `id` in a picture, at the weakest of 44, 42, 40, 38 and 36 dB that survives a trial; at 36 dB if none does,
    /// and then [`Marked::survived`] is false. The same picture, key and id give the same result.
    ///
    /// # Errors
    /// [`Error::TooSmall`] below 128 px a side, [`Error::IdTooLong`] for 2²⁴ and above below 256 px a side, and for 2⁴⁸ and
    /// above everywhere.
    pub fn embed(&self, picture: &Picture, id: u64) -> Result<Marked> {
        let (width, height) = (picture.width(), picture.height());
        let form = Form::of(width, height).ok_or(Error::TooSmall { width, height })?;
        if id >> form.id_bits() != 0 {
            return Err(Error::IdTooLong { id, bits: form.id_bits() as u32, width, height });
        }
        embed::embed(&self.bank, picture, form, id)
    }

    /// The mark of this key in a picture of any size, if there is one.
    #[must_use]
    pub fn detect(&self, picture: &Picture) -> Option<Found> {
        detect::search(&self.bank, &Plane::luma(picture))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A picture that anyone can compute: two waves and a step.
    fn published() -> Picture {
        Picture::from_fn(256, 256, |x, y| {
            let wave = (x * x / 97 + y * 3) % 64 + (x * 5 + y * y / 131) % 64;
            let step = if x + 2 * y < 380 { 40 } else { 90 };
            [(wave + step) as u8, (wave / 2 + step + 20) as u8, (step + y / 4) as u8]
        })
    }

    const SECRET: &str = "pinxit test vectors";
    const ID: u64 = 0x0123_4567_89AB;

    fn vectors() -> Value {
        let key = Key::derive(SECRET);
        let patterns = pattern::patterns(&key, Form::Full.coded_bits());
        let coded = |id, bits| code::encode(id, bits).into_iter().map(|b| if b { '1' } else { '0' }).collect::<String>();
        json!({
            "secret": SECRET,
            "key": key.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "id": ID,
            "coded_48": coded(ID, 48),
            "coded_24": coded(ID & 0xFF_FFFF, 24),
            "pattern_0": patterns[0][..8],
            "pattern_155": patterns[155][4088..],
        })
    }

    #[test]
    fn the_published_vectors_hold() {
        let stored: Value = serde_json::from_str(include_str!("../../tests/data/watermark.json")).unwrap();
        let now = vectors();
        for name in ["secret", "key", "id", "coded_48", "coded_24"] {
            assert_eq!(stored[name], now[name], "{name}");
        }
        for name in ["pattern_0", "pattern_155"] {
            let numbers = |v: &Value| v[name].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect::<Vec<_>>();
            let (stored, now) = (numbers(&stored), numbers(&now));
            assert!(stored.len() == 8 && stored.iter().zip(&now).all(|(a, b)| (a - b).abs() < 1e-9), "{name}: {now:?}");
        }
    }

    /// Run by hand when the format changes: `cargo test -p pinxit-trust write_the_vectors -- --ignored`.
    #[test]
    #[ignore = "writes the test vectors"]
    fn write_the_vectors() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let marked = Watermark::new(&Key::derive(SECRET)).embed(&published(), ID).unwrap();
        assert!(marked.survived);
        let bytes = pinxit_image::encode(&marked.picture, pinxit_image::Encoding::Png, &Default::default()).unwrap();
        std::fs::write(folder.join("watermark.png"), bytes).unwrap();
        let text = serde_json::to_string_pretty(&vectors()).unwrap() + "\n";
        std::fs::write(folder.join("watermark.json"), text).unwrap();
    }
}
