//! Values as people write them: `64x96`, `30m`, `smart`.
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use pinxit_image::{Encoding, LabelLaw};
use serde::{Deserialize, Serialize};

/// A value as JSON, for showing; null if it has no JSON form.
pub(super) fn json<T: Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Serde through `Display` and `FromStr`, so that files, environment and flags all read the same words.
macro_rules! as_text {
    ($kind:ty) => {
        impl Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A closed set of words.
macro_rules! words {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $variant:ident = $word:literal $(or $also:literal)?,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind { $($(#[$doc])* $variant,)* }

        impl $kind {
            /// Every word, in the order of help texts.
            pub const WORDS: &'static [&'static str] = &[$($word),*];
            /// Other words that are understood.
            pub const ALSO: &'static [&'static str] = &[$($($also,)?)*];
        }
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(match self { $($kind::$variant => $word,)* }) }
        }
        impl FromStr for $kind {
            type Err = String;
            fn from_str(s: &str) -> Result<Self, String> {
                match s {
                    $($word $(| $also)? => Ok($kind::$variant),)*
                    _ => Err(format!("\"{s}\" is none of {}", Self::WORDS.join(", "))),
                }
            }
        }
        as_text!($kind);
    };
}

words! {
    /// What to do with a picture of another shape; none of them stretches.
    FitTo {
        /// The middle part.
        Centre = "centre" or "center",
        /// The part with most detail.
        Smart = "smart",
        /// All of it, with bars.
        Letterbox = "letterbox",
    }
}

words! {
    /// Which labels a model learns to obey.
    Condition {
        /// Class only.
        Class = "class",
        /// Style only.
        Style = "style",
        /// Whichever the dataset has.
        Both = "both",
        /// Those, and the words of captions: `generate --prompt` then paints what they say.
        Captions = "captions",
        /// No labels.
        None = "none",
    }
}

words! {
    /// File format of painted pictures.
    ImageFormat {
        /// Lossless.
        Png = "png",
        /// Lossy, read everywhere.
        Jpeg = "jpeg" or "jpg",
        /// Lossless, smaller than PNG.
        Webp = "webp",
        /// Lossy, smallest.
        Avif = "avif",
    }
}

words! {
    /// What others may do with a picture in training, as its credential says.
    TrainingUse {
        /// Nothing.
        NotAllowed = "not-allowed",
        /// Everything.
        Allowed = "allowed",
    }
}

words! {
    /// A law in whose form a picture's metadata says that AI made it.
    LabelWord {
        /// China, GB 45438-2025.
        Cn = "cn",
        /// California, SB 942.
        Sb942 = "sb942",
        /// None.
        None = "none",
    }
}

impl LabelWord {
    /// The law.
    pub fn law(self) -> Option<LabelLaw> {
        match self {
            LabelWord::Cn => Some(LabelLaw::China),
            LabelWord::Sb942 => Some(LabelLaw::California),
            LabelWord::None => None,
        }
    }
}

words! {
    /// Processor instructions to compute with.
    Instructions {
        /// The best this processor has.
        Auto = "auto",
        /// Plain code for any processor.
        Portable = "portable",
        /// AVX2 and FMA.
        Avx2 = "avx2",
        /// AVX-512.
        Avx512 = "avx512",
    }
}

impl ImageFormat {
    /// Ending of a file name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            ImageFormat::Png => "png",
            ImageFormat::Jpeg => "jpg",
            ImageFormat::Webp => "webp",
            ImageFormat::Avif => "avif",
        }
    }

    /// The format that a file's name asks for.
    pub fn of_name(path: &Path) -> Result<Self, String> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        ending.parse().map_err(|_| format!("{} ends in none of .png, .jpg, .webp, .avif", path.display()))
    }

    /// How it is written; `quality` (1 to 100) is that of lossy formats.
    pub fn encoding(self, quality: u8) -> Encoding {
        match self {
            ImageFormat::Png => Encoding::Png,
            ImageFormat::Jpeg => Encoding::Jpeg { quality },
            ImageFormat::Webp => Encoding::WebP,
            ImageFormat::Avif => Encoding::Avif { quality },
        }
    }
}

