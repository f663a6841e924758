//! From the samples of a file to 8-bit sRGB on white.
//!
//! A decoder's output is walked in strips of [`STRIP`] pixels, so that the only large buffers are its input
//! and its output: load a strip, convert its colours by the embedded profile (at the file's own depth), lay it
//! on white, round to 8 bits.

use crate::fix::Fix;
use moxcms::{ColorProfile, DataColorSpace, Layout, ProfileText, Transform8BitExecutor, TransformExecutor, TransformOptions};
use std::sync::Arc;

/// Pixels converted at a time.
const STRIP: usize = 4096;

/// What the channels of a file mean, alpha aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// One channel, 0 = black.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Cyan, magenta, yellow, black; 0 = no ink.
    Cmyk,
}

/// How one sample is stored, in native byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    U8,
    U16,
    /// Linear light, 0…1, unless a profile says otherwise.
    F32,
}

/// A decoded file before its colours are understood: `bytes` is `[height, width, channels (+ alpha)]`.
pub(crate) struct Raw {
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
    pub depth: Depth,
    pub model: Model,
    pub alpha: bool,
    pub icc: Option<Vec<u8>>,
    pub orientation: u8,
    pub fixes: Vec<Fix>,
}

impl Model {
    fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }

    /// moxcms reads CMYK as the four channels of `Rgba`.
    fn layout(self) -> Layout {
        match self {
            Self::Grey => Layout::Gray,
            Self::Rgb => Layout::Rgb,
            Self::Cmyk => Layout::Rgba,
        }
    }

    fn space(self) -> DataColorSpace {
        match self {
            Self::Grey => DataColorSpace::Gray,
            Self::Rgb => DataColorSpace::Rgb,
            Self::Cmyk => DataColorSpace::Cmyk,
        }
    }
}

/// The samples of `raw` as sRGB, `[height, width, 3]`; what was done is added to `raw.fixes`.
pub(crate) fn to_srgb(raw: &mut Raw) -> Vec<u8> {
    let profile = raw.icc.take().and_then(|icc| usable(&icc, raw));
    let float_is_linear = profile.is_none();
    match raw.depth {
        Depth::U8 => convert(raw, profile, |bytes, out: &mut Vec<u8>| out.extend_from_slice(bytes)),
        Depth::U16 => {
            raw.fixes.push(Fix::SixteenBit);
            convert(raw, profile, |bytes, out: &mut Vec<u16>| {
                out.extend(bytes.chunks_exact(2).map(|b| u16::from_ne_bytes([b[0], b[1]])));
            })
        }
        Depth::F32 => {
            raw.fixes.push(Fix::FloatingPoint);
            convert(raw, profile, move |bytes, out: &mut Vec<u16>| {
                let floats = bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
                out.extend(floats.map(|v| u16_from_float(v, float_is_linear)));
            })
        }
    }
}

/// NaN counts as 0. The curve is that of IEC 61966-2-1.
fn u16_from_float(value: f32, linear: bool) -> u16 {
    let v = if value > 0.0 { value.min(1.0) } else { 0.0 };
    let encoded = match (linear, v <= 0.003_130_8) {
        (false, _) => v,
        (true, true) => v * 12.92,
        (true, false) => 1.055 * v.powf(1.0 / 2.4) - 0.055,
    };
    (encoded * 65535.0).round() as u16
}

/// A profile that fits the samples and is not sRGB already; otherwise `None`, with a fix that says why.
fn usable(icc: &[u8], raw: &mut Raw) -> Option<ColorProfile> {
    let mut bad = |why: String| {
        raw.fixes.push(Fix::BadProfile(why));
        None
    };
    let profile = match ColorProfile::new_from_slice(icc) {
        Ok(profile) => profile,
        Err(error) => return bad(format!("{error}")),
    };
    if profile.color_space != raw.model.space() {
        return bad(format!("it is for {:?}, the picture is {:?}", profile.color_space, raw.model));
    }
    match u8::executor(&profile, raw.model) {
        Err(why) => bad(why),
        Ok(executor) if raw.model == Model::Rgb && is_srgb(&*executor) => None,
        Ok(_) => {
            if raw.model != Model::Cmyk {
                raw.fixes.push(Fix::ColourManaged(profile_name(&profile)));
            }
            Some(profile)
        }
    }
}

/// The profile's own name.
pub(crate) fn profile_name(profile: &ColorProfile) -> String {
    let name = match &profile.description {
        Some(ProfileText::PlainString(text)) => text.clone(),
        Some(ProfileText::Localizable(texts)) => texts.first().map(|text| text.value.clone()).unwrap_or_default(),
        Some(ProfileText::Description(text)) => text.ascii_string.clone(),
        None => String::new(),
    };
    let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    if name.trim().is_empty() { "an unnamed profile".to_string() } else { name.trim().to_string() }
}

/// Whether a transform moves no colour of a 9 × 9 × 9 lattice by more than one step: then it is sRGB by
/// whatever name, and the samples stay as they are.
fn is_srgb(executor: &Transform8BitExecutor) -> bool {
    let step = |i: usize| (i * 255 / 8) as u8;
    let lattice: Vec<u8> = (0..729).flat_map(|i| [step(i / 81), step(i / 9 % 9), step(i % 9)]).collect();
    let mut moved = vec![0; lattice.len()];
    executor.transform(&lattice, &mut moved).is_ok() && lattice.iter().zip(&moved).all(|(a, b)| a.abs_diff(*b) <= 1)
}

