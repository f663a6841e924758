//! The boxes around a credential. What is inside them is signed, the boxes themselves are not: C2PA's engine overlooks a changed
//! length or label of the outermost ones, and changed flags of all that hold a manifest's parts. Here they must be exactly what they
//! are bound to be.
use std::io::Cursor;

/// A superbox of JUMBF (ISO 19566-5) and the description that each begins with.
const SUPERBOX: &[u8] = b"jumb";
const DESCRIPTION: &[u8] = b"jumd";
/// The outermost description, whole (C2PA 2.2, 11.1.4.2): length, name, type, "has a label and can be asked for", label.
const STORE: &[u8] = b"\0\0\0\x1ejumdc2pa\0\x11\0\x10\x80\0\0\xaa\08\x9bq\x03c2pa\0";

/// Where the flags of a description stand: behind its type.
const FLAGS_AT: usize = 16;
/// The flags that C2PA uses (ISO 19566-5, table A.2): "can be asked for" and "has a label"; with or without "has a private box", a salt.
const FLAGS: [u8; 2] = [0x03, 0x13];

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
            Some((SUPERBOX, inside, rest)) if are_parts(inside) => manifests = rest,
            _ => return Some("a manifest has other boxes than it must have"),
        }
    }
    None
}

/// Whether boxes lie end to end in a manifest, and in each of its parts: assertions, claim, signature.
fn are_parts(manifest: &[u8]) -> bool {
    is_filled(manifest, |part| is_filled(part, |_| true))
}

/// Whether boxes lie end to end in `content`, a description first, and what is in each superbox is `sound`.
fn is_filled(content: &[u8], sound: impl Fn(&[u8]) -> bool) -> bool {
    let (mut left, mut is_first) = (content, true);
    while !left.is_empty() {
        let Some((name, inside, rest)) = split(left) else { return false };
        let is_in_place = match name {
            DESCRIPTION => is_first && inside.get(FLAGS_AT).is_some_and(|flags| FLAGS.contains(flags)),
            SUPERBOX => !is_first && sound(inside),
            _ => !is_first,
        };
        if !is_in_place {
            return false;
        }
        (left, is_first) = (rest, false);
    }
    !is_first
}

/// The name and content of the first box, and what follows it.
fn split(boxes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let len = u32::from_be_bytes(boxes.get(..4)?.try_into().ok()?) as usize;
    let content = boxes.get(8..len)?;
    Some((&boxes[4..8], content, &boxes[len..]))
}
