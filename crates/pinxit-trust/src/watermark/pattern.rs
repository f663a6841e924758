//! The secret: one pseudo-random, band-passed, orthonormal 64 × 64 tile per coded bit, all made of a key.

use super::Key;
use super::fourier::Fft2;
use rustfft::num_complex::Complex;

/// Side of the tile, px.
pub(super) const TILE_PX: usize = 64;
/// Samples of a tile.
pub(super) const TILE_LEN: usize = TILE_PX * TILE_PX;
/// Standard deviations of the band of the patterns, px.
const BAND_PX: [f64; 2] = [0.8, 2.0];
/// What the key is asked for; another use of the same key asks with other words.
const CONTEXT: &[u8] = b"pinxit watermark 1 patterns";

/// The first `count` patterns of a key, each `[64, 64]` row-major, unit norm, orthogonal to all others.
///
/// BLAKE3 in keyed mode over [`CONTEXT`], read as an endless stream of little-endian `u64`. Each gives
/// `u = (top 53 bits + ½) / 2⁵³`. Two of them give two Gaussian numbers (Box and Muller 1958): `√(−2 ln u₁) cos 2πu₂`, then
/// the same with sin. They fill pattern after pattern, row after row. Each is multiplied in its Fourier transform with
/// `exp(−2π²σ₁²f²) − exp(−2π²σ₂²f²)`, `f` in cycles per pixel, and made orthogonal to those before it (modified
/// Gram-Schmidt, in order), all in `f64`.
pub(super) fn patterns(key: &Key, count: usize) -> Vec<Vec<f64>> {
    let mut hasher = blake3::Hasher::new_keyed(&key.0);
    hasher.update(CONTEXT);
    let mut stream = hasher.finalize_xof();
    let fft = Fft2::new(TILE_PX, TILE_PX);
    let mut done: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let noise = gaussians(&mut stream, TILE_LEN).into_iter();
        let mut spectrum = fft.forward(noise.map(|value| Complex::new(value, 0.0)).collect());
        // The band is the same along x and y, so the transposed spectrum needs no care.
        for (i, value) in spectrum.iter_mut().enumerate() {
            *value *= gain(i / TILE_PX, i % TILE_PX);
        }
        let mut pattern: Vec<f64> = fft.inverse(spectrum).iter().map(|value| value.re).collect();
        for other in &done {
            let along = dot(&pattern, other);
            pattern.iter_mut().zip(other).for_each(|(p, o)| *p -= along * o);
        }
        let norm = dot(&pattern, &pattern).sqrt();
        pattern.iter_mut().for_each(|p| *p /= norm);
        done.push(pattern);
    }
    done
}

/// Gain of the band at a place of the spectrum.
fn gain(i: usize, j: usize) -> f64 {
    let frequency = |i: usize| (if i < TILE_PX / 2 { i as f64 } else { i as f64 - TILE_PX as f64 }) / TILE_PX as f64;
    let square = frequency(i).powi(2) + frequency(j).powi(2);
    let [fine, coarse] = BAND_PX.map(|sigma| (-2.0 * (std::f64::consts::PI * sigma).powi(2) * square).exp());
    fine - coarse
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `count` standard Gaussian numbers, the next of the stream of a key; `count` is even.
fn gaussians(stream: &mut blake3::OutputReader, count: usize) -> Vec<f64> {
    let mut bytes = vec![0; count * 8];
    stream.fill(&mut bytes);
    let (numbers, _) = bytes.as_chunks::<8>();
    let uniform = |bytes: [u8; 8]| ((u64::from_le_bytes(bytes) >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    let pairs = numbers.chunks_exact(2).map(|pair| {
        let (sin, cos) = (std::f64::consts::TAU * uniform(pair[1])).sin_cos();
        let radius = (-2.0 * uniform(pair[0]).ln()).sqrt();
        [radius * cos, radius * sin]
    });
    pairs.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_orthonormal_and_balanced() {
        let patterns = patterns(&Key::derive("a"), 40);
        for (i, a) in patterns.iter().enumerate() {
            for (j, b) in patterns.iter().enumerate().take(i + 1) {
                let wanted = if i == j { 1.0 } else { 0.0 };
                assert!((dot(a, b) - wanted).abs() < 1e-9, "{i} {j}");
            }
            assert!(a.iter().sum::<f64>().abs() < 1e-9, "pattern {i} changes the mean");
        }
    }

    #[test]
    fn keys_differ_and_a_longer_bank_begins_like_a_shorter_one() {
        let a = patterns(&Key::derive("a"), 3);
        assert_eq!(a[..2], patterns(&Key::derive("a"), 2)[..]);
        let along = dot(&a[0], &patterns(&Key::derive("b"), 1)[0]);
        assert!(along.abs() < 0.1, "{along}");
    }
}
