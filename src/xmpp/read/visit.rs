//! What a visitor of somebody else's room is told by its service (XEP-0045, XEP-0313, XEP-0421, XEP-0425).

use jid::{BareJid, Jid};
use minidom::Element;
use xmpp_parsers::message::Message;
use xmpp_parsers::ns::{DELAY, DISCO_INFO, FORWARD, MAM, MUC_USER, OID, RSM, SID, XMPP_STANZAS};
use xmpp_parsers::presence::Presence;
use xmpp_parsers::stanza_error::StanzaError;

use super::archive::time;
use crate::model::Timestamp;
use crate::xmpp::payload::archive::Found;
use crate::xmpp::payload::muc_user::{Affiliation, Role};
use crate::xmpp::payload::ns::{FASTEN, MODERATE, MODERATE_0, RETRACT};
use crate::xmpp::render::children::from_clients;

/// Whether a room keeps an archive that can be asked, by its answer of disco#info (XEP-0030, XEP-0313 §4).
pub fn has_archive(payload: &Element) -> bool {
    let is = |child: &Element| child.is("feature", DISCO_INFO) && child.attr("var") == Some(MAM);
    payload.children().any(is)
}

/// What a room says about one of its occupants. Read leniently: rooms of other people add what they like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// What happened (XEP-0045 §15.6.2).
    pub statuses: Vec<u16>,
    /// The long-term standing.
    pub affiliation: Option<Affiliation>,
    /// The standing of this visit.
    pub role: Option<Role>,
    /// The real JID, where the visitor may see it.
    pub jid: Option<Jid>,
    /// In a change of nick, the new one.
    pub nick: Option<String>,
    /// Who removed them.
    pub actor: Option<String>,
    /// Why, for people to read.
    pub reason: Option<String>,
    /// The room is no more, and perhaps where it went.
    pub destroyed: Option<Option<Jid>>,
}

impl Shown {
    /// Whether a status code was told.
    pub fn has(&self, status: u16) -> bool {
        self.statuses.contains(&status)
    }
}

/// The room's part of a presence.
pub fn shown(presence: &Presence) -> Option<Shown> {
    let x = presence.payloads.iter().find(|p| p.is("x", MUC_USER))?;
    let item = x.get_child("item", MUC_USER);
    let of_item = |name: &str| item.and_then(|item| attribute(item, name));
    let destroy = x.get_child("destroy", MUC_USER);
    let actor = item.and_then(|item| item.get_child("actor", MUC_USER));
    let reason = item.or(destroy).and_then(|about| about.get_child("reason", MUC_USER));
    Some(Shown {
        statuses: x
            .children()
            .filter(|child| child.is("status", MUC_USER))
            .filter_map(|status| status.attr("code")?.parse().ok())
            .collect(),
        affiliation: of_item("affiliation").and_then(|word| Affiliation::parse(&word)),
        role: of_item("role").and_then(|word| Role::parse(&word)),
        jid: of_item("jid").and_then(|jid| Jid::new(&jid).ok()),
        nick: of_item("nick"),
        actor: actor.and_then(|actor| attribute(actor, "nick").or_else(|| attribute(actor, "jid"))),
        reason: reason.map(Element::text).filter(|reason| !reason.is_empty()),
        destroyed: destroy.map(|destroy| attribute(destroy, "jid").and_then(|jid| Jid::new(&jid).ok())),
    })
}

/// The occupant-id that the room put on a stanza.
pub fn occupant_id(payloads: &[Element]) -> Option<String> {
    attribute(payloads.iter().find(|p| p.is("occupant-id", OID))?, "id")
}

/// The stanza-id that the room gave a message; one that somebody else put there counts for nothing (XEP-0359 §3.1).
pub fn stanza_id(payloads: &[Element], room: &BareJid) -> Option<String> {
    let by_room = |p: &&Element| {
        let by = p.attr("by").and_then(|by| BareJid::new(by).ok());
        p.is("stanza-id", SID) && by.as_ref() == Some(room)
    };
    attribute(payloads.iter().find(by_room)?, "id")
}

/// When a message was said, where somebody delayed it.
pub fn delayed(payloads: &[Element]) -> Option<Timestamp> {
    time(payloads.iter().find(|p| p.is("delay", DELAY))?.attr("stamp")?)
}

