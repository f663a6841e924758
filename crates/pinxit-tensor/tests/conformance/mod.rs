//! Kernels held against the plain loops in f64: shared by the tests and by the example that draws shapes at random.
#![allow(dead_code)] // each of them uses its part
use pinxit_tensor::Real;
use pinxit_tensor::kernels::{
    After, Conv, Isa, Kept, Kernels, Kink, Precision, Sizes, naive, precision, set_isa, with_precision,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The instruction set and the thread count belong to the process: tests that choose them take turns.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `check` for every instruction set this machine has, in every precision.
pub fn everywhere(check: impl Fn(&str)) {
    everywhere_with(|| (), |(), what| check(what));
}

/// [`everywhere`], with what `prepare` makes once for each precision.
pub fn everywhere_with<R>(prepare: impl Fn() -> R, check: impl Fn(&R, &str)) {
    let _turn = turn();
    for p in [Precision::F32, Precision::Bf16] {
        with_precision(p, || {
            let prepared = prepare();
            for isa in Isa::ALL.into_iter().filter(|&isa| set_isa(isa)) {
                check(&prepared, &format!("{isa:?} {p:?}"));
            }
        });
    }
}

/// Deterministic numbers in -1..1, zero mean; in bf16 such as it holds exactly, so that only the sums are rounded.
pub fn noise<T: Real>(len: usize, seed: u64) -> Vec<T> {
    let mut s = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        T::of((s >> 40) as f64 / (1u64 << 23) as f64 - 1.0)
    };
    let exact = |v: T| if precision() == Precision::Bf16 { T::of((v.to_f64() * 128.0).round() / 128.0) } else { v };
    (0..len).map(|_| exact(next())).collect()
}

pub fn wide<T: Real>(v: &[T]) -> Vec<f64> {
    v.iter().map(|v| v.to_f64()).collect()
}

/// `got` is close to `want`; sums of `depth` products of numbers in -1..1. NaN (an element never written) fails.
pub fn close<T: Real>(what: &str, got: &[T], want: &[f64], depth: usize, epsilon: f64) {
    let bound = epsilon * (depth as f64).max(8.0);
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g.to_f64() - w).abs() <= bound, "{what}: element {i} is {g:?}, should be {w} (bound {bound:e})");
    }
}

/// One pass of a convolution, ours or the plain one.
pub type Pass<T> = fn(&Conv, &[T], &[T], &mut [T]);

/// Runs `pass` into a buffer of NaN.
pub fn call<T: Real>(pass: Pass<T>, g: &Conv, a: &[T], b: &[T], len: usize) -> Vec<T> {
    let mut out = vec![T::of(f64::NAN); len];
    pass(g, a, b, &mut out);
    out
}

/// Numbers in the input, the output and the weights of a convolution (or depthwise).
pub fn sizes(g: &Conv, depthwise: bool) -> [usize; 3] {
    let weights = g.kh * g.kw * g.ci * if depthwise { 1 } else { g.co };
    [g.n * g.h * g.w * g.ci, g.n * g.ho() * g.wo() * g.co, weights]
}

/// The same weights in every precision, as one store keeps them.
fn weights(g: &Conv, depthwise: bool) -> Vec<f32> {
    with_precision(Precision::F32, || noise(sizes(g, depthwise)[2], 2))
}

/// A convolution (or depthwise), its operands, and what its three passes should give.
pub struct Case<T> {
    g: Conv,
    depthwise: bool,
    operands: [Vec<T>; 3],
    want: [Vec<f64>; 3],
}

impl<T: Real + Kernels> Case<T> {
    pub fn new(g: &Conv, depthwise: bool) -> Self {
        let [xs, ys, ws] = sizes(g, depthwise);
        let operands = [noise::<T>(xs, 1), noise::<T>(ws, 2), noise::<T>(ys, 3)];
        let [x, w, dy] = [0, 1, 2].map(|i: usize| wide(&operands[i]));
        let plain: [Pass<f64>; 3] = if depthwise {
            [naive::depthwise, naive::depthwise_input_grad, naive::depthwise_weight_grad]
        } else {
            [naive::conv, naive::conv_input_grad, naive::conv_weight_grad]
        };
        let want = [call(plain[0], g, &x, &w, ys), call(plain[1], g, &dy, &w, xs), call(plain[2], g, &x, &dy, ws)];
        Case { g: *g, depthwise, operands, want }
    }

    /// All three passes with the instruction set in use.
    pub fn check(&self, label: &str) {
        let (g, [x, w, dy]) = (&self.g, &self.operands);
        let ours: [Pass<T>; 3] = if self.depthwise {
            [T::depthwise, T::depthwise_input_grad, T::depthwise_weight_grad]
        } else {
            [T::conv, T::conv_input_grad, T::conv_weight_grad]
        };
        // Winograd's transforms cost up to four bits; only f32 uses them. With few channels they weigh most: among random shapes
        // 3x3 16>16 was off by 4.8 times what a plain sum may be. An element that is wrong is off by ten thousand times more.
        let winograd = (g.kh, g.kw, g.stride, g.pad) == (3, 3, 1, 1) && !self.depthwise;
        let epsilon = if size_of::<T>() == 4 { f32::EPSILON as f64 * if winograd { 16.0 } else { 1.0 } } else { f64::EPSILON };
        let (ci, co) = if self.depthwise { (1, 1) } else { (g.ci, g.co) };
        let (taps, pixels) = (g.kh * g.kw, g.n * g.ho() * g.wo());
        let passes = [("forward", x, w, taps * ci), ("input grad", dy, w, taps * co), ("weight grad", x, dy, pixels)];
        for ((&pass, want), (name, a, b, depth)) in ours.iter().zip(&self.want).zip(passes) {
            close(&format!("{label} {name} {g:?}"), &call(pass, g, a, b, want.len()), want, depth, epsilon);
        }
    }
}

