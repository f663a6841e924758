//! What an XMP packet says about the use of a work. The packet is a stranger's: it is read as a stream with a limit on depth, and no
//! entity of its own is ever expanded.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{LocalName, Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use super::{Found, PLUS, Signal, UNREADABLE, licence, usage};

/// Elements nested deeper than this are no XMP.
const MAX_DEPTH: usize = 128;
/// Letters kept of one property.
const MAX_LETTERS: usize = 4096;
/// What shows, in a packet that cannot be parsed, that it was about more than camera settings.
const MENTIONS: [&str; 7] =
    ["datamining", "dmi-", "ns/tdmrep", "tdm:reservation", "tdm-reservation", "train-ai", "training-mining"];

/// A property that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    DataMining,
    OtherConstraints,
    Reservation,
    Policy,
    Rights,
    Licence,
    Creator,
}

/// Reads one packet. What stands before a mistake counts; a packet with a mistake that mentions a reservation anywhere is taken for one.
pub(super) fn read(packet: &str, place: &str) -> Found {
    let mut values = Vec::new();
    let mut found = match properties(packet, &mut values) {
        Ok(()) => Found::default(),
        Err(reason) => malformed(packet, &reason, place),
    };
    let is_whole = found.signals.is_empty();
    let first = |wanted| values.iter().find(|(p, _)| *p == wanted).map(|(_, value)| value.as_str()).unwrap_or_default();
    let (constraints, policy) = (first(Property::OtherConstraints), first(Property::Policy));
    for (property, value) in &values {
        match property {
            Property::DataMining => found.signals.extend(data_mining(value, constraints, place)),
            Property::Reservation => found.signals.push(usage::reservation(value, policy, place)),
            Property::Rights | Property::Licence if is_whole => {
                found.licence = licence::stricter(found.licence.take(), licence::clear(value));
            }
            Property::Creator if is_whole && found.creator.is_none() => found.creator = Some(value.replace('\n', ", ")),
            _ => {}
        }
    }
    found
}

fn malformed(packet: &str, reason: &str, place: &str) -> Found {
    let lower = packet.to_lowercase();
    let mut found = Found::default();
    if MENTIONS.iter().any(|word| lower.contains(word)) {
        let says = format!("malformed XMP that mentions a reservation ({reason}): taken for one");
        found.signals.push(Signal::new(UNREADABLE, place, &says, true));
    }
    found
}

/// A value of the PLUS vocabulary: all that prohibit reserve, also with exceptions, which nobody can check here; a value that is not
/// in the vocabulary is taken for the stricter.
fn data_mining(value: &str, constraints: &str, place: &str) -> Option<Signal> {
    let term = value.trim().rsplit('/').next().unwrap_or_default().to_uppercase();
    let reserves = match term.as_str() {
        "" => return None,
        "DMI-UNSPECIFIED" | "DMI-ALLOWED" => false,
        _ => true,
    };
    let known = if reserves && !term.starts_with("DMI-PROHIBITED") { " (not a value of PLUS)" } else { "" };
    let constraints = if constraints.is_empty() { String::new() } else { format!("; other constraints: {constraints}") };
    Some(Signal::new(PLUS, place, &format!("{term}{known}{constraints}"), reserves))
}

fn property(space: &str, name: &str) -> Option<Property> {
    let in_space = |starts: &[&str]| starts.iter().any(|start| space.starts_with(start));
    Some(match name {
        "DataMining" if in_space(&["http://ns.useplus.org/ldf/"]) => Property::DataMining,
        "OtherConstraints" if in_space(&["http://ns.useplus.org/ldf/"]) => Property::OtherConstraints,
        "reservation" | "tdm-reservation" if in_space(&["http://www.w3.org/ns/tdmrep", "https://www.w3.org/ns/tdmrep"]) => {
            Property::Reservation
        }
        "policy" | "tdm-policy" if in_space(&["http://www.w3.org/ns/tdmrep", "https://www.w3.org/ns/tdmrep"]) => Property::Policy,
        "rights" if in_space(&["http://purl.org/dc/elements/1.1/"]) => Property::Rights,
        "creator" if in_space(&["http://purl.org/dc/elements/1.1/"]) => Property::Creator,
        "UsageTerms" | "WebStatement" if in_space(&["http://ns.adobe.com/xap/1.0/rights/"]) => Property::Rights,
        "license" if in_space(&["http://creativecommons.org/ns#", "http://web.resource.org/cc/"]) => Property::Licence,
        _ => return None,
    })
}

/// The property being read: at which depth it began, and its text so far.
struct Open {
    property: Property,
    depth: usize,
    text: String,
}

