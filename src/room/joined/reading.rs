//! Reading up: what was said in the room while the listener was away, or while it was not sure of having heard all.
//!
//! From the room's archive, behind the last message that was heard (XEP-0313); where there is none, from the history that a newcomer
//! gets. Both show our own words too: what was on its way is known to have arrived, or not. What is said meanwhile is held back.

use std::collections::VecDeque;
use std::time::Duration;

use jid::Jid;
use minidom::Element;
use xmpp_parsers::message::Message;
use xmpp_parsers::stanza_error::StanzaError;

use super::listener::{PATIENCE, Place};
use super::{CLOCKS_APART, JoinedRoom};
use crate::model::{Heard, Timestamp};
use crate::room::{Aside, Effect};
use crate::xmpp::read::visit as read;
use crate::xmpp::render::visit::{self, Cursor};

/// Messages on a page.
const PAGE: usize = 100;
/// Messages held back meanwhile; more are read from the archive.
const MOST_HELD: usize = 1000;
/// History ends with the subject; a room that sends none is not waited for longer.
const SUBJECT: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(super) struct Reading {
    from: Source,
    pub(super) until: Timestamp,
    held: VecDeque<(Jid, Message)>,
    /// More came than can be held.
    overflow: bool,
    /// People's messages that are too old for QQ.
    pub(super) too_late: usize,
    /// Up to when the room was heard before.
    heard: Timestamp,
}

#[derive(Debug)]
enum Source {
    History,
    Archive {
        request: String,
        query: String,
        cursor: Cursor,
    },
}

impl Reading {
    /// Whether it waits for the answer to this request.
    pub(super) fn asked(&self, id: &str) -> bool {
        matches!(&self.from, Source::Archive { request, .. } if request == id)
    }

    /// Whether live messages are history now.
    pub(super) fn is_history(&self) -> bool {
        matches!(self.from, Source::History)
    }

    /// A message that people are too late for. History begins with what was heard last; an archive was asked for what came behind
    /// it, whatever its clock says.
    pub(super) fn is_too_late(&mut self, time: Timestamp) {
        if !self.is_history() || time > self.heard {
            self.too_late += 1;
        }
    }

    /// Holds a message back.
    pub(super) fn hold(&mut self, from: Jid, message: Message) {
        if self.held.len() >= MOST_HELD {
            self.overflow = true;
            return;
        }
        self.held.push_back((from, message));
    }
}

impl JoinedRoom {
    /// The listener is in: reads what it missed, if it was ever in before.
    pub(super) fn read_up(&mut self) {
        let Some(heard) = self.heard.clone() else {
            self.hear_up_to(None, self.now);
            self.at_home();
            return;
        };
        if self.listener.has_archive {
            let cursor = match heard.id {
                Some(id) => Cursor::After(id),
                None => Cursor::Since(heard.time.minus(CLOCKS_APART)),
            };
            self.ask_archive(cursor, None);
        } else {
            self.listener.place = Place::Reading(Reading {
                from: Source::History,
                until: self.now.plus(SUBJECT),
                held: VecDeque::new(),
                overflow: false,
                too_late: 0,
                heard: heard.time,
            });
        }
    }

    fn ask_archive(&mut self, cursor: Cursor, so_far: Option<Reading>) {
        let (request, query) = (self.next_id(), self.next_id());
        let page = visit::archive(&self.listener.jid, &self.settings.jid, &request, &query, &cursor, PAGE);
        self.out.replies.push(page);
        let heard = self.heard.as_ref().map_or(self.now, |heard| heard.time);
        let (held, overflow, too_late) = so_far.map_or_else(Default::default, |reading| {
            (reading.held, reading.overflow, reading.too_late)
        });
        self.listener.place = Place::Reading(Reading {
            from: Source::Archive { request, query, cursor },
            until: self.now.plus(PATIENCE),
            held,
            overflow,
            too_late,
            heard,
        });
    }

