//! What moderators ask of a room (XEP-0425 §3), in both forms.

use minidom::Element;

use crate::xmpp::payload::ns::{FASTEN, MODERATE, MODERATE_0, RETRACT, RETRACT_0};

/// Longest reason that is kept, in characters.
const LONGEST_REASON: usize = 200;

/// Take a message away that somebody else said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moderation {
    /// The stanza-id of the message.
    pub id: String,
    /// Why, in the moderator's words; cut when it is long.
    pub reason: Option<String>,
}

/// Reads the payload of a request; nothing when it asks for anything else.
pub fn read(payload: &Element) -> Option<Moderation> {
    let (moderate, ns, retract) = if payload.is("apply-to", FASTEN) {
        (payload.get_child("moderate", MODERATE_0)?, MODERATE_0, RETRACT_0)
    } else if payload.is("moderate", MODERATE) {
        (payload, MODERATE, RETRACT)
    } else {
        return None;
    };
    if !moderate.has_child("retract", retract) {
        return None;
    }
    let reason = moderate.get_child("reason", ns).map(Element::text).unwrap_or_default();
    let reason: String = reason.trim().chars().take(LONGEST_REASON).collect();
    Some(Moderation {
        id: payload.attr("id")?.to_owned(),
        reason: (!reason.is_empty()).then_some(reason),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Option<Moderation> {
        super::read(&xml.parse().expect("XML"))
    }

    #[test]
    fn both_forms() {
        let wanted = |reason: Option<&str>| {
            Some(Moderation {
                id: "e1-7".into(),
                reason: reason.map(Into::into),
            })
        };
        let new = "<moderate id='e1-7' xmlns='urn:xmpp:message-moderate:1'><retract xmlns='urn:xmpp:message-retract:1'/><reason> spam </reason></moderate>";
        assert_eq!(read(new), wanted(Some("spam")));
        let old = "<apply-to id='e1-7' xmlns='urn:xmpp:fasten:0'><moderate xmlns='urn:xmpp:message-moderate:0'><retract xmlns='urn:xmpp:message-retract:0'/><reason/></moderate></apply-to>";
        assert_eq!(read(old), wanted(None));
    }

    #[test]
    fn what_asks_for_something_else() {
        for other in [
            "<moderate id='e1-7' xmlns='urn:xmpp:message-moderate:1'/>",
            "<moderate xmlns='urn:xmpp:message-moderate:1'><retract xmlns='urn:xmpp:message-retract:1'/></moderate>",
            "<moderate id='e1-7' xmlns='urn:xmpp:message-moderate:2'><retract xmlns='urn:xmpp:message-retract:1'/></moderate>",
            "<apply-to id='e1-7' xmlns='urn:xmpp:fasten:0'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
