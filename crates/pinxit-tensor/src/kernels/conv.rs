//! Dense convolution, forward and input gradient: register tiles over zero-haloed bands of rows.
//!
//! ```text
//! task    some pictures x a band of output rows x some column tiles
//! band    the input rows it reads, copied with their zero halo: no border code below this line
//! chunk   a run of k (kernel row, column, channel) whose weights (<= 24 KiB) stay in L1 over all pixel tiles of the task
//! tile    ROWS pixels x 2 registers of output channels, see `tile.rs`; sums wait in the output between chunks
//! ```
//! A kernel row is one contiguous run of `kw * ci` elements, whatever the channel count. The order of every sum depends on
//! the shape alone. Weights are packed once a call to `[column tile][k][lanes]`, zeros in unused lanes. Where an operand is a
//! pair of channels (see `operand.rs`) the band is where they are paired, and a map without a halo is copied, too.
use super::after::{self, After};
use super::kept::{Kept, Order, packed};
use super::operand::Operand;
use super::pass::{Axis, Pass};
use super::scratch::{Plain, Slot, with};
use super::simd::{Body, Simd, WIDEST};
use super::tile::{Tile, padded, span, tile, tiles};
use super::{Conv, winograd};
use crate::pool::{Parts, even, tasks, threads};

/// Longest run of k whose weights share the first-level cache with the pixels.
const CHUNK: usize = 192;
/// Output pixels a task aims at: enough to reuse a chunk of weights, few enough to share out evenly.
const TASK_PIXELS: usize = 256;
/// Fewest pixels a task is cut down to, so that every thread has some.
const FEW_PIXELS: usize = 32;
/// Operands of a band that still leave room for weights in the second-level cache.
const BAND: usize = 96 * 1024;

/// See [`super::Kernels::conv`].
pub fn forward<S: Simd>(g: &Conv, x: &[S::T], w: &[S::T], extras: Extras<'_, S::T>, y: &mut [S::T]) {
    run::<S>(&Pass::forward(g), x, w, extras, y)
}

/// See [`super::Kernels::conv_input_grad`].
pub fn input_grad<S: Simd>(g: &Conv, dy: &[S::T], w: &[S::T], kept: Option<&Kept>, dx: &mut [S::T]) {
    Pass::backward(g).iter().for_each(|pass| run::<S>(pass, dy, w, Extras { kept, after: None }, dx));
}

/// What a pass may be given beside its operands.
#[derive(Clone, Copy)]
pub struct Extras<'a, T> {
    /// Where packed weights are kept.
    pub kept: Option<&'a Kept>,
    /// What becomes of the sums; its bias as long as [`padded`] says.
    pub after: Option<After<'a, T>>,
}

/// How a pass is cut into tasks.
struct Cut {
    /// Pictures a task.
    pictures: usize,
    /// Output rows a task.
    rows: usize,
    /// Bands a picture.
    bands: usize,
    /// Column tiles a task.
    columns: usize,
    /// Groups of column tiles.
    groups: usize,
}

/// `p` in operands.
fn cut<S: Simd>(p: &Pass) -> Cut {
    let (all, wanted) = (tiles::<S>(p.co), if threads() == 1 { 1 } else { 2 * threads() });
    let task = (p.n * p.pixels() * all / wanted).clamp(FEW_PIXELS, TASK_PIXELS);
    let rows_wanted = task.div_ceil(p.x.len).min(p.y.len);
    let row = p.x.reach(p.x.len) * p.ci * p.y.step;
    let rows_fit = (BAND / row.max(1)).saturating_sub(p.y.taps.len()).max(1);
    let copied = p.needs_halo() || S::K::NUMBERS > 1;
    let rows = if copied { rows_wanted.min(rows_fit) } else { rows_wanted };
    let bands = p.y.len.div_ceil(rows);
    let rows = p.y.len.div_ceil(bands);
    let pictures = if bands > 1 { 1 } else { (task / p.pixels()).min(BAND / (row * p.y.len).max(1)).clamp(1, p.n.max(1)) };
    let pictures = even(p.n, pictures);
    let areas = p.n.div_ceil(pictures) * bands;
    let groups = if threads() == 1 { 1 } else { (4 * threads()).div_ceil(areas.max(1)).min(all) };
    let columns = all.div_ceil(groups);
    Cut { pictures, rows, bands, columns, groups: all.div_ceil(columns) }
}

