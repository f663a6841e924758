//! Pictures one after another in one file: GIF, APNG, animated WebP. Each frame is written as it comes, so memory does not grow with their
//! number.
use std::io::{Seek, SeekFrom, Write};

use crate::error::{Error, Result};
use crate::format::Format;
use crate::metadata::{Metadata, RECIPE_KEYWORD, XMP_KEYWORD};
use crate::picture::Picture;

/// What an animation is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnimationFormat {
    /// 256 colours a frame, delays of whole hundredths of a second; plays everywhere.
    Gif,
    /// Lossless; other programs show its first frame at least.
    Apng,
    /// Lossless, smaller.
    WebP,
}

/// Size, length and speed.
#[derive(Clone, Copy, Debug)]
pub struct AnimationSpec {
    /// px.
    pub width: u32,
    /// px.
    pub height: u32,
    /// Number of frames: APNG says it before the first.
    pub frames: u32,
    /// Frames a second, 1 to 100.
    pub fps: u32,
}

/// Where a GIF keeps XMP (XMP specification part 3, 1.1.2).
const GIF_XMP: &[u8] = b"\x21\xff\x0bXMP DataXMP";
/// How much of the colours' search a GIF's palette is spared, 1 (best) to 30.
const GIF_SPEED: i32 = 10;
/// Flags of a WebP's first chunk: XMP, animation.
const WEBP_FLAGS: u32 = 0x04 | 0x02;

/// An animation on its way into a file. It plays again from the start for ever.
pub struct Animation<W: Write + Seek> {
    spec: AnimationSpec,
    written: u32,
    writer: Writer<W>,
}

enum Writer<W: Write + Seek> {
    Gif(Box<gif::Encoder<W>>),
    Apng(Box<png::Writer<W>>),
    WebP { out: W, xmp: String },
}

impl<W: Write + Seek> Animation<W> {
    /// Begins one.
    ///
    /// # Errors
    /// [`Error::Setting`] for a speed out of range or no frames, [`Error::Encode`] when the format cannot hold the sides or writing fails.
    pub fn begin(mut out: W, format: AnimationFormat, spec: AnimationSpec, metadata: &Metadata) -> Result<Self> {
        if !(1..=100).contains(&spec.fps) {
            return Err(Error::Setting { name: "frames a second", value: spec.fps.to_string(), range: "1 to 100" });
        }
        if spec.frames == 0 {
            return Err(Error::Setting { name: "number of frames", value: "0".into(), range: "1 and more" });
        }
        let xmp = metadata.xmp();
        let fail = failed(format);
        let writer = match format {
            AnimationFormat::Gif => Writer::Gif(Box::new(gif(out, spec, &xmp)?)),
            AnimationFormat::Apng => Writer::Apng(Box::new(apng(out, spec, metadata, xmp)?)),
            AnimationFormat::WebP => {
                if spec.width.max(spec.height) > 16384 {
                    return Err(fail(&"a side is above 16384 px"));
                }
                out.write_all(&webp_head(spec)).map_err(|e| fail(&e))?;
                Writer::WebP { out, xmp }
            }
        };
        Ok(Animation { spec, written: 0, writer })
    }

    /// Writes the next frame.
    ///
    /// # Errors
    /// [`Error::Encode`] for a frame of another size, one too many, or when writing fails.
    pub fn frame(&mut self, picture: &Picture) -> Result<()> {
        let AnimationSpec { width, height, frames, .. } = self.spec;
        let fail = failed(self.format());
        if (picture.width(), picture.height()) != (width, height) || self.written == frames {
            return Err(fail(&"a frame of another size, or one too many"));
        }
        let (hundredths, thousandths) = (self.ticks(100), self.ticks(1000));
        match &mut self.writer {
            Writer::Gif(encoder) => {
                let mut frame = gif::Frame::from_rgb_speed(width as u16, height as u16, picture.pixels(), GIF_SPEED);
                frame.delay = hundredths as u16;
                encoder.write_frame(&frame).map_err(|e| fail(&e))?;
            }
            Writer::Apng(writer) => writer.write_image_data(picture.pixels()).map_err(|e| fail(&e))?,
            Writer::WebP { out, .. } => {
                let mut alone = Vec::new();
                let encoder = image_webp::WebPEncoder::new(&mut alone);
                encoder.encode(picture.pixels(), width, height, image_webp::ColorType::Rgb8).map_err(|e| fail(&e))?;
                // Its own file is `RIFF size WEBP`, then the chunk of pixels.
                out.write_all(&webp_frame(self.spec, thousandths, &alone[12..])).map_err(|e| fail(&e))?;
            }
        }
        self.written += 1;
        Ok(())
    }

