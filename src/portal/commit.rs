//! What was admitted is committed, and then stands in the backlog; or everybody who can be told is told that it was not.

use std::pin::pin;

use anyhow::Context;
use jid::FullJid;
use xmpp_parsers::message::Id;
use xmpp_parsers::stanza_error::DefinedCondition;

use super::backlog::Extra;
use super::draft::{After, Draft, NewSubject};
use super::turn::{Portal, reserve};
use super::{Inbox, words};
use crate::metrics::{FlowLabel, QQ_TO_XMPP, XMPP_TO_QQ};
use crate::model::{Author, Content, Row};
use crate::room::Change;
use crate::store::{StoreError, Write, Written};
use crate::xmpp::render::error::Refusal;

impl Portal {
    /// Commits a draft and puts what it became into the backlog.
    pub(super) async fn commit(&mut self, draft: Draft) -> anyhow::Result<()> {
        if draft.is_empty() {
            return Ok(());
        }
        let mut writes = Vec::new();
        let mut afters = Vec::new();
        for (write, after) in draft.into_items() {
            afters.push((after, write.is_some()));
            writes.extend(write);
        }
        let to_qq = writes.iter().any(goes_to_qq);
        let (answers, showed) = if writes.is_empty() {
            (Ok(Vec::new()), Ok(()))
        } else {
            self.commit_and_show(writes).await
        };
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                let afters: Vec<After> = afters.into_iter().map(|(after, _)| after).collect();
                self.refuse_all(afters, &error).await;
                return Err(error).context("cannot commit what the room admitted");
            }
        };
        let mut answers = answers.into_iter();
        for (after, written) in afters {
            let written = if written {
                answers.next().unwrap_or(Written::Done)
            } else {
                Written::Done
            };
            self.enqueue(after, written);
        }
        if to_qq {
            (self.wiring.outbox)(&self.settings.account);
        }
        showed
    }

    /// Commits, and meanwhile shows what was committed before. What goes wrong with the one does not end the other.
    async fn commit_and_show(&mut self, writes: Vec<Write>) -> (Result<Vec<Written>, StoreError>, anyhow::Result<()>) {
        let store = self.wiring.store.clone();
        let mut committing = pin!(store.commit(self.id, writes));
        if self.room.acknowledges() {
            // What a room of somebody else is told and what is heard from it are one state.
            return (committing.await, Ok(()));
        }
        self.committing = true;
        let mut showed = Ok(());
        let (mut notes, mut shows) = (true, true);
        let answers = loop {
            let link = self.link.clone();
            let may_show = shows && showed.is_ok() && link.is_some() && self.has_something_to_show();
            tokio::select! {
                biased;
                answers = &mut committing => break answers,
                progress = self.flight.progress(), if notes => notes = self.note(progress),
                permit = reserve(link.as_ref()), if may_show => match permit {
                    Some(permit) => showed = self.reflect(permit).await,
                    // The loop hears of it, too, and sees to it.
                    None => shows = false,
                },
            }
        };
        self.committing = false;
        (answers, showed)
    }

    fn enqueue(&mut self, after: After, written: Written) {
        if let After::Subject(subject) = &after {
            self.unshown_subject = Some(subject.clone());
        }
        match (after, written) {
            (After::Message(_), Written::Rows(rows)) => {
                self.count(&rows);
                self.backlog.push_rows(rows);
            }
            // Without a connection there is nobody to show a change to; the next one starts with the difference.
            _ if self.link.is_none() => {}
            (After::Message(Some(said)), Written::Repeated(rows)) => {
                for row in rows {
                    self.backlog.push_extra(Extra::RowTo(row, said.session.clone()));
                }
            }
            (After::Change(change), _) => self.backlog.push_extra(Extra::Change(change)),
            (After::Subject(subject), _) => self.backlog.push_extra(Extra::Subject(subject)),
            (After::Ephemeral(spoken), _) => self.backlog.push_extra(Extra::Ephemeral(spoken)),
            (After::Message(_) | After::Nothing, _) => {}
        }
    }

    /// Counts a message that was committed; lines of the gateway are none, and neither is what members do to messages.
    fn count(&self, rows: &[Row]) {
        let done_to_one = |row: &Row| matches!(row.content, Content::Retraction { .. } | Content::Reactions { .. });
        if rows.iter().any(done_to_one) {
            return;
        }
        let direction = match rows.first().map(|row| &row.author) {
            Some(Author::Member { .. }) => QQ_TO_XMPP,
            Some(Author::Occupant(_) | Author::Guest(_)) => XMPP_TO_QQ,
            Some(Author::Room) | None => return,
        };
        let room = self.settings.room.jid().to_string();
        let label = FlowLabel { room, direction };
        self.wiring.metrics.accepted.get_or_create(&label).inc();
    }

    /// Nobody takes what waits in the mailbox before the store is well again: its authors are told now. What somebody else's room
    /// said has no author to be told, and waits.
    pub(super) async fn refuse_waiting(&mut self, inbox: &Inbox) {
        if self.room.acknowledges() {
            return;
        }
        let text = words::not_stored(self.settings.language);
        let waiting = inbox.xmpp.take_refusable();
        let errors: Vec<_> = waiting
            .iter()
            .filter_map(|event| self.room.not_now(event, text))
            .collect();
        if let Some(link) = self.link.clone().filter(|_| !errors.is_empty()) {
            link.post(errors).await.ok();
        }
    }

    /// The store does not take it: everybody who can be told is told, at once.
    async fn refuse_all(&mut self, afters: Vec<After>, error: &StoreError) {
        tracing::error!(room = %self.settings.room.jid(), %error, "the store takes nothing");
        let room = self.settings.room.jid().clone();
        let text = (self.settings.language.tag(), words::not_stored(self.settings.language));
        let refusal = || Refusal::wait(DefinedCondition::ResourceConstraint).because(text);
        let said =
            |by: FullJid, id: Option<String>| refusal().message(&room, &room.clone().into(), &by.into(), id.map(Id));
        let mut errors = Vec::new();
        for after in afters {
            match after {
                // What somebody else's room said is read there again, and an error would have us thrown out.
                After::Message(Some(_)) | After::Subject(_) if self.room.acknowledges() => {}
                After::Message(Some(by)) => errors.push(said(by.session, by.id)),
                After::Subject(NewSubject { by, id, .. }) => errors.push(said(by, id)),
                After::Change(Change::Join { session, nick, id, .. }) => {
                    let to = self.room.ids().occupant(&nick);
                    errors.extend(to.map(|to| refusal().presence(&room, &to.into(), &session.into(), id)));
                }
                // What the disk did not take is kept for when it does.
                After::Message(None) if !error.heals() => self.missed += 1,
                After::Message(None) | After::Change(_) | After::Ephemeral(_) | After::Nothing => {}
            }
        }
        if let Some(link) = self.link.clone().filter(|_| !errors.is_empty()) {
            // A lost link tells the authors by itself: their server bounces what they send.
            link.post(errors).await.ok();
        }
    }
}

fn goes_to_qq(write: &Write) -> bool {
    match write {
        Write::Message(message) | Write::Own { message, .. } => !message.pieces.is_empty() || message.upon.is_some(),
        _ => false,
    }
}
