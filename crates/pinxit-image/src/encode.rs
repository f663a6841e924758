//! From a picture to the bytes of a file that says what it is and how it was made.

use crate::error::{Error, Result};
use crate::format::Format;
use crate::metadata::{self, Metadata, RECIPE_KEYWORD, XMP_KEYWORD};
use crate::picture::Picture;
use image::codecs::jpeg::JpegEncoder;
use serde::{Deserialize, Serialize};

/// A file format to write, with its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "format")]
pub enum Encoding {
    /// Lossless.
    #[default]
    Png,
    /// Lossy; `quality` 1…100.
    Jpeg {
        /// 1 (small) … 100 (good).
        quality: u8,
    },
    /// Lossless.
    WebP,
    /// Lossy; `quality` 1…100. Slow: seconds for a large picture.
    Avif {
        /// 1 (small) … 100 (good).
        quality: u8,
    },
}

impl Encoding {
    /// The quality used where none is named.
    pub const QUALITY: u8 = 92;

    /// The format that is written.
    #[must_use]
    pub fn format(self) -> Format {
        match self {
            Self::Png => Format::Png,
            Self::Jpeg { .. } => Format::Jpeg,
            Self::WebP => Format::WebP,
            Self::Avif { .. } => Format::Avif,
        }
    }

    /// The file name extension, without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        self.format().extension()
    }

    /// The encoding for a name or extension, in either case: png, jpg, jpeg, webp, avif.
    ///
    /// # Errors
    /// [`Error::Setting`] when it is none of these.
    pub fn named(name: &str, quality: u8) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::Jpeg { quality }),
            "webp" => Ok(Self::WebP),
            "avif" => Ok(Self::Avif { quality }),
            _ => Err(Error::Setting { name: "picture format", value: name.to_string(), range: "png, jpg, webp, avif" }),
        }
    }
}

/// The bytes of a file with this picture. The same picture, encoding and metadata give the same bytes.
///
/// Every file carries an XMP packet with the title, the creator tool, the IPTC digital source type and the
/// recipe; a PNG also carries the recipe alone in an `iTXt` chunk named `pinxit:recipe`, and says that it is sRGB. XMP lies
/// where other programs look for it in PNG (`XML:com.adobe.xmp`), JPEG (APP1) and WebP (`XMP `); in AVIF, whose
/// writer has no XMP item, it lies in the Exif item as TIFF tag 700 (`XMLPacket`).
///
/// # Errors
/// [`Error::Setting`] when the quality is not 1…100; [`Error::MetadataTooLarge`] when the packet does not fit
/// into a JPEG segment (65,504 bytes); [`Error::Encode`] when a side is beyond what the format can hold.
pub fn encode(picture: &Picture, encoding: Encoding, metadata: &Metadata) -> Result<Vec<u8>> {
    write(picture, encoding, metadata.recipe.as_deref(), Some(metadata.xmp()))
}

/// A file with this recipe and this XMP packet, or none.
pub(crate) fn write(picture: &Picture, encoding: Encoding, recipe: Option<&str>, xmp: Option<String>) -> Result<Vec<u8>> {
    match encoding {
        Encoding::Png => png(picture, recipe, xmp),
        Encoding::Jpeg { quality } => jpeg(picture, checked(quality)?, xmp.as_deref()),
        Encoding::WebP => webp(picture, xmp),
        Encoding::Avif { quality } => avif(picture, checked(quality)?, xmp.as_deref()),
    }
}

fn checked(quality: u8) -> Result<u8> {
    if (1..=100).contains(&quality) {
        return Ok(quality);
    }
    Err(Error::Setting { name: "quality", value: quality.to_string(), range: "1 to 100" })
}

fn failed(format: Format) -> impl Fn(&dyn std::fmt::Display) -> Error {
    move |error| Error::Encode { format, what: error.to_string() }
}

fn png(picture: &Picture, recipe: Option<&str>, xmp: Option<String>) -> Result<Vec<u8>> {
    let fail = failed(Format::Png);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let recipe = recipe.map(|recipe| (RECIPE_KEYWORD, recipe.to_string()));
    for (keyword, text) in recipe.into_iter().chain(xmp.map(|xmp| (XMP_KEYWORD, xmp))) {
        encoder.add_itxt_chunk(keyword.to_string(), text).map_err(|e| fail(&e))?;
    }
    let mut writer = encoder.write_header().map_err(|e| fail(&e))?;
    writer.write_image_data(picture.pixels()).map_err(|e| fail(&e))?;
    writer.finish().map_err(|e| fail(&e))?;
    Ok(bytes)
}

fn jpeg(picture: &Picture, quality: u8, xmp: Option<&str>) -> Result<Vec<u8>> {
    let fail = failed(Format::Jpeg);
    let mut bytes = Vec::new();
    let (width, height) = (picture.width(), picture.height());
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(picture.pixels(), width, height, image::ExtendedColorType::Rgb8)
        .map_err(|e| fail(&e))?;
    match xmp {
        Some(xmp) => metadata::insert_jpeg_xmp(bytes, xmp),
        None => Ok(bytes),
    }
}

fn webp(picture: &Picture, xmp: Option<String>) -> Result<Vec<u8>> {
    let fail = failed(Format::WebP);
    let (width, height) = (picture.width(), picture.height());
    if width > 16384 || height > 16384 {
        return Err(fail(&"a side is above 16384 px"));
    }
    let mut bytes = Vec::new();
    let mut encoder = image_webp::WebPEncoder::new(&mut bytes);
    if let Some(xmp) = xmp {
        encoder.set_xmp_metadata(xmp.into_bytes());
    }
    encoder.encode(picture.pixels(), width, height, image_webp::ColorType::Rgb8).map_err(|e| fail(&e))?;
    Ok(bytes)
}

fn avif(picture: &Picture, quality: u8, xmp: Option<&str>) -> Result<Vec<u8>> {
    let fail = failed(Format::Avif);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // The RGBA door although nothing is transparent (the encoder sees that and writes no alpha): `encode_rgb` is
    // an inline function, and through it this crate would compile the whole AV1 encoder once more, in minutes.
    let opaque = |p: &[u8]| ravif::RGBA8::new(p[0], p[1], p[2], 255);
    let pixels: Vec<ravif::RGBA8> = picture.pixels().chunks_exact(3).map(opaque).collect();
    // One thread: the encoder cuts the picture into as many tiles as it has threads, and so into other bytes.
    let encoder = ravif::Encoder::new().with_quality(f32::from(quality)).with_speed(6).with_num_threads(Some(1));
    let encoder = match xmp {
        Some(xmp) => encoder.with_exif(metadata::exif_with_xmp(xmp)),
        None => encoder,
    };
    let encoded = encoder.encode_rgba(ravif::Img::new(pixels.as_slice(), width, height)).map_err(|e| fail(&e))?;
    Ok(encoded.avif_file)
}
