//! What a file is, by its first bytes; names and extensions are never believed.

use crate::error::{Error, Result};
use crate::format::Format;

/// The format of a file by its first bytes, `None` when it is none of [`Format::ALL`].
#[must_use]
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    if begins(b"\x89PNG\r\n\x1a\n") {
        Some(Format::Png)
    } else if begins(b"\xff\xd8\xff") {
        Some(Format::Jpeg)
    } else if begins(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(Format::WebP)
    } else if begins(b"GIF87a") || begins(b"GIF89a") {
        Some(Format::Gif)
    } else if is_tiff(bytes) {
        Some(Format::Tiff)
    } else if is_bmp(bytes) {
        Some(Format::Bmp)
    } else if begins(b"\xff\x0a") || begins(b"\0\0\0\x0cJXL \r\n\x87\n") {
        Some(Format::JpegXl)
    } else if matches!(brand(bytes), Some(b"avif" | b"avis")) {
        Some(Format::Avif)
    } else {
        None
    }
}

/// The format of a file that [`decode`](crate::decode) can read.
///
/// # Errors
/// [`Error::Empty`]; [`Error::Refused`] with a reason for formats that are known and not read (SVG, PDF, HEIC,
/// AVIF, raw photographs, videos, web pages, archives…); [`Error::Unknown`] for all else.
pub fn require_format(bytes: &[u8]) -> Result<Format> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    match sniff(bytes) {
        Some(Format::Avif) => Err(refused(
            "AVIF",
            "its video codec (AV1) has no decoder without a C library",
            "save it as PNG or JPEG, for example by: magick in.avif out.png",
        )),
        Some(format) => Ok(format),
        None => Err(known_stranger(bytes).unwrap_or_else(|| Error::Unknown { start: readable_start(bytes) })),
    }
}

fn refused(kind: &'static str, reason: &'static str, hint: &'static str) -> Error {
    Error::Refused { kind, reason, hint }
}

/// Classic and Big TIFF, little- and big-endian, but not Canon's raw photographs, which begin the same way.
fn is_tiff(bytes: &[u8]) -> bool {
    let tiff = matches!(bytes.get(..4), Some(b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+"));
    tiff && bytes.get(8..10) != Some(b"CR")
}

/// `BM` alone begins too many texts: the length of the second header must be one that exists.
fn is_bmp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM")
        && bytes.get(14..18).is_some_and(|n| matches!(u32::from_le_bytes([n[0], n[1], n[2], n[3]]), 12 | 16 | 40..=124))
}

/// The major brand of an ISO media file.
fn brand(bytes: &[u8]) -> Option<&[u8; 4]> {
    (bytes.get(4..8)? == b"ftyp").then(|| bytes.get(8..12)?.try_into().ok())?
}

/// Formats that people do put into picture folders, with what to do about each.
fn known_stranger(bytes: &[u8]) -> Option<Error> {
    const CONVERT: &str = "export it as PNG or JPEG from the program it comes from";
    const PHOTO: &str = "develop it in your photo program and export JPEG or 16-bit TIFF";
    if let Some(brand) = brand(bytes) {
        return Some(match brand {
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => refused(
                "HEIC",
                "its video codec (HEVC) is patented and has no free decoder here",
                "export JPEG from the photo app, or set the camera to \"most compatible\"",
            ),
            b"crx " => refused("a raw photograph (CR3)", "it has no colours before it is developed", PHOTO),
            _ => refused("a video", "it is not a still picture", "save single frames as PNG or JPEG"),
        });
    }
    if matches!(bytes.get(..4), Some(b"II*\0")) {
        return Some(refused("a raw photograph (CR2)", "it has no colours before it is developed", PHOTO));
    }
    let begins: [(&[u8], &str, &str, &str); 14] = [
        (b"%PDF", "PDF", "it is a document of pages, not a picture", "export its pages or pictures as PNG"),
        (b"8BPS", "PSD", "it holds layers that only its program can join", CONVERT),
        (b"gimp xcf", "XCF", "it holds layers that only its program can join", CONVERT),
        (b"%!PS", "PostScript", "it is a program that draws, without a size in pixels", "export it as PNG at the size you want"),
        (b"\0\0\x01\0", "an icon (ICO)", "it holds several small pictures", "export the largest as PNG"),
        (b"\0\0\0\x0cjP  ", "JPEG 2000", "no maintained free decoder is included", CONVERT),
        (b"\xff\x4f\xff\x51", "JPEG 2000", "no maintained free decoder is included", CONVERT),
        (b"v/1\x01", "OpenEXR", "its light has no fixed white to show it by", "tone-map it and export PNG"),
        (b"#?RADIANCE", "Radiance HDR", "its light has no fixed white to show it by", "tone-map it and export PNG"),
        (b"qoif", "QOI", "it is rare and not included", CONVERT),
        (b"PK\x03\x04", "a ZIP archive", "it is a container, not a picture", "import the archive itself, or unpack it first"),
        (b"\x1f\x8b", "a gzip file", "it is compressed data, not a picture", "unpack it first"),
        (b"\x1aE\xdf\xa3", "a video", "it is not a still picture", "save single frames as PNG or JPEG"),
        (b"version https://git-lfs", "a Git LFS pointer", "the picture itself was not downloaded", "run: git lfs pull"),
    ];
    for (magic, kind, reason, hint) in begins {
        if bytes.starts_with(magic) {
            return Some(refused(kind, reason, hint));
        }
    }
    markup(bytes)
}

/// SVG and web pages: text, so the telling tag may stand behind spaces, a byte-order mark or a comment.
fn markup(bytes: &[u8]) -> Option<Error> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]).to_ascii_lowercase();
    let head = head.trim_start_matches('\u{feff}').trim_start();
    if !head.starts_with('<') {
        return None;
    }
    if head.contains("<svg") {
        return Some(refused(
            "SVG",
            "it is a drawing program without a size in pixels, and may reach for other files",
            "export it as PNG at the size you want",
        ));
    }
    let page = head.contains("<html") || head.contains("<!doctype html");
    page.then(|| {
        refused("a web page", "the server sent a page instead of the picture", "open the link in a browser and save the picture")
    })
}

