//! From the C2PA library's reader to a report.
use c2pa::validation_results::StatusCodes;
use c2pa::{Ingredient, Manifest, Reader, ValidationState};
use pinxit_image::Format;
use serde_json::Value;

use super::Anchors;
use super::report::{ActionFact, IngredientFact, Making, Problem, Report, Said, SignerFact, State, Trust};
use crate::credential::{RECIPE_LABEL, SoftBinding, TRAINING_LABEL};
use crate::keys::Certificate;

/// The code of a signer that nobody who is asked trusts: the third fact, and no fault of the credential.
const UNTRUSTED: &str = "signingCredential.untrusted";
/// Codes that are about the signer's certificate and not about the file.
const ABOUT_SIGNER: [&str; 2] = ["signingCredential.", "claimSignature.outsideValidity"];

pub(super) fn report(reader: &Reader, format: Format, anchors: &Anchors) -> Report {
    let Some(manifest) = reader.active_manifest() else {
        return Report::broken(format, "it names no manifest as the picture's own");
    };
    let holds = reader.validation_state() != ValidationState::Invalid;
    let failures = failures(reader);
    let is_untrusted = failures.iter().any(|p| p.code == UNTRUSTED);
    let mut problems: Vec<Problem> = failures.into_iter().filter(|p| p.code != UNTRUSTED).collect();
    if !holds && problems.is_empty() {
        problems.push(Problem { code: "unreadable".into(), message: "the signature could not be checked".into() });
    }
    let is_about_signer = |code: &str| ABOUT_SIGNER.iter().any(|start| code.starts_with(start));
    let intact = problems.iter().all(|p| is_about_signer(&p.code));
    let chain = manifest.signature_info().and_then(|info| Certificate::all_from_pem(info.cert_chain().as_bytes()).ok());
    let chain = chain.unwrap_or_default();
    let timestamp = manifest.signature_info().and_then(|info| info.time.clone());
    Report {
        format,
        state: if holds { State::Valid } else { State::Invalid },
        intact: Some(intact),
        trust: if holds { trust(&chain, is_untrusted, anchors) } else { Trust::Nobody },
        signer: signer(&chain, timestamp),
        problems,
        says: Some(said(reader, manifest)),
        elsewhere: None,
    }
}

/// Every failure of the picture's own manifest, and those of its ingredients that were not there when they were taken in.
fn failures(reader: &Reader) -> Vec<Problem> {
    let Some(results) = reader.validation_results() else { return Vec::new() };
    let own = results.active_manifest().into_iter().flat_map(StatusCodes::failure);
    let of_ingredients = results.ingredient_deltas().into_iter().flatten().flat_map(|delta| delta.validation_deltas().failure());
    let mut problems: Vec<Problem> = Vec::new();
    for status in own.chain(of_ingredients.filter(|status| status.code() != UNTRUSTED)) {
        let code = status.code().to_string();
        let message = status.explanation().unwrap_or(&code).to_string();
        if !problems.iter().any(|p| p.code == code) {
            problems.push(Problem { code, message });
        }
    }
    problems
}

fn signer(chain: &[Certificate], timestamp: Option<String>) -> Option<SignerFact> {
    let (first, last) = (chain.first()?, chain.last()?);
    Some(SignerFact {
        name: first.name.clone(),
        organisation: first.organisation.clone(),
        root: last.name.clone(),
        root_fingerprint: last.fingerprint(),
        self_issued: last.is_root,
        valid_from: first.from.date().to_string(),
        valid_until: first.until.date().to_string(),
        timestamp,
    })
}

/// Which of the person's roots the chain ends in. That it does end in one, the library has proved. A root is known by its bytes; a
/// chain that leaves its root out names it as issuer.
fn trust(chain: &[Certificate], is_untrusted: bool, anchors: &Anchors) -> Trust {
    if is_untrusted {
        return Trust::Unrecognised;
    }
    let own = anchors.own.iter().map(|root| (root, Trust::Own));
    let others = anchors.trusted.iter().map(|root| (&root.certificate, Trust::Trusted { name: root.name.clone() }));
    let all: Vec<(&Certificate, Trust)> = own.chain(others).collect();
    let is_in_chain = |root: &Certificate| chain.contains(root);
    let is_named = |root: &Certificate| chain.last().is_some_and(|last| last.names_as_issuer(root));
    let found = all.iter().find(|(root, _)| is_in_chain(root)).or_else(|| all.iter().find(|(root, _)| is_named(root)));
    found.map_or(Trust::Unrecognised, |(_, trust)| trust.clone())
}

fn said(reader: &Reader, manifest: &Manifest) -> Said {
    let mut said = Said {
        title: manifest.title().map(String::from),
        program: manifest.claim_generator_info.as_ref().and_then(|all| all.first()).map(|info| match &info.version {
            Some(version) => format!("{} {version}", info.name),
            None => info.name.clone(),
        }),
        ..Said::default()
    };
    for assertion in manifest.assertions() {
        let Ok(value) = assertion.value() else { continue };
        let label = assertion.label();
        if label.starts_with("c2pa.actions") {
            actions(value, &mut said);
        } else if label == RECIPE_LABEL {
            recipe(value, &mut said);
        } else if label == TRAINING_LABEL || label == "c2pa.training-mining" {
            training(value, &mut said);
        } else if label.starts_with("c2pa.soft-binding") {
            said.soft_bindings.extend(soft_binding(value));
        } else if label == "cawg.metadata" {
            said.creator.extend(texts(&value["dc:creator"]));
            said.provider = said.provider.take().or_else(|| texts(&value["dc:publisher"]).into_iter().next());
            said.id = said.id.take().or_else(|| text(&value["dc:identifier"]));
        }
    }
    said.ingredients = manifest.ingredients().iter().map(|i| ingredient(reader, i)).collect();
    said.model = manifest.ingredients().iter().find(|i| is_model(i)).and_then(|i| i.title()).map(String::from);
    said.making = making(reader, manifest, 0);
    said
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(String::from)
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}