/// Why something was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// `auth`, `cancel`, `continue`, `modify` or `wait`.
    pub kind: String,
    /// The defined condition's name (RFC 6120 §8.3.3); empty when there is none.
    pub condition: String,
    /// For people to read.
    pub text: Option<String>,
}

impl Refused {
    /// The same of an error that was read already.
    pub fn of(error: &StanzaError) -> Self {
        let element = Element::from(error.clone());
        refused(std::slice::from_ref(&element))
    }
}

/// The error in a stanza of type error.
pub fn refused(payloads: &[Element]) -> Refused {
    let Some(error) = payloads.iter().find(|p| p.name() == "error") else {
        return Refused::default();
    };
    let defined = |child: &&Element| child.has_ns(XMPP_STANZAS);
    let condition = error.children().filter(defined).find(|child| child.name() != "text");
    Refused {
        kind: attribute(error, "type").unwrap_or_default(),
        condition: condition.map(|child| child.name().to_owned()).unwrap_or_default(),
        text: error.get_child("text", XMPP_STANZAS).map(Element::text),
    }
}

fn attribute(element: &Element, name: &str) -> Option<String> {
    element.attr(name).filter(|id| !id.is_empty()).map(ToOwned::to_owned)
}

/// A message of the room's archive.
#[derive(Debug)]
pub struct Archived {
    /// The query that it answers.
    pub query: Option<String>,
    /// Its stanza-id.
    pub id: String,
    /// When it was said.
    pub time: Timestamp,
    /// The message as the room sent it then.
    pub message: Message,
}

/// Reads one result of an archive query. The outer `Option` says whether the message is one, the inner whether it could be read.
pub fn archived(message: &Message) -> Option<Option<Archived>> {
    let found = message.payloads.iter().find(|p| p.is("result", MAM))?;
    Some(read_found(found.clone()))
}

fn read_found(found: Element) -> Option<Archived> {
    let found = Found::try_from(found).ok()?;
    let inner = found.forwarded.children().find(|child| child.name() == "message")?;
    let time = found
        .forwarded
        .get_child("delay", DELAY)
        .and_then(|delay| time(delay.attr("stamp")?))?;
    if !found.forwarded.is("forwarded", FORWARD) {
        return None;
    }
    Some(Archived {
        query: found.queryid,
        id: found.id,
        time,
        message: Message::try_from(from_clients(inner)).ok()?,
    })
}

/// The end of a page of the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageEnd {
    /// Nothing comes behind it.
    pub complete: bool,
    /// The stanza-id of the last message on it.
    pub last: Option<String>,
}

/// Reads `<fin/>` (XEP-0313 §4.3).
pub fn page_end(payload: &Element) -> Option<PageEnd> {
    if !payload.is("fin", MAM) {
        return None;
    }
    let last = payload
        .get_child("set", RSM)
        .and_then(|set| set.get_child("last", RSM))
        .map(Element::text)
        .filter(|id| !id.is_empty());
    Some(PageEnd {
        complete: payload.attr("complete") == Some("true"),
        last,
    })
}

/// A moderator took a message back (XEP-0425, both forms).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moderated {
    /// The stanza-id of the message.
    pub id: String,
    /// The nick of the moderator.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Reads a moderation, which the room itself says.
