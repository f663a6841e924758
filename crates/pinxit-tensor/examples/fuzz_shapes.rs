//! Kernels on random shapes against the plain loops: every instruction set, both precisions, 1 to 4 threads, weights kept or not,
//! something after or nothing. Each shape is told before it runs, so that the last line names the one a sanitizer stopped at.
//!
//!     cargo run -p pinxit-tensor --example fuzz_shapes -- MINUTES [SEED] [FIRST]
//!
//! FIRST is the case to begin with; `-- 0 SEED CASE` runs that one case again.
#[path = "../tests/conformance/mod.rs"]
mod conformance;

use conformance::{Case, check_after, check_kept, check_product, everywhere_with};
use pinxit_tensor::kernels::{Conv, Kept, Kink};
use pinxit_tensor::{Rng, set_threads_exactly};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Most multiply-adds of a pass: the plain loops are slow, and many shapes show more than large ones.
const MOST: usize = 50_000_000;

fn from_1_to(rng: &mut Rng, n: usize) -> usize {
    1 + rng.below(n)
}

/// A convolution whose kernel fits the padded map, small enough for the plain loops.
fn draw(rng: &mut Rng, depthwise: bool) -> Conv {
    loop {
        let (n, h, w) = (from_1_to(rng, 5), from_1_to(rng, 37), from_1_to(rng, 37));
        let (ci, co, stride, pad) = (from_1_to(rng, 67), from_1_to(rng, 67), from_1_to(rng, 4), rng.below(4));
        let (kh, kw) = (from_1_to(rng, 5), from_1_to(rng, 5));
        let mut g = Conv { n, h, w, ci, co: if depthwise { ci } else { co }, kh, kw, stride, pad };
        if rng.chance(0.2) {
            // Winograd's: chance alone would hardly meet it.
            let whole = |v: usize, of: usize| v.next_multiple_of(of);
            g = Conv {
                h: whole(h, 4),
                w: whole(w, 4),
                ci: whole(ci, 16),
                co: whole(g.co, 16),
                kh: 3,
                kw: 3,
                stride: 1,
                pad: 1,
                n,
            };
        }
        if h + 2 * g.pad >= g.kh && w + 2 * g.pad >= g.kw && g.macs() / if depthwise { g.co } else { 1 } <= MOST {
            return g;
        }
    }
}

fn kink(rng: &mut Rng) -> Kink {
    if rng.chance(0.5) {
        Kink::Leaky { slope: rng.uniform(), gain: 0.1 + rng.uniform() }
    } else {
        Kink::Clamp { lo: -rng.uniform(), hi: rng.uniform() }
    }
}

/// One case. It is a function of the seed and its number alone.
fn run(seed: u64, case: usize) {
    let rng = &mut Rng::stream(seed, &case.to_string());
    let threads = from_1_to(rng, 4);
    set_threads_exactly(threads);
    let told = format!("seed {seed} case {case} threads {threads}");
    if rng.chance(0.15) {
        let (sizes, ta, tb) = ([67, 300, 67].map(|most| from_1_to(rng, most)), rng.chance(0.5), rng.chance(0.5));
        println!("{told} product {sizes:?} turned {ta} {tb}");
        return check_product(sizes, ta, tb);
    }
    let depthwise = rng.chance(0.3);
    let g = draw(rng, depthwise);
    let (keep, after, kept) = (!depthwise && rng.chance(0.5), rng.chance(0.5).then(|| kink(rng)), Kept::default());
    println!("{told} depthwise {depthwise} kept {keep} after {after:?} {g:?}");
    let prepare = || Case::<f32>::new(&g, depthwise);
    everywhere_with(prepare, |case, what| {
        case.check(what);
        if keep {
            check_kept(&g, &kept, what);
        }
        if let Some(kink) = after {
            check_after(&g, depthwise, keep.then_some(&kept), kink, what);
        }
    });
    Case::<f64>::new(&g, depthwise).check("f64");
}

/// The word at a place of the command line.
fn word<T: FromStr>(place: usize, usual: T) -> T {
    let parse = |word: String| word.parse().unwrap_or_else(|_| panic!("{word:?} is not a number"));
    std::env::args().nth(place).map_or(usual, parse)
}

fn main() {
    let (minutes, seed, first): (f64, u64, usize) = (word(1, 1.0), word(2, 1), word(3, 0));
    let (begun, time, mut case) = (Instant::now(), Duration::from_secs_f64(minutes * 60.0), first);
    loop {
        run(seed, case);
        case += 1;
        if begun.elapsed() >= time {
            break;
        }
    }
    println!("{} cases of seed {seed} from {first} on in {:.0} s, all right", case - first, begun.elapsed().as_secs_f64());
}
