//! Take-down: a work leaves every dataset, what learnt from it is blocked, it does not come back, and whoever asked gets a signed receipt.
//!
//! The order is that of what matters most. First the takedown is written into the home: from then on imports refuse the work, and models and runs
//! that learnt from it are refused everywhere. Then its pixels go, then the ledger is told, then the receipt is signed. A takedown that was
//! interrupted is finished by the next one, or by `pinxit takedown` alone.
mod find;
mod receipt;
mod register;
mod remove;

use std::path::PathBuf;

pub use pinxit_trust::verify::Trust;
use serde::Serialize;
use serde_json::json;

pub use self::receipt::{Checked, check};
pub use self::register::{Blocked, Takedown, TakenFrom, TakenWork, all};
pub(crate) use self::register::{check_dataset, check_model, check_run, for_import, of_model, of_run};
use crate::examine::Examination;
use crate::keys::Passphrase;
use crate::{Error, Result, Studio, keys, ledger, paths};

/// What to take down.
#[derive(Clone, Debug)]
pub struct TakedownRequest {
    /// Files, `DATASET:NAME`, SHA-256 or ISCC; none to finish what was begun.
    pub works: Vec<String>,
    /// Why.
    pub reason: String,
    /// What opens the key that signs the receipt.
    pub passphrase: Option<Passphrase>,
    /// Another place for the receipt, beside the one in the home.
    pub out: Option<PathBuf>,
    /// Replace another file there.
    pub overwrite: bool,
}

/// What was done, or would be.
#[derive(Clone, Debug, Serialize)]
pub struct Done {
    /// The takedowns: those finished that were begun before, then the one asked for.
    pub takedowns: Vec<Takedown>,
    /// Their receipts.
    pub receipts: Vec<PathBuf>,
    /// Whose name stands in the receipts; none before they are signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Whether that is a key that the studio made for itself, which names nobody.
    #[serde(skip)]
    pub is_nameless: bool,
    /// Datasets that cannot be read: whether they hold the work is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// What [`takedown`] would do.
pub fn plan(studio: &Studio, request: &TakedownRequest) -> Result<Done> {
    let examination = Examination { anchors: keys::anchors(studio)? };
    let (datasets, unreadable) = find::datasets(studio)?;
    let mut takedowns: Vec<Takedown> = all(studio)?.into_iter().filter(|takedown| !takedown.finished).collect();
    if !request.works.is_empty() {
        takedowns.push(asked_for(request, &datasets, &examination)?);
    }
    for takedown in &mut takedowns {
        find::complete(studio, takedown, &datasets, &examination)?;
    }
    Ok(Done { takedowns, receipts: Vec::new(), signed_by: None, is_nameless: false, unreadable })
}

/// Takes works down.
pub fn takedown(studio: &Studio, request: &TakedownRequest) -> Result<Done> {
    ledger::check_ready(studio)?;
    let mut planned = plan(studio, request)?;
    if planned.takedowns.is_empty() {
        return Err(Error::Setting {
            message: "no work is named, and no takedown was begun that could be finished".into(),
            hint: "name a file, DATASET:FILE, a SHA-256 or an ISCC".into(),
        });
    }
    check_free(request)?;
    for from in planned.takedowns.iter().flat_map(|takedown| &takedown.datasets) {
        crate::runs::check_idle(studio, &from.name, &from.before)?;
    }
    let (key, _) = keys::open_or_make(studio, request.passphrase.as_ref())?;
    let signer = &key.chain().signer;
    (planned.signed_by, planned.is_nameless) = (Some(signer.name.clone()), keys::is_nameless(signer));
    for takedown in &planned.takedowns {
        register::save(studio, takedown)?;
    }
    for takedown in &mut planned.takedowns {
        remove::everywhere(studio, takedown)?;
        planned.receipts.push(write_down(studio, takedown, &key)?);
    }
    if let (Some(out), Some(own)) = (&request.out, planned.receipts.last()) {
        paths::write_beside_others(out, &fs_err::read(own)?, request.overwrite)?;
        planned.receipts.push(out.clone());
    }
    Ok(planned)
}

/// The takedown that the person asks for, before it is known what holds the works.
fn asked_for(request: &TakedownRequest, datasets: &[find::Shelved], examination: &Examination) -> Result<Takedown> {
    let mut works: Vec<TakenWork> = Vec::new();
    for word in &request.works {
        for work in find::named(word, datasets, examination)? {
            if !works.iter().any(|known| known.identity.blake3 == work.identity.blake3) {
                works.push(work);
            }
        }
    }
    Ok(Takedown::new(&ledger::now(), &request.reason, works))
}

/// Refuses to begin where the receipt could not be written at the end.
fn check_free(request: &TakedownRequest) -> Result<()> {
    match &request.out {
        Some(out) if !request.overwrite && out.exists() => Err(Error::InTheWay { path: out.clone() }),
        _ => Ok(()),
    }
}

/// The entry in the ledger, then the receipt, then the word that it is finished.
fn write_down(studio: &Studio, takedown: &mut Takedown, key: &pinxit_trust::keys::ArtistKey) -> Result<PathBuf> {
    let is_told = ledger::show(studio, Some("takedown"), usize::MAX)?;
    if !is_told.iter().any(|entry| entry.subject.get("id") == Some(&json!(takedown.id))) {
        let mut subject = receipt::statement(takedown, None);
        if let Some(fields) = subject.as_object_mut() {
            // The entry itself says these.
            ["v", "kind", "at", "ledger", "software"].into_iter().for_each(|name| drop(fields.shift_remove(name)));
        }
        ledger::write(studio, &[ledger::entry(pinxit_trust::ledger::Kind::Takedown, subject)])?;
    }
    let head = ledger::of(studio).head()?;
    let name = receipt::name(takedown);
    let path = register::folder(studio).join(&name);
    pinxit_image::write_atomic(&path, &receipt::sealed(&receipt::statement(takedown, head.as_ref()), key)?)?;
    (takedown.receipt, takedown.finished) = (Some(name), true);
    register::save(studio, takedown)?;
    Ok(path)
}
