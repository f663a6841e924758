//! A statement as the manifest definition of the C2PA library.
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Edit, Ingredient, Making, ModelStatement, SoftBinding, Statement, TrainingUse};

/// Our own assertion: the recipe, the model, the dataset, the person's part, and where the ledger ended.
pub(crate) const RECIPE_LABEL: &str = "org.pinxit.recipe";
/// CAWG's assertion about training.
pub(crate) const TRAINING_LABEL: &str = "cawg.training-mining";
/// The entry of it that is about models like ours.
const GENERATIVE_TRAINING: &str = "cawg.ai_generative_training";

/// How actions name the ingredients there can be.
const MODEL: &str = "model";
const PARENT: &str = "parent";
const INPUT: &str = "input";

/// The definition of a credential for a file of that media type.
pub(super) fn of(statement: &Statement<'_>, media_type: &str) -> String {
    let mut assertions = vec![attributed("c2pa.actions.v2", json!({ "actions": actions(statement) }))];
    assertions.extend([&statement.watermark, &statement.fingerprint].into_iter().flatten().map(soft_binding));
    assertions.push(attributed(TRAINING_LABEL, json!({ "entries": training(statement.training) })));
    assertions.push(metadata(statement));
    assertions.extend(recipe(statement));
    let definition = json!({
        "title": statement.title,
        "format": media_type,
        "claim_generator_info": [agent(statement)],
        "assertions": assertions,
        "ingredients": statement.model.iter().map(model).collect::<Vec<_>>(),
    });
    definition.to_string()
}

/// The pictures that had a part in it, each with what is said of it beside what the library reads in its file.
///
/// C2PA 2.2, ingredient relationships: a picture that this one is a changed state of is its `parentOf`, of which there is one at most, opened (c2pa.opened) and
/// edited. One that was handed to a model is `inputTo`. `componentOf` would say that its pixels lie in this one.
pub(super) fn ingredients<'a>(statement: &'a Statement<'_>) -> Vec<(&'a Ingredient<'a>, Value)> {
    let about = |ingredient: &Ingredient<'_>, relationship: &str, label: String| json!({ "title": ingredient.title, "relationship": relationship, "label": label });
    let parent = statement.making.parent().map(|parent| (parent, about(parent, "parentOf", PARENT.into())));
    let inputs = statement.inputs.iter().enumerate().map(|(i, input)| (input, about(input, "inputTo", input_label(i))));
    parent.into_iter().chain(inputs).collect()
}

/// What is said besides of a picture whose file tells the library nothing.
pub(super) fn name_by_hash(about: &mut Value, ingredient: &Ingredient<'_>) {
    let hash: String = Sha256::digest(ingredient.bytes).iter().map(|b| format!("{b:02x}")).collect();
    about["format"] = "application/octet-stream".into();
    about["instance_id"] = format!("urn:pinxit:file:{hash}").into();
    about["description"] = format!("file with SHA-256 {hash}").into();
}

fn input_label(i: usize) -> String {
    format!("{INPUT}-{}", i + 1)
}

/// The model and what it was given, as an action names them.
fn used(statement: &Statement<'_>) -> Vec<String> {
    let model = statement.model.iter().map(|_| MODEL.to_string());
    model.chain((0..statement.inputs.len()).map(input_label)).collect()
}

/// An assertion that the signer makes himself, as against one that he passes on.
fn attributed(label: &str, data: Value) -> Value {
    json!({ "label": label, "data": data, "created": true })
}

fn actions(statement: &Statement<'_>) -> Vec<Value> {
    let mut all = match &statement.making {
        Making::Created(source) => {
            let mut created = action("c2pa.created", statement);
            created["digitalSourceType"] = source.uri().into();
            if let Some(model) = &statement.model {
                created["description"] = format!("painted by the model {} ({})", model.name, model.hash).into();
            }
            if !used(statement).is_empty() {
                created["parameters"] = json!({ "ingredientIds": used(statement) });
            }
            vec![created]
        }
        Making::Edited { edits, .. } => {
            let mut opened = action("c2pa.opened", statement);
            opened["parameters"] = json!({ "ingredientIds": [PARENT] });
            std::iter::once(opened).chain(edits.iter().map(|e| edit(e, statement))).collect()
        }
    };
    if statement.watermark.is_some() {
        all.push(action("c2pa.watermarked.bound", statement));
    }
    all
}

