//! Room → QQ: what the room admitted becomes writes. Refusals were answered by the room already.

use tokio_xmpp::Stanza;
use xmpp_parsers::presence::Type;

use super::archive::Question;
use super::draft::{Draft, NewSubject, Said};
use super::lookup::{self, Named};
use super::turn::Portal;
use super::{Settings, words};
use crate::model::{Author, Content, GroupNumber, Seq, Timestamp};
use crate::room::{Admitted, Change, Effect, Speech, Spoken};
use crate::store::{Acting, ClientSession, Identity, NewMessage, NewPiece, Upon, Write};
use crate::xmpp::Event;

/// How words came from XMPP.
pub(super) enum Way {
    /// An occupant of our own room said them to us.
    Told,
    /// They were said in somebody else's room: by whom, and the stanza-id that its service gave.
    Overheard { author: Author, id: Option<String> },
}

impl Portal {
    /// Takes one stanza that came for the room, with what it refers to.
    pub(super) async fn admit_xmpp(&mut self, event: Event, named: &Named, draft: &mut Draft) -> anyhow::Result<()> {
        let now = self.clock.now();
        let admitted = match self.room.retracts(&event) {
            Some(_) => {
                let author = named.target.as_ref().map(|row| &row.author);
                self.room.admit_retraction(event, author, now)
            }
            None => self.room.admit(event, now),
        };
        self.settle(admitted, named, draft).await
    }

    /// Takes what the room made of something that refers to nothing.
    pub(super) fn take_admitted(&mut self, admitted: Admitted, draft: &mut Draft) {
        self.take_admitted_with(admitted, &Named::default(), draft);
    }

    pub(super) fn take_admitted_with(&mut self, admitted: Admitted, named: &Named, draft: &mut Draft) {
        self.replies.push(admitted.replies);
        for effect in admitted.effects {
            match effect {
                Effect::Spoken(spoken) if spoken.ephemeral => draft.ephemeral(spoken),
                Effect::Spoken(spoken) => self.spoken(spoken, Way::Told, named, draft),
                Effect::Change(change) => {
                    let write = self.write_of(&change);
                    draft.change(write, change);
                }
                Effect::Subject {
                    by,
                    nick,
                    id,
                    text,
                    time,
                } => draft.subject(NewSubject {
                    by,
                    nick,
                    id,
                    text,
                    time,
                }),
                Effect::Moderated {
                    by,
                    nick,
                    row,
                    reason,
                    time,
                } => {
                    let said = Said {
                        session: by.clone(),
                        id: None,
                    };
                    let rows = std::iter::once(row).chain(named.also.iter().copied()).collect();
                    let who = (Author::Occupant(by.to_bare()), nick);
                    let identity = Identity::Xmpp {
                        session: by,
                        origin: None,
                    };
                    let message = self.moderated(who, identity, (rows, reason.as_deref()), time);
                    draft.message(message, Some(said));
                }
                Effect::Archive(query) => {
                    self.archive.ask(
                        Question::Page(Box::new(query)),
                        &self.settings,
                        self.room.ids(),
                        self.link.as_ref(),
                    );
                }
                Effect::ArchiveEnds(query) => {
                    self.archive.ask(
                        Question::Ends(query),
                        &self.settings,
                        self.room.ids(),
                        self.link.as_ref(),
                    );
                }
                Effect::Called { row, called } => draft.write(Write::Named {
                    row,
                    id: called.id,
                    by_listener: called.by_listener,
                }),
                Effect::Said(seq) => draft.write(Write::Said(seq)),
                Effect::Heard(heard) => draft.write(Write::Heard(heard)),
                Effect::StaysAway(away) => draft.write(Write::StaysAway(away)),
                Effect::Puppet(puppet) => draft.write(Write::Puppet(puppet)),
                Effect::Aside(aside) => self.aside(aside, draft),
                // Seen to where the store can be asked.
                Effect::Returned => {}
            }
        }
    }

