//! Exact R1 and R2 in one weight-gradient pass: RECIPE section 1.
//!
//! D is piecewise linear, so with g the gradient of the scores in the input, held fixed, the gradient of g^2/2 in the weights
//! is that of the directional derivative along g: the same network with its slopes frozen and its biases removed, fed with g
//! (the *tangent*). For a layer with input `a`, output delta `d` and tangent `t`, loss and penalty share one pass:
//!
//! ```text
//! grad W = wgrad(input = l' a + (gamma / N) t, delta = d),    grad b = sum l' d
//! ```
//! Four convolution passes, against six to seven by differentiating twice on a tape (which `tests/own.rs` compares this with).
use std::mem::take;

use pinxit_tensor::{Array, ConvSpec, Kink, Real, Tensor};

use super::{Layer, OwnDiscriminator, SLOPE, popped};
use crate::{
    Bound, Labels, Weights,
    labels::{WordRows, embed},
};

/// What [`OwnDiscriminator::penalized_step`] finds out about a batch of N reals and N fakes.
#[derive(Clone, Debug)]
pub struct PenalizedStep<T: Real> {
    /// Gradient of loss + gamma/2 (mean |g_real|^2 + mean |g_fake|^2) in every weight.
    pub grads: Weights<T>,
    /// Score of each sample.
    pub scores: Vec<f64>,
    /// Gradient g of each sample's score in its picture, `[2n, h, w, 3]`; times dloss/dscore it is the generator's gradient.
    pub input_grad: Tensor<T>,
    /// |g|^2 of each sample.
    pub penalty: Vec<f64>,
    /// The loss, without the penalty.
    pub loss: f64,
}

/// Scores of a batch with their gradients in the pictures.
#[derive(Clone, Debug)]
pub struct Scored<T: Real> {
    /// Score of each sample.
    pub scores: Vec<f64>,
    /// Gradient of each sample's score in its picture, `[n, h, w, 3]`.
    pub input_grad: Tensor<T>,
}

/// What the forward and the delta pass leave for the others.
struct Trace<T: Real> {
    inputs: Vec<Tensor<T>>,
    deltas: Vec<Tensor<T>>,
    slopes: Vec<Tensor<T>>,
    top: Tensor<T>,
    mid: Tensor<T>,
    mid_delta: Tensor<T>,
    phi: Tensor<T>,
    label: Tensor<T>,
    scores: Vec<f64>,
    input_grad: Tensor<T>,
}

impl OwnDiscriminator {
    /// One pass over pictures `x` `[2n, h, w, 3]`, n reals then n fakes, giving everything both players need.
    ///
    /// `loss_grad` takes the scores (reals, then fakes) and returns dloss/dscore of each sample and the loss. `gamma` is
    /// the weight of R1 and R2. With n samples of each kind the penalty is gamma/2 (mean |g_r|^2 + mean |g_f|^2).
    pub fn penalized_step<T: Real>(
        &self,
        w: &Weights<T>,
        x: &Tensor<T>,
        labels: &Labels,
        gamma: f64,
        loss_grad: impl FnOnce(&[f64]) -> (Vec<f64>, f64),
    ) -> PenalizedStep<T> {
        let p = w.eager();
        let n = x.shape()[0];
        let trace = self.trace(&p, x, labels);
        let (slope, loss) = loss_grad(&trace.scores);
        assert_eq!(slope.len(), n, "one loss gradient for each sample");
        let slope = Tensor::new(&[n, 1, 1, 1], slope.into_iter().map(T::of).collect());
        let penalty = squared_norms(&trace.input_grad);
        let tangent = trace.input_grad.scale(gamma / (n as f64 / 2.0));
        let (scores, input_grad) = (trace.scores.clone(), trace.input_grad.clone());
        let grads = self.weight_grads(&p, trace, labels, &slope, tangent);
        PenalizedStep { grads, scores, input_grad, penalty, loss }
    }

    /// Scores of `x` `[n, h, w, 3]` and their gradients in it: what the generator needs when the players take turns.
    pub fn scored<T: Real>(&self, w: &Weights<T>, x: &Tensor<T>, labels: &Labels) -> Scored<T> {
        let trace = self.trace(&w.eager(), x, labels);
        Scored { scores: trace.scores, input_grad: trace.input_grad }
    }

