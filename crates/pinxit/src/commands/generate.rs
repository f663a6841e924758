//! `pinxit generate`
use std::path::{Path, PathBuf};

use clap::Args;
use pinxit_studio::event::{Event, Watcher};
use pinxit_studio::gate::GateOptions;
use pinxit_studio::generate::{
    GenerateRequest, Generated, Prompt, RepaintRequest, generate, plan, remarks, repaint, replan, suggestions, understood,
};
use pinxit_studio::labels::Labels;
use pinxit_studio::settings::{GeneratePartial, GenerateSettings, ImageFormat, Setting, resolved_json, write_resolved};
use pinxit_studio::sign::Signing;
use pinxit_studio::{Result, check_reason_to, counted};
use serde_json::{Map, Value, json};

use super::labelling::LabelArgs;
use super::signing::SigningArgs;
use crate::cli::words;
use crate::context::Context;
use crate::{face, output};

const EXAMPLES: &str = "\
Examples:
  pinxit generate trees --seeds 0-63 --grid -o pictures
  pinxit generate trees --seeds 7 --class oak --psi 0.7
  pinxit generate trees --seeds 1,5,9-12 --format jpeg --quality 95
  pinxit generate trees --seeds 7 --class oak --guide 2
  pinxit generate trees --enlarge 4
  pinxit generate emoji --prompt 'a sad yellow face, noto style'
  pinxit generate --from pictures/trees-000042.png
  pinxit generate trees --visible-label --label sb942

Every file carries its recipe (model, seed, labels, psi); --from paints it again, pixel for pixel on the same machine (with
--no-sign byte for byte). Every file is signed with your key: pinxit keys init; without one the studio makes a key of its own.
Pictures of 128 px a side and more carry a hidden number, by which this studio knows them when their metadata is gone: a sure one from
256 px. Smaller ones do with --enlarge (pinxit watermark detect, docs/watermark.md).
Labels: --visible-label writes AI-generated into the corner of each picture (--visible-label=TEXT other words), --label cn
AI生成 and China's field in the metadata. They stand in no recipe: --from paints without them unless they are asked for again.
Without --class a model that knows classes draws one for each seed, as often as its training pictures have them; none where
a prompt says in other words what to paint. --prompt takes the names of a class and a style out of a sentence, and a model trained with --condition captions reads
its other words too; words it does not know are named.
A picture that comes nearer to a training work than hardly any two works do is a near copy and is not written; the command then
ends with exit code 3. Near copies are looked for where the works are: in the dataset that the model learnt from, if it is in this home.";

/// Paint pictures
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct GenerateArgs {
    /// A model, a run, or a model file
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    model: Option<String>,
    /// One picture for each seed: 7 or 0-63 or 1,5,9-12
    #[arg(long, value_name = "SEEDS", default_value = "0-15", value_parser = parse_seeds)]
    seeds: Seeds,
    /// Paint this class (repeatable)
    #[arg(long, value_name = "CLASS")]
    class: Vec<String>,
    /// Paint in this style (repeatable)
    #[arg(long, value_name = "STYLE")]
    style: Vec<String>,
    /// What to paint, in words
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Words to keep with the pictures [default: the prompt]
    #[arg(long, value_name = "TEXT", conflicts_with = "prompt")]
    caption: Option<String>,
    /// Truncation: 1 full variety, 0.7 calmer, 0 the mean picture [default: 1]
    #[arg(long, value_name = "PSI", visible_alias = "trunc", allow_negative_numbers = true, value_parser = psi)]
    psi: Option<f64>,
    /// Guidance: how far toward class, style and words, away from the seed's picture without them; 1 as learnt, 2 twice as far
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = guide)]
    guide: f64,
    /// File format: png, jpeg, webp, avif [default: png]
    #[arg(long, value_name = "FORMAT", value_parser = words::<ImageFormat>(ImageFormat::WORDS, ImageFormat::ALSO), hide_possible_values = true)]
    format: Option<ImageFormat>,
    /// Quality of jpeg and avif, 1 to 100 [default: 90]
    #[arg(long, value_name = "Q", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: Option<u8>,
    /// Longer sides after painting: 2 to 8 times; 1 as painted [default: 1]
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..=8))]
    enlarge: Option<u32>,
    /// Also write a contact sheet, sheet.png, of the pictures as painted
    #[arg(long)]
    grid: bool,
    /// Columns of the contact sheet [default: about square]
    #[arg(long, value_name = "N", requires = "grid", value_parser = clap::value_parser!(u16).range(1..))]
    columns: Option<u16>,
    /// Folder for the pictures [default: MODEL-pictures; for --from the current folder]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace other files of the same names (the same picture again is no other file)
    #[arg(long)]
    overwrite: bool,
    /// Paint the recipe found in a picture again (repeatable)
    #[arg(long, value_name = "PICTURE", conflicts_with_all = ["seeds", "class", "style", "prompt", "caption", "psi", "guide", "enlarge", "grid"])]
    from: Vec<PathBuf>,
    /// The model that painted it, where this home does not have it: a model, a run, or a model file
    #[arg(id = "painted_by", long = "model", value_name = "MODEL", conflicts_with = "model")]
    painted_by: Option<String>,
    /// Say what would be painted, and stop
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    labels: LabelArgs,
    /// Write near copies of training works too, for this reason, which is kept in the ledger
    #[arg(long, value_name = "REASON", value_parser = reason, help_heading = "Near copies")]
    allow_near_copies: Option<String>,
    /// Name the N closest works in the training set of each picture [default N: 3]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "3", value_parser = clap::value_parser!(u8).range(1..=10), help_heading = "Near copies")]
    closest: Option<u8>,
    /// Hide no watermark in the pictures
    #[arg(id = "watermark", long = "no-watermark", help_heading = "Signing")]
    no_watermark: bool,
    /// Do not sign the pictures: no credential goes into the files
    #[arg(id = "sign", long = "no-sign", help_heading = "Signing")]
    no_sign: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