/// All properties that matter, as elements or attributes, in the order of the packet.
fn properties(packet: &str, values: &mut Vec<(Property, String)>) -> Result<(), String> {
    let mut reader = NsReader::from_str(packet);
    let (mut depth, mut open): (usize, Option<Open>) = (0, None);
    loop {
        let event = reader.read_event().map_err(|e| e.to_string())?;
        match event {
            Event::Start(tag) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(format!("elements nested more than {MAX_DEPTH} deep"));
                }
                let began = element(&reader, &tag, values)?;
                match (&mut open, began) {
                    (None, Some(property)) => open = Some(Open { property, depth, text: String::new() }),
                    // Items of a list, each a line.
                    (Some(open), _) => add(&mut open.text, "\n"),
                    _ => {}
                }
            }
            Event::Empty(tag) => drop(element(&reader, &tag, values)?),
            Event::End(_) => {
                if let Some(Open { property, text, .. }) = open.take_if(|open| open.depth == depth) {
                    push(values, property, &text);
                }
                depth = depth.saturating_sub(1);
            }
            Event::Text(text) => add_to(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(text) => add_to(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => add_to(&mut open, &resolved(&reference)?),
            Event::DocType(_) => return Err("it declares a document type".into()),
            Event::Eof if depth > 0 => return Err("it ends early".into()),
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// Takes the attributes that are properties; says which property the element itself is.
fn element(
    reader: &NsReader<&[u8]>,
    tag: &BytesStart<'_>,
    values: &mut Vec<(Property, String)>,
) -> Result<Option<Property>, String> {
    let resolver = reader.resolver();
    let own = known(resolver.resolve_element(tag.name()))?;
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (space, name) = resolver.resolve_attribute(attribute.key);
        let is_resource = name.into_inner() == "resource";
        let value = || attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| e.to_string());
        if let Some(property) = known((space, name))? {
            push(values, property, &value()?);
        } else if let Some(property) = own.filter(|_| is_resource) {
            push(values, property, &value()?);
        }
    }
    Ok(own)
}

fn known((space, name): (ResolveResult<'_>, LocalName<'_>)) -> Result<Option<Property>, String> {
    match space {
        ResolveResult::Bound(Namespace(space)) => Ok(property(space, name.into_inner())),
        ResolveResult::Unbound => Ok(None),
        // `xml:lang` and the like are declared by the standard itself.
        ResolveResult::Unknown(prefix) if prefix == "xml" => Ok(None),
        ResolveResult::Unknown(prefix) => Err(format!("the prefix {prefix} is not declared")),
    }
}

/// The letter a reference stands for; entities that a packet declares itself are not among them.
fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(letter) = reference.resolve_char_ref().map_err(|e| e.to_string())? {
        return Ok(letter.to_string());
    }
    let name: &str = reference;
    resolve_predefined_entity(name).map(str::to_owned).ok_or_else(|| "an entity that XML does not know".to_owned())
}

fn push(values: &mut Vec<(Property, String)>, property: Property, text: &str) {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let value = lines.join("\n");
    if !value.is_empty() {
        values.push((property, value));
    }
}

fn add_to(open: &mut Option<Open>, more: &str) {
    if let Some(open) = open {
        add(&mut open.text, more);
    }
}

