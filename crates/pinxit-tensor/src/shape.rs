//! Shapes and how they broadcast.

/// Most dimensions a tensor can have.
pub const MAX_RANK: usize = 6;

/// Dimensions, outermost first, without an allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    dims: [usize; MAX_RANK],
    rank: usize,
}

impl Shape {
    /// From at most [`MAX_RANK`] dimensions.
    pub fn new(dims: &[usize]) -> Self {
        assert!(dims.len() <= MAX_RANK, "a tensor has at most {MAX_RANK} dimensions, not {dims:?}");
        let mut s = Shape { dims: [1; MAX_RANK], rank: dims.len() };
        s.dims[..dims.len()].copy_from_slice(dims);
        s
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.iter().product()
    }

    /// `[outer, axis, inner]`: everything before `axis`, the axis, everything after it.
    pub fn split(&self, axis: usize) -> (usize, usize, usize) {
        assert!(axis < self.rank, "no axis {axis} in {self:?}");
        (self[..axis].iter().product(), self[axis], self[axis + 1..].iter().product())
    }
}

impl std::ops::Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.dims[..self.rank]
    }
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&**self, f)
    }
}

/// Shape of an elementwise operation on `a` and `b`.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Shape {
    let fits = a.len() == b.len() && a.iter().zip(b).all(|(&x, &y)| x == y || x == 1 || y == 1);
    assert!(fits, "shapes {a:?} and {b:?} do not broadcast");
    let mut out = Shape::new(a);
    for (o, &y) in out.dims.iter_mut().zip(b) {
        if *o == 1 {
            *o = y;
        }
    }
    out
}

/// A dimension of an elementwise loop: its length, and whether each operand moves along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dim {
    pub len: usize,
    pub moves: [bool; 2],
}

/// The loop over `out` with neighbouring dimensions merged where both operands behave alike: all the broadcasts a
/// network uses become at most three nested loops. Outermost first; never empty.
pub(crate) fn collapse(out: &[usize], a: &[usize], b: &[usize]) -> Vec<Dim> {
    let mut dims: Vec<Dim> = Vec::with_capacity(out.len());
    for ((&len, &x), &y) in out.iter().zip(a).zip(b) {
        if len == 1 {
            continue;
        }
        let moves = [x == len, y == len];
        match dims.last_mut() {
            Some(last) if last.moves == moves => last.len *= len,
            _ => dims.push(Dim { len, moves }),
        }
    }
    if dims.is_empty() {
        dims.push(Dim { len: 1, moves: [true, true] });
    }
    dims
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasts_merge_into_few_loops() {
        let full = [2, 3, 5, 7];
        let dims = |b: &[usize]| collapse(&full, &full, b).iter().map(|d| (d.len, d.moves[1])).collect::<Vec<_>>();
        assert_eq!(dims(&full), [(210, true)]);
        assert_eq!(dims(&[1, 1, 1, 7]), [(30, false), (7, true)]);
        assert_eq!(dims(&[2, 1, 1, 7]), [(2, true), (15, false), (7, true)]);
        assert_eq!(dims(&[2, 1, 1, 1]), [(2, true), (105, false)]);
        assert_eq!(dims(&[2, 3, 5, 1]), [(30, true), (7, false)]);
        assert_eq!(dims(&[1, 1, 1, 1]), [(210, false)]);
    }

    #[test]
    #[should_panic(expected = "do not broadcast")]
    fn mismatch_names_both_shapes() {
        broadcast(&[2, 3], &[2, 4]);
    }
}
