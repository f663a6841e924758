//! A stranger's desk: a temporary home, small pictures, and the program.
#![allow(dead_code)] // each test file uses its own part
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Pictures of one's own, and networks so small that a run takes seconds: four stages of 8 channels at 32 px, a state saved every 40 pictures.
const TINY: &str = "\
[train]
preset = \"xs-32\"
batch = 4
discriminator = \"own\"
[expert]
channels = [8, 8, 8, 8]
tick_kimg = 0.04
snapshot_kimg = 0.2
metric_pictures = 0
preview = [2, 2]
[import]
license = \"own\"
";

/// A temporary folder with a home in it.
pub struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        Desk { dir }
    }

    /// With settings for tiny networks and a dataset `dots` of 48 pictures in two classes.
    pub fn with_dots() -> Self {
        let desk = Desk::new();
        std::fs::write(desk.home().join("config.toml"), TINY).unwrap();
        desk.pictures("dots", 48);
        let out = desk.run(&["import", "dots", "--into", "dots", "--size", "32", "-q"]);
        assert!(out.status.success(), "{}", stderr(&out));
        desk
    }

    /// With a trained model `dots` beside the dataset.
    pub fn with_model() -> Self {
        let desk = Desk::with_dots();
        let out = desk.run(&["train", "dots", "--kimg", "0.04", "-q"]);
        assert!(out.status.success(), "{}", stderr(&out));
        desk
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }
    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }
    pub fn model(&self, name: &str) -> PathBuf {
        self.home().join(format!("models/{name}.safetensors"))
    }

    /// The program, in this folder, with nothing of the person's own settings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("pinxit"));
        command.current_dir(self.path()).args(args).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PINXIT")) {
            command.env_remove(name);
        }
        let nowhere = self.path().join("nobody");
        command.env("PINXIT_HOME", self.home()).env("HOME", &nowhere).env("XDG_CONFIG_HOME", &nowhere).env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// `n` pictures of 40x36 px in `folder/round` and `folder/square`, all different.
    pub fn pictures(&self, folder: &str, n: u32) {
        for i in 0..n {
            let class = ["round", "square"][i as usize % 2];
            let dir = self.path().join(folder).join(class);
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join(format!("{i:03}.bmp")), bmp(40, 36, |x, y| dot(i, x, y))).unwrap();
        }
    }
}

/// A shape of its own place, size and colours for each `i`, on checks of its own scale.
fn dot(i: u32, x: u32, y: u32) -> [u8; 3] {
    let random = |k: u32| (i.wrapping_mul(2_654_435_761) ^ k.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B) >> 16;
    let (cx, cy, r) = (8 + random(1) % 24, 8 + random(2) % 20, 4 + random(3) % 8);
    let (dx, dy) = (x.abs_diff(cx), y.abs_diff(cy));
    let inside = if i.is_multiple_of(2) { dx * dx + dy * dy < r * r } else { dx.max(dy) < r };
    let check = (x / (3 + random(4) % 7) + y / (3 + random(5) % 7)).is_multiple_of(2);
    let colour = |k: u32| [random(k) as u8, random(k + 1) as u8, random(k + 2) as u8];
    match (inside, check) {
        (true, _) => colour(10),
        (false, true) => colour(20),
        (false, false) => colour(30),
    }
}

/// A 24-bit Windows bitmap.
pub fn bmp(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let row = (width * 3).next_multiple_of(4);
    let size = 54 + row * height;
    let mut out = b"BM".to_vec();
    for value in [size, 0, 54, 40, width, height, 1 | 24 << 16, 0, row * height, 2835, 2835, 0, 0] {
        out.extend(value.to_le_bytes());
    }
    for y in (0..height).rev() {
        let start = out.len();
        (0..width).for_each(|x| out.extend(colour(x, y).iter().rev()));
        out.resize(start + row as usize, 0);
    }
    out
}

pub fn stdout(out: &Output) -> String {
    String::from_utf8(out.stdout.clone()).unwrap()
}
pub fn stderr(out: &Output) -> String {
    String::from_utf8(out.stderr.clone()).unwrap()
}
pub fn code(out: &Output) -> i32 {
    out.status.code().unwrap_or(-1)
}

/// Everything a person would see of a failure, with what differs between machines taken out.
pub fn failure(desk: &Desk, args: &[&str]) -> String {
    let out = desk.run(args);
    let text = format!("exit {}\n{}{}", code(&out), stdout(&out), stderr(&out));
    tidy(desk, &text)
}

/// Paths, hashes, times and versions replaced.
pub fn tidy(desk: &Desk, text: &str) -> String {
    let here = desk.path().canonicalize().unwrap();
    text.replace(&here.display().to_string(), "[DESK]").replace(&desk.path().display().to_string(), "[DESK]")
}

/// The filters every snapshot is taken through.
pub fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.add_filter(r"\b[0-9a-f]{64}\b", "[HASH]");
    settings.add_filter(r"\b[0-9a-f]{12}\b", "[HASH]");
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[TIME]");
    // Painted pixels, and so their fingerprints, differ between classes of machines.
    settings.add_filter(r"\bKE[A-Z2-7]{40,}\b", "[ISCC]");
    settings.add_filter(r"pinxit \d+\.\d+\.\d+", "pinxit [VERSION]");
    settings.add_filter(r#""version":"\d+\.\d+\.\d+""#, r#""version":"[VERSION]""#);
    settings.add_filter(r"\d+ weights", "[NUMBER] weights");
    // Sizes and lists of keys belong to other crates, which may change them.
    settings.add_filter(r#""(bytes|parameters)":\d+"#, r#""$1":"[NUMBER]""#);
    settings.add_filter(r"expected one of `.*", "expected one of [KEYS]");
    settings
}
