//! What is said in the room: our own words come back, those of people go on to QQ (XEP-0045 §7.4).

use jid::{FullJid, Jid};
use xmpp_parsers::message::{Message, MessageType};

use super::JoinedRoom;
use super::listener::Place;
use crate::model::{Author, Content, MemberId, Timestamp};
use crate::room::mentions::mentioned;
use crate::room::{About, Overheard, Speech, Spoken};
use crate::xmpp::read::message as said;
use crate::xmpp::read::visit as read;
use crate::xmpp::render::children;

/// Longest message that is passed on, in bytes of XML.
const MAX_STANZA: usize = 64 * 1024;

impl JoinedRoom {
    /// A message to the listener.
    pub(super) fn listener_message(&mut self, from: &Jid, message: Message) {
        match message.type_ {
            MessageType::Error => self.bounced(from, &message),
            MessageType::Groupchat => self.listener_groupchat(from, message),
            _ => match read::archived(&message) {
                Some(found) if from.is_bare() => {
                    if let Some(found) = found {
                        self.found(found);
                    }
                }
                Some(_) => {}
                None => self.private_word(from, &message, true),
            },
        }
    }

    fn listener_groupchat(&mut self, from: &Jid, message: Message) {
        // Nobody but a server says that a message is older than it is, and only while a newcomer gets history.
        let is_subject = message.bodies.is_empty() && !message.subjects.is_empty() && message.thread.is_none();
        match &mut self.listener.place {
            _ if is_subject => self.history_over(),
            Place::Reading(reading) => match read::delayed(&message.payloads) {
                Some(time) if reading.is_history() => {
                    let id = read::stanza_id(&message.payloads, &self.settings.jid);
                    self.hear(from, message, Some((id, time)));
                }
                _ => reading.hold(from.clone(), message),
            },
            Place::In => self.hear(from, message, None),
            Place::Away { .. } | Place::Asking { .. } | Place::Entering { .. } => {}
        }
    }

    /// One message of the room. `earlier`: it was said before, when, and what the archive calls it.
    pub(super) fn hear(&mut self, from: &Jid, message: Message, earlier: Option<(Option<String>, Timestamp)>) {
        if from.to_bare() != self.settings.jid || message.type_ != MessageType::Groupchat {
            return;
        }
        let is_earlier = earlier.is_some();
        let (id, time) = match earlier {
            // Nothing was said later than now, whoever stamped it.
            Some((id, time)) => (id, time.min(self.now)),
            None => (read::stanza_id(&message.payloads, &self.settings.jid), self.now),
        };
        let kept = id.is_some() || !message.bodies.is_empty();
        if let Some(session) = from.try_as_full().ok().cloned() {
            let nick = session.resource().as_str().to_owned();
            let seq = message.id.as_ref().and_then(|own| self.ids.seq(&own.0));
            if self.was_ours(&nick, &message, is_earlier) {
                if let Some(seq) = seq {
                    let by_puppet = self
                        .puppets
                        .iter()
                        .any(|(_, puppet)| puppet.nick.as_deref() == Some(&*nick));
                    self.shown(seq, id.clone(), nick == self.listener.nick || !by_puppet);
                }
            } else if !self.has_our_id(&message)
                && let Some(overheard) = self.overheard(session, nick, message, (id.clone(), time))
            {
                self.pass_on(overheard, is_earlier);
            }
        } else if let Some(moderated) = read::moderated(&message.payloads) {
            self.moderated(moderated, id.clone(), time);
        }
        if kept {
            self.hear_up_to(id, time);
        }
    }

    /// Whether one of ours said it. What was said earlier may be by a puppet that has left since.
    fn was_ours(&self, nick: &str, message: &Message, earlier: bool) -> bool {
        let occupant = self.occupant_id(message);
        if !earlier || occupant.is_some() {
            // The room's own word is its presence: what stands in a live message may be the author's.
            let there = self.occupants.get(nick).and_then(|there| there.jid.as_ref());
            return self.ours(nick, occupant.as_deref(), there.filter(|_| !earlier));
        }
        let shown = message.payloads.iter().find(|p| p.is("x", xmpp_parsers::ns::MUC_USER));
        let told = shown
            .and_then(|x| x.get_child("item", xmpp_parsers::ns::MUC_USER)?.attr("jid"))
            .and_then(|jid| Jid::new(jid).ok());
        let known = |puppet: &super::puppets::Puppet| puppet.nick.as_deref() == Some(nick);
        let by_nick = self.listener.nick == nick || self.puppets.iter().any(|(_, puppet)| known(puppet));
        // Under a nick that the listener had before: people do not make such ids, unless they mean harm.
        by_nick || self.has_our_id(message) || told.is_some_and(|jid| jid.domain() == self.listener.jid.domain())
    }

