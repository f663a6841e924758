//! Adam and the moving average against their definitions in plain arithmetic.
use crate::optim::{AdamStep, adam_step, all_finite, ema_step};
use crate::{Rng, Tensor};

/// More than two tasks, and not a whole number of them.
const N: usize = 40_001;

fn adam(beta1: f64) {
    let mut rng = Rng::new(1);
    let start: Tensor<f32> = rng.normal_tensor(&[N]);
    let (mut w, mut m, mut v) = (start.clone(), Tensor::zeros(&[N]), Tensor::zeros(&[N]));
    let mut expected: Vec<[f64; 3]> = start.data().iter().map(|&w| [f64::from(w), 0.0, 0.0]).collect();
    let step = AdamStep { lr: 1e-2, beta1, beta2: 0.99, eps: 1e-8, t: 0 };
    for t in 1..=5 {
        let g: Tensor<f32> = rng.normal_tensor(&[N]);
        adam_step(&mut w, &mut m, &mut v, &g, AdamStep { t, ..step });
        for ([w, m, v], &g) in expected.iter_mut().zip(g.data()) {
            let g = f64::from(g);
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = 0.99 * *v + 0.01 * g * g;
            let (mean, square) = (*m / (1.0 - beta1.powi(t as i32)), *v / (1.0 - 0.99f64.powi(t as i32)));
            *w -= 1e-2 * mean / (square.sqrt() + 1e-8);
        }
    }
    w.data().iter().zip(&expected).for_each(|(&a, [b, ..])| assert!((f64::from(a) - b).abs() < 2e-6, "{a} is not {b}"));
    if beta1 == 0.0 {
        assert_eq!(m, Tensor::zeros(&[N]), "without memory the mean is not needed");
    }
}

#[test]
fn adam_follows_the_paper() {
    adam(0.9);
}

#[test]
fn adam_without_momentum() {
    adam(0.0);
}

#[test]
fn adam_finds_a_minimum() {
    let target = [3.0f32, -2.0, 0.5];
    let (mut w, mut m, mut v) = (Tensor::<f32>::zeros(&[3]), Tensor::zeros(&[3]), Tensor::zeros(&[3]));
    for t in 1..=800 {
        let g = Tensor::from_fn(&[3], |i| 2.0 * (w.data()[i] - target[i]));
        adam_step(&mut w, &mut m, &mut v, &g, AdamStep { lr: 0.03, beta1: 0.9, beta2: 0.99, eps: 1e-8, t });
    }
    w.data().iter().zip(target).for_each(|(a, b)| assert!((a - b).abs() < 0.02, "{w:?}"));
}

#[test]
fn the_average_moves_by_its_share() {
    let (mut a, w) = (Tensor::<f32>::full(&[N], 1.0), Tensor::full(&[N], 5.0));
    let shared = a.clone();
    ema_step(&mut a, &w, 0.75);
    assert_eq!(a, Tensor::full(&[N], 2.0));
    assert_eq!(shared, Tensor::full(&[N], 1.0), "a copy of the average stays as it was");
}

#[test]
fn one_broken_number_is_found() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in [0, N / 2, N - 1] {
            let mut t = Tensor::<f32>::full(&[N], f32::MAX);
            assert!(all_finite(&t));
            t.data_mut()[at] = bad;
            assert!(!all_finite(&t), "{bad} at {at}");
        }
    }
    assert!(all_finite(&Tensor::<f32>::zeros(&[0])));
}
