//! Weight gradient of a dense convolution: `dw[ky][kx][ci][co] = sum over pixels of x[..][ci] * dy[..][co]`.
//!
//! ```text
//! task    a slice of input channels x a share of the strips (rectangles of output pixels), into its own sums
//! load    as many strips as fit the second-level cache: x to [block of ROWS channels][row][column][ROWS] with its halo,
//!         dy to [column tile][pixel][lanes]; where an operand is a pair (see `operand.rs`), of two neighbouring outputs:
//!         x with a pair for every column, so that every tap finds its own, dy with a pair for every second
//! run     rows of a load whose dy (about 128 pixels) stay in L1 while every tap and channel block passes over them
//! tile    ROWS input channels x 2 registers of output channels, k over the pixels of the run
//! ```
//! Shares and slices depend on the shape alone and their sums are added in order: the same bytes for any number of threads.
use super::conv::copy_row;
use super::matmul::transpose;
use super::operand::Operand;
use super::scratch::{Slot, with};
use super::simd::{Body, Exact, Simd};
use super::tile::{Tile, padded, span, tile, tiles};
use super::{Conv, winograd_grad};
use crate::pool::{Parts, tasks};

/// Pixels of a run.
const RUN: usize = 128;
/// Widest strip.
const WIDEST: usize = 256;
/// Elements of a load.
const LOAD: usize = 96 * 1024;
/// Elements all partial sums together may take: more shares cost more in the last addition than they gain.
const PARTIAL: usize = 1 << 20;
/// Pixels that a share must have to be worth its sums: 8x8 128>128 of a batch of 8 ran at a third of its speed in 7 shares.
const SHARE: usize = 512;
/// Input channels a task aims at: dy is repacked once for each slice.
const SLICE: usize = 32;
/// Tasks below which slices are made smaller, unless channels and taps of a slice would be too few to be worth repacking dy.
const TASKS: usize = 4;
const WORTH: usize = 64;
/// Weights of one tap up to which f32 in place is taken although bf16 is asked for: 40>20 went from 42 to 58, 64>32 from 95 to 106
/// GFLOP/s on one thread; 160>128, packed in bf16, makes 132 where f32 makes 104. Between 2,048 and 20,480 nothing was measured.
const FEW_WEIGHTS: usize = 4096;

/// How the work is cut. All strips are equal; what hangs over an edge is multiplied by zeros.
struct Cut {
    /// Output rows and columns of a strip, and operands that hold a row of it.
    rows: usize,
    cols: usize,
    pairs: usize,
    /// Strips a picture, downwards and across.
    down: usize,
    across: usize,
    /// Input channels a slice (a multiple of two blocks of `ROWS`, see [`PackLine`]), and slices.
    slice: usize,
    slices: usize,
    /// Shares of the strips.
    shares: usize,
    /// Strips a load.
    strips: usize,
}

impl Cut {
    fn new<S: Simd>(g: &Conv) -> Cut {
        let (ho, wo) = (g.ho(), g.wo());
        let across = wo.div_ceil(WIDEST);
        let cols = wo.div_ceil(across);
        let down = ho.div_ceil((4 * RUN).div_ceil(cols));
        let rows = ho.div_ceil(down);
        let pairs = cols.div_ceil(S::K::NUMBERS);
        let weights = g.kh * g.kw * g.ci * padded::<S>(g.co);
        let most = (PARTIAL / weights.max(1)).min(16).min(g.n * down * across).min(g.n * ho * wo / SHARE);
        let shares = most.max(1);
        let least = (WORTH / (g.kh * g.kw)).clamp(1, SLICE);
        let slice = (g.ci * shares / TASKS).clamp(least, SLICE).min(g.ci.max(1)).next_multiple_of(2 * S::ROWS);
        let mut cut = Cut { rows, cols, pairs, down, across, slice, slices: g.ci.div_ceil(slice), shares, strips: 1 };
        let strip = cut.strip_x(g) * slice + rows * pairs * padded::<S>(g.co);
        cut.strips = (LOAD / strip.max(1)).clamp(1, g.n.max(1) * down * across);
        cut
    }
    /// Input rows and columns of a strip, with halo.
    fn input(&self, g: &Conv) -> (usize, usize) {
        ((self.rows - 1) * g.stride + g.kh, (self.cols - 1) * g.stride + g.kw)
    }
    /// Input pixels of a strip.
    fn strip_x(&self, g: &Conv) -> usize {
        let (h, w) = self.input(g);
        h * w
    }
    /// All strips of all pictures.
    fn all(&self, g: &Conv) -> usize {
        g.n * self.down * self.across
    }
    /// Picture and first output row and column of strip `i`.
    fn place(&self, i: usize) -> (usize, usize, usize) {
        let (picture, in_picture) = (i / (self.down * self.across), i % (self.down * self.across));
        (picture, in_picture / self.across * self.rows, in_picture % self.across * self.cols)
    }
}