pub fn moderated(payloads: &[Element]) -> Option<Moderated> {
    payloads.iter().find_map(|p| {
        let (ns, carrier) = match p.ns().as_str() {
            RETRACT if p.name() == "retract" => (MODERATE, p),
            FASTEN if p.name() == "apply-to" => (MODERATE_0, p),
            _ => return None,
        };
        let moderated = carrier.get_child("moderated", ns)?;
        let reason = [(carrier, RETRACT), (moderated, MODERATE_0)]
            .into_iter()
            .find_map(|(at, ns)| at.get_child("reason", ns))
            .map(Element::text);
        let by = moderated.attr("by").and_then(|by| Jid::new(by).ok());
        Some(Moderated {
            id: attribute(carrier, "id")?,
            by: by.and_then(|by| by.resource().map(|nick| nick.as_str().to_owned())),
            reason: reason.filter(|reason| !reason.is_empty()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(children: &str) -> Message {
        let xml = format!("<message xmlns='jabber:component:accept' type='groupchat'>{children}</message>");
        Message::try_from(xml.parse::<Element>().expect("XML")).expect("a message")
    }

    fn presence(children: &str) -> Presence {
        let xml = format!("<presence xmlns='jabber:component:accept'>{children}</presence>");
        Presence::try_from(xml.parse::<Element>().expect("XML")).expect("a presence")
    }

    #[test]
    fn a_kick_is_read_whatever_stands_beside_it() {
        let shown = shown(&presence(
            "<x xmlns='http://jabber.org/protocol/muc#user'><hat xmlns='urn:x'/><item affiliation='none' role='none' \
             jid='a@b/c' odd='1'><actor nick='Mod'/><reason>spam</reason></item><status code='307'/><status code='x'/>\
             <status code='110'/></x>",
        ))
        .expect("the room's part");
        assert_eq!(shown.statuses, [307, 110]);
        assert_eq!(shown.role, Some(Role::None));
        assert_eq!(
            (shown.actor.as_deref(), shown.reason.as_deref()),
            (Some("Mod"), Some("spam"))
        );
        assert_eq!(super::shown(&presence("<show>away</show>")), None);
    }

    #[test]
    fn only_the_room_s_own_stanza_id_counts() {
        let room: BareJid = "r@c.ex".parse().expect("a JID");
        let message = message(
            "<stanza-id xmlns='urn:xmpp:sid:0' by='a@c.ex' id='forged'/><stanza-id xmlns='urn:xmpp:sid:0' by='r@c.ex' id='7'/>",
        );
        assert_eq!(stanza_id(&message.payloads, &room).as_deref(), Some("7"));
    }

    #[test]
    fn archived_messages_are_read_in_the_clients_namespace() {
        let found = |inner: &str| {
            message(&format!(
                "<result xmlns='urn:xmpp:mam:2' queryid='q' id='28'><forwarded xmlns='urn:xmpp:forward:0'>\
                 <delay xmlns='urn:xmpp:delay' stamp='2026-11-23T10:00:00Z'/>{inner}</forwarded></result>"
            ))
        };
        let said = found("<message xmlns='jabber:client' from='r@c.ex/Ann' type='groupchat'><body>hi</body></message>");
        let archived = super::archived(&said).expect("a result").expect("a message");
        assert_eq!((archived.id.as_str(), archived.query.as_deref()), ("28", Some("q")));
        assert_eq!(archived.message.bodies.len(), 1);
        assert!(super::archived(&found("<x/>")).expect("a result").is_none());
        assert!(super::archived(&message("<body>hi</body>")).is_none());
    }

    #[test]
    fn moderation_comes_in_two_forms() {
        let new = message(
            "<retract xmlns='urn:xmpp:message-retract:1' id='7'><moderated xmlns='urn:xmpp:message-moderate:1' \
             by='r@c.ex/Mod'/><reason>spam</reason></retract>",
        );
        let old = message(
            "<apply-to xmlns='urn:xmpp:fasten:0' id='7'><moderated xmlns='urn:xmpp:message-moderate:0' by='r@c.ex/Mod'>\
             <retract xmlns='urn:xmpp:message-retract:0'/><reason>spam</reason></moderated></apply-to>",
        );
        let wanted = Moderated {
            id: "7".into(),
            by: Some("Mod".into()),
            reason: Some("spam".into()),
        };
        assert_eq!(moderated(&new.payloads), Some(wanted.clone()));
        assert_eq!(moderated(&old.payloads), Some(wanted));
        let own = message("<retract xmlns='urn:xmpp:message-retract:1' id='7'/>");
        assert_eq!(moderated(&own.payloads), None);
    }

    #[test]
    fn refusals_are_read_whatever_they_hold() {
        let error = presence(
            "<error type='wait' by='r@c.ex'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>full</text><a xmlns='b'/><c xmlns='d'/></error>",
        );
        let refused = super::refused(&error.payloads);
        assert_eq!(
            (refused.kind.as_str(), refused.condition.as_str()),
            ("wait", "resource-constraint")
        );
        assert_eq!(refused.text.as_deref(), Some("full"));
        assert_eq!(super::refused(&[]), Refused::default());
    }
}
