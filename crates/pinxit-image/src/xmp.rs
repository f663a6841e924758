//! Every XMP packet of a file, wherever its format keeps them: what an artist reserved must not be overlooked because another
//! program wrote it compressed, in parts, or twice.

use crate::decode::Segments;
use crate::format::Format;
use crate::metadata::XMP_KEYWORD;
use crate::sniff::sniff;
use std::collections::BTreeMap;
use std::io::Read;

/// Packets above this are not taken out: a stranger's file must not decide how much is unpacked.
const MAX_PACKET: usize = 16 << 20;
/// What begins a JPEG segment with a whole packet (XMP specification part 3, 1.1.3).
const JPEG_XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// What begins a JPEG segment with a part of a long packet (1.1.3.1): then 32 letters of its name, its length, and the part's place.
const JPEG_EXTENDED: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
/// Keyword under which ImageMagick writes XMP into PNG, as hexadecimal digits.
const RAW_PROFILE: &str = "Raw profile type xmp";
/// Tags that enclose a packet, most telling first (XMP specification part 1, 7.3).
const BRACKETS: [(&[u8], &[u8]); 3] =
    [(b"<?xpacket begin", b"<?xpacket end"), (b"<x:xmpmeta", b"</x:xmpmeta>"), (b"<rdf:RDF", b"</rdf:RDF>")];

/// The XMP packets of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XmpPackets {
    /// As text; bytes that are no letters are U+FFFD.
    pub packets: Vec<String>,
    /// Why a packet that is there could not be taken out, in words.
    pub unreadable: Vec<&'static str>,
}

/// All XMP packets of a picture file, in its order; none for bytes that are no picture.
///
/// Read are PNG (`iTXt`, also compressed, and ImageMagick's raw profiles), JPEG (also extended XMP), WebP, TIFF, GIF, AVIF and JPEG XL
/// (also in a Brotli box). Packets above 16 MiB are named among the unreadable.
#[must_use]
pub fn xmp_packets(bytes: &[u8]) -> XmpPackets {
    let mut found = XmpPackets::default();
    match sniff(bytes) {
        Some(Format::Png) => png(bytes, &mut found),
        Some(Format::Jpeg) => jpeg(bytes, &mut found),
        Some(Format::WebP) => webp(bytes, &mut found),
        Some(Format::JpegXl) => jpeg_xl(bytes, &mut found),
        Some(Format::Tiff | Format::Gif | Format::Avif) => scan(bytes, &mut found),
        Some(Format::Bmp) | None => {}
    }
    found
}

impl XmpPackets {
    fn add(&mut self, packet: &[u8]) {
        if packet.len() > MAX_PACKET {
            self.unreadable.push("its XMP has more than 16 MiB");
        } else if !packet.is_empty() {
            self.packets.push(text(packet));
        }
    }

    fn add_unpacked(&mut self, packed: impl Read) {
        let mut packet = Vec::new();
        match packed.take(MAX_PACKET as u64 + 1).read_to_end(&mut packet) {
            Ok(_) => self.add(&packet),
            Err(_) => self.unreadable.push("its XMP is compressed and cannot be unpacked"),
        }
    }
}

