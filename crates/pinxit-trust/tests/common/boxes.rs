//! The boxes of a credential (JUMBF, ISO 19566-5) and the chunks of a PNG, taken apart and put together wrongly.
#![allow(dead_code, clippy::unwrap_used)] // not every test uses all; in a test a panic is the report

/// A box within a store, by its place there.
#[derive(Clone, Debug)]
pub struct Place {
    pub start: usize,
    pub end: usize,
    pub name: [u8; 4],
    /// Places of the boxes that hold it, outermost first, as indices of the list.
    pub within: Vec<usize>,
}

/// Every box of a store, each before those inside it.
pub fn places(store: &[u8]) -> Vec<Place> {
    let mut all = Vec::new();
    walk(store, 0, store.len(), &[], &mut all);
    all
}

fn walk(store: &[u8], mut at: usize, end: usize, within: &[usize], all: &mut Vec<Place>) {
    while at < end {
        let len = u32::from_be_bytes(store[at..at + 4].try_into().unwrap()) as usize;
        let name = store[at + 4..at + 8].try_into().unwrap();
        all.push(Place { start: at, end: at + len, name, within: within.to_vec() });
        if &name == b"jumb" {
            let inside = [within, &[all.len() - 1]].concat();
            walk(store, at + 8, at + len, &inside, all);
        }
        at += len;
    }
}

/// The store with bytes `from..to` replaced, and the lengths of all boxes around them set right.
pub fn replaced(store: &[u8], places: &[Place], around: &[usize], from: usize, to: usize, with: &[u8]) -> Vec<u8> {
    let mut out = [&store[..from], with, &store[to..]].concat();
    for &i in around {
        let outer = &places[i];
        let len = (outer.end - outer.start + with.len()) - (to - from);
        out[outer.start..outer.start + 4].copy_from_slice(&(len as u32).to_be_bytes());
    }
    out
}

/// A superbox with the description of a whole store and `inside`.
pub fn superbox(inside: &[u8]) -> Vec<u8> {
    described(b"c2pa", "c2pa", inside)
}

/// A superbox of a type of C2PA, with a label.
pub fn described(kind: &[u8; 4], label: &str, inside: &[u8]) -> Vec<u8> {
    let uuid = [&kind[..], b"\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71"].concat();
    let description = plain(b"jumd", &[&uuid, &b"\x03"[..], label.as_bytes(), b"\0"].concat());
    plain(b"jumb", &[&description, inside].concat())
}

/// A box.
pub fn plain(name: &[u8; 4], inside: &[u8]) -> Vec<u8> {
    [&((8 + inside.len()) as u32).to_be_bytes()[..], name, inside].concat()
}

pub fn many(part: &[u8], n: usize) -> Vec<u8> {
    superbox(&part.repeat(n))
}

/// A chunk of a PNG.
pub fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let crc = crc32(&[name, data].concat()).to_be_bytes();
    [&(data.len() as u32).to_be_bytes()[..], name, data, &crc[..]].concat()
}

/// A PNG with one more chunk behind its header.
pub fn with_chunk(png: &[u8], name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&png[..33], &chunk(name, data), &png[33..]].concat()
}

pub fn chunk_of(png: &[u8], name: &[u8; 4]) -> Vec<u8> {
    let (start, end) = chunk_place(png, name);
    png[start + 8..end - 4].to_vec()
}

/// Where a chunk begins and ends, length and checksum included.
pub fn chunk_place(png: &[u8], name: &[u8; 4]) -> (usize, usize) {
    let mut at = 8;
    loop {
        let len = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        if &png[at + 4..at + 8] == name {
            return (at, at + 12 + len);
        }
        at += 12 + len;
    }
}

/// The PNG with the content of a chunk replaced.
pub fn with_content(png: &[u8], name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let (start, end) = chunk_place(png, name);
    [&png[..start], &chunk(name, data), &png[end..]].concat()
}

/// CRC-32 of PNG (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg()));
    !bytes.iter().fold(!0, step)
}
