//! What tests ask a parsed stanza, so that an assertion reads like the XEP.

use minidom::Element;

/// The namespaces that the questions of [`Stanza`] and the client use.
pub mod ns {
    /// RFC 6120, stanzas of a client's stream.
    pub const CLIENT: &str = "jabber:client";
    /// RFC 6120, the stream itself.
    pub const STREAM: &str = "http://etherx.jabber.org/streams";
    /// RFC 6120, SASL.
    pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
    /// RFC 6120, binding of a resource.
    pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
    /// RFC 6120, conditions of stanza errors.
    pub const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
    /// XEP-0045, what a client puts into its join.
    pub const MUC: &str = "http://jabber.org/protocol/muc";
    /// XEP-0045, what a room puts into presence.
    pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
    /// XEP-0203.
    pub const DELAY: &str = "urn:xmpp:delay";
    /// XEP-0359.
    pub const SID: &str = "urn:xmpp:sid:0";
    /// XEP-0421.
    pub const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";
    /// XEP-0199.
    pub const PING: &str = "urn:xmpp:ping";
    /// XEP-0030.
    pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
    /// XEP-0297.
    pub const FORWARD: &str = "urn:xmpp:forward:0";
    /// XEP-0313.
    pub const MAM: &str = "urn:xmpp:mam:2";
}

/// Questions about a stanza. A missing attribute is an empty string, a missing child is `None`.
pub trait Stanza {
    /// The element itself.
    fn element(&self) -> &Element;

    /// The attribute `from`.
    fn from(&self) -> &str {
        attr(self.element(), "from")
    }

    /// The attribute `to`.
    fn to(&self) -> &str {
        attr(self.element(), "to")
    }

    /// The attribute `id`.
    fn id(&self) -> &str {
        attr(self.element(), "id")
    }

    /// The attribute `type`.
    fn kind(&self) -> &str {
        attr(self.element(), "type")
    }

    /// `from` without its resource: the room.
    fn bare_from(&self) -> &str {
        let from = attr(self.element(), "from");
        from.split_once('/').map_or(from, |(bare, _)| bare)
    }

    /// The resource of `from`: the nick of an occupant. Empty when it has none.
    fn nick(&self) -> &str {
        attr(self.element(), "from")
            .split_once('/')
            .map_or("", |(_, nick)| nick)
    }

    /// The child with this name and namespace.
    fn child(&self, name: &str, namespace: &str) -> Option<&Element> {
        self.element().get_child(name, namespace)
    }

    /// The element at the end of a way of children, as the archived message of XEP-0313:
    /// `&[("result", ns::MAM), ("forwarded", ns::FORWARD), ("message", ns::CLIENT)]`.
    fn descend(&self, way: &[(&str, &str)]) -> Option<&Element> {
        way.iter()
            .try_fold(self.element(), |el, (name, namespace)| el.get_child(*name, *namespace))
    }

    /// The text of `<body/>`.
    fn body(&self) -> Option<String> {
        own_child(self.element(), "body").map(Element::text)
    }

    /// The text of `<subject/>`; an empty subject is `Some("")`.
    fn subject(&self) -> Option<String> {
        own_child(self.element(), "subject").map(Element::text)
    }

    /// The stanza-id that `by` gave (XEP-0359).
    fn stanza_id(&self, by: &str) -> Option<&str> {
        let mut ids = self.element().children().filter(|child| child.is("stanza-id", ns::SID));
        ids.find(|child| attr(child, "by") == by).map(|child| attr(child, "id"))
    }

    /// The sender's own id (XEP-0359).
    fn origin_id(&self) -> Option<&str> {
        self.child("origin-id", ns::SID).map(|child| attr(child, "id"))
    }

    /// The occupant-id (XEP-0421).
    fn occupant_id(&self) -> Option<&str> {
        self.child("occupant-id", ns::OCCUPANT_ID)
            .map(|child| attr(child, "id"))
    }

    /// The time stamp of `<delay/>` (XEP-0203).
    fn delay(&self) -> Option<&str> {
        self.child("delay", ns::DELAY).map(|child| attr(child, "stamp"))
    }

