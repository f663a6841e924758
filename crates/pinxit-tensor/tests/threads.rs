//! Same machine, same bytes: results do not depend on the number of threads.
use pinxit_tensor::optim::{AdamStep, adam_step};
use pinxit_tensor::{Array, ConvSpec, Rng, Tape, Tensor, backward, set_threads_exactly};
use std::sync::Arc;

/// Passes through every kind of loop at sizes of several tasks.
fn work() -> Vec<Vec<f32>> {
    let mut rng = Rng::new(1);
    let tape = Tape::new();
    let x = tape.leaf(rng.normal_tensor::<f32>(&[3, 40, 36, 6]));
    let (w, b) = (tape.leaf(rng.normal_tensor(&[3, 3, 6, 10])), tape.leaf(rng.normal_tensor(&[10])));
    let d = tape.leaf(rng.normal_tensor(&[3, 3, 10]));
    let style = tape.leaf(rng.normal_tensor(&[3, 1, 1, 10]));
    let h = x.conv(&w, ConvSpec::same(3)).bias_leaky_relu(&b, 0.2, 1.4).mul(&style);
    let h = h.upsample2().depthwise(&d, ConvSpec::new(2, 1)).tanh().pool2().resize((31, 33));
    let map: Arc<[u32]> = (0..3 * 31 * 33).map(|i| (i * 7 % 1023) as u32).collect::<Vec<_>>().into();
    let h = h.gather_pixels(&map, (31, 33)).narrow(1, 1, 30).reshape(&[90 * 33, 10]);
    let table = h.matmul(&h, true, false).scale(1e-3).sigmoid();
    let y = h.matmul(&table, false, false).sum_to(&[90 * 33, 1]).square().mean();
    let wrt = [&x, &w, &b, &d, &style];
    let grads = backward(&[(&y, Tensor::full(&[1, 1], 1.0))], &wrt);
    let (mut moved, zeros) = (x.tensor(), || Tensor::zeros(&[3, 40, 36, 6]));
    adam_step(&mut moved, &mut zeros(), &mut zeros(), &grads[0], AdamStep { lr: 0.1, beta1: 0.5, beta2: 0.9, eps: 1e-8, t: 1 });
    grads.iter().chain([&moved, y.value()]).map(Tensor::to_vec).collect()
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    set_threads_exactly(1);
    let alone = work();
    assert!(alone.iter().flatten().all(|v| v.is_finite()) && alone[0].iter().any(|&v| v != 0.0));
    for n in [2, 3, 5] {
        set_threads_exactly(n);
        for (k, (a, b)) in alone.iter().zip(work()).enumerate() {
            assert!(a.iter().zip(&b).all(|(x, y)| x.to_bits() == y.to_bits()), "result {k} differs on {n} threads");
        }
    }
}