    /// Ends it; the file is whole then.
    ///
    /// # Errors
    /// [`Error::Encode`] when frames are missing or writing fails.
    pub fn finish(self) -> Result<()> {
        let fail = failed(self.format());
        if self.written != self.spec.frames {
            return Err(fail(&format!("{} of {} frames were written", self.written, self.spec.frames)));
        }
        match self.writer {
            Writer::Gif(encoder) => encoder.into_inner().and_then(|mut out| Ok(out.flush()?)).map_err(|e| fail(&e)),
            Writer::Apng(writer) => writer.finish().map_err(|e| fail(&e)),
            Writer::WebP { out, xmp } => webp_end(out, &xmp).map_err(|e| fail(&e)),
        }
    }

    fn format(&self) -> AnimationFormat {
        match self.writer {
            Writer::Gif(_) => AnimationFormat::Gif,
            Writer::Apng(_) => AnimationFormat::Apng,
            Writer::WebP { .. } => AnimationFormat::WebP,
        }
    }

    /// How long the next frame stays, in parts of a second: what is rounded off one frame is added to a later one.
    fn ticks(&self, parts: u32) -> u32 {
        let until = |frame: u32| (u64::from(frame) * u64::from(parts) + u64::from(self.spec.fps) / 2) / u64::from(self.spec.fps);
        (until(self.written + 1) - until(self.written)) as u32
    }
}

fn failed(format: AnimationFormat) -> impl Fn(&dyn std::fmt::Display) -> Error {
    let format = match format {
        AnimationFormat::Gif => Format::Gif,
        AnimationFormat::Apng => Format::Png,
        AnimationFormat::WebP => Format::WebP,
    };
    move |error| Error::Encode { format, what: error.to_string() }
}

fn gif<W: Write>(out: W, spec: AnimationSpec, xmp: &str) -> Result<gif::Encoder<W>> {
    let fail = failed(AnimationFormat::Gif);
    let side = |v: u32| u16::try_from(v).map_err(|_| fail(&"a side is above 65535 px"));
    let mut encoder = gif::Encoder::new(out, side(spec.width)?, side(spec.height)?, &[]).map_err(|e| fail(&e))?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(|e| fail(&e))?;
    // The packet lies there as it is, not cut into blocks; what follows it leads a reader who takes its bytes for lengths to its end.
    let trailer: Vec<u8> = std::iter::once(1).chain((0..=255).rev()).chain([0]).collect();
    for part in [GIF_XMP, xmp.as_bytes(), &trailer] {
        encoder.get_mut().write_all(part).map_err(|e| fail(&e))?;
    }
    Ok(encoder)
}

fn apng<W: Write>(out: W, spec: AnimationSpec, metadata: &Metadata, xmp: String) -> Result<png::Writer<W>> {
    let fail = failed(AnimationFormat::Apng);
    let mut encoder = png::Encoder::new(out, spec.width, spec.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    encoder.set_animated(spec.frames, 0).map_err(|e| fail(&e))?;
    encoder.set_frame_delay(1, spec.fps as u16).map_err(|e| fail(&e))?;
    if let Some(recipe) = &metadata.recipe {
        encoder.add_itxt_chunk(RECIPE_KEYWORD.to_string(), recipe.clone()).map_err(|e| fail(&e))?;
    }
    encoder.add_itxt_chunk(XMP_KEYWORD.to_string(), xmp).map_err(|e| fail(&e))?;
    encoder.write_header().map_err(|e| fail(&e))
}

/// Three bytes, little-endian.
fn three(v: u32) -> [u8; 3] {
    let [a, b, c, _] = v.to_le_bytes();
    [a, b, c]
}

/// A chunk of a RIFF file; one of odd length is filled up.
fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = [&name[..], &(body.len() as u32).to_le_bytes(), body].concat();
    out.extend((body.len() % 2 == 1).then_some(0));
    out
}

/// Head of the file, its length left open, and the two chunks before the first frame (WebP container specification).
fn webp_head(spec: AnimationSpec) -> Vec<u8> {
    let canvas = [&WEBP_FLAGS.to_le_bytes()[..], &three(spec.width - 1), &three(spec.height - 1)].concat();
    // White behind, and without end.
    let animation = [0xff, 0xff, 0xff, 0xff, 0, 0];
    [b"RIFF\0\0\0\0WEBP".to_vec(), chunk(b"VP8X", &canvas), chunk(b"ANIM", &animation)].concat()
}

