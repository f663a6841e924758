//! A statement signed by the studio's key, for people and programs that know nothing of pinxit: a JSON Web Signature (RFC 7515) in its flattened
//! JSON form, EdDSA (RFC 8037), with the certificates inside.
//!
//! ```text
//! {
//!   "statement": {…}        what is said, to be read by people; a copy of the payload, and refused where it differs
//!   "payload":   "…"        base64url of the bytes that are signed: the statement
//!   "protected": "…"        base64url of {"alg":"EdDSA","typ":"…","x5c":[signer, root]}, certificates as base 64 of their DER
//!   "signature": "…"        base64url of the Ed25519 signature over  protected "." payload
//! }
//! ```
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::keys::{ArtistKey, Certificate, Chain, KeyError};

/// Most bytes of a sealed statement that are read.
pub const MOST_BYTES: u64 = 16 << 20;

/// Why a sealed statement does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// It cannot be read at all.
    #[error("it is no signed statement: {0}")]
    Form(String),
    /// It is a signed statement of another kind.
    #[error("it is a signed statement of another kind: \"{found}\", not \"{wanted}\"")]
    Kind {
        /// What it says it is.
        found: String,
        /// What was looked for.
        wanted: &'static str,
    },
    /// The signature is not of this statement.
    #[error("the signature does not hold: the statement or the signature was changed")]
    Signature,
    /// The readable copy says something else than what was signed.
    #[error("what is to be read in it is not what was signed")]
    Copy,
    /// The certificates do not hold.
    #[error(transparent)]
    Chain(#[from] KeyError),
}

/// A statement whose signature holds.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What is said.
    pub statement: Value,
    /// Whose signature it is, and the root that stands behind it.
    pub chain: Chain,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    statement: Value,
    payload: String,
    protected: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
    x5c: Vec<String>,
}

const ALGORITHM: &str = "EdDSA";