    /// Whether it carries an id that we make: another bridge may bring our words back, and they must not go round.
    fn has_our_id(&self, message: &Message) -> bool {
        let own = message.id.as_ref().and_then(|own| self.ids.seq(&own.0));
        own.is_some() || said::origin(message).is_some_and(|origin| self.ids.seq(&origin).is_some())
    }

    /// The occupant-id that the room gave the author. A room that gives the listener none lets everybody write what they like.
    fn occupant_id(&self, message: &Message) -> Option<String> {
        read::occupant_id(&message.payloads).filter(|_| self.listener.occupant.is_some())
    }

    /// Reads what a person said; `None` when it says nothing to anybody on QQ.
    fn overheard(
        &self,
        session: FullJid,
        nick: String,
        mut message: Message,
        (id, time): (Option<String>, Timestamp),
    ) -> Option<Overheard> {
        if said::encrypted(&message) {
            return None;
        }
        let there = self.occupants.get(&nick).and_then(|there| there.id.clone());
        let there = there.filter(|_| self.listener.occupant.is_some());
        let occupant = self.occupant_id(&message).or(there);
        let author = Author::Guest(occupant.unwrap_or_else(|| format!("={nick}")));
        said::clean(&mut message);
        let speech = said::said(&message);
        let about = if let Some(target) = said::takes_back(&message) {
            About::TakesBack(target)
        } else if let Some(reacted) = said::reacted(&message) {
            About::Reacts(reacted.to, reacted.emoji)
        } else if speech.is_none() {
            return None;
        } else {
            said::answers(&message).map_or(About::Nothing, About::Answers)
        };
        let speech = speech.filter(|_| matches!(about, About::Nothing | About::Answers(_)));
        let own = message.id.clone().map(|id| id.0);
        let children = children::of_message(message);
        if children.len() > MAX_STANZA {
            return None;
        }
        let origin = self.ids.token("repeated", &format!("{nick}\n{own:?}\n{children}"));
        Some(Overheard {
            spoken: Spoken {
                session,
                nick,
                origin: Some(origin),
                time,
                content: Content::Stanza { id: own, children },
                speech: speech.map(|words| Speech {
                    mentions: self.mentions(&words),
                    answers: None,
                    quote: words.quote,
                    text: words.text,
                    action: words.action,
                }),
                ephemeral: false,
                retracts: None,
                reacts: None,
            },
            author,
            id,
            about,
        })
    }

    fn mentions(&self, words: &said::Said) -> Vec<(String, MemberId)> {
        let member = |nick: &str| {
            let folded = crate::model::nick::fold(nick);
            let is = |puppet: &super::puppets::Puppet| {
                puppet.counts()
                    && puppet
                        .nick
                        .as_deref()
                        .is_some_and(|own| crate::model::nick::fold(own) == folded)
            };
            let puppet = self.puppets.iter().find(|(_, puppet)| is(puppet)).map(|(id, _)| id);
            puppet.cloned().or_else(|| self.member_called(&folded))
        };
        let mut found = mentioned(&words.text, member);
        found.sort_by_key(|(nick, _)| std::cmp::Reverse(nick.chars().count()));
        found
    }

    /// A member of the group who has not spoken here: people know them all the same.
    fn member_called(&self, folded: &str) -> Option<MemberId> {
        let mut called = self
            .members
            .values()
            .filter(|member| crate::model::nick::fold(&crate::model::nick::of_member(member)) == folded);
        let first = called.next()?;
        called.next().is_none().then(|| first.id.clone())
    }

    /// To the portal, unless it is too old for QQ.
    fn pass_on(&mut self, overheard: Overheard, earlier: bool) {
        let time = overheard.spoken.time;
        let too_late = earlier && self.now.since(time) > self.settings.to_qq_within;
        if !too_late {
            self.out.overheard.push(overheard);
            return;
        }
        if let (Place::Reading(reading), Some(_)) = (&mut self.listener.place, &overheard.spoken.speech) {
            reading.is_too_late(time);
        }
    }

    /// A moderator of the room took a message back.
    fn moderated(&mut self, moderated: read::Moderated, id: Option<String>, time: Timestamp) {
        let nick = moderated.by.unwrap_or_default();
        let Some(session) = self
            .settings
            .at(&nick)
            .or_else(|| self.settings.at(&self.listener.nick))
        else {
            return;
        };
        let origin = self.ids.token("moderated", &moderated.id);
        self.out.overheard.push(Overheard {
            spoken: Spoken {
                session,
                origin: Some(origin),
                time,
                content: Content::Stanza {
                    id: None,
                    children: String::new(),
                },
                speech: None,
                ephemeral: false,
                retracts: None,
                reacts: None,
                nick: nick.clone(),
            },
            author: Author::Guest(format!("={nick}")),
            id,
            about: About::Moderates(moderated.id, moderated.reason),
        });
    }
}
