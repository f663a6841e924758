//! The processor's peak, measured: register loops that do nothing but multiply and add, as one JSON line. What a kernel reaches is a
//! share of this.
//!
//!     cargo run --release -p pinxit-tensor --example peak -- 2
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Sums that do not wait for one another: enough to hide an addition's latency of 4 cycles on two units, and they fit the registers.
const SUMS: usize = 12;
/// Multiply-adds of each sum in one call.
const STEPS: usize = 2_000_000;

/// A loop of one instruction set.
struct Loop {
    set: &'static str,
    precision: &'static str,
    /// Multiply-adds of an instruction.
    lanes: usize,
    run: fn() -> f32,
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Loop, STEPS, SUMS};
    use std::arch::asm;
    use std::arch::x86_64::*;

    /// One loop over registers: `$step` is the instruction, `$zero` an empty sum, `$total` what makes a number of it. The empty
    /// assembly keeps the compiler from seeing that the loop is a product.
    macro_rules! register_loop {
        ($name:ident, $features:literal, $factor:expr, $zero:expr, $step:expr, $total:expr) => {
            #[target_feature(enable = $features)]
            fn $name() -> f32 {
                let (factor, mut sums) = ($factor, [$zero; SUMS]);
                for _ in 0..STEPS {
                    for sum in &mut sums {
                        *sum = $step(factor, factor, *sum);
                    }
                    // SAFETY: it is empty.
                    unsafe { asm!("", options(nomem, nostack)) };
                }
                sums.iter().map(|&s| $total(s)).sum()
            }
        };
    }
    register_loop!(f32x16, "avx512f", _mm512_set1_ps(0.5), _mm512_setzero_ps(), _mm512_fmadd_ps, _mm512_reduce_add_ps);
    register_loop!(f32x8, "avx2,fma", _mm256_set1_ps(0.5), _mm256_setzero_ps(), _mm256_fmadd_ps, _mm256_cvtss_f32);
    register_loop!(bf16x32, "avx512f,avx512bf16", ones(), _mm512_setzero_ps(), dot, _mm512_reduce_add_ps);

    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn dot(a: __m512bh, b: __m512bh, sum: __m512) -> __m512 {
        _mm512_dpbf16_ps(sum, a, b)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn ones() -> __m512bh {
        _mm512_cvtne2ps_pbh(_mm512_set1_ps(1.0), _mm512_set1_ps(1.0))
    }

    /// Those this machine can run.
    pub fn loops() -> Vec<Loop> {
        let mut all = Vec::new();
        // SAFETY, three times: the features of the loop were detected.
        if is_x86_feature_detected!("avx512f") {
            all.push(Loop { set: "avx512", precision: "f32", lanes: 16, run: || unsafe { f32x16() } });
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16") {
            all.push(Loop { set: "avx512", precision: "bf16", lanes: 32, run: || unsafe { bf16x32() } });
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            all.push(Loop { set: "avx2", precision: "f32", lanes: 8, run: || unsafe { f32x8() } });
        }
        all
    }
}

/// GFLOP/s (two operations a multiply-add) of `threads` at once, the best of several calls: a peak is what is possible.
fn speed(l: &Loop, threads: usize) -> f64 {
    let (begun, mut best) = (Instant::now(), Duration::MAX);
    while begun.elapsed() < Duration::from_millis(200) {
        let start = Instant::now();
        std::thread::scope(|scope| {
            (0..threads).for_each(|_| _ = scope.spawn(|| black_box((l.run)())));
        });
        best = best.min(start.elapsed());
    }
    2.0 * (l.lanes * SUMS * STEPS * threads) as f64 / best.as_secs_f64() / 1e9
}

fn main() {
    let most = std::env::args().nth(1).and_then(|t| t.parse().ok()).unwrap_or(1);
    #[cfg(target_arch = "x86_64")]
    let loops = x86::loops();
    #[cfg(not(target_arch = "x86_64"))]
    let loops: Vec<Loop> = Vec::new(); // no loop for this processor yet
    let mut peaks = Vec::new();
    for l in &loops {
        for threads in 1..=most {
            let (set, precision, gflops) = (l.set, l.precision, speed(l, threads));
            peaks.push(format!(
                r#"{{"set":"{set}","precision":"{precision}","threads":{threads},"gflops_per_second":{gflops:.1}}}"#
            ));
        }
    }
    println!(r#"{{"peaks":[{}]}}"#, peaks.join(","));
}
