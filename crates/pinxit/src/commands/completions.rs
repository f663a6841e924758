//! `pinxit completions`
use clap::Args;
use clap_complete::Shell;
use pinxit_studio::Result;

const EXAMPLES: &str = "\
Examples:
  pinxit completions bash > ~/.local/share/bash-completion/completions/pinxit
  pinxit completions zsh > ~/.zfunc/_pinxit
  pinxit completions fish > ~/.config/fish/completions/pinxit.fish";

/// Print completions for a shell: its script, also with --json
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

pub fn run(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::cli::command(), "pinxit", &mut script);
    crate::output::data(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
