//! Signed pictures for other people's verifiers: `fixtures FOLDER` (see `benches/peers/trust`).
//!
//! `generated.EXT` and `edited.EXT` in five formats, `jane.pem` and `joe.pem` (the roots that signed them), and `flips.json`:
//! single bytes to change in each, which every verifier must notice.
#[path = "../tests/common/mod.rs"]
mod common;

use std::path::PathBuf;

use common::flips::flips;
use common::{FORMATS, edited, generated, key, picture};
use pinxit_trust::credential::{SoftBinding, sign};

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
        for (name, bytes) in [("generated", first), ("edited", second)] {
            std::fs::write(folder.join(format!("{name}.{ending}")), &bytes)?;
            all.insert(format!("{name}.{ending}"), serde_json::json!(flips(&bytes)));
        }
    }
    std::fs::write(folder.join("flips.json"), serde_json::Value::Object(all).to_string())?;
    Ok(())
}
