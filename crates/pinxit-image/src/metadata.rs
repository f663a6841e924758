//! What a file says about itself: an XMP packet, and the recipe in it.

use crate::decode::Segments;
use crate::disclosure::{LatentLabel, visible_element};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::sniff::sniff;

/// IPTC's name for pictures that a trained model made.
pub const TRAINED_ALGORITHMIC_MEDIA: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

/// Keyword of the PNG text chunk that holds the recipe alone.
pub(crate) const RECIPE_KEYWORD: &str = "pinxit:recipe";

/// Keyword of the PNG text chunk that holds XMP (XMP specification part 3, 1.1.5).
pub(crate) const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

/// What begins a JPEG segment that holds XMP (XMP specification part 3, 1.1.3).
const JPEG_XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// The most XMP that fits into a JPEG segment: 65,535 less the length field and [`JPEG_XMP`].
const JPEG_XMP_MAX: usize = 65_535 - 2 - JPEG_XMP.len();

/// Recipes above this are no recipes; a stranger's file must not decide how much is copied around.
const RECIPE_MAX: usize = 4 << 20;

/// What is written into a picture's file beside the pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The recipe that paints this picture again, JSON.
    pub recipe: Option<String>,
    /// A title (`dc:title`).
    pub title: Option<String>,
    /// Program and version that made it (`xmp:CreatorTool`); empty means "pinxit".
    pub software: String,
    /// The label that was drawn into the picture, so that nobody draws a second over it.
    pub visible_label: Option<String>,
    /// What laws ask a provider to state, where that is wanted. It holds the time: the same picture is then no longer the same bytes.
    pub label: Option<LatentLabel>,
}

impl Metadata {
    /// The XMP packet: read-only, without padding, in a fixed order, so that equal metadata is equal bytes.
    pub(crate) fn xmp(&self) -> String {
        let tool = if self.software.is_empty() { "pinxit" } else { &self.software };
        let title = self.title.as_deref().map_or_else(String::new, |title| {
            format!("<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{}</rdf:li></rdf:Alt></dc:title>", escaped(title))
        });
        let recipe =
            self.recipe.as_deref().map_or_else(String::new, |recipe| format!("{RECIPE_OPEN}{}{RECIPE_CLOSE}", escaped(recipe)));
        let visible = self.visible_label.as_deref().map_or_else(String::new, visible_element);
        format!(
            concat!(
                "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>",
                "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">",
                "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"",
                " xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\"",
                " xmlns:pinxit=\"urn:pinxit:1.0:\">{title}<xmp:CreatorTool>{tool}</xmp:CreatorTool>",
                "<Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>{recipe}{visible}",
                "</rdf:Description>{label}</rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>",
            ),
            title = title,
            tool = escaped(tool),
            source = TRAINED_ALGORITHMIC_MEDIA,
            recipe = recipe,
            visible = visible,
            label = self.label.as_ref().map(LatentLabel::xmp).unwrap_or_default(),
        )
    }
}

const RECIPE_OPEN: &str = "<pinxit:recipe>";
const RECIPE_CLOSE: &str = "</pinxit:recipe>";

/// The recipe in a picture file (PNG, JPEG, WebP, AVIF), JSON as it was written; `None` when there is none.
///
/// # Errors
/// As [`require_format`](crate::require_format) for what is not a picture, AVIF being welcome here; [`Error::Damaged`] when the file holds a recipe
/// that is not readable text or is above 4 MiB.
pub fn read_recipe(bytes: &[u8]) -> Result<Option<String>> {
    let format = known(bytes)?;
    let damaged = |what: &str| Error::Damaged { format, what: what.to_string() };
    let recipe = match png_text(bytes, RECIPE_KEYWORD) {
        Some(text) if format == Format::Png => Some(text),
        _ => read_xmp(bytes, format).and_then(|xmp| element(&xmp, RECIPE_OPEN, RECIPE_CLOSE).map(unescaped)),
    };
    match recipe {
        Some(recipe) if recipe.len() > RECIPE_MAX => Err(damaged("its recipe is above 4 MiB")),
        Some(recipe) if recipe.contains('\u{fffd}') => Err(damaged("its recipe is not readable text")),
        recipe => Ok(recipe),
    }
}

/// The format of a file, AVIF included, or why it is none.
pub(crate) fn known(bytes: &[u8]) -> Result<Format> {
    match sniff(bytes) {
        Some(format) => Ok(format),
        None => crate::sniff::require_format(bytes),
    }
}