    /// The status codes of a room's presence or message, in their order.
    fn status_codes(&self) -> Vec<u16> {
        let Some(x) = self.child("x", ns::MUC_USER) else {
            return Vec::new();
        };
        let statuses = x.children().filter(|child| child.is("status", ns::MUC_USER));
        statuses
            .filter_map(|status| attr(status, "code").parse().ok())
            .collect()
    }

    /// Whether that code is among the status codes.
    fn has_status(&self, code: u16) -> bool {
        self.status_codes().contains(&code)
    }

    /// The `<item/>` of a room's presence.
    fn item(&self) -> Option<&Element> {
        self.child("x", ns::MUC_USER)
            .and_then(|x| x.get_child("item", ns::MUC_USER))
    }

    /// The occupant's role, empty without one.
    fn role(&self) -> &str {
        self.item().map_or("", |item| attr(item, "role"))
    }

    /// The occupant's affiliation, empty without one.
    fn affiliation(&self) -> &str {
        self.item().map_or("", |item| attr(item, "affiliation"))
    }

    /// The occupant's real address, empty when the room does not tell it.
    fn real_jid(&self) -> &str {
        self.item().map_or("", |item| attr(item, "jid"))
    }

    /// The defined condition of a stanza error, as `"item-not-found"`.
    fn error_condition(&self) -> Option<&str> {
        let error = own_child(self.element(), "error")?;
        error
            .children()
            .find(|child| child.has_ns(ns::STANZAS) && child.name() != "text")
            .map(Element::name)
    }

    /// The type of a stanza error, as `"cancel"`.
    fn error_type(&self) -> Option<&str> {
        own_child(self.element(), "error").map(|error| attr(error, "type"))
    }

    /// The text of a stanza error.
    fn error_text(&self) -> Option<String> {
        own_child(self.element(), "error")?
            .get_child("text", ns::STANZAS)
            .map(Element::text)
    }

    /// As XML, for messages.
    fn xml(&self) -> String {
        String::from(self.element())
    }
}

impl Stanza for Element {
    fn element(&self) -> &Element {
        self
    }
}

/// Text made safe for an attribute or a body.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\'' => safe.push_str("&apos;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

fn attr<'a>(element: &'a Element, name: &str) -> &'a str {
    element
        .attrs()
        .iter()
        .find(|((_, key), _)| key.as_str() == name)
        .map_or("", |(_, value)| value.as_str())
}

/// A child in the stanza's own namespace (`jabber:client` here, whatever the archive forwarded).
fn own_child<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    element
        .children()
        .find(|child| child.name() == name && child.ns() == element.ns())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_about_a_presence() {
        let presence: Element = "<presence xmlns='jabber:client' from='r@q/a/b' id='1'>\
            <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member' role='participant' jid='a@b/c'/>\
            <status code='110'/><status code='210'/></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o'/></presence>"
            .parse()
            .expect("well-formed");
        assert_eq!(
            (presence.bare_from(), presence.nick(), presence.id()),
            ("r@q", "a/b", "1")
        );
        assert_eq!(presence.status_codes(), [110, 210]);
        assert_eq!(
            (presence.role(), presence.affiliation(), presence.real_jid()),
            ("participant", "member", "a@b/c")
        );
        assert_eq!(presence.occupant_id(), Some("o"));
        assert_eq!(
            (presence.kind(), presence.body(), presence.error_condition()),
            ("", None, None)
        );
    }

    #[test]
    fn questions_about_a_message() {
        let message: Element = "<message xmlns='jabber:client' type='error'><body>x</body>\
            <stanza-id xmlns='urn:xmpp:sid:0' by='other' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' by='r@q' id='2'/>\
            <delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>\
            <error type='wait'><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>later</text>\
            <gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
            .parse()
            .expect("well-formed");
        assert_eq!(message.stanza_id("r@q"), Some("2"));
        assert_eq!(message.delay(), Some("2020-01-01T00:00:00Z"));
        assert_eq!(
            (message.error_condition(), message.error_type()),
            (Some("gone"), Some("wait"))
        );
        assert_eq!(message.error_text().as_deref(), Some("later"));
    }
}