/// A sample type that moxcms converts.
trait Sample: Copy + Default + Into<u32> {
    const MAX: u32;
    fn from_u32(value: u32) -> Self;
    fn executor(profile: &ColorProfile, model: Model) -> Result<Executor<Self>, String>;
}

type Executor<T> = Arc<dyn TransformExecutor<T> + Send + Sync>;

impl Sample for u8 {
    const MAX: u32 = 255;
    fn from_u32(value: u32) -> Self {
        value as Self
    }
    fn executor(profile: &ColorProfile, model: Model) -> Result<Executor<Self>, String> {
        let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
        profile.create_transform_8bit(model.layout(), &srgb, Layout::Rgb, options).map_err(|e| e.to_string())
    }
}

impl Sample for u16 {
    const MAX: u32 = 65535;
    fn from_u32(value: u32) -> Self {
        value as Self
    }
    fn executor(profile: &ColorProfile, model: Model) -> Result<Executor<Self>, String> {
        let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
        profile.create_transform_16bit(model.layout(), &srgb, Layout::Rgb, options).map_err(|e| e.to_string())
    }
}

/// Walks the picture strip by strip; `load` appends a strip's samples, alpha included, to its buffer.
fn convert<T: Sample>(raw: &mut Raw, profile: Option<ColorProfile>, load: impl Fn(&[u8], &mut Vec<T>)) -> Vec<u8> {
    let executor = profile.and_then(|profile| match T::executor(&profile, raw.model) {
        Ok(executor) => Some(executor),
        Err(why) => {
            raw.fixes.push(Fix::BadProfile(why));
            None
        }
    });
    let channels = raw.model.channels() + usize::from(raw.alpha);
    let sample_bytes = match raw.depth {
        Depth::U8 => 1,
        Depth::U16 => 2,
        Depth::F32 => 4,
    };
    let mut out = Vec::with_capacity(raw.width as usize * raw.height as usize * 3);
    let (mut samples, mut colours, mut alphas) = (Vec::<T>::new(), Vec::<T>::new(), Vec::<T>::new());
    let mut rgb = [T::default(); STRIP * 3];
    let mut see_through = false;
    for strip in raw.bytes.chunks(STRIP * channels * sample_bytes) {
        samples.clear();
        load(strip, &mut samples);
        split_alpha(&samples, raw.model.channels(), raw.alpha, &mut colours, &mut alphas);
        let rgb = &mut rgb[..samples.len() / channels * 3];
        let managed = executor.as_ref().is_some_and(|executor| executor.transform(&colours, rgb).is_ok());
        if !managed {
            plain_rgb(&colours, raw.model, rgb);
        }
        if alphas.iter().any(|&a| a.into() != T::MAX) {
            see_through = true;
            lay_on_white(rgb, &alphas);
        }
        out.extend(rgb.iter().map(|&v| to_u8(v)));
    }
    note(raw, executor.is_some(), see_through);
    out
}

fn note(raw: &mut Raw, managed: bool, see_through: bool) {
    match raw.model {
        Model::Grey => raw.fixes.push(Fix::GreyWidened),
        Model::Cmyk => raw.fixes.push(Fix::Cmyk(managed)),
        Model::Rgb => {}
    }
    if see_through {
        raw.fixes.push(Fix::AlphaFlattened);
    }
}

fn split_alpha<T: Sample>(samples: &[T], channels: usize, alpha: bool, colours: &mut Vec<T>, alphas: &mut Vec<T>) {
    colours.clear();
    alphas.clear();
    if !alpha {
        colours.extend_from_slice(samples);
        return;
    }
    for pixel in samples.chunks_exact(channels + 1) {
        colours.extend_from_slice(&pixel[..channels]);
        alphas.push(pixel[channels]);
    }
}

/// sRGB without a profile: grey is repeated, red-green-blue is taken as it is, inks filter each other's light.
fn plain_rgb<T: Sample>(colours: &[T], model: Model, rgb: &mut [T]) {
    match model {
        Model::Rgb => rgb.copy_from_slice(colours),
        Model::Grey => rgb.chunks_exact_mut(3).zip(colours).for_each(|(pixel, &v)| pixel.fill(v)),
        Model::Cmyk => {
            for (pixel, inks) in rgb.chunks_exact_mut(3).zip(colours.chunks_exact(4)) {
                let light = u64::from(T::MAX - inks[3].into());
                for (v, &ink) in pixel.iter_mut().zip(inks) {
                    let product = light * u64::from(T::MAX - ink.into());
                    *v = T::from_u32(((product + u64::from(T::MAX) / 2) / u64::from(T::MAX)) as u32);
                }
            }
        }
    }
}

/// `colour × alpha + white × (1 − alpha)` on the sRGB values, as browsers and viewers do: what the artist saw
/// when she made it is what is learnt. (Mixing in linear light would lighten every soft edge.)
fn lay_on_white<T: Sample>(rgb: &mut [T], alphas: &[T]) {
    let max = u64::from(T::MAX);
    for (pixel, &alpha) in rgb.chunks_exact_mut(3).zip(alphas) {
        let alpha = u64::from(alpha.into());
        for v in pixel {
            let mixed = u64::from((*v).into()) * alpha + max * (max - alpha);
            *v = T::from_u32(((mixed + max / 2) / max) as u32);
        }
    }
}

/// Rounded to the nearest of 256 steps; for 16 bits that is a division by 257, not a shift.
fn to_u8<T: Sample>(value: T) -> u8 {
    let value: u32 = value.into();
    ((value * 255 + T::MAX / 2) / T::MAX) as u8
}
