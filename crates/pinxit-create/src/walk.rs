//! Ways through latent space: where a walk is at each frame.

/// How a walk passes its key frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Easing {
    /// At one speed, turning sharply.
    Linear,
    /// Slow near each key frame (3t² − 2t³).
    #[default]
    Smooth,
}

impl Easing {
    /// Of a share of the way, 0…1.
    pub fn of(self, t: f64) -> f64 {
        match self {
            Easing::Linear => t,
            Easing::Smooth => t * t * (3.0 - 2.0 * t),
        }
    }
}

/// A walk over `keys` key frames in `frames` pictures.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// Key frames, at least 1.
    pub keys: usize,
    /// Pictures, at least 1.
    pub frames: usize,
    /// Back to the first key frame at the end: the picture after the last is the first.
    pub closed: bool,
    /// How it goes from one to the next.
    pub easing: Easing,
}

/// Where a frame lies: `by` of the way from key frame `from` to key frame `to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Key frame before.
    pub from: usize,
    /// Key frame after.
    pub to: usize,
    /// 0…1.
    pub by: f64,
}

impl Walk {
    /// Of a frame, counted from 0.
    pub fn place(&self, frame: usize) -> Place {
        let legs = if self.closed && self.keys > 1 { self.keys } else { self.keys - 1 };
        if legs == 0 {
            return Place { from: 0, to: 0, by: 0.0 };
        }
        // A closed walk leaves out its last picture, which would be its first; an open one ends on its last key frame.
        let steps = if self.closed { self.frames } else { self.frames.max(2) - 1 };
        let at = frame as f64 / steps as f64 * legs as f64;
        let leg = (at as usize).min(legs - 1);
        Place { from: leg, to: (leg + 1) % self.keys, by: self.easing.of(at - leg as f64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_walk_begins_and_ends_on_key_frames() {
        let walk = Walk { keys: 3, frames: 9, closed: false, easing: Easing::Linear };
        assert_eq!(walk.place(0), Place { from: 0, to: 1, by: 0.0 });
        assert_eq!(walk.place(2), Place { from: 0, to: 1, by: 0.5 });
        assert_eq!(walk.place(8), Place { from: 1, to: 2, by: 1.0 });
        assert_eq!(Walk { frames: 1, ..walk }.place(0).by, 0.0);
    }

    #[test]
    fn a_closed_walk_has_no_seam() {
        let walk = Walk { keys: 4, frames: 40, closed: true, easing: Easing::Smooth };
        let last = walk.place(39);
        assert_eq!((last.from, last.to), (3, 0));
        // The step from the last picture to the first is one of the others, mirrored.
        let first = walk.place(1).by;
        assert!((1.0 - last.by - first).abs() < 1e-12);
        assert_eq!(Walk { keys: 1, ..walk }.place(7), Place { from: 0, to: 0, by: 0.0 }, "one key frame stands still");
    }
}
