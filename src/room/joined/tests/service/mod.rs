//! A MUC service as a value: takes what visitors send, and answers as Prosody does (XEP-0045). Its faults are switches.

mod iq;
mod presence;
mod talk;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jid::Jid;
use minidom::Element;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message;
use xmpp_parsers::presence::Presence;

use crate::model::Timestamp;
use crate::xmpp::render::text::stamp_text;
use crate::xmpp::{Event, Outgoing};

pub(super) const NS: &str = "jabber:component:accept";
pub(super) const ROOM: &str = "cats@c.example";
const OURS: &str = "qq.example";

/// Somebody in the room.
#[derive(Debug, Clone)]
pub(super) struct Occupant {
    pub(super) nick: String,
    /// The full JID.
    pub(super) jid: String,
    pub(super) role: &'static str,
    pub(super) name: Option<String>,
}

impl Occupant {
    pub(super) fn is_ours(&self) -> bool {
        self.jid.contains(OURS)
    }

    fn is_listener(&self) -> bool {
        self.jid.starts_with("bridge@")
    }
}

/// One message as the room showed it.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) nick: String,
    /// Who said it, in truth.
    pub(super) jid: String,
    pub(super) stanza_id: String,
    pub(super) time: Timestamp,
    /// As everybody got it.
    pub(super) message: Element,
}

impl Line {
    pub(super) fn body(&self) -> String {
        self.message
            .get_child("body", NS)
            .map(Element::text)
            .unwrap_or_default()
    }

    pub(super) fn is_ours(&self) -> bool {
        self.jid.contains(OURS)
    }
}

/// How the room is set up, and what goes wrong.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "switches that do not depend on each other")]
pub(super) struct Conduct {
    pub(super) exists: bool,
    pub(super) archive: bool,
    pub(super) occupant_ids: bool,
    pub(super) stanza_ids: bool,
    pub(super) shows_jids: bool,
    pub(super) password: Option<&'static str>,
    pub(super) members_only: bool,
    pub(super) moderated: bool,
    pub(super) most_occupants: usize,
    /// Longest nick of people without affiliation, in bytes.
    pub(super) longest_nick: Option<usize>,
    /// `mod_muc_limits`: events a second, and how many at once.
    pub(super) limit: Option<(f64, f64)>,
    /// Messages that a newcomer gets at most.
    pub(super) history: usize,
    /// Messages on a page of the archive at most.
    pub(super) page: usize,
    /// The service's clock is so much behind.
    pub(super) behind: Duration,
    /// Nothing is answered, and nothing is done.
    pub(super) silent: bool,
    /// Its server cannot be reached.
    pub(super) down: bool,
    /// So many messages of ours are lost on their way to the room.
    pub(super) lose: usize,
    /// So many messages of ours do not come back to the listener.
    pub(super) hide: usize,
    /// So many joins are done and not answered.
    pub(super) mute_joins: usize,
    /// Answers to joins and messages of ours, each for one: type and condition.
    pub(super) refuse_joins: VecDeque<(&'static str, &'static str)>,
    pub(super) refuse_words: VecDeque<(&'static str, &'static str)>,
    /// A text of ours that is always refused with this condition.
    pub(super) refuse_text: Option<(&'static str, &'static str)>,
    /// The archive that disco#info speaks of cannot be read.
    pub(super) refuse_archive: bool,
    /// Requests of admins are refused.
    pub(super) refuse_grants: bool,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            exists: true,
            archive: true,
            occupant_ids: true,
            stanza_ids: true,
            shows_jids: false,
            password: None,
            members_only: false,
            moderated: false,
            most_occupants: 1000,
            longest_nick: None,
            limit: None,
            history: 20,
            page: 100,
            behind: Duration::ZERO,
            silent: false,
            down: false,
            lose: 0,
            hide: 0,
            mute_joins: 0,
            refuse_joins: VecDeque::new(),
            refuse_words: VecDeque::new(),
            refuse_text: None,
            refuse_archive: false,
            refuse_grants: false,
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) conduct: Conduct,
    pub(super) occupants: Vec<Occupant>,
    /// By bare JID.
    pub(super) affiliations: BTreeMap<String, &'static str>,
    /// All that was shown, as people saw it; the archive holds the same.
    pub(super) lines: Vec<Line>,
    /// To whom of ours, what.
    pub(super) out: VecDeque<Event>,
    /// Everything that came in, as XML.
    pub(super) got: Vec<Element>,
    /// Private messages to people: nick and body.
    pub(super) whispers: Vec<(String, String)>,
    /// Who entered or left of ours, in order.
    pub(super) comings: Vec<String>,
    pub(super) now: Timestamp,
    serial: u64,
    tokens: f64,
    counted: Timestamp,
}

impl Service {
    pub(super) fn new(conduct: Conduct, now: Timestamp) -> Self {
        Self {
            conduct,
            now,
            ..Self::default()
        }
    }

    /// Takes a stanza of ours.
    pub(super) fn take(&mut self, outgoing: Outgoing, now: Timestamp) {
        self.now = now;
        let [to] = &outgoing.to[..] else {
            panic!("a visitor speaks to one at a time: {outgoing:?}");
        };
        let stanza = wire(outgoing.stanza, to.clone());
        self.got.push(stanza.clone());
        match stanza.name() {
            _ if self.conduct.silent => {}
            _ if self.conduct.down => self.bounce_all(&stanza),
            "presence" => self.presence(&stanza),
            "message" => self.message(&stanza),
            _ => self.iq(&stanza),
        }
    }