/// Runs a pass; only its own destination pixels are written.
pub fn run<S: Simd>(p: &Pass, source: &[S::T], w: &[S::T], extras: Extras<'_, S::T>, out: &mut [S::T]) {
    if p.n * p.pixels() * p.co == 0 {
        return;
    }
    assert!(source.len() >= p.n * p.source_len() && out.len() >= p.n * p.destination_len(), "operands of {p:?}");
    if winograd::wins::<S>(p) {
        return winograd::run::<S::Plain>(p, source, w, extras, out);
    }
    let k = Pass { ci: operands::<S>(p.ci), ..p.clone() };
    let (cut, out) = (cut::<S>(&k), Parts::new(out));
    let (order, len) = (Order::of::<S>(p, false), k.depth() * padded::<S>(p.co));
    packed(
        extras.kept,
        order,
        Slot::Packed,
        len,
        |to| pack::<S>(p, w, to),
        |packed: &[S::K]| {
            tasks(p.n.div_ceil(cut.pictures) * cut.bands * cut.groups, |t| {
                let (area, group) = (t / cut.groups, t % cut.groups);
                let (picture, row) = (area / cut.bands * cut.pictures, area % cut.bands * cut.rows);
                let area =
                    Area { first: picture, pictures: cut.pictures.min(p.n - picture), row, rows: cut.rows.min(p.y.len - row) };
                let columns = group * cut.columns..((group + 1) * cut.columns).min(tiles::<S>(p.co));
                with_source::<S>(p, &area, source, |a, pitch| {
                    sweep::<S>(&k, &area, (a, pitch), packed, columns, extras.after, &out)
                });
            });
        },
    );
}

/// Operands of `channels` numbers.
fn operands<S: Simd>(channels: usize) -> usize {
    channels.div_ceil(S::K::NUMBERS)
}

/// Weights to `[column tile][k][lanes]`.
pub fn pack<S: Simd>(p: &Pass, w: &[S::T], packed: &mut [S::K]) {
    let (parts, taps, ci) = (Parts::new(packed), p.y.taps.len() * p.x.taps.len(), operands::<S>(p.ci));
    let [per_tap, _, per_out] = p.weight;
    tasks(tiles::<S>(p.co) * taps, |t| {
        let (j, tap) = (t / taps, t % taps);
        let (first, q, used) = span::<S>(j, p.co);
        let width = q * S::LANES;
        let kernel = p.y.taps[tap / p.x.taps.len()] * p.kw + p.x.taps[tap % p.x.taps.len()];
        let from = &w[kernel * per_tap + first * per_out..];
        // SAFETY: tile `j` and tap `tap` own these rows alone.
        let rows = unsafe { parts.slice(first * taps * ci + tap * ci * width, ci * width) };
        if used < width {
            rows.fill(S::K::default());
        }
        // SAFETY: the set is the one in use.
        unsafe { S::enter(PackTap { p, from, width, used, rows }) }
    });
}

/// The weights of one tap and column tile, from the first of them on.
struct PackTap<'a, T, K> {
    p: &'a Pass,
    from: &'a [T],
    width: usize,
    used: usize,
    rows: &'a mut [K],
}

impl<S: Simd> Body<S> for PackTap<'_, S::T, S::K> {
    #[inline(always)]
    unsafe fn run(self) {
        let PackTap { p, from, width, used, rows } = self;
        let (numbers, [_, per_in, per_out]) = (S::K::NUMBERS, p.weight);
        if per_out == 1 {
            for (i, row) in rows.chunks_exact_mut(width).enumerate() {
                let channel = |c: usize| (c < p.ci).then(|| &from[c * per_in..][..used]);
                // SAFETY: inside `enter`.
                unsafe { S::pairs(channel(i * numbers), channel(i * numbers + numbers - 1), &mut row[..used]) }
            }
        } else {
            // Turned in blocks of a register, so that every line read is used up while it is near.
            let mut line = [S::K::default(); WIDEST];
            for (block, rows) in rows.chunks_mut(WIDEST * width).enumerate() {
                let (start, end) = (block * WIDEST * numbers, p.ci.min((block + 1) * WIDEST * numbers));
                for o in 0..used {
                    let (from, count) = (&from[o * per_out..][start..end], (end - start).div_ceil(numbers));
                    // SAFETY: inside `enter`. A length that the compiler knows lets it unroll both loops.
                    unsafe {
                        if count == WIDEST && from.len() == WIDEST * numbers {
                            S::neighbours(from, &mut line);
                            (0..WIDEST).for_each(|i| rows[i * width + o] = line[i]);
                        } else {
                            S::neighbours(from, &mut line[..count]);
                            (0..count).for_each(|i| rows[i * width + o] = line[i]);
                        }
                    }
                }
            }
        }
    }
}

