//! The style-based generator: RECIPE section 2, after Karras et al. 2019 and 2020 (arXiv 1912.04958).
//!
//! ```text
//! z, labels -> rms norm -> 2 fully connected -> w
//! base grid: constant + linear(w)                                    rgb
//!   stage:  [1x1 reduce at the low size -> bilinear x2]                |
//!           -> modulated 3x3 (two in the first two stages) -> to rgb --+ (bilinear x2 from stage to stage)
//! ```
//! The 1x1 convolution comes before the enlargement because it costs a quarter there. No noise inputs.
use pinxit_tensor::{Array, ConvSpec, Leak, Tensor};

use super::GeneratorConfig;
use crate::{
    Bound, Labels,
    labels::embed,
    spec::{Init, Spec, label_tables},
};

const SLOPE: f64 = 0.2;
const EPS: f64 = 1e-8;

/// Keeps the variance through a leaky ReLU of slope 0.2: sqrt(2 / (1 + 0.2^2)).
const GAIN: f64 = 1.386_750_490_563_073;

/// 3x3 convolutions in stage `i`: the two smallest maps have two, they cost little there.
fn convs(i: usize) -> usize {
    if i < 2 { 2 } else { 1 }
}

/// All weights of the network.
pub(crate) fn specs(c: &GeneratorConfig) -> Vec<Spec> {
    let fan = |n: usize| 1.0 / (n as f64).sqrt();
    let mut out = label_tables("mapping", [c.classes, c.styles, c.words], c.cond_dim, Init::Normal(1.0));
    for (j, input) in [c.z_dim + c.cond_dim, c.w_dim].into_iter().enumerate() {
        out.push(Spec::new(format!("mapping.{j}.weight"), &[input, c.w_dim], Init::Normal(GAIN * fan(input))));
        out.push(Spec::new(format!("mapping.{j}.bias"), &[c.w_dim], Init::Constant(0.0)));
    }
    let (h, w) = c.base;
    let cells = h * w * c.channels[0];
    out.push(Spec::new("start.const", &[1, h, w, c.channels[0]], Init::Normal(0.3)));
    out.push(Spec::new("start.weight", &[c.w_dim, cells], Init::Normal(fan(c.w_dim))));
    out.push(Spec::new("start.bias", &[cells], Init::Constant(0.0)));
    for (i, &ch) in c.channels.iter().enumerate() {
        if i > 0 {
            let below = c.channels[i - 1];
            out.push(Spec::new(format!("stage.{i}.reduce"), &[1, 1, below, ch], Init::Normal(fan(below))));
        }
        for j in 0..convs(i) {
            out.extend(modulated_specs(&format!("stage.{i}.conv.{j}"), 3, ch, ch, c.w_dim, GAIN));
        }
        out.extend(modulated_specs(&format!("stage.{i}.rgb"), 1, ch, 3, c.w_dim, 0.5));
    }
    out
}

fn modulated_specs(name: &str, k: usize, ci: usize, co: usize, w_dim: usize, gain: f64) -> [Spec; 4] {
    [
        Spec::new(format!("{name}.weight"), &[k, k, ci, co], Init::Normal(gain / ((ci * k * k) as f64).sqrt())),
        Spec::new(format!("{name}.affine.weight"), &[w_dim, ci], Init::Normal(1.0 / (w_dim as f64).sqrt())),
        Spec::new(format!("{name}.affine.bias"), &[ci], Init::Constant(1.0)),
        Spec::new(format!("{name}.bias"), &[co], Init::Constant(0.0)),
    ]
}

/// Weights by which stage `i` reads its w, matrices `[w_dim, outputs]`.
pub(crate) fn affine_names(i: usize) -> Vec<String> {
    let start = (i == 0).then(|| "start.weight".to_string());
    let convs = (0..convs(i)).map(|j| format!("stage.{i}.conv.{j}.affine.weight"));
    start.into_iter().chain(convs).chain([format!("stage.{i}.rgb.affine.weight")]).collect()
}

/// `x / sqrt(mean(x^2))` over the last dimension of `[n, c]`.
fn rms_norm<A: Array>(x: &A) -> A {
    let n = x.shape()[0];
    x.mul(&x.square().mean_to(&[n, 1]).affine(1.0, EPS).rsqrt())
}

/// z `[n, z_dim]` and labels to w `[n, w_dim]`.
pub(crate) fn mapping<A: Array>(p: &Bound<A>, z: &A, labels: &Labels) -> A {
    let condition = rms_norm(&embed(p, "mapping", labels));
    let u = A::concat(&[rms_norm(z), condition], 1);
    (0..2).fold(u, |u, j| {
        let y = u.matmul(p.get(&format!("mapping.{j}.weight")), false, false);
        y.bias_leaky_relu(p.get(&format!("mapping.{j}.bias")), SLOPE, 1.0)
    })
}