    /// What a server does that does not reach the room's.
    fn bounce_all(&mut self, stanza: &Element) {
        let kind = stanza.attr("type").unwrap_or_default();
        if !["error", "result", "unavailable"].contains(&kind) {
            let bounce = error(stanza, "cancel", "remote-server-not-found");
            self.out.push_back(event(&parse(&bounce)));
        }
    }

    /// An error for a stanza of ours.
    fn refuse(&mut self, stanza: &Element, kind: &str, condition: &str) {
        self.send(&error(stanza, kind, condition));
    }

    /// Something for one of ours, unless it is a copy that the component drops.
    pub(super) fn send(&mut self, xml: &str) {
        if !self.conduct.silent && !self.conduct.down {
            self.out.push_back(event(&parse(xml)));
        }
    }

    pub(super) fn by_jid(&self, jid: &str) -> Option<&Occupant> {
        self.occupants.iter().find(|occupant| occupant.jid == jid)
    }

    pub(super) fn by_nick(&self, nick: &str) -> Option<&Occupant> {
        self.occupants.iter().find(|occupant| occupant.nick == nick)
    }

    /// Nicks of ours in the room, sorted.
    pub(super) fn ours(&self) -> Vec<String> {
        let mut nicks: Vec<String> = self
            .occupants
            .iter()
            .filter(|occupant| occupant.is_ours())
            .map(|occupant| occupant.nick.clone())
            .collect();
        nicks.sort();
        nicks
    }

    pub(super) fn listener(&self) -> Option<Occupant> {
        self.occupants.iter().find(|o| o.is_listener()).cloned()
    }

    fn affiliation(&self, jid: &str) -> &'static str {
        let bare = jid.split('/').next().unwrap_or_default();
        self.affiliations.get(bare).copied().unwrap_or("none")
    }

    fn occupant_id(&self, jid: &str) -> String {
        let bare = jid.split('/').next().unwrap_or_default();
        if self.conduct.occupant_ids {
            format!("<occupant-id xmlns='urn:xmpp:occupant-id:0' id='o-{bare}'/>")
        } else {
            String::new()
        }
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Whether the room's limit lets an event of somebody pass.
    fn pays(&mut self, jid: &str, cost: f64) -> bool {
        let Some((rate, burst)) = self.conduct.limit else {
            return true;
        };
        if self.affiliation(jid) != "none" {
            return true;
        }
        let passed = self.now.since(self.counted).as_secs_f64();
        self.counted = self.now;
        self.tokens = (self.tokens + passed * rate).min(burst);
        let enough = self.tokens >= cost;
        if enough {
            self.tokens -= cost;
        }
        enough
    }

    /// The bodies that people saw, each with the nick that said it.
    pub(super) fn shown(&self) -> Vec<String> {
        let with_words = self.lines.iter().filter(|line| !line.body().is_empty());
        with_words
            .map(|line| format!("{}| {}", line.nick, line.body()))
            .collect()
    }

    /// Stanzas of ours of this name whose XML has all of these.
    pub(super) fn asked(&self, name: &str, has: &[&str]) -> usize {
        let text = |element: &&Element| {
            let text = String::from(*element);
            element.name() == name && has.iter().all(|part| text.contains(part))
        };
        self.got.iter().filter(text).count()
    }
}

fn error(stanza: &Element, kind: &str, condition: &str) -> String {
    let (name, from, to) = (stanza.name(), attr(stanza, "to"), attr(stanza, "from"));
    let id = id_of(stanza);
    format!(
        "<{name} type='error' from='{from}' to='{to}'{id}><error type='{kind}'><{condition} \
         xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></{name}>"
    )
}

pub(super) fn attr(element: &Element, name: &str) -> String {
    element.attr(name).unwrap_or_default().to_owned()
}

fn id_of(element: &Element) -> String {
    element.attr("id").map(|id| format!(" id='{id}'")).unwrap_or_default()
}

fn stamp(time: Timestamp) -> String {
    stamp_text(time)
}

/// An element in the component's namespace.
pub(super) fn parse(text: &str) -> Element {
    let end = text[1..].find(['/', '>', ' ']).map_or(text.len(), |at| at + 1);
    let xml = format!("{} xmlns='{NS}'{}", &text[..end], &text[end..]);
    xml.parse().unwrap_or_else(|e| panic!("{e}: {xml}"))
}

/// As it is on the wire.
fn wire(stanza: Stanza, to: Jid) -> Element {
    let element: Element = match stanza {
        Stanza::Presence(mut presence) => {
            presence.to = Some(to);
            presence.into()
        }
        Stanza::Message(mut message) => {
            message.to = Some(to);
            message.into()
        }
        Stanza::Iq(mut iq) => {
            *iq.to_mut() = Some(to);
            iq.into()
        }
    };
    String::from(&element).parse().expect("XML")
}

pub(super) fn event(element: &Element) -> Event {
    let jid = |name: &str| Jid::new(&attr(element, name)).expect("a JID");
    let (from, to) = (jid("from"), jid("to"));
    let element = element.clone();
    let stanza = match element.name() {
        "presence" => Stanza::Presence(Presence::try_from(element).expect("a presence")),
        "message" => Stanza::Message(Message::try_from(element).expect("a message")),
        _ => Stanza::Iq(Iq::try_from(element).expect("an iq")),
    };
    Event { from, to, stanza }
}