/// The first eight bytes, as text where they are, for a message.
fn readable_start(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(8)];
    if start.iter().all(|b| (0x20..0x7f).contains(b)) {
        return format!("\"{}\"", String::from_utf8_lossy(start));
    }
    let hex: Vec<String> = start.iter().map(|b| format!("{b:02x}")).collect();
    format!("the bytes {}", hex.join(" "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> (String, String) {
        let error = require_format(bytes).unwrap_err();
        (error.to_string(), error.hint().unwrap_or_default().to_string())
    }

    #[test]
    fn strangers_are_refused_with_reason_and_hint() {
        let cases: [(&[u8], &str, &str); 10] = [
            (b"<?xml version=\"1.0\"?><!-- x --><svg xmlns=\"\">", "SVG", "export it as PNG"),
            (b"\xef\xbb\xbf  <svg>", "SVG", "export it as PNG"),
            (b"\0\0\0\x1cftypheic\0\0\0\0", "HEIC", "JPEG"),
            (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF", "PNG"),
            (b"\0\0\0\x1cftypisom\0\0\0\0", "video", "frames"),
            (b"%PDF-1.7", "PDF", "PNG"),
            (b"II*\0\x10\0\0\0CR\x02\0", "CR2", "develop"),
            (b"<!DOCTYPE html><html>", "web page", "browser"),
            (b"PK\x03\x04....", "ZIP", "archive"),
            (b"hello, world", "\"hello, w\"", "convert"),
        ];
        for (bytes, word, advice) in cases {
            let (message, hint) = refusal(bytes);
            assert!(message.contains(word), "{message}");
            assert!(hint.contains(advice), "{message}: {hint}");
        }
    }

    #[test]
    fn nothing_is_called_nothing() {
        assert!(matches!(require_format(b""), Err(Error::Empty)));
        assert_eq!(sniff(b""), None);
        assert_eq!(sniff(b"BM is the start of this sentence"), None);
    }
}