/// Modulated convolution with one set of weights for the whole batch: `conv(W, s * x) * d`, where `s` is affine in w and
/// `d = 1 / sqrt(sum_i s_i^2 sum_k W_iok^2)` restores the variance.
struct Modulated<'a, A> {
    p: &'a Bound<A>,
    name: &'a str,
    /// `[n, c_in]`.
    s: A,
}

/// `sum_k W_iok^2` of weights `[k, k, c_in, c_out]`: `[c_in, c_out]`.
fn energy<A: Array>(weight: &A) -> A {
    let shape = weight.shape();
    weight.square_sum_to(&[1, 1, shape[2], shape[3]]).reshape(&shape[2..])
}

/// Adds what [`synthesize`] would compute of these weights alone.
pub(crate) fn prepare(c: &GeneratorConfig, p: &mut Bound<Tensor>) {
    for i in 0..c.stages() {
        for j in 0..convs(i) {
            let name = format!("stage.{i}.conv.{j}");
            let energy = energy(p.get(&format!("{name}.weight")));
            p.insert(format!("{name}.energy"), energy);
        }
    }
}

impl<'a, A: Array> Modulated<'a, A> {
    fn new(p: &'a Bound<A>, name: &'a str, w: &A) -> Self {
        let s = w.linear(p.get(&format!("{name}.affine.weight")), p.get(&format!("{name}.affine.bias")));
        Modulated { p, name, s }
    }

    fn get(&self, part: &str) -> &'a A {
        self.p.get(&format!("{}.{part}", self.name))
    }

    /// `s * x`.
    fn scaled(&self, x: &A) -> A {
        let shape = self.s.shape();
        x.mul(&self.s.reshape(&[shape[0], 1, 1, shape[1]]))
    }

    /// `leaky_relu(conv(W, x) * d + bias)` of an x that is scaled already.
    fn convolved(&self, x: &A) -> A {
        let weight = self.get("weight");
        let energy = self.p.find(&format!("{}.energy", self.name)).cloned().unwrap_or_else(|| energy(weight));
        let d = self.s.square().matmul(&energy, false, false).affine(1.0, EPS).rsqrt();
        let leak = Leak { slope: SLOPE, gain: std::f64::consts::SQRT_2 };
        x.conv_scaled(weight, &d, self.get("bias"), ConvSpec::same(weight.shape()[0]), leak)
    }

    /// Colours of every pixel: `W (s * x) + bias` without `d`. The few weights are scaled, not the map.
    fn rgb(&self, x: &A) -> A {
        let ([n, h, w, c], weight) = (dims(x), self.get("weight"));
        let weight = weight.reshape(&[1, c, 3]).mul(&self.s.reshape(&[n, c, 1]));
        let colours = x.reshape(&[n, h * w, c]).matmul_each(&weight, false, false);
        colours.reshape(&[n, h, w, 3]).add_bias(self.get("bias"))
    }
}

/// Of a map `[n, h, w, c]`.
fn dims<A: Array>(x: &A) -> [usize; 4] {
    let shape = x.shape();
    let [n, h, w, c] = shape[..] else { panic!("expected [n, h, w, c], not {shape:?}") };
    [n, h, w, c]
}

/// One w `[n, w_dim]` a stage to pictures `[n, h, w, 3]`, about -1..1, not clamped. The map of each stage passes through `bend` before
/// its colours are read and the next stage sees it.
pub(crate) fn synthesize<A: Array>(c: &GeneratorConfig, p: &Bound<A>, ws: &[A], mut bend: impl FnMut(usize, A) -> A) -> A {
    assert_eq!(ws.len(), c.stages(), "one w for each stage");
    let (n, (h, w)) = (ws[0].shape()[0], c.base);
    let start = ws[0].linear(p.get("start.weight"), p.get("start.bias")).reshape(&[n, h, w, c.channels[0]]);
    let (mut x, mut picture) = (start.add(p.get("start.const")), None::<A>);
    for (i, w) in ws.iter().enumerate() {
        if i > 0 {
            x = x.conv(p.get(&format!("stage.{i}.reduce")), ConvSpec::same(1));
        }
        for j in 0..convs(i) {
            let name = format!("stage.{i}.conv.{j}");
            let layer = Modulated::new(p, &name, w);
            x = layer.scaled(&x);
            if i > 0 && j == 0 {
                // After the scaling, which is the same for all pixels: at the low size it costs a quarter.
                x = x.upsample2();
            }
            x = layer.convolved(&x);
        }
        x = bend(i, x);
        let name = format!("stage.{i}.rgb");
        let rgb = Modulated::new(p, &name, w).rgb(&x);
        picture = Some(match picture {
            Some(below) => rgb.add(&below.upsample2()),
            None => rgb,
        });
    }
    picture.unwrap_or(x)
}
