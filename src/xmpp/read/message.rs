//! What a groupchat message says, and what of it may be passed on.

use std::collections::{BTreeMap, BTreeSet};

use minidom::Element;
use xmpp_parsers::message::{Lang, Message};
use xmpp_parsers::ns::{
    CARBONS, CHATSTATES, DEFAULT_NS, DELAY, DISPLAYED_MARKERS, EME, LEGACY_OMEMO, MAM, MESSAGE_CORRECT, MUC_USER, OID,
    OOB, OX, REACTIONS, RECEIPTS, RTT, SID,
};

use crate::xmpp::payload::fallback::{self, Fallback};
use crate::xmpp::payload::mention::Reference;
use crate::xmpp::payload::ns::{
    ADDRESS, FALLBACK, FASTEN, HINTS, MODERATE, MODERATE_0, OMEMO, PGP, PRIVILEGE, REPLY, RETRACT, SFS,
};
use crate::xmpp::payload::reply::Reply;

/// Reactions of one person to one message that are looked at.
const MOST_REACTIONS: usize = 8;
/// Longest reaction, in code points: a family of emoji has seven.
const LONGEST_REACTION: usize = 8;

/// What kind of groupchat message it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Has a body: shown, kept, spoken on QQ.
    Said,
    /// Sets the subject.
    Subject(String),
    /// Without a body, but worth keeping: reactions, retractions, markers.
    Kept,
    /// Without a body, of the moment: chat states and the like.
    Fleeting,
    /// Nothing in it.
    Empty,
}

/// Tells the kind of a message that [`clean`] went over.
pub fn kind(message: &Message) -> Kind {
    if !message.bodies.is_empty() {
        return Kind::Said;
    }
    if message.thread.is_none()
        && let Some((_, subject)) = message.get_best_subject(vec!["en", "zh"])
    {
        return Kind::Subject(subject.clone());
    }
    let worth = message.payloads.iter().any(|p| {
        let ns = p.ns();
        [REACTIONS, RETRACT, DISPLAYED_MARKERS, FASTEN].contains(&ns.as_str()) || p.is("store", HINTS)
    });
    if worth {
        return Kind::Kept;
    }
    let silent = message.payloads.iter().all(|p| p.has_ns(HINTS));
    if silent { Kind::Empty } else { Kind::Fleeting }
}

/// Takes out of a message what only the room or a server may say: ids, delays, archive answers, moderation, tombstones. Empty bodies
/// go too.
pub fn clean(message: &mut Message) {
    message.payloads.retain(|p| !forged(p));
    message.bodies.retain(|_, body| !body.is_empty());
    neutral(&mut message.bodies);
    neutral(&mut message.subjects);
}

/// A single text loses its language: it is mostly the stream's, which the server lets every stanza inherit.
pub(super) fn neutral(texts: &mut BTreeMap<Lang, String>) {
    if texts.len() == 1 {
        *texts = std::mem::take(texts)
            .into_values()
            .map(|text| (Lang::new(), text))
            .collect();
    }
}

/// Only the room or a server may say this.
pub fn forged(p: &Element) -> bool {
    let ns = p.ns();
    p.is("stanza-id", SID)
        || ns == "jabber:x:delay"
        || [OID, DELAY, MUC_USER, MAM, CARBONS, ADDRESS, MODERATE, MODERATE_0].contains(&ns.as_str())
        || ns.starts_with(PRIVILEGE)
        || p.is("error", DEFAULT_NS)
        || p.is("retracted", RETRACT)
        || moderated(p)
}

/// Holds a claim that a moderator took something back, at any depth: only the room says such things.
fn moderated(p: &Element) -> bool {
    [RETRACT, FASTEN].contains(&p.ns().as_str())
        && p.children()
            .any(|c| c.has_ns(MODERATE) || c.has_ns(MODERATE_0) || c.name() == "moderated")
}

/// The message is encrypted for somebody, who cannot be the room.
pub fn encrypted(message: &Message) -> bool {
    message.payloads.iter().any(|p| {
        let ns = p.ns();
        (p.name() == "encrypted" && [LEGACY_OMEMO, OMEMO].contains(&ns.as_str()))
            || p.is("encryption", EME)
            || p.is("x", PGP)
            || p.is("openpgp", OX)
    })
}

/// The author's own id of the message (XEP-0359), by which a repetition is known.
pub fn origin(message: &Message) -> Option<String> {
    message
        .payloads
        .iter()
        .find(|p| p.is("origin-id", SID))
        .and_then(|p| p.attr("id"))
        .filter(|id| !id.is_empty())
        .map(ToOwned::to_owned)
}

