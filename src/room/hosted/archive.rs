//! The archive (XEP-0313): who may ask, what is asked, and how an answer looks. The rows are read elsewhere.

use jid::Jid;
use minidom::Element;
use xmpp_parsers::data_forms::{DataForm, DataFormType, Field, FieldType};
use xmpp_parsers::mam::{Fin, Query as MamQuery};
use xmpp_parsers::message::{Message, MessageType};
use xmpp_parsers::ns::{FORWARD, MAM};
use xmpp_parsers::rsm::{First, SetResult};
use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::iq::Asked;
use super::occupants::Holder;
use crate::model::{Author, MemberId, Row, Seq, Timestamp};
use crate::room::{Admitted, ArchiveEnds, ArchiveQuery, Effect, With};
use crate::xmpp::Outgoing;
use crate::xmpp::payload::archive::{End, Found, Metadata, Start};
use crate::xmpp::payload::delay::Delay;
use crate::xmpp::payload::muc_user::{Affiliation, Item, Role};
use crate::xmpp::read::archive::{self as read, Wrong};
use crate::xmpp::render::error::{Refusal, result};
use crate::xmpp::render::text::stamp_text;
use crate::xmpp::render::{Ids, message};

/// A page of the archive, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct PageView<'a> {
    /// The rows.
    pub rows: &'a [Row],
    /// How many rows the filter lets through, over all pages.
    pub count: u64,
    /// Place of the first row of this page among them.
    pub index: u64,
    /// Nothing more lies in the direction of paging.
    pub complete: bool,
}

impl HostedRoom {
    /// Somebody who may be in the room asks; that was seen to before.
    pub(super) fn archive_query(&self, asked: &Asked<'_>) -> Result<Admitted, Refusal> {
        let query = read::read(asked.payload, &self.ids).map_err(|wrong| match wrong {
            Wrong::Malformed => Refusal::modify(DefinedCondition::BadRequest),
            Wrong::UnknownId => Refusal::cancel(DefinedCondition::ItemNotFound),
            Wrong::NotOffered => Refusal::cancel(DefinedCondition::FeatureNotImplemented),
        })?;
        let with = query.with.as_ref().map(|jid| self.with(asked.from, jid)).transpose()?;
        Ok(Admitted::effect(Effect::Archive(ArchiveQuery {
            to: asked.from.clone(),
            id: asked.id.to_owned(),
            query,
            with,
            sees_jids: self.sees_jids(asked.from),
            language: self.settings.language,
        })))
    }

    pub(super) fn archive_ends(asked: &Asked<'_>) -> Admitted {
        Admitted::effect(Effect::ArchiveEnds(ArchiveEnds {
            to: asked.from.clone(),
            id: asked.id.to_owned(),
        }))
    }

    /// Whom a JID means: an occupant of this room, or for those who see real JIDs (and for oneself) a person.
    fn with(&self, asker: &Jid, jid: &Jid) -> Result<With, Refusal> {
        let who = jid.to_bare();
        if who == self.settings.jid {
            let nick = jid.resource().map_or("", |r| r.as_str());
            return match (self.book.holder(nick), self.book.last_holder(nick)) {
                (Some(Holder::Member(id)), _) => Ok(With::Member(id.clone())),
                (Some(Holder::Person(who)), _) | (None, Some(who)) => Ok(With::Occupant(who.clone())),
                (None, None) => Err(Refusal::cancel(DefinedCondition::ItemNotFound)),
            };
        }
        if !self.sees_jids(asker) && who != asker.to_bare() {
            return Err(Refusal::auth(DefinedCondition::Forbidden));
        }
        if who.domain() != self.settings.jid.domain() {
            return Ok(With::Occupant(who));
        }
        let number = who.node().and_then(|node| MemberId::parse(node.as_str()));
        number
            .filter(|id| id.number().is_some())
            .map(With::Member)
            .ok_or_else(|| Refusal::cancel(DefinedCondition::ItemNotFound))
    }
}