/// The XMP packet of a file as text; bytes that are not UTF-8 become U+FFFD.
pub(crate) fn read_xmp(bytes: &[u8], format: Format) -> Option<String> {
    match format {
        Format::Png => png_text(bytes, XMP_KEYWORD),
        Format::Jpeg => Segments::new(bytes)
            .find_map(|(marker, payload)| (marker == 0xe1).then(|| payload.strip_prefix(JPEG_XMP)).flatten())
            .map(text),
        Format::WebP => webp_chunk(bytes, b"XMP ").map(text),
        // Packets are made to be found by scanning (XMP specification part 1, 7.3), which reaches Exif items,
        // TIFF tags and boxes alike without a parser for each.
        Format::Avif | Format::Tiff | Format::JpegXl | Format::Gif => scanned(bytes).map(text),
        Format::Bmp => None,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn scanned(bytes: &[u8]) -> Option<&[u8]> {
    let find = |needle: &[u8], from: usize| {
        bytes.get(from..)?.windows(needle.len()).position(|window| window == needle).map(|at| from + at)
    };
    let start = find(b"<x:xmpmeta", 0)?;
    let end = find(b"</x:xmpmeta>", start)?;
    Some(&bytes[start..end])
}

/// The text of the first uncompressed `iTXt` chunk of this keyword. Chunks behind the pixels are found as well:
/// other programs put theirs there.
fn png_text(bytes: &[u8], keyword: &str) -> Option<String> {
    let mut at = 8;
    while let Some(header) = bytes.get(at..at + 8) {
        let len = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let data = bytes.get(at + 8..(at + 8).checked_add(len)?)?;
        if &header[4..] == b"iTXt"
            && let Some(rest) = data.strip_prefix(keyword.as_bytes()).and_then(|rest| rest.strip_prefix(b"\0\0\0"))
        {
            // Behind the flags: a language tag and a translated keyword, each ended by a zero byte.
            return rest.splitn(3, |&b| b == 0).nth(2).map(text);
        }
        at += 12 + len;
    }
    None
}

/// The payload of the first chunk of this name.
pub(crate) fn webp_chunk<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut at = 12usize;
    while let Some(header) = bytes.get(at..at + 8) {
        let len = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let data = bytes.get(at + 8..(at + 8).checked_add(len)?)?;
        if header.starts_with(name) {
            return Some(data);
        }
        at += 8 + len + len % 2;
    }
    None
}

/// The text between two tags.
pub(crate) fn element<'a>(xml: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let start = xml.find(open)? + open.len();
    let len = xml[start..].find(close)?;
    Some(&xml[start..start + len])
}

/// XML text; control characters that XML 1.0 forbids are left out, and a line break survives parsers by name.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// The reverse; `&amp;` last, so that an escaped escape stays one.
pub(crate) fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&#13;", "\r").replace("&amp;", "&")
}

/// Puts an XMP segment behind the JFIF segment, which must stay the first.
pub(crate) fn insert_jpeg_xmp(mut jpeg: Vec<u8>, xmp: &str) -> Result<Vec<u8>> {
    if xmp.len() > JPEG_XMP_MAX {
        return Err(Error::MetadataTooLarge { format: Format::Jpeg, bytes: xmp.len(), max_bytes: JPEG_XMP_MAX });
    }
    let at = match jpeg.get(2..6) {
        Some(&[0xff, 0xe0, high, low]) => 4 + usize::from(u16::from_be_bytes([high, low])),
        _ => 2,
    };
    let len = (2 + JPEG_XMP.len() + xmp.len()) as u16;
    let mut segment = vec![0xff, 0xe1];
    segment.extend_from_slice(&len.to_be_bytes());
    segment.extend_from_slice(JPEG_XMP);
    segment.extend_from_slice(xmp.as_bytes());
    jpeg.splice(at.min(jpeg.len())..at.min(jpeg.len()), segment);
    Ok(jpeg)
}

/// A minimal little-endian Exif block: one directory with one entry, TIFF tag 700 (`XMLPacket`), type BYTE.
pub(crate) fn exif_with_xmp(xmp: &str) -> Vec<u8> {
    const VALUE_AT: u32 = 8 + 2 + 12 + 4;
    let mut exif = b"II*\0\x08\0\0\0\x01\0".to_vec();
    exif.extend_from_slice(&700u16.to_le_bytes());
    exif.extend_from_slice(&1u16.to_le_bytes());
    exif.extend_from_slice(&(xmp.len() as u32).to_le_bytes());
    exif.extend_from_slice(&VALUE_AT.to_le_bytes());
    exif.extend_from_slice(&[0; 4]);
    exif.extend_from_slice(xmp.as_bytes());
    exif
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    #[test]
    fn escaping_is_undone() {
        for text in ["a & b < c > d", "&amp;lt;", "{\"x\": \"<\u{e9}\u{1f600}>\"}\r\n\t", "&lt;"] {
            assert_eq!(unescaped(&escaped(text)), text);
        }
        assert_eq!(escaped("a\u{0}b\u{b}"), "ab");
    }

    #[test]
    fn scanning_nonsense_finds_nothing() {
        for bytes in [&b"</x:xmpmeta><x:xmpmeta"[..], b"", b"<x:xmpmeta"] {
            assert_eq!(scanned(bytes), None);
        }
    }
}
