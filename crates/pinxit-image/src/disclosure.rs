//! What laws ask the provider of a generated picture to state in its metadata: written as XMP, and read again in files from anywhere.
//!
//! China, GB 45438-2025, appendix E: one property `TC260:AIGC` whose text is a JSON object of seven fields. California, SB 942
//! (Business and Professions Code 22757.3(b)), names no form: the terms are those of Dublin Core, XMP and IPTC 2025.1.
use serde::Serialize;

use crate::metadata::{element, escaped, unescaped};

/// The namespace of China's label, as TC260's practice guide for pictures gives it.
const TC260: &str = "http://www.tc260.org.cn/ns/AIGC/1.0/";
const AIGC: &str = "TC260:AIGC";
const VISIBLE: &str = "pinxit:label";
const PROVIDER: &str = "dc:publisher";
const SYSTEM: &str = "Iptc4xmpExt:AISystemUsed";
const VERSION: &str = "Iptc4xmpExt:AISystemVersionUsed";
const WHEN: &str = "xmp:CreateDate";
const ID: &str = "dc:identifier";
/// A stranger's file must not decide how much is shown.
const LONGEST: usize = 4096;

/// Who made a picture, with what, when, and its number: written once and the same for every law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// The provider, as a person or a studio wants to be named.
    pub provider: String,
    /// The program.
    pub system: String,
    /// Its version.
    pub version: String,
    /// When, RFC 3339, UTC.
    pub when: String,
    /// A number that no other picture has, such as `urn:uuid:…`.
    pub id: String,
}

/// A law whose label is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelLaw {
    /// GB 45438-2025.
    China,
    /// SB 942, the AI Transparency Act.
    California,
}

/// What is stated, and in the form of which laws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatentLabel {
    /// What.
    pub disclosure: Disclosure,
    /// For which.
    pub laws: Vec<LabelLaw>,
}

impl LatentLabel {
    /// Descriptions to stand beside the others in an XMP packet.
    pub(crate) fn xmp(&self) -> String {
        let of = |law: &LabelLaw| match law {
            LabelLaw::China => china(&self.disclosure),
            LabelLaw::California => california(&self.disclosure),
        };
        self.laws.iter().map(of).collect()
    }
}

/// The label that was drawn, as an element.
pub(crate) fn visible_element(text: &str) -> String {
    format!("<{VISIBLE}>{}</{VISIBLE}>", escaped(text))
}

/// The same as a description of its own.
pub(crate) fn visible_description(text: &str) -> String {
    format!("<rdf:Description rdf:about=\"\" xmlns:pinxit=\"urn:pinxit:1.0:\">{}</rdf:Description>", visible_element(text))
}

/// A packet that says only this.
pub(crate) fn packet(descriptions: &str) -> String {
    format!(
        concat!(
            "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\">",
            "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">{descriptions}</rdf:RDF></x:xmpmeta>",
            "<?xpacket end=\"r\"?>",
        ),
        descriptions = descriptions,
    )
}

/// Seven fields, each there: `Label` 1 says "is generated". Who lets a picture out for the first time is its first propagator as well;
/// platforms put themselves in that place. The reserved codes are for a signature, which the content credential is.
fn china(said: &Disclosure) -> String {
    let (producer, id) = (coded(&said.provider), coded(&said.id));
    let json = format!(
        "{{\"Label\":\"1\",\"ContentProducer\":\"{producer}\",\"ProduceID\":\"{id}\",\"ReservedCode1\":\"\",\
         \"ContentPropagator\":\"{producer}\",\"PropagateID\":\"{id}\",\"ReservedCode2\":\"\"}}"
    );
    format!("<rdf:Description rdf:about=\"\" xmlns:TC260=\"{TC260}\"><{AIGC}>{}</{AIGC}></rdf:Description>", escaped(&json))
}

fn california(said: &Disclosure) -> String {
    let [provider, system, version, when, id] =
        [&said.provider, &said.system, &said.version, &said.when, &said.id].map(|text| escaped(text));
    format!(
        concat!(
            "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"",
            " xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">",
            "<{PROVIDER}><rdf:Bag><rdf:li>{provider}</rdf:li></rdf:Bag></{PROVIDER}>",
            "<{SYSTEM}>{system}</{SYSTEM}><{VERSION}>{version}</{VERSION}><{WHEN}>{when}</{WHEN}><{ID}>{id}</{ID}>",
            "</rdf:Description>",
        ),
        PROVIDER = PROVIDER,
        SYSTEM = SYSTEM,
        VERSION = VERSION,
        WHEN = WHEN,
        ID = ID,
        provider = provider,
        system = system,
        version = version,
        when = when,
        id = id,
    )
}

