//! `pinxit keys`: the artist's key, and whom she trusts.
use std::path::{Path, PathBuf};

pub use pinxit_trust::keys::Passphrase;
use pinxit_trust::keys::{ArtistKey, Certificate, Holder, KeyError, TrustedRoot, Validity};
use pinxit_trust::verify::Anchors;
use serde::Serialize;

use crate::home::check_name;
use crate::{Error, Result, Studio};

/// Whose key a studio makes for itself before the artist has said her name. It names nobody, so that it claims nothing.
pub(crate) const STUDIO: &str = "pinxit studio";
/// Its organisation.
const STUDIO_ORGANISATION: &str = "self-issued";
/// What the common name of every root of ours begins with.
const ROOT_OF: &str = "root of ";

/// A key to make.
#[derive(Clone, Debug)]
pub struct InitRequest {
    /// The artist's name, as everybody who verifies will read it.
    pub name: String,
    /// Her organisation; without one she is her own.
    pub organisation: Option<String>,
    /// What locks the private key.
    pub passphrase: Option<Passphrase>,
    /// Move a key that is there into `bin/`.
    pub replace: bool,
}

/// What there is to know about the own key.
#[derive(Clone, Debug, Serialize)]
pub struct KeyCard {
    /// Whose.
    pub name: String,
    /// Her organisation.
    pub organisation: Option<String>,
    /// Whether the studio made it for itself, so that it names nobody.
    pub is_nameless: bool,
    /// What it signs with.
    pub algorithm: &'static str,
    /// SHA-256 of the root's certificate, for comparing by voice.
    pub root_fingerprint: String,
    /// First day, UTC.
    pub valid_from: String,
    /// Last day, UTC.
    pub valid_until: String,
    /// Whether a passphrase locks it.
    pub locked: bool,
    /// Why it cannot sign, if so.
    pub problem: Option<String>,
    /// Where it lies.
    pub folder: PathBuf,
    /// The secret of watermarks; none before the first picture that is marked.
    pub watermark: Option<PathBuf>,
    /// The roots of others that the person trusts.
    pub trusted: Vec<TrustedCard>,
}

/// A root the person trusts.
#[derive(Clone, Debug, Serialize)]
pub struct TrustedCard {
    /// What she calls it.
    pub name: String,
    /// Whose it says it is.
    pub holder: String,
    /// SHA-256 of its certificate.
    pub fingerprint: String,
    /// Last day, UTC.
    pub valid_until: String,
}

/// Makes the artist's key. One that names nobody gives way; any other only with `replace`. Pictures signed before stay trusted.
pub fn init(studio: &Studio, request: &InitRequest) -> Result<KeyCard> {
    let folder = studio.keys();
    let organisation = request.organisation.clone().unwrap_or_else(|| request.name.clone());
    let holder = Holder { name: request.name.clone(), organisation };
    let key = ArtistKey::issue(&holder, Validity::from_now())?;
    if folder.has_key() {
        if !request.replace && !folder.chain().is_ok_and(|chain| is_nameless(&chain.signer)) {
            return Err(KeyError::Taken { folder: folder.own() }.into());
        }
        retire(studio)?;
    }
    folder.create(&key, request.passphrase.as_ref())?;
    show(studio)
}

/// Moves the own key into `bin/keys/` and goes on trusting its root: what it signed is still the person's.
fn retire(studio: &Studio) -> Result<()> {
    let folder = studio.keys();
    if let Ok(chain) = folder.chain() {
        let until = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
        folder.trust(&TrustedRoot { name: format!("own-until-{until}"), certificate: chain.root })?;
    }
    studio.move_to_bin(&folder.own(), "keys", "artist", "")?;
    Ok(())
}

/// The own key, and whom the person trusts.
pub fn show(studio: &Studio) -> Result<KeyCard> {
    let folder = studio.keys();
    let chain = folder.chain()?;
    let locked = folder.is_locked()?;
    // A locked key is looked at as far as it goes without its passphrase.
    let problem = match folder.open(None) {
        Ok(_) | Err(KeyError::Locked) => None,
        Err(e) => Some(e.to_string()),
    };
    Ok(KeyCard {
        is_nameless: is_nameless(&chain.signer),
        name: chain.signer.name,
        organisation: chain.signer.organisation,
        algorithm: "Ed25519",
        root_fingerprint: chain.root.fingerprint(),
        valid_from: chain.signer.from.date().to_string(),
        valid_until: chain.signer.until.date().to_string(),
        locked,
        problem,
        folder: folder.own(),
        watermark: folder.watermark()?.map(|_| folder.watermark_file()),
        trusted: folder.trusted()?.iter().map(trusted_card).collect(),
    })
}

