//! Single bytes to change in a signed file, so that whoever verifies it must notice.
#![allow(dead_code)] // not every test uses all

/// How many of each file.
pub const FLIPS: usize = 100;

/// Zero bytes in a row that are taken for padding: the credential keeps room for a signature of unknown length.
const PADDING: usize = 8;

/// `(offset, mask)`, spread over the file by a fixed generator; none lies in padding.
pub fn flips(file: &[u8]) -> Vec<(usize, u8)> {
    let free = outside_padding(file);
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..FLIPS).map(|_| (free[(random() % free.len() as u64) as usize], 1 << (random() % 8))).collect()
}

/// Offsets of all bytes that are no padding, nor a checksum that decides nothing.
pub fn outside_padding(file: &[u8]) -> Vec<usize> {
    let (mut free, unsigned) = (Vec::new(), checksum(file));
    let mut at = 0;
    while at < file.len() {
        let zeros = file[at..].iter().take_while(|b| **b == 0).count();
        if zeros >= PADDING {
            at += zeros;
            continue;
        }
        free.extend(at..at + zeros.max(1));
        at += zeros.max(1);
    }
    free.retain(|offset| !unsigned.contains(offset));
    free
}

/// Where a PNG keeps the checksum of the chunk that holds the credential. It is behind what is signed, and decides nothing: neither
/// c2pa nor encypher-c2pa looks at it.
fn checksum(file: &[u8]) -> std::ops::Range<usize> {
    let chunk = file.windows(4).position(|name| name == b"caBX").filter(|_| file.starts_with(b"\x89PNG"));
    let Some(name) = chunk else { return 0..0 };
    let len = file[name - 4..name].iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
    name + 4 + len..name + 8 + len
}
