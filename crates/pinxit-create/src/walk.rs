//! Ways through latent space: where a walk is at each frame, and the recipe of an animation.
use serde::{Deserialize, Serialize};

use crate::{Error, Latents, Operation, Painter, Recipe, Result};

/// How a walk passes its key frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

/// Where the way between two key frames lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Through {
    /// Straight through w: the smoothest.
    #[default]
    W,
    /// Along the great circle through z: every frame is a picture that could have been drawn. The key frames are plain samples that differ in their seeds
    /// alone.
    Z,
}

/// Everything an animation needs to be made again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnimationRecipe {
    /// Format version, that of recipes.
    pub v: u64,
    /// The key frames, of one model.
    pub animation: Vec<Recipe>,
    /// Pictures.
    pub frames: usize,
    /// Pictures a second.
    pub fps: u32,
    /// Back to the first at the end.
    pub closed: bool,
    /// How it passes the key frames.
    pub easing: Easing,
    /// Which way.
    pub through: Through,
}

impl AnimationRecipe {
    /// One line of JSON, the same for the same animation.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::Malformed(e.to_string()))
    }

    /// Reads what [`AnimationRecipe::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self> {
        let read: Self = serde_json::from_str(text).map_err(|e| Error::Malformed(e.to_string()))?;
        if read.v != crate::VERSION {
            return Err(Error::Version { found: read.v.to_string() });
        }
        read.check()?;
        Ok(read)
    }

    /// Refuses what no walk can be.
    pub fn check(&self) -> Result<()> {
        let first = self.animation.first().ok_or_else(|| Error::Misfit("it has no key frames".into()))?;
        if self.frames == 0 || self.animation.iter().any(|key| key.model.hash != first.model.hash) {
            return Err(Error::Misfit("an animation has frames, and key frames of one model".into()));
        }
        let is_plain = |key: &&Recipe| {
            let as_first = Recipe { seed: first.seed, ..(*key).clone() };
            key.operations.is_empty() && as_first == *first
        };
        if self.through == Through::Z && !self.animation.iter().all(|key| is_plain(&key)) {
            return Err(Error::Misfit("a way through z needs key frames that differ in nothing but their seeds".into()));
        }
        Ok(())
    }

    fn walk(&self) -> Walk {
        Walk { keys: self.animation.len(), frames: self.frames, closed: self.closed, easing: self.easing }
    }

    /// Latents of a frame, counted from 0. `keys` are those of the key frames.
    pub fn latents(&self, painter: &mut Painter, keys: &[Latents], frame: usize) -> Result<Latents> {
        let Place { from, to, by } = self.walk().place(frame);
        match self.through {
            Through::W => Ok(keys[from].toward(&keys[to], by)),
            Through::Z => {
                let on_the_way = Operation::Slerp { seed: self.animation[to].seed, by };
                painter.latents(&Recipe { operations: vec![on_the_way], ..self.animation[from].clone() })
            }
        }
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