    /// a) forward, b) deltas with seed 1 for each sample.
    fn trace<T: Real>(&self, p: &Bound<Tensor<T>>, x: &Tensor<T>, labels: &Labels) -> Trace<T> {
        let n = x.shape()[0];
        assert_eq!(n, labels.len(), "one label for each sample");
        let (inputs, slopes, top) = self.forward(p, x);
        let c = top.shape()[3];
        let mid = top.depthwise(p.get("head.depthwise"), ConvSpec::new(1, 0)).reshape(&[n, c]);
        let (phi, label) = (mid.matmul(p.get("head.linear"), false, false), embed(p, "head", labels));
        let scores = phi.mul(&label).sum_to(&[n, 1]).data().iter().map(|v| v.to_f64()).collect();
        let mid_delta = label.matmul(p.get("head.linear"), false, true).reshape(&[n, 1, 1, c]);
        let hw = (top.shape()[1], top.shape()[2]);
        let top_delta = mid_delta.depthwise_input_grad(p.get("head.depthwise"), ConvSpec::new(1, 0), hw);
        let (deltas, input_grad) = self.backward(p, &inputs, &slopes, top_delta);
        Trace { inputs, deltas, slopes, top, mid, mid_delta, phi, label, scores, input_grad }
    }

    /// Inputs of the convolutions, results of the leaky ReLUs (which tell the side of the kink as well), the last map.
    fn forward<T: Real>(&self, p: &Bound<Tensor<T>>, x: &Tensor<T>) -> (Vec<Tensor<T>>, Vec<Tensor<T>>, Tensor<T>) {
        let (mut x, mut kept, mut inputs, mut slopes) = (x.clone(), Vec::new(), Vec::new(), Vec::new());
        let mut layers = self.layers.iter().peekable();
        while let Some(layer) = layers.next() {
            x = match layer {
                Layer::Conv(c) => {
                    inputs.push(x.clone());
                    let (weight, bias) = (p.get(&c.weight()), p.get(&c.bias()));
                    let kinked = layers.next_if(|l| matches!(l, Layer::LeakyRelu)).is_some();
                    // Without a kink both sides have slope 1: the bias alone, and no pass of its own for it.
                    let kink = Kink::Leaky { slope: if kinked { SLOPE } else { 1.0 }, gain: 1.0 };
                    let y = x.conv_kink(weight, bias, c.spec(), kink);
                    if kinked {
                        slopes.push(y.clone());
                    }
                    y
                }
                Layer::LeakyRelu => {
                    let y = x.leaky_relu(SLOPE);
                    slopes.push(y.clone());
                    y
                }
                Layer::Push => {
                    kept.push(x.clone());
                    x
                }
                Layer::Pool => x.pool2(),
                Layer::SpaceToDepth => x.space_to_depth(),
                Layer::Add => x.plus(popped(&mut kept)),
            };
        }
        (inputs, slopes, x)
    }

    /// Output deltas of the convolutions, and the gradient in the pictures.
    fn backward<T: Real>(
        &self,
        p: &Bound<Tensor<T>>,
        inputs: &[Tensor<T>],
        slopes: &[Tensor<T>],
        top: Tensor<T>,
    ) -> (Vec<Tensor<T>>, Tensor<T>) {
        let (mut d, mut kept, mut deltas) = (top, Vec::new(), Vec::new());
        let (mut inputs, mut slopes) = (inputs.iter().rev(), slopes.iter().rev());
        for layer in self.layers.iter().rev() {
            d = match layer {
                Layer::Conv(c) => {
                    deltas.push(d.clone());
                    let shape = next(&mut inputs).shape();
                    d.conv_input_grad(p.get(&c.weight()), c.spec(), (shape[1], shape[2]))
                }
                Layer::LeakyRelu => d.side(next(&mut slopes), SLOPE),
                Layer::Pool => d.pool2_grad(),
                Layer::SpaceToDepth => d.depth_to_space(),
                Layer::Add => {
                    kept.push(d.clone());
                    d
                }
                Layer::Push => d.plus(popped(&mut kept)),
            };
        }
        deltas.reverse();
        (deltas, d)
    }