/// Output pixels of a task.
pub struct Area {
    pub first: usize,
    pub pictures: usize,
    pub row: usize,
    pub rows: usize,
}

/// Distances in the source a task reads: between pictures, between rows.
#[derive(Clone, Copy)]
pub struct Pitch {
    pub picture: usize,
    pub row: usize,
}

/// Calls `f` with the source of an area as operands, starting at the first tap of its first pixel: the map itself where no
/// tap leaves it and nothing has to be converted, else a copy with a zero halo.
pub fn with_source<S: Simd>(p: &Pass, area: &Area, source: &[S::T], f: impl FnOnce(&[S::K], Pitch)) {
    if p.depth() == 0 {
        return f(&[], Pitch { picture: 0, row: 0 }); // no tap reaches these pixels
    }
    let map = Pitch { picture: p.source_len(), row: p.x.source * p.ci };
    let pictures = &source[area.first * map.picture..][..area.pictures * map.picture];
    let top = (area.row * p.y.step) as isize + p.y.at;
    if let (false, Some(same)) = (p.needs_halo(), S::K::same(pictures)) {
        return f(&same[top as usize * map.row + p.x.at as usize * p.ci..], map);
    }
    let (height, row) = (p.y.reach(area.rows), p.x.reach(p.x.len) * operands::<S>(p.ci));
    with(Slot::Band, area.pictures * height * row, |band: &mut [S::K]| {
        for (i, line) in band.chunks_exact_mut(row.max(1)).enumerate() {
            let y = top + (i % height) as isize;
            let inside = y >= 0 && y < p.y.source as isize;
            let from = if inside { &pictures[i / height * map.picture + y as usize * map.row..][..map.row] } else { &[][..] };
            match S::K::same(from) {
                Some(from) => copy_row(from, p.x.at * p.ci as isize, line),
                None => convert_row::<S>(from, p.x.at, p.ci, line),
            }
        }
        f(band, Pitch { picture: height * row, row });
    });
}

/// Pixels from `at` on of a row of `ci` channels, zero outside `from`, as operands.
fn convert_row<S: Simd>(from: &[S::T], at: isize, ci: usize, to: &mut [S::K]) {
    let each = operands::<S>(ci);
    let (left, start, count) = overlap(from.len() / ci, at, to.len() / each);
    to[..left * each].fill(S::K::default());
    to[(left + count) * each..].fill(S::K::default());
    let (from, to) = (&from[start * ci..][..count * ci], &mut to[left * each..][..count * each]);
    // SAFETY: the set is the one in use.
    unsafe { S::enter(Convert { from, ci, to }) }
}

/// Pixels of `ci` channels to operands.
struct Convert<'a, T, K> {
    from: &'a [T],
    ci: usize,
    to: &'a mut [K],
}

impl<S: Simd> Body<S> for Convert<'_, S::T, S::K> {
    #[inline(always)]
    unsafe fn run(self) {
        // Where no channel is left over, a row is one run.
        let whole = self.ci.is_multiple_of(S::K::NUMBERS);
        let run = if whole { self.from.len() } else { self.ci };
        for (from, to) in self.from.chunks(run.max(1)).zip(self.to.chunks_mut(run.max(1).div_ceil(S::K::NUMBERS))) {
            // SAFETY: inside `enter`.
            unsafe { S::neighbours(from, to) }
        }
    }
}

/// Where `to[i] = from[i + at]` copies: the first i, the first of `from`, and how many.
fn overlap(from: usize, at: isize, to: usize) -> (usize, usize, usize) {
    let left = (-at).clamp(0, to as isize) as usize;
    let start = (at.max(0) as usize).min(from);
    (left, start, (from - start).min(to - left))
}