/// A frame that covers all, replacing what was there (no blending).
fn webp_frame(spec: AnimationSpec, thousandths: u32, pixels: &[u8]) -> Vec<u8> {
    let place = [three(0), three(0), three(spec.width - 1), three(spec.height - 1), three(thousandths)].concat();
    chunk(b"ANMF", &[&place[..], &[0b10], pixels].concat())
}

fn webp_end<W: Write + Seek>(mut out: W, xmp: &str) -> std::io::Result<()> {
    out.write_all(&chunk(b"XMP ", xmp.as_bytes()))?;
    let length = out.stream_position()?;
    let within = u32::try_from(length - 8).map_err(|_| std::io::Error::other("the file is above 4 GiB"))?;
    out.seek(SeekFrom::Start(4))?;
    out.write_all(&within.to_le_bytes())?;
    out.seek(SeekFrom::Start(length))?;
    out.flush()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod tests {
    use super::*;
    use image::AnimationDecoder;
    use std::io::Cursor;

    const SPEC: AnimationSpec = AnimationSpec { width: 20, height: 12, frames: 3, fps: 30 };

    fn picture(i: u32) -> Picture {
        Picture::from_fn(SPEC.width, SPEC.height, |x, _| [(x * 10) as u8, (i * 80) as u8, 50])
    }

    fn written(format: AnimationFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        let about = Metadata { recipe: Some("{\"v\":1}".into()), ..Metadata::default() };
        let mut animation = Animation::begin(&mut out, format, SPEC, &about).unwrap();
        (0..3).for_each(|i| animation.frame(&picture(i)).unwrap());
        animation.finish().unwrap();
        out.into_inner()
    }

    /// Another program's reader: frames, and how long each stays in ms.
    fn read(format: AnimationFormat, bytes: &[u8]) -> Vec<(Vec<u8>, u32)> {
        let frames = match format {
            AnimationFormat::Gif => image::codecs::gif::GifDecoder::new(Cursor::new(bytes)).unwrap().into_frames(),
            AnimationFormat::Apng => {
                image::codecs::png::PngDecoder::new(Cursor::new(bytes)).unwrap().apng().unwrap().into_frames()
            }
            AnimationFormat::WebP => image::codecs::webp::WebPDecoder::new(Cursor::new(bytes)).unwrap().into_frames(),
        };
        let one = |frame: image::Frame| {
            let (n, d) = frame.delay().numer_denom_ms();
            (image::DynamicImage::from(frame.into_buffer()).to_rgb8().into_raw(), n / d)
        };
        frames.collect_frames().unwrap().into_iter().map(one).collect()
    }

    #[test]
    fn other_readers_see_every_frame_and_we_read_the_recipe() {
        for format in [AnimationFormat::Gif, AnimationFormat::Apng, AnimationFormat::WebP] {
            let bytes = written(format);
            let frames = read(format, &bytes);
            assert_eq!(frames.len(), 3, "{format:?}");
            for (i, (pixels, _)) in frames.iter().enumerate() {
                let off = pixels.iter().zip(picture(i as u32).pixels()).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(off <= Some(if format == AnimationFormat::Gif { 8 } else { 0 }), "{format:?}: {off:?}");
            }
            let total: u32 = frames.iter().map(|f| f.1).sum();
            assert!((99..=100).contains(&total), "{format:?}: {total} ms for three thirtieths of a second");
            assert_eq!(crate::read_recipe(&bytes).unwrap().as_deref(), Some("{\"v\":1}"), "{format:?}");
            assert_eq!(bytes, written(format), "{format:?}: the same bytes each time");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let begin = |spec| Animation::begin(Cursor::new(Vec::new()), AnimationFormat::Gif, spec, &Metadata::default());
        assert!(begin(AnimationSpec { fps: 0, ..SPEC }).is_err() && begin(AnimationSpec { frames: 0, ..SPEC }).is_err());
        assert!(begin(AnimationSpec { width: 70_000, ..SPEC }).is_err());
        let mut animation = begin(SPEC).unwrap();
        assert!(animation.frame(&Picture::filled(5, 5, [0; 3])).is_err(), "another size");
        animation.frame(&picture(0)).unwrap();
        assert!(animation.finish().is_err(), "two frames are missing");
    }
}
