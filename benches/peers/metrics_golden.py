#!/usr/bin/env python3
"""Golden values for the metrics of pinxit-train (numpy + scipy, f64), on features made by a formula.

    metrics_golden.py > crates/pinxit-train/tests/golden/metrics.json

The same formula stands in crates/pinxit-train/tests/metrics.rs, so no features need to be stored.
"""
import json
import numpy as np
from scipy.spatial.distance import cdist

K = 5


def features(n, d, seed):
    """float32 [n, d]: one sine a cell, a shift that grows with the seed, three clusters."""
    i, j = np.arange(n)[:, None], np.arange(d)[None]
    base = np.sin(0.7 * i + 1.3 * j + 0.11 * i * j + seed) * (2.0 + 0.8 * seed) + 0.3 * seed
    return (base + (i % 3) * np.cos(j + 0.5)).astype(np.float32)


def kid(r, f):
    """Unbiased MMD^2 with the kernel (x.y/d + 1)^3 (Binkowski et al. 2018)."""
    r, f = r.astype(np.float64), f.astype(np.float64)
    d, m, n = r.shape[1], len(r), len(f)
    k = lambda a, b: (a @ b.T / d + 1) ** 3
    rr, ff = k(r, r), k(f, f)
    return (rr.sum() - np.trace(rr)) / m / (m - 1) + (ff.sum() - np.trace(ff)) / n / (n - 1) - 2 * k(r, f).mean()


def directions(d, k):
    i, j = np.arange(d)[:, None], np.arange(k)[None]
    v = np.cos(0.9 * i + 2.1 * j + 0.07 * i * j)
    return (v / np.linalg.norm(v, axis=0)).astype(np.float32)


def swd(r, f, v):
    q = np.linspace(0, 1, 300)
    a, b = r.astype(np.float64) @ v, f.astype(np.float64) @ v
    return ((np.quantile(a, q, axis=0) - np.quantile(b, q, axis=0)) ** 2).mean()


def neighbours(r, f):
    """Kynkaanniemi et al. 2019; Naeem et al. 2020; radii are distances to the k-th nearest *other* point."""
    rr, ff, rf = cdist(r, r), cdist(f, f), cdist(r, f)
    np.fill_diagonal(rr, 0), np.fill_diagonal(ff, 0)
    near = lambda t, k: np.sort(t, 1)[:, k]
    nr, nf = near(rr, K), near(ff, K)
    limit = np.percentile(near(rr, 1), 1)
    return dict(precision=(rf < nr[:, None]).any(0).mean(), recall=(rf < nf[None]).any(1).mean(),
                density=(rf < nr[:, None]).sum(0).mean() / K, coverage=(rf.min(1) < nr).mean(), memorised=(rf.min(0) < limit).mean())


def self_nn(x, y):
    """Median distance to the nearest other 8x8 thumbnail (0..2) of the same class; classes with 6 or more."""
    n, h, w, _ = x.shape
    t = (np.clip(x, -1, 1) + 1).reshape(n, 8, h // 8, 8, w // 8, 3).mean((2, 4)).reshape(n, -1)
    out = {}
    for c in np.unique(y):
        a = t[y == c][:150]
        if len(a) >= 6:
            d = cdist(a, a)
            np.fill_diagonal(d, np.inf)
            out[str(c)] = np.median(d.min(1))
    return out


def main():
    r, f = features(60, 16, 0.0), features(50, 16, 1.3)
    copies = np.concatenate([features(60, 16, 0.0)[:20] + np.float32(1e-4), features(30, 16, 3.0)])
    i = np.arange(40 * 16 * 24 * 3, dtype=np.float64)
    x = (1.2 * np.sin(i * 0.37 + (i // 1152) * 1.7)).astype(np.float32).reshape(40, 16, 24, 3)
    y = np.array([k % 3 if k < 36 else 3 for k in range(40)])
    out = dict(kid=kid(r, f), kid_same=kid(r, features(50, 16, 0.3)), swd=swd(r, f, directions(16, 12)), near=neighbours(r, f),
               copies=neighbours(r, copies), self_nn=self_nn(x, y))
    print(json.dumps(out, indent=1))


main()
