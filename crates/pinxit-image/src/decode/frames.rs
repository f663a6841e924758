//! Counting frames without decoding any.

use crate::format::Format;

/// More than these are not counted: a hostile file could otherwise keep the count busy for as long as it is big.
const MOST: u32 = 100_000;

/// How many frames or pages a file holds, read from its structure alone; 1 for still formats, and when in doubt.
pub(crate) fn count_frames(bytes: &[u8], format: Format) -> u32 {
    let frames = match format {
        Format::Png => png(bytes),
        Format::Gif => gif(bytes),
        Format::WebP => webp(bytes),
        Format::Tiff => tiff(bytes),
        _ => None,
    };
    frames.unwrap_or(1).clamp(1, MOST)
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

/// APNG says it in an `acTL` chunk before the first `IDAT`.
fn png(bytes: &[u8]) -> Option<u32> {
    let mut at = 8;
    loop {
        let len = be32(bytes, at)? as usize;
        match bytes.get(at + 4..at + 8)? {
            b"acTL" => return be32(bytes, at + 8),
            b"IDAT" => return None,
            _ => at = at.checked_add(len)?.checked_add(12)?,
        }
    }
}

/// Walks the blocks of a GIF: each image descriptor (`,`) is a frame.
fn gif(bytes: &[u8]) -> Option<u32> {
    let table = |flags: u8| if flags & 0x80 != 0 { 3 << ((flags & 7) + 1) } else { 0 };
    let mut at = 13 + table(*bytes.get(10)?);
    let mut frames = 0;
    while frames < MOST {
        match bytes.get(at) {
            Some(b'!') => at += 2,
            Some(b',') => {
                let Some(&flags) = bytes.get(at + 9) else { break };
                frames += 1;
                at += 10 + table(flags) + 1;
            }
            _ => break,
        }
        // Sub-blocks: a length byte and as many bytes, until a length of 0.
        while let Some(&len @ 1..) = bytes.get(at) {
            at += 1 + usize::from(len);
        }
        at += 1;
    }
    Some(frames)
}

/// Each frame of an animated WebP is an `ANMF` chunk.
fn webp(bytes: &[u8]) -> Option<u32> {
    let (mut at, mut frames) = (12usize, 0);
    while let Some(name) = bytes.get(at..at + 4) {
        frames += u32::from(name == b"ANMF");
        let len = le32(bytes, at + 4)? as usize;
        at = at.checked_add(8 + len + len % 2)?;
    }
    Some(frames)
}

/// The pages of a classic TIFF are a chain of directories; Big TIFF is left uncounted.
fn tiff(bytes: &[u8]) -> Option<u32> {
    let little = bytes.starts_with(b"II");
    if bytes.get(2..4)? != if little { b"*\0" } else { b"\0*" } {
        return None;
    }
    let word = |at: usize| if little { le32(bytes, at) } else { be32(bytes, at) };
    let mut at = word(4)? as usize;
    let mut pages = 0;
    // The chain may be tied into a ring, so it is not followed for ever.
    while at != 0 && pages < 4096 {
        let entries: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        let entries = if little { u16::from_le_bytes(entries) } else { u16::from_be_bytes(entries) };
        pages += 1;
        at = word(at + 2 + usize::from(entries) * 12)? as usize;
    }
    Some(pages)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    #[test]
    fn rings_and_nonsense_end() {
        // A directory without entries, whose next directory is itself.
        let ring = b"II*\0\x08\0\0\0\0\0\x08\0\0\0";
        assert_eq!(count_frames(ring, Format::Tiff), 4096);
        for format in Format::ALL {
            for len in 0..64 {
                assert!(count_frames(&vec![0xff; len], format) >= 1);
                assert!(count_frames(&vec![0; len], format) >= 1);
            }
        }
    }
}
