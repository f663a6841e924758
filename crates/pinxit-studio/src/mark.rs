//! The watermark of every painted picture that is large enough: the last thing that is done to its pixels.
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pinxit_create::Operation;
use pinxit_image::{Limits, Picture};
use pinxit_trust::credential::SoftBinding;
use pinxit_trust::keys::WatermarkSecret;
use pinxit_trust::watermark::{ALGORITHM, FULL_SIDE_PX, SHORT_SIDE_PX, Watermark, capacity_bits, id_text};

use crate::event::{Event, Watcher};
use crate::{Error, Result, Studio};

/// Marks the pictures of one command with the studio's secret, which is made when the first picture needs it.
pub(crate) struct Marker {
    studio: Studio,
    secret: Mutex<Option<Arc<Ready>>>,
    has_said_small: AtomicBool,
}

/// A secret with its patterns, which take a tenth of a second to make.
struct Ready {
    secret: WatermarkSecret,
    watermark: Watermark,
}

/// The mark that a picture got.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    /// Its id in hexadecimal digits.
    pub id: String,
    /// Length of the id, bits.
    pub bits: u32,
    /// Whether it was read again in its trial.
    pub survived: bool,
}

impl Mark {
    /// As credentials name it.
    pub fn soft_binding(&self) -> SoftBinding {
        SoftBinding { alg: ALGORITHM.into(), value: self.id.clone() }
    }
}

impl Marker {
    /// For the pictures of this studio. A secret that cannot be used is an error now, before anything is painted.
    pub fn open(studio: &Studio) -> Result<Self> {
        studio.keys().watermark()?;
        Ok(Marker { studio: studio.clone(), secret: Mutex::new(None), has_said_small: AtomicBool::new(false) })
    }

    /// The picture with a mark whose id follows from `text`, which describes it; `None` where it is too small for one, or larger than
    /// any picture that is decoded here: then the mark could not be tried.
    pub fn mark(&self, picture: &Picture, text: &str) -> Result<Option<(Picture, Mark)>> {
        let bits = capacity_bits(picture.width(), picture.height());
        if bits == 0 || picture.width().max(picture.height()) > Limits::default().max_side_px {
            return Ok(None);
        }
        let ready = self.ready()?;
        let id = ready.secret.id(text, bits);
        let marked = ready.watermark.embed(picture, id).map_err(Error::from)?;
        let mark = Mark { id: id_text(id, marked.bits), bits: marked.bits, survived: marked.survived };
        Ok(Some((marked.picture, mark)))
    }

    /// Says, once, that pictures of these sides (px) are too small, if they are.
    pub fn warn_of(&self, (width, height): (u32, u32), watcher: &mut dyn Watcher) {
        if capacity_bits(width, height) == 0 && !self.has_said_small.swap(true, Ordering::Relaxed) {
            watcher.event(Event::Note { message: too_small(width, height) });
        }
    }

    fn ready(&self) -> Result<Arc<Ready>> {
        let mut slot = self.secret.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = &*slot {
            return Ok(ready.clone());
        }
        let secret = self.studio.keys().watermark_or_new()?;
        let ready = Arc::new(Ready { watermark: Watermark::new(&secret.key()), secret });
        Ok(slot.insert(ready).clone())
    }
}

/// Why there is no mark, and the enlargement that would make room for one.
fn too_small(width: u32, height: u32) -> String {
    let side = width.min(height).max(1);
    let to_full = FULL_SIDE_PX.div_ceil(side);
    let what = match to_full.min(Operation::MOST_TIMES) {
        times if side * times >= SHORT_SIDE_PX => format!("; --enlarge {times} makes room for one"),
        _ => String::new(),
    };
    format!(
        "pictures of {width}x{height} px carry no watermark: it needs {SHORT_SIDE_PX} px a side, and {FULL_SIDE_PX} px to be sure{what}"
    )
}

/// Warns of a file whose mark did not pass its trial.
pub(crate) fn warn_if_weak(path: &Path, mark: Option<&Mark>, watcher: &mut dyn Watcher) {
    if mark.is_none_or(|mark| mark.survived) {
        return;
    }
    let message = format!("{}: its watermark is weak, and will hardly outlive strong compression or a cut", path.display());
    let hint = "the credential and the ledger's fingerprint say as much; pictures of 256 px a side and more carry a mark better (--enlarge)";
    watcher.event(Event::Warning { message, hint: Some(hint.into()) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_is_too_small_says_what_to_do() {
        let cases = [
            ((64, 64), "; --enlarge 4 makes"),
            ((32, 48), "; --enlarge 8 makes"),
            ((16, 16), "; --enlarge 8 makes"),
            ((100, 64), "--enlarge 4"),
        ];
        for ((width, height), wanted) in cases {
            let said = too_small(width, height);
            assert!(said.starts_with(&format!("pictures of {width}x{height} px carry")) && said.contains(wanted), "{said}");
        }
        assert!(!too_small(15, 400).contains("enlarge"));
    }
}
