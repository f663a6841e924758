//! A search while it runs: its progress, how alike its picture is by now, and the picture itself in a file that is written anew each time.
use std::path::{Path, PathBuf};

use pinxit_create::picture_of;
use pinxit_image::{Encoding, Metadata, Picture, encode, write_atomic};
use pinxit_tensor::Tensor;
use serde_json::{Map, json};

use crate::event::{Event, Task, Watcher};
use crate::generate::Printing;
use crate::settings::ImageFormat;
use crate::{Error, Result, paths};

/// What is told of a search.
pub(super) struct Live<'a> {
    preview: Option<(PathBuf, Encoding)>,
    /// What the picture is held against.
    pub target: Option<&'a Picture>,
}

impl<'a> Live<'a> {
    /// Refused where the preview cannot be written, or another file lies there.
    pub fn new(preview: Option<&Path>, target: Option<&'a Picture>, printing: &Printing) -> Result<Self> {
        let preview = preview.map(|path| checked(path, printing)).transpose()?;
        Ok(Live { preview, target })
    }

    /// Runs a search; Ctrl-C ends the command with nothing written but the preview.
    pub fn search<T>(
        &mut self,
        watcher: &mut dyn Watcher,
        phase: &str,
        search: impl FnOnce(&mut dyn FnMut(usize, usize, &Tensor) -> bool) -> T,
    ) -> Result<T> {
        let mut stopped = false;
        let found = search(&mut |step, total, pm1| {
            if let Some(picture) = picture_of(pm1) {
                self.show(&picture, watcher);
            }
            watcher.event(Event::Progress { task: Task::Explore, phase: phase.into(), step: step as u64, total: total as u64 });
            stopped = stopped || watcher.stop();
            !stopped
        });
        if stopped {
            watcher.event(Event::Interrupted { task: Task::Explore, resume: None });
            return Err(Error::Interrupted { resume: None });
        }
        Ok(found)
    }

    fn show(&mut self, picture: &Picture, watcher: &mut dyn Watcher) {
        if let Some(target) = self.target {
            let figures = Map::from_iter([("likeness_db".to_string(), json!(likeness_db(picture, target)))]);
            watcher.event(Event::SoFar { task: Task::Explore, figures });
        }
        let Some((path, encoding)) = &self.preview else { return };
        match write(path, *encoding, picture) {
            Ok(()) => watcher.event(Event::Picture { role: "preview".into(), path: path.clone() }),
            // A viewer can never stop a search.
            Err(e) => {
                watcher.event(Event::Warning { message: format!("no more previews: {e}"), hint: e.hint() });
                self.preview = None;
            }
        }
    }
}

fn checked(path: &Path, printing: &Printing) -> Result<(PathBuf, Encoding)> {
    let wrong = |message: String| Error::Setting { message, hint: "end its name with .png, .jpg or .webp".into() };
    let encoding = ImageFormat::of_name(path).map_err(wrong)?.encoding(printing.settings.quality);
    paths::check_folder(path.parent().unwrap_or(Path::new(".")))?;
    paths::make_parent(path)?;
    if path.exists() && !printing.overwrite { Err(Error::InTheWay { path: path.into() }) } else { Ok((path.into(), encoding)) }
}

fn write(path: &Path, encoding: Encoding, picture: &Picture) -> Result<()> {
    Ok(write_atomic(path, &encode(picture, encoding, &Metadata::default())?)?)
}

/// Peak signal to noise ratio, dB.
fn likeness_db(one: &Picture, other: &Picture) -> f64 {
    let pairs = one.pixels().iter().zip(other.pixels());
    let mse = pairs.map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum::<f64>() / one.pixels().len() as f64;
    10.0 * (255.0f64.powi(2) / mse.max(1e-9)).log10()
}
