//! A file that is there already, with labels in it.
use crate::decode::decode;
use crate::disclosure::{LatentLabel, Stated, packet, visible_description};
use crate::encode::{Encoding, write};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::label::draw_label;
use crate::limits::Limits;
use crate::metadata::{read_recipe, read_xmp};

/// What a description is put before in a packet.
const END: &str = "</rdf:RDF>";

/// The same picture in a new file of its format, with a visible label (`text`) and a label in its metadata, as far as asked for.
///
/// The picture is written anew: upright, in sRGB, a JPEG in `quality`. Its XMP and its recipe stay, other metadata does not, nor does
/// a credential. A label of a law that its XMP has already is not written twice.
///
/// # Errors
/// [`Error::Encode`] where files of that format are not written here (TIFF, GIF and others); those of [`draw_label`] and [`decode`].
pub fn relabel(bytes: &[u8], text: Option<&str>, label: Option<&LatentLabel>, quality: u8) -> Result<Vec<u8>> {
    let decoded = decode(bytes, &Limits::default())?;
    let (format, mut picture) = (decoded.format, decoded.picture);
    let encoding = match format {
        Format::Png => Encoding::Png,
        Format::Jpeg => Encoding::Jpeg { quality },
        Format::WebP => Encoding::WebP,
        _ => return Err(Error::Encode { format, what: "labels go into PNG, JPEG and WebP".into() }),
    };
    if let Some(text) = text {
        draw_label(&mut picture, text)?;
    }
    let xmp = with_labels(read_xmp(bytes, format), text, label);
    write(&picture, encoding, read_recipe(bytes)?.as_deref(), xmp)
}

/// A packet with what it lacks of the labels.
fn with_labels(xmp: Option<String>, text: Option<&str>, label: Option<&LatentLabel>) -> Option<String> {
    let there = xmp.as_deref().map(Stated::of).unwrap_or_default().laws();
    let lacking = label.map(|label| LatentLabel {
        disclosure: label.disclosure.clone(),
        laws: label.laws.iter().copied().filter(|law| !there.contains(law)).collect(),
    });
    let visible = text.map(visible_description).unwrap_or_default();
    let descriptions = visible + &lacking.map(|label| label.xmp()).unwrap_or_default();
    if descriptions.is_empty() {
        return xmp;
    }
    match xmp.as_deref().and_then(|xmp| xmp.rsplit_once(END)) {
        Some((before, after)) => Some(format!("{before}{descriptions}{END}{after}")),
        None => Some(packet(&descriptions)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;
    use crate::{Disclosure, LabelLaw, Metadata, Picture, encode, info};

    fn label(laws: &[LabelLaw]) -> LatentLabel {
        let [provider, system, version, when, id] =
            ["Jane", "pinxit", "0.1.0", "2026-11-26T02:10:00Z", "urn:uuid:1"].map(String::from);
        LatentLabel { disclosure: Disclosure { provider, system, version, when, id }, laws: laws.to_vec() }
    }

    #[test]
    fn recipe_and_xmp_stay_and_the_label_is_there_once() {
        let about = Metadata { recipe: Some("{\"v\":1}".into()), title: Some("Oak".into()), ..Metadata::default() };
        for encoding in [Encoding::Png, Encoding::Jpeg { quality: 95 }, Encoding::WebP] {
            let plain = encode(&Picture::filled(200, 100, [40, 90, 160]), encoding, &about).unwrap();
            let once = relabel(&plain, Some("AI"), Some(&label(&[LabelLaw::China])), 95).unwrap();
            let twice = relabel(&once, None, Some(&label(&[LabelLaw::China, LabelLaw::California])), 95).unwrap();
            assert_eq!(info(&once).unwrap().stated.laws(), [LabelLaw::China], "{encoding:?}");
            let told = info(&twice).unwrap();
            assert_eq!(told.stated.laws(), [LabelLaw::China, LabelLaw::California], "{encoding:?}");
            assert_eq!(read_recipe(&twice).unwrap().as_deref(), Some("{\"v\":1}"), "{encoding:?}");
            let xmp = read_xmp(&twice, told.format).unwrap();
            assert_eq!((xmp.matches("<TC260:AIGC>").count(), xmp.contains("Oak")), (1, true), "{encoding:?}");
            let corner = decode(&once, &Limits::default()).unwrap().picture.get(199, 99).unwrap();
            assert!(corner.iter().all(|v| *v < 80), "{encoding:?}: the plate is there, {corner:?}");
        }
    }

    #[test]
    fn a_file_without_xmp_gets_a_packet_only_where_there_is_something_to_say() {
        let plain = write(&Picture::filled(90, 90, [200; 3]), Encoding::Png, None, None).unwrap();
        assert_eq!(read_xmp(&relabel(&plain, None, None, 90).unwrap(), Format::Png), None);
        let drawn = info(&relabel(&plain, Some("AI & I"), None, 90).unwrap()).unwrap().stated;
        assert_eq!((drawn.visible.as_deref(), drawn.laws().len()), (Some("AI & I"), 0), "a second label is not drawn over it");
        let labelled = relabel(&plain, None, Some(&label(&[LabelLaw::China])), 90).unwrap();
        assert_eq!(info(&labelled).unwrap().stated.laws(), [LabelLaw::China]);
        assert_eq!(info(&labelled).unwrap().digital_source_type, None, "nothing else is claimed");
    }
}
