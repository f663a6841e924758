//! One file's bytes → packed pictures and what is needed to find copies. Pure, so it runs on any thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pinxit_image::{Limits, Picture, Window, decode, fit, patch_windows, resize};
use sha2::{Digest, Sha256};

use crate::examiner::Examiner;
use crate::near::Look;
use crate::options::{Framing, ImportOptions};
use crate::rights::{self, Found};

/// Patches whose samples deviate less than this, in levels of 255, show nothing.
const MIN_DEVIATION: f64 = 4.0;

/// What every file is prepared for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec<'a> {
    pub height: u32,
    pub width: u32,
    pub framing: Framing,
    pub limits: Limits,
    pub min_side: u32,
    pub examiner: Option<&'a dyn Examiner>,
    pub examined_at: Option<&'a str>,
}

impl<'a> Spec<'a> {
    pub fn of(options: &'a ImportOptions) -> Self {
        let (height, width) = options.resolution;
        Self {
            height,
            width,
            framing: options.framing,
            limits: options.limits,
            min_side: options.min_side(),
            examiner: options.examiner.as_deref(),
            examined_at: options.examined_at.as_deref(),
        }
    }

    /// All that an outcome depends on, which is not the time.
    pub fn fingerprint(&self) -> String {
        let reads = self.examiner.map(Examiner::reads);
        format!("{} {} {:?} {:?} {} {reads:?}", self.height, self.width, self.framing, self.limits, self.min_side)
    }
}

/// A usable work.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// BLAKE3 of the file.
    pub file: blake3::Hash,
    /// SHA-256 of the file, hex: by which others know it.
    pub sha256: String,
    /// ISCC, where an examiner gives one.
    pub iscc: Option<String>,
    /// What the file itself says about its use.
    pub found: Found,
    /// When it was examined, as the caller tells the time.
    pub examined_at: Option<String>,
    /// BLAKE3 of size and decoded pixels.
    pub content: blake3::Hash,
    /// Width and height of the work, px.
    pub original: (u32, u32),
    /// What was changed, in words.
    pub fixes: Vec<String>,
    /// What it looks like, coarsely.
    pub look: Look,
    /// The packed pictures.
    pub tiles: Vec<Tile>,
}

/// One packed picture.
#[derive(Debug)]
pub(crate) struct Tile {
    /// `h*w*3` bytes.
    pub pixels: Vec<u8>,
    /// For a patch: left, top, width, height of its window in the work, px.
    pub window: Option<[u32; 4]>,
}

/// Decodes and fits a file, or says why it cannot be used.
pub(crate) fn prepare(bytes: &[u8], spec: &Spec<'_>) -> Result<Prepared, String> {
    // Decoders are other people's code fed with strangers' files: a panic in one costs that file, not the import.
    catch_unwind(AssertUnwindSafe(|| work(bytes, spec))).unwrap_or_else(|_| Err("damaged: the decoder gave up on it".into()))
}

fn work(bytes: &[u8], spec: &Spec<'_>) -> Result<Prepared, String> {
    let decoded = decode(bytes, &spec.limits).map_err(|e| reason(&e))?;
    let picture = decoded.picture;
    let (w, h) = (picture.width(), picture.height());
    if w.min(h) < spec.min_side {
        return Err(format!(
            "too small: {w}×{h} px, and at least {} px a side are needed for {}×{}",
            spec.min_side, spec.width, spec.height
        ));
    }
    let mut fixes: Vec<String> = decoded.fixes.iter().map(ToString::to_string).collect();
    if w < spec.width || h < spec.height {
        fixes.push(format!("enlarged from {w}×{h} px"));
    }
    let file = blake3::hash(bytes);
    let tiles = tiles(&picture, spec, &file).map_err(|e| e.to_string())?;
    Ok(Prepared {
        file,
        sha256: hex(&Sha256::digest(bytes)),
        iscc: spec.examiner.and_then(|e| e.fingerprint(bytes, &picture)),
        found: found(bytes, spec),
        examined_at: spec.examined_at.map(str::to_owned),
        content: content(&picture),
        original: (w, h),
        fixes,
        look: Look::of(&picture),
        tiles,
    })
}

/// What the file says, read here and by the examiner.
fn found(bytes: &[u8], spec: &Spec<'_>) -> Found {
    let mut found = rights::in_file(bytes);
    found.signals.extend(spec.examiner.map(|e| e.signals(bytes)).unwrap_or_default());
    found
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What is wrong, and what to do about it: the report is the only place where a person reads of this file.
fn reason(e: &pinxit_image::Error) -> String {
    e.hint().map_or_else(|| e.to_string(), |hint| format!("{e}; {hint}"))
}

fn tiles(picture: &Picture, spec: &Spec<'_>, file: &blake3::Hash) -> Result<Vec<Tile>, pinxit_image::Error> {
    let n = match spec.framing {
        Framing::Fit(how) => {
            return Ok(vec![Tile { pixels: fit(picture, how, spec.width, spec.height)?.into_pixels(), window: None }]);
        }
        Framing::Patches(n) => n as usize,
    };
    // Seeded by the file itself: the same work gives the same patches in any collection.
    let mut seed = [0; 8];
    seed.copy_from_slice(&file.as_bytes()[..8]);
    let cut = |w: Window| {
        let pixels = resize(&picture.crop(w)?, spec.width, spec.height)?.into_pixels();
        Ok(Tile { pixels, window: Some([w.x, w.y, w.width, w.height]) })
    };
    let windows = patch_windows(picture, n, spec.width, spec.height, u64::from_le_bytes(seed))?;
    let mut tiles = windows.into_iter().map(cut).collect::<Result<Vec<Tile>, _>>()?;
    // The first window is the one with most to see; of the others, a piece of bare night sky or wall teaches nothing.
    let mut nth = 0;
    tiles.retain(|tile| {
        nth += 1;
        nth == 1 || deviation(&tile.pixels) >= MIN_DEVIATION
    });
    Ok(tiles)
}

/// Standard deviation of all samples, in levels of 255.
fn deviation(pixels: &[u8]) -> f64 {
    let n = pixels.len().max(1) as f64;
    let mean = pixels.iter().map(|&p| f64::from(p)).sum::<f64>() / n;
    (pixels.iter().map(|&p| (f64::from(p) - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// Hash of what is seen, whatever file format it came in.
pub(crate) fn content(picture: &Picture) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&picture.width().to_le_bytes());
    hasher.update(&picture.height().to_le_bytes());
    hasher.update(picture.pixels());
    hasher.finalize()
}
