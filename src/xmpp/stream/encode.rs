//! From stanzas to bytes that are certainly legal XML, each stanza once however many get it.
//!
//! An encoder that fails in the middle of a stanza has lost its place, so every stanza gets a new one and a buffer that is thrown
//! away with it; the stream never sees half a stanza.

use std::borrow::Cow;
use std::fmt::Write;

use jid::Jid;
use tokio_xmpp::Stanza;
use xmpp_parsers::ns;
use xso::exports::rxml::{
    self,
    writer::{Encoder, SimpleNamespaces, TrackNamespace},
};
use xso::{AsXml, Item};

/// The stanza has no form in XML: a fault of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    /// A payload that refuses to be written.
    #[error("a payload cannot be written: {0}")]
    Payload(#[from] xso::error::Error),
    /// Names or namespaces that cannot be written.
    #[error("cannot be written as XML: {0}")]
    Xml(#[from] rxml::Error),
}

/// The crate writes this into every presence, and it says nothing. Only text stands before it, so the first one is it.
const DEFAULT_PRIORITY: &[u8] = b"<priority>0</priority>";

/// Appends `stanza` to `out` once for each recipient. Characters that XML has no form for become U+FFFD.
pub(crate) fn stanza(out: &mut Vec<u8>, stanza: &mut Stanza, to: &[Jid]) -> Result<(), EncodeError> {
    let name = match stanza {
        Stanza::Iq(iq) => {
            *iq.to_mut() = None;
            "iq"
        }
        Stanza::Message(message) => {
            message.to = None;
            "message"
        }
        Stanza::Presence(presence) => {
            presence.to = None;
            "presence"
        }
    };
    let mut written = element(stanza)?;
    if matches!(stanza, Stanza::Presence(presence) if presence.priority.0 == 0) {
        leave_out(&mut written, DEFAULT_PRIORITY);
    }
    let Some(rest) = written.strip_prefix(format!("<{name}").as_bytes()) else {
        return Err(rxml::Error::RestrictedXml("a stanza of another name").into());
    };
    out.reserve(to.len() * (written.len() + 64));
    for jid in to {
        push(out, &["<", name, " to='"]);
        push_escaped(out, jid.as_str());
        out.push(b'\'');
        out.extend_from_slice(rest);
    }
    Ok(())
}

/// Takes out the first occurrence.
fn leave_out(written: &mut Vec<u8>, piece: &[u8]) {
    let place = written.windows(piece.len()).position(|window| window == piece);
    if let Some(start) = place {
        written.drain(start..start + piece.len());
    }
}

/// An element as it stands inside a component's stream.
fn element(xml: &impl AsXml) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Encoder::<SimpleNamespaces>::new();
    encoder.ns_tracker_mut().declare_fixed(None, ns::COMPONENT.into());
    // Said in the stream header, as in a parent.
    encoder.ns_tracker_mut().push();
    let mut out = Vec::with_capacity(512);
    for item in xml.as_xml_iter()? {
        encoder.encode(legal_item(item?).as_rxml_item(), &mut out)?;
    }
    Ok(out)
}

fn legal_item(item: Item<'_>) -> Item<'_> {
    match item {
        Item::Text(text) => Item::Text(legal(text)),
        Item::Attribute(space, name, value) => Item::Attribute(space, name, legal(value)),
        other => other,
    }
}

/// XML 1.0 §2.2, without the control characters that it discourages.
fn is_legal(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn legal(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.chars().all(is_legal) {
        return text;
    }
    let replaced = text.chars().map(|c| if is_legal(c) { c } else { '\u{fffd}' });
    Cow::Owned(replaced.collect())
}

/// Appends texts as they are.
pub(crate) fn push(out: &mut Vec<u8>, texts: &[&str]) {
    for text in texts {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Appends a text as the value of an attribute in single quotes.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let mut buffer = [0; 4];
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '\'' => out.extend_from_slice(b"&apos;"),
            '\t' | '\n' | '\r' => push(out, &["&#", &u32::from(c).to_string(), ";"]),
            c if is_legal(c) => out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
            _ => out.extend_from_slice("\u{fffd}".as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xmpp_parsers::message::{Lang, Message};

    fn written(body: &str, to: &[&str]) -> String {
        let mut message = Message::chat(None);
        message.from = Some("r@d/n".parse().unwrap());
        message.bodies.insert(Lang::new(), body.into());
        let to: Vec<Jid> = to.iter().map(|jid| jid.parse().unwrap()).collect();
        let mut out = Vec::new();
        stanza(&mut out, &mut message.into(), &to).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_stanza_for_many() {
        assert_eq!(
            written("<&>", &["a@b/c", "a@b/o'c & <d>"]),
            "<message to='a@b/c' from='r@d/n' type='chat'><body>&lt;&amp;&gt;</body></message>\
             <message to='a@b/o&apos;c &amp; &lt;d&gt;' from='r@d/n' type='chat'><body>&lt;&amp;&gt;</body></message>"
        );
        assert_eq!(written("x", &[]), "");
    }

    #[test]
    fn no_character_that_xml_lacks() {
        let body: String = ('\0'..'\u{30}')
            .chain(['\u{85}', '\u{fffe}', '\u{ffff}', '猫', '😀'])
            .collect();
        let text = written(&body, &["a@b"]);
        assert!(!text.chars().any(|c| !is_legal(c)));
        assert!(text.contains("\u{fffd}猫😀"));
        let wrapped = format!("<x xmlns='jabber:component:accept'>{text}</x>");
        assert!(wrapped.parse::<minidom::Element>().is_ok());
    }
}