/// The author's id of the message that this one corrects (XEP-0308).
pub fn corrects(message: &Message) -> Option<String> {
    let replace = message.payloads.iter().find(|p| p.is("replace", MESSAGE_CORRECT))?;
    replace.attr("id").map(ToOwned::to_owned)
}

/// The id of the message that this one takes back (XEP-0424); two of them at once are none.
pub fn takes_back(message: &Message) -> Option<String> {
    let mut all = message
        .payloads
        .iter()
        .filter(|p| p.is("retract", RETRACT) && !forged(p));
    let retract = all.next().filter(|_| all.next().is_none())?;
    retract.attr("id").map(ToOwned::to_owned)
}

/// The stanza-id of the message that this one answers (XEP-0461).
pub fn answers(message: &Message) -> Option<String> {
    payload::<Reply>(message, "reply", REPLY).map(|reply| reply.id)
}

/// All reactions of the author to one message (XEP-0444).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reacted {
    /// The stanza-id of the message.
    pub to: String,
    /// Emoji, sorted, each once; none when the last was taken away.
    pub emoji: Vec<String>,
}

/// Reads the reactions of a message, as far as they are some emoji. Nobody may send two of them at once (§4).
pub fn reacted(message: &Message) -> Option<Reacted> {
    let mut all = message.payloads.iter().filter(|p| p.is("reactions", REACTIONS));
    let reactions = all.next().filter(|_| all.next().is_none())?;
    let mut emoji = BTreeSet::new();
    for reaction in reactions.children().filter(|c| c.is("reaction", REACTIONS)) {
        let text = reaction.text();
        let text = text.trim();
        if emoji.len() < MOST_REACTIONS && !text.is_empty() && text.chars().nth(LONGEST_REACTION).is_none() {
            emoji.insert(text.to_owned());
        }
    }
    Some(Reacted {
        to: reactions.attr("id")?.to_owned(),
        emoji: emoji.into_iter().collect(),
    })
}

/// What a message says to people who see text alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The words, without what is only there for old clients.
    pub text: String,
    /// `/me`.
    pub action: bool,
    /// The stanza-id of the message that is answered.
    pub answers: Option<String>,
    /// What of the body repeats the message that is answered: its first line.
    pub quote: Option<String>,
    /// URIs of who is mentioned by XEP-0372.
    pub mentioned: Vec<String>,
}

/// Reads what is said; `None` when no words remain, as in a reaction with fallback text.
pub fn said(message: &Message) -> Option<Said> {
    let (_, body) = message.get_best_body(vec![])?;
    let mut covered = Vec::new();
    let mut quotes = Vec::new();
    for p in message.payloads.iter().filter(|p| p.is("fallback", FALLBACK)) {
        let Ok(fallback) = Fallback::try_from(p.clone()) else {
            continue;
        };
        // There the body is the link itself, which QQ needs.
        if [SFS, OOB].contains(&fallback.for_.as_deref().unwrap_or(REPLY)) {
            continue;
        }
        if fallback.bodies.is_empty() {
            return None;
        }
        if fallback.for_.as_deref() == Some(REPLY) {
            quotes.extend_from_slice(&fallback.bodies);
        }
        covered.extend(fallback.bodies);
    }
    let stripped = fallback::strip(body, &covered);
    let (text, action) = match stripped.strip_prefix("/me ") {
        Some(act) => (act.trim(), true),
        None => (stripped.trim(), false),
    };
    if text.is_empty() {
        return None;
    }
    let corrects = message.payloads.iter().any(|p| p.is("replace", MESSAGE_CORRECT));
    Some(Said {
        text: if corrects { format!("* {text}") } else { text.to_owned() },
        action,
        answers: answers(message),
        quote: fallback::covered(body, &quotes).filter(|_| answers(message).is_some()),
        mentioned: message
            .payloads
            .iter()
            .filter_map(|p| Reference::try_from(p.clone()).ok())
            .filter(|r| r.type_ == "mention")
            .filter_map(|r| r.uri)
            .collect(),
    })
}

fn payload<T: TryFrom<Element>>(message: &Message, name: &str, ns: &str) -> Option<T> {
    let p = message.payloads.iter().find(|p| p.is(name, ns))?;
    T::try_from(p.clone()).ok()
}

/// Chat states, receipts and typing as one sees it: nobody is told when they cannot be passed on.
pub fn unimportant(message: &Message) -> bool {
    message.bodies.is_empty()
        && message.subjects.is_empty()
        && message
            .payloads
            .iter()
            .all(|p| [CHATSTATES, RECEIPTS, RTT, HINTS].contains(&p.ns().as_str()))
}
