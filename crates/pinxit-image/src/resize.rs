//! Scaling in linear light.

use crate::error::{Error, Result};
use crate::picture::{Picture, byte_count};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelComponentMapper, PixelType, ResizeAlg, ResizeOptions, Resizer, create_srgb_mapper};
use std::sync::LazyLock;

/// The sRGB curve as tables; making them takes a millisecond, so once.
static SRGB: LazyLock<PixelComponentMapper> = LazyLock::new(create_srgb_mapper);

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

/// The scaler's errors all say that a buffer or a pixel type does not fit, which the types here rule out.
fn scaled(
    picture: &Picture,
    width: u32,
    height: u32,
    filter: FilterType,
) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error>> {
    let source = ImageRef::new(picture.width(), picture.height(), picture.pixels(), PixelType::U8x3)?;
    let mut linear = Image::new(picture.width(), picture.height(), PixelType::U16x3);
    SRGB.forward_map(&source, &mut linear)?;
    let mut small = Image::new(width, height, PixelType::U16x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
    Resizer::new().resize(&linear, &mut small, &options)?;
    let mut result = Image::new(width, height, PixelType::U8x3);
    SRGB.backward_map(&small, &mut result)?;
    Ok(result.into_vec())
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
