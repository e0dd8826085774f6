//! Tells the puppets' copies from what must be read, by a look at the start tag.
//!
//! In a joined room (XEP-0045) the gateway is many occupants: one listener, and a puppet for each QQ member who spoke. The room sends
//! each of them a copy of everything, and only the listener's is wanted. A hundred puppets make a hundred copies of a line, so they
//! go before anything is parsed. What a puppet must hear itself stays: errors, answers, private messages, its own presence.
//!
//! Bytes in, a verdict out; whatever is not plainly a copy is none. Knows what the addresses of members look like, and nothing of
//! rooms.

use crate::xmpp::address::is_member;

use super::frame::MAX_HEAD;

const NAMESPACE: &[u8] = xmpp_parsers::ns::COMPONENT.as_bytes();
/// Self-presence (XEP-0045 §7.2.2) has this status code. The digits may stand elsewhere too: then one copy more is read.
const SELF_PRESENCE: &[u8] = b"110";

/// Whether a first-level element, whose start tag is `bytes[..head]`, is the copy that a puppet got of what happens in a room.
/// Of an `excessive` element only the start tag is known.
pub(super) fn is_copy(bytes: &[u8], head: usize, excessive: bool) -> bool {
    let Some(tag) = bytes.get(..head.min(MAX_HEAD)).and_then(Tag::read) else {
        return false;
    };
    if tag.namespace.is_some_and(|namespace| namespace != NAMESPACE) || !tag.to.is_some_and(is_puppet) {
        return false;
    }
    match (tag.name, tag.kind) {
        (b"message", Some(b"groupchat")) => true,
        (b"presence", None | Some(b"unavailable")) => {
            tag.from.is_some_and(has_resource) && !excessive && !contains(bytes, SELF_PRESENCE)
        }
        _ => false,
    }
}

/// A start tag, as far as it matters.
#[derive(Debug, Default)]
struct Tag<'a> {
    name: &'a [u8],
    namespace: Option<&'a [u8]>,
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
}

impl<'a> Tag<'a> {
    /// Nothing when it is not a whole tag of well-formed XML, as far as one can see without an XML parser.
    fn read(tag: &'a [u8]) -> Option<Self> {
        let (name, mut rest) = split_name(tag.strip_prefix(b"<")?);
        let mut read = Self {
            name,
            ..Self::default()
        };
        loop {
            let attribute = rest.trim_ascii_start();
            if matches!(attribute, b">" | b"/>") {
                return Some(read);
            }
            if attribute.len() == rest.len() {
                return None;
            }
            let (name, value) = split_name(attribute);
            let value = value.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
            let (quote, value) = value.split_first().filter(|(quote, _)| matches!(quote, b'\'' | b'"'))?;
            let end = value.iter().position(|byte| byte == quote)?;
            rest = &value[end + 1..];
            let place = match name {
                b"xmlns" => &mut read.namespace,
                b"from" => &mut read.from,
                b"to" => &mut read.to,
                b"type" => &mut read.kind,
                _ => continue,
            };
            if place.replace(&value[..end]).is_some() {
                return None;
            }
        }
    }
}

fn split_name(text: &[u8]) -> (&[u8], &[u8]) {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'/' | b'>' | b'\'' | b'"');
    text.split_at(text.iter().position(ends).unwrap_or(text.len()))
}

/// A full address with a member's local part. One that is written with entities is none of ours: it needs none.
fn is_puppet(jid: &[u8]) -> bool {
    let Some((bare, _)) = split_resource(jid) else {
        return false;
    };
    let local = bare.iter().position(|&byte| byte == b'@').map(|at| &bare[..at]);
    !jid.contains(&b'&')
        && local
            .and_then(|local| str::from_utf8(local).ok())
            .is_some_and(is_member)
}

fn has_resource(jid: &[u8]) -> bool {
    split_resource(jid).is_some()
}

fn split_resource(jid: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = jid.iter().position(|&byte| byte == b'/')?;
    let resource = &jid[slash + 1..];
    (!resource.is_empty()).then_some((&jid[..slash], resource))
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests;
