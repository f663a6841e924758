//! The file formats by name.

use serde::{Deserialize, Serialize};

/// A picture file format that is recognised by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// PNG, and the first frame of APNG.
    Png,
    /// JPEG: baseline and progressive; grey, YCbCr, RGB, CMYK, YCCK.
    Jpeg,
    /// WebP: lossy, lossless, and the first frame of an animation.
    WebP,
    /// GIF: the first frame.
    Gif,
    /// TIFF: the first page.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// JPEG XL, bare codestream or container.
    JpegXl,
    /// AVIF: written, not read (a decoder would need a C library).
    Avif,
}

impl Format {
    /// Every format there is.
    pub const ALL: [Self; 8] = [Self::Png, Self::Jpeg, Self::WebP, Self::Gif, Self::Tiff, Self::Bmp, Self::JpegXl, Self::Avif];

    /// The usual name, as in "this PNG file".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::JpegXl => "JPEG XL",
            Self::Avif => "AVIF",
        }
    }

    /// The usual file name extension, without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Tiff => "tif",
            Self::Bmp => "bmp",
            Self::JpegXl => "jxl",
            Self::Avif => "avif",
        }
    }

    /// Whether [`decode`](crate::decode) reads it: all but AVIF.
    #[must_use]
    pub fn is_read(self) -> bool {
        self != Self::Avif
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
