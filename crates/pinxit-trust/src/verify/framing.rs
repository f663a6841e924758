//! The boxes around a credential. What is inside them is signed, the boxes themselves are not: C2PA's engine overlooks a changed
//! length or label of the outermost ones. Here they must be exactly what they are bound to be.
use std::io::Cursor;

/// A superbox of JUMBF (ISO 19566-5) and the description that each begins with.
const SUPERBOX: &[u8] = b"jumb";
const DESCRIPTION: &[u8] = b"jumd";
/// The outermost description, whole (C2PA 2.2, 11.1.4.2): length, name, type, "has a label and can be asked for", label.
const STORE: &[u8] = b"\0\0\0\x1ejumdc2pa\0\x11\0\x10\x80\0\0\xaa\08\x9bq\x03c2pa\0";

/// What is wrong with the boxes around the credential of a file, in words; `None` where they are sound.
pub(super) fn fault(bytes: &[u8], media_type: &str) -> Option<&'static str> {
    let mut file = Cursor::new(bytes);
    let Ok(store) = c2pa::jumbf_io::load_jumbf_from_stream(media_type, &mut file) else { return Some("it cannot be taken out") };
    let Some((name, inside, rest)) = split(&store) else { return Some("its outermost box has another length than its content") };
    if name != SUPERBOX || !rest.is_empty() {
        return Some("its outermost box has another length than its content");
    }
    let Some(mut manifests) = inside.strip_prefix(STORE) else { return Some("its outermost box is not named as it must be") };
    while !manifests.is_empty() {
        match split(manifests) {
            Some((SUPERBOX, inside, rest)) if is_filled(inside) => manifests = rest,
            _ => return Some("a manifest has another length than its content"),
        }
    }
    None
}

/// Whether boxes lie end to end in `content`, a description first.
fn is_filled(content: &[u8]) -> bool {
    let (mut left, mut is_first) = (content, true);
    while !left.is_empty() {
        match split(left) {
            Some((name, _, rest)) if (name == DESCRIPTION) == is_first => (left, is_first) = (rest, false),
            _ => return false,
        }
    }
    !is_first
}

/// The name and content of the first box, and what follows it.
fn split(boxes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let len = u32::from_be_bytes(boxes.get(..4)?.try_into().ok()?) as usize;
    let content = boxes.get(8..len)?;
    Some((&boxes[4..8], content, &boxes[len..]))
}