pub fn reason(text: &str) -> std::result::Result<String, String> {
    check_reason_to(text, "say why these pictures may be written")?;
    Ok(text.trim().to_owned())
}

pub fn psi(text: &str) -> std::result::Result<f64, String> {
    let wrong = || format!("\"{text}\" is no number from -2 to 2: 1 is full variety, 0.7 is calmer, 0 is the mean picture");
    text.parse().ok().filter(|psi| (-2.0..=2.0).contains(psi)).ok_or_else(wrong)
}

fn guide(text: &str) -> std::result::Result<f64, String> {
    let wrong = || format!("\"{text}\" is no number from 0 to 10: 1 is as learnt, 2 twice as far, 0 without labels");
    text.parse().ok().filter(|guide| (0.0..=10.0).contains(guide)).ok_or_else(wrong)
}

/// Seeds in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct Seeds(pub Vec<u64>);

/// Most seeds of one command.
const MOST_SEEDS: u64 = 1_000_000;

pub fn parse_seeds(text: &str) -> std::result::Result<Seeds, String> {
    let wrong = || format!("\"{text}\" are no seeds: write 7, 0-63 or 1,5,9-12 (at most {MOST_SEEDS})");
    let mut seeds = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |t: &str| t.trim().parse::<u64>().map_err(|_| wrong());
        let (first, last) = (number(first)?, number(last)?);
        let total = last.checked_sub(first).ok_or_else(wrong)?.saturating_add(seeds.len() as u64);
        if total >= MOST_SEEDS {
            return Err(wrong());
        }
        seeds.extend(first..=last);
    }
    Ok(Seeds(seeds))
}

