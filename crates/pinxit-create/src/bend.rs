//! Network bending: the maps inside the network are changed on their way (Broad, Leymarie and Grierson 2021, arXiv 2005.12420).
use pinxit_tensor::{Rng, Tensor};
use serde::{Deserialize, Serialize};

/// One change of the map behind a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bend {
    /// Stage, from 0, the coarsest.
    pub stage: usize,
    /// What is done.
    #[serde(rename = "do")]
    pub act: Act,
    /// Channels it is done to; all where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<usize>>,
    /// Part of the picture it is done to; all of it where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
}

/// What is done to a map. Lengths are shares of the picture's sides, so that an act means the same at every stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Times a number: 0 mutes, above 1 boosts, -1 inverts.
    Multiply(f64),
    /// Plus a number, in deviations of the channel.
    Add(f64),
    /// What lies below this many deviations from the channel's mean becomes the mean.
    Threshold(f64),
    /// Normal noise of this many deviations of the channel, from this seed.
    Noise(f64, u64),
    /// Turned clockwise about the middle, degrees.
    Rotate(f64),
    /// Moved right and down, shares of the sides.
    Move(f64, f64),
    /// Enlarged about the middle.
    Zoom(f64),
    /// Mirrored left to right.
    Mirror,
}

/// A part of the picture, in shares of its sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Of its left edge.
    pub x: f64,
    /// Of its upper edge.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// An ellipse within these edges, not the whole rectangle.
    #[serde(default)]
    pub ellipse: bool,
}

impl Area {
    /// Whether a point lies within, in shares of the sides.
    pub fn holds(&self, x: f64, y: f64) -> bool {
        let (u, v) = ((x - self.x) / self.width, (y - self.y) / self.height);
        match self.ellipse {
            true => (2.0 * u - 1.0).powi(2) + (2.0 * v - 1.0).powi(2) <= 1.0,
            false => (0.0..=1.0).contains(&u) && (0.0..=1.0).contains(&v),
        }
    }
}

impl Bend {
    /// Why this bend means nothing for a network with `channels` channels in each stage, if so.
    pub fn fault(&self, channels: &[usize]) -> Option<String> {
        let Some(&count) = channels.get(self.stage) else {
            return Some(format!("there is no stage {}: this model has stages 0 to {}", self.stage, channels.len() - 1));
        };
        if let Some(high) = self.channels.iter().flatten().find(|&&c| c >= count) {
            return Some(format!("there is no channel {high} in stage {}: it has channels 0 to {}", self.stage, count - 1));
        }
        let area = self.area.iter().flat_map(|a| [a.x, a.y, a.width, a.height]);
        let numbers = match self.act {
            Act::Multiply(a) | Act::Add(a) | Act::Threshold(a) | Act::Noise(a, _) | Act::Rotate(a) | Act::Zoom(a) => vec![a],
            Act::Move(x, y) => vec![x, y],
            Act::Mirror => Vec::new(),
        };
        if numbers.into_iter().chain(area).any(|v| !v.is_finite() || v.abs() > 1e6) {
            return Some("a number of it is out of range".into());
        }
        let is_flat =
            matches!(self.act, Act::Zoom(z) if z <= 0.0) || self.area.is_some_and(|a| a.width <= 0.0 || a.height <= 0.0);
        is_flat.then(|| "a zoom and the sides of an area are above 0".into())
    }

    /// The map `[1, h, w, c]`, bent. What an act makes of the whole map is taken within the area, the rest stays.
    pub fn apply(&self, map: &Tensor) -> Tensor {
        let &[_, h, w, c] = map.shape() else { panic!("a map is [1, h, w, c], not {:?}", map.shape()) };
        let mut out = map.clone();
        let chosen: Vec<usize> = self.channels.clone().unwrap_or_else(|| (0..c).collect());
        let places: Vec<usize> =
            (0..h * w).filter(|&p| self.area.is_none_or(|area| area.holds(share(p % w, w), share(p / w, h)))).collect();
        for channel in chosen {
            let plane: Vec<f32> = (0..h * w).map(|p| map.data()[p * c + channel]).collect();
            let bent = self.act.plane(&plane, (h, w), channel);
            let data = out.data_mut();
            places.iter().for_each(|&p| data[p * c + channel] = bent[p]);
        }
        out
    }
}

/// The middle of pixel `i` of `n`.
fn share(i: usize, n: usize) -> f64 {
    (i as f64 + 0.5) / n as f64
}

