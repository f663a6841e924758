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
    let light = |v: u8| LINEAR[usize::from(v)];
    let linear = picture.pixels().chunks_exact(3).map(|p| U16x3::new([light(p[0]), light(p[1]), light(p[2])])).collect();
    let source = TypedImage::from_pixels(picture.width(), picture.height(), linear)?;
    let mut result = TypedImage::<U16x3>::new(width, height);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
    Resizer::new().resize_typed(&source, &mut result, &options)?;
    Ok(result.pixels().iter().flat_map(|pixel| pixel.0.map(|light| SRGB[usize::from(light)])).collect())
}

#[cfg(test)]
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

    #[test]
    fn one_pixel_and_no_pixel() {
        let dot = Picture::filled(1, 1, [3, 4, 5]);
        assert_eq!(resize(&dot, 9, 4).unwrap(), Picture::filled(9, 4, [3, 4, 5]));
        assert!(resize(&dot, 0, 4).is_err());
        assert!(resize(&dot, u32::MAX, u32::MAX).is_err());
    }
}
