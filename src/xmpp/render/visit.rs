//! What a visitor of somebody else's room sends to its service (XEP-0045 §7, §9, §10; XEP-0313; XEP-0410).

use jid::{BareJid, FullJid, Jid};
use minidom::Element;
use tokio_xmpp::Stanza;
use xmpp_parsers::data_forms::{DataForm, DataFormType, Field};
use xmpp_parsers::disco::DiscoInfoQuery;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::mam::{Query, QueryId};
use xmpp_parsers::message::{Id, Lang, Message, MessageType};
use xmpp_parsers::muc::Muc;
use xmpp_parsers::muc::muc::History;
use xmpp_parsers::nick::Nick;
use xmpp_parsers::ns::MAM;
use xmpp_parsers::ping::Ping;
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::rsm::SetQuery;

use super::text::{legal, stamp, stamp_text};
use crate::model::Timestamp;
use crate::xmpp::Outgoing;
use crate::xmpp::payload::muc_admin::{AdminItem, MucAdmin};
use crate::xmpp::payload::muc_user::{Affiliation, MucUser};
use crate::xmpp::payload::ns::MUC_OWNER;

/// The `FORM_TYPE` of a room's configuration (XEP-0045 §15.5.3).
const ROOM_CONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";

/// How a visitor enters.
#[derive(Debug, Clone, Default)]
pub struct Entry<'a> {
    /// Messages said at this time or later are wanted; `None`: no history at all.
    pub since: Option<Timestamp>,
    /// Of a room that asks for one.
    pub password: Option<&'a str>,
    /// The name as QQ shows it, where the nick is another.
    pub name: Option<&'a str>,
}

/// Asks to be let in as `at`'s resource (XEP-0045 §7.2).
pub fn join(from: &FullJid, at: &FullJid, id: &str, entry: &Entry<'_>) -> Outgoing {
    let history = match entry.since {
        Some(time) => History::new().with_since(stamp(time)),
        None => History::new().with_maxstanzas(0),
    };
    let mut presence = Presence::available().with_payload(Muc {
        password: entry.password.map(legal),
        history: Some(history),
    });
    presence.id = Some(id.to_owned());
    if let Some(name) = entry.name {
        presence.payloads.push(Nick(legal(name)).into());
    }
    to(presence, from, at.clone())
}

/// Takes another nick (§7.6).
pub fn rename(from: &FullJid, at: &FullJid, id: &str) -> Outgoing {
    let mut presence = Presence::available();
    presence.id = Some(id.to_owned());
    to(presence, from, at.clone())
}

/// Leaves, with a word (§7.14).
pub fn leave(from: &FullJid, at: &FullJid, word: &str) -> Outgoing {
    let mut presence = Presence::new(Type::Unavailable);
    if !word.is_empty() {
        presence.statuses.insert(Lang::new(), legal(word));
    }
    to(presence, from, at.clone())
}

fn to(mut presence: Presence, from: &FullJid, at: impl Into<Jid>) -> Outgoing {
    presence.from = Some(from.clone().into());
    Outgoing::one(presence, at)
}

/// Asks what the room can do (XEP-0030).
pub fn features(from: &FullJid, room: &BareJid, id: &str) -> Outgoing {
    get(from, room.clone(), id, DiscoInfoQuery { node: None }.into())
}

/// Asks whether the visitor is still in the room under this nick (XEP-0410 §3.1).
pub fn ping(from: &FullJid, at: &FullJid, id: &str) -> Outgoing {
    get(from, at.clone(), id, Ping.into())
}

/// Where reading the archive begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// Behind the message of this stanza-id.
    After(String),
    /// With what was said at this time or later.
    Since(Timestamp),
}

/// Asks for a page of the room's archive, forwards (XEP-0313 §4, XEP-0059).
pub fn archive(from: &FullJid, room: &BareJid, id: &str, query: &str, cursor: &Cursor, max: usize) -> Outgoing {
    let (after, form) = match cursor {
        Cursor::After(id) => (Some(legal(id)), None),
        Cursor::Since(time) => {
            let start = Field::text_single("start", &stamp_text(*time));
            (None, Some(DataForm::new(DataFormType::Submit, MAM, vec![start])))
        }
    };
    let page = SetQuery {
        max: Some(max),
        after,
        before: None,
        index: None,
    };
    let wanted = Query {
        queryid: Some(QueryId(query.to_owned())),
        node: None,
        form,
        set: Some(page),
        flip_page: false,
    };
    set(from, room, id, wanted.into())
}

/// Makes somebody a member (XEP-0045 §9.3): for admins and owners.
pub fn make_member(from: &FullJid, room: &BareJid, id: &str, who: &BareJid) -> Outgoing {
    let item = AdminItem {
        affiliation: Some(Affiliation::Member),
        jid: Some(who.clone().into()),
        ..AdminItem::default()
    };
    set(from, room, id, MucAdmin { items: vec![item] }.into())
}

/// Takes a room that was just made as it is (§10.1.2): else nobody could enter it.
pub fn unlock(from: &FullJid, room: &BareJid, id: &str) -> Outgoing {
    let form = DataForm::new(DataFormType::Submit, ROOM_CONFIG, Vec::new());
    let form = Element::builder("query", MUC_OWNER).append(Element::from(form));
    set(from, room, id, form.build())
}

fn get(from: &FullJid, to: impl Into<Jid>, id: &str, payload: Element) -> Outgoing {
    let iq = Iq::Get {
        from: Some(from.clone().into()),
        to: None,
        id: id.to_owned(),
        payload,
    };
    Outgoing::one(iq, to)
}

fn set(from: &FullJid, to: &BareJid, id: &str, payload: Element) -> Outgoing {
    let iq = Iq::Set {
        from: Some(from.clone().into()),
        to: None,
        id: id.to_owned(),
        payload,
    };
    Outgoing::one(iq, to.clone())
}

/// Words for one occupant alone (§7.5).
pub fn private(from: &FullJid, at: &FullJid, text: &str) -> Outgoing {
    let mut message = Message::chat(None)
        .with_body(Lang::new(), legal(text))
        .with_payload(MucUser::default());
    message.from = Some(from.clone().into());
    Outgoing::one(message, at.clone())
}

/// Words for everybody, or whatever else a groupchat message carries; `id` stays with it in the room.
pub fn groupchat(from: &FullJid, room: &BareJid, id: &str, mut message: Message) -> Outgoing {
    message.type_ = MessageType::Groupchat;
    message.id = Some(Id(id.to_owned()));
    message.from = Some(from.clone().into());
    Outgoing::one(Stanza::from(message), room.clone())
}
