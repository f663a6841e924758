use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use pinxit_dataset::{Dataset, Error, FileStatus, ImportOptions, ImportReport, import};
use pinxit_image::{Encoding, Metadata, Picture, encode};

/// A picture unlike that of any other seed: 25 random colours and what lies between them.
pub fn picture(seed: u32, width: u32, height: u32) -> Picture {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(97);
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let corners: Vec<[f32; 3]> = (0..25).map(|_| [(); 3].map(|()| (next() % 256) as f32)).collect();
    Picture::from_fn(width, height, |x, y| {
        let (fx, fy) = (x as f32 * 4.0 / width as f32, y as f32 * 4.0 / height as f32);
        let (cx, cy) = (fx as usize, fy as usize);
        let (tx, ty) = (fx - cx as f32, fy - cy as f32);
        let at = |i: usize, c: usize| corners[cy * 5 + cx + i][c];
        let blend = |c| (at(0, c) * (1.0 - tx) + at(1, c) * tx) * (1.0 - ty) + (at(5, c) * (1.0 - tx) + at(6, c) * tx) * ty;
        [blend(0), blend(1), blend(2)].map(|v| v as u8)
    })
}

pub fn png(picture: &Picture) -> Vec<u8> {
    encode(picture, Encoding::Png, &Metadata::default()).unwrap()
}

/// A temporary place with a source folder `in` and a home `home`.
pub struct Place {
    pub dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("in")).unwrap();
        Self { dir }
    }

    /// With pictures `0.png`… in the source.
    pub fn with(pictures: u32) -> Self {
        let place = Self::new();
        for i in 0..pictures {
            place.put(&format!("{i:03}.png"), &png(&picture(i, 40, 32)));
        }
        place
    }

    pub fn source(&self) -> PathBuf {
        self.dir.path().join("in")
    }

    pub fn target(&self) -> PathBuf {
        self.dir.path().join("home").join("set")
    }

    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.source().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn import(&self) -> Result<ImportReport, Error> {
        self.import_with(&options())
    }

    pub fn import_with(&self, options: &ImportOptions) -> Result<ImportReport, Error> {
        import(&[self.source()], options, &self.target(), &mut |_| ControlFlow::Continue(()))
    }

    pub fn open(&self) -> Dataset {
        Dataset::open(&self.target()).unwrap()
    }
}

/// 32×32 px, two threads, works of one's own.
pub fn options() -> ImportOptions {
    ImportOptions { resolution: (32, 32), threads: 2, default_licence: Some("own".into()), ..ImportOptions::default() }
}

/// Status and reason of a file.
pub fn fate(report: &ImportReport, file: &str) -> (FileStatus, String) {
    let found = report.files.iter().find(|f| f.file == file).unwrap_or_else(|| panic!("{file} is not in {:?}", report.files));
    (found.status, found.reason.clone().unwrap_or_default())
}

/// Every file under `dir` with its bytes.
pub fn bytes_of(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap())
        .map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap()))
        .collect();
    files.sort();
    files
}

pub fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated))
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Writes names as they are, even those the `tar` crate would refuse.
pub fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}
