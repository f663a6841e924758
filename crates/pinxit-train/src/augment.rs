//! Differentiable augmentation (Zhao et al. 2020, arXiv 2006.10738; StyleGAN2-ADA's flips): what is done to a picture
//! before the discriminator sees it, so that a small collection cannot be learnt by heart.
//!
//! Everything here is affine in the picture, so a drawn [`Plan`] is a linear map plus a constant: [`Plan::apply`] computes
//! it and [`Plan::adjoint`] carries a gradient back. With the pixel mean m over channels, the picture mean M, and factors
//! brightness b, saturation s, contrast c, the colour part collapses to one pass:
//!
//! ```text
//! y = c·s·x + c·(1-s)·m(x) + (1-c)·M(x) + b
//! ```
//!
//! followed by one gather that flips, shifts (edges replicated) and cuts out (0, mid-grey).
use pinxit_tensor::{Real, Rng, Tensor};
use serde::{Deserialize, Serialize};

/// Who is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flip {
    /// Nobody: text, clocks, handed things.
    Off,
    /// Real pictures only: the collection doubles, and the generator learns both hands.
    Reals,
    /// Real and fake: the generator is free to choose a hand.
    Both,
}

/// Ranges of the augmentation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Horizontal mirror with probability one half.
    pub flip: Flip,
    /// Probability, for each picture, of each of the three below: colour, position, square. At 1 no picture is ever seen as it
    /// is, and the generator may as well paint tinted, shifted ones; below 0.8 that does not pay (Karras et al. 2020).
    pub probability: f64,
    /// Factor on every range below: 0 none, 1 as published.
    pub strength: f64,
    /// Largest shift of all colours, in units of the picture's -1..1.
    pub brightness: f64,
    /// Largest change of the saturation factor around 1.
    pub saturation: f64,
    /// Largest change of the contrast factor around 1.
    pub contrast: f64,
    /// Largest shift of position, as a share of the side.
    pub translation: f64,
    /// A grey square of half the side somewhere (not at strength 0).
    pub cutout: bool,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        AugmentConfig {
            flip: Flip::Both,
            probability: 0.5,
            strength: 1.0,
            brightness: 0.25,
            saturation: 0.4,
            contrast: 0.3,
            translation: 0.125,
            cutout: true,
        }
    }
}

/// Source pixel of a place that is cut out.
const CUT: u32 = u32::MAX;

/// The choices for one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Choice {
    flip: bool,
    brightness: f64,
    saturation: f64,
    contrast: f64,
    shift: (i64, i64),
    /// Centre of the square, rows and columns.
    cut: Option<(i64, i64)>,
}

/// The choices for one batch of pictures of one size.
#[derive(Clone, Debug)]
pub struct Plan {
    hw: (usize, usize),
    choices: Vec<Choice>,
}

impl Plan {
    /// Draws a plan for `n` pictures of `hw` pixels. `fakes` says for whom (see [`Flip::Reals`]). Always draws the same
    /// number of random values, so one setting never moves another's stream.
    pub fn draw(config: &AugmentConfig, rng: &mut Rng, n: usize, hw: (usize, usize), fakes: bool) -> Self {
        let flips = match config.flip {
            Flip::Off => false,
            Flip::Reals => !fakes,
            Flip::Both => true,
        };
        let k = config.strength;
        let choices = (0..n)
            .map(|_| {
                let [f, b, s, c, ty, tx, cy, cx] = [(); 8].map(|()| rng.uniform() * 2.0 - 1.0);
                let [colours, moves, cuts] = [(); 3].map(|()| rng.chance(config.probability));
                let colour = if colours { k } else { 0.0 };
                let reach = |side: usize, t: f64| (t * (side as f64 * config.translation * k).floor()).round() as i64;
                let centre = |side: usize, t: f64| ((t + 1.0) / 2.0 * side as f64).round() as i64;
                Choice {
                    flip: flips && f < 0.0,
                    brightness: b * config.brightness * colour,
                    saturation: 1.0 + s * config.saturation * colour,
                    contrast: 1.0 + c * config.contrast * colour,
                    shift: if moves { (reach(hw.0, ty), reach(hw.1, tx)) } else { (0, 0) },
                    cut: (cuts && config.cutout && k > 0.0).then(|| (centre(hw.0, cy), centre(hw.1, cx))),
                }
            })
            .collect();
        Plan { hw, choices }
    }