    /// One message of a page.
    pub(super) fn found(&mut self, found: read::Archived) {
        let Place::Reading(Reading {
            from: Source::Archive { query, cursor, .. },
            until,
            ..
        }) = &mut self.listener.place
        else {
            return;
        };
        if found.query.as_deref() != Some(query.as_str()) {
            return;
        }
        *cursor = Cursor::After(found.id.clone());
        *until = self.now.plus(PATIENCE);
        let mut message = found.message;
        let Some(from) = message.from.take() else { return };
        self.hear(&from, message, Some((Some(found.id), found.time)));
    }

    /// The end of a page.
    pub(super) fn page_read(&mut self, answer: Result<Option<Element>, StanzaError>) {
        let Place::Reading(reading) = std::mem::replace(&mut self.listener.place, Place::In) else {
            return;
        };
        let Source::Archive { cursor, .. } = &reading.from else {
            self.listener.place = Place::Reading(reading);
            return;
        };
        let end = match answer {
            Ok(payload) => payload.as_ref().and_then(read::page_end).unwrap_or(read::PageEnd {
                complete: true,
                last: None,
            }),
            Err(error) => {
                let refused = read::Refused::of(&error);
                let time = self.heard.as_ref().map_or(self.now, |heard| heard.time);
                if refused.is_remote() {
                    self.unreachable(&refused.condition);
                } else if refused.condition == "item-not-found" && matches!(cursor, Cursor::After(_)) {
                    // Forgotten there: by time, then. What is read twice is known by its id.
                    self.ask_archive(Cursor::Since(time.minus(CLOCKS_APART)), Some(reading));
                } else {
                    tracing::warn!(room = %self.settings.jid, condition = refused.condition, "the room's archive cannot be read");
                    // What is on its way may have arrived, so nothing is said before history told.
                    self.listener.archive_refused = true;
                    self.away(self.now);
                }
                return;
            }
        };
        match end.last {
            Some(last) if !end.complete => self.ask_archive(Cursor::After(last), Some(reading)),
            _ if reading.overflow => {
                let cursor = cursor.clone();
                let again = Reading {
                    held: VecDeque::new(),
                    overflow: false,
                    ..reading
                };
                self.ask_archive(cursor, Some(again));
            }
            _ => self.finish_reading(reading),
        }
    }

    /// The time is up: history has no end of its own, an archive that falls silent is a server that does.
    pub(super) fn reading_late(&mut self) {
        match std::mem::replace(&mut self.listener.place, Place::In) {
            Place::Reading(reading) if reading.is_history() => self.finish_reading(reading),
            Place::Reading(_) => self.unreachable("its archive does not answer"),
            place => self.listener.place = place,
        }
    }

    /// The subject came: history is over (XEP-0045 §7.2.15).
    pub(super) fn history_over(&mut self) {
        match std::mem::replace(&mut self.listener.place, Place::In) {
            Place::Reading(reading) if reading.is_history() => self.finish_reading(reading),
            place => self.listener.place = place,
        }
    }

    fn finish_reading(&mut self, reading: Reading) {
        self.at_home();
        if reading.too_late > 0 {
            self.out
                .effects
                .push(Effect::Aside(Aside::TooLateForQq(reading.too_late)));
        }
        for (from, message) in reading.held {
            self.hear(&from, message, None);
        }
        self.not_shown();
    }

    /// Everything up to this message was heard.
    pub(super) fn hear_up_to(&mut self, id: Option<String>, time: Timestamp) {
        let before = self.heard_last();
        let time = before.map_or(time, |heard| heard.time.max(time));
        let id = id.or_else(|| before.and_then(|heard| heard.id.clone()));
        self.heard_ahead = Some(Heard { id, time });
        self.keep_heard();
    }

    /// What was heard last.
    pub(super) fn heard_last(&self) -> Option<&Heard> {
        self.heard_ahead.as_ref().or(self.heard.as_ref())
    }

    /// The store learns it, unless it would then not be read up what became of something that is on its way.
    pub(super) fn keep_heard(&mut self) {
        if self.mouth.peek().is_some_and(|front| front.flight.is_some()) {
            return;
        }
        if let Some(heard) = self.heard_ahead.take() {
            self.heard = Some(heard.clone());
            self.out.effects.push(Effect::Heard(heard));
        }
    }
}