/// Width and height in pixels; written `64` (square) or `64x96` (width x height).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// From height and width, the order of tensors.
    pub fn of((height, width): (usize, usize)) -> Self {
        Size { width: width as u32, height: height as u32 }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.width == self.height { write!(f, "{}", self.width) } else { write!(f, "{}x{}", self.width, self.height) }
    }
}

impl FromStr for Size {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let wrong = || format!("\"{s}\" is not a size: write 64 or 64x96 (width x height), 16 to 1024 px");
        let (w, h) = s.split_once('x').unwrap_or((s, s));
        let side = |t: &str| t.parse().ok().filter(|px| (16..=1024).contains(px)).ok_or_else(wrong);
        Ok(Size { width: side(w)?, height: side(h)? })
    }
}

impl Serialize for Size {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        number_or_text(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// `size = 64` is as good as `size = "64"`.
fn number_or_text<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    Ok(match Either::deserialize(d)? {
        Either::Number(n) => n.to_string(),
        Either::Text(t) => t,
    })
}

/// A length of time, written `90s`, `30m`, `2h`, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    secs: u64,
}

impl Span {
    /// From whole seconds.
    pub fn from_secs(secs: u64) -> Self {
        Span { secs }
    }
    /// Whole seconds.
    pub fn secs(self) -> u64 {
        self.secs
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (h, m, s) = (self.secs / 3600, self.secs / 60 % 60, self.secs % 60);
        for (n, unit) in [(h, 'h'), (m, 'm'), (s, 's')] {
            if n > 0 {
                write!(f, "{n}{unit}")?;
            }
        }
        if self.secs == 0 { write!(f, "0s") } else { Ok(()) }
    }
}

impl FromStr for Span {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let wrong = || format!("\"{s}\" is not a length of time: write 90s, 30m, 2h or 1h30m");
        let (mut secs, mut digits) = (0u64, String::new());
        for c in s.chars() {
            let unit = match c {
                '0'..='9' => {
                    digits.push(c);
                    continue;
                }
                'd' => 86_400,
                'h' => 3600,
                'm' => 60,
                's' => 1,
                _ => return Err(wrong()),
            };
            let n: u64 = std::mem::take(&mut digits).parse().map_err(|_| wrong())?;
            secs = n.checked_mul(unit).and_then(|x| x.checked_add(secs)).ok_or_else(wrong)?;
        }
        if digits.is_empty() && secs > 0 { Ok(Span { secs }) } else { Err(wrong()) }
    }
}

as_text!(Span);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_print() {
        for (text, secs, back) in [("90s", 90, "1m30s"), ("30m", 1800, "30m"), ("1h30m", 5400, "1h30m"), ("2d", 172_800, "48h")] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.secs(), span.to_string().as_str()), (secs, back));
            assert_eq!(back.parse::<Span>(), Ok(span));
        }
        for bad in ["", "30", "m", "-3m", "3 m", "0s", "99999999999999999999h", "3m2"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_read_and_print() {
        assert_eq!("64".parse(), Ok(Size { width: 64, height: 64 }));
        assert_eq!("64x96".parse::<Size>().map(|s| s.to_string()), Ok("64x96".into()));
        for bad in ["", "x", "64x", "0", "15", "1025", "64x96x3", "-64"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }

    #[test]
    fn words_say_their_neighbours() {
        assert_eq!("smrt".parse::<FitTo>(), Err("\"smrt\" is none of centre, smart, letterbox".into()));
        for word in FitTo::WORDS {
            assert_eq!(word.parse::<FitTo>().map(|f| f.to_string()).as_deref(), Ok(*word));
        }
        assert_eq!("jpg".parse(), Ok(ImageFormat::Jpeg), "as files are called");
        assert_eq!("center".parse(), Ok(FitTo::Centre), "as half of the readers spell it");
        assert_eq!(ImageFormat::of_name(Path::new("a/b.JPG")), Ok(ImageFormat::Jpeg));
        assert!(ImageFormat::of_name(Path::new("png")).is_err());
    }
}