    /// What was drawn for some of the pictures.
    pub fn part(&self, of: std::ops::Range<usize>) -> Self {
        Plan { hw: self.hw, choices: self.choices[of].to_vec() }
    }

    /// Applies the plan to `[n, h, w, 3]`.
    pub fn apply<T: Real>(&self, x: &Tensor<T>) -> Tensor<T> {
        self.each(x, |choice, x, y| {
            let map = self.map(choice);
            let (k, km, kall) = factors::<T>(choice);
            let add = kall * mean(x) + T::of(choice.brightness);
            let third = T::of(1.0 / 3.0);
            for (out, &from) in y.chunks_exact_mut(3).zip(&map) {
                if from == CUT {
                    continue;
                }
                let at = from as usize * 3;
                let p = &x[at..at + 3];
                let grey = km * (p[0] + p[1] + p[2]) * third + add;
                for (o, &v) in out.iter_mut().zip(p) {
                    *o = k * v + grey;
                }
            }
        })
    }

    /// Carries the gradient in the result back to the gradient in the picture.
    pub fn adjoint<T: Real>(&self, dy: &Tensor<T>) -> Tensor<T> {
        self.each(dy, |choice, dy, dx| {
            let map = self.map(choice);
            let (k, km, kall) = factors::<T>(choice);
            let third = T::of(1.0 / 3.0);
            let mut all = T::default();
            for (g, &from) in dy.chunks_exact(3).zip(&map) {
                if from == CUT {
                    continue;
                }
                let sum = g[0] + g[1] + g[2];
                all += sum;
                let at = from as usize * 3;
                for (d, &g) in dx[at..at + 3].iter_mut().zip(g) {
                    *d += k * g + km * sum * third;
                }
            }
            let share = kall * all * T::of(1.0 / dx.len() as f64);
            dx.iter_mut().for_each(|d| *d += share);
        })
    }

    /// Source pixel of every pixel.
    fn map(&self, c: &Choice) -> Vec<u32> {
        let (h, w) = (self.hw.0 as i64, self.hw.1 as i64);
        let inside = |at: i64, centre: i64, side: i64| (at - centre).abs() <= side / 4;
        let mut map = Vec::with_capacity((h * w) as usize);
        for y in 0..h {
            let sy = (y + c.shift.0).clamp(0, h - 1);
            for x in 0..w {
                let sx = (x + c.shift.1).clamp(0, w - 1);
                let sx = if c.flip { w - 1 - sx } else { sx };
                let cut = c.cut.is_some_and(|(cy, cx)| inside(y, cy, h) && inside(x, cx, w));
                map.push(if cut { CUT } else { (sy * w + sx) as u32 });
            }
        }
        map
    }

    /// Runs `job(choice, input, zeroed output)` for every picture, in parallel.
    fn each<T: Real>(&self, x: &Tensor<T>, job: impl Fn(&Choice, &[T], &mut [T]) + Sync) -> Tensor<T> {
        let (h, w) = self.hw;
        assert_eq!(x.shape(), [self.choices.len(), h, w, 3], "the plan was drawn for other pictures");
        let mut y = Tensor::zeros(x.shape());
        let size = h * w * 3;
        crate::parallel::chunks(y.data_mut(), size, |i, out| job(&self.choices[i], &x.data()[i * size..][..size], out));
        y
    }
}

/// Factors on the value, on the pixel's mean and on the picture's mean.
fn factors<T: Real>(c: &Choice) -> (T, T, T) {
    let (s, k) = (c.saturation, c.contrast);
    (T::of(k * s), T::of(k * (1.0 - s)), T::of(1.0 - k))
}

