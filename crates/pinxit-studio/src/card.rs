//! `pinxit models card`: everything a person should know of a model before she uses it or passes it on, on one page.
use std::collections::BTreeMap;
use std::fmt::Write as _;

use pinxit_dataset::rights::licence::{self, Terms};
use pinxit_nn::model::DatasetSummary;
use pinxit_trust::ledger::Entry;
use serde::Serialize;
use serde_json::Value;

use crate::findings::Findings;
use crate::models::{Found, ModelCard, card as facts};
use crate::{Result, Studio, counted, ledger};

/// A model card.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    /// What the model file says.
    pub model: ModelCard,
    /// Licences among the works, each with what it asks for.
    pub terms: BTreeMap<String, Asked>,
    /// What follows from them all, in words.
    pub obligations: Vec<String>,
    /// The last evaluation, if the model was measured.
    pub evaluation: Option<Value>,
    /// What the last audit found, if the model was audited.
    pub audit: Option<Findings>,
    /// When the policy was accepted in this home, RFC 3339; `None` where it was not, or the ledger cannot be read.
    pub policy_accepted_at: Option<String>,
    /// What the ledger says of the model and its dataset; empty where it says nothing or cannot be read.
    pub ledger: Vec<Entry>,
    /// What the model cannot do, and what is not known of it.
    pub limits: Vec<String>,
}

/// What one licence asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Whether its terms are known here.
    pub known: bool,
    /// Name the creators.
    pub attribution: bool,
    /// Pass adaptations on under the same terms.
    pub share_alike: bool,
    /// Not for commerce.
    pub non_commercial: bool,
    /// Share no adaptations.
    pub no_derivatives: bool,
}

impl Asked {
    fn of(name: &str) -> Self {
        let terms = licence::terms(name);
        let Terms { attribution, share_alike, non_commercial, no_derivatives } = terms.unwrap_or_default();
        Asked { known: terms.is_some(), attribution, share_alike, non_commercial, no_derivatives }
    }

    fn words(&self) -> String {
        let asked = [
            (self.attribution, "name the creators"),
            (self.share_alike, "share alike"),
            (self.non_commercial, "not for commerce"),
            (self.no_derivatives, "no adaptations"),
        ];
        let asked: Vec<&str> = asked.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, words)| words).collect();
        match (self.known, asked.is_empty()) {
            (false, _) => "terms not known here: read them".into(),
            (true, true) => "nothing asked".into(),
            (true, false) => asked.join(", "),
        }
    }
}

/// The card of a model.
pub fn page(studio: &Studio, found: &Found) -> Result<Page> {
    let model = facts(studio, found)?;
    let terms: BTreeMap<String, Asked> = model.meta.dataset.licences.iter().map(|l| (l.clone(), Asked::of(l))).collect();
    let figures = fs_err::read(crate::evaluate::figures_path(&found.path)).ok();
    let evaluation = figures.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let audit = Findings::of(&found.path, &model.hash);
    Ok(Page {
        obligations: obligations(&model.meta.dataset, &terms),
        limits: limits(&model, evaluation.is_some(), audit.is_some()),
        policy_accepted_at: crate::policy::show(studio).ok().and_then(|policy| policy.accepted_at),
        ledger: told(studio, &model),
        model,
        terms,
        evaluation,
        audit,
    })
}

/// Entries about the model or its dataset. A card is no place to fail for a ledger's sake: `ledger verify` is.
fn told(studio: &Studio, model: &ModelCard) -> Vec<Entry> {
    let is_about = |entry: &Entry| match entry.kind.as_str() {
        "training" => entry.subject.get("model_hash").is_some_and(|hash| *hash == model.hash),
        "import" | "override" => entry.subject.get("manifest_hash").is_some_and(|hash| *hash == model.meta.dataset.manifest_hash),
        "takedown" => named(&entry.subject, &model.hash),
        _ => false,
    };
    let entries = ledger::of(studio).entries().into_iter().flatten().map_while(std::result::Result::ok);
    entries.filter(is_about).collect()
}

/// Whether a takedown blocked that model.
fn named(takedown: &serde_json::Map<String, Value>, hash: &str) -> bool {
    let models = takedown.get("models_blocked").and_then(Value::as_array);
    models.is_some_and(|models| models.iter().any(|model| model["hash"] == hash))
}

fn obligations(dataset: &DatasetSummary, terms: &BTreeMap<String, Asked>) -> Vec<String> {
    let with = |asks: fn(&Asked) -> bool| -> Vec<&str> {
        terms.iter().filter(|(_, asked)| asks(asked)).map(|(name, _)| name.as_str()).collect()
    };
    let mut all = Vec::new();
    let mut say = |licences: Vec<&str>, what: &str| {
        if !licences.is_empty() {
            all.push(format!("{what} ({})", licences.join(", ")));
        }
    };
    say(with(|a| a.attribution), "name the creators of the works when you pass the model on");
    say(with(|a| a.share_alike), "whoever shares adaptations shares them under the same terms");
    say(with(|a| a.non_commercial), "not for commerce");
    say(with(|a| a.no_derivatives), "adaptations may not be shared: ask the makers before you publish");
    say(with(|a| !a.known), "terms that are not known here: read them");
    if dataset.overridden > 0 {
        let reason = dataset.override_reason.as_deref().unwrap_or("not stated");
        let works = counted(dataset.overridden, "work");
        all.push(format!("{works} learnt from against a reservation, for this reason: {reason}"));
    }
    all
}

