//! How what a tool makes leaves: the options that all of them share.
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::Result;
use pinxit_studio::explore::Pictures;
use pinxit_studio::gate::GateOptions;
use pinxit_studio::generate::Printing;
use pinxit_studio::settings::{GeneratePartial, GenerateSettings, ImageFormat};

use crate::cli::words;
use crate::commands::generate::reason;
use crate::commands::signing::SigningArgs;
use crate::context::Context;

/// Which model painted the pictures that a tool takes up.
#[derive(Debug, Args)]
pub struct PaintedBy {
    /// The model that painted them, where this home does not have it: a model, a run, or a model file
    #[arg(id = "painted_by", long = "model", value_name = "MODEL")]
    model: Option<String>,
}

impl PaintedBy {
    /// Those pictures, to be taken up.
    pub fn pictures<'a>(&'a self, files: &'a [PathBuf]) -> Pictures<'a> {
        Pictures { files, model: self.model.as_deref() }
    }

    /// Its name, run or file.
    pub fn model(self) -> Option<String> {
        self.model
    }
}

/// Options of every tool that writes pictures.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub struct PrintingArgs {
    /// File format: png, jpeg, webp, avif [default: png]
    #[arg(long, value_name = "FORMAT", value_parser = words::<ImageFormat>(ImageFormat::WORDS, ImageFormat::ALSO), hide_possible_values = true)]
    format: Option<ImageFormat>,
    /// Quality of jpeg and avif, 1 to 100 [default: 90]
    #[arg(long, value_name = "Q", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: Option<u8>,
    /// Longer sides after painting: 2 to 8 times; 1 as painted [default: 1]
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..=8))]
    enlarge: Option<u32>,
    /// Replace other files of the same names
    #[arg(long)]
    overwrite: bool,
    /// Write near copies of training works too, for this reason, which is kept in the ledger
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_near_copies: Option<String>,
    /// Hide no watermark in the pictures
    #[arg(id = "watermark", long = "no-watermark", help_heading = "Signing")]
    no_watermark: bool,
    /// Do not sign the pictures: no credential goes into the files
    #[arg(id = "sign", long = "no-sign", help_heading = "Signing")]
    no_sign: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

impl PrintingArgs {
    /// With settings files below the flags; the files go into `out`.
    pub fn printing(self, out: PathBuf, context: &Context) -> Result<Printing> {
        let given = GeneratePartial {
            format: self.format,
            quality: self.quality,
            enlarge: self.enlarge,
            watermark: self.no_watermark.then_some(false),
            sign: self.no_sign.then_some(false),
            ..GeneratePartial::default()
        };
        let (settings, _) = context.resolve(|file| &file.generate, &given, GenerateSettings::resolve);
        let (sign_settings, _) = self.signing.resolve(context);
        let signing = if settings.sign { self.signing.signing(&sign_settings, context)? } else { Default::default() };
        let gate = GateOptions { allow: self.allow_near_copies, closest: 0 };
        Ok(Printing { settings, signing, out, overwrite: self.overwrite, gate, sheet: None })
    }
}
