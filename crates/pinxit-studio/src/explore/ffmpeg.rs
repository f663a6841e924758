//! MP4 and WebM, by the ffmpeg a person has: no encoder of ours, and its patents are not ours either.
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pinxit_image::{AnimationSpec, Picture};

use crate::{Error, Result};

/// A video on its way into a file. Dropped before it is finished, it leaves nothing behind.
pub(super) struct Video {
    child: Child,
    file: tempfile::TempPath,
}

impl Video {
    /// Begins one; `ending` is `mp4` or `webm`, and the file lies beside `path` until it is whole.
    pub fn begin(path: &Path, ending: &str, spec: AnimationSpec) -> Result<Self> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let suffix = format!(".partial.{ending}");
        let file = tempfile::Builder::new().prefix(".pinxit-").suffix(&suffix).tempfile_in(folder)?.into_temp_path();
        let codec: &[&str] = match ending {
            "webm" => &["-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0"],
            _ => &["-c:v", "libx264", "-crf", "16", "-preset", "medium", "-movflags", "+faststart"],
        };
        let size = format!("{}x{}", spec.width, spec.height);
        let child = Command::new("ffmpeg")
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size])
            .args(["-r", &spec.fps.to_string(), "-i", "pipe:0", "-an"])
            .args(codec)
            // What every player shows; an odd side is filled up.
            .args(["-pix_fmt", "yuv420p", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"])
            .arg(&*file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        match child {
            Ok(child) => Ok(Video { child, file }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(Error::Setting {
                message: format!("no ffmpeg is found on PATH, and .{ending} needs it"),
                hint: "install ffmpeg, or choose .gif, .png or .webp, which need nothing".into(),
            }),
            Err(e) => Err(e.into()),
        }
    }

    /// Hands over the next frame.
    pub fn frame(&mut self, picture: &Picture) -> Result<()> {
        let written = self.child.stdin.as_mut().map(|pipe| pipe.write_all(picture.pixels()));
        match written {
            Some(Ok(())) => Ok(()),
            _ => Err(self.failed()),
        }
    }

    /// Ends it, and gives the bytes of the file.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        drop(self.child.stdin.take());
        if !self.child.wait()?.success() {
            return Err(self.failed());
        }
        Ok(fs_err::read(&self.file)?)
    }

    /// What ffmpeg said of its failure.
    fn failed(&mut self) -> Error {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        let mut said = String::new();
        let _ = self.child.stderr.take().map(|mut pipe| pipe.read_to_string(&mut said));
        let said = said.lines().last().unwrap_or("it did not say why").to_string();
        Error::Setting {
            message: format!("ffmpeg failed: {said}"),
            hint: "choose .gif, .png or .webp, which need no ffmpeg".into(),
        }
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        // Finished, it is gone already; interrupted, nobody waits for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