/// `to[i] = from[i + at]`, zero outside `from`.
pub fn copy_row<T: Plain>(from: &[T], at: isize, to: &mut [T]) {
    let (left, start, count) = overlap(from.len(), at, to.len());
    to[..left].fill(T::default());
    to[left..left + count].copy_from_slice(&from[start..start + count]);
    to[left + count..].fill(T::default());
}

/// A run of k: which segments, how long each, the first row of its weights, and the first tap.
struct Chunk {
    segments: std::ops::Range<usize>,
    len: usize,
    k: usize,
    tap: (usize, usize),
}

/// Cuts k into chunks: several whole kernel rows, or a part of one, or with `single` of one tap. Returns the offset of every
/// segment, and the chunks.
fn chunks(p: &Pass, row_pitch: usize, single: bool) -> (Vec<usize>, Vec<Chunk>) {
    let (rows, columns) = (p.y.taps.len(), p.x.taps.len());
    let (mut segments, mut chunks) = (Vec::new(), Vec::new());
    let across = if single { 1 } else { columns };
    let run = across * p.ci;
    if rows * columns * run == 0 {
        return (segments, chunks);
    }
    let parts = run.div_ceil(CHUNK);
    let together = if single || parts > 1 { 1 } else { CHUNK / run };
    for (row, column) in (0..rows).step_by(together).flat_map(|r| (0..columns).step_by(across).map(move |c| (r, c))) {
        for part in 0..parts {
            let (start, end) = (column * p.ci + run * part / parts, column * p.ci + run * (part + 1) / parts);
            let first = segments.len();
            segments.extend((row..(row + together).min(rows)).map(|r| r * row_pitch + start));
            let (segments, k) = (first..segments.len(), row * columns * p.ci + start);
            chunks.push(Chunk { segments, len: end - start, k, tap: (row, column) });
        }
    }
    (segments, chunks)
}

/// True where so many taps read the padding that it pays to leave them out: of a 3x3 kernel on a map of 4x4, 44 of 144. Taps must
/// be worth a chunk each.
fn skips(p: &Pass) -> bool {
    const SMALL: usize = 64;
    const WORTH: usize = 64;
    p.needs_halo() && p.pixels() <= SMALL && p.ci >= WORTH && p.y.taps.len() * p.x.taps.len() * p.ci.div_ceil(CHUNK) <= 64
}

/// For every tile of pixels (row, column) the chunks that read the map for one of them, as bits; at least one.
fn reading<S: Simd>(p: &Pass, pixels: &[[usize; 3]], first_row: usize, chunks: &[Chunk]) -> Vec<u64> {
    let inside = |a: &Axis, i: usize, tap: usize| {
        let at = (i * a.step + tap) as isize + a.at;
        at >= 0 && at < a.source as isize
    };
    let reads = |c: &Chunk, [_, row, column]: [usize; 3]| inside(&p.y, first_row + row, c.tap.0) && inside(&p.x, column, c.tap.1);
    let bits = |tile: &[[usize; 3]]| {
        let any = |c: &Chunk| tile.iter().any(|&pixel| reads(c, pixel));
        chunks.iter().enumerate().filter(|(_, c)| any(c)).fold(0, |bits, (i, _)| bits | 1 << i).max(1)
    };
    pixels.chunks(S::ROWS).map(bits).collect()
}

