//! One channel of numbers, and how it is sampled anew.

use pinxit_image::Picture;

/// Longest side of a plane that is laid back: 256 tiles show a mark as well as a thousand would, in seconds less.
const RESTORED_PX: usize = 1024;

/// Luma or something made of it: `values` is `[height, width]`, row-major.
#[derive(Clone, Debug)]
pub(super) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Plane {
    /// The luma of a picture, 0…255: 0.299 R + 0.587 G + 0.114 B of the sRGB values (ITU-R BT.601, as JPEG has it).
    pub(super) fn luma(picture: &Picture) -> Self {
        let values = picture.pixels().chunks_exact(3);
        let values = values.map(|p| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2])).collect();
        Self { width: picture.width() as usize, height: picture.height() as usize, values }
    }

    /// A plane of the same sides, its values made of this one's.
    pub(super) fn map(&self, f: impl FnMut(&f32) -> f32) -> Self {
        Self { width: self.width, height: self.height, values: self.values.iter().map(f).collect() }
    }

    /// The middle of the plane, no side longer than `side`.
    pub(super) fn middle(&self, side: usize) -> Self {
        let (width, height) = (self.width.min(side), self.height.min(side));
        let (x0, y0) = ((self.width - width) / 2, (self.height - height) / 2);
        let rows = (y0..y0 + height).flat_map(|y| &self.values[y * self.width + x0..][..width]);
        Self { width, height, values: rows.copied().collect() }
    }

    /// Half the sides (rounded down, at least 1), each value the mean of 2 × 2.
    pub(super) fn halved(&self) -> Self {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let [upper, lower] = [2 * y, (2 * y + 1).min(self.height - 1)].map(|y| &self.values[y * self.width..][..self.width]);
            values.extend((0..width).map(|x| {
                let right = (2 * x + 1).min(self.width - 1);
                (upper[2 * x] + upper[right] + lower[2 * x] + lower[right]) / 4.0
            }));
        }
        Self { width, height, values }
    }

    /// The value at a real position between pixel centres, by Catmull-Rom over 4 × 4 neighbours; edges repeat.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let (wx, wy) = (catmull_rom(x - x0), catmull_rom(y - y0));
        let clamped = |i: f32, side: usize| (i.max(0.0) as usize).min(side - 1);
        let columns = [-1.0, 0.0, 1.0, 2.0].map(|d| clamped(x0 + d, self.width));
        let mut sum = 0.0;
        for (i, w) in wy.into_iter().enumerate() {
            let row = &self.values[clamped(y0 + i as f32 - 1.0, self.height) * self.width..][..self.width];
            sum += w * (0..4).map(|j| wx[j] * row[columns[j]]).sum::<f32>();
        }
        sum
    }

    /// The plane turned back and scaled back: what was `scale` times larger and turned by `degrees` lies upright at scale 1.
    ///
    /// The result is the middle of it, no side longer than 1024 px; what reached outside repeats its edge.
    pub(super) fn restored(&self, scale: f32, degrees: f32) -> Self {
        let side = |s: usize| ((s as f32 / scale).round() as usize).clamp(1, RESTORED_PX);
        let (width, height) = (side(self.width), side(self.height));
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (a, b) = (scale * cos, scale * sin);
        let (cx, cy) = ((self.width as f32 - 1.0) / 2.0, (self.height as f32 - 1.0) / 2.0);
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let v = y as f32 - (height as f32 - 1.0) / 2.0;
            values.extend((0..width).map(|x| {
                let u = x as f32 - (width as f32 - 1.0) / 2.0;
                self.at(cx + a * u - b * v, cy + b * u + a * v)
            }));
        }
        Self { width, height, values }
    }
}

/// The four weights of Catmull-Rom's cubic at `t` (0…1) between the second and third point (Keys 1981, a = −½).
fn catmull_rom(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, -1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2]
}
