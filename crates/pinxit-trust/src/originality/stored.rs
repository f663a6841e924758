//! The works of a dataset with their limit, as a file: what takes minutes to describe is read in a moment.
//!
//! ```text
//! "pinxit works 1\n"   16 bytes, zero at the end
//! key                  32 bytes: what the index was made of; another key is another index
//! n, d                 u64 each: works, features of each
//! limit                f64
//! features             n * d  f32
//! thumbs               n * 10 * 192  u8
//! groups               n  u32
//! BLAKE3               32 bytes, of everything before
//! ```
//! Numbers are little-endian. Nothing is believed before length, key and hash were checked; an index that does not hold is made anew.
use pinxit_tensor::Tensor;

use super::works::{LOOKS, PictureOf, THUMB_LEN, Works};

const MAGIC: &[u8; 16] = b"pinxit works 1\n\0";
/// Magic, key, two numbers, limit.
const HEAD: usize = 16 + 32 + 8 + 8 + 8;
const HASH: usize = 32;
/// Most features of a work that are believed.
const MOST_FEATURES: usize = 1 << 16;

/// Works, and how close to them is too close.
pub struct Index {
    /// The works.
    pub works: Works,
    /// Unlikeness below which a picture counts as a near copy, 0.02 to 0.5.
    pub limit: f64,
}

impl Index {
    /// The file. `key` says what the index was made of.
    #[must_use]
    pub fn to_bytes(&self, key: &[u8; 32]) -> Vec<u8> {
        let (features, n) = (self.works.features(), self.works.len());
        let d = features.shape()[1];
        let mut out = Vec::with_capacity(length(n, d).unwrap_or(HEAD));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(key);
        [n, d].into_iter().for_each(|number| out.extend_from_slice(&(number as u64).to_le_bytes()));
        out.extend_from_slice(&self.limit.to_le_bytes());
        features.data().iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
        // They were bytes before they were divided by 255.
        out.extend(self.works.thumbs().data().iter().map(|v| (v * 255.0).round() as u8));
        self.works.groups().iter().for_each(|group| out.extend_from_slice(&group.to_le_bytes()));
        let hash = blake3::hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    /// Reads the index of `n` works made of `key`; none where the bytes are anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], key: &[u8; 32], n: usize, picture_of: PictureOf) -> Option<Self> {
        let (head, _) = bytes.split_at_checked(HEAD)?;
        let number = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
        let d = usize::try_from(number(56)?).ok().filter(|d| (1..=MOST_FEATURES).contains(d))?;
        let is_mine = head.starts_with(MAGIC) && head[16..48] == *key && number(48)? == n as u64;
        if !is_mine || bytes.len() != length(n, d)? {
            return None;
        }
        let (body, hash) = bytes.split_at(bytes.len() - HASH);
        let limit = f64::from_bits(number(64)?);
        if blake3::hash(body).as_bytes() != hash || !(0.0..=2.0).contains(&limit) {
            return None;
        }
        let (features, rest) = body[HEAD..].split_at(n * d * 4);
        let (thumbs, groups) = rest.split_at(n * LOOKS * THUMB_LEN);
        let word = |four: &[u8]| [four[0], four[1], four[2], four[3]];
        let features = features.chunks_exact(4).map(|four| f32::from_le_bytes(word(four))).collect();
        let thumbs = thumbs.iter().map(|&v| f32::from(v) / 255.0).collect();
        let groups = groups.chunks_exact(4).map(|four| u32::from_le_bytes(word(four))).collect();
        let (features, thumbs) = (Tensor::new(&[n, d], features), Tensor::new(&[n * LOOKS, THUMB_LEN], thumbs));
        Some(Index { works: Works::of_parts(features, thumbs, groups, picture_of), limit })
    }
}

/// Bytes of the file of `n` works with `d` features each.
fn length(n: usize, d: usize) -> Option<usize> {
    let each = d.checked_mul(4)?.checked_add(LOOKS * THUMB_LEN + 4)?;
    n.checked_mul(each)?.checked_add(HEAD + HASH)
}

#[cfg(test)]
mod tests {
    use super::super::works::tests::{features, giver, index, picture};
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn what_was_written_finds_the_same_works() {
        let works: Vec<_> = (0..30).map(picture).collect();
        let made = Index { works: index(&works), limit: 0.25 };
        let bytes = made.to_bytes(&KEY);
        assert_eq!(bytes.len(), length(30, 12).unwrap());
        let read = Index::from_bytes(&bytes, &KEY, 30, giver(&works)).unwrap();
        assert_eq!((read.limit, read.works.features()), (0.25, made.works.features()));
        assert_eq!(read.works.thumbs(), made.works.thumbs(), "to the bit");
        let seen: Vec<_> = (20..40).map(picture).collect();
        let search = |index: &Index| index.works.closest(&seen, &features(&seen), None).unwrap();
        assert_eq!(search(&read), search(&made));
    }

    #[test]
    fn anything_else_is_no_index() {
        let works: Vec<_> = (0..4).map(picture).collect();
        let whole = Index { works: index(&works), limit: 0.25 }.to_bytes(&KEY);
        let read = |bytes: &[u8], key: &[u8; 32], n: usize| Index::from_bytes(bytes, key, n, giver(&works)).is_some();
        assert!(read(&whole, &KEY, 4));
        assert!(!read(&whole, &[8; 32], 4) && !read(&whole, &KEY, 5) && !read(&[], &KEY, 4) && !read(&whole, &KEY, usize::MAX));
        for len in [HEAD - 1, HEAD, whole.len() - 1] {
            assert!(!read(&whole[..len], &KEY, 4), "{len}");
        }
        for at in (0..whole.len()).step_by(97).chain([48, 56, 63, 71]) {
            let mut changed = whole.clone();
            changed[at] ^= 0x80;
            assert!(!read(&changed, &KEY, 4), "byte {at}");
        }
    }
}
