//! Room → QQ: what the room admitted becomes writes. Refusals were answered by the room already.

use super::archive::Question;
use super::draft::{Draft, NewSubject, Said};
use super::turn::Portal;
use super::words;
use crate::model::{Author, Content, Seq, Timestamp};
use crate::room::{Admitted, Change, Effect, Spoken};
use crate::store::{Acting, ClientSession, Identity, NewMessage, StoreError, Upon, Write};
use crate::xmpp::Event;
use tokio_xmpp::Stanza;
use xmpp_parsers::presence::Type;

impl Portal {
    /// Takes one stanza that came for the room.
    pub(super) async fn admit_xmpp(&mut self, event: Event, draft: &mut Draft) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let admitted = match self.room.retracts(&event) {
            Some(seq) => {
                let rows = self.wiring.store.rows_after(self.id, Seq(seq.0 - 1), 1).await?;
                let author = rows.first().filter(|row| row.seq == seq).map(|row| &row.author);
                self.room.admit_retraction(event, author, now)
            }
            None => self.room.admit(event, now),
        };
        self.take_admitted(admitted, draft);
        Ok(())
    }

    /// Takes what the room made of something.
    pub(super) fn take_admitted(&mut self, admitted: Admitted, draft: &mut Draft) {
        self.replies.push(admitted.replies);
        for effect in admitted.effects {
            match effect {
                Effect::Spoken(spoken) if spoken.ephemeral => draft.ephemeral(spoken),
                Effect::Spoken(spoken) => self.spoken(spoken, draft),
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
                    by, nick, row, time, ..
                } => draft.message(self.moderated(Author::Occupant(by.to_bare()), nick, row, time), None),
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
            }
        }
    }

    fn spoken(&mut self, spoken: Spoken, draft: &mut Draft) {
        let upon = self.upon(&spoken);
        let pieces = match &spoken.speech {
            Some(speech) if self.settings.to_qq && upon.is_none() => {
                let (prefix, parts) = words::for_qq(&self.settings.template, self.settings.faces, &spoken.nick, speech);
                self.pieces(&self.settings.groups, &prefix, &parts, speech.answers)
            }
            _ => Vec::new(),
        };
        let said = Said {
            session: spoken.session.clone(),
            id: match &spoken.content {
                Content::Stanza { id, .. } => id.clone(),
                _ => None,
            },
        };
        let message = NewMessage {
            identity: Identity::Xmpp {
                session: spoken.session,
                origin: spoken.origin,
            },
            time: spoken.time,
            author: Author::Occupant(said.session.to_bare()),
            nick: spoken.nick,
            rows: vec![spoken.content],
            pieces,
            upon,
        };
        draft.message(message, Some(said));
    }

    /// An owner takes away what somebody else said: here, and where the account said it on QQ.
    fn moderated(&self, author: Author, nick: String, row: Seq, time: Timestamp) -> NewMessage {
        NewMessage {
            identity: Identity::Line,
            time,
            author,
            rows: vec![Content::Retraction {
                row,
                moderated: true,
                reason: None,
            }],
            pieces: Vec::new(),
            upon: Some(self.acting(Acting::TakeBack {
                rows: vec![row],
                moderator: Some(nick.clone()),
            })),
            nick,
        }
    }

    /// What an occupant's stanza does to earlier rows, here and on QQ.
    fn upon(&self, spoken: &Spoken) -> Option<Upon> {
        let act = match (spoken.retracts, &spoken.reacts) {
            (Some(row), _) => Acting::TakeBack {
                rows: vec![row],
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
                ..
            } => Some(Write::Entered(ClientSession {
                jid: session.clone(),
                nick: nick.clone(),
                cut: self.backlog.last(),
                greeted: false,
                presence: presence.clone(),
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

/// Whether a stanza may let somebody in.
pub(super) fn may_enter(event: &Event) -> bool {
    matches!(&event.stanza, Stanza::Presence(presence) if presence.type_ == Type::None)
}
