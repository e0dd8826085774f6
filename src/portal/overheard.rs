//! What is said in somebody else's room: looked up by the ids of its service, and brought on to QQ like the words of an occupant.

use super::draft::Draft;
use super::from_xmpp::Way;
use super::lookup::Named;
use super::recall::has_words;
use super::turn::Portal;
use super::words::{self, Line};
use crate::model::{Part, Row};
use crate::room::{About, Admitted, Aside, Effect, Overheard};
use crate::store::Identity;

impl Portal {
    /// Takes what the room made of a stanza or of the time, with what was overheard in it.
    pub(super) async fn settle(
        &mut self,
        mut admitted: Admitted,
        named: &Named,
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        let overheard = std::mem::take(&mut admitted.overheard);
        let returned = admitted.effects.iter().any(|effect| matches!(effect, Effect::Returned));
        // Behind the words: what was heard is not asked for again.
        let is_heard = |effect: &mut Effect| matches!(effect, Effect::Heard(_));
        let heard = admitted.effects.extract_if(.., is_heard).last();
        self.take_admitted_with(admitted, named, draft);
        for overheard in overheard {
            self.overheard(overheard, draft).await?;
        }
        self.take_admitted(heard.map(Admitted::effect).unwrap_or_default(), draft);
        if returned {
            let most = self.settings.backfill.count;
            let edge = self.wiring.store.word_with_newer(self.id, most).await?;
            self.room.leave_out(edge.unwrap_or_default(), self.clock.now());
        }
        self.tell_trouble();
        Ok(())
    }

    async fn overheard(&mut self, overheard: Overheard, draft: &mut Draft) -> anyhow::Result<()> {
        let Overheard {
            mut spoken,
            author,
            id,
            about,
        } = overheard;
        // What it is about may be in the draft still.
        if about != About::Nothing && draft.has_messages() {
            self.commit(std::mem::take(draft)).await?;
        }
        let mut named = Named::default();
        match about {
            About::Nothing => {}
            About::Answers(target) => {
                if let Some(row) = self.called(&target).await?
                    && self.settings.to_qq
                {
                    named = self.answering(&row).await?;
                    if let Some(speech) = &mut spoken.speech {
                        speech.answers = Some(row.seq);
                    }
                }
            }
            About::TakesBack(target) => {
                // Clients check it too, but not all of them do.
                let Some(row) = self.called(&target).await?.filter(|row| row.author == author) else {
                    return Ok(());
                };
                named.also = self.same_message(&row).await?;
                spoken.retracts = Some(row.seq);
            }
            About::Reacts(target, emoji) => {
                let Some(row) = self.called(&target).await? else {
                    return Ok(());
                };
                spoken.reacts = Some((row.seq, emoji));
            }
            About::Moderates(target, reason) => {
                let Some(row) = self.called(&target).await?.filter(has_words) else {
                    return Ok(());
                };
                let mut rows = vec![row.seq];
                rows.extend(self.same_message(&row).await?);
                let identity = Identity::Elsewhere {
                    session: spoken.session,
                    id,
                    origin: spoken.origin,
                };
                let who = (author, spoken.nick);
                let message = self.moderated(who, identity, (rows, reason.as_deref()), spoken.time);
                draft.message(message, None);
                return Ok(());
            }
        }
        self.spoken(spoken, Way::Overheard { author, id }, &named, draft);
        Ok(())
    }

    /// The row that the room's service calls so.
    async fn called(&self, id: &str) -> anyhow::Result<Option<Row>> {
        let store = &self.wiring.store;
        match store.row_called(self.id, id).await? {
            Some(seq) => Ok(store.row(self.id, seq).await?),
            None => Ok(None),
        }
    }

    /// A word of the gateway about the room.
    pub(super) fn aside(&mut self, aside: Aside, draft: &mut Draft) {
        match aside {
            Aside::Admins(text) => (self.wiring.alert)(text),
            Aside::NotSaid(n) => self.say_line(&Line::NotSaid(n), draft),
            Aside::TooLateForQq(n) => self.say_to_both(&Line::TooLateForQq(n), draft),
        }
    }

    /// A line for the room, and for the people on QQ, who read Chinese.
    fn say_to_both(&mut self, line: &Line, draft: &mut Draft) {
        let pieces = if self.settings.to_qq {
            let parts = [Part::Text(words::for_groups(line))];
            self.pieces(&self.settings.groups, "", &parts, None)
        } else {
            Vec::new()
        };
        self.say_line_with(line, pieces, draft);
    }
}
