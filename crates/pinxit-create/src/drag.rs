//! Points of a picture are taken hold of and moved, and the picture follows, after DragGAN (Pan et al. 2023, arXiv 2305.10973).
//!
//! In each step the latents are changed so that what lay around a handle at first is seen a little nearer to its target (motion supervision),
//! and what shall stay stays; then the handle is found again, as the place whose surroundings are most like those it began with (point tracking).
//!
//! Two things differ from the paper. Watched are the last map and the picture, not a map of half its size: at 64 px that is too coarse to tell
//! where a thing is. And the wish is what was there at first, not what is there now, which wears away on the road. As in the paper, 49 of 50 drags
//! said that they had arrived, and a judge who looked at the picture found 14 (docs/explore.md).
use pinxit_nn::Bound;
use pinxit_tensor::optim::{AdamStep, adam_step};
use pinxit_tensor::{Array, Tape, Tensor, Var, backward};

use crate::latents::Latents;
use crate::project::WSpace;

/// Radius of what is moved around a handle, px.
const MOVED: isize = 4;
/// Radius within which a handle is found again, px.
const SEARCHED: isize = 6;
/// Steps in a row within a pixel of the target after which a handle has arrived: what is found there at once is often half there.
const SETTLED: usize = 20;
/// How far the wish goes ahead in a step, px; farther where the steps would not reach.
const PACE: f64 = 0.15;
/// Length of a step, in deviations of w.
const STEP: f64 = 0.03;
/// Weight of what shall stay.
const STAY: f64 = 0.3;
/// Without a mask all stays that lies farther than this from every handle's way, px.
const FREE: f64 = 10.0;
/// Weight of a colour beside a channel of the map, before squaring.
const COLOUR: f64 = 3.0;
/// Pictures over which the deviation of a channel is taken.
const PICTURES: usize = 16;

/// A point and where it goes, in shares of the picture's sides, from the upper left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Handle {
    /// From here, x and y.
    pub from: [f64; 2],
    /// To there.
    pub to: [f64; 2],
}

/// What is done.
#[derive(Clone, Debug)]
pub struct Drag<'a> {
    /// Points and their targets.
    pub handles: Vec<Handle>,
    /// What may move: `[h, w]` of the picture, above 0; all of it without one.
    pub mask: Option<&'a Tensor>,
    /// Steps at most.
    pub steps: usize,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Dragged {
    /// The latents.
    pub latents: Latents,
    /// Where each handle is now, in shares of the sides.
    pub now: Vec<[f64; 2]>,
    /// Steps taken.
    pub steps: usize,
}

/// Moves the handles in the picture of `latents`. `watch` as in [`project`](crate::project::project).
pub fn drag(
    space: &WSpace<'_>,
    latents: &Latents,
    drag: &Drag<'_>,
    watch: &mut dyn FnMut(usize, usize, &Tensor) -> bool,
) -> Dragged {
    let view = View::of(space);
    let (_, first) = view.look(space, space.weights, &latents.stages);
    let grid = Grid::of(&first);
    let stay = Stay::new(&grid, drag, first.clone());
    let mut handles: Vec<Held> = drag.handles.iter().map(|h| Held::new(h, &first, &grid)).collect();
    let farthest = handles.iter().map(|h| distance(h.at, h.to)).fold(0.0, f64::max);
    let pace = PACE.max(2.0 * farthest / drag.steps.max(1) as f64);
    let mut work = Work::new(latents);
    let mut taken = 0;
    for step in 0..drag.steps {
        if handles.iter().all(Held::has_arrived) {
            break;
        }
        handles.iter_mut().for_each(|h| h.wish(pace));
        let picture = work.step(space, &view, &handles, &grid, &stay);
        taken = step + 1;
        let (_, map) = view.look(space, space.weights, &work.latents.stages);
        handles.iter_mut().for_each(|h| h.find(&map, &grid));
        if step % 5 == 0 && !watch(step, drag.steps, &picture) {
            break;
        }
    }
    Dragged { latents: work.latents, now: handles.iter().map(|h| grid.share(h.at)).collect(), steps: taken }
}

/// What is watched: the last map, each channel by its deviation, and the colours.
struct View {
    /// One over the deviation of each channel, `[1, 1, 1, c]`.
    inverse: Tensor,
}

impl View {
    fn of(space: &WSpace<'_>) -> Self {
        let count = PICTURES.min(space.samples.shape()[0]).max(1);
        let ws = vec![space.samples.narrow(0, 0, count); space.generator.stages()];
        let (_, map) = last_map(space, space.weights, &ws);
        let each = [1, 1, 1, map.shape()[3]];
        let centred = map.sub(&map.mean_to(&each));
        let inverse = centred.square().mean_to(&each).data().iter().map(|v| 1.0 / v.sqrt().max(1e-3)).collect();
        View { inverse: Tensor::new(&each, inverse) }
    }

