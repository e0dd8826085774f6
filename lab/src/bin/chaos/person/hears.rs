//! What a person takes from the stream, and notes.

use lab::jabber::{Stanza as _, ns};
use minidom::Element;
use tokio::time::Instant;

use super::Person;
use crate::journal::{How, Mark, Side, Sight, Told};
use crate::place::State;

impl Person {
    pub(super) fn take(&mut self, stanza: &Element) {
        let from = stanza.bare_from().to_owned();
        let Some(number) = self.rooms.iter().position(|room| room.jid == from) else {
            return;
        };
        match (stanza.name(), stanza.kind()) {
            ("presence", _) => self.presence(number, stanza),
            ("message", "error") => self.refused(number, stanza),
            ("message", "groupchat") => self.heard(number, stanza),
            ("message", _) => self.aside(number, stanza),
            ("iq", "result" | "error") => self.answered(number, stanza),
            _ => {}
        }
    }

    fn presence(&mut self, number: usize, stanza: &Element) {
        let place = &mut self.places[number];
        match stanza.kind() {
            "error" if matches!(&place.state, State::Asking(id) if id == stanza.id()) => place.out(),
            "unavailable" if stanza.has_status(110) => place.out(),
            "" if stanza.has_status(110) && matches!(place.state, State::Asking(_)) => {
                place.state = State::Reading;
                place.stay += 1;
            }
            _ => {}
        }
    }

    fn heard(&mut self, number: usize, stanza: &Element) {
        let room = &self.rooms[number].jid;
        let Some(body) = stanza.body() else {
            let place = &mut self.places[number];
            if stanza.subject().is_some() && place.state == State::Reading {
                place.state = State::In;
                place.heard = Instant::now();
                place.after = Instant::now();
                place.behind = place.solid.is_some();
                place.newest = None;
            }
            return;
        };
        let id = stanza.stanza_id(room).unwrap_or_default().to_owned();
        let how = match self.places[number].state {
            State::Reading => How::History,
            State::In => How::Live,
            State::Out | State::Asking(_) => How::Stray,
        };
        let place = &mut self.places[number];
        if how == How::Live {
            place.heard = Instant::now();
            place.ping = None;
            if !id.is_empty() {
                place.newest = Some(id.clone());
                if !place.behind {
                    place.solid = Some(id.clone());
                }
            }
        } else if how == How::History && place.solid.is_none() && !id.is_empty() {
            // The first stay: what was before it is nobody's concern.
            place.solid = Some(id.clone());
        }
        self.sight(number, how, id, body, stanza);
    }

    fn sight(&mut self, number: usize, how: How, id: String, body: String, message: &Element) {
        let mark = Mark::find(&body);
        let mut journal = self.book.open();
        let at = journal.now();
        if let Some(mark) = mark.filter(|mark| mark.side == Side::Xmpp)
            && let Some(said) = journal.said.get_mut(&mark)
            && said.person == self.who.number
        {
            said.reflected.get_or_insert(at);
            self.open.remove(&mark);
        }
        journal.sights[self.who.number][number].push(Sight {
            stay: self.places[number].stay,
            how,
            id,
            mark,
            text: if mark.is_some() { String::new() } else { body },
            delayed: message.delay().is_some(),
            at,
        });
    }

    /// An error about a message of ours: the server's, the room's, or the gateway's word on what became of it.
    fn refused(&mut self, number: usize, stanza: &Element) {
        let condition = stanza.error_condition().unwrap_or_default().to_owned();
        let text = stanza.error_text().unwrap_or_default();
        {
            let mut journal = self.book.open();
            let at = journal.now();
            let (person, id) = (self.who.number, stanza.id().to_owned());
            let said = journal
                .said
                .values_mut()
                .find(|said| said.person == person && said.id == id);
            if let Some(said) = said {
                said.errors.push(Told {
                    at,
                    condition: condition.clone(),
                    text: text.clone(),
                });
            }
        }
        let place = &mut self.places[number];
        let not_there = condition == "not-acceptable";
        let unreachable = matches!(
            &*condition,
            "remote-server-timeout" | "service-unavailable" | "remote-server-not-found"
        );
        if place.state == State::In && (not_there || unreachable && self.who.insists && text.is_empty()) {
            place.out();
        }
    }

    /// A word to this person alone, as the visitors of a room say it.
    fn aside(&mut self, number: usize, stanza: &Element) {
        if let Some(result) = stanza.child("result", ns::MAM) {
            return self.archived(number, stanza, result);
        }
        if let Some(text) = stanza.body() {
            let mut journal = self.book.open();
            let at = journal.now();
            journal.whispers[self.who.number][number].push(Told {
                at,
                condition: String::new(),
                text,
            });
        }
    }

    fn archived(&mut self, number: usize, stanza: &Element, result: &Element) {
        let asked = self.places[number].catching.as_ref().map(|(id, _)| id.as_str());
        if asked != result.attr("queryid") {
            return;
        }
        let id = result.attr("id").unwrap_or_default().to_owned();
        let way = [("result", ns::MAM), ("forwarded", ns::FORWARD), ("message", ns::CLIENT)];
        if let Some(body) = stanza.descend(&way).and_then(lab::jabber::Stanza::body) {
            self.sight(number, How::Archive, id, body, stanza);
        }
    }

    fn answered(&mut self, number: usize, stanza: &Element) {
        let place = &mut self.places[number];
        if place.catching.as_ref().is_some_and(|(id, _)| id == stanza.id()) {
            place.paged(stanza);
        } else if place.ping.as_deref() == Some(stanza.id()) {
            place.ping = None;
            if stanza.error_condition() == Some("not-acceptable") {
                place.out();
            }
        }
    }
}
