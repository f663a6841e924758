//! The tape as a network uses it: exact R1 by differentiating twice, frozen weights, what is kept and what is not.
use super::away_from_zero;
use crate::{Array, ConvSpec, Rng, Tape, Tensor, Var, backward, grad};

/// A small discriminator: convolution, bias, leaky ReLU, pooling, convolution, mean.
fn scores<A: Array>(x: &A, w: &[A]) -> A {
    let h = x.conv(&w[0], ConvSpec::same(3)).bias_leaky_relu(&w[1], 0.2, 1.4);
    let h = h.pool2().conv(&w[2], ConvSpec::new(2, 1)).add_bias(&w[3]).leaky_relu(0.2);
    let n = h.shape()[0];
    h.mean_to(&[n, 1, 1, 1])
}

const WEIGHTS: [&[usize]; 4] = [&[3, 3, 2, 4], &[4], &[3, 3, 4, 3], &[3]];

fn weights(rng: &mut Rng) -> Vec<Tensor<f64>> {
    WEIGHTS.iter().map(|s| away_from_zero(rng, s)).collect()
}

/// `1/2 |ds/dx|^2`, on the tape.
fn penalty(x: &Var<f64>, w: &[Var<f64>]) -> Var<f64> {
    grad(&scores(x, w).sum(), &[x])[0].square().sum().scale(0.5)
}

fn leaves(tape: &Tape<f64>, t: &[Tensor<f64>]) -> Vec<Var<f64>> {
    t.iter().map(|t| tape.leaf(t.clone())).collect()
}

#[test]
fn r1_by_differentiating_twice_is_exact() {
    let mut rng = Rng::new(5);
    let (x, mut w) = (away_from_zero(&mut rng, &[2, 6, 4, 2]), weights(&mut rng));
    let tape = Tape::new();
    let (xv, wv) = (tape.leaf(x.clone()), leaves(&tape, &w));
    let y = penalty(&xv, &wv);
    let ours = backward(&[(&y, Tensor::full(y.value().shape(), 1.0))], &wv.iter().collect::<Vec<_>>());
    let value = |w: &[Tensor<f64>]| {
        let tape = Tape::new();
        let wv: Vec<_> = w.iter().map(|t| tape.constant(t.clone())).collect();
        penalty(&tape.leaf(x.clone()), &wv).value().data()[0]
    };
    for k in 0..w.len() {
        for i in 0..w[k].len() {
            let v = w[k].data()[i];
            let mut at = |v| {
                w[k].data_mut()[i] = v;
                value(&w)
            };
            let slope = (at(v + 1e-6) - at(v - 1e-6)) / 2e-6;
            at(v);
            let g = ours[k].data()[i];
            assert!((g - slope).abs() < 1e-6 * (1.0 + slope.abs()), "weight {k} at {i}: {g}, differences say {slope}");
        }
    }
    assert!(ours[1].data().iter().all(|&g| g == 0.0), "R1 does not depend on biases");
}

#[test]
fn frozen_weights_cost_no_weight_gradient() {
    let mut rng = Rng::new(6);
    let (x, w) = (away_from_zero(&mut rng, &[1, 4, 4, 2]), weights(&mut rng));
    let count = |freeze_weights: bool, wrt_weights: bool| {
        let tape = Tape::new();
        let make = |t: &Tensor<f64>, frozen: bool| if frozen { tape.constant(t.clone()) } else { tape.leaf(t.clone()) };
        let xv = make(&x, !freeze_weights && wrt_weights);
        let wv: Vec<_> = w.iter().map(|t| make(t, freeze_weights)).collect();
        let y = scores(&xv, &wv).sum();
        let wrt: Vec<_> = if wrt_weights { wv.iter().collect() } else { vec![&xv] };
        grad(&y, &wrt);
        // Gradients by constants alone are constants and leave no node, so ask the backward pass through a tracked seed.
        let seed = tape.leaf(Tensor::full(y.value().shape(), 1.0));
        let before = tape.len();
        crate::grad_seeded(&[(&y, seed)], &wrt);
        let names = tape.operations()[before..].to_vec();
        let of = |name: &str| names.iter().filter(|&&n| n == name).count();
        (of("ConvInputGrad"), of("ConvWeightGrad"))
    };
    assert_eq!(count(true, false), (2, 0), "frozen weights: the input's gradient only");
    assert_eq!(count(false, false), (2, 0), "weights not asked for: the input's gradient only");
    assert_eq!(count(false, true), (1, 2), "input constant: its gradient is not computed at the first layer");
}

#[test]
fn a_network_of_constants_leaves_nothing_on_the_tape() {
    let mut rng = Rng::new(7);
    let tape = Tape::new();
    let w: Vec<_> = weights(&mut rng).into_iter().map(|t| tape.constant(t)).collect();
    let x = tape.constant(away_from_zero(&mut rng, &[1, 4, 4, 2]));
    assert!(!scores(&x, &w).needs_grad());
    assert!(tape.is_empty());
}

#[test]
fn gradients_are_zero_where_nothing_flows() {
    let tape = Tape::new();
    let (a, b) = (tape.leaf(Tensor::<f64>::full(&[2], 3.0)), tape.leaf(Tensor::full(&[3], 2.0)));
    let y = a.square().sum();
    let constant = tape.constant(Tensor::full(&[4], 1.0));
    let g = grad(&y, &[&b, &a, &constant]);
    assert_eq!(g[0].value(), &Tensor::zeros(&[3]));
    assert_eq!(g[1].value(), &Tensor::full(&[2], 6.0));
    assert_eq!(g[2].value(), &Tensor::zeros(&[4]));
    let detached = y.detach().mul(&y);
    assert_eq!(grad(&detached, &[&a])[0].value(), &Tensor::full(&[2], 18.0 * 6.0));
}

#[test]
fn a_gradient_asked_halfway_includes_what_flows_past_it() {
    let tape = Tape::new();
    let a = tape.leaf(Tensor::<f64>::full(&[1], 2.0));
    let h = a.square();
    let y = h.mul(&h).add(&h);
    let g = backward(&[(&y, Tensor::full(&[1], 1.0))], &[&h, &a, &h]);
    assert_eq!([g[0].item(), g[1].item(), g[2].item()], [9.0, 36.0, 9.0]);
}

#[test]
fn seeds_of_several_outputs_add_up() {
    let tape = Tape::new();
    let a = tape.leaf(Tensor::<f64>::full(&[1], 2.0));
    let (y, z) = (a.square(), a.exp());
    let g = backward(&[(&y, Tensor::full(&[1], 3.0)), (&z, Tensor::full(&[1], 1.0)), (&y, Tensor::full(&[1], 1.0))], &[&a]);
    assert!((g[0].item() - (16.0 + 2.0f64.exp())).abs() < 1e-12);
}

#[test]
#[should_panic(expected = "before the tape was reset")]
fn a_value_of_a_reset_tape_is_refused() {
    let tape = Tape::<f64>::new();
    let a = tape.leaf(Tensor::full(&[1], 2.0));
    tape.reset();
    a.square();
}
