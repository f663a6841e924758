//! Weights that never change, kept in the orders that kernels want them: packed once, not at every call. They are a painter's,
//! who paints one picture at a time, and those of the frozen feature network.
use super::pass::Pass;
use super::scratch::{Block, Plain, Slot, with};
use std::any::TypeId;
use std::sync::{Arc, Mutex, PoisonError};

/// One tensor's weights in every order asked for so far.
#[derive(Default)]
pub struct Kept(Mutex<Vec<(Order, Arc<Block>)>>);

/// What tells one packing of the same weights from another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Order {
    set: TypeId,
    transformed: bool,
    /// First tap and number of taps, downwards and across.
    taps: [(usize, usize); 2],
    /// Channels read and written.
    channels: [usize; 2],
    strides: [usize; 3],
}

impl Order {
    /// Of a pass on instruction set `S`; `transformed` for Winograd's planes.
    pub fn of<S: 'static>(p: &Pass, transformed: bool) -> Order {
        let taps = [&p.y, &p.x].map(|a| (a.taps.first().copied().unwrap_or(0), a.taps.len()));
        Order { set: TypeId::of::<S>(), transformed, taps, channels: [p.ci, p.co], strides: p.weight }
    }
}

/// Calls `f` with `len` elements that `pack` has written: now, into working memory, or once and for all where they are kept.
pub fn packed<K: Plain, R>(
    kept: Option<&Kept>,
    order: Order,
    slot: Slot,
    len: usize,
    pack: impl FnOnce(&mut [K]),
    f: impl FnOnce(&[K]) -> R,
) -> R {
    let Some(kept) = kept else {
        return with(slot, len, |block: &mut [K]| {
            pack(block);
            f(block)
        });
    };
    let block = {
        // A list half written cannot be: packing ends before it is touched.
        let mut all = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.iter().find(|(o, _)| *o == order) {
            Some((_, block)) => block.clone(),
            None => {
                let mut block = Block::new::<K>(len);
                pack(&mut block.numbers_mut()[..len]);
                let block = Arc::new(block);
                all.push((order, block.clone()));
                block
            }
        }
    };
    f(&block.numbers()[..len])
}