/// Values of China's label hold visible ASCII only, no blank, no `"` and no `\`; all else is percent-encoded, so that it can be read back.
fn coded(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_graphic() && !b"\"\\%".contains(&b);
    text.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// What a file's XMP states, whoever wrote it; nobody vouches for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stated {
    /// China's label: JSON, as it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aigc: Option<String>,
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The picture's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The label that pinxit drew into the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible: Option<String>,
}

impl Stated {
    /// Whether it states nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The laws in whose form all is stated that each asks for.
    #[must_use]
    pub fn laws(&self) -> Vec<LabelLaw> {
        let california = [&self.provider, &self.system, &self.version, &self.when, &self.id];
        let china = self.aigc.is_some().then_some(LabelLaw::China);
        china.into_iter().chain(california.iter().all(|field| field.is_some()).then_some(LabelLaw::California)).collect()
    }

    pub(crate) fn of(xmp: &str) -> Self {
        let [aigc, provider, system, version, when, id, visible] =
            [AIGC, PROVIDER, SYSTEM, VERSION, WHEN, ID, VISIBLE].map(|name| property(xmp, name));
        Stated { aigc, provider, system, version, when, id, visible }
    }
}

/// A property as an element, as the first item of a list in it, or as others' attribute.
fn property(xmp: &str, name: &str) -> Option<String> {
    let whole = element(xmp, &format!("<{name}>"), &format!("</{name}>"));
    let found = match whole {
        Some(list) if list.contains("<rdf:li") => element(list, "<rdf:li>", "</rdf:li>"),
        Some(text) => Some(text),
        None => element(xmp, &format!("{name}=\""), "\"").or_else(|| element(xmp, &format!("{name}='"), "'")),
    };
    let text = unescaped(found?.trim());
    (!text.is_empty() && text.len() <= LONGEST).then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    fn said() -> Disclosure {
        Disclosure {
            provider: "Zoë \"Z\" <王> \\ 100%".into(),
            system: "pinxit".into(),
            version: "0.1.0".into(),
            when: "2026-11-26T02:10:00Z".into(),
            id: "urn:uuid:0b8f6a3e-5d1c-8a2b-9c4d-001122334455".into(),
        }
    }

    #[test]
    fn the_label_of_china_has_seven_fields_in_visible_ascii() {
        let xmp = LatentLabel { disclosure: said(), laws: vec![LabelLaw::China] }.xmp();
        let stated = Stated::of(&xmp);
        assert_eq!(stated.laws(), [LabelLaw::China]);
        let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&stated.aigc.unwrap()).unwrap();
        let names: Vec<&str> = json.keys().map(String::as_str).collect();
        let wanted =
            ["Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"];
        assert_eq!(names, wanted);
        assert_eq!((json["Label"].as_str(), json["ProduceID"].as_str()), (Some("1"), Some(said().id.as_str())));
        for value in json.values().map(|v| v.as_str().unwrap()) {
            assert!(value.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\'), "{value}");
        }
        assert_eq!(json["ContentProducer"], "Zo%C3%AB%20%22Z%22%20<%E7%8E%8B>%20%5C%20100%25");
    }

    #[test]
    fn what_california_asks_for_comes_back_word_for_word() {
        let xmp = LatentLabel { disclosure: said(), laws: vec![LabelLaw::California, LabelLaw::China] }.xmp();
        let stated = Stated::of(&xmp);
        assert_eq!(stated.laws(), [LabelLaw::China, LabelLaw::California]);
        let Disclosure { provider, system, version, when, id } = said();
        let found = [stated.provider, stated.system, stated.version, stated.when, stated.id];
        assert_eq!(found, [provider, system, version, when, id].map(Some));
    }

    #[test]
    fn others_write_attributes_and_entities() {
        let other = "<rdf:Description TC260:AIGC='{&quot;Label&quot;:&quot;1&quot;}' xmp:CreateDate=\"2026\">";
        let stated = Stated::of(other);
        assert_eq!((stated.aigc.as_deref(), stated.when.as_deref()), (Some("{\"Label\":\"1\"}"), Some("2026")));
        assert!(Stated::of("<TC260:AIGC></TC260:AIGC><dc:identifier>").is_empty());
        assert!(Stated::of(&format!("<{AIGC}>{}</{AIGC}>", "a".repeat(LONGEST + 1))).is_empty());
    }
}
