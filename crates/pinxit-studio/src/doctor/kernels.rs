//! Which way the convolutions of a training step go, by the rules of the kernels themselves.
use pinxit_nn::{FeatureNet, Generator, GeneratorConfig, Labels, Preset, ProjectedDiscriminator, View};
use pinxit_tensor::kernels::{Conv, ways};
use pinxit_tensor::{Precision, Rng, Tensor, convolutions, with_precision};
use pinxit_train::{TrainConfig, auto};
use serde::Serialize;

use super::{Finding, Verdict, finding};
use crate::Result;

/// A convolution of a preset in the default training, and how each of its passes is computed: `direct` (f32), `bf16` or `winograd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// Of which networks.
    pub preset: String,
    /// `generator`, `features` (frozen) or `heads`.
    pub part: &'static str,
    /// Precision asked for.
    pub precision: &'static str,
    /// Pictures, rows and columns of the input.
    pub input: [usize; 3],
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Its step.
    pub stride: usize,
    /// Channels read and written.
    pub channels: [usize; 2],
    /// How the result is computed.
    pub forward: String,
    /// How the input's gradient is.
    pub input_gradient: String,
    /// How the weights' gradient is; nobody needs that of frozen ones.
    pub weight_gradient: Option<String>,
}

impl Kernel {
    fn new(preset: Preset, (part, g): &(&'static str, Conv), precision: Precision) -> Kernel {
        let [forward, input_gradient, weight_gradient] = with_precision(precision, || ways(g)).map(|way| way.to_string());
        Kernel {
            preset: preset.to_string(),
            part,
            precision: if precision == Precision::F32 { "f32" } else { "bf16" },
            input: [g.n, g.h, g.w],
            kernel: [g.kh, g.kw],
            stride: g.stride,
            channels: [g.ci, g.co],
            forward,
            input_gradient,
            weight_gradient: (*part != FEATURES).then_some(weight_gradient),
        }
    }

    fn passes(&self) -> impl Iterator<Item = &String> {
        [&self.forward, &self.input_gradient].into_iter().chain(&self.weight_gradient)
    }
}

const FEATURES: &str = "features";

/// Of every preset, in every precision that the processor multiplies in.
pub fn kernels() -> Result<Vec<Kernel>> {
    let net = FeatureNet::shipped()?;
    let mut all = Vec::new();
    for preset in Preset::ALL {
        let shapes = shapes(preset, &net)?;
        for precision in [Precision::F32, Precision::Bf16].into_iter().filter(|p| p.native()) {
            all.extend(shapes.iter().map(|shape| Kernel::new(preset, shape, precision)));
        }
    }
    Ok(all)
}

/// The convolutions that a batch of the default size goes through, as the networks ask for them.
fn shapes(preset: Preset, net: &FeatureNet) -> Result<Vec<(&'static str, Conv)>> {
    let config = TrainConfig { preset: preset.to_string(), ..TrainConfig::projected() };
    let g = Generator::new(GeneratorConfig::new(preset, (4, 4), 0, 0));
    let d = ProjectedDiscriminator::new(auto::projected(&config, g.config.resolution(), 0, 0), net.clone())?;
    let (painter, frozen, heads) = (g.init(0).eager(), d.frozen().eager(), d.init(0).eager());
    let (z, labels): (Tensor, _) = (Rng::new(0).normal_tensor(&[config.batch, g.config.z_dim]), Labels::none(config.batch, 0, 0));
    let (mut pictures, mut maps) = (None, Vec::new());
    let mut all: Vec<(&'static str, Conv)> = Vec::new();
    let mut note = |part, seen: Vec<Conv>| all.extend(seen.into_iter().map(|g| (part, g)));
    note("generator", convolutions(|| pictures = Some(g.generate(&painter, &z, &labels))));
    note(FEATURES, convolutions(|| maps = pictures.iter().flat_map(|x| d.features(&frozen, x, &View::Whole)).collect()));
    note("heads", convolutions(|| drop(d.heads(&heads, &maps, &labels))));
    Ok(all)
}

/// In one line for each precision: how many passes of each preset's convolutions go by Winograd.
pub fn summary(kernels: &[Kernel]) -> Vec<Finding> {
    let line = |what, precision: &str, rest: &str| {
        let mine: Vec<&Kernel> = kernels.iter().filter(|k| k.precision == precision).collect();
        let of_preset = |preset: Preset| {
            let passes: Vec<_> = mine.iter().filter(|k| k.preset == preset.to_string()).flat_map(|k| k.passes()).collect();
            let winograd = passes.iter().filter(|way| **way == "winograd").count();
            format!("{preset} {winograd} of {}", passes.len())
        };
        let found = format!("by Winograd {}, the rest {rest}", Preset::ALL.map(of_preset).join(", "));
        (!mine.is_empty()).then(|| finding(what, true, Verdict::Fine, found))
    };
    [line("kernels", "f32", "directly"), line("kernels in bf16", "bf16", "in bf16")].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_tells_of_its_convolutions() {
        let all = kernels().unwrap();
        for preset in Preset::ALL {
            let mine: Vec<&Kernel> = all.iter().filter(|k| k.preset == preset.to_string() && k.precision == "f32").collect();
            for (part, is_trained) in [("generator", true), (FEATURES, false), ("heads", true)] {
                let of: Vec<&&Kernel> = mine.iter().filter(|k| k.part == part).collect();
                assert!(!of.is_empty() && of.iter().all(|k| k.weight_gradient.is_some() == is_trained), "{preset} {part}");
            }
            let (side, widest) = (mine[0].input[1], preset.channels()[0]);
            assert!(side == 4 && mine[0].channels[0] == widest, "{preset} begins with its base grid: {:?}", mine[0]);
        }
        // What docs/design.md says: Winograd's form where it is faster, elsewhere f32, or bf16 where that is asked for.
        assert!(all.iter().any(|k| k.forward == "winograd") && all.iter().any(|k| k.forward == "direct"));
        let bf16 = all.iter().filter(|k| k.precision == "bf16");
        assert!(bf16.flat_map(Kernel::passes).all(|way| way != "direct"), "what is no Winograd multiplies in bf16");
    }
}