/// See [`super::Kernels::conv_weight_grad`].
pub fn run<S: Simd>(g: &Conv, x: &[S::T], dy: &[S::T], dw: &mut [S::T]) {
    if g.kh * g.kw == 1 && g.stride == 1 && g.pad == 0 {
        if g.co < S::LANES.min(g.ci) {
            // x and dy change places, or most lanes would be empty: to RGB it is twice as fast.
            return with(Slot::Transposed, dw.len(), |turned: &mut [S::T]| {
                run::<S>(&Conv { ci: g.co, co: g.ci, ..*g }, dy, x, turned);
                transpose(turned, g.co, g.ci, dw);
            });
        }
        if g.h > 1 {
            // Pixels without neighbours: one long row, cut into even strips.
            return run::<S>(&Conv { n: 1, h: 1, w: g.n * g.h * g.w, ..*g }, x, dy, dw);
        }
        if g.w > 0 && (S::K::NUMBERS == 1 || g.ci * g.co <= FEW_WEIGHTS) {
            return in_place::<S::Plain>(g, x, dy, dw);
        }
    }
    if g.n * g.ho() * g.wo() == 0 {
        return dw.fill(S::T::default());
    }
    if winograd_grad::wins::<S>(g) {
        return winograd_grad::run::<S::Plain>(g, x, dy, dw);
    }
    let (cut, width) = (Cut::new::<S>(g), padded::<S>(g.co));
    let weights = g.kh * g.kw * g.ci * width;
    with(Slot::Partial, weights * cut.shares, |sums: &mut [S::T]| {
        let parts = Parts::new(sums);
        tasks(cut.slices * cut.shares, |t| {
            let (share, slice) = (t / cut.slices, t % cut.slices);
            let channels = slice * cut.slice..((slice + 1) * cut.slice).min(g.ci);
            // SAFETY: this task alone writes the rows of its channels in the sums of its share.
            unsafe { sum_share::<S>(g, &cut, x, dy, channels, share, parts.start().wrapping_add(share * weights)) }
        });
        add_shares(sums, weights, width, g.co, dw);
    });
}

