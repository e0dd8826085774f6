//! Stanzas in and out of the room under test: written as XML, compared as elements.

use super::*;

pub(super) fn join_xml(session: &str, nick: &str) -> String {
    format!("<presence id='j1' from='{session}' to='rust@qq.example/{nick}'><x xmlns='{MUC}'/></presence>")
}

pub(super) fn xml(text: &str) -> Element {
    let end = text
        .find(['/', '>', ' '])
        .map_or(0, |first| text[1..].find(['/', '>', ' ']).map_or(first, |n| n + 1));
    format!("{} xmlns='{NS}'{}", &text[..end], &text[end..])
        .parse()
        .unwrap_or_else(|e| panic!("{e}: {text}"))
}

pub(super) fn event(text: &str) -> Event {
    let element = xml(text);
    let jid = |name: &str| Jid::new(element.attr(name).expect("an address")).expect("a JID");
    let (from, to) = (jid("from"), jid("to"));
    let stanza = match element.name() {
        "presence" => Stanza::Presence(Presence::try_from(element).expect("a presence")),
        "message" => Stanza::Message(Message::try_from(element).expect("a message")),
        _ => Stanza::Iq(Iq::try_from(element).expect("an iq")),
    };
    Event { from, to, stanza }
}

pub(super) fn element(stanza: Stanza) -> Element {
    let mut element: Element = match stanza {
        Stanza::Presence(p) => p.into(),
        Stanza::Message(m) => m.into(),
        Stanza::Iq(iq) => iq.into(),
    };
    if element.name() == "presence" {
        element.remove_child("priority", NS);
    }
    // As it is on the wire: without empty texts.
    String::from(&element).parse().expect("XML")
}

/// One entry for each recipient.
pub(super) fn got(outgoing: Outgoing) -> Vec<Got> {
    let element = element(outgoing.stanza);
    outgoing
        .to
        .into_iter()
        .map(|to| (to.to_string(), element.clone()))
        .collect()
}

/// Exactly these stanzas to these recipients, in this order.
#[track_caller]
pub(super) fn expect(got: &[Got], wanted: &[(&str, String)]) {
    let show = |list: &[Got]| {
        list.iter()
            .map(|(to, e)| format!("  {to} ← {}", String::from(e)))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let wanted: Vec<Got> = wanted.iter().map(|(to, x)| ((*to).to_owned(), xml(x))).collect();
    assert!(got == wanted, "got:\n{}\nwanted:\n{}", show(got), show(&wanted));
}

/// Exactly one stanza, to this recipient.
#[track_caller]
pub(super) fn only<'a>(got: &'a [Got], to: &str) -> &'a Element {
    assert_eq!(got.len(), 1, "{got:#?}");
    assert_eq!(got[0].0, to);
    &got[0].1
}

/// The condition of an error, and its type.
#[track_caller]
pub(super) fn refused(got: &[Got], to: &str) -> (String, String) {
    let stanza = only(got, to);
    assert_eq!(stanza.attr("type"), Some("error"), "{stanza:?}");
    let error = stanza.get_child("error", NS).expect("an error");
    assert_eq!(error.attr("by"), Some("rust@qq.example"));
    let condition = error.children().find(|c| c.name() != "text").expect("a condition");
    (
        error.attr("type").unwrap_or_default().to_owned(),
        condition.name().to_owned(),
    )
}

/// The status codes of a presence.
pub(super) fn codes(element: &Element) -> Vec<String> {
    element
        .get_child("x", USER)
        .into_iter()
        .flat_map(Element::children)
        .filter(|c| c.name() == "status")
        .map(|c| c.attr("code").unwrap_or_default().to_owned())
        .collect()
}

pub(super) fn full(jid: &str) -> FullJid {
    FullJid::new(jid).expect("a full JID")
}
