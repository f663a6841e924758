//! `pinxit train`
use clap::Args;
use clap::builder::PossibleValuesParser;
use pinxit_studio::settings::{Condition, Origin, Size, Span, TrainPartial, TrainSettings};
use pinxit_studio::train::{self, ResolvedConfig, RunCard, TrainRequest};
use pinxit_studio::{Error, Result};
use serde_json::{Value as Json, json};

use crate::cli::words;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit train trees                          as long as suits the collection
  pinxit train trees --for 1h                 an hour from now
  pinxit train trees --kimg 400 --name oaks   exactly repeatable
  pinxit train flowers --from trees           fine-tune, also to other labels
  pinxit train --resume trees                 go on, bit for bit as if never stopped
  pinxit train trees --dry-run                print every setting and where it came from

Ctrl-C finishes the step, saves, and says how to go on.";

/// Learn from a dataset
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TrainArgs {
    /// The dataset
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    dataset: Option<String>,
    /// Train for this long: 90s, 30m, 2h, 1h30m
    #[arg(long = "for", value_name = "TIME")]
    time: Option<Span>,
    /// Train on this many thousand pictures [default: by the size of the collection]
    #[arg(long, value_name = "N", value_parser = kimg)]
    kimg: Option<f64>,
    /// Begin from a model instead of from nothing
    #[arg(long, value_name = "MODEL", conflicts_with = "resume")]
    from: Option<String>,
    /// Go on with a run (its name or its folder) where it stopped; --for or --kimg give it another end, counted from its beginning
    #[arg(long, value_name = "RUN", conflicts_with_all = ["name", "size", "preset", "batch", "seed", "discriminator", "flip", "condition", "set"])]
    resume: Option<String>,
    /// Name of the run and its model [default: that of the dataset]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Size the pictures must have; a check, pictures are sized at import
    #[arg(long, value_name = "SIZE")]
    size: Option<Size>,
    /// Network size: auto, xs-32, xs-64, s-64, xs-128, s-128 [default: auto]
    #[arg(long, value_name = "PRESET", value_parser = PossibleValuesParser::new(train::presets()), hide_possible_values = true)]
    preset: Option<String>,
    /// Labels to learn: class, style, both, captions (both and the words of captions), none [default: both]
    #[arg(long, value_name = "WHICH", value_parser = words::<Condition>(Condition::WORDS, Condition::ALSO), hide_possible_values = true)]
    condition: Option<Condition>,
    /// Never show pictures mirrored (text, clocks, left and right that matter)
    #[arg(id = "flip", long = "no-flip")]
    no_flip: bool,
    /// Say every setting and where it came from, and stop
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// One number from which every random choice follows [default: 0]
    #[arg(long, value_name = "N", help_heading = "More")]
    seed: Option<u64>,
    /// Pictures a step; for projected 4, 8, 12 and so on [default: 8; own: 32]
    #[arg(long, value_name = "N", help_heading = "More", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: Option<u16>,
    /// Which network judges: projected or own [default: projected]
    #[arg(long, value_name = "WHICH", help_heading = "More", value_parser = ["projected", "own"], hide_possible_values = true)]
    discriminator: Option<String>,
    /// Set any key of the run's config.toml, such as augment.cutout=true (repeatable)
    #[arg(long, value_name = "KEY=VALUE", help_heading = "More", value_parser = train::set)]
    set: Vec<toml::Table>,
}

fn kimg(text: &str) -> std::result::Result<f64, String> {
    text.parse().ok().filter(|k: &f64| *k > 0.0 && k.is_finite()).ok_or_else(|| format!("\"{text}\" is not a positive number"))
}

pub fn run(args: TrainArgs, context: &mut Context) -> Result<()> {
    context.refuse_both("time", "kimg");
    let given = TrainPartial {
        preset: args.preset,
        kimg: args.kimg.map(Some),
        time: args.time.map(Some),
        batch: args.batch.map(|b| Some(usize::from(b))),
        seed: args.seed,
        discriminator: args.discriminator.map(Some),
        condition: args.condition,
        flip: args.no_flip.then_some(false),
    };
    if let Some(name) = args.resume {
        return resume(&name, &given, args.dry_run, context);
    }
    let (settings, origins) = context.resolve(|file| &file.train, &given, TrainSettings::resolve);
    let mut expert: Vec<(Origin, toml::Table)> = context.expert().map(|(o, t)| (o, t.clone())).collect();
    expert.extend(args.set.into_iter().map(|table| (Origin::Flag("--set".into()), table)));
    let request =
        TrainRequest { dataset: args.dataset, resume: None, from: args.from, name: args.name, settings, origins, expert };
    let plan = train::plan(&context.studio, &request)?;
    check_size(args.size, plan.resolution())?;
    if args.dry_run {
        let head = format!("# run {} in {}", plan.name, plan.dir.display());
        let object = json!({ "dry_run": "train", "run": plan.name, "folder": plan.dir });
        return say_dry(&head, object, plan.card(), &plan.config, context);
    }
    let trained = train::begin(&context.studio, plan, &mut context.face)?;
    say(&trained, context)
}

/// Only what was typed or set in the environment changes a run's end; files speak for new runs.
fn resume(wanted: &str, given: &TrainPartial, dry_run: bool, context: &mut Context) -> Result<()> {
    let origin = |key: &str| context.origin(key);
    let layer = pinxit_studio::settings::Layer { partial: given, origin: &origin };
    let (settings, origins) = TrainSettings::resolve(&[layer]);
    let length = train::length(&settings, &origins);
    if dry_run {
        let run = train::resumable(&context.studio, wanted, length)?;
        let object =
            json!({ "dry_run": "train", "run": run.name, "folder": run.dir, "at_kimg": run.at_kimg, "at_end": run.is_at_end });
        let end = pinxit_studio::runs::end_words(run.config.config.length);
        let at_end = if run.is_at_end { format!("\n# {}", train::AT_END) } else { String::new() };
        let head = format!("# run {} in {}, at {} kimg, to {end}{at_end}", run.name, run.dir.display(), run.at_kimg);
        return say_dry(&head, object, &run.card, &run.config, context);
    }
    let trained = train::resume(&context.studio, wanted, length.map(|(length, _)| length), &mut context.face)?;
    say(&trained, context)
}

/// What a run is or would be, and every setting of it. What it learns from is no setting of the training, and comes first.
fn say_dry(head: &str, mut object: Json, card: &RunCard, config: &ResolvedConfig, context: &Context) -> Result<()> {
    object["dataset"] = json!(card.dataset);
    object["condition"] = json!(card.condition);
    object["from"] = json!(card.from);
    object["settings"] = Json::Object(config.json());
    let from = card.from.as_ref().map(|model| format!("\n# from the model {model}")).unwrap_or_default();
    let head = format!("{head}\n# on the dataset {}, labels learnt: {}{from}\n", card.dataset, card.condition);
    output::dry_run(context.globals.json, object, &(head + &config.annotated(&config.config)?));
    Ok(())
}

fn check_size(wanted: Option<Size>, (height, width): (usize, usize)) -> Result<()> {
    let has = Size { width: width as u32, height: height as u32 };
    match wanted {
        Some(size) if size != has => Err(Error::Setting {
            message: format!("the dataset's pictures are {has} px, not {size}"),
            hint: format!("import them again with --size {size}, or leave --size away"),
        }),
        _ => Ok(()),
    }
}

fn say(trained: &train::Trained, context: &Context) -> Result<()> {
    if context.globals.json {
        return Ok(());
    }
    output::data(&trained.model.display().to_string());
    context.next(&train::suggestions(trained));
    Ok(())
}