/// One tap, and one long row: x and dy are read where they lie, since nothing is gained by packing what is read once or twice.
fn in_place<S: Exact>(g: &Conv, x: &[S::T], dy: &[S::T], dw: &mut [S::T]) {
    let (pixels, weights, width) = (g.n * g.w, g.ci * g.co, padded::<S>(g.co));
    assert!(x.len() >= pixels * g.ci && dy.len() >= pixels * g.co && dw.len() == weights, "operands of {g:?}");
    let shares = (PARTIAL / weights.max(1)).min(16).min(pixels / SHARE).max(1);
    let slice = (g.ci * shares / TASKS).clamp(S::ROWS, SLICE).next_multiple_of(S::ROWS);
    let slices = g.ci.div_ceil(slice);
    let (rows, to): (Vec<usize>, Vec<usize>) = (0..S::ROWS).map(|i| (i, i * g.co)).unzip();
    // Lanes beyond the last column hold the next pixel's numbers, which nobody stores. Past the last pixels there are none.
    let last = if width == g.co { 0 } else { width.div_ceil(g.co.max(1)).min(pixels) };
    let mut end_of_dy = vec![S::T::default(); last * g.co + width];
    end_of_dy[..last * g.co].copy_from_slice(&dy[(pixels - last) * g.co..][..last * g.co]);
    with(Slot::Partial, weights * shares, |sums: &mut [S::T]| {
        let parts = Parts::new(sums);
        tasks(slices * shares, |t| {
            let (share, slice) = (t / slices, t % slices * slice..((t % slices + 1) * slice).min(g.ci));
            let (begin, end) = (pixels * share / shares, pixels * (share + 1) / shares);
            let sums = parts.start().wrapping_add(share * weights);
            let add = |first: usize, len: usize, dy: &[S::T]| {
                for j in 0..tiles::<S>(g.co) {
                    let (column, q, columns) = span::<S>(j, g.co);
                    let b = dy[column..][..(len - 1) * g.co + q * S::LANES].as_ptr();
                    for channel in slice.clone().step_by(S::ROWS) {
                        let (used, a) = (S::ROWS.min(slice.end - channel), x[first * g.ci + channel..].as_ptr());
                        let (from, to, segments) = (&rows[..used], &to[..used], &[0][..]);
                        let (step, pitch, out) = (g.ci, g.co, sums.wrapping_add(channel * g.co + column));
                        let fresh = first == begin;
                        let t = Tile { a, from, step, segments, len, b, pitch, out, to, columns, fresh, after: None };
                        // SAFETY: pixels and channels as asserted; these rows of the share's sums are this task's alone.
                        unsafe { tile::<S>(q, t) }
                    }
                }
            };
            let near = end.min(pixels - last).max(begin);
            (begin..near).step_by(RUN).for_each(|first| add(first, RUN.min(near - first), &dy[first * g.co..]));
            if near < end {
                add(near, end - near, &end_of_dy[(near + last - pixels) * g.co..]);
            }
        });
        add_shares(sums, weights, g.co, g.co, dw);
    });
}

/// `dw` = sum of the shares, in order, without the padding lanes.
pub fn add_shares<T: crate::Real>(sums: &[T], weights: usize, width: usize, co: usize, dw: &mut [T]) {
    let rows_a_task = (16 * 1024 / co.max(1)).max(1);
    crate::par::blocks(dw, rows_a_task * co.max(1), |i, dw| {
        for (r, row) in dw.chunks_mut(co).enumerate() {
            let at = (i * rows_a_task + r) * width;
            row.copy_from_slice(&sums[at..at + co]);
            for share in sums.chunks_exact(weights).skip(1) {
                row.iter_mut().zip(&share[at..at + co]).for_each(|(d, &s)| *d += s);
            }
        }
    });
}

/// Sums one share of the strips for some input channels into `sums` (`[kh][kw][ci][padded co]`).
///
/// # Safety
/// `sums` holds all weights of a share; nobody else touches the rows of `channels`.
unsafe fn sum_share<S: Simd>(
    g: &Conv,
    cut: &Cut,
    x: &[S::T],
    dy: &[S::T],
    channels: std::ops::Range<usize>,
    share: usize,
    sums: *mut S::T,
) {
    let (begin, end) = (cut.all(g) * share / cut.shares, cut.all(g) * (share + 1) / cut.shares);
    let blocks = channels.len().div_ceil(S::ROWS);
    let (strip_x, strip_dy) = (cut.strip_x(g), cut.rows * cut.pairs);
    with(Slot::Band, cut.strips * strip_x * blocks * S::ROWS, |px: &mut [S::K]| {
        with(Slot::Tiles, cut.strips * strip_dy * padded::<S>(g.co), |pdy: &mut [S::K]| {
            for load in (begin..end).step_by(cut.strips) {
                let strips = load..(load + cut.strips).min(end);
                pack_x::<S>(g, cut, x, strips.clone(), &channels, px);
                pack_dy::<S>(g, cut, dy, strips.clone(), pdy);
                let load = Load { strips: strips.len(), fresh: load == begin, x: px, dy: pdy };
                // SAFETY: the caller's promise.
                unsafe { load.add::<S>(g, cut, &channels, sums) }
            }
        })
    });
}

