//! Points of a picture are taken hold of and moved, and the picture follows (DragGAN: Pan et al. 2023, arXiv 2305.10973).
//!
//! In each step the latents of the coarse stages are changed so that what the network's map holds around a handle moves a little toward its
//! target (motion supervision); then the handle is found again, as the place whose map is most like what the handle began with (point
//! tracking).
use pinxit_tensor::optim::{AdamStep, adam_step};
use pinxit_tensor::{Array, Tape, Tensor, Var, backward};

use crate::latents::Latents;
use crate::project::WSpace;

/// Radius of what is moved around a handle, map pixels.
const MOVED: isize = 2;
/// Radius within which a handle is found again, map pixels.
const SEARCHED: isize = 3;
/// Length of a step, in deviations of w.
const STEP: f64 = 0.03;
/// Weight of what shall stay.
const STAY: f64 = 10.0;

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
    let stage = watched_stage(space.generator.stages());
    let first = seen(space, latents, stage);
    let grid = Grid::of(&first);
    let stay = drag.mask.map(|mask| grid.staying(mask));
    let mut handles: Vec<Held> = drag.handles.iter().map(|h| Held::new(h, &first, &grid)).collect();
    let mut work = Work::new(latents, stage);
    let mut taken = 0;
    for step in 0..drag.steps {
        if handles.iter().all(Held::has_arrived) {
            break;
        }
        let picture = work.step(space, &handles, &grid, stay.as_ref().map(|m| (m, &first)));
        taken = step + 1;
        let map = seen(space, &work.latents, stage);
        handles.iter_mut().for_each(|h| h.find(&map, &grid));
        if step % 5 == 0 && !watch(step, drag.steps, &picture) {
            break;
        }
    }
    Dragged { latents: work.latents, now: handles.iter().map(|h| grid.share(h.at)).collect(), steps: taken }
}

/// The last stage but one: half the picture's size, where the paper's map lies relative to its pictures.
fn watched_stage(stages: usize) -> usize {
    stages.saturating_sub(2)
}

/// The map of a stage, enlarged to the picture's size: `[1, h, w, c]`.
fn seen(space: &WSpace<'_>, latents: &Latents, stage: usize) -> Tensor {
    let mut map = None;
    space.generator.synthesize_bent(space.weights, &latents.stages, |i, x| {
        if i == stage {
            map = Some(x.clone());
        }
        x
    });
    enlarged(map.unwrap_or_else(|| latents.stages[0].clone()), space)
}

fn enlarged<A: Array>(map: A, space: &WSpace<'_>) -> A {
    map.resize(space.generator.config.resolution())
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

    /// 1 where nothing may change: `[1, h, w, 1]`.
    fn staying(&self, mask: &Tensor) -> Tensor {
        Tensor::new(
            &[1, self.h as usize, self.w as usize, 1],
            mask.data().iter().map(|&m| f32::from(u8::from(m <= 0.0))).collect(),
        )
    }
}

/// A handle on its way, in map pixels.
struct Held {
    at: [f64; 2],
    to: [f64; 2],
    /// What the map held there at first.
    first: Tensor,
}

impl Held {
    fn new(handle: &Handle, map: &Tensor, grid: &Grid) -> Self {
        let at = grid.pixel(handle.from);
        Held { first: grid.sample(map, &[at]), at, to: grid.pixel(handle.to) }
    }

    fn left(&self) -> [f64; 2] {
        [self.to[0] - self.at[0], self.to[1] - self.at[1]]
    }

    fn distance(&self) -> f64 {
        let [x, y] = self.left();
        x.hypot(y)
    }

    fn has_arrived(&self) -> bool {
        self.distance() < 1.0
    }

    /// The points around it, and the same a step of at most one pixel nearer to the target.
    fn moved(&self) -> (Vec<[f64; 2]>, Vec<[f64; 2]>) {
        let (length, [x, y]) = (self.distance().max(1e-9), self.left());
        let step = length.min(1.0) / length;
        let around = square(MOVED).filter(|(dx, dy)| dx * dx + dy * dy <= MOVED * MOVED);
        let here: Vec<[f64; 2]> = around.map(|(dx, dy)| [self.at[0] + dx as f64, self.at[1] + dy as f64]).collect();
        let there = here.iter().map(|p| [p[0] + x * step, p[1] + y * step]).collect();
        (here, there)
    }

    fn find(&mut self, map: &Tensor, grid: &Grid) {
        let points: Vec<[f64; 2]> = square(SEARCHED)
            .map(|(dx, dy)| [self.at[0].round() + dx as f64, self.at[1].round() + dy as f64])
            .filter(|p| p[0] >= 0.0 && p[1] >= 0.0 && p[0] < grid.w as f64 && p[1] < grid.h as f64)
            .collect();
        let found = grid.sample(map, &points);
        let unlike = |i: usize| {
            found.data()[i * grid.c..][..grid.c].iter().zip(self.first.data()).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>()
        };
        if let Some(best) = (0..points.len()).min_by(|&a, &b| unlike(a).total_cmp(&unlike(b))) {
            self.at = points[best];
        }
    }
}

fn square(radius: isize) -> impl Iterator<Item = (isize, isize)> {
    (-radius..=radius).flat_map(move |dy| (-radius..=radius).map(move |dx| (dx, dy)))
}

/// The latents while they change: those of the stages up to the watched one, in units of the spread.
struct Work {
    latents: Latents,
    stage: usize,
    momenta: Vec<[Tensor; 2]>,
    t: u64,
}

impl Work {
    fn new(latents: &Latents, stage: usize) -> Self {
        let zeros = || Tensor::zeros(latents.stages[0].shape());
        Work { latents: latents.clone(), stage, momenta: (0..=stage).map(|_| [zeros(), zeros()]).collect(), t: 0 }
    }

    fn step(&mut self, space: &WSpace<'_>, handles: &[Held], grid: &Grid, stay: Option<(&Tensor, &Tensor)>) -> Tensor {
        let tape = Tape::new();
        let mut vs: Vec<Tensor> = self.latents.stages[..=self.stage].iter().map(|w| space.v(w)).collect();
        let leaves: Vec<Var<f32>> = vs.iter().map(|v| tape.leaf(v.clone())).collect();
        let fine = self.latents.stages[self.stage + 1..].iter().map(|w| tape.constant(w.clone()));
        let all: Vec<Var<f32>> = leaves.iter().map(|v| space.w(v)).chain(fine).collect();
        let mut map = None;
        let picture = space.generator.synthesize_bent(&space.bound(&tape), &all, |i, x| {
            if i == self.stage {
                map = Some(x.clone());
            }
            x
        });
        let map = enlarged(map.unwrap_or_else(|| picture.clone()), space);
        let mut loss = tape.constant(Tensor::zeros(&[1]));
        for handle in handles.iter().filter(|h| !h.has_arrived()) {
            let (here, there) = handle.moved();
            let wanted = tape.constant(grid.sample(map.value(), &here));
            loss = loss.add(&absolute(&grid.sample(&map, &there).sub(&wanted)).mean().reshape(&[1]));
        }
        if let Some((stay, first)) = stay {
            let change = map.sub(&tape.constant(first.clone())).mul(&tape.constant(stay.clone()));
            loss = loss.add(&absolute(&change).mean().reshape(&[1]).scale(STAY));
        }
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

/// `|x|`: a leaky ReLU of slope -1.
fn absolute<A: Array>(x: &A) -> A {
    x.leaky_relu(-1.0)
}