fn limits(model: &ModelCard, is_measured: bool, is_audited: bool) -> Vec<String> {
    let (dataset, (h, w)) = (&model.meta.dataset, model.resolution);
    let mut limits = vec![
        format!("It paints {w}x{h} px and knows nothing but the {} it has seen.", counted(dataset.pictures, "picture")),
        "With few pictures a network may repeat them; `pinxit evaluate` counts that.".into(),
    ];
    if let Some(why) = &model.blocked {
        limits.insert(0, format!("It may not be used: it has {why}. Train it anew."));
    }
    if !is_measured {
        limits.push("It was not measured since it was kept here.".into());
    }
    if !is_audited {
        limits.push("Whether it copies its works was not looked at here (`pinxit audit`).".into());
    }
    if dataset.works == 0 {
        limits.push("It was trained on a dataset whose works were not examined for reservations.".into());
    }
    if !model.meta.blended.is_empty() {
        limits.push("Nobody trained it: it was blended of the models above, and asks for what each of them asks.".into());
    }
    if model.meta.parent.is_some() {
        limits.push("It began from another model: what that one learnt from stands on that model's card.".into());
    }
    limits
}

impl Page {
    /// The card in Markdown.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (model, meta) = (&self.model, &self.model.meta);
        let (training, dataset) = (&meta.training, &meta.dataset);
        writeln!(out, "# {}\n\nA generative adversarial network by pinxit {}.\n", model.name, training.version)?;
        writeln!(out, "| | |\n|---|---|")?;
        let mut row = |what: &str, value: String| writeln!(out, "| {what} | {} |", value.replace('|', "\\|"));
        row("hash", model.hash.clone())?;
        row("paints", format!("{}x{} px", model.resolution.1, model.resolution.0))?;
        row("size", format!("{}, {} weights", model.preset, model.parameters))?;
        row("classes", listed(&meta.classes))?;
        row("styles", listed(&meta.styles))?;
        row("words", meta.words.len().to_string())?;
        row("parent", meta.parent.clone().unwrap_or_else(|| "none".into()))?;
        meta.blended.iter().try_for_each(|m| row("blended of", format!("{} ({})", m.name, m.hash)))?;
        self.works(out, dataset)?;
        writeln!(
            out,
            "\n## Training\n\n{} kimg, seed {}, {} discriminator.",
            training.kimg, training.seed, training.discriminator
        )?;
        self.measures(out)?;
        if let Some(audit) = &self.audit {
            audit.markdown(out)?;
        }
        writeln!(out, "\n## Limits\n")?;
        self.limits.iter().try_for_each(|limit| writeln!(out, "* {limit}"))?;
        let accepted = self.policy_accepted_at.as_deref().unwrap_or("not accepted");
        writeln!(out, "\n## Policy\n\nVersion {}, in the home this card was written in: {accepted}.", crate::policy::VERSION)?;
        writeln!(out, "\n## Ledger\n")?;
        if self.ledger.is_empty() {
            writeln!(out, "The ledger of this home says nothing of it.")?;
        }
        self.ledger
            .iter()
            .try_for_each(|entry| writeln!(out, "* {} {}, entry {}: `{}`", entry.at, entry.kind, entry.seq, entry.hash))
    }

    fn works(&self, out: &mut String, dataset: &DatasetSummary) -> std::fmt::Result {
        writeln!(out, "\n## Works it learnt from\n")?;
        let works = if dataset.works == 0 { String::new() } else { format!("{} taken in, ", counted(dataset.works, "work")) };
        let pictures = counted(dataset.pictures, "picture");
        writeln!(out, "Dataset \"{}\": {works}{pictures} learnt from. Manifest `{}`.\n", dataset.name, dataset.manifest_hash)?;
        if !dataset.creators.is_empty() {
            writeln!(out, "Creators: {}\n", listed(&dataset.creators))?;
        }
        writeln!(out, "| licence | what it asks |\n|---|---|")?;
        for (name, asked) in &self.terms {
            writeln!(out, "| {} | {} |", name.replace('|', "\\|"), asked.words())?;
        }
        if !self.obligations.is_empty() {
            writeln!(out, "\nWhat follows (no legal advice):\n")?;
            self.obligations.iter().try_for_each(|what| writeln!(out, "* {what}"))?;
        }
        Ok(())
    }

    fn measures(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## Measures\n")?;
        match &self.evaluation {
            Some(evaluation) => writeln!(out, "```json\n{evaluation:#}\n```"),
            None if self.model.meta.training.figures.is_empty() => writeln!(out, "None."),
            None => {
                let figures = &self.model.meta.training.figures;
                figures.iter().try_for_each(|(name, value)| writeln!(out, "* {name}: {value:.4} (during training)"))
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