/// XMP is UTF-8 nearly always, and may be UTF-16 outside JPEG and PNG (part 1, 7.2).
fn text(bytes: &[u8]) -> String {
    let wide = |swap: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| swap([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect::<String>()
    };
    match bytes {
        [0xff, 0xfe, ..] | [b'<', 0, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, b'<', ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn png(bytes: &[u8], found: &mut XmpPackets) {
    let mut at = 8;
    while let Some(&[l0, l1, l2, l3, a, b, c, d]) = bytes.get(at..at + 8) {
        let len = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        // A last chunk cut short is read as far as it goes: its packet is then malformed, not absent.
        let end = (at + 8).saturating_add(len).min(bytes.len());
        png_chunk(&[a, b, c, d], &bytes[at + 8..end], found);
        at = end.saturating_add(4);
    }
}

fn png_chunk(kind: &[u8; 4], data: &[u8], found: &mut XmpPackets) {
    if ![b"iTXt", b"zTXt", b"tEXt"].contains(&kind) {
        return;
    }
    let Some(end) = data.iter().position(|&b| b == 0) else { return };
    let (keyword, rest) = (&data[..end], &data[end + 1..]);
    let is_raw = keyword.eq_ignore_ascii_case(RAW_PROFILE.as_bytes());
    if !is_raw && keyword != XMP_KEYWORD.as_bytes() {
        return;
    }
    let mut own = XmpPackets::default();
    match (kind, rest) {
        (b"tEXt", text) => own.add(text),
        (b"zTXt", [_, packed @ ..]) => own.add_unpacked(flate2::read::ZlibDecoder::new(packed)),
        // Behind the flags: a language tag and a translated keyword, each ended by a zero byte.
        (b"iTXt", [packed, _, rest @ ..]) => match rest.splitn(3, |&b| b == 0).nth(2) {
            Some(text) if *packed == 1 => own.add_unpacked(flate2::read::ZlibDecoder::new(text)),
            Some(text) => own.add(text),
            None => {}
        },
        _ => {}
    }
    if is_raw {
        own.packets.iter_mut().for_each(|text| *text = raw_profile(text));
    }
    found.packets.append(&mut own.packets);
    found.unreadable.append(&mut own.unreadable);
}

/// A name, a length, then hexadecimal digits in lines.
fn raw_profile(profile: &str) -> String {
    let digits = profile.trim_start().lines().skip(2).flat_map(|line| line.chars().filter_map(|c| c.to_digit(16)));
    let digits: Vec<u8> = digits.map(|d| d as u8).collect();
    text(&digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect::<Vec<_>>())
}

fn jpeg(bytes: &[u8], found: &mut XmpPackets) {
    let mut parts: BTreeMap<&[u8], BTreeMap<u32, &[u8]>> = BTreeMap::new();
    for (_, payload) in Segments::new(bytes).filter(|(marker, _)| *marker == 0xe1) {
        if let Some(packet) = payload.strip_prefix(JPEG_XMP) {
            found.add(packet);
        } else if let Some(rest) = payload.strip_prefix(JPEG_EXTENDED)
            && let (Some(name), Some(&[o0, o1, o2, o3]), Some(part)) = (rest.get(..32), rest.get(36..40), rest.get(40..))
        {
            parts.entry(name).or_default().insert(u32::from_be_bytes([o0, o1, o2, o3]), part);
        }
    }
    for parts in parts.into_values() {
        found.add(&parts.into_values().flatten().copied().collect::<Vec<_>>());
    }
}

fn webp(bytes: &[u8], found: &mut XmpPackets) {
    let mut at = 12usize;
    while let Some(&[a, b, c, d, l0, l1, l2, l3]) = bytes.get(at..at + 8) {
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let end = (at + 8).saturating_add(len).min(bytes.len());
        if [a, b, c, d] == *b"XMP " {
            found.add(&bytes[at + 8..end]);
        }
        at = end.saturating_add(len % 2);
    }
}

/// Boxes of a JPEG XL container (ISO/IEC 18181-2); a bare codestream holds no metadata.
fn jpeg_xl(bytes: &[u8], found: &mut XmpPackets) {
    let mut at = 0usize;
    while let Some(&[l0, l1, l2, l3, a, b, c, d]) = bytes.get(at..at + 8) {
        let short = u32::from_be_bytes([l0, l1, l2, l3]);
        let long = || bytes.get(at + 8..at + 16).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
        let (head, len) = match short {
            0 => (8, bytes.len() - at),
            1 => (16, long().and_then(|len| usize::try_from(len).ok()).unwrap_or(0)),
            len => (8, len as usize),
        };
        if len < head {
            return;
        }
        let end = at.saturating_add(len).min(bytes.len());
        match (&[a, b, c, d], bytes.get(at + head..end)) {
            (b"xml ", Some(packet)) => found.add(packet),
            (b"brob", Some([b'x', b'm', b'l', b' ', packed @ ..])) => {
                found.add_unpacked(brotli_decompressor::Decompressor::new(packed, 4096));
            }
            _ => {}
        }
        at = end;
    }
}

/// Packets are made to be found by scanning, which reaches TIFF tags, GIF blocks and Exif items alike without a parser for each.
fn scan(bytes: &[u8], found: &mut XmpPackets) {
    let mut at = 0;
    while let Some(step) = bytes[at..].iter().position(|&b| b == b'<') {
        at += step;
        let Some((_, close)) = BRACKETS.iter().find(|(open, _)| bytes[at..].starts_with(open)) else {
            at += 1;
            continue;
        };
        // A trailer is no part of the document it ends.
        let tail = if close.starts_with(b"<?") { 0 } else { close.len() };
        let end = find(&bytes[at..], close).map_or(bytes.len(), |len| at + len + tail);
        found.add(&bytes[at..end]);
        at = end;
    }
    if found.packets.is_empty() {
        wide_in_tiff(bytes, found);
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle[0];
    let mut at = 0;
    loop {
        at += bytes[at..].iter().position(|&b| b == first)?;
        if bytes[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

/// The packet that scanning for narrow letters misses: tag 700 of a TIFF, in UTF-16.
fn wide_in_tiff(bytes: &[u8], found: &mut XmpPackets) {
    use image::ImageDecoder;
    let decoder = image::codecs::tiff::TiffDecoder::new(std::io::Cursor::new(bytes));
    if let Ok(Some(packet)) = decoder.and_then(|mut decoder| decoder.xmp_metadata()) {
        found.add(&packet);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;
    use std::io::Write;

    const PACKET: &str = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"/>";

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes(), &kind[..], data, &[0; 4]].concat()
    }

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn png_with(chunks: &[Vec<u8>]) -> XmpPackets {
        xmp_packets(&[&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &[0; 13]), &chunks.concat()].concat())
    }

    #[test]
    fn png_packets_are_found_plain_packed_and_as_digits() {
        let plain = chunk(b"iTXt", &[XMP_KEYWORD.as_bytes(), b"\0\0\0\0\0", PACKET.as_bytes()].concat());
        let small = chunk(b"iTXt", &[XMP_KEYWORD.as_bytes(), b"\0\x01\0\0\0", &packed(PACKET)].concat());
        let digits: String = PACKET.bytes().map(|b| format!("{b:02x}")).collect();
        let profile = format!("\nxmp\n{:8}\n{digits}\n", PACKET.len());
        let raw = chunk(b"zTXt", &[RAW_PROFILE.as_bytes(), b"\0\0", &packed(&profile)].concat());
        assert_eq!(png_with(&[plain, small, raw]).packets, [PACKET; 3]);
    }

    #[test]
    fn what_unpacks_without_end_or_not_at_all_is_named() {
        let bomb = chunk(b"iTXt", &[XMP_KEYWORD.as_bytes(), b"\0\x01\0\0\0", &packed(&" ".repeat(MAX_PACKET + 9))].concat());
        let broken = chunk(b"iTXt", &[XMP_KEYWORD.as_bytes(), b"\0\x01\0\0\0nonsense"].concat());
        let found = png_with(&[bomb, broken]);
        assert_eq!((found.packets.len(), found.unreadable.len()), (0, 2), "{:?}", found.unreadable);
    }

    #[test]
    fn a_long_packet_in_parts_is_put_together() {
        let part = |offset: u32, text: &[u8]| {
            let payload = [JPEG_EXTENDED, &[b'A'; 32], &[0; 4], &offset.to_be_bytes(), text].concat();
            [&[0xff, 0xe1][..], &(payload.len() as u16 + 2).to_be_bytes(), &payload].concat()
        };
        let (a, b) = PACKET.as_bytes().split_at(10);
        let file = [&[0xff, 0xd8][..], &part(10, b), &part(0, a), &[0xff, 0xd9]].concat();
        assert_eq!(xmp_packets(&file).packets, [PACKET]);
    }

    #[test]
    fn boxes_of_jpeg_xl_are_walked_and_never_left_for_ever() {
        let head = b"\0\0\0\x0cJXL \r\n\x87\n";
        let file = [&head[..], &(8 + PACKET.len() as u32).to_be_bytes(), b"xml ", PACKET.as_bytes()].concat();
        assert_eq!(xmp_packets(&file).packets, [PACKET]);
        for bad in [&b"\0\0\0\0"[..], b"\0\0\0\x01brob", b"\0\0\0\x02xml ", b"\xff\xff\xff\xffxml zz"] {
            let _ = xmp_packets(&[&head[..], bad].concat());
        }
    }

    #[test]
    fn wide_letters_are_read() {
        let wide: Vec<u8> = PACKET.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&wide), PACKET);
        let wide: Vec<u8> = "\u{feff}<é".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(text(&wide), "\u{feff}<é");
    }
}
