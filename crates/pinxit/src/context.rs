//! What a command works with: the studio, the settings files, the face, and where its flags came from.
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use pinxit_studio::settings::{Layer, Origin, SettingsFile, file, files};
use pinxit_studio::shell::quote;
use pinxit_studio::{Error, Result, Studio, machine};

use crate::cli::{self, Color, Globals};
use crate::face::Face;
use crate::output;

/// Everything a command needs beside its own arguments.
pub struct Context {
    /// The options of every command.
    pub globals: Globals,
    /// The home.
    pub studio: Studio,
    /// Prints events.
    pub face: Face,
    /// What was wrong with the settings files: for `doctor`, which goes on without them to say so. Any other command has ended.
    pub unusable: Option<Error>,
    files: Vec<(PathBuf, SettingsFile)>,
    suffix: HomeSuffix,
    matches: ArgMatches,
    command: String,
}

impl Context {
    /// Resolves home, threads and colour, and reads the settings files.
    pub fn new(globals: Globals, matches: &ArgMatches) -> Result<Self> {
        anstream::ColorChoice::write_global(match globals.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        });
        let (mut command, mut matches) = (String::new(), matches.clone());
        // `explore move` has its own options: what was typed stands with the last command of the line.
        while let Some((name, inner)) = matches.subcommand().map(|(name, inner)| (name.to_string(), inner.clone())) {
            command = format!("{command} {name}").trim_start().to_string();
            matches = inner;
        }
        let (home, files, unusable) = match settled(&globals) {
            Ok((home, files)) => (home, files, None),
            Err(e) if command == "doctor" => {
                (home(&globals, user_file().as_deref()).unwrap_or_else(|_| usual_home()), Vec::new(), Some(e))
            }
            Err(e) => return Err(e),
        };
        if let Some(note) = machine::too_many_threads().filter(|_| !globals.quiet && !globals.json) {
            output::say(&note);
        }
        let suffix = home_suffix(&globals, &matches);
        let face = Face::new(&globals, suffix.clone());
        Ok(Context { globals, studio: Studio::at(home), face, unusable, files, suffix, matches, command })
    }

    /// Resolves one section: files, then what was typed or set in the environment.
    pub fn resolve<P, R>(&self, section: fn(&SettingsFile) -> &P, given: &P, resolve: fn(&[Layer<'_, P>]) -> R) -> R {
        let origins: Vec<OriginOf> = self.files.iter().map(|(path, _)| of_file(path.clone())).collect();
        let typed = |key: &str| self.origin(key);
        let mut layers: Vec<Layer<'_, P>> = Vec::new();
        for ((_, file), origin) in self.files.iter().zip(&origins) {
            layers.push(Layer { partial: section(file), origin: origin.as_ref() });
        }
        layers.push(Layer { partial: given, origin: &typed });
        resolve(&layers)
    }

    /// Expert settings of the files, weakest first, each with its file.
    pub fn expert(&self) -> impl Iterator<Item = (Origin, &toml::Table)> {
        self.files.iter().map(|(path, file)| (Origin::File(path.clone()), &file.expert))
    }

    /// The last line: what makes sense now. Not said when quiet or in JSON.
    pub fn next(&self, commands: &[String]) {
        if !self.globals.quiet && !self.globals.json {
            output::next(&commands.iter().map(|c| self.at_home(c)).collect::<Vec<_>>());
        }
    }

    /// A command to suggest, as it must be typed next.
    pub fn at_home(&self, command: &str) -> String {
        self.suffix.after(command)
    }

    /// Whether an argument was typed or set in the environment, and which.
    pub fn origin(&self, id: &str) -> Origin {
        let long = self.long_of(id);
        match self.matches.value_source(id) {
            Some(ValueSource::EnvVariable) => Origin::Environment(cli::variable(&self.command, &long)),
            _ => Origin::Flag(format!("--{long}")),
        }
    }

    /// Ends with a usage error where both were typed. A variable gives way to what was typed, so clap's own conflicts say too much.
    pub fn refuse_both(&self, one: &str, other: &str) {
        let typed = |id: &str| self.matches.value_source(id) == Some(ValueSource::CommandLine);
        if typed(one) && typed(other) {
            let (one, other) = (self.long_of(one), self.long_of(other));
            let message = format!("the argument '--{one}' cannot be used with '--{other}'");
            let error = self.typed_command().error(clap::error::ErrorKind::ArgumentConflict, message);
            std::process::exit(i32::from(crate::usage(&error)));
        }
    }

    fn long_of(&self, id: &str) -> String {
        let command = self.typed_command();
        let arg = command.get_arguments().find(|a| a.get_id() == id);
        arg.and_then(|a| a.get_long()).unwrap_or(id).to_string()
    }

    /// The command that was typed, by all its names.
    fn typed_command(&self) -> clap::Command {
        let below = |command: clap::Command, name: &str| command.find_subcommand(name).cloned().unwrap_or(command);
        self.command.split_whitespace().fold(cli::command(), below)
    }
}

/// `--home DIR` for commands to suggest, or nothing where they find the home by themselves.
#[derive(Clone, Debug, Default)]
pub struct HomeSuffix(Option<String>);

impl HomeSuffix {
    /// `command` with the home behind it, unless it names one itself.
    pub fn after(&self, command: &str) -> String {
        match &self.0 {
            Some(home) if !command.contains(" --home ") => format!("{command} --home {home}"),
            _ => command.to_string(),
        }
    }
}

/// A person's next command needs the home she typed now; what her environment says, it hears by itself. A program that reads JSON
/// may hand the command on to another environment.
fn home_suffix(globals: &Globals, matches: &ArgMatches) -> HomeSuffix {
    let typed = matches.value_source("home") == Some(ValueSource::CommandLine);
    let home = globals.home.as_ref().filter(|_| typed || globals.json);
    HomeSuffix(home.map(|home| quote(&home.display().to_string())))
}

/// The home and the settings files; the machine is prepared as they say.
fn settled(globals: &Globals) -> Result<(PathBuf, Vec<(PathBuf, SettingsFile)>)> {
    let user = user_file();
    let home = home(globals, user.as_deref())?;
    pinxit_studio::paths::check_folder(&home)?;
    let files = files(user.as_deref(), &home)?;
    let threads = globals.threads.map(usize::from).or_else(|| files.iter().rev().find_map(|f| f.1.threads));
    machine::prepare(threads, globals.isa)?;
    Ok((home, files))
}

/// Where the value of a key came from.
type OriginOf = Box<dyn Fn(&str) -> Origin>;

fn of_file(path: PathBuf) -> OriginOf {
    Box::new(move |_| Origin::File(path.clone()))
}

/// `config.toml` of the person: `$XDG_CONFIG_HOME/pinxit` or `~/.config/pinxit`.
fn user_file() -> Option<PathBuf> {
    let configured = std::env::var_os("XDG_CONFIG_HOME").filter(|d| !d.is_empty()).map(PathBuf::from);
    let folder = configured.or_else(|| std::env::home_dir().map(|h| h.join(".config")))?;
    Some(folder.join("pinxit").join("config.toml"))
}

/// The home asked for, else the one named in the person's settings, else `~/pinxit`.
fn home(globals: &Globals, user: Option<&Path>) -> Result<PathBuf> {
    if let Some(home) = &globals.home {
        return Ok(home.clone());
    }
    let settings = user.map(file).transpose()?.flatten();
    Ok(settings.and_then(|s| s.home).unwrap_or_else(usual_home))
}

fn usual_home() -> PathBuf {
    std::env::home_dir().unwrap_or_default().join("pinxit")
}