impl Act {
    /// One channel of `h` by `w` pixels.
    fn plane(self, plane: &[f32], (h, w): (usize, usize), channel: usize) -> Vec<f32> {
        let mean = plane.iter().map(|&v| f64::from(v)).sum::<f64>() / plane.len() as f64;
        let deviation = (plane.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / plane.len() as f64).sqrt();
        let each = |f: &dyn Fn(f64) -> f64| plane.iter().map(|&v| f(f64::from(v)) as f32).collect();
        let turned = |way: &dyn Fn(f64, f64) -> (f64, f64)| sampled(plane, (h, w), way);
        match self {
            Act::Multiply(by) => each(&|v| v * by),
            Act::Add(by) => each(&|v| v + by * deviation),
            Act::Threshold(at) => each(&|v| if v - mean < at * deviation { mean } else { v }),
            Act::Noise(by, seed) => {
                let mut rng = Rng::stream(seed, &format!("bend {channel}"));
                plane.iter().map(|&v| (f64::from(v) + by * deviation * rng.normal()) as f32).collect()
            }
            Act::Rotate(degrees) => {
                let (sin, cos) = degrees.to_radians().sin_cos();
                // In pixels, or a rectangle would be sheared.
                let (h, w) = (h as f64, w as f64);
                turned(&|x, y| {
                    let (dx, dy) = ((x - 0.5) * w, (y - 0.5) * h);
                    ((cos * dx + sin * dy) / w + 0.5, (cos * dy - sin * dx) / h + 0.5)
                })
            }
            Act::Move(right, down) => turned(&|x, y| (x - right, y - down)),
            Act::Zoom(by) => turned(&|x, y| ((x - 0.5) / by + 0.5, (y - 0.5) / by + 0.5)),
            Act::Mirror => turned(&|x, y| (1.0 - x, y)),
        }
    }
}

/// Each pixel taken from where `way` says, bilinear, the edge going on outside.
fn sampled(plane: &[f32], (h, w): (usize, usize), way: &dyn Fn(f64, f64) -> (f64, f64)) -> Vec<f32> {
    let at = |x: isize, y: isize| f64::from(plane[y.clamp(0, h as isize - 1) as usize * w + x.clamp(0, w as isize - 1) as usize]);
    let pixel = |p: usize| {
        let (x, y) = way(share(p % w, w), share(p / w, h));
        let (x, y) = ((x * w as f64 - 0.5).clamp(-1e9, 1e9), (y * h as f64 - 0.5).clamp(-1e9, 1e9));
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy, left, top) = (x - left, y - top, left as isize, top as isize);
        let row = |y| at(left, y) * (1.0 - fx) + at(left + 1, y) * fx;
        (row(top) * (1.0 - fy) + row(top + 1) * fy) as f32
    };
    (0..h * w).map(pixel).collect()
}

/// Rounds of k-means.
const ROUNDS: usize = 50;

