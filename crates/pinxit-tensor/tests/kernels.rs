//! Every kernel on every instruction set and in every precision against the plain loops in f64; the same bytes for any number
//! of threads.
mod conformance;

use conformance::*;
use pinxit_tensor::kernels::{
    Axis, Conv, Isa, Kept, Kernels, Kink, Precision, ScaledGrad, Way, naive, precision, set_isa, ways, with_precision,
};
use pinxit_tensor::{Real, set_threads, set_threads_exactly};
use proptest::prelude::*;

/// All three passes of a convolution (or depthwise), everywhere.
fn check_f32(g: &Conv, depthwise: bool) {
    everywhere_with(|| Case::<f32>::new(g, depthwise), |case, what| case.check(what));
}

fn any_geometry() -> impl Strategy<Value = Conv> {
    let k = prop_oneof![Just(1usize), Just(3), Just(4)];
    (1usize..=2, 1usize..=37, 1usize..=37, 1usize..=67, 1usize..=67, k, 1usize..=2, 0usize..=1).prop_map(
        |(n, h, w, ci, co, k, s, p)| {
            let least = k.saturating_sub(2 * p).max(1);
            geometry([n, h.max(least), w.max(least), ci, co, k, s, p])
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolutions_agree_with_the_plain_loops(g in any_geometry()) {
        check_f32(&g, false);
        Case::<f64>::new(&g, false).check("f64");
    }

    #[test]
    fn depthwise_agrees_with_the_plain_loops(g in any_geometry()) {
        let g = Conv { co: g.ci, ..g };
        check_f32(&g, true);
        Case::<f64>::new(&g, true).check("f64");
    }

    #[test]
    fn products_agree_with_the_plain_loops(m in 1usize..80, k in 1usize..300, n in 1usize..80, ta: bool, tb: bool) {
        check_product([m, k, n], ta, tb);
    }
}

/// Shapes that reach every way of cutting: many pictures a task, many bands, several loads, long kernels, wide maps,
/// uneven strides, padding without need, kernels smaller than the stride, Winograd on whole and partial column tiles.
const CORNERS: &[[usize; 8]] = &[
    [40, 4, 4, 33, 70, 3, 1, 1],
    [2, 40, 64, 16, 32, 3, 1, 1],
    [1, 3, 600, 5, 3, 3, 1, 1],
    [1, 30, 270, 3, 32, 3, 2, 1],
    [2, 8, 8, 200, 40, 3, 1, 1],
    [3, 16, 16, 24, 24, 4, 2, 1],
    [2, 9, 11, 6, 7, 5, 3, 2],
    [2, 10, 9, 17, 33, 1, 3, 0],
    [2, 7, 7, 4, 4, 1, 2, 1],
    [1, 6, 6, 8, 8, 2, 4, 0],
    [7, 1, 1, 300, 130, 1, 1, 0],
    [5, 8, 8, 32, 48, 3, 1, 1],
    [1, 12, 24, 16, 80, 3, 1, 1],
    [5, 16, 16, 48, 80, 3, 1, 1],
    [5, 16, 16, 20, 40, 3, 1, 1],
    [4, 16, 16, 37, 17, 3, 1, 1],
    [17, 4, 4, 90, 32, 3, 1, 1],
    [5, 3, 5, 130, 20, 4, 2, 1],
    [9, 2, 2, 70, 33, 5, 1, 2],
];

#[test]
fn corners_agree_with_the_plain_loops() {
    for g in CORNERS.iter().map(|&c| geometry(c)) {
        check_f32(&g, false);
        Case::<f64>::new(&g, false).check("f64");
    }
}

#[test]
fn depthwise_corners_agree_with_the_plain_loops() {
    CORNERS.iter().map(|&c| geometry(c)).for_each(|g| check_f32(&Conv { co: g.ci, ..g }, true));
}

#[test]
fn what_comes_after_is_what_comes_after() {
    let kinks = [Kink::Leaky { slope: 0.2, gain: 1.4 }, Kink::Clamp { lo: -0.5, hi: 1.5 }];
    for (g, kink) in CORNERS.iter().map(|&c| geometry(c)).flat_map(|g| kinks.map(|k| (g, k))) {
        everywhere(|what| check_after(&g, false, None, kink, what));
        everywhere(|what| check_after(&Conv { co: g.ci, ..g }, true, None, kink, what));
    }
}

#[test]
fn scaled_gradients_agree_with_their_definition() {
    const LEAK: (f64, f64) = (0.2, 1.4);
    fn check<T: Real>(what: &str, [n, pixels, c]: [usize; 3], epsilon: f64) {
        let (dy, y, scale) = (noise::<T>(n * pixels * c, 1), noise::<T>(n * pixels * c, 2), noise::<T>(n * c, 3));
        let (mut want, mut totals) = (vec![0.0; dy.len()], vec![0.0; 2 * n * c]);
        for (i, (d, y)) in wide(&dy).into_iter().zip(wide(&y)).enumerate() {
            let (at, k) = (i / (pixels * c) * c + i % c, if y > 0.0 { LEAK.1 } else { LEAK.0 * LEAK.1 });
            want[i] = d * k * scale[at].to_f64();
            totals[at] += d * k;
            totals[n * c + at] += d * k * (y / k);
        }
        let (mut got, mut sums) = (vec![T::of(f64::NAN); dy.len()], vec![T::of(f64::NAN); 2 * n * c]);
        T::scaled_grad(ScaledGrad { dy: &dy, y: &y, scale: &scale, c, slope: LEAK.0, gain: LEAK.1 }, &mut got, &mut sums);
        close(&format!("{what} sums {n} {pixels} {c}"), &got, &want, 8, epsilon);
        close(&format!("{what} totals {n} {pixels} {c}"), &sums, &totals, pixels, epsilon);
    }
    for shape in [[1, 1, 1], [3, 16, 20], [2, 1200, 48], [2, 5, 67], [1, 4096, 16], [0, 4, 4]] {
        everywhere(|what| check::<f32>(what, shape, 3e-7));
        check::<f64>("f64", shape, 1e-15);
    }
}

#[test]
fn resizing_agrees_with_its_definition() {
    // Rows and columns of different lengths, with none to four taps each.
    let axis = |inputs: usize, outputs: usize| -> Vec<Vec<(usize, f32)>> {
        let tap = |o: usize, k: usize| ((o * 7 + k * 3) % inputs, 0.25 * k as f32 - 0.5);
        (0..outputs).map(|o| (0..o % 5).map(|k| tap(o, k)).collect()).collect()
    };
    everywhere(|what| {
        for [n, h, w, c, ho, wo] in [[2, 5, 6, 3, 9, 4], [1, 4, 4, 40, 8, 8], [3, 7, 1, 16, 2, 11], [0, 2, 2, 1, 3, 3]] {
            let (x, rows, columns) = (noise::<f32>(n * h * w * c, 1), axis(h, ho), axis(w, wo));
            let mut want = vec![0.0; n * ho * wo * c];
            for (i, to) in want.iter_mut().enumerate() {
                let (picture, y, x_, channel) = (i / (ho * wo * c), i / (wo * c) % ho, i / c % wo, i % c);
                for (&(iy, wy), &(ix, wx)) in rows[y].iter().flat_map(|r| columns[x_].iter().map(move |q| (r, q))) {
                    *to += f64::from(x[((picture * h + iy) * w + ix) * c + channel] * wy * wx);
                }
            }
            let mut got = vec![f32::NAN; want.len()];
            f32::resample(&x, n, c, &Axis::new(&rows, h), &Axis::new(&columns, w), &mut got);
            close(&format!("{what} {n} {h} {w} {c}"), &got, &want, 16, 3e-7);
        }
    });
}

#[test]
fn kept_weights_give_the_same_bytes() {
    for corner in [[3, 16, 16, 24, 24, 4, 2, 1], [4, 16, 16, 32, 32, 3, 1, 1]] {
        let (g, kept) = (geometry(corner), Kept::default());
        everywhere(|what| check_kept(&g, &kept, what));
    }
}

#[test]
fn bf16_rounds_alike_everywhere() {
    let _turn = turn();
    let (x, w): (Vec<f32>, Vec<f32>) = (noise(3 * 16 * 16 * 24, 1), noise(4 * 4 * 24 * 24, 2));
    let dy: Vec<f32> = noise(3 * 8 * 8 * 24, 3);
    let g = geometry([3, 16, 16, 24, 24, 4, 2, 1]);
    let passes = || {
        [
            call(f32::conv, &g, &x, &w, dy.len()),
            call(f32::conv_input_grad, &g, &dy, &w, x.len()),
            call(f32::conv_weight_grad, &g, &x, &dy, w.len()),
        ]
    };
    set_isa(Isa::Portable);
    let (exact, portable) = (passes(), with_precision(Precision::Bf16, passes));
    assert!(Isa::ALL.into_iter().rev().any(set_isa), "the fastest there is");
    let native = with_precision(Precision::Bf16, passes);
    for ((e, p), n) in exact.iter().zip(&portable).zip(&native) {
        close("bf16 on this machine and portably", n, &wide(p), 400, f32::EPSILON as f64);
        let apart = e.iter().zip(p).map(|(e, p)| (e - p).abs()).fold(0.0, f32::max);
        let size = e.iter().map(|e| e.abs()).fold(0.0, f32::max);
        assert!(apart > 1e-4 * size && apart < 1e-2 * size, "bf16 is {apart} off at a size of {size}");
    }
    assert_eq!(precision(), Precision::F32);
}

/// Sums of products of small integers are exact, in bf16 too; Winograd's transforms divide by 3. So the results themselves say
/// which way they came.
#[test]
fn the_way_told_is_the_way_gone() {
    let integers = |len, seed| noise::<f32>(len, seed).iter().map(|v| (v * 5.0).round()).collect::<Vec<_>>();
    let plain: [Pass<f64>; 3] = [naive::conv, naive::conv_input_grad, naive::conv_weight_grad];
    let ours: [Pass<f32>; 3] = [f32::conv, f32::conv_input_grad, f32::conv_weight_grad];
    let cases = CORNERS.iter().map(|&c| geometry(c)).map(|g| {
        let (xs, ys, ws) = (g.n * g.h * g.w * g.ci, g.n * g.ho() * g.wo() * g.co, g.kh * g.kw * g.ci * g.co);
        let (x, w, dy) = (integers(xs, 1), integers(ws, 2), integers(ys, 3));
        let operands = [(x.clone(), w.clone()), (dy.clone(), w), (x, dy)];
        let mut want = [ys, xs, ws].map(|len| vec![0.0; len]);
        for ((plain, (a, b)), want) in plain.iter().zip(&operands).zip(&mut want) {
            plain(&g, &wide(a), &wide(b), want);
        }
        (g, operands, want)
    });
    let (cases, seen): (Vec<_>, _) = (cases.collect(), std::cell::RefCell::new(Vec::new()));
    everywhere(|what| {
        let direct = if precision() == Precision::Bf16 { Way::Bf16 } else { Way::Direct };
        for (g, operands, want) in &cases {
            for (k, way) in ways(g).into_iter().enumerate() {
                let got = call(ours[k], g, &operands[k].0, &operands[k].1, want[k].len());
                let gone = if wide(&got) == want[k] { direct } else { Way::Winograd };
                assert_eq!(way, gone, "{what}, pass {k} of {g:?}");
                seen.borrow_mut().push(way);
            }
        }
    });
    assert!([Way::Direct, Way::Bf16, Way::Winograd].iter().all(|way| seen.borrow().contains(way)), "every way was gone");
    for (g, operands, want) in &cases {
        let got = with_precision(Precision::Direct, || {
            assert_eq!(ways(g), [Way::Direct; 3], "{g:?}");
            (0..3).map(|k| wide(&call(ours[k], g, &operands[k].0, &operands[k].1, want[k].len()))).collect::<Vec<_>>()
        });
        assert!(got == want.as_slice(), "whole numbers are exact when every product is formed, {g:?}");
    }
}

#[test]
fn thread_count_never_changes_a_byte() {
    let _turn = turn();
    let ways = Isa::ALL.into_iter().flat_map(|isa| [(isa, Precision::F32), (isa, Precision::Bf16)]);
    for (isa, p) in ways.filter(|&(isa, _)| set_isa(isa)) {
        for &corner in CORNERS {
            let g = geometry(corner);
            let d = Conv { co: g.ci, ..g };
            let (xs, ys, ws) = (g.n * g.h * g.w * g.ci, g.n * g.ho() * g.wo() * g.co, g.kh * g.kw * g.ci * g.co);
            let (x, dy, w) = (noise::<f32>(xs, 1), noise::<f32>(ys.max(g.n * g.ho() * g.wo() * g.ci), 2), noise::<f32>(ws, 3));
            let (ds, dws) = (g.n * g.ho() * g.wo() * g.ci, g.kh * g.kw * g.ci);
            let all = |threads| {
                with_precision(p, || {
                    set_threads_exactly(threads);
                    let passes: [Vec<f32>; 6] = [
                        call(f32::conv, &g, &x, &w, ys),
                        call(f32::conv_input_grad, &g, &dy[..ys], &w, xs),
                        call(f32::conv_weight_grad, &g, &x, &dy[..ys], ws),
                        call(f32::depthwise, &d, &x, &w[..dws], ds),
                        call(f32::depthwise_input_grad, &d, &dy[..ds], &w[..dws], xs),
                        call(f32::depthwise_weight_grad, &d, &x, &dy[..ds], dws),
                    ];
                    passes.map(|p| p.into_iter().map(f32::to_bits).collect::<Vec<_>>())
                })
            };
            let one = all(1);
            assert!(all(2) == one && all(3) == one, "{isa:?} {p:?} {g:?}");
        }
    }
    set_threads(0);
}
