//! `pinxit keys`
use std::path::PathBuf;

use clap::{Args, Subcommand};
use pinxit_studio::event::versioned;
use pinxit_studio::keys::{self, InitRequest, KeyCard, Passphrase, TrustedCard};
use pinxit_studio::settings::{SignPartial, SignSettings};
use pinxit_studio::{Error, Result, paths};

use super::signing;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit keys init --name 'Jane Artist'
  pinxit keys export -o jane.pem        give this to others: they run pinxit keys trust jane.pem
  pinxit keys trust joe.pem --as joe    pictures of Joe are then trusted by you

A key is self-issued: its certificate is made on this machine, and no authority has checked the name. Others see an unrecognised
signer until they trust its root. The secret of your watermarks lies beside it, and stays when the key is replaced. Keep a copy of
keys/ in a safe place.";

/// Your key, and whose you trust
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct KeysArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make your key, which signs every picture from then on
    Init(InitArgs),
    /// Your key and the roots you trust
    Show,
    /// Your root as a file for others: what they need to trust your pictures; holds no secret
    Export {
        /// The file [default: print it]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Replace another file of that name
        #[arg(long)]
        overwrite: bool,
    },
    /// Trust somebody's root from now on
    Trust {
        /// What their keys export has written
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What you call them [default: the name in the certificate]
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
struct InitArgs {
    /// Your name, as everybody who verifies a picture will read it
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Your organisation [default: your name]
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
    /// Move a key that is there into bin/ of the home
    #[arg(long)]
    replace: bool,
    /// File whose first line locks the key; PINXIT_PASSPHRASE does as well, and on a terminal you are asked
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

pub fn run(args: KeysArgs, context: &Context) -> Result<()> {
    match args.action {
        Action::Init(args) => init(args, context),
        Action::Show => {
            say(&keys::show(&context.studio)?, context);
            Ok(())
        }
        Action::Export { out, overwrite } => export(out, overwrite, context),
        Action::Trust { file, name } => {
            let trusted = keys::trust(&context.studio, &file, name.as_deref())?;
            if context.globals.json {
                output::data(&versioned(&trusted));
            } else {
                output::data(&format!("you trust {} as \"{}\" until {}", trusted.holder, trusted.name, trusted.valid_until));
                output::data(&format!("fingerprint {}", trusted.fingerprint));
                context.next(&["pinxit verify PICTURE".into()]);
            }
            Ok(())
        }
    }
}

fn init(args: InitArgs, context: &Context) -> Result<()> {
    let (settings, _) = context.resolve(|file| &file.sign, &SignPartial::default(), SignSettings::resolve);
    let passphrase = match signing::given(args.passphrase_file.as_deref(), &settings)? {
        None => chosen(context)?,
        passphrase => passphrase,
    };
    let request = InitRequest { name: args.name, organisation: args.organisation, passphrase, replace: args.replace };
    say(&keys::init(&context.studio, &request)?, context);
    if !context.globals.json {
        context.next(&["pinxit keys export -o my-root.pem".into(), "pinxit generate MODEL".into()]);
    }
    Ok(())
}

/// A new passphrase, typed twice.
fn chosen(context: &Context) -> Result<Option<Passphrase>> {
    let Some(first) = signing::asked("Passphrase to lock the key (empty: none): ", context)? else { return Ok(None) };
    if signing::asked("The same again: ", context)?.as_ref() != Some(&first) {
        let message = "the two passphrases are not the same".into();
        return Err(Error::Setting { message, hint: "run the command again".into() });
    }
    Ok(Some(first))
}

fn export(out: Option<PathBuf>, overwrite: bool, context: &Context) -> Result<()> {
    let pem = keys::export(&context.studio)?;
    let Some(out) = out else {
        if context.globals.json {
            output::data(&versioned(&serde_json::json!({ "root": pem })));
        } else {
            output::data(pem.trim_end());
        }
        return Ok(());
    };
    paths::write_beside_others(&out, pem.as_bytes(), overwrite)?;
    if context.globals.json {
        output::data(&versioned(&serde_json::json!({ "root": pem, "path": out })));
    } else {
        output::data(&out.display().to_string());
    }
    Ok(())
}

fn say(card: &KeyCard, context: &Context) {
    if context.globals.json {
        output::data(&versioned(card));
        return;
    }
    let nameless = if card.is_nameless { " (names nobody: pinxit keys init --name 'Jane Artist')" } else { "" };
    let mut rows = vec![
        vec!["organisation".into(), card.organisation.clone().unwrap_or_else(|| "-".into())],
        vec!["signs with".into(), format!("{}, self-issued: others will see an unrecognised signer", card.algorithm)],
        vec!["root".into(), card.root_fingerprint.clone()],
        vec!["valid".into(), format!("{} to {}", card.valid_from, card.valid_until)],
        vec!["passphrase".into(), if card.locked { "needed" } else { "none" }.into()],
        vec!["folder".into(), card.folder.display().to_string()],
        vec!["watermarks".into(), watermarks(card)],
    ];
    rows.extend(card.problem.iter().map(|problem| vec!["problem".into(), problem.clone()]));
    rows.extend(card.trusted.iter().map(trusted));
    output::data(&output::table(&["key of", &format!("{}{nameless}", card.name)], &rows));
}

fn watermarks(card: &KeyCard) -> String {
    match &card.watermark {
        Some(file) => format!("secret in {}: who has it can read and remove your marks", file.display()),
        None => "no secret yet: the first picture of 128 px a side or more makes one".into(),
    }
}

fn trusted(root: &TrustedCard) -> Vec<String> {
    vec!["you trust".into(), format!("{} ({}, {})", root.name, root.holder, &root.fingerprint[..12])]
}
