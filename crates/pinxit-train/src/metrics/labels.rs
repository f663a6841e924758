//! Does a picture look like the class it was asked for? The judge is the nearest class mean in feature space, taught on
//! real pictures: simple enough to be repeated anywhere, and its own accuracy on held-out reals is the ceiling to compare with.
use pinxit_tensor::{Array, Tensor};

/// Mean feature of every class, after scaling each feature by its spread over all pictures.
#[derive(Clone, Debug)]
pub struct ClassMeans {
    /// `[classes, d]`, scaled.
    means: Tensor,
    /// Squared length of each row of `means`; infinite for a class without pictures.
    squares: Vec<f64>,
    /// `1 / standard deviation` of every feature.
    scale: Vec<f32>,
}

impl ClassMeans {
    /// Learns from real features `[n, d]` and their classes.
    pub fn learn(features: &Tensor, class: &[u32], classes: usize) -> Self {
        let d = features.shape()[1];
        let rows = || features.data().chunks_exact(d);
        let (mut sum, mut square) = (vec![0f64; d], vec![0f64; d]);
        for row in rows() {
            for (j, &v) in row.iter().enumerate() {
                sum[j] += f64::from(v);
                square[j] += f64::from(v) * f64::from(v);
            }
        }
        let n = features.shape()[0].max(1) as f64;
        let scale: Vec<f32> =
            (0..d).map(|j| (1.0 / (square[j] / n - (sum[j] / n).powi(2)).max(0.0).sqrt().max(1e-3)) as f32).collect();
        let (mut means, mut counts) = (vec![0f64; classes * d], vec![0usize; classes]);
        for (row, &c) in rows().zip(class).filter(|(_, c)| (**c as usize) < classes) {
            counts[c as usize] += 1;
            means[c as usize * d..][..d].iter_mut().zip(row).zip(&scale).for_each(|((m, &v), &s)| *m += f64::from(v * s));
        }
        for (c, row) in means.chunks_exact_mut(d.max(1)).enumerate() {
            row.iter_mut().for_each(|m| *m /= counts[c].max(1) as f64);
        }
        let squares = means
            .chunks_exact(d.max(1))
            .zip(&counts)
            .map(|(row, &count)| if count == 0 { f64::INFINITY } else { row.iter().map(|v| v * v).sum() })
            .collect();
        ClassMeans { means: Tensor::new(&[classes, d], means.iter().map(|&v| v as f32).collect()), squares, scale }
    }

    /// The class whose mean is nearest to each row of `features` `[n, d]`.
    pub fn predict(&self, features: &Tensor) -> Vec<u32> {
        let d = features.shape()[1];
        let mut scaled = features.clone();
        crate::parallel::chunks(scaled.data_mut(), d, |_, row| row.iter_mut().zip(&self.scale).for_each(|(v, s)| *v *= s));
        let dots = scaled.matmul(&self.means, false, true);
        let nearest = |row: &[f32]| {
            let distance = |c: usize| self.squares[c] - 2.0 * f64::from(row[c]);
            (0..row.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0) as u32
        };
        dots.data().chunks_exact(self.squares.len().max(1)).map(nearest).collect()
    }

    /// Share of rows whose nearest mean is the class wanted.
    pub fn accuracy(&self, features: &Tensor, wanted: &[u32]) -> f64 {
        let right = self.predict(features).iter().zip(wanted).filter(|(a, b)| a == b).count();
        right as f64 / wanted.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separable_classes_are_told_apart() {
        let centre = [[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]];
        let class: Vec<u32> = (0..60).map(|i| i % 3).collect();
        let value = |i: usize| centre[i / 2 % 3][i % 2] + ((i * 7919) % 13) as f32 / 13.0 - 0.5;
        let features = Tensor::from_fn(&[60, 2], value);
        let judge = ClassMeans::learn(&features, &class, 4);
        assert_eq!(judge.predict(&features), class, "an empty fourth class is never chosen");
        assert_eq!(judge.accuracy(&features, &class), 1.0);
        let wrong: Vec<u32> = class.iter().map(|c| (c + 1) % 3).collect();
        assert_eq!(judge.accuracy(&features, &wrong), 0.0);
    }
}