fn actions(value: &Value, said: &mut Said) {
    for action in value["actions"].as_array().into_iter().flatten() {
        said.when = said.when.take().or_else(|| text(&action["when"]));
        said.actions.push(ActionFact {
            action: text(&action["action"]).unwrap_or_default(),
            description: text(&action["description"]),
            source_type: text(&action["digitalSourceType"]),
        });
    }
}

fn recipe(value: &Value, said: &mut Said) {
    let field = |name: &str| Some(value[name].clone()).filter(|v| !v.is_null());
    said.recipe = field("recipe").map(|recipe| match recipe.as_str() {
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        None => recipe,
    });
    said.authorship = field("authorship");
    said.ledger = text(&value["ledger"]);
    said.model_hash = text(&value["model"]);
    said.dataset_manifest = text(&value["dataset_manifest"]);
}

fn training(value: &Value, said: &mut Said) {
    for (kind, entry) in value["entries"].as_object().into_iter().flatten() {
        let kind = kind.trim_start_matches("cawg.").trim_start_matches("c2pa.");
        said.training.insert(kind.to_string(), text(&entry["use"]).unwrap_or_default());
    }
}

fn soft_binding(value: &Value) -> Vec<SoftBinding> {
    let alg = text(&value["alg"]).unwrap_or_default();
    let blocks = value["blocks"].as_array().into_iter().flatten();
    blocks.filter_map(|block| Some(SoftBinding { alg: alg.clone(), value: text(&block["value"])? })).collect()
}

fn is_model(ingredient: &Ingredient) -> bool {
    let types = ingredient.data_types().unwrap_or_default();
    types.iter().any(|t| t.asset_type.starts_with("c2pa.types.model"))
}

fn ingredient(reader: &Reader, ingredient: &Ingredient) -> IngredientFact {
    let own = ingredient.active_manifest().and_then(|label| reader.get_manifest(label));
    let failures = ingredient.validation_results().and_then(|r| r.active_manifest()).map(|codes| codes.failure().as_slice());
    let codes = failures.unwrap_or_default().iter().map(|status| status.code().to_string());
    IngredientFact {
        title: ingredient.title().map(String::from),
        format: ingredient.format().map(String::from),
        relationship: serde_json::to_value(ingredient.relationship()).ok().as_ref().and_then(text).unwrap_or_default(),
        is_model: is_model(ingredient),
        signer: own.and_then(|m| m.signature_info()).and_then(|info| info.common_name.clone().or(info.issuer.clone())),
        problems: codes.filter(|code| code != UNTRUSTED).collect(),
    }
}

/// How deep parents of parents are looked at.
const DEEPEST: usize = 32;

/// By the digital source types of the picture and of the parents it is an edit of: a generated picture that somebody cropped is
/// still a generated one.
fn making(reader: &Reader, manifest: &Manifest, depth: usize) -> Option<Making> {
    let mut own = Said::default();
    for assertion in manifest.assertions().iter().filter(|a| a.label().starts_with("c2pa.actions")) {
        if let Ok(value) = assertion.value() {
            actions(value, &mut own);
        }
    }
    let types = own.actions.iter().filter_map(|action| action.source_type.as_deref());
    let stated = types.filter_map(kind).max_by_key(|making| rank(*making));
    let parent = manifest.parent().and_then(|parent| reader.get_manifest(parent.active_manifest()?));
    let inherited = parent.filter(|_| depth < DEEPEST).and_then(|parent| making(reader, parent, depth + 1));
    stated.into_iter().chain(inherited).max_by_key(|making| rank(*making))
}

/// More of a model outweighs less of it.
fn rank(making: Making) -> u8 {
    match making {
        Making::NotAiGenerated => 0,
        Making::PartlyAiGenerated => 1,
        Making::AiGenerated => 2,
    }
}

/// IPTC's terms; C2PA's own for the data a model gives out count as well.
fn kind(source_type: &str) -> Option<Making> {
    match source_type.rsplit('/').next()? {
        "trainedAlgorithmicMedia" | "trainedAlgorithmicData" => Some(Making::AiGenerated),
        "compositeWithTrainedAlgorithmicMedia" | "compositeSynthetic" => Some(Making::PartlyAiGenerated),
        "digitalCapture"
        | "computationalCapture"
        | "negativeFilm"
        | "positiveFilm"
        | "print"
        | "humanEdits"
        | "digitalCreation"
        | "digitalArt"
        | "dataDrivenMedia"
        | "algorithmicMedia"
        | "screenCapture"
        | "virtualRecording"
        | "composite"
        | "compositeCapture"
        | "algorithmicallyEnhanced"
        | "minorHumanEdits" => Some(Making::NotAiGenerated),
        _ => None,
    }
}
