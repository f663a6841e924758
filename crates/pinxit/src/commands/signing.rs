//! What the commands that sign have in common: their options, and where a passphrase comes from.
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use pinxit_studio::keys::{self, Passphrase};
use pinxit_studio::settings::{Setting, SignPartial, SignSettings, TrainingUse};
use pinxit_studio::sign::Signing;
use pinxit_studio::{Error, Result};

use crate::cli::words;
use crate::context::Context;

/// The passphrase itself, for programs. No option: a command line is seen by every user of the machine.
pub const PASSPHRASE: &str = "PINXIT_PASSPHRASE";

/// Options of every command that signs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signing")]
pub struct SigningArgs {
    /// What others may do with the pictures in training: not-allowed, allowed [default: not-allowed]
    #[arg(long, value_name = "WORD", value_parser = words::<TrainingUse>(TrainingUse::WORDS, TrainingUse::ALSO), hide_possible_values = true)]
    training_use: Option<TrainingUse>,
    /// File whose first line is the passphrase of the key; PINXIT_PASSPHRASE holds it as well
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl SigningArgs {
    /// Lays flags over the settings files.
    pub fn resolve(&self, context: &Context) -> (SignSettings, Vec<Setting>) {
        let given = SignPartial { training_use: self.training_use, passphrase_file: self.passphrase_file.clone().map(Some) };
        context.resolve(|file| &file.sign, &given, SignSettings::resolve)
    }

    /// Everything that signing needs. The passphrase is looked for only where the key is locked.
    pub fn signing(&self, settings: &SignSettings, context: &Context) -> Result<Signing> {
        let passphrase = passphrase(self.passphrase_file.as_deref(), settings, context)?;
        Ok(Signing { training_use: settings.training_use, passphrase })
    }
}

/// What opens the key; none where nothing locks it.
pub fn passphrase(typed: Option<&Path>, settings: &SignSettings, context: &Context) -> Result<Option<Passphrase>> {
    if !keys::is_locked(&context.studio)? {
        return Ok(None);
    }
    match given(typed, settings)? {
        None => asked("Passphrase of the key: ", context),
        passphrase => Ok(passphrase),
    }
}

/// A passphrase that was not asked for: of the file that was typed, of the environment, of the file in the settings.
pub fn given(typed: Option<&Path>, settings: &SignSettings) -> Result<Option<Passphrase>> {
    if let Some(file) = typed {
        return read(file).map(Some);
    }
    if let Some(text) = std::env::var(PASSPHRASE).ok().as_deref().and_then(Passphrase::new) {
        return Ok(Some(text));
    }
    settings.passphrase_file.as_deref().map(read).transpose()
}

fn read(file: &Path) -> Result<Passphrase> {
    pinxit_studio::keys::passphrase_in(file)
}

/// A passphrase typed without being shown; nobody is asked where nobody sits.
pub fn asked(question: &str, context: &Context) -> Result<Option<Passphrase>> {
    let is_person = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if !is_person || context.globals.json {
        return Ok(None);
    }
    let text = rpassword::prompt_password(question).map_err(Error::from)?;
    Ok(Passphrase::new(&text))
}