fn add(text: &mut String, more: &str) {
    let room = MAX_LETTERS.saturating_sub(text.len());
    text.extend(more.chars().take(room));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(inside: &str) -> String {
        format!(
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
             xmlns:p='http://ns.useplus.org/ldf/xmp/1.0/' xmlns:t='http://www.w3.org/ns/tdmrep/' \
             xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:cc='http://creativecommons.org/ns#' \
             xmlns:r='http://ns.adobe.com/xap/1.0/rights/' {inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
        )
    }

    fn reserves(inside: &str) -> bool {
        read(&packet(inside), "x").reservation().is_some()
    }

    #[test]
    fn every_prohibiting_value_reserves_in_every_notation() {
        const VALUES: &str = "http://ns.useplus.org/ldf/vocab/";
        for value in [
            "DMI-PROHIBITED",
            "DMI-PROHIBITED-AIMLTRAINING",
            "DMI-PROHIBITED-GENAIMLTRAINING",
            "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
            "DMI-PROHIBITED-SEECONSTRAINT",
            "DMI-SOMETHING-NEW",
        ] {
            assert!(reserves(&format!("><p:DataMining>{VALUES}{value}</p:DataMining>")), "{value}");
            assert!(reserves(&format!("p:DataMining='{VALUES}{value}'>")), "{value}");
            assert!(reserves(&format!("><p:DataMining rdf:resource='{VALUES}{value}'/>")), "{value}");
            assert!(reserves(&format!("><p:DataMining><rdf:Bag><rdf:li>{value}</rdf:li></rdf:Bag></p:DataMining>")), "{value}");
            assert!(reserves(&format!("><p:DataMining><![CDATA[{VALUES}{value}]]></p:DataMining>")), "{value}");
            assert!(reserves(&format!("><p:DataMining>DM&#73;{}</p:DataMining>", &value[3..])), "{value}");
        }
        for value in ["DMI-UNSPECIFIED", "DMI-ALLOWED"] {
            let found = read(&packet(&format!("p:DataMining='{VALUES}{value}'>")), "x");
            assert!(found.signals.len() == 1 && !found.signals[0].reserves, "{value}");
        }
    }

    #[test]
    fn constraints_are_told_and_tdm_is_read() {
        let found = read(
            &packet(
                "p:DataMining='DMI-PROHIBITED-SEECONSTRAINT'><p:OtherConstraints><rdf:Alt><rdf:li xml:lang='x-default'>ask \
                 &amp; pay</rdf:li></rdf:Alt></p:OtherConstraints>",
            ),
            "x",
        );
        assert_eq!(found.signals[0].says, "DMI-PROHIBITED-SEECONSTRAINT; other constraints: ask & pay");
        assert!(
            reserves("t:reservation='1'>") && reserves("><t:reservation>1</t:reservation>") && reserves("t:reservation='x'>")
        );
        assert!(!reserves("t:reservation='0'>"));
    }

    #[test]
    fn a_licence_counts_where_it_is_clear() {
        let licence = |inside: &str| read(&packet(inside), "x").licence;
        let by = "https://creativecommons.org/licenses/by/4.0/";
        assert_eq!(licence(&format!("><cc:license rdf:resource='{by}'/>")).as_deref(), Some("CC-BY-4.0"));
        assert_eq!(licence(&format!("r:WebStatement='{by}'>")).as_deref(), Some("CC-BY-4.0"));
        assert_eq!(licence("r:WebStatement='https://ann.example/'>"), None);
        let rights = |text: &str| licence(&format!("><dc:rights><rdf:Alt><rdf:li>{text}</rdf:li></rdf:Alt></dc:rights>"));
        assert_eq!((rights("CC0 1.0"), rights("© Ann")), (Some("CC0-1.0".into()), None));
        let creator = read(&packet("><dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Ben</rdf:li></rdf:Seq></dc:creator>"), "x");
        assert_eq!(creator.creator.as_deref(), Some("Ann, Ben"));
    }

    #[test]
    fn malformed_packets_that_mention_a_reservation_are_taken_for_one() {
        for bad in [
            "<x><plus:DataMining>DMI-ALLOWED</plus:DataMining></x>",
            "<x xmlns:p='http://ns.useplus.org/ldf/xmp/1.0/'><p:DataMining>DMI-ALL",
            "<x p:DataMining='",
            "<x><y></x> tdm:reservation",
            "<!DOCTYPE x [<!ENTITY a 'DMI-ALLOWED'>]><x>&a;</x>",
            "<x>&dmi; DataMining</x>",
        ] {
            let found = read(bad, "x");
            assert!(found.reservation().is_some_and(|s| s.kind == UNREADABLE), "{bad}: {found:?}");
        }
        assert_eq!(read("<x><y></x>", "x"), Found::default(), "broken, and about nothing that matters");
    }

    proptest::proptest! {
        /// Whatever stands there, reading ends, and a packet cut anywhere is never taken for one that allows.
        #[test]
        fn no_packet_panics_and_no_cut_frees(noise in "[<>&;/='\"a-zA-Z:!\\[\\]?\\- ]{0,200}", at in 0usize..1000) {
            read(&noise, "x");
            let whole = packet("p:DataMining='http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED'>");
            let cut: String = whole.chars().take(at).collect();
            let names_it = cut.to_lowercase().contains("datamining");
            proptest::prop_assert!(!names_it || read(&cut, "x").reservation().is_some(), "{}", cut);
        }
    }

    #[test]
    fn hostile_packets_end_soon() {
        let deep = "<a>".repeat(1_000_000);
        assert_eq!(read(&deep, "x"), Found::default());
        assert!(read(&format!("{deep}DataMining"), "x").reservation().is_some());
        let mut bomb = String::from("<!DOCTYPE x [<!ENTITY a0 'ha'>");
        (1..30).for_each(|i| bomb.push_str(&format!("<!ENTITY a{i} '&a{0};&a{0};'>", i - 1)));
        assert!(read(&format!("{bomb}]><x>&a29; DataMining</x>"), "x").reservation().is_some());
        let long = format!("><dc:creator>{}</dc:creator>", "a".repeat(2_000_000));
        assert!(read(&packet(&long), "x").creator.is_some_and(|c| c.len() <= MAX_LETTERS));
        let many: String = (0..100_000).map(|i| format!("<b{i}/>")).collect();
        assert_eq!(read(&packet(&format!(">{many}")), "x"), Found::default());
    }
}