/// Program, version and UTC time in every action: what California SB 942 (22757.3) and GB 45438 ask a provider to state.
fn action(name: &str, statement: &Statement<'_>) -> Value {
    json!({ "action": name, "when": statement.disclosure.when, "softwareAgent": agent(statement) })
}

fn agent(statement: &Statement<'_>) -> Value {
    json!({ "name": statement.disclosure.system, "version": statement.disclosure.version })
}

fn edit(edit: &Edit, statement: &Statement<'_>) -> Value {
    let mut value = action(&edit.action, statement);
    value["description"] = edit.description.as_str().into();
    if let Some(source) = edit.source {
        value["digitalSourceType"] = source.uri().into();
    }
    if !used(statement).is_empty() {
        value["parameters"] = json!({ "ingredientIds": used(statement) });
    }
    value
}

fn soft_binding(binding: &SoftBinding) -> Value {
    attributed("c2pa.soft-binding", json!({ "alg": binding.alg, "blocks": [{ "scope": {}, "value": binding.value }] }))
}

fn training(training: TrainingUse) -> Value {
    let kinds = ["cawg.ai_inference", GENERATIVE_TRAINING, "cawg.ai_training", "cawg.data_mining"];
    Value::Object(kinds.into_iter().map(|kind| (kind.to_string(), json!({ "use": training.word() }))).collect())
}

/// IPTC terms as JSON-LD (CAWG metadata 1.1); as CBOR, the library's default, other verifiers refuse it.
fn metadata(statement: &Statement<'_>) -> Value {
    let mut data = Map::new();
    data.insert(
        "@context".into(),
        json!({
            "dc": "http://purl.org/dc/elements/1.1/",
            "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
            "xmp": "http://ns.adobe.com/xap/1.0/",
        }),
    );
    if let Some(creator) = &statement.creator {
        data.insert("dc:creator".into(), json!([creator]));
    }
    data.insert("dc:title".into(), json!(statement.title));
    let said = &statement.disclosure;
    data.insert("dc:publisher".into(), json!([said.provider]));
    data.insert("dc:identifier".into(), json!(said.id));
    data.insert("xmp:CreateDate".into(), json!(said.when));
    let source = match &statement.making {
        Making::Created(source) => Some(*source),
        Making::Edited { edits, .. } => edits.iter().rev().find_map(|e| e.source),
    };
    if let Some(source) = source {
        data.insert("Iptc4xmpExt:DigitalSourceType".into(), json!(source.uri()));
    }
    if statement.model.is_some() {
        data.insert("Iptc4xmpExt:AISystemUsed".into(), json!(said.system));
        data.insert("Iptc4xmpExt:AISystemVersionUsed".into(), json!(said.version));
    }
    json!({ "label": "cawg.metadata", "kind": "Json", "data": data })
}

fn recipe(statement: &Statement<'_>) -> Option<Value> {
    let model = statement.model.as_ref();
    let data = json!({
        "v": 1,
        "recipe": statement.recipe,
        "model": model.map(|m| &m.hash),
        "dataset_manifest": model.and_then(|m| m.dataset_manifest.as_ref()),
        "authorship": statement.authorship,
        "ledger": statement.ledger,
    });
    let said: Map<String, Value> = match data {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    };
    // Nothing but the version of the assertion would be said.
    if said.len() < 2 {
        return None;
    }
    // The recipe is text within: verifiers in JavaScript read and write JSON before they hash it, and a seed above 2^53 would change.
    Some(json!({ "label": RECIPE_LABEL, "kind": "Json", "created": true, "data": said }))
}

fn model(model: &ModelStatement) -> Value {
    let learnt = model.dataset_manifest.as_ref().map(|hash| format!("; learnt from the dataset with manifest {hash}"));
    json!({
        "title": model.name,
        "format": "application/octet-stream",
        "relationship": "inputTo",
        "label": MODEL,
        "instance_id": format!("urn:pinxit:model:{}", model.hash),
        "description": format!("model {}{}", model.hash, learnt.unwrap_or_default()),
        "data_types": [{ "type": "c2pa.types.model" }],
    })
}