/// The root's certificate, PEM: what others are given, so that they can trust the artist's pictures. Holds no secret.
pub fn export(studio: &Studio) -> Result<String> {
    Ok(studio.keys().chain()?.root.to_pem())
}

/// Trusts the root in a file that somebody's `pinxit keys export` wrote, under `name` or one that follows from its holder's.
pub fn trust(studio: &Studio, file: &Path, name: Option<&str>) -> Result<TrustedCard> {
    let bytes = fs_err::read(file)?;
    let all = Certificate::all_from_pem(&bytes).or_else(|e| Certificate::from_der(&bytes).map(|one| vec![one]).map_err(|_| e));
    let all = all.map_err(|e| Error::from(e).in_file(file))?;
    // A chain holds its root last.
    let certificate = all.iter().find(|c| c.is_root).or(all.last()).cloned();
    let certificate = certificate.ok_or_else(|| Error::NotKnown { path: file.into() })?;
    let name = name.map_or_else(|| plain_name(&certificate), String::from);
    check_name(&name)?;
    let root = TrustedRoot { name, certificate };
    studio.keys().trust(&root).map_err(|e| match e {
        KeyError::Taken { .. } => Error::Setting {
            message: format!("another root is trusted as \"{}\" already", root.name),
            hint: "choose another name with --as".into(),
        },
        other => Error::from(other).in_file(file),
    })?;
    Ok(trusted_card(&root))
}

/// Every root that the person trusts, her own first.
pub fn anchors(studio: &Studio) -> Result<Anchors> {
    let folder = studio.keys();
    let own = if folder.has_key() { vec![folder.chain()?.root] } else { Vec::new() };
    Ok(Anchors { own, trusted: folder.trusted()? })
}

/// The first line of a file, as a passphrase.
pub fn passphrase_in(file: &Path) -> Result<Passphrase> {
    let text = fs_err::read_to_string(file)?;
    Passphrase::new(text.lines().next().unwrap_or_default()).ok_or_else(|| Error::Setting {
        message: format!("the first line of {} is empty", file.display()),
        hint: "write the passphrase into it, in its first line".into(),
    })
}

/// Whether there is an own key, and a passphrase locks it.
pub fn is_locked(studio: &Studio) -> Result<bool> {
    let folder = studio.keys();
    Ok(folder.has_key() && folder.is_locked()?)
}

/// Opens the own key; makes one that names nobody where there is none, and says so with `true`.
pub(crate) fn open_or_make(studio: &Studio, passphrase: Option<&Passphrase>) -> Result<(ArtistKey, bool)> {
    let folder = studio.keys();
    let is_new = !folder.has_key();
    if is_new {
        let holder = Holder { name: STUDIO.into(), organisation: STUDIO_ORGANISATION.into() };
        match folder.create(&ArtistKey::issue(&holder, Validity::from_now())?, None) {
            // Another program made one in this very moment: that one signs.
            Ok(()) | Err(KeyError::Taken { .. }) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok((folder.open(passphrase)?, is_new))
}

/// Whether a certificate is of a key that the studio made for itself.
pub(crate) fn is_nameless(certificate: &Certificate) -> bool {
    certificate.name == STUDIO && certificate.organisation.as_deref() == Some(STUDIO_ORGANISATION)
}

fn trusted_card(root: &TrustedRoot) -> TrustedCard {
    TrustedCard {
        name: root.name.clone(),
        holder: root.certificate.name.clone(),
        fingerprint: root.certificate.fingerprint(),
        valid_until: root.certificate.until.date().to_string(),
    }
}

/// `root of Jane Artist` is trusted as `jane-artist`.
fn plain_name(certificate: &Certificate) -> String {
    let holder = certificate.name.strip_prefix(ROOT_OF).unwrap_or(&certificate.name).to_lowercase();
    let plain: String = holder.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    // A name is a file name, of at most 100 bytes.
    while name.len() > 90 {
        name.pop();
    }
    if name.is_empty() { certificate.fingerprint()[..12].into() } else { name }
}
