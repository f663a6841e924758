//! Operations that only move numbers.
use super::nhwc;
use crate::par;
use crate::{Real, Tensor};

/// `shape` with `axis` of length `len`.
fn with_axis(shape: &[usize], axis: usize, len: usize) -> Vec<usize> {
    let mut s = shape.to_vec();
    s[axis] = len;
    s
}

pub(super) fn narrow<T: Real>(x: &Tensor<T>, axis: usize, start: usize, len: usize) -> Tensor<T> {
    let (_, total, inner) = x.dims().split(axis);
    assert!(start + len <= total, "slices {start}..{} along axis {axis} of {:?}", start + len, x.shape());
    let mut out = Tensor::recycled(&with_axis(x.shape(), axis, len));
    let from = x.data();
    par::rows(out.data_mut(), len * inner, |o, row| row.copy_from_slice(&from[(o * total + start) * inner..][..row.len()]));
    out
}

pub(super) fn widen<T: Real>(x: &Tensor<T>, axis: usize, start: usize, total: usize) -> Tensor<T> {
    let (_, len, inner) = x.dims().split(axis);
    assert!(start + len <= total, "{:?} at {start} along axis {axis} of length {total}", x.shape());
    let mut out = Tensor::recycled(&with_axis(x.shape(), axis, total));
    let from = x.data();
    par::rows(out.data_mut(), total * inner, |o, row| {
        let (a, b) = (start * inner, (start + len) * inner);
        row[..a].fill(T::default());
        row[a..b].copy_from_slice(&from[o * len * inner..][..len * inner]);
        row[b..].fill(T::default());
    });
    out
}

pub(super) fn concat<T: Real>(parts: &[Tensor<T>], axis: usize) -> Tensor<T> {
    assert!(!parts.is_empty(), "nothing to concatenate");
    let shape = with_axis(parts[0].shape(), axis, parts.iter().map(|p| p.dims().split(axis).1).sum());
    for p in parts {
        assert_eq!(with_axis(p.shape(), axis, shape[axis]), shape, "parts to concatenate along axis {axis}");
    }
    let mut out = Tensor::recycled(&shape);
    let (_, total, inner) = out.dims().split(axis);
    let widths: Vec<usize> = parts.iter().map(|p| p.shape()[axis] * inner).collect();
    par::rows(out.data_mut(), total * inner, |o, row| {
        let mut rest = row;
        for (p, &width) in parts.iter().zip(&widths) {
            let (here, after) = rest.split_at_mut(width);
            here.copy_from_slice(&p.data()[o * width..][..width]);
            rest = after;
        }
    });
    out
}

fn table<T: Real>(x: &Tensor<T>) -> (usize, usize) {
    match *x.shape() {
        [rows, c] => (rows, c),
        ref other => panic!("expected a table [rows, c], not {other:?}"),
    }
}

pub(super) fn rows<T: Real>(x: &Tensor<T>, indices: &[usize]) -> Tensor<T> {
    let (n, c) = table(x);
    assert!(indices.iter().all(|&i| i < n), "row indices {indices:?} of a table {:?}", x.shape());
    let mut out = Tensor::recycled(&[indices.len(), c]);
    let from = x.data();
    par::rows(out.data_mut(), c, |o, row| row.copy_from_slice(&from[indices[o] * c..][..c]));
    out
}

pub(super) fn scatter_rows<T: Real>(x: &Tensor<T>, indices: &[usize], n: usize) -> Tensor<T> {
    let (k, c) = table(x);
    assert!(k == indices.len() && indices.iter().all(|&i| i < n), "row indices {indices:?} for {:?} into {n} rows", x.shape());
    let mut out = Tensor::zeros(&[n, c]);
    for (row, &i) in x.data().chunks_exact(c.max(1)).zip(indices) {
        out.data_mut()[i * c..][..c].iter_mut().zip(row).for_each(|(o, &v)| *o += v);
    }
    out
}

pub(super) fn space_to_depth<T: Real>(x: &Tensor<T>) -> Tensor<T> {
    let (n, h, w, c) = nhwc(x);
    assert!(h % 2 == 0 && w % 2 == 0, "space_to_depth of an odd size {:?}", x.shape());
    let mut out = Tensor::recycled(&[n, h / 2, w / 2, 4 * c]);
    let from = x.data();
    par::rows(out.data_mut(), w * 2 * c, |i, row| {
        let (top, bottom) = from[i * 2 * w * c..][..2 * w * c].split_at(w * c);
        for ((to, a), b) in row.chunks_exact_mut(4 * c).zip(top.chunks_exact(2 * c)).zip(bottom.chunks_exact(2 * c)) {
            to[..2 * c].copy_from_slice(a);
            to[2 * c..].copy_from_slice(b);
        }
    });
    out
}

pub(super) fn depth_to_space<T: Real>(x: &Tensor<T>) -> Tensor<T> {
    let (n, h, w, c4) = nhwc(x);
    assert!(c4 % 4 == 0, "depth_to_space of {:?}: channels must come in fours", x.shape());
    let c = c4 / 4;
    let mut out = Tensor::recycled(&[n, h * 2, w * 2, c]);
    let from = x.data();
    par::rows(out.data_mut(), w * 4 * c, |i, rows| {
        let (top, bottom) = rows.split_at_mut(2 * w * c);
        let row = &from[i * w * c4..][..w * c4];
        for ((f, a), b) in row.chunks_exact(c4).zip(top.chunks_exact_mut(2 * c)).zip(bottom.chunks_exact_mut(2 * c)) {
            a.copy_from_slice(&f[..2 * c]);
            b.copy_from_slice(&f[2 * c..]);
        }
    });
    out
}

pub(super) fn gather_pixels<T: Real>(x: &Tensor<T>, map: &[u32], hw: (usize, usize)) -> Tensor<T> {
    let (n, h, w, c) = nhwc(x);
    check_map(map, n * hw.0 * hw.1, h * w);
    let mut out = Tensor::recycled(&[n, hw.0, hw.1, c]);
    let (from, pixels) = (x.data(), hw.0 * hw.1);
    par::rows(out.data_mut(), c, |p, to| match map[p] {
        u32::MAX => to.fill(T::default()),
        i => to.copy_from_slice(&from[(p / pixels * h * w + i as usize) * c..][..c]),
    });
    out
}

pub(super) fn scatter_pixels<T: Real>(x: &Tensor<T>, map: &[u32], hw: (usize, usize)) -> Tensor<T> {
    let (n, h, w, c) = nhwc(x);
    check_map(map, n * h * w, hw.0 * hw.1);
    let mut out = Tensor::recycled(&[n, hw.0, hw.1, c]);
    let from = x.data();
    // Several pixels may go to one place, so a picture is one task.
    par::blocks(out.data_mut(), hw.0 * hw.1 * c, |s, picture| {
        picture.fill(T::default());
        for (p, &i) in map[s * h * w..][..h * w].iter().enumerate().filter(|&(_, &i)| i != u32::MAX) {
            let row = &from[(s * h * w + p) * c..][..c];
            picture[i as usize * c..][..c].iter_mut().zip(row).for_each(|(o, &v)| *o += v);
        }
    });
    out
}

fn check_map(map: &[u32], len: usize, limit: usize) {
    let fits = map.len() == len && map.iter().all(|&i| i == u32::MAX || (i as usize) < limit);
    assert!(fits, "a pixel map needs {len} indices below {limit}; it has {}", map.len());
}