pub fn run(args: GenerateArgs, context: &mut Context) -> Result<()> {
    let (visible_label, label) = args.labels.given();
    let given = GeneratePartial {
        psi: args.psi,
        format: args.format,
        quality: args.quality,
        enlarge: args.enlarge,
        watermark: args.no_watermark.then_some(false),
        sign: args.no_sign.then_some(false),
        visible_label,
        label,
    };
    let (settings, mut resolved) = context.resolve(|file| &file.generate, &given, GenerateSettings::resolve);
    let (sign_settings, sign_resolved) = args.signing.resolve(context);
    // A dry run opens no key, so it asks for no passphrase.
    let signing =
        if settings.sign && !args.dry_run { args.signing.signing(&sign_settings, context)? } else { Signing::default() };
    let gate = GateOptions { allow: args.allow_near_copies, closest: args.closest.map_or(0, usize::from) };
    let Some(model) = args.model else {
        let out = args.out.unwrap_or_else(|| PathBuf::from("."));
        let (pictures, overwrite) = (args.from, args.overwrite);
        let signing = settings.sign.then_some(signing);
        let (format, quality, watermark) = (args.format, settings.quality, settings.watermark);
        let labels = Labels::of(&settings.visible_label, &settings.label)?;
        let request = RepaintRequest {
            pictures,
            model: args.painted_by,
            format,
            quality,
            out,
            watermark,
            signing,
            labels,
            overwrite,
            gate,
        };
        if args.dry_run {
            // The recipe holds psi and enlargement, and each picture has a format of its own.
            let counts = ["quality", "watermark", "sign", "visible_label", "label"];
            resolved.retain(|s| counts.contains(&s.key) || s.key == "format" && args.format.is_some());
            let sections = [("generate", resolved), ("sign", sign_resolved)];
            return say_dry(&replan(&context.studio, &request)?, &request.out, None, &sections, context);
        }
        let made = repaint(&context.studio, &request, &mut context.face)?;
        return say(&made, context, &[]);
    };
    let request = GenerateRequest {
        model,
        seeds: args.seeds.0,
        classes: args.class,
        styles: args.style,
        caption: args.caption,
        prompt: args.prompt,
        guide: args.guide,
        settings,
        signing,
        sheet: args.grid,
        columns: args.columns.map(usize::from),
        out: args.out,
        overwrite: args.overwrite,
        gate,
    };
    if args.dry_run {
        let (painter, recipes) = plan(&context.studio, &request)?;
        remarks(&painter, &request).into_iter().for_each(|message| context.face.event(Event::Warning { message, hint: None }));
        let folder = request.folder(&painter);
        request.check_names(&folder, &recipes)?;
        let prompt = request.prompt.as_deref().map(|text| painter.prompt(text));
        let sections = [("generate", resolved), ("sign", sign_resolved)];
        return say_dry(&request.files(&recipes), &folder, prompt.as_ref(), &sections, context);
    }
    let made = generate(&context.studio, &request, &mut context.face)?;
    say(&made, context, &suggestions(&made))
}

/// What would be painted and how, and nothing is.
fn say_dry(
    files: &[String],
    folder: &Path,
    prompt: Option<&Prompt>,
    sections: &[(&str, Vec<Setting>)],
    context: &Context,
) -> Result<()> {
    let settings: Map<String, Value> = sections.iter().flat_map(|(_, resolved)| resolved_json(resolved)).collect();
    let mut object = json!({ "dry_run": "generate", "folder": folder, "pictures": files, "settings": settings });
    let mut head = format!("# {} into {}\n", counted(files.len(), "picture"), folder.display());
    if let Some(prompt) = prompt {
        object["prompt"] = json!(prompt);
        head += &format!("# the prompt names {}\n", understood(prompt));
    }
    let text: Vec<String> = sections.iter().map(|(name, resolved)| write_resolved(name, resolved)).collect();
    output::dry_run(context.globals.json, object, &(head + &text.join("\n")));
    Ok(())
}

/// Paths on stdout, one a line, and what else was asked for; with `--json` the finished event has said it all. An error where
/// near copies were withheld.
pub fn say(made: &Generated, context: &Context, next: &[String]) -> Result<()> {
    if context.globals.json {
        return made.verdict();
    }
    for path in made.pictures.iter().chain(&made.sheet) {
        output::data(&path.display().to_string());
    }
    if !made.gate.closest.is_empty() {
        output::data(&format!("\nclosest works in the training set (a near copy is below {})", limit(made)));
        output::data(&closest(made));
    }
    made.verdict()?;
    context.next(next);
    Ok(())
}

fn limit(made: &Generated) -> String {
    made.gate.near_copy_below.map(face::short).unwrap_or_default()
}

fn closest(made: &Generated) -> String {
    let rows = made.gate.closest.iter().flat_map(|found| {
        found.works.iter().map(|work| {
            let creator = work.creator.clone().unwrap_or_else(|| "-".into());
            vec![found.picture.clone(), face::short(work.unlikeness), work.title.clone(), creator]
        })
    });
    output::table(&["picture", "unlikeness", "work", "creator"], &rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_read_as_people_write_them() {
        assert_eq!(parse_seeds("7"), Ok(Seeds(vec![7])));
        assert_eq!(parse_seeds("1,5,9-12"), Ok(Seeds(vec![1, 5, 9, 10, 11, 12])));
        assert_eq!(parse_seeds("18446744073709551615"), Ok(Seeds(vec![u64::MAX])));
        for bad in ["", "a", "5-1", "1,,2", "-3", "0-18446744073709551615", "0-1000000"] {
            assert!(parse_seeds(bad).is_err(), "{bad}");
        }
    }
}