    /// The picture `[1, h, w, 3]`, and what is watched, `[1, h, w, c + 3]`.
    fn look<A: Array<T = f32>>(&self, space: &WSpace<'_>, weights: &Bound<A>, ws: &[A]) -> (A, A) {
        let (picture, map) = last_map(space, weights, ws);
        let map = map.mul(&map.lift(self.inverse.clone()));
        let seen = A::concat(&[map, picture.scale(COLOUR)], 3);
        (picture, seen)
    }
}

/// Pictures, and the map of the last stage, which is as large.
fn last_map<A: Array<T = f32>>(space: &WSpace<'_>, weights: &Bound<A>, ws: &[A]) -> (A, A) {
    let mut map = None;
    let picture = space.generator.synthesize_bent(weights, ws, |_, x| {
        map = Some(x.clone());
        x
    });
    let map = map.unwrap_or_else(|| picture.clone());
    (picture, map)
}

/// The pixels of a map.
struct Grid {
    h: isize,
    w: isize,
    c: usize,
}

impl Grid {
    fn of(map: &Tensor) -> Self {
        let &[_, h, w, c] = map.shape() else { panic!("a map is [1, h, w, c], not {:?}", map.shape()) };
        Grid { h: h as isize, w: w as isize, c }
    }

    fn pixel(&self, share: [f64; 2]) -> [f64; 2] {
        [share[0] * self.w as f64 - 0.5, share[1] * self.h as f64 - 0.5]
    }

    fn share(&self, pixel: [f64; 2]) -> [f64; 2] {
        [(pixel[0] + 0.5) / self.w as f64, (pixel[1] + 0.5) / self.h as f64]
    }

    /// Row of the map as a matrix `[h * w, c]`; the edge goes on outside.
    fn row(&self, x: isize, y: isize) -> usize {
        (y.clamp(0, self.h - 1) * self.w + x.clamp(0, self.w - 1)) as usize
    }

    /// The four rows around a point, and their weights.
    fn around(&self, [x, y]: [f64; 2]) -> [(usize, f32); 4] {
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy, left, top) = (x - left, y - top, left as isize, top as isize);
        let corner = |dx: isize, dy: isize| {
            let share = (if dx == 0 { 1.0 - fx } else { fx }) * (if dy == 0 { 1.0 - fy } else { fy });
            (self.row(left + dx, top + dy), share as f32)
        };
        [corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)]
    }

    /// Bilinear, `[points, c]`.
    fn sample<A: Array<T = f32>>(&self, map: &A, points: &[[f64; 2]]) -> A {
        let rows = map.reshape(&[(self.h * self.w) as usize, self.c]);
        let around: Vec<[(usize, f32); 4]> = points.iter().map(|p| self.around(*p)).collect();
        let part = |k: usize| {
            let weights = Tensor::new(&[points.len(), 1], around.iter().map(|a| a[k].1).collect());
            rows.rows(&around.iter().map(|a| a[k].0).collect::<Vec<_>>()).mul(&map.lift(weights))
        };
        (1..4).fold(part(0), |sum, k| sum.add(&part(k)))
    }
}

/// What shall stay as it was.
struct Stay {
    /// `[1, h, w, c]`.
    first: Tensor,
    /// At each pixel its share of the loss, 0 where things may change: `[1, h, w, 1]`.
    weight: Tensor,
}

impl Stay {
    /// All outside of the mask; without one all that is far from every handle's way.
    fn new(grid: &Grid, drag: &Drag<'_>, first: Tensor) -> Self {
        let ways: Vec<[[f64; 2]; 2]> = drag.handles.iter().map(|h| [grid.pixel(h.from), grid.pixel(h.to)]).collect();
        let place = |i: usize| [(i as isize % grid.w) as f64, (i as isize / grid.w) as f64];
        let stays = |i: usize| match drag.mask {
            Some(mask) => mask.data()[i] <= 0.0,
            None => ways.iter().all(|way| from_way(place(i), *way) > FREE),
        };
        let count = (0..(grid.h * grid.w) as usize).filter(|i| stays(*i)).count().max(1) as f64;
        let weight = Tensor::from_fn(&[1, grid.h as usize, grid.w as usize, 1], |i| if stays(i) { 1.0 } else { 0.0 });
        Stay { first, weight: weight.scale(STAY / (count * grid.c as f64)) }
    }

    fn loss<A: Array<T = f32>>(&self, map: &A) -> A {
        map.sub(&map.lift(self.first.clone())).square().mul(&map.lift(self.weight.clone())).sum().reshape(&[1])
    }
}

