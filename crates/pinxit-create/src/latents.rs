//! Latents as the network reads them: one style vector w for each stage, coarse to fine (W+; Abdal et al. 2019, arXiv 1904.03189).
use pinxit_tensor::{Array, Tensor};

/// One w for each stage, each `[1, w_dim]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Latents {
    /// Coarse to fine.
    pub stages: Vec<Tensor>,
}

impl Latents {
    /// The same w in every stage.
    pub fn same(w: Tensor, stages: usize) -> Self {
        Latents { stages: vec![w; stages] }
    }

    /// From all numbers, stage after stage; `None` where they are not as many as `stages` vectors of `w_dim` hold.
    pub fn from_numbers(numbers: &[f32], stages: usize, w_dim: usize) -> Option<Self> {
        (numbers.len() == stages * w_dim && w_dim > 0)
            .then(|| Latents { stages: numbers.chunks(w_dim).map(|w| Tensor::new(&[1, w_dim], w.to_vec())).collect() })
    }

    /// All numbers, stage after stage.
    pub fn numbers(&self) -> Vec<f32> {
        self.stages.iter().flat_map(|w| w.data().iter().copied()).collect()
    }

    /// Changes the chosen stages; all of them where none is named.
    pub fn change(&mut self, stages: Option<&[usize]>, change: impl Fn(usize, &Tensor) -> Tensor) {
        for (i, w) in self.stages.iter_mut().enumerate() {
            if stages.is_none_or(|chosen| chosen.contains(&i)) {
                *w = change(i, w);
            }
        }
    }

    /// `by` of the straight way from here to `other`: 0 here, 1 there, beyond 1 past it.
    pub fn toward(&self, other: &Latents, by: f64) -> Latents {
        let pairs = self.stages.iter().zip(&other.stages);
        Latents { stages: pairs.map(|(a, b)| lerp(a, b, by)).collect() }
    }
}

/// `a + by (b - a)`.
pub fn lerp(a: &Tensor, b: &Tensor, by: f64) -> Tensor {
    match by {
        0.0 => a.clone(),
        1.0 => b.clone(),
        by => a.add(&b.sub(a).scale(by)),
    }
}

/// `by` of the way along the great circle from `a` to `b` (Shoemake 1985), lengths going over evenly: between two samples of a normal
/// distribution a straight way would pass through latents that are too short ever to be drawn.
pub fn slerp(a: &Tensor, b: &Tensor, by: f64) -> Tensor {
    let dot = |x: &Tensor, y: &Tensor| x.data().iter().zip(y.data()).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let (la, lb) = (dot(a, a).sqrt(), dot(b, b).sqrt());
    if by == 0.0 || by == 1.0 || la == 0.0 || lb == 0.0 {
        return lerp(a, b, by);
    }
    let angle = (dot(a, b) / (la * lb)).clamp(-1.0, 1.0).acos();
    if angle.sin() < 1e-6 {
        return lerp(a, b, by);
    }
    let length = la + by * (lb - la);
    let part = |share: f64, own: f64| (share * angle).sin() / angle.sin() * length / own;
    a.scale(part(1.0 - by, la)).add(&b.scale(part(by, lb)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinxit_tensor::Rng;

    fn length(t: &Tensor) -> f64 {
        t.data().iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn the_great_circle_keeps_its_length_and_its_ends() {
        let mut rng = Rng::new(5);
        let (a, b) = (rng.normal_tensor::<f32>(&[1, 128]), rng.normal_tensor::<f32>(&[1, 128]));
        assert_eq!((slerp(&a, &b, 0.0), slerp(&a, &b, 1.0)), (a.clone(), b.clone()));
        let middle = slerp(&a, &b, 0.5);
        assert!((length(&middle) - (length(&a) + length(&b)) / 2.0).abs() < 1e-4);
        assert!(length(&lerp(&a, &b, 0.5)) < 0.8 * length(&middle), "the straight way is shorter");
        let quarter = slerp(&a, &middle, 0.5);
        let whole = slerp(&a, &b, 0.25);
        assert!(quarter.data().iter().zip(whole.data()).all(|(x, y)| (x - y).abs() < 0.02), "even steps along the circle");
        assert_eq!(slerp(&a, &a, 0.3), a);
    }

    #[test]
    fn stages_are_changed_one_by_one() {
        let mut latents = Latents::from_numbers(&[1.0, 2.0, 3.0, 4.0], 2, 2).unwrap();
        latents.change(Some(&[1]), |i, w| w.scale(10.0 * i as f64));
        assert_eq!(latents.numbers(), [1.0, 2.0, 30.0, 40.0]);
        assert!(Latents::from_numbers(&[1.0, 2.0, 3.0], 2, 2).is_none());
    }
}
