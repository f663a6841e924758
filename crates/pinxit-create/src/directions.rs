//! Directions in w without labels: what changes a picture most.
//!
//! SeFa (Shen and Zhou 2021, arXiv 2007.06600) reads them off the weights: the eigenvectors of `A A^T`, where the columns of A are the
//! affine maps by which the stages read w. GANSpace (Härkönen et al. 2020, arXiv 2004.02546) reads them off samples: the principal
//! components of w. A direction of the artist's own is the difference between the pictures she picked and those she did not.
use nalgebra::{DMatrix, SymmetricEigen};
use pinxit_tensor::Tensor;

/// Directions of unit length with what they weigh, heaviest first.
#[derive(Clone, Debug)]
pub struct Directions {
    /// Each of length `w_dim`. The largest entry is positive, so that the sign is the same everywhere.
    pub vectors: Vec<Vec<f32>>,
    /// Eigenvalue of each: for principal components the variance along it.
    pub weights: Vec<f64>,
}

/// Eigenvectors of the `affine` maps `[w_dim, outputs]` side by side, at most `most`.
///
/// Each column is scaled to unit length first, as the paper's code does for the weights of every layer, so that one strong channel does not
/// outweigh all others.
pub fn sefa(affine: &[&Tensor], most: usize) -> Directions {
    let dim = affine.first().map_or(0, |a| a.shape()[0]);
    let mut gram = DMatrix::<f64>::zeros(dim, dim);
    for a in affine {
        let columns = a.shape()[1];
        let mut a = DMatrix::<f64>::from_row_iterator(dim, columns, a.data().iter().map(|&v| f64::from(v)));
        for mut column in a.column_iter_mut() {
            let norm = column.norm();
            if norm > 0.0 {
                column /= norm;
            }
        }
        gram += &a * a.transpose();
    }
    leading(gram, most)
}

/// Principal components of samples `[n, w_dim]`, at most `most`.
pub fn principal(samples: &Tensor, most: usize) -> Directions {
    let &[n, dim] = samples.shape() else { panic!("samples are [n, w_dim], not {:?}", samples.shape()) };
    let mut x = DMatrix::<f64>::from_row_iterator(n, dim, samples.data().iter().map(|&v| f64::from(v)));
    for mut column in x.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    let covariance = x.transpose() * &x / (n.max(2) - 1) as f64;
    leading(covariance, most)
}

/// Mean of `toward` minus mean of `away`, both `[n, w_dim]`, and its length; `None` where the two are the same.
pub fn between(toward: &Tensor, away: &Tensor) -> Option<(Vec<f32>, f64)> {
    let (a, b) = (mean(toward), mean(away));
    let difference: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    let length = difference.iter().map(|d| d * d).sum::<f64>().sqrt();
    (length > 1e-9).then(|| (difference.iter().map(|d| (d / length) as f32).collect(), length))
}

fn mean(rows: &Tensor) -> Vec<f64> {
    let &[n, dim] = rows.shape() else { panic!("rows are [n, w_dim], not {:?}", rows.shape()) };
    let mut sum = vec![0.0; dim];
    for row in rows.data().chunks_exact(dim) {
        sum.iter_mut().zip(row).for_each(|(s, &v)| *s += f64::from(v) / n as f64);
    }
    sum
}

fn leading(symmetric: DMatrix<f64>, most: usize) -> Directions {
    let eigen = SymmetricEigen::new(symmetric);
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    order.truncate(most);
    let vector = |&i: &usize| {
        let column = eigen.eigenvectors.column(i);
        let largest = column.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
        column.iter().map(|v| (v * largest.signum()) as f32).collect()
    };
    Directions { vectors: order.iter().map(vector).collect(), weights: order.iter().map(|&i| eigen.eigenvalues[i]).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinxit_tensor::Rng;

    #[test]
    fn principal_components_find_the_long_axes() {
        let mut rng = Rng::new(3);
        let noise = rng.normal_tensor::<f32>(&[4000, 3]);
        let samples = Tensor::from_fn(&[4000, 3], |i| noise.data()[i] * [0.5, 3.0, 1.0][i % 3] + 7.0);
        let found = principal(&samples, 2);
        assert!(found.vectors[0][1] > 0.999 && found.vectors[1][2] > 0.999, "{found:?}");
        assert!((found.weights[0] - 9.0).abs() < 0.5 && found.vectors.len() == 2);
    }

    #[test]
    fn sefa_finds_what_every_output_reads() {
        // Three outputs that read the first coordinate, one that reads the second, and much stronger: unit columns count alike.
        let affine = Tensor::new(&[2, 4], vec![1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 50.0]);
        let found = sefa(&[&affine], 2);
        assert!(found.vectors[0][0] > 0.999, "{found:?}");
        assert!((found.weights[0] - 3.0).abs() < 1e-9 && (found.weights[1] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn picked_pictures_make_a_direction() {
        let toward = Tensor::new(&[2, 2], vec![3.0, 0.0, 5.0, 0.0]);
        let away = Tensor::new(&[1, 2], vec![0.0, 3.0]);
        let (vector, length) = between(&toward, &away).unwrap();
        assert!((length - 5.0).abs() < 1e-9 && (vector[0] - 0.8).abs() < 1e-6 && (vector[1] + 0.6).abs() < 1e-6);
        assert!(between(&away, &away).is_none());
    }
}
