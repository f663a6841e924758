//! Scaling in linear light.

use crate::error::{Error, Result};
use crate::picture::{Picture, byte_count};
use fast_image_resize::images::TypedImage;
use fast_image_resize::pixels::U16x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use std::sync::LazyLock;

/// 16-bit linear light of each sRGB value; the darkest step above black is 20, so that none is lost.
static LINEAR: LazyLock<[u16; 256]> = LazyLock::new(|| {
    std::array::from_fn(|v| {
        let v = v as f64 / 255.0;
        let light = if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
        (light * 65535.0).round() as u16
    })
});

/// The sRGB value of each 16-bit linear light, rounded.
static SRGB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let encode = |light: u32| {
        let light = f64::from(light) / 65535.0;
        let v = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
        (v * 255.0).round() as u8
    };
    (0..=65535).map(encode).collect()
});

/// The picture scaled to `width × height` px; the sides may be stretched, see [`fit`](crate::fit) for not doing so.
///
/// Samples are turned into 16-bit linear light first, because light adds up and sRGB values do not: fine
/// black-and-white stripes shrink to the grey that the eye sees from afar (188), not to 128. Shrinking uses
/// Lanczos with three lobes, enlarging Catmull-Rom, whose one small lobe rings less.
///
/// # Errors
/// [`Error::Shape`] when a side is 0 or the picture would take more than 4 GiB.
pub fn resize(picture: &Picture, width: u32, height: u32) -> Result<Picture> {
    byte_count(width, height)?;
    if (width, height) == (picture.width(), picture.height()) {
        return Ok(picture.clone());
    }
    let grows = width > picture.width() || height > picture.height();
    let filter = if grows { FilterType::CatmullRom } else { FilterType::Lanczos3 };
    let pixels = scaled(picture, width, height, filter).map_err(|_| Error::Shape {
        width,
        height,
        what: "the scaler refused these sides",
    })?;
    Picture::new(width, height, pixels)
}

/// Calls the scaler for the one pixel type in use: its untyped door would compile the convolutions of all
/// thirteen into this crate. Its errors say that a buffer does not fit, which the types here rule out.
fn scaled(
    picture: &Picture,
    width: u32,
    height: u32,
    filter: FilterType,
) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error>> {
    let k = block_side(picture, width, height);
    let source = linear(picture, k)?;
    // Where the sides are no multiple of k, the last blocks are narrower: the window ends inside them.
    let (w, h) = (f64::from(picture.width()) / k as f64, f64::from(picture.height()) / k as f64);
    let mut result = TypedImage::<U16x3>::new(width, height);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false).crop(0.0, 0.0, w, h);
    Resizer::new().resize_typed(&source, &mut result, &options)?;
    Ok(result.pixels().iter().flat_map(|pixel| pixel.0.map(|light| SRGB[usize::from(light)])).collect())
}

/// How many times larger than the result a picture stays after being reduced by whole blocks.
const GAP: u32 = 3;

/// Sums of 128 × 128 samples of 16 bits still fit into 32.
const LARGEST_BLOCK: u32 = 128;

fn block_side(picture: &Picture, width: u32, height: u32) -> usize {
    let times = |side: u32, target: u32| side / target.saturating_mul(GAP);
    times(picture.width(), width).min(times(picture.height(), height)).clamp(1, LARGEST_BLOCK) as usize
}

