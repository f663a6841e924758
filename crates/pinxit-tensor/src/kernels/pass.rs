//! Geometry of one dense pass: forward, or one phase of an input gradient, in the same words.
//!
//! With stride s the input pixels of equal remainder (modulo s) see the same kernel taps, so the input gradient is s x s
//! small convolutions of stride 1, each writing every s-th pixel. A pass is a rectangle of taps over a source map: output
//! pixel i of the pass reads source pixels `i * step + at ..` and writes destination pixel `i * out_step + out_at`.
use super::Conv;

/// One direction (vertical or horizontal) of a pass.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Kernel index of each tap, in the order of the source pixels it reads.
    pub taps: Vec<usize>,
    /// Source pixel of the first tap for output pixel 0; negative in the padding.
    pub at: isize,
    /// Source pixels from one output pixel to the next.
    pub step: usize,
    /// Output pixels of the pass.
    pub len: usize,
    /// Destination pixels from one output pixel to the next.
    pub out_step: usize,
    /// Destination pixel of output pixel 0.
    pub out_at: usize,
    /// Pixels of the source map.
    pub source: usize,
    /// Pixels of the destination map.
    pub destination: usize,
}

impl Axis {
    fn forward(source: usize, k: usize, stride: usize, pad: usize) -> Axis {
        let destination = (source + 2 * pad - k) / stride + 1;
        let taps = (0..k).collect();
        Axis { taps, at: -(pad as isize), step: stride, len: destination, out_step: 1, out_at: 0, source, destination }
    }

    /// The pixels of remainder `phase` of a map of `destination` pixels, from its output gradient of `source` pixels.
    fn backward(destination: usize, source: usize, k: usize, stride: usize, pad: usize, phase: usize) -> Axis {
        // input = output * stride + tap - pad, so a tap reads output `index + (phase + pad - tap) / stride`.
        let taps: Vec<usize> = (0..k).rev().filter(|tap| (phase + pad + stride * k - tap).is_multiple_of(stride)).collect();
        let at = taps.first().map_or(0, |&tap| (phase as isize + pad as isize - tap as isize) / stride as isize);
        let len = destination.saturating_sub(phase).div_ceil(stride);
        Axis { taps, at, step: 1, len, out_step: stride, out_at: phase, source, destination }
    }

    /// True when some tap reads outside the source map.
    pub fn leaves_source(&self) -> bool {
        self.at < 0 || self.at as usize + (self.len.max(1) - 1) * self.step + self.taps.len() > self.source
    }

    /// Source pixels that `len` neighbouring output pixels read.
    pub fn reach(&self, len: usize) -> usize {
        (len.max(1) - 1) * self.step + self.taps.len()
    }
}

/// One dense pass over `n` pictures.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Pictures.
    pub n: usize,
    /// Vertical.
    pub y: Axis,
    /// Horizontal.
    pub x: Axis,
    /// Channels read.
    pub ci: usize,
    /// Channels written.
    pub co: usize,
    /// Kernel columns of the whole convolution.
    pub kw: usize,
    /// Distance in the weights between taps, between channels read, and between channels written.
    pub weight: [usize; 3],
}

impl Pass {
    /// `x` to `y`.
    pub fn forward(g: &Conv) -> Pass {
        let (y, x) = (Axis::forward(g.h, g.kh, g.stride, g.pad), Axis::forward(g.w, g.kw, g.stride, g.pad));
        Pass { n: g.n, y, x, ci: g.ci, co: g.co, kw: g.kw, weight: [g.ci * g.co, g.co, 1] }
    }

    /// `dy` to `dx`: the phases together write every input pixel once.
    pub fn backward(g: &Conv) -> Vec<Pass> {
        let phases = (0..g.stride).flat_map(|py| (0..g.stride).map(move |px| (py, px)));
        let pass = |(py, px)| {
            let y = Axis::backward(g.h, g.ho(), g.kh, g.stride, g.pad, py);
            let x = Axis::backward(g.w, g.wo(), g.kw, g.stride, g.pad, px);
            Pass { n: g.n, y, x, ci: g.co, co: g.ci, kw: g.kw, weight: [g.ci * g.co, 1, g.co] }
        };
        phases.map(pass).filter(|p| p.y.len * p.x.len > 0).collect()
    }

    /// Products summed into one output.
    pub fn depth(&self) -> usize {
        self.y.taps.len() * self.x.taps.len() * self.ci
    }
    /// True when some tap reads the padding.
    pub fn needs_halo(&self) -> bool {
        self.y.leaves_source() || self.x.leaves_source()
    }
    /// Output pixels of one picture.
    pub fn pixels(&self) -> usize {
        self.y.len * self.x.len
    }
    /// Elements of one destination picture.
    pub fn destination_len(&self) -> usize {
        self.y.destination * self.x.destination * self.co
    }
    /// Elements of one source picture.
    pub fn source_len(&self) -> usize {
        self.y.source * self.x.source * self.ci
    }
    /// Offset of output pixel (`row`, `column`) in a destination picture.
    pub fn write_at(&self, row: usize, column: usize) -> usize {
        let (y, x) = (row * self.y.out_step + self.y.out_at, column * self.x.out_step + self.x.out_at);
        (y * self.x.destination + x) * self.co
    }
}
