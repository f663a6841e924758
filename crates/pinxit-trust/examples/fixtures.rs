//! Signed pictures for other people's verifiers: `fixtures FOLDER` (see `benches/peers/trust`).
//!
//! `generated.EXT`, `edited.EXT` and `bred.EXT` (of the former two, and of a file without a credential) in five formats, `jane.pem` and `joe.pem` (the roots that signed them), and `ours.json`: what
//! pinxit itself says of each file, with its roots trusted and not, and of each with one byte changed.
#[path = "../tests/common/mod.rs"]
mod common;

use std::path::PathBuf;

use common::flips::flips;
use common::{FORMATS, edited, generated, key, picture};
use pinxit_trust::credential::{Ingredient, SoftBinding, Statement, sign};
use pinxit_trust::keys::{Certificate, TrustedRoot};
use pinxit_trust::verify::{Anchors, State, Trust, verify_bytes};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: fixtures FOLDER")?);
    std::fs::create_dir_all(&folder)?;
    let (jane, joe) = (key("Jane Artist"), key("Joe Editor"));
    std::fs::write(folder.join("jane.pem"), jane.chain().root.to_pem())?;
    std::fs::write(folder.join("joe.pem"), joe.chain().root.to_pem())?;
    let mut all = serde_json::Map::new();
    for (ending, format) in FORMATS {
        let mut statement = generated();
        statement.watermark = Some(SoftBinding { alg: "org.pinxit.watermark.v1".into(), value: "0123456789abcdef".into() });
        statement.fingerprint = Some(SoftBinding { alg: "io.iscc.v0".into(), value: "ISCC:KEDOFIPYXPMJOQG4".into() });
        let first = sign(&picture(format), &statement, &jane)?;
        let second = sign(&first, &edited(&first), &joe)?;
        let given = [("first", first.as_slice()), ("second", &second), ("third", b"a file of another kind")];
        let inputs = given.map(|(title, bytes)| Ingredient { bytes, title: title.into() }).to_vec();
        let bred = sign(&picture(format), &Statement { inputs, ..generated() }, &jane)?;
        for (name, bytes) in [("generated", first), ("edited", second), ("bred", bred)] {
            std::fs::write(folder.join(format!("{name}.{ending}")), &bytes)?;
            all.insert(format!("{name}.{ending}"), verdicts(&bytes, &[&jane.chain().root, &joe.chain().root])?);
        }
    }
    std::fs::write(folder.join("ours.json"), Value::Object(all).to_string())?;
    Ok(())
}

/// What pinxit says of a file when nobody is trusted, when its roots are, and when one byte is another.
fn verdicts(file: &[u8], roots: &[&Certificate]) -> Result<Value, Box<dyn std::error::Error>> {
    let trusted = roots.iter().map(|root| TrustedRoot { name: root.name.clone(), certificate: (*root).clone() }).collect();
    let trusting = Anchors { own: Vec::new(), trusted };
    let said = |anchors: &Anchors| -> Result<Value, Box<dyn std::error::Error>> {
        let report = verify_bytes(file, anchors)?;
        let is_trusted = matches!(report.trust, Trust::Trusted { .. });
        Ok(json!({ "holds": report.state == State::Valid, "intact": report.intact, "trusted": is_trusted }))
    };
    let changed = flips(file).into_iter().map(|(offset, mask)| {
        let mut changed = file.to_vec();
        changed[offset] ^= mask;
        let state = verify_bytes(&changed, &trusting).map_or(json!("unreadable"), |report| json!(report.state));
        json!({ "offset": offset, "mask": mask, "state": state })
    });
    Ok(json!({ "untrusted": said(&Anchors::default())?, "trusted": said(&trusting)?, "flips": changed.collect::<Vec<_>>() }))
}
