//! Content Credentials (C2PA 2.x, CAWG): what a picture says of its making, signed, inside its file.
//!
//! [`sign`] takes the bytes of a finished file and a [`Statement`], and gives the bytes of the same file with a credential in
//! it. Pixels and all other metadata stay as they are. No socket is opened: there is no timestamp authority, no certificate
//! status is asked for, and no remote manifest is written or read.
mod definition;
mod engine;
mod error;
mod statement;

pub use error::CredentialError;
pub use statement::{Edit, Ingredient, Making, ModelStatement, SoftBinding, SourceType, Statement, TrainingUse};

pub(crate) use definition::{RECIPE_LABEL, TRAINING_LABEL};
pub(crate) use engine::{media_type, shared_context};

use std::io::Cursor;

use c2pa::Builder;

use crate::keys::ArtistKey;
use engine::EngineSigner;

/// The formats that can carry a credential.
pub const FORMATS: [pinxit_image::Format; 5] = [
    pinxit_image::Format::Png,
    pinxit_image::Format::Jpeg,
    pinxit_image::Format::WebP,
    pinxit_image::Format::Tiff,
    pinxit_image::Format::Gif,
];

/// The most of another picture's credential that a painted one keeps, bytes; beyond it, that picture is named by its hash alone, for what a model
/// painted says so itself. A picture that was changed forty times has half a megabyte, and the library refuses two hundred in a row.
const MOST_KEPT: usize = 1 << 20;

/// How many the credential in a file takes, those within it included.
fn credential_bytes(media_type: &str, bytes: &[u8]) -> usize {
    c2pa::jumbf_io::load_jumbf_from_memory(media_type, bytes).map_or(0, |credential| credential.len())
}

/// The bytes of a file with a credential in it that says `statement`, signed by `key`.
///
/// The signature is verified before the bytes are given back. A credential that the file had is replaced; the one of an edit's
/// parent, and those of pictures it was made from, are kept inside the new one. A picture that can carry none is named by its hash.
///
/// # Errors
/// [`CredentialError::Format`] when the file is none of [`FORMATS`]; [`CredentialError::Engine`] when the file cannot be parsed, or what
/// was signed does not verify.
pub fn sign(bytes: &[u8], statement: &Statement<'_>, key: &ArtistKey) -> Result<Vec<u8>, CredentialError> {
    let media_type = media_type(bytes)?;
    let context = shared_context(&[key.chain().root.clone()])?;
    let mut builder = Builder::from_shared_context(&context).with_definition(definition::of(statement, media_type))?;
    for (ingredient, mut about) in definition::ingredients(statement) {
        let is_kept = |kind| statement.model.is_none() || credential_bytes(kind, ingredient.bytes) <= MOST_KEPT;
        let kind = engine::media_type(ingredient.bytes).ok().filter(|kind| is_kept(kind));
        let read = kind.is_some_and(|kind| {
            builder.add_ingredient_from_stream(about.to_string(), kind, &mut Cursor::new(ingredient.bytes)).is_ok()
        });
        if !read {
            definition::name_by_hash(&mut about, ingredient);
            builder.add_ingredient(c2pa::Ingredient::from_json(&about.to_string())?);
        }
    }
    let mut signed = Cursor::new(Vec::with_capacity(bytes.len() + (32 << 10)));
    builder.sign(&EngineSigner::new(key), media_type, &mut Cursor::new(bytes), &mut signed)?;
    Ok(signed.into_inner())
}