/// Input of some strips to `[block][strip][row][column][ROWS]`, zeros beyond the map.
fn pack_x<S: Simd>(
    g: &Conv,
    cut: &Cut,
    x: &[S::T],
    strips: std::ops::Range<usize>,
    channels: &std::ops::Range<usize>,
    to: &mut [S::K],
) {
    let ((height, width), pitch) = (cut.input(g), strips.len() * cut.strip_x(g) * S::ROWS);
    for (s, strip) in strips.clone().enumerate() {
        let (picture, row, col) = cut.place(strip);
        let left = (col * g.stride) as isize - g.pad as isize;
        for r in 0..height {
            let y = (row * g.stride + r) as isize - g.pad as isize;
            let inside = y >= 0 && y < g.h as isize;
            let line = if inside { &x[(picture * g.h + y as usize) * g.w * g.ci..][..g.w * g.ci] } else { &[][..] };
            let at = (s * height + r) * width * S::ROWS;
            if let (true, Some(line)) = (g.ci == S::ROWS, S::K::same(line)) {
                copy_row(line, left * g.ci as isize, &mut to[at..][..width * S::ROWS]);
                continue;
            }
            for (b, first) in channels.clone().step_by(2 * S::ROWS).enumerate() {
                let used = (2 * S::ROWS).min(channels.end - first);
                let to = &mut to[2 * b * pitch + at..];
                let (near, far) = to.split_at_mut(if used > S::ROWS { pitch } else { to.len() });
                let far = if used > S::ROWS { &mut far[..width * S::ROWS] } else { far };
                let from = Columns { line, width: line.len() / g.ci, ci: g.ci, first, used, left, apart: g.stride };
                let line = PackLine { from, near: &mut near[..width * S::ROWS], far };
                // SAFETY: the set is the one in use.
                unsafe { S::enter(line) }
            }
        }
    }
}

/// `used` channels from `first` of the pixels of a row, from pixel `left` on; none beyond the row.
struct Columns<'a, T> {
    line: &'a [T],
    /// Pixels of the row.
    width: usize,
    ci: usize,
    first: usize,
    used: usize,
    left: isize,
    /// Pixels between the two that share an operand.
    apart: usize,
}

impl<T> Columns<'_, T> {
    #[inline(always)]
    fn get(&self, i: usize) -> Option<&[T]> {
        let column = usize::try_from(self.left + i as isize).ok().filter(|&c| c < self.width)?;
        Some(&self.line[column * self.ci + self.first..][..self.used])
    }
}

/// Columns to `[pixel][ROWS]`, twice: half a register would be loaded for one block of channels alone.
struct PackLine<'a, T, K> {
    from: Columns<'a, T>,
    near: &'a mut [K],
    /// The second block, empty where the channels end in the first.
    far: &'a mut [K],
}

impl<S: Simd> Body<S> for PackLine<'_, S::T, S::K> {
    #[inline(always)]
    unsafe fn run(self) {
        let (from, whole, mut operands) = (&self.from, self.from.used == 2 * S::ROWS, [S::K::default(); 16]);
        let mut far = self.far.chunks_exact_mut(S::ROWS);
        for (i, near) in self.near.chunks_exact_mut(S::ROWS).enumerate() {
            let (first, second) = (from.get(i), from.get(i + from.apart));
            match far.next() {
                Some(far) => {
                    let both = 2 * S::ROWS;
                    // SAFETY: inside `enter`. A length that the compiler knows is worth a fifth of the kernel's speed.
                    unsafe {
                        if whole {
                            S::pairs(first.map(|f| &f[..both]), second.map(|s| &s[..both]), &mut operands[..both])
                        } else {
                            S::pairs(first, second, &mut operands[..from.used])
                        }
                    }
                    near.copy_from_slice(&operands[..S::ROWS]);
                    far.copy_from_slice(&operands[S::ROWS..][..S::ROWS]);
                }
                // SAFETY: inside `enter`.
                None => unsafe { S::pairs(first, second, &mut near[..from.used]) },
            }
        }
    }
}

/// Output gradient of some strips to `[column tile][strip][pixel][lanes]`, zeros beyond the map and in unused lanes.
fn pack_dy<S: Simd>(g: &Conv, cut: &Cut, dy: &[S::T], strips: std::ops::Range<usize>, to: &mut [S::K]) {
    let (ho, wo, pixels) = (g.ho(), g.wo(), strips.len() * cut.rows * cut.pairs);
    for (s, strip) in strips.enumerate() {
        let (picture, row, col) = cut.place(strip);
        for r in 0..cut.rows {
            let cols = if row + r < ho { cut.cols.min(wo - col) } else { 0 };
            let line = &dy[((picture * ho + (row + r).min(ho - 1)) * wo + col) * g.co..][..cols * g.co];
            for j in 0..tiles::<S>(g.co) {
                let (first, q, used) = span::<S>(j, g.co);
                let width = q * S::LANES;
                let to = &mut to[first * pixels + (s * cut.rows + r) * cut.pairs * width..][..cut.pairs * width];
                let slopes = Slopes { line, co: g.co, first, used, to };
                // SAFETY: the set is the one in use.
                match q {
                    1 => unsafe { S::enter(PackSlopes::<_, _, 1>(slopes)) },
                    _ => unsafe { S::enter(PackSlopes::<_, _, 2>(slopes)) },
                }
            }
        }
    }
}