/// The picture in linear light, reduced by averaging blocks of k × k pixels. A picture far larger than the result
/// is brought to no less than [`GAP`] times its sides like this: the scaler then has k² times fewer pixels to
/// read, and the result differs by less than a step of 255 in the mean (a test holds it to that).
fn linear(picture: &Picture, k: usize) -> std::result::Result<TypedImage<'static, U16x3>, Box<dyn std::error::Error>> {
    let light = |v: u8| u32::from(LINEAR[usize::from(v)]);
    let (blocks_x, row) = ((picture.width() as usize).div_ceil(k), picture.width() as usize * 3);
    let mut pixels = Vec::with_capacity(blocks_x * (picture.height() as usize).div_ceil(k));
    let mut sums = vec![[0u32; 3]; blocks_x];
    for band in picture.pixels().chunks(row * k) {
        sums.fill([0; 3]);
        for line in band.chunks_exact(row) {
            for (sum, block) in sums.iter_mut().zip(line.chunks(3 * k)) {
                block.chunks_exact(3).for_each(|p| (0..3).for_each(|c| sum[c] += light(p[c])));
            }
        }
        let lines = (band.len() / row) as u32;
        for (i, sum) in sums.iter().enumerate() {
            // The last block of a line or column may be narrower than the others.
            let area = lines * (picture.width() as usize - i * k).min(k) as u32;
            pixels.push(U16x3::new(sum.map(|sum| ((sum + area / 2) / area) as u16)));
        }
    }
    let blocks_y = pixels.len() / blocks_x;
    Ok(TypedImage::from_pixels(blocks_x as u32, blocks_y as u32, pixels)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    #[test]
    fn stripes_become_the_grey_that_the_eye_sees() {
        let stripes = Picture::from_fn(64, 64, |x, _| if x % 2 == 0 { [0; 3] } else { [255; 3] });
        let small = resize(&stripes, 16, 16).unwrap();
        let middle = small.get(8, 8).unwrap();
        assert!(middle.iter().all(|v| (186..=190).contains(v)), "half the light is 188 in sRGB, got {middle:?}");
    }

    #[test]
    fn every_flat_colour_survives_shrinking_and_enlarging() {
        for v in 0..=255u8 {
            let flat = Picture::filled(7, 5, [v, 255 - v, 128]);
            for (width, height) in [(3, 2), (14, 11), (3, 11)] {
                assert_eq!(resize(&flat, width, height).unwrap(), Picture::filled(width, height, [v, 255 - v, 128]));
            }
        }
    }

    #[test]
    fn enlarging_an_edge_stays_close_to_its_two_colours() {
        let edge = Picture::from_fn(8, 8, |x, _| if x < 4 { [100; 3] } else { [150; 3] });
        let large = resize(&edge, 64, 64).unwrap();
        assert!(large.pixels().iter().all(|v| (90..=158).contains(v)));
    }

    /// Smooth waves, edges and a slope, not aligned with any block.
    fn waves(width: u32, height: u32) -> Picture {
        Picture::from_fn(width, height, |x, y| {
            let (u, v) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
            let wave = 128.0 + 100.0 * (u * 21.0).sin() * (v * 13.0).cos();
            [wave as u8, (u * 255.0) as u8, if u + v < 0.9 { 30 } else { 220 }]
        })
    }

    #[test]
    fn reducing_by_blocks_first_changes_next_to_nothing() {
        for (width, height) in [(640, 480), (643, 487), (701, 333)] {
            let picture = waves(width, height);
            assert!(block_side(&picture, 32, 24) > 1);
            let quick = resize(&picture, 32, 24).unwrap();
            // The same in two steps that are each too small for blocks.
            let slow = resize(&resize(&picture, 160, 120).unwrap(), 32, 24).unwrap();
            let off = quick.pixels().iter().zip(slow.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(off <= 6, "{width} × {height}: {off}");
            let mean: u32 = quick.pixels().iter().zip(slow.pixels()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
            assert!(mean <= quick.pixels().len() as u32, "{width} × {height}: sum of differences {mean}");
        }
    }

    #[test]
    fn a_huge_picture_of_one_colour_keeps_it() {
        let flat = Picture::filled(3001, 1999, [255, 1, 77]);
        assert_eq!(resize(&flat, 1, 1).unwrap(), Picture::filled(1, 1, [255, 1, 77]));
        assert_eq!(resize(&flat, 5, 7).unwrap(), Picture::filled(5, 7, [255, 1, 77]));
    }

    #[test]
    fn one_pixel_and_no_pixel() {
        let dot = Picture::filled(1, 1, [3, 4, 5]);
        assert_eq!(resize(&dot, 9, 4).unwrap(), Picture::filled(9, 4, [3, 4, 5]));
        assert!(resize(&dot, 0, 4).is_err());
        assert!(resize(&dot, u32::MAX, u32::MAX).is_err());
    }
}
