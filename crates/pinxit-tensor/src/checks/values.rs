//! Values of the eager operations against their definitions, at sizes that take every path of the loops.
use crate::{Array, Rng, Tensor};
use std::sync::Arc;

/// Element of `t` under position `at` of a broadcast.
fn at(t: &Tensor<f64>, position: &[usize]) -> f64 {
    let i = t.shape().iter().zip(position).fold(0, |i, (&len, &p)| i * len + if len == 1 { 0 } else { p });
    t.data()[i]
}

fn positions(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let shape = shape.to_vec();
    (0..shape.iter().product()).map(move |mut i| {
        let mut p: Vec<usize> = shape.iter().rev().map(|&len| (i % len, i /= len).0).collect();
        p.reverse();
        p
    })
}

#[test]
fn broadcasts_agree_with_the_definition() {
    let mut rng = Rng::new(1);
    // Large enough for several tasks.
    let full = [3, 37, 41, 5];
    let x: Tensor<f64> = rng.normal_tensor(&full);
    let masks = 0..16u32;
    for mask in masks {
        let shape: Vec<usize> = (0..4).map(|k| if mask >> k & 1 == 1 { full[k] } else { 1 }).collect();
        let b: Tensor<f64> = rng.normal_tensor(&shape);
        let (sum, diff, wide) = (x.add(&b), b.sub(&x), b.broadcast_to(&full));
        let mut sums = Tensor::<f64>::zeros(&shape);
        for (i, p) in positions(&full).enumerate() {
            let (v, u) = (x.data()[i], at(&b, &p));
            assert_eq!((sum.data()[i], diff.data()[i], wide.data()[i]), (v + u, u - v, u), "{shape:?} at {p:?}");
            let j = shape.iter().zip(&p).fold(0, |j, (&len, &p)| j * len + if len == 1 { 0 } else { p });
            sums.data_mut()[j] += v;
        }
        let ours = x.sum_to(&shape);
        assert_eq!(ours.shape(), sums.shape());
        ours.data().iter().zip(sums.data()).for_each(|(a, b)| assert!((a - b).abs() < 1e-9, "{shape:?}: {a} is not {b}"));
    }
}

#[test]
fn both_sides_may_broadcast() {
    let mut rng = Rng::new(2);
    let (a, b): (Tensor<f64>, Tensor<f64>) = (rng.normal_tensor(&[2, 1, 5, 1]), rng.normal_tensor(&[1, 3, 1, 7]));
    let y = a.mul(&b);
    assert_eq!(y.shape(), [2, 3, 5, 7]);
    positions(&[2, 3, 5, 7]).enumerate().for_each(|(i, p)| assert_eq!(y.data()[i], at(&a, &p) * at(&b, &p)));
}

#[test]
fn sums_of_a_million_small_numbers_keep_their_digits() {
    let x = Tensor::<f32>::full(&[16, 256, 256, 1], 0.1);
    let n = x.len() as f32;
    assert!((x.sum().item() - 0.1 * n).abs() < 0.1 * n * 1e-7);
    let x = Tensor::<f32>::full(&[16, 64, 64, 24], 0.1);
    let y = x.sum_to(&[1, 1, 1, 24]);
    assert!(y.data().iter().all(|v| (v - 6553.6).abs() < 6553.6 * 1e-7), "{y:?}");
}

#[test]
fn broad_rows_are_summed_as_narrow_ones_are() {
    let x: Tensor<f64> = Rng::new(4).normal_tensor(&[2, 5, 9001]);
    let (sums, squares) = (x.sum_to(&[2, 1, 9001]), x.square_sum_to(&[1, 1, 9001]));
    for i in 0..9001 {
        let of = |o: usize| (0..5).map(move |r| (o * 5 + r) * 9001 + i);
        let sum = |o| of(o).map(|at| x.data()[at]).sum::<f64>();
        let square = |o| of(o).map(|at| x.data()[at].powi(2)).sum::<f64>();
        assert!((sums.data()[i] - sum(0)).abs() < 1e-12 && (sums.data()[9001 + i] - sum(1)).abs() < 1e-12, "column {i}");
        assert!((squares.data()[i] - square(0) - square(1)).abs() < 1e-12, "squares of column {i}");
    }
}

