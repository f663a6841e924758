//! Where a picture has detail: gradient energy on a thumbnail, summed over any window at once.

use crate::picture::{Picture, Window};

/// Longest side of the thumbnail, px: enough to find a face, too small for grain to count.
const THUMB_PX: u32 = 96;

/// A gradient above this counts no more: one black frame must not outweigh a face.
const GRADIENT_CAP: u32 = 96;

/// Summed detail of a picture. Takes the sides' ratio from the picture and answers in its pixels.
pub(crate) struct Detail {
    /// Integral of energy, `[height + 1, width + 1]` of the thumbnail.
    sums: Vec<u64>,
    width: usize,
    height: usize,
    scale_x: f64,
    scale_y: f64,
    area: f64,
}

impl Detail {
    pub(crate) fn of(picture: &Picture) -> Self {
        let longest = f64::from(picture.width().max(picture.height()));
        let shrink = (f64::from(THUMB_PX) / longest).min(1.0);
        let side = |px: u32| ((f64::from(px) * shrink).round() as u32).max(1);
        let thumb = thumbnail(picture, side(picture.width()), side(picture.height()));
        let (width, height) = (thumb.width() as usize, thumb.height() as usize);
        let mut sums = vec![0; (width + 1) * (height + 1)];
        for y in 0..height {
            let mut row = 0;
            for x in 0..width {
                row += u64::from(energy(&thumb, x, y));
                sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
            }
        }
        let (scale_x, scale_y) = (width as f64 / f64::from(picture.width()), height as f64 / f64::from(picture.height()));
        let area = f64::from(picture.width()) * f64::from(picture.height());
        Self { sums, width, height, scale_x, scale_y, area }
    }

    /// The share of the whole picture's detail that lies inside `window`, 0…1; its share of the area when the
    /// picture is flat.
    pub(crate) fn share(&self, window: Window) -> f64 {
        let (left, right) = span(window.x, window.width, self.scale_x, self.width);
        let (top, bottom) = span(window.y, window.height, self.scale_y, self.height);
        let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let total = at(self.width, self.height);
        if total == 0 {
            return f64::from(window.width) * f64::from(window.height) / self.area;
        }
        let inside = at(right, bottom) + at(left, top) - at(right, top) - at(left, bottom);
        inside as f64 / total as f64
    }
}

/// A small picture whose pixels are the mean of at most 6 × 6 samples of their cell each: to say where something
/// is, a thousandth of a photograph's pixels is enough.
fn thumbnail(picture: &Picture, width: u32, height: u32) -> Picture {
    const SAMPLES: u64 = 6;
    let cell = |at: u32, side: u32, full: u32, sample: u64, samples: u64| {
        let (at, side, full) = (u64::from(at), u64::from(side), u64::from(full));
        ((at * samples + sample) * full / (side * samples)) as u32
    };
    let samples_x = SAMPLES.min(u64::from(picture.width().div_ceil(width)));
    let samples_y = SAMPLES.min(u64::from(picture.height().div_ceil(height)));
    Picture::from_fn(width, height, |x, y| {
        let mut sum = [0u32; 3];
        for j in 0..samples_y {
            for i in 0..samples_x {
                let (px, py) = (cell(x, width, picture.width(), i, samples_x), cell(y, height, picture.height(), j, samples_y));
                let rgb = picture.get(px, py).unwrap_or_default();
                sum.iter_mut().zip(rgb).for_each(|(sum, v)| *sum += u32::from(v));
            }
        }
        sum.map(|sum| (sum / (samples_x * samples_y) as u32) as u8)
    })
}

/// A range of picture pixels on the thumbnail: `start..end` with at least one pixel.
fn span(start: u32, len: u32, scale: f64, side: usize) -> (usize, usize) {
    let first = ((f64::from(start) * scale).round() as usize).min(side - 1);
    let last = ((f64::from(start + len) * scale).round() as usize).clamp(first + 1, side);
    (first, last)
}

/// Sum over the channels of the steps to the right and down, capped: edges of hue count beside those of light.
fn energy(thumb: &Picture, x: usize, y: usize) -> u32 {
    let here = thumb.get(x as u32, y as u32).unwrap_or_default();
    let step = |other: Option<[u8; 3]>| -> u32 {
        let other = other.unwrap_or(here);
        here.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
    };
    (step(thumb.get(x as u32 + 1, y as u32)) + step(thumb.get(x as u32, y as u32 + 1))).min(GRADIENT_CAP)
}
