//! `xml` segments: the cards of older QQ. Read as far as their words go, by name and not as XML: they are often not well-formed.

use serde_json::Value;

use super::{card, link};
use crate::model::{Part, Record};
use crate::qq::onebot::field;
use crate::qq::text::decode_entities;

const XML_MAX: usize = 64 << 10;

/// Reads an `xml` segment.
pub(in crate::qq::onebot) fn read(data: &Value) -> Part {
    let xml = field::cut(field::text(&data["data"]), XML_MAX);
    let brief = attribute(xml, "brief");
    let title = element(xml, "title");
    let id = [field::scalar(&data["resid"]), attribute(xml, "m_resid")]
        .into_iter()
        .map(|id| field::file(&id))
        .find(|id| !id.is_empty());
    if let Some(id) = id {
        return Part::Record(Record {
            id,
            title: field::line(if title.is_empty() { &brief } else { &title }, super::TITLE_MAX),
            ..Record::default()
        });
    }
    if brief.is_empty() && title.is_empty() {
        return Part::Marker("card".to_owned());
    }
    let url = link(&attribute(xml, "url"));
    card("xml", &[&title, &brief], &element(xml, "summary"), url)
}

/// The value of the first attribute of this name.
fn attribute(xml: &str, name: &str) -> String {
    let mut rest = xml;
    while let Some(at) = rest.find(name) {
        let before = rest[..at].chars().next_back();
        rest = &rest[at + name.len()..];
        let quoted = rest.strip_prefix("=\"").or_else(|| rest.strip_prefix("='"));
        let Some(quoted) = quoted.filter(|_| before.is_some_and(char::is_whitespace)) else {
            continue;
        };
        let end = quoted.find(['"', '\'']).unwrap_or(0);
        return decode_entities(&quoted[..end]);
    }
    String::new()
}

/// The text of the first element of this name.
fn element(xml: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let text = xml
        .find(&open)
        .and_then(|at| xml[at + open.len()..].split_once('>'))
        .and_then(|(_, rest)| rest.split_once(&close))
        .map(|(text, _)| text.trim());
    let text = text.unwrap_or_default();
    let plain = text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
    plain.map_or_else(|| decode_entities(text), str::to_owned)
}