#[test]
fn resize_is_bilinear_with_half_pixel_centres() {
    let x = Tensor::<f64>::new(&[1, 1, 4, 1], vec![0.0, 10.0, 20.0, 30.0]);
    assert_eq!(x.resize((1, 2)).data(), [5.0, 25.0]);
    assert_eq!(x.resize((1, 4)), x);
    assert_eq!(x.upsample2().narrow(1, 0, 1).data(), [0.0, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5, 30.0]);
    // PyTorch: interpolate([1., 2., 4.], size=5, mode='linear', align_corners=False).
    let y = Tensor::<f64>::new(&[1, 3, 1, 1], vec![1.0, 2.0, 4.0]).resize((5, 1));
    y.data().iter().zip([1.0, 1.4, 2.0, 3.2, 4.0]).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{y:?}"));
}

#[test]
fn larger_resampling_agrees_with_two_passes_by_hand() {
    let mut rng = Rng::new(4);
    let x: Tensor<f64> = rng.normal_tensor(&[2, 9, 33, 17]);
    let (ho, wo) = (20, 47);
    let y = x.resize((ho, wo));
    let sample = |o: usize, from: usize, to: usize| {
        let s = ((o as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
        let i = (s as usize).min(from - 1);
        (i, (i + 1).min(from - 1), s - i as f64)
    };
    for (k, p) in positions(y.shape()).enumerate() {
        let ((y0, y1, fy), (x0, x1, fx)) = (sample(p[1], 9, ho), sample(p[2], 33, wo));
        let v = |i, j| at(&x, &[p[0], i, j, p[3]]);
        let expected = (v(y0, x0) * (1.0 - fx) + v(y0, x1) * fx) * (1.0 - fy) + (v(y1, x0) * (1.0 - fx) + v(y1, x1) * fx) * fy;
        assert!((y.data()[k] - expected).abs() < 1e-12, "at {p:?}");
    }
}

#[test]
fn pooling_and_depth_keep_the_stated_order() {
    let x = Tensor::<f64>::from_fn(&[1, 2, 4, 2], |i| i as f64);
    assert_eq!(x.pool2().data(), [5.0, 6.0, 9.0, 10.0]);
    let y = x.space_to_depth();
    assert_eq!(y.shape(), [1, 1, 2, 8]);
    assert_eq!(y.data()[..8], [0.0, 1.0, 2.0, 3.0, 8.0, 9.0, 10.0, 11.0]);
    assert_eq!(y.depth_to_space(), x);
    assert_eq!(Tensor::<f64>::full(&[1, 1, 1, 1], 4.0).pool2_grad(), Tensor::full(&[1, 2, 2, 1], 1.0));
}

#[test]
fn pixels_move_by_index() {
    let x = Tensor::<f64>::from_fn(&[1, 2, 2, 2], |i| i as f64);
    let map: Arc<[u32]> = [3, u32::MAX, 0].into();
    let y = x.gather_pixels(&map, (1, 3));
    assert_eq!(y.data(), [6.0, 7.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(y.scatter_pixels(&map, (2, 2)).data(), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 6.0, 7.0]);
}

#[test]
fn activations_hold_at_the_ends() {
    let x = Tensor::<f32>::new(&[4], vec![-200.0, -20.0, 20.0, 200.0]);
    let s = x.sigmoid().to_vec();
    assert!(s[0] >= 0.0 && s[0] < 1e-30 && s[3] == 1.0 && (s[1] / 2.0611537e-9 - 1.0).abs() < 1e-5, "{s:?}");
    let p = x.softplus().to_vec();
    assert!(p[0] < 1e-30 && p[3] == 200.0 && (p[1] / 2.0611537e-9 - 1.0).abs() < 1e-5, "{p:?}");
    let sick = Tensor::<f32>::new(&[3], vec![f32::NAN, 9.0, -9.0]).clamp(0.0, 6.0).to_vec();
    assert!(sick[0].is_nan() && sick[1] == 6.0 && sick[2] == 0.0, "clamping must not hide a NaN");
    assert!(Tensor::<f32>::full(&[1], f32::NAN).softplus().item().is_nan());
    assert!(Tensor::<f32>::full(&[1], f32::NAN).leaky_relu(0.2).item().is_nan());
}

#[test]
fn writing_to_a_shared_tensor_copies() {
    let a = Tensor::<f32>::zeros(&[4]);
    let mut b = a.clone();
    b.data_mut()[0] = 1.0;
    assert_eq!((a.data()[0], b.data()[0]), (0.0, 1.0));
    let r = b.reshape(&[2, 2]);
    b.data_mut()[1] = 2.0;
    assert_eq!((r.data()[1], b.data()[1]), (0.0, 2.0));
    assert_eq!(b.cast::<f64>().data(), [1.0, 2.0, 0.0, 0.0]);
}

#[test]
fn buffers_start_on_a_cache_line() {
    for n in [1, 3, 17, 1000] {
        assert_eq!(Tensor::<f32>::zeros(&[n]).data().as_ptr() as usize % 64, 0);
    }
    assert_eq!(Tensor::<f32>::zeros(&[0, 3]).sum_to(&[1, 3]), Tensor::zeros(&[1, 3]));
}

#[test]
fn a_product_summed_at_once_is_the_same_sum() {
    let mut rng = Rng::new(8);
    for c in [1, 3, 17, 40] {
        let (a, b): (Tensor<f32>, Tensor<f32>) = (rng.normal_tensor(&[3, 33, 35, c]), rng.normal_tensor(&[3, 33, 35, c]));
        for shape in [[1, 1, 1, c], [3, 1, 1, c], [3, 1, 1, 1], [3, 33, 35, 1], [1, 33, 35, c], [1, 1, 1, 1], [1, 33, 1, c]] {
            assert_eq!(a.mul_sum_to(&b, &shape), a.mul(&b).sum_to(&shape), "{shape:?}");
        }
    }
    let (a, b): (Tensor<f32>, Tensor<f32>) = (rng.normal_tensor(&[2, 5, 3]), rng.normal_tensor(&[2, 1, 3]));
    assert_eq!(a.mul_sum_to(&b, &[1, 1, 3]), a.mul(&b).sum_to(&[1, 1, 3]));
}

#[test]
fn tensors_travel_between_threads() {
    fn travels<T: Send + Sync>() {}
    travels::<Tensor<f32>>();
    let t = Tensor::<f32>::from_fn(&[1000], |i| i as f32);
    let sums: Vec<f32> = std::thread::scope(|s| {
        let jobs: Vec<_> = (0..4).map(|_| s.spawn(|| (0..50).map(|_| t.scale(2.0).sum().item()).sum::<f32>())).collect();
        jobs.into_iter().map(|j| j.join().unwrap()).collect()
    });
    assert_eq!(sums, [50.0 * 999_000.0; 4]);
}

#[test]
fn what_is_done_in_place_is_what_is_done_apart() {
    // Longer than a block, and no sample as long as one.
    let tensor = |seed| Rng::new(seed).normal_tensor::<f64>(&[3, 7, 1001]);
    let (a, b, factors) = (tensor(1), tensor(2), [0.5, -2.0, 3.0]);
    let each = Tensor::new(&[3, 1, 1], factors.to_vec());
    for shared in [false, true] {
        let of = || if shared { a.clone() } else { tensor(1) };
        assert_eq!(of().plus(b.clone()), a.add(&b));
        assert_eq!(of().side(&b, 0.2), a.leaky_relu_grad(&b, 0.2));
        assert_eq!(of().plus_scaled(&b, &factors), a.add(&b.mul(&each)));
        assert_eq!(a, tensor(1), "numbers that another tensor shares have changed");
    }
}