/// A product `[m, k] x [k, n]`, either operand turned, everywhere.
pub fn check_product([m, k, n]: [usize; 3], ta: bool, tb: bool) {
    let prepare = || {
        let (a, b) = (noise::<f32>(m * k, 4), noise::<f32>(k * n, 5));
        let mut want = vec![0.0; m * n];
        naive::matmul(m, k, n, &wide(&a), ta, &wide(&b), tb, &mut want);
        (a, b, want)
    };
    everywhere_with(prepare, |(a, b, want), isa| {
        let mut got = vec![f32::NAN; m * n];
        f32::matmul(m, k, n, a, ta, b, tb, &mut got);
        close(&format!("{isa} {m}x{k}x{n} {ta} {tb}"), &got, want, k, f32::EPSILON as f64);
        let kept = Kept::default();
        for _ in 0..2 {
            let mut again = vec![f32::NAN; m * n];
            f32::matmul_with(Sizes { m, k, n, ta, tb }, a, b, Some(&kept), &mut again);
            assert!(again == got, "{isa} {m}x{k}x{n} {ta} {tb} with b kept");
        }
    });
}

/// `v + bias`, then the kink, as the definition says.
fn kinked(v: f32, bias: f32, kink: Kink) -> f32 {
    let v = v + bias;
    match kink {
        Kink::Leaky { slope, gain } if v <= 0.0 => v * (slope * gain) as f32,
        Kink::Leaky { gain, .. } => v * gain as f32,
        Kink::Clamp { lo, hi } => v.max(lo as f32).min(hi as f32),
    }
}

/// Bias and kink applied where a convolution (or depthwise) stores give the same numbers as applied afterwards, and so does a
/// scale before them (which depthwise has none of), with weights kept or not.
pub fn check_after(g: &Conv, depthwise: bool, kept: Option<&Kept>, kink: Kink, label: &str) {
    let [xs, ys, _] = sizes(g, depthwise);
    let (x, w, bias) = (noise::<f32>(xs, 1), weights(g, depthwise), noise::<f32>(g.co, 4));
    let (label, after) = (format!("{label} {kink:?} depthwise {depthwise} {g:?}"), After { scale: None, bias: &bias, kink });
    let finish = |want: &mut [f32]| {
        let rows = want.chunks_exact_mut(g.co);
        rows.for_each(|row| row.iter_mut().zip(&bias).for_each(|(v, &b)| *v = kinked(*v, b, kink)));
    };
    let mut want = call(if depthwise { f32::depthwise } else { f32::conv }, g, &x, &w, ys);
    let (mut scaled, mut got) = (want.clone(), vec![f32::NAN; ys]);
    finish(&mut want);
    if depthwise {
        f32::depthwise_with(g, &x, &w, Some(after), &mut got);
        return assert!(got == want, "{label}");
    }
    f32::conv_with(g, &x, &w, kept, Some(after), &mut got);
    assert!(got == want, "{label}");

    let (scale, pixels) = (noise::<f32>(g.n * g.co, 6), (g.ho() * g.wo()).max(1));
    for (i, row) in scaled.chunks_exact_mut(g.co).enumerate() {
        row.iter_mut().zip(&scale[i / pixels * g.co..]).for_each(|(v, &s)| *v *= s);
    }
    finish(&mut scaled);
    f32::conv_with(g, &x, &w, kept, Some(After { scale: Some(&scale), ..after }), &mut got);
    close(&format!("scaled {label}"), &got, &wide(&scaled), g.kh * g.kw * g.ci, 1e-6);
}

/// Kept weights give the same bytes as weights packed anew; twice, so that what was kept is used. One store serves every set,
/// precision and pass, as long as `g` is the same.
pub fn check_kept(g: &Conv, kept: &Kept, label: &str) {
    let [xs, ys, _] = sizes(g, false);
    let (x, w, dy) = (noise::<f32>(xs, 1), weights(g, false), noise::<f32>(ys, 3));
    for _ in 0..2 {
        let (mut y, mut dx) = (vec![f32::NAN; ys], vec![f32::NAN; xs]);
        f32::conv_with(g, &x, &w, Some(kept), None, &mut y);
        f32::conv_input_grad_with(g, &dy, &w, Some(kept), &mut dx);
        assert!(y == call(f32::conv, g, &x, &w, ys), "{label} kept forward {g:?}");
        assert!(dx == call(f32::conv_input_grad, g, &dy, &w, xs), "{label} kept input grad {g:?}");
    }
}

/// `[n, h, w, ci, co, k, stride, pad]`.
pub fn geometry(v: [usize; 8]) -> Conv {
    let [n, h, w, ci, co, k, stride, pad] = v;
    Conv { n, h, w, ci, co, kh: k, kw: k, stride, pad }
}
