//! The one picture type: 8-bit sRGB, three channels, rows from top to bottom.

use crate::error::{Error, Result};

/// The most bytes a picture may take, whoever asks for it: 3 channels × 4 giga-pixels would not be a picture.
const MAX_BYTES: u64 = 4 << 30;

/// A picture in 8-bit sRGB: `pixels` is `[height, width, 3]`, row-major, values 0…255, never empty.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// A rectangle within a picture, px; `x`, `y` is its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Left edge, px.
    pub x: u32,
    /// Upper edge, px.
    pub y: u32,
    /// Width, px.
    pub width: u32,
    /// Height, px.
    pub height: u32,
}

impl Picture {
    /// A picture from its samples, `[height, width, 3]`.
    ///
    /// # Errors
    /// [`Error::Shape`] when a side is 0 or `pixels` has not `width × height × 3` bytes.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self> {
        if pixels.len() as u64 != byte_count(width, height)? {
            return Err(Error::Shape { width, height, what: "the number of samples does not match" });
        }
        Ok(Self { width, height, pixels })
    }

    /// A picture of one colour.
    ///
    /// # Panics
    /// When a side is 0 or the picture would take more than 4 GiB.
    #[must_use]
    pub fn filled(width: u32, height: u32, rgb: [u8; 3]) -> Self {
        assert!(byte_count(width, height).is_ok(), "a picture of {width} × {height} px cannot be made");
        Self { width, height, pixels: rgb.repeat(width as usize * height as usize) }
    }

    /// A picture whose colour at `(x, y)` is `colour(x, y)`.
    ///
    /// # Panics
    /// When a side is 0 or the picture would take more than 4 GiB.
    #[must_use]
    pub fn from_fn(width: u32, height: u32, mut colour: impl FnMut(u32, u32) -> [u8; 3]) -> Self {
        let mut picture = Self::filled(width, height, [0; 3]);
        for (i, pixel) in picture.pixels.chunks_exact_mut(3).enumerate() {
            let i = i as u64;
            pixel.copy_from_slice(&colour((i % u64::from(width)) as u32, (i / u64::from(width)) as u32));
        }
        picture
    }

    /// Width, px, at least 1.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height, px, at least 1.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The samples, `[height, width, 3]`.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The samples to change, `[height, width, 3]`.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The samples, without the picture around them.
    #[must_use]
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The colour at `(x, y)`, or `None` outside the picture.
    #[must_use]
    pub fn get(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let at = (y as usize * self.width as usize + x as usize) * 3;
        Some([self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]])
    }

    /// The whole picture as a window.
    #[must_use]
    pub fn window(&self) -> Window {
        Window { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// The part of the picture inside `window`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the window is empty or reaches outside the picture.
    pub fn crop(&self, window: Window) -> Result<Self> {
        let Window { x, y, width, height } = window;
        let within = |start: u32, len: u32, side: u32| len > 0 && start.checked_add(len).is_some_and(|end| end <= side);
        if !within(x, width, self.width) || !within(y, height, self.height) {
            return Err(Error::Shape { width, height, what: "the window is empty or reaches outside the picture" });
        }
        let row = width as usize * 3;
        let mut pixels = Vec::with_capacity(row * height as usize);
        for line in y..y + height {
            let start = (line as usize * self.width as usize + x as usize) * 3;
            pixels.extend_from_slice(&self.pixels[start..start + row]);
        }
        Ok(Self { width, height, pixels })
    }

    /// The picture mirrored left to right.
    #[must_use]
    pub fn flip_horizontal(&self) -> Self {
        let row = self.width as usize * 3;
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for line in self.pixels.chunks_exact(row) {
            for pixel in line.chunks_exact(3).rev() {
                pixels.extend_from_slice(pixel);
            }
        }
        Self { width: self.width, height: self.height, pixels }
    }

    /// Copies `other` into this picture with its upper left corner at `(x, y)`; what lies outside is left out.
    pub fn paste(&mut self, other: &Self, x: u32, y: u32) {
        if x >= self.width || y >= self.height {
            return;
        }
        let row = other.width.min(self.width - x) as usize * 3;
        for line in 0..other.height.min(self.height - y) {
            let from = line as usize * other.width as usize * 3;
            let to = ((y + line) as usize * self.width as usize + x as usize) * 3;
            self.pixels[to..to + row].copy_from_slice(&other.pixels[from..from + row]);
        }
    }
}

impl std::fmt::Debug for Picture {
    /// Sides only: a million samples help nobody.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} × {} px)", self.width, self.height)
    }
}

/// Bytes of a `width × height` picture, or why there can be none.
pub(crate) fn byte_count(width: u32, height: u32) -> Result<u64> {
    if width == 0 || height == 0 {
        return Err(Error::Shape { width, height, what: "a side is 0" });
    }
    match (u64::from(width) * u64::from(height)).checked_mul(3) {
        Some(bytes) if bytes <= MAX_BYTES => Ok(bytes),
        _ => Err(Error::Shape { width, height, what: "it would take more than 4 GiB" }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    fn numbered(width: u32, height: u32) -> Picture {
        Picture::from_fn(width, height, |x, y| [x as u8, y as u8, 7])
    }

    #[test]
    fn crop_takes_the_window_and_nothing_else() {
        let part = numbered(9, 7).crop(Window { x: 2, y: 3, width: 4, height: 2 }).unwrap();
        assert_eq!((part.width(), part.height()), (4, 2));
        assert_eq!(part.get(0, 0), Some([2, 3, 7]));
        assert_eq!(part.get(3, 1), Some([5, 4, 7]));
        assert_eq!(part.get(4, 1), None);
    }

    #[test]
    fn windows_outside_are_errors_even_when_the_sum_overflows() {
        let picture = numbered(9, 7);
        for (x, y, width, height) in [(0, 0, 10, 1), (9, 0, 1, 1), (0, 0, 0, 1), (u32::MAX, 0, 2, 1), (0, 6, 1, 2)] {
            assert!(picture.crop(Window { x, y, width, height }).is_err(), "{x} {y} {width} {height}");
        }
    }

    #[test]
    fn flipping_twice_is_nothing() {
        let picture = numbered(5, 3);
        assert_eq!(picture.flip_horizontal().get(0, 2), Some([4, 2, 7]));
        assert_eq!(picture.flip_horizontal().flip_horizontal(), picture);
    }

    #[test]
    fn a_wrong_number_of_samples_is_an_error() {
        assert!(Picture::new(2, 2, vec![0; 12]).is_ok());
        assert!(Picture::new(2, 2, vec![0; 11]).is_err());
        assert!(Picture::new(0, 2, vec![]).is_err());
        assert!(Picture::new(u32::MAX, u32::MAX, vec![]).is_err());
    }
}