/// All tiles of an area and a range of column tiles; `p` in operands.
fn sweep<S: Simd>(
    p: &Pass,
    area: &Area,
    (a, pitch): (&[S::K], Pitch),
    packed: &[S::K],
    columns: std::ops::Range<usize>,
    after: Option<After<'_, S::T>>,
    out: &Parts<S::T>,
) {
    let single = skips(p);
    let pixels = area.pictures * area.rows * p.x.len;
    let (mut places, mut from, mut to) = (Vec::new(), Vec::with_capacity(pixels), Vec::with_capacity(pixels));
    let mut row = |i: usize, r: usize, columns: std::ops::Range<usize>| {
        let (read, write) = (i * pitch.picture + r * p.y.step * pitch.row, (area.first + i) * p.destination_len());
        from.extend(columns.clone().map(|c| read + c * p.x.step * p.ci));
        to.extend(columns.map(|c| write + p.write_at(area.row + r, c)));
    };
    if single {
        // Pictures innermost: neighbours in a tile are then the same place, which leaves out the same taps.
        for place in 0..area.rows * p.x.len * area.pictures {
            let (i, r, c) = (place % area.pictures, place / area.pictures / p.x.len, place / area.pictures % p.x.len);
            places.push([i, r, c]);
            row(i, r, c..c + 1);
        }
    } else {
        (0..area.pictures).for_each(|i| (0..area.rows).for_each(|r| row(i, r, 0..p.x.len)));
    }
    let scaled = after.is_some_and(|a| a.scale.is_some());
    let picture = |t: usize| if single { t % area.pictures } else { t / (area.rows * p.x.len) };
    let scale_of = |t: usize| (area.first + picture(t)) * after::row(p.co);
    let scales: Vec<usize> = (0..if scaled { pixels } else { 0 }).map(scale_of).collect();
    let (segments, chunks) = chunks(p, pitch.row, single);
    let reading = if single { reading::<S>(p, &places, area.row, &chunks) } else { Vec::new() };
    if let (Some(pixel), Some(segment), Some(chunk)) = (from.iter().max(), segments.iter().max(), chunks.last()) {
        assert!(pixel + segment + chunk.len <= a.len(), "a pass reads within its source");
    }
    for j in columns {
        let (first, q, used) = span::<S>(j, p.co);
        let b = &packed[first * p.depth()..][..p.depth() * q * S::LANES];
        let after = after.map(|a| a.from(first));
        let sums = Sums {
            a,
            b,
            from: &from,
            segments: &segments,
            chunks: &chunks,
            columns: used,
            after,
            scales: &scales,
            reading: &reading,
        };
        // SAFETY: `to` are whole pixels of this area inside `out`, and channels `first ..` are this task's alone.
        unsafe {
            if chunks.is_empty() {
                to.iter().for_each(|&t| out.slice(t + first, used).fill(S::T::default())); // no tap reaches these pixels
            } else {
                sums.write::<S>(q, out.start().wrapping_add(first), &to)
            }
        }
    }
}

/// The sums of one column tile over a list of pixels.
struct Sums<'a, K, T> {
    a: &'a [K],
    b: &'a [K],
    from: &'a [usize],
    segments: &'a [usize],
    chunks: &'a [Chunk],
    columns: usize,
    after: Option<After<'a, T>>,
    /// Where the scales of every pixel's picture begin; empty where there are none.
    scales: &'a [usize],
    /// See [`reading`]; empty where every chunk is for every tile.
    reading: &'a [u64],
}

impl<K, T: Copy> Sums<'_, K, T> {
    /// # Safety
    /// `out[to[i] ..][.. columns]` is writable and nobody else's, for every i; `from`, `segments` and `chunks` stay in `a`.
    unsafe fn write<S: Simd<K = K, T = T>>(&self, q: usize, out: *mut T, to: &[usize]) {
        for (i, chunk) in self.chunks.iter().enumerate() {
            let (segments, b) = (&self.segments[chunk.segments.clone()], self.b[chunk.k * q * S::LANES..].as_ptr());
            for (t, (from, to)) in self.from.chunks(S::ROWS).zip(to.chunks(S::ROWS)).enumerate() {
                let (fresh, last) = match self.reading.get(t) {
                    None => (i == 0, i + 1 == self.chunks.len()),
                    Some(bits) if bits >> i & 1 == 0 => continue,
                    Some(bits) => (bits & !(u64::MAX << i) == 0, bits & (u64::MAX << i << 1) == 0),
                };
                let (a, len, pitch, columns) = (self.a.as_ptr(), chunk.len, q * S::LANES, self.columns);
                let scales = self.scales.get(t * S::ROWS..).map_or(&[][..], |s| &s[..from.len().min(s.len())]);
                let after = self.after.filter(|_| last).map(|a| (a, scales));
                let t = Tile { a, from, step: 1, segments, len, b, pitch, out, to, columns, fresh, after };
                // SAFETY: the caller's promise; `b` holds every k of the column tile.
                unsafe { tile::<S>(q, t) }
            }
        }
    }
}
