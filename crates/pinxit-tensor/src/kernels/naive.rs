//! The definition of every kernel as plain loops: the reference that all others are tested against.
use super::Conv;
use crate::Real;

/// Calls `f(output pixel, input pixel, tap)` for every pair that a tap connects; padding connects nothing.
fn taps(g: &Conv, mut f: impl FnMut(usize, usize, usize)) {
    let (ho, wo) = (g.ho(), g.wo());
    for n in 0..g.n {
        for oy in 0..ho {
            for ox in 0..wo {
                for ky in 0..g.kh {
                    for kx in 0..g.kw {
                        let (y, x) = ((oy * g.stride + ky).wrapping_sub(g.pad), (ox * g.stride + kx).wrapping_sub(g.pad));
                        if y < g.h && x < g.w {
                            f((n * ho + oy) * wo + ox, (n * g.h + y) * g.w + x, ky * g.kw + kx);
                        }
                    }
                }
            }
        }
    }
}

/// See [`super::Kernels::conv`].
pub fn conv<T: Real>(g: &Conv, x: &[T], w: &[T], y: &mut [T]) {
    y.fill(T::default());
    taps(g, |o, i, t| {
        for a in 0..g.ci {
            for b in 0..g.co {
                y[o * g.co + b] += x[i * g.ci + a] * w[(t * g.ci + a) * g.co + b];
            }
        }
    });
}

/// See [`super::Kernels::conv_input_grad`].
pub fn conv_input_grad<T: Real>(g: &Conv, dy: &[T], w: &[T], dx: &mut [T]) {
    dx.fill(T::default());
    taps(g, |o, i, t| {
        for a in 0..g.ci {
            for b in 0..g.co {
                dx[i * g.ci + a] += dy[o * g.co + b] * w[(t * g.ci + a) * g.co + b];
            }
        }
    });
}

/// See [`super::Kernels::conv_weight_grad`].
pub fn conv_weight_grad<T: Real>(g: &Conv, x: &[T], dy: &[T], dw: &mut [T]) {
    dw.fill(T::default());
    taps(g, |o, i, t| {
        for a in 0..g.ci {
            for b in 0..g.co {
                dw[(t * g.ci + a) * g.co + b] += x[i * g.ci + a] * dy[o * g.co + b];
            }
        }
    });
}

/// See [`super::Kernels::depthwise`].
pub fn depthwise<T: Real>(g: &Conv, x: &[T], w: &[T], y: &mut [T]) {
    y.fill(T::default());
    taps(g, |o, i, t| (0..g.ci).for_each(|c| y[o * g.ci + c] += x[i * g.ci + c] * w[t * g.ci + c]));
}

/// See [`super::Kernels::depthwise_input_grad`].
pub fn depthwise_input_grad<T: Real>(g: &Conv, dy: &[T], w: &[T], dx: &mut [T]) {
    dx.fill(T::default());
    taps(g, |o, i, t| (0..g.ci).for_each(|c| dx[i * g.ci + c] += dy[o * g.ci + c] * w[t * g.ci + c]));
}

/// See [`super::Kernels::depthwise_weight_grad`].
pub fn depthwise_weight_grad<T: Real>(g: &Conv, x: &[T], dy: &[T], dw: &mut [T]) {
    dw.fill(T::default());
    taps(g, |o, i, t| (0..g.ci).for_each(|c| dw[t * g.ci + c] += x[i * g.ci + c] * dy[o * g.ci + c]));
}

/// See [`super::Kernels::matmul`].
pub fn matmul<T: Real>(m: usize, k: usize, n: usize, a: &[T], ta: bool, b: &[T], tb: bool, c: &mut [T]) {
    for i in 0..m {
        for j in 0..n {
            c[i * n + j] = (0..k)
                .map(|l| (if ta { a[l * m + i] } else { a[i * k + l] }) * (if tb { b[j * k + l] } else { b[l * n + j] }))
                .sum();
        }
    }
}