    pub(super) fn spoken(&mut self, spoken: Spoken, way: Way, named: &Named, draft: &mut Draft) {
        let upon = self.upon(&spoken, &named.also);
        let pieces = match &spoken.speech {
            Some(speech) if self.settings.to_qq && upon.is_none() => self.words(&spoken.nick, speech, named),
            _ => Vec::new(),
        };
        let said = Said {
            session: spoken.session.clone(),
            id: match &spoken.content {
                Content::Stanza { id, .. } => id.clone(),
                _ => None,
            },
        };
        let mut rows = vec![spoken.content];
        if spoken.retracts.is_some() {
            rows.extend(named.also.iter().map(|row| retraction(*row, false, None)));
        }
        let (session, origin) = (spoken.session, spoken.origin);
        let (author, identity) = match way {
            Way::Told => (Author::Occupant(session.to_bare()), Identity::Xmpp { session, origin }),
            Way::Overheard { author, id } => (author, Identity::Elsewhere { session, id, origin }),
        };
        let message = NewMessage {
            identity,
            time: spoken.time,
            author,
            nick: spoken.nick,
            rows,
            pieces,
            upon,
        };
        draft.message(message, Some(said));
    }

    /// What somebody says, for each group: as an answer where what is answered has a name there, else with a quote of it.
    fn words(&self, nick: &str, speech: &Speech, named: &Named) -> Vec<NewPiece> {
        let Settings { template, faces, .. } = &self.settings;
        let (quote, known) = match &named.answered {
            Some(answered) => (answered.quote.clone(), answered.groups.as_slice()),
            None => (
                speech.quote.as_deref().and_then(|quote| lookup::quote("", quote)),
                &[][..],
            ),
        };
        let all = self.settings.groups.iter().copied();
        let (by_name, quoting): (Vec<_>, Vec<_>) = all.partition(|group| known.contains(group));
        let pieces = |groups: &[GroupNumber], quote| {
            let (prefix, parts) = words::for_qq(template, *faces, nick, speech, quote);
            self.pieces(groups, &prefix, &parts, speech.answers)
        };
        let mut all = pieces(&by_name, None);
        all.extend(pieces(&quoting, quote.as_deref()));
        all
    }

    /// An owner takes away what somebody else said: here, and on QQ, where the account may.
    pub(super) fn moderated(
        &self,
        (author, nick): (Author, String),
        identity: Identity,
        (rows, reason): (Vec<Seq>, Option<&str>),
        time: Timestamp,
    ) -> NewMessage {
        let contents = rows
            .iter()
            .map(|row| retraction(*row, true, reason.map(ToOwned::to_owned)));
        NewMessage {
            time,
            author,
            rows: contents.collect(),
            identity,
            pieces: Vec::new(),
            upon: Some(self.acting(Acting::TakeBack {
                rows,
                moderator: Some(nick.clone()),
            })),
            nick,
        }
    }

    /// What an occupant's stanza does to earlier rows, here and on QQ.
    fn upon(&self, spoken: &Spoken, also: &[Seq]) -> Option<Upon> {
        let act = match (spoken.retracts, &spoken.reacts) {
            (Some(row), _) => Acting::TakeBack {
                rows: std::iter::once(row).chain(also.iter().copied()).collect(),
                moderator: None,
            },
            (None, Some((row, emoji))) => Acting::React {
                row: *row,
                emoji: emoji.clone(),
            },
            (None, None) => return None,
        };
        Some(self.acting(act))
    }

    fn acting(&self, act: Acting) -> Upon {
        Upon {
            act,
            account: self.settings.account.clone(),
            groups: if self.settings.to_qq {
                self.settings.groups.clone()
            } else {
                Vec::new()
            },
        }
    }

    /// What the store keeps of a change.
    pub(super) fn write_of(&self, change: &Change) -> Option<Write> {
        match change {
            Change::Join {
                session,
                nick,
                presence,
                history,
                ..
            } => Some(Write::Entered(ClientSession {
                jid: session.clone(),
                nick: nick.clone(),
                cut: self.backlog.last(),
                greeted: false,
                presence: presence.clone(),
                history: *history,
            })),
            Change::Presence { session, presence } => Some(Write::Presence(session.clone(), presence.clone())),
            Change::Leave { session, .. } => Some(Write::Gone(session.clone())),
            Change::Rename { who, old, new, .. } => Some(Write::Renamed {
                who: who.clone(),
                old: old.clone(),
                new: new.clone(),
            }),
            Change::Members(_) | Change::Configuration => None,
        }
    }
}

fn retraction(row: Seq, moderated: bool, reason: Option<String>) -> Content {
    Content::Retraction { row, moderated, reason }
}

/// Whether a stanza may let somebody in.
pub(super) fn may_enter(event: &Event) -> bool {
    matches!(&event.stanza, Stanza::Presence(presence) if presence.type_ == Type::None)
}