/// The form of a query (§4.1.5).
pub(super) fn form() -> Element {
    let plain = |var| Field::new(var, FieldType::TextSingle);
    let fields = vec![
        Field::new("with", FieldType::JidSingle),
        plain("start"),
        plain("end"),
        plain("before-id"),
        plain("after-id"),
        Field::new("ids", FieldType::ListMulti),
        Field::new("include-groupchat", FieldType::Boolean),
    ];
    MamQuery {
        queryid: None,
        node: None,
        form: Some(DataForm::new(DataFormType::Form, MAM, fields)),
        set: None,
        flip_page: false,
    }
    .into()
}

/// The answer to a query: its messages, then the result of the request.
pub fn answer(ids: &Ids, asked: &ArchiveQuery, page: PageView<'_>) -> Vec<Outgoing> {
    let mut out: Vec<Outgoing> = page
        .rows
        .iter()
        .map(|row| Outgoing::one(found(ids, asked, row), asked.to.clone()))
        .collect();
    if asked.query.flip {
        out.reverse();
    }
    let id = |row: &Row| ids.stanza_id(row.seq);
    let small = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let forward = matches!(asked.query.page, read::PageWanted::First | read::PageWanted::After(_));
    let fin = Fin {
        complete: page.complete,
        set: SetResult {
            first: page.rows.first().map(|row| First {
                // slixmpp takes an index that ends at the count for the end of the archive, whichever way it goes.
                index: forward.then(|| small(page.index)),
                item: id(row),
            }),
            last: page.rows.last().map(id),
            count: Some(small(page.count)),
        },
    };
    out.push(result(&room(ids), &asked.to, &asked.id, Some(fin.into())));
    out
}

fn found(ids: &Ids, asked: &ArchiveQuery, row: &Row) -> Message {
    let item = match &row.author {
        Author::Occupant(who) if asked.sees_jids => Some(Item {
            jid: Some(who.clone().into()),
            ..Item::new(Affiliation::None, Role::Participant)
        }),
        Author::Member { id, .. } if asked.sees_jids => id.number().and_then(|number| {
            let jid = Jid::new(&format!("{number}@{}", ids.room().domain())).ok()?;
            Some(Item {
                jid: Some(jid),
                ..Item::new(Affiliation::Member, Role::Participant)
            })
        }),
        _ => None,
    };
    let mut forwarded = Element::bare("forwarded", FORWARD);
    let delay = Delay {
        from: None,
        stamp: stamp_text(row.time),
    };
    forwarded.append_child(delay.into());
    forwarded.append_child(message::archived(ids, asked.language, row, item));
    let found = Found {
        id: ids.stanza_id(row.seq),
        queryid: asked.query.queryid.clone(),
        forwarded,
    };
    let mut message = Message::new_with_type(MessageType::Normal, None);
    message.from = Some(room(ids));
    message.payloads.push(found.into());
    message
}

/// The answer to a question for the ends of the archive (§7).
pub fn ends(ids: &Ids, asked: &ArchiveEnds, ends: Option<((Seq, Timestamp), (Seq, Timestamp))>) -> Outgoing {
    let metadata = Metadata {
        start: ends.map(|((seq, time), _)| Start {
            id: ids.stanza_id(seq),
            timestamp: stamp_text(time),
        }),
        end: ends.map(|(_, (seq, time))| End {
            id: ids.stanza_id(seq),
            timestamp: stamp_text(time),
        }),
    };
    result(&room(ids), &asked.to, &asked.id, Some(metadata.into()))
}

fn room(ids: &Ids) -> Jid {
    ids.room().clone().into()
}

/// The answer when the archive could not be read.
pub fn unreadable(ids: &Ids, to: &Jid, id: &str) -> Outgoing {
    Refusal::wait(DefinedCondition::InternalServerError).iq(ids.room(), &room(ids), to, id)
}

/// The answer when a query names a row that is no longer there.
pub fn not_found(ids: &Ids, asked: &ArchiveQuery) -> Outgoing {
    Refusal::cancel(DefinedCondition::ItemNotFound).iq(ids.room(), &room(ids), &asked.to, &asked.id)
}