/// Channels in `k` groups that light up in the same places: k-means over their maps, each of mean 0 and length 1. `maps` are those of one
/// stage for several pictures, each `[1, h, w, c]`. Groups are ordered by their lowest channel; empty ones are left out.
pub fn clusters(maps: &[Tensor], k: usize, seed: u64) -> Vec<Vec<usize>> {
    let c = maps.first().map_or(0, |m| m.shape()[3]);
    let rows: Vec<Vec<f64>> = (0..c).map(|channel| normalised(maps, channel, c)).collect();
    let k = k.clamp(1, c.max(1));
    let mut order: Vec<usize> = (0..c).collect();
    Rng::stream(seed, "clusters").shuffle(&mut order);
    let mut centres: Vec<Vec<f64>> = order.iter().take(k).map(|&i| rows[i].clone()).collect();
    let mut of = vec![0; c];
    for _ in 0..ROUNDS {
        let nearest = |row: &Vec<f64>| {
            (0..centres.len()).max_by(|&a, &b| dot(row, &centres[a]).total_cmp(&dot(row, &centres[b]))).unwrap_or(0)
        };
        let next: Vec<usize> = rows.iter().map(nearest).collect();
        if std::mem::replace(&mut of, next.clone()) == next {
            break;
        }
        for (centre, mean) in centres.iter_mut().enumerate() {
            let members: Vec<&Vec<f64>> = rows.iter().zip(&of).filter(|(_, o)| **o == centre).map(|(r, _)| r).collect();
            if !members.is_empty() {
                *mean = unit((0..mean.len()).map(|i| members.iter().map(|m| m[i]).sum()).collect());
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = (0..k).map(|g| (0..c).filter(|&i| of[i] == g).collect()).collect();
    groups.retain(|g| !g.is_empty());
    groups.sort();
    groups
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn unit(v: Vec<f64>) -> Vec<f64> {
    let length = dot(&v, &v).sqrt();
    v.into_iter().map(|x| if length > 0.0 { x / length } else { 0.0 }).collect()
}

fn normalised(maps: &[Tensor], channel: usize, c: usize) -> Vec<f64> {
    let values: Vec<f64> = maps.iter().flat_map(|m| m.data().iter().skip(channel).step_by(c).map(|&v| f64::from(v))).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    unit(values.into_iter().map(|v| v - mean).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bend(act: Act) -> Bend {
        Bend { stage: 0, act, channels: Some(vec![1]), area: None }
    }

    /// Two channels of 4 x 4: ones, and the column.
    fn map() -> Tensor {
        Tensor::from_fn(&[1, 4, 4, 2], |i| if i % 2 == 0 { 1.0 } else { (i / 2 % 4) as f32 })
    }

    fn column_of(t: &Tensor, row: usize) -> Vec<f32> {
        (0..4).map(|x| t.data()[(row * 4 + x) * 2 + 1]).collect()
    }

    #[test]
    fn acts_do_what_they_say_to_their_channels_only() {
        let acts = [
            (Act::Multiply(-2.0), [0.0, -2.0, -4.0, -6.0]),
            (Act::Mirror, [3.0, 2.0, 1.0, 0.0]),
            (Act::Move(0.25, 0.0), [0.0, 0.0, 1.0, 2.0]),
            (Act::Rotate(180.0), [3.0, 2.0, 1.0, 0.0]),
            (Act::Threshold(0.0), [1.5, 1.5, 2.0, 3.0]),
            (Act::Zoom(2.0), [0.75, 1.25, 1.75, 2.25]),
        ];
        for (act, expected) in acts {
            let out = bend(act).apply(&map());
            assert!(
                column_of(&out, 1).iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5),
                "{act:?}: {:?}",
                column_of(&out, 1)
            );
            assert!(out.data().iter().step_by(2).all(|&v| v == 1.0), "{act:?} leaves the other channel alone");
        }
        // A quarter turn: what varied along the rows varies down the columns.
        let turned = bend(Act::Rotate(90.0)).apply(&map());
        assert!(column_of(&turned, 2).iter().all(|v| (v - 2.0).abs() < 1e-5), "{:?}", column_of(&turned, 2));
        let noise = |seed| bend(Act::Noise(1.0, seed)).apply(&map());
        assert!(noise(1) == noise(1) && noise(1) != noise(2));
    }

    #[test]
    fn an_area_bounds_it() {
        let area = Area { x: 0.0, y: 0.0, width: 0.5, height: 0.5, ellipse: false };
        let out = Bend { area: Some(area), ..bend(Act::Multiply(0.0)) }.apply(&map());
        assert_eq!((column_of(&out, 0), column_of(&out, 2)), (vec![0.0, 0.0, 2.0, 3.0], vec![0.0, 1.0, 2.0, 3.0]));
        assert!(!Area { ellipse: true, width: 1.0, height: 1.0, ..area }.holds(0.05, 0.05), "the corner of an ellipse");
    }

    #[test]
    fn faults_are_named() {
        let fault = |b: Bend| b.fault(&[2, 4]).unwrap_or_default();
        assert!(fault(Bend { stage: 2, ..bend(Act::Mirror) }).contains("stages 0 to 1"));
        assert!(fault(Bend { channels: Some(vec![2]), ..bend(Act::Mirror) }).contains("channels 0 to 1"));
        assert!(!fault(bend(Act::Zoom(0.0))).is_empty() && !fault(bend(Act::Multiply(f64::NAN))).is_empty());
        assert_eq!(fault(bend(Act::Mirror)), "");
    }

    #[test]
    fn channels_that_light_up_together_are_one_group() {
        let mut rng = Rng::new(1);
        let (a, b) = (rng.normal_tensor::<f32>(&[1, 8, 8, 1]), rng.normal_tensor::<f32>(&[1, 8, 8, 1]));
        let of = |i: usize| if i.is_multiple_of(2) { a.data()[i / 4] } else { b.data()[i / 4] * 3.0 + 1.0 };
        let map = Tensor::from_fn(&[1, 8, 8, 4], of);
        assert_eq!(clusters(&[map], 2, 7), [vec![0, 2], vec![1, 3]]);
    }
}
