//! What the commands that write pictures have in common: their labels.
use clap::Args;
use pinxit_studio::settings::{LabelWord, VisibleLabel};

use crate::cli::words;

/// Options of every command that can label pictures.
#[derive(Debug, Args)]
#[command(next_help_heading = "Labels")]
pub struct LabelArgs {
    /// Write a label into the picture; "none" for none [default: where --label needs one]
    // With `=` only: a word behind it would else be taken for the text.
    #[arg(long, value_name = "TEXT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    visible_label: Option<VisibleLabel>,
    /// Say it in the metadata as a law asks: cn (China, GB 45438), sb942 (California), none (repeatable) [default: none]
    #[arg(long, value_name = "LAW", value_parser = words::<LabelWord>(LabelWord::WORDS, LabelWord::ALSO), hide_possible_values = true)]
    label: Vec<LabelWord>,
}

impl LabelArgs {
    /// What was typed.
    pub fn given(&self) -> (Option<VisibleLabel>, Option<Vec<LabelWord>>) {
        (self.visible_label.clone(), Some(self.label.clone()).filter(|words| !words.is_empty()))
    }
}