/// Distance of a point from the straight way between two.
fn from_way(p: [f64; 2], [a, b]: [[f64; 2]; 2]) -> f64 {
    let (x, y) = (b[0] - a[0], b[1] - a[1]);
    let along = ((p[0] - a[0]) * x + (p[1] - a[1]) * y) / (x * x + y * y).max(1e-9);
    let t = along.clamp(0.0, 1.0);
    distance(p, [a[0] + t * x, a[1] + t * y])
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// A handle on its way, px.
struct Held {
    at: [f64; 2],
    /// Where it shall be now: on the way from where it was to where it goes.
    wished: [f64; 2],
    to: [f64; 2],
    /// Steps in a row that it was found there.
    there: usize,
    /// What was seen around it at first, `[points, c]`.
    first: Tensor,
}

impl Held {
    fn new(handle: &Handle, map: &Tensor, grid: &Grid) -> Self {
        let (at, to) = (grid.pixel(handle.from), grid.pixel(handle.to));
        let there = if distance(at, to) < 1e-6 { SETTLED } else { 0 };
        Held { first: grid.sample(map, &around(at)), at, wished: at, to, there }
    }

    fn wish(&mut self, pace: f64) {
        let left = distance(self.wished, self.to);
        let share = if left <= pace { 1.0 } else { pace / left };
        self.wished = [0, 1].map(|i| self.wished[i] + share * (self.to[i] - self.wished[i]));
    }

    fn has_arrived(&self) -> bool {
        self.there >= SETTLED
    }

    fn loss<A: Array<T = f32>>(&self, map: &A, grid: &Grid) -> A {
        grid.sample(map, &around(self.wished)).sub(&map.lift(self.first.clone())).square().mean().reshape(&[1])
    }

    /// The whole pixel near by around which it looks most as it did at first.
    fn find(&mut self, map: &Tensor, grid: &Grid) {
        let [x, y] = self.at.map(|v| v.round() as isize);
        let near = square(SEARCHED).map(|(dx, dy)| (x + dx, y + dy));
        let inside = near.filter(|&(x, y)| 0 <= x && x < grid.w && 0 <= y && y < grid.h);
        let unlike = |(x, y): (isize, isize)| -> f64 {
            let pixels = disc().map(|(dx, dy)| &map.data()[grid.row(x + dx, y + dy) * grid.c..][..grid.c]);
            let pairs = pixels.flatten().zip(self.first.data());
            f64::from(pairs.map(|(a, b)| (a - b).abs()).sum::<f32>())
        };
        let best = inside.map(|place| (unlike(place), place)).min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, (x, y))) = best {
            self.at = [x as f64, y as f64];
        }
        let is_there = distance(self.wished, self.to) < 1e-6 && distance(self.at, self.to) < 1.0;
        self.there = if is_there { self.there + 1 } else { 0 };
    }
}

fn square(radius: isize) -> impl Iterator<Item = (isize, isize)> {
    (-radius..=radius).flat_map(move |dy| (-radius..=radius).map(move |dx| (dx, dy)))
}

fn disc() -> impl Iterator<Item = (isize, isize)> {
    square(MOVED).filter(|(dx, dy)| dx * dx + dy * dy <= MOVED * MOVED)
}

/// The points of a handle.
fn around(at: [f64; 2]) -> Vec<[f64; 2]> {
    disc().map(|(dx, dy)| [at[0] + dx as f64, at[1] + dy as f64]).collect()
}

/// The latents while they change, in units of the spread.
struct Work {
    latents: Latents,
    momenta: Vec<[Tensor; 2]>,
    t: u64,
}

impl Work {
    fn new(latents: &Latents) -> Self {
        let zeros = |w: &Tensor| Tensor::zeros(w.shape());
        Work { momenta: latents.stages.iter().map(|w| [zeros(w), zeros(w)]).collect(), latents: latents.clone(), t: 0 }
    }

    /// One step; gives what was painted before it.
    fn step(&mut self, space: &WSpace<'_>, view: &View, handles: &[Held], grid: &Grid, stay: &Stay) -> Tensor {
        let tape = Tape::new();
        let mut vs: Vec<Tensor> = self.latents.stages.iter().map(|w| space.v(w)).collect();
        let leaves: Vec<Var<f32>> = vs.iter().map(|v| tape.leaf(v.clone())).collect();
        let ws: Vec<Var<f32>> = leaves.iter().map(|v| space.w(v)).collect();
        let (picture, map) = view.look(space, &space.bound(&tape), &ws);
        let loss = handles.iter().fold(stay.loss(&map), |sum, handle| sum.add(&handle.loss(&map, grid)));
        let gradients = backward(&[(&loss, Tensor::full(&[1], 1.0))], &leaves.iter().collect::<Vec<_>>());
        self.t += 1;
        for ((v, [m, s]), g) in vs.iter_mut().zip(&mut self.momenta).zip(&gradients) {
            adam_step(v, m, s, g, AdamStep { lr: STEP, beta1: 0.9, beta2: 0.999, eps: 1e-8, t: self.t });
        }
        for (w, v) in self.latents.stages.iter_mut().zip(&vs) {
            *w = space.w(v);
        }
        picture.tensor()
    }
}