    /// d) the tangent pass and e) the one weight-gradient pass. `slope` `[n, 1, 1, 1]` is dloss/dscore, `t` the scaled g. What a
    /// layer has used goes back to the shelf at once, for the next layer to take while it is still in the cache.
    fn weight_grads<T: Real>(
        &self,
        p: &Bound<Tensor<T>>,
        mut trace: Trace<T>,
        labels: &Labels,
        slope: &Tensor<T>,
        t: Tensor<T>,
    ) -> Weights<T> {
        let (mut t, mut kept, mut grads) = (t, Vec::new(), Weights::new());
        let mut convs = take(&mut trace.inputs).into_iter().zip(take(&mut trace.deltas));
        let mut slopes = take(&mut trace.slopes).into_iter();
        for layer in &self.layers {
            t = match layer {
                Layer::Conv(c) => {
                    let (input, delta) = next(&mut convs);
                    let after = t.conv(p.get(&c.weight()), c.spec());
                    let both = t.plus_scaled(&input, slope.data());
                    grads.insert(c.weight(), both.conv_weight_grad(&delta, c.spec(), (c.k, c.k)));
                    grads.insert(c.bias(), bias_grad(&delta, slope));
                    after
                }
                Layer::LeakyRelu => t.side(&next(&mut slopes), SLOPE),
                Layer::Pool => t.pool2(),
                Layer::SpaceToDepth => t.space_to_depth(),
                Layer::Push => {
                    kept.push(t.clone());
                    t
                }
                Layer::Add => t.plus(popped(&mut kept)),
            };
        }
        head_grads(p, &trace, labels, slope, &t, &mut grads);
        grads
    }
}

/// Gradients of the head's weights; `t` is the tangent of the last map.
fn head_grads<T: Real>(
    p: &Bound<Tensor<T>>,
    trace: &Trace<T>,
    labels: &Labels,
    slope: &Tensor<T>,
    t: &Tensor<T>,
    grads: &mut Weights<T>,
) {
    let (valid, shape) = (ConvSpec::new(1, 0), trace.top.shape());
    let (n, c) = (shape[0], shape[3]);
    let slope2 = slope.reshape(&[n, 1]);
    let both = trace.top.mul(slope).add(t);
    grads.insert("head.depthwise", both.depthwise_weight_grad(&trace.mid_delta, valid, (shape[1], shape[2])));
    let t_mid = t.depthwise(p.get("head.depthwise"), valid).reshape(&[n, c]);
    grads.insert("head.linear", trace.mid.mul(&slope2).add(&t_mid).matmul(&trace.label, true, false));
    let phi = trace.phi.mul(&slope2).add(&t_mid.matmul(p.get("head.linear"), false, false));
    let rows = |name: &str| p.get(name).shape()[0];
    grads.insert("head.class", phi.scatter_rows(&labels.class_rows(), rows("head.class")));
    if p.find("head.style").is_some() {
        grads.insert("head.style", phi.scatter_rows(&labels.style_rows(), rows("head.style")));
    }
    if p.find("head.words").is_some() {
        let rows = rows("head.words");
        grads.insert("head.words", WordRows::new(labels, rows).sum_grad(&phi, rows));
    }
}

/// sum over samples and pixels of `slope * delta`: `[n, h, w, c]` to `[c]`.
fn bias_grad<T: Real>(delta: &Tensor<T>, slope: &Tensor<T>) -> Tensor<T> {
    let [n, _, _, c] = delta.shape()[..] else { panic!("a delta has four dimensions") };
    let per_sample = delta.sum_to(&[n, 1, 1, c]).reshape(&[n, c]);
    slope.reshape(&[n, 1]).matmul(&per_sample, true, false).reshape(&[c])
}

/// |x_i|^2 of each sample.
fn squared_norms<T: Real>(x: &Tensor<T>) -> Vec<f64> {
    let n = x.shape()[0];
    x.square().sum_to(&[n, 1, 1, 1]).data().iter().map(|v| v.to_f64()).collect()
}

/// The next entry of a list that runs in step with the layers.
fn next<I: Iterator>(list: &mut I) -> I::Item {
    list.next().unwrap_or_else(|| panic!("the trace does not fit the layers"))
}
