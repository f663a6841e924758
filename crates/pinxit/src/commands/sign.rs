//! `pinxit sign`
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pinxit_studio::Result;
use pinxit_studio::labels::Labels;
use pinxit_studio::shell::command;
use pinxit_studio::sign::{SignRequest, SourceType, sign};

use super::labelling::LabelArgs;
use super::signing::SigningArgs;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit sign painting.jpg                       painting-signed.jpg, published as it is
  pinxit sign scan.tif --made-as digital -o out  you made it, with a digital tool
  pinxit sign trees-000042.png --note 'the only one with the light of that evening'
  pinxit sign trees-000042.png --label cn        labelled for China

A signed file is a new one; nothing but the credential is added. Without --made-as the credential says only that you publish
the picture, and keeps one that it has inside. --note adds why, in your words; of a picture that this studio painted it says from how
many it was chosen. Labels are for pictures that AI made; the picture is written anew for them (PNG, JPEG, WebP). PNG, JPEG, WebP, TIFF and GIF can be signed.";

/// Sign pictures that are there already
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SignArgs {
    /// The pictures
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Say how they were made, on your word
    #[arg(long, value_name = "WORD")]
    made_as: Option<MadeAs>,
    /// Why you chose them, in your words: it goes into the credential
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Folder for the signed pictures [default: beside each file]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace other files of the same names
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    labels: LabelArgs,
    #[command(flatten)]
    signing: SigningArgs,
}

/// How a picture was made.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MadeAs {
    /// by a trained model
    Ai,
    /// in part by a trained model
    PartlyAi,
    /// by a person with a digital tool
    Digital,
    /// by a camera
    Photo,
}

impl MadeAs {
    fn source(self) -> SourceType {
        match self {
            MadeAs::Ai => SourceType::TrainedAlgorithmicMedia,
            MadeAs::PartlyAi => SourceType::CompositeWithTrainedAlgorithmicMedia,
            MadeAs::Digital => SourceType::DigitalCreation,
            MadeAs::Photo => SourceType::DigitalCapture,
        }
    }
}

pub fn run(args: SignArgs, context: &mut Context) -> Result<()> {
    let (settings, _) = args.signing.resolve(context);
    let (visible, words) = args.labels.given();
    let request = SignRequest {
        note: args.note,
        labels: Labels::of(&visible.unwrap_or_default(), &words.unwrap_or_default())?,
        files: args.files,
        out: args.out,
        made_as: args.made_as.map(MadeAs::source),
        signing: args.signing.signing(&settings, context)?,
        overwrite: args.overwrite,
    };
    if context.globals.json {
        let signed = sign(&context.studio, &request, &mut pinxit_studio::event::Unwatched)?;
        output::data(&pinxit_studio::event::versioned(&signed));
        return Ok(());
    }
    let signed = sign(&context.studio, &request, &mut context.face)?;
    for file in &signed.files {
        output::data(&file.display().to_string());
    }
    let first = signed.files.first().map(|file| command(&["verify", &file.display().to_string()]));
    context.next(&Vec::from_iter(first));
    Ok(())
}
