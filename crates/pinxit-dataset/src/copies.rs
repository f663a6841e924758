//! Which works are copies of earlier ones: the same bytes, the same pixels, or the same to look at.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::error::Result;
use crate::journal::{Entry, Work};
use crate::near::Index;

/// What becomes of an item that could be read. Numbers are those of the earlier item it copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    /// The first of its kind.
    No,
    /// Not a work at all.
    Unusable,
    /// The same file, byte for byte.
    File(usize),
    /// Another file with the same pixels.
    Pixels(usize),
    /// Looks the same.
    Near(usize),
}

/// Compares every entry with those before it; near-duplicates are compared with first works only, so no chain of small steps joins
/// pictures that differ. `tick` is told how many are done and may stop the work.
pub(crate) fn find(entries: &[Entry], tick: &mut dyn FnMut(usize) -> Result<ControlFlow<()>>) -> Result<Option<Vec<Copy>>> {
    let (mut files, mut contents) = (HashMap::new(), HashMap::new());
    let mut index = Index::new();
    let mut firsts: Vec<usize> = Vec::new();
    let mut copies = Vec::with_capacity(entries.len());
    for (i, entry) in entries.iter().enumerate() {
        if i % 1024 == 0 && tick(i)?.is_break() {
            return Ok(None);
        }
        let Entry::Accepted(work) = entry else {
            copies.push(Copy::Unusable);
            continue;
        };
        let copy = exact(work, i, &mut files, &mut contents)
            .or_else(|| index.find(&work.look).map(|n| Copy::Near(firsts[n as usize])))
            .unwrap_or(Copy::No);
        if copy == Copy::No {
            index.insert(work.look);
            firsts.push(i);
        }
        copies.push(copy);
    }
    Ok(Some(copies))
}

fn exact(
    work: &Work,
    i: usize,
    files: &mut HashMap<blake3::Hash, usize>,
    contents: &mut HashMap<blake3::Hash, usize>,
) -> Option<Copy> {
    let same_file = *files.entry(work.file).or_insert(i);
    let same_pixels = *contents.entry(work.content).or_insert(i);
    if same_file != i { Some(Copy::File(same_file)) } else { (same_pixels != i).then_some(Copy::Pixels(same_pixels)) }
}
