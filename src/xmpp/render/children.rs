//! The children of a stanza as text, the form in which they are kept: elements one after the other, in the component's namespace.

use minidom::Element;
use xmpp_parsers::message::{Message, MessageType};
use xmpp_parsers::ns::{DEFAULT_NS, JABBER_CLIENT};
use xmpp_parsers::presence::{Presence, Type};

/// The children of a message as text.
pub fn of_message(message: Message) -> String {
    write(&message.into())
}

/// The children of a presence as text; a priority means nothing in a room.
pub fn of_presence(presence: Presence) -> String {
    let mut stanza: Element = presence.into();
    stanza.remove_child("priority", DEFAULT_NS);
    write(&stanza)
}

fn write(stanza: &Element) -> String {
    stanza.children().map(String::from).collect()
}

/// A groupchat message of these children. Text that is no XML (a damaged store) gives an empty one.
pub fn to_message(children: &str) -> Message {
    parse("message", children)
        .and_then(|stanza| Message::try_from(stanza).ok())
        .map_or_else(
            || Message::groupchat(None),
            |m| Message {
                type_: MessageType::Groupchat,
                ..m
            },
        )
}

/// A presence of this type and these children.
pub fn to_presence(type_: Type, children: &str) -> Presence {
    if children.is_empty() {
        return Presence::new(type_);
    }
    let mut presence = parse("presence", children)
        .and_then(|stanza| Presence::try_from(stanza).ok())
        .unwrap_or_else(Presence::available);
    presence.type_ = type_;
    presence
}

fn parse(name: &str, children: &str) -> Option<Element> {
    format!("<{name} xmlns='{DEFAULT_NS}'>{children}</{name}>").parse().ok()
}

/// The element with everything of the component's namespace in `jabber:client`: what is forwarded inside another stanza
/// reaches the client as it is, without the server's translation.
pub fn for_clients(element: &Element) -> Element {
    translated(element, DEFAULT_NS, JABBER_CLIENT)
}

/// The reverse: what somebody else's archive forwarded, as it would have come by itself.
pub fn from_clients(element: &Element) -> Element {
    translated(element, JABBER_CLIENT, DEFAULT_NS)
}

fn translated(element: &Element, from: &str, to: &str) -> Element {
    let ns = if element.has_ns(from) {
        to.to_owned()
    } else {
        element.ns()
    };
    let mut out = Element::bare(element.name(), ns);
    out.attrs_mut().clone_from(element.attrs());
    for node in element.nodes() {
        match node {
            minidom::Node::Element(child) => {
                out.append_child(translated(child, from, to));
            }
            minidom::Node::Text(text) => out.append_text(text.as_str()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_read_back() {
        let children = "<body xmlns='jabber:component:accept' xml:lang='de'>a &lt; b</body><thread xmlns='jabber:component:accept'>t</thread><a xmlns='b'><c xmlns='d' e='f'/></a>";
        let message = to_message(children);
        assert_eq!(message.bodies["de"], "a < b");
        assert_eq!(to_message(&of_message(message.clone())), message);
        assert_eq!(to_message("<broken").bodies.len(), 0);
    }

    #[test]
    fn presence_loses_its_priority() {
        let presence = to_presence(Type::None, "<show xmlns='jabber:component:accept'>away</show>").with_priority(5);
        let children = of_presence(presence);
        assert!(!children.contains("priority"), "{children}");
        assert!(children.contains("away"));
    }
}
