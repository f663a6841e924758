//! What had to be changed to make a file into a picture, in plain words.

use serde::{Deserialize, Serialize};

/// One change that [`decode`](crate::decode) made. Every change is listed: nothing is repaired in silence.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fix", content = "detail")]
#[non_exhaustive]
pub enum Fix {
    /// Turned or mirrored as the EXIF orientation (2…8) says.
    Oriented(u8),
    /// Converted from the embedded ICC profile (its name) to sRGB.
    ColourManaged(String),
    /// The embedded ICC profile could not be used (why); the colours were taken as sRGB.
    BadProfile(String),
    /// CMYK inks were converted to sRGB; `true` when by the embedded profile, `false` when by the plain formula.
    Cmyk(bool),
    /// Transparency was laid on white.
    AlphaFlattened,
    /// 16 bits a sample were rounded to 8.
    SixteenBit,
    /// Floating-point samples, taken as linear light within 0…1, were rounded to 8-bit sRGB.
    FloatingPoint,
    /// One grey channel became three equal ones.
    GreyWidened,
    /// Only the first of several frames or pages was used; how many there are, 0 when not counted.
    FirstFrameOf(u32),
}

impl std::fmt::Display for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Oriented(n) => write!(f, "{} (EXIF orientation {n})", orientation_words(*n)),
            Self::ColourManaged(profile) => write!(f, "colours converted from {profile} to sRGB"),
            Self::BadProfile(why) => write!(f, "colour profile not usable ({why}), taken as sRGB"),
            Self::Cmyk(true) => f.write_str("printing inks (CMYK) converted to sRGB by the embedded profile"),
            Self::Cmyk(false) => f.write_str("printing inks (CMYK) converted to sRGB without a profile: colours are approximate"),
            Self::AlphaFlattened => f.write_str("transparency laid on white"),
            Self::SixteenBit => f.write_str("16 bits a sample rounded to 8"),
            Self::FloatingPoint => f.write_str("floating-point light rounded to 8-bit sRGB"),
            Self::GreyWidened => f.write_str("grey widened to three channels"),
            Self::FirstFrameOf(0) => f.write_str("only the first frame used"),
            Self::FirstFrameOf(n) => write!(f, "only the first of {n} frames used"),
        }
    }
}

fn orientation_words(orientation: u8) -> &'static str {
    match orientation {
        2 => "mirrored left to right",
        3 => "turned by half",
        4 => "mirrored top to bottom",
        5 => "mirrored along the falling diagonal",
        6 => "turned a quarter to the right",
        7 => "mirrored along the rising diagonal",
        8 => "turned a quarter to the left",
        _ => "left upright",
    }
}
