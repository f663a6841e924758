//! Every operation against central finite differences in `f64`, to first and to second order.
use super::away_from_zero;
use super::cases::{Case, V, all};
use crate::op::Op;
use crate::{Array, Rng, Tape, Tensor, backward, grad, grad_seeded};
use std::collections::BTreeSet;

const STEP: f64 = 1e-5;

fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    a.data().iter().zip(b.data()).map(|(x, y)| x * y).sum()
}

fn inputs(c: &Case, rng: &mut Rng) -> Vec<Tensor<f64>> {
    let one = |s: &Vec<usize>| {
        let t = away_from_zero(rng, s);
        if c.positive { Tensor::from_fn(s, |i| t.data()[i].abs()) } else { t }
    };
    c.shapes.iter().map(one).collect()
}

fn normal(rng: &mut Rng, like: &Tensor<f64>) -> Tensor<f64> {
    rng.normal_tensor(like.shape())
}

/// `df/dx` element by element.
fn finite(x: &[Tensor<f64>], f: impl Fn(&[Tensor<f64>]) -> f64) -> Vec<Tensor<f64>> {
    let mut at = x.to_vec();
    let mut grads = Vec::new();
    for k in 0..x.len() {
        let mut g = Tensor::zeros(x[k].shape());
        for i in 0..x[k].len() {
            let v = x[k].data()[i];
            let mut value = |v| {
                at[k].data_mut()[i] = v;
                f(&at)
            };
            let slope = (value(v + STEP) - value(v - STEP)) / (2.0 * STEP);
            value(v);
            g.data_mut()[i] = slope;
        }
        grads.push(g);
    }
    grads
}

fn assert_close(what: &str, ours: &[Tensor<f64>], theirs: &[Tensor<f64>]) {
    for (k, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert_eq!(a.shape(), b.shape(), "{what}: shape of gradient {k}");
        for (i, (x, y)) in a.data().iter().zip(b.data()).enumerate() {
            assert!((x - y).abs() <= 2e-7 * (1.0 + y.abs() * 10.0), "{what}: gradient {k} at {i} is {x}, differences say {y}");
        }
    }
}

fn leaves(tape: &Tape<f64>, x: &[Tensor<f64>]) -> Vec<V> {
    x.iter().map(|t| tape.leaf(t.clone())).collect()
}

/// First-order gradients of `<f(x), r>`.
fn first_order(c: &Case, x: &[Tensor<f64>], r: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let v = leaves(&tape, x);
    backward(&[(&(c.f)(&v), r.clone())], &v.iter().collect::<Vec<_>>())
}

/// Gradients in `x` and `r` of `<d<f(x), r>/dx, s>`.
fn second_order(c: &Case, x: &[Tensor<f64>], r: &Tensor<f64>, s: &[Tensor<f64>]) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let (v, r) = (leaves(&tape, x), tape.leaf(r.clone()));
    let wrt: Vec<&V> = v.iter().collect();
    let first = grad_seeded(&[(&(c.f)(&v), r.clone())], &wrt);
    let parts: Vec<V> = first.iter().zip(s).map(|(g, s)| g.mul(&g.lift(s.clone())).sum().reshape(&[1])).collect();
    let total = parts[1..].iter().fold(parts[0].clone(), |a, b| a.add(b));
    grad(&total, &[&wrt[..], &[&r]].concat()).iter().map(|g| g.tensor()).collect()
}

fn check(c: &Case, seed: u64) {
    let mut rng = Rng::new(seed);
    let x = inputs(c, &mut rng);
    let tape = Tape::new();
    let value = |x: &[Tensor<f64>]| (c.f)(&x.iter().map(|t| tape.constant(t.clone())).collect::<Vec<_>>()).tensor();
    let r = normal(&mut rng, &value(&x));
    let what = format!("{} {:?}", c.name, c.shapes);

    let ours = first_order(c, &x, &r);
    assert_close(&what, &ours, &finite(&x, |x| dot(&value(x), &r)));

    let s: Vec<_> = x.iter().map(|t| normal(&mut rng, t)).collect();
    let with_r = [&x[..], std::slice::from_ref(&r)].concat();
    let projected = |at: &[Tensor<f64>]| {
        let (r, x) = at.split_last().unwrap();
        first_order(c, x, r).iter().zip(&s).map(|(g, s)| dot(g, s)).sum()
    };
    assert_close(&format!("{what}, second order"), &second_order(c, &x, &r, &s), &finite(&with_r, projected));
    assert!(tape.is_empty(), "{what}: constants left nodes");
}

#[test]
fn every_operation_agrees_with_finite_differences_twice() {
    for (i, c) in all().iter().enumerate() {
        check(c, i as u64);
    }
}

#[test]
fn every_operation_has_a_case() {
    let mut seen = BTreeSet::new();
    for c in all() {
        let tape = Tape::new();
        (c.f)(&leaves(&tape, &inputs(&c, &mut Rng::new(1))));
        seen.extend(tape.operations());
    }
    let missing: Vec<_> = Op::ALL.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "operations without a gradient check: {missing:?}");
}

#[test]
fn recorded_and_eager_gradients_are_the_same() {
    for c in all() {
        let mut rng = Rng::new(3);
        let x = inputs(&c, &mut rng);
        let tape = Tape::new();
        let v = leaves(&tape, &x);
        let (y, wrt) = ((c.f)(&v), v.iter().collect::<Vec<_>>());
        let r = normal(&mut rng, y.value());
        let recorded = grad_seeded(&[(&y, tape.constant(r.clone()))], &wrt);
        let eager = backward(&[(&y, r)], &wrt);
        let recorded: Vec<_> = recorded.iter().map(|g| g.tensor()).collect();
        assert_close(c.name, &recorded, &eager);
    }
}

#[test]
fn third_order_of_a_product_of_functions() {
    // d3/dx3 of x^3 e^x is (x^3 + 9 x^2 + 18 x + 6) e^x.
    let tape = Tape::new();
    let x = tape.leaf(Tensor::<f64>::full(&[1], 0.7));
    let mut y = x.mul(&x).mul(&x).mul(&x.exp());
    for _ in 0..3 {
        y = grad(&y, &[&x]).remove(0);
    }
    let v: f64 = 0.7;
    let expected = (v.powi(3) + 9.0 * v * v + 18.0 * v + 6.0) * v.exp();
    assert!((y.value().item() - expected).abs() < 1e-12 * expected, "{} is not {expected}", y.value().item());
}