/// `used` channels from `first` of the pixels of a row, to be put into whole registers.
struct Slopes<'a, T, K> {
    line: &'a [T],
    co: usize,
    first: usize,
    used: usize,
    to: &'a mut [K],
}

/// Slopes to `[pixel][Q * LANES]`.
struct PackSlopes<'a, T, K, const Q: usize>(Slopes<'a, T, K>);

impl<S: Simd, const Q: usize> Body<S> for PackSlopes<'_, S::T, S::K, Q> {
    #[inline(always)]
    unsafe fn run(self) {
        let Slopes { line, co, first, used, to } = self.0;
        let numbers = S::K::NUMBERS;
        for (i, to) in to.chunks_exact_mut(Q * S::LANES).enumerate() {
            let pixel = |n: usize| line.get((i * numbers + n) * co + first..).and_then(|from| from.get(..used));
            let (first, second) = (pixel(0), pixel(numbers - 1));
            // SAFETY: inside `enter`.
            unsafe {
                if used == Q * S::LANES {
                    S::pairs(first.map(|f| &f[..Q * S::LANES]), second.map(|s| &s[..Q * S::LANES]), to);
                } else {
                    to[used..].fill(S::K::default());
                    S::pairs(first, second, &mut to[..used]);
                }
            }
        }
    }
}

/// Packed strips.
struct Load<'a, K> {
    strips: usize,
    fresh: bool,
    x: &'a [K],
    dy: &'a [K],
}

impl<K: Operand> Load<'_, K> {
    /// Adds the products of all pixels of the load.
    ///
    /// # Safety
    /// As [`sum_share`].
    unsafe fn add<S: Simd<K = K>>(&self, g: &Conv, cut: &Cut, channels: &std::ops::Range<usize>, sums: *mut S::T) {
        let ((height, width), lines) = (cut.input(g), self.strips * cut.rows);
        let (pixels, pitch, padded) = (lines * cut.pairs, self.strips * height * width * S::ROWS, padded::<S>(g.co));
        let start = |l: usize| (l / cut.rows * height + l % cut.rows * g.stride) * width * S::ROWS;
        let lines: Vec<usize> = (0..lines).map(start).collect();
        let together = (RUN / cut.pairs).max(1);
        let rows: Vec<usize> = (0..S::ROWS).collect();
        let to: Vec<usize> = (0..S::ROWS).map(|i| i * padded).collect();
        for (run, segments) in lines.chunks(together).enumerate() {
            for j in 0..tiles::<S>(g.co) {
                let (first, q, _) = span::<S>(j, g.co);
                let b = self.dy[first * pixels + run * together * cut.pairs * q * S::LANES..].as_ptr();
                for tap in 0..g.kh * g.kw {
                    let shift = (tap / g.kw * width + tap % g.kw) * S::ROWS;
                    for (block, channel) in channels.clone().step_by(S::ROWS).enumerate() {
                        let used = S::ROWS.min(channels.end - channel);
                        let out = sums.wrapping_add((tap * g.ci + channel) * padded + first);
                        let a = self.x[block * pitch + shift..].as_ptr();
                        let (from, to, fresh) = (&rows[..used], &to[..used], self.fresh && run == 0);
                        let step = K::NUMBERS * g.stride * S::ROWS;
                        let (len, pitch, columns) = (cut.pairs, q * S::LANES, q * S::LANES);
                        let t = Tile { a, from, step, segments, len, b, pitch, out, to, columns, fresh, after: None };
                        // SAFETY: a tap's shift keeps the segments inside the halo; `out` by the caller's promise.
                        unsafe { tile::<S>(q, t) }
                    }
                }
            }
        }
    }
}
