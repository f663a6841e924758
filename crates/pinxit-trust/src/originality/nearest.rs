//! Exact nearest neighbours among rows of features.
use pinxit_tensor::{Array, Tensor};

/// Queries whose distances lie in memory together: 256 rows against 100,000 works take 100 MB.
const PART: usize = 256;

/// Rows that are searched again and again, with their squared lengths.
pub(crate) struct Rows {
    rows: Tensor,
    lengths: Vec<f64>,
}

impl Rows {
    /// Of a table `[n, d]`.
    pub fn new(rows: Tensor) -> Self {
        let lengths = lengths(&rows);
        Rows { rows, lengths }
    }

    /// The table.
    pub fn table(&self) -> &Tensor {
        &self.rows
    }
}

/// Squared length of each row.
fn lengths(t: &Tensor) -> Vec<f64> {
    let square = |row: &[f32]| row.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>();
    t.data().chunks_exact(t.shape()[1].max(1)).map(square).collect()
}

/// The `k` rows of `among` `[n, d]` nearest to each row of `queries` `[m, d]`, nearest first, as (row, Euclidean distance). `skip(i, j)` leaves row
/// `j` out for query `i`; where fewer than `k` remain, fewer are returned.
pub fn nearest(queries: &Tensor, among: &Tensor, k: usize, skip: impl Fn(usize, usize) -> bool) -> Vec<Vec<(usize, f32)>> {
    search(queries, (among, &lengths(among)), k, skip)
}

/// The same among rows whose lengths are known.
pub(crate) fn nearest_rows(
    queries: &Tensor,
    among: &Rows,
    k: usize,
    skip: impl Fn(usize, usize) -> bool,
) -> Vec<Vec<(usize, f32)>> {
    search(queries, (&among.rows, &among.lengths), k, skip)
}

fn search(
    queries: &Tensor,
    (among, theirs): (&Tensor, &[f64]),
    k: usize,
    skip: impl Fn(usize, usize) -> bool,
) -> Vec<Vec<(usize, f32)>> {
    let (m, n) = (queries.shape()[0], among.shape()[0]);
    let mine = lengths(queries);
    let mut out = Vec::with_capacity(m);
    for start in (0..m).step_by(PART) {
        let len = PART.min(m - start);
        let dots = queries.narrow(0, start, len).matmul(among, false, true);
        for (i, row) in dots.data().chunks_exact(n.max(1)).enumerate() {
            let distance = |j: usize| (mine[start + i] + theirs[j] - 2.0 * f64::from(row[j])).max(0.0).sqrt() as f32;
            let mut found: Vec<(usize, f32)> = (0..n).filter(|&j| !skip(start + i, j)).map(|j| (j, distance(j))).collect();
            let k = k.min(found.len());
            if k > 0 && k < found.len() {
                found.select_nth_unstable_by(k - 1, |a, b| a.1.total_cmp(&b.1));
            }
            found.truncate(k);
            found.sort_by(|a, b| a.1.total_cmp(&b.1));
            out.push(found);
        }
    }
    out
}

/// Distance of each query's nearest row.
pub(crate) fn distances(queries: &Tensor, among: &Tensor, skip: impl Fn(usize, usize) -> bool) -> Vec<f32> {
    nearest(queries, among, 1, skip).iter().map(|found| found.first().map_or(f32::INFINITY, |f| f.1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_found_in_order() {
        let among = Tensor::new(&[4, 2], vec![0.0, 0.0, 3.0, 4.0, 1.0, 0.0, -6.0, 8.0]);
        let queries = Tensor::new(&[2, 2], vec![0.0, 0.0, 3.0, 3.0]);
        let found = nearest(&queries, &among, 3, |_, _| false);
        assert_eq!(found[0], [(0, 0.0), (2, 1.0), (1, 5.0)]);
        assert_eq!(found[1][0], (1, 1.0));
        let others = nearest(&queries, &among, 9, |i, j| i == 0 && j == 0);
        assert_eq!((others[0].len(), others[1].len(), others[0][0]), (3, 4, (2, 1.0)));
        assert_eq!(distances(&queries, &among, |_, _| true), [f32::INFINITY; 2]);
    }
}