/// Mean of a picture, summed in `f64`.
fn mean<T: Real>(x: &[T]) -> T {
    T::of(x.iter().map(|v| v.to_f64()).sum::<f64>() / x.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(n: usize, h: usize, w: usize, seed: u64) -> Tensor<f64> {
        Rng::stream(seed, "test").normal_tensor::<f64>(&[n, h, w, 3])
    }

    #[test]
    fn adjoint_is_the_transpose() {
        for (cutout, flip) in [(false, Flip::Both), (true, Flip::Reals), (true, Flip::Off)] {
            let config = AugmentConfig { cutout, flip, probability: 0.8, ..AugmentConfig::default() };
            let plan = Plan::draw(&config, &mut Rng::stream(5, "plan"), 6, (16, 24), false);
            let (x, dy) = (picture(6, 16, 24, 1), picture(6, 16, 24, 2));
            let zero = plan.apply(&Tensor::<f64>::zeros(x.shape()));
            let ax = plan.apply(&x);
            let back = plan.adjoint(&dy);
            let left: f64 = ax.data().iter().zip(zero.data()).zip(dy.data()).map(|((a, z), d)| (a - z) * d).sum();
            let right: f64 = x.data().iter().zip(back.data()).map(|(a, b)| a * b).sum();
            assert!((left - right).abs() < 1e-9 * left.abs().max(1.0), "<Ax, dy> = {left}, <x, A'dy> = {right}");
        }
    }

    #[test]
    fn nothing_drawn_changes_nothing() {
        let config = AugmentConfig { strength: 0.0, flip: Flip::Off, ..AugmentConfig::default() };
        let plan = Plan::draw(&config, &mut Rng::stream(5, "plan"), 3, (8, 8), true);
        let x = picture(3, 8, 8, 3);
        assert!(plan.apply(&x).data() == x.data(), "a plan of strength 0 changed something");
    }

    #[test]
    fn flips_obey_the_switch_and_ranges_hold() {
        let config = AugmentConfig { flip: Flip::Reals, probability: 1.0, ..AugmentConfig::default() };
        let fake = Plan::draw(&config, &mut Rng::stream(9, "plan"), 200, (64, 64), true);
        let real = Plan::draw(&config, &mut Rng::stream(9, "plan"), 200, (64, 64), false);
        assert!(fake.choices.iter().all(|c| !c.flip));
        let flips = real.choices.iter().filter(|c| c.flip).count();
        assert!((60..140).contains(&flips), "{flips} of 200 mirrored");
        assert!(real.choices.iter().all(|c| c.shift.0.abs() <= 8 && c.shift.1.abs() <= 8 && c.brightness.abs() <= 0.25));
        assert!(real.choices.iter().zip(&fake.choices).all(|(a, b)| a.shift == b.shift), "the switch moved the stream");
    }

    #[test]
    fn each_change_comes_with_its_probability() {
        let of = |probability| {
            let config = AugmentConfig { flip: Flip::Off, probability, ..AugmentConfig::default() };
            Plan::draw(&config, &mut Rng::stream(9, "plan"), 400, (64, 64), true).choices
        };
        let counts = |choices: &[Choice]| {
            let count = |f: fn(&Choice) -> bool| choices.iter().filter(|c| f(c)).count();
            [count(|c| c.brightness != 0.0), count(|c| c.shift != (0, 0)), count(|c| c.cut.is_some())]
        };
        assert_eq!(counts(&of(0.0)), [0; 3]);
        let (half, whole) = (of(0.5), of(1.0));
        assert!(counts(&half).iter().all(|c| (160..240).contains(c)), "{:?} of 400", counts(&half));
        assert!(counts(&whole).iter().all(|&c| c > 380), "{:?} of 400", counts(&whole));
        let pristine = half.iter().filter(|c| c.brightness == 0.0 && c.shift == (0, 0) && c.cut.is_none()).count();
        assert!((25..80).contains(&pristine), "{pristine} of 400 untouched: the three are drawn apart, so an eighth");
        let kept = half.iter().zip(&whole).filter(|(h, _)| h.shift != (0, 0)).all(|(h, w)| h.shift == w.shift);
        assert!(kept, "the probability moved the stream");
    }

    #[test]
    fn a_mirrored_shift_takes_the_right_pixel() {
        let plan = Plan {
            hw: (2, 4),
            choices: vec![Choice { flip: true, brightness: 0.0, saturation: 1.0, contrast: 1.0, shift: (0, 1), cut: None }],
        };
        let x = Tensor::<f64>::from_fn(&[1, 2, 4, 3], |i| (i / 3) as f64);
        let y = plan.apply(&x);
        let first: Vec<f64> = y.data().chunks(3).map(|p| p[0]).take(4).collect();
        for (got, want) in first.iter().zip([2.0, 1.0, 0.0, 0.0]) {
            assert!((got - want).abs() < 1e-12, "{first:?}");
        }
    }
}