/// Signs a statement of the kind `typ`; the file, with a line end.
///
/// # Errors
/// None in practice: a JSON value can be written.
pub fn seal(statement: &Value, typ: &str, key: &ArtistKey) -> Result<Vec<u8>, SealError> {
    let form = |e: serde_json::Error| SealError::Form(e.to_string());
    let chain = key.chain();
    let x5c = [&chain.signer, &chain.root].map(|c| Base64::encode_string(c.der())).to_vec();
    let header = Header { alg: ALGORITHM.into(), typ: typ.into(), x5c };
    let url = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let payload = url(&serde_json::to_vec(statement).map_err(form)?);
    let protected = url(&serde_json::to_vec(&header).map_err(form)?);
    let signature = url(&key.sign(format!("{protected}.{payload}").as_bytes()));
    let envelope = Envelope { statement: statement.clone(), payload, protected, signature };
    let mut bytes = serde_json::to_vec_pretty(&envelope).map_err(form)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a statement of the kind `typ` and checks everything about it: the signature, the readable copy, the certificates and their time. Whether
/// that signer is to be trusted is another question.
///
/// # Errors
/// Every [`SealError`].
pub fn open(bytes: &[u8], typ: &'static str) -> Result<Opened, SealError> {
    let form = |e: serde_json::Error| SealError::Form(e.to_string());
    let url = |text: &str| Base64UrlUnpadded::decode_vec(text).map_err(|e| SealError::Form(e.to_string()));
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(form)?;
    let header: Header = serde_json::from_slice(&url(&envelope.protected)?).map_err(form)?;
    if header.alg != ALGORITHM {
        return Err(SealError::Form(format!("its algorithm is {}, not {ALGORITHM}", header.alg)));
    }
    if header.typ != typ {
        return Err(SealError::Kind { found: header.typ, wanted: typ });
    }
    let certificate = |text: &String| -> Result<Certificate, SealError> {
        let der = Base64::decode_vec(text).map_err(|e| SealError::Form(e.to_string()))?;
        Ok(Certificate::from_der(&der)?)
    };
    let [signer, root] = header.x5c.as_slice() else {
        return Err(SealError::Form(format!("two certificates are needed, and there are {}", header.x5c.len())));
    };
    let chain = Chain { signer: certificate(signer)?, root: certificate(root)? };
    let signed = format!("{}.{}", envelope.protected, envelope.payload);
    if !chain.signer.has_signed_message(signed.as_bytes(), &url(&envelope.signature)?) {
        return Err(SealError::Signature);
    }
    let statement: Value = serde_json::from_slice(&url(&envelope.payload)?).map_err(form)?;
    if statement != envelope.statement {
        return Err(SealError::Copy);
    }
    chain.check()?;
    Ok(Opened { statement, chain })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Holder, Validity};
    use serde_json::json;

    const TYP: &str = "test+json";

    fn sealed(name: &str) -> Vec<u8> {
        let key = ArtistKey::issue(&Holder::artist(name), Validity::from_now()).unwrap();
        seal(&json!({ "v": 1, "said": "été", "count": 18_446_744_073_709_551_615u64 }), TYP, &key).unwrap()
    }

    fn changed(bytes: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
        let mut value: Value = serde_json::from_slice(bytes).unwrap();
        change(&mut value);
        serde_json::to_vec(&value).unwrap()
    }

    #[test]
    fn what_was_signed_is_read_back_with_its_signer() {
        let opened = open(&sealed("Jane Artist"), TYP).unwrap();
        assert_eq!((opened.statement["said"].as_str(), opened.chain.signer.name.as_str()), (Some("été"), "Jane Artist"));
        assert_eq!(opened.statement["count"], 18_446_744_073_709_551_615u64);
    }

    #[test]
    fn every_change_is_noticed() {
        let whole = sealed("Jane Artist");
        let joe = ArtistKey::issue(&Holder::artist("Joe"), Validity::from_now()).unwrap();
        let other: Value = serde_json::from_slice(&seal(&json!({ "v": 1, "said": "other" }), TYP, &joe).unwrap()).unwrap();
        assert!(matches!(open(&changed(&whole, |v| v["statement"]["said"] = "no".into()), TYP), Err(SealError::Copy)));
        for part in ["payload", "protected", "signature"] {
            let swapped = changed(&whole, |v| v[part] = other[part].clone());
            assert!(matches!(open(&swapped, TYP), Err(SealError::Signature)), "{part} of another");
            let text = |v: &Value| v[part].as_str().unwrap().to_owned();
            let flipped = changed(&whole, |v| v[part] = text(v).replacen('A', "B", 1).into());
            assert!(flipped == changed(&whole, |_| ()) || open(&flipped, TYP).is_err(), "{part}");
        }
        assert!(matches!(open(&whole, "other+json"), Err(SealError::Kind { .. })));
        for bad in [&b""[..], b"{}", b"[]", b"\xff", &whole[..whole.len() / 2]] {
            assert!(matches!(open(bad, TYP), Err(SealError::Form(_))));
        }
    }

    /// A root of one and a signer of another belong to nobody.
    #[test]
    fn certificates_must_belong_together() {
        let [jane, joe] = ["Jane", "Joe"].map(|n| ArtistKey::issue(&Holder::artist(n), Validity::from_now()).unwrap());
        let x5c = [&jane.chain().signer, &joe.chain().root].map(|c| Base64::encode_string(c.der()));
        let protected =
            Base64UrlUnpadded::encode_string(json!({ "alg": "EdDSA", "typ": TYP, "x5c": x5c }).to_string().as_bytes());
        let payload = Base64UrlUnpadded::encode_string(b"{}");
        let signature = Base64UrlUnpadded::encode_string(&jane.sign(format!("{protected}.{payload}").as_bytes()));
        let file = json!({ "statement": {}, "payload": payload, "protected": protected, "signature": signature });
        assert!(matches!(open(file.to_string().as_bytes(), TYP), Err(SealError::Chain(KeyError::ForeignChain { .. }))));
    }
}
