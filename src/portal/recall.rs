//! What is done on QQ to what was said: recalls, and reactions of members.

use super::draft::Draft;
use super::turn::Portal;
use crate::model::{AccountName, Author, Content, EventId, GroupNumber, Handle, MemberId, Row, Timestamp};
use crate::store::{Acting, Identity, NewMessage, Upon};

/// Most reactions of one member to one row; QQ allows twenty.
const MAX_REACTIONS: usize = 32;

/// See [`Act::Recalled`](crate::qq::Act::Recalled).
pub(super) struct Recall {
    pub(super) id: EventId,
    pub(super) handle: Handle,
    pub(super) by: Option<MemberId>,
}

/// See [`Act::Reacted`](crate::qq::Act::Reacted).
pub(super) struct Reaction {
    pub(super) handle: Handle,
    pub(super) member: MemberId,
    pub(super) emoji: String,
    pub(super) added: bool,
}

impl Portal {
    /// A message was taken back. One that the room does not have, or not any more (an echo of our own recall), is none of its
    /// business.
    pub(super) async fn recalled(
        &mut self,
        account: &AccountName,
        group: GroupNumber,
        recall: Recall,
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        let Some(named) = self.meant(account, group, &recall.handle, draft).await? else {
            return Ok(());
        };
        let mut rows = self.wiring.store.message(self.id, named.message).await?;
        rows.retain(has_words);
        let Some(target) = rows.first() else { return Ok(()) };
        let own = match (&target.author, &recall.by) {
            (Author::Member { id, .. }, Some(by)) => id == by,
            // Nobody said who: on QQ that is mostly the author. But words from XMPP have none there.
            (Author::Member { .. }, None) => true,
            (Author::Occupant(_) | Author::Guest(_) | Author::Room, _) => false,
        };
        let (author, nick) = match recall.by {
            _ if own => (target.author.clone(), target.nick.to_string()),
            Some(id) => {
                let nick = self.room.nick_of(&id);
                (Author::Member { group, id }, nick)
            }
            None => (Author::Room, String::new()),
        };
        let message = NewMessage {
            identity: Identity::Qq {
                group,
                event: recall.id,
                handle: None,
                account: account.clone(),
            },
            time: Timestamp::now(),
            author,
            rows: rows.iter().map(|row| retraction(row, !own)).collect(),
            pieces: Vec::new(),
            upon: Some(Upon {
                act: Acting::TakeBack {
                    rows: rows.iter().map(|row| row.seq).collect(),
                    moderator: (!own).then(|| nick.clone()),
                },
                account: self.settings.account.clone(),
                groups: self.other_groups(group),
            }),
            nick,
        };
        draft.message(message, None);
        // What comes next must not find the words any more.
        self.commit(std::mem::take(draft)).await
    }

    /// A member reacts to a row, or no longer. The account's own reactions are those of people on XMPP, who are known. Until its
    /// session told who the account is, every reaction may be its own.
    pub(super) async fn reacted(
        &mut self,
        account: &AccountName,
        group: GroupNumber,
        reaction: Reaction,
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        if self.own.as_ref().is_none_or(|own| *own == reaction.member) {
            return Ok(());
        }
        let Some(row) = self.meant(account, group, &reaction.handle, draft).await? else {
            return Ok(());
        };
        let author = Author::Member {
            group,
            id: reaction.member.clone(),
        };
        let mut emoji = self.wiring.store.reactions_of(row.seq, &author).await?;
        let has = emoji.contains(&reaction.emoji);
        if has == reaction.added || !has_words(&row) || (reaction.added && emoji.len() >= MAX_REACTIONS) {
            return Ok(());
        }
        emoji.retain(|other| *other != reaction.emoji);
        emoji.extend(Some(reaction.emoji).filter(|_| reaction.added));
        emoji.sort_unstable();
        let message = NewMessage {
            // It is told as a change: a repetition changes nothing and did not come so far.
            identity: Identity::Line,
            time: Timestamp::now(),
            author,
            nick: self.room.nick_of(&reaction.member),
            rows: vec![Content::Reactions {
                row: row.seq,
                emoji: emoji.clone(),
            }],
            pieces: Vec::new(),
            upon: Some(Upon {
                act: Acting::React { row: row.seq, emoji },
                account: self.settings.account.clone(),
                groups: Vec::new(),
            }),
        };
        draft.message(message, None);
        Ok(())
    }

    /// The row that an account means, as it is after all that was taken before.
    async fn meant(
        &mut self,
        account: &AccountName,
        group: GroupNumber,
        handle: &Handle,
        draft: &mut Draft,
    ) -> anyhow::Result<Option<Row>> {
        if !self.settings.to_xmpp {
            return Ok(None);
        }
        if draft.has_messages() {
            self.commit(std::mem::take(draft)).await?;
        }
        let row = self.wiring.store.named(self.id, account, group, handle).await?;
        if row.is_none() {
            tracing::debug!(%account, %group, handle = &*handle.0, "something was done to a message that is not known");
        }
        Ok(row)
    }
}

/// Whether there is something left to take back, or to react to.
pub(super) fn has_words(row: &Row) -> bool {
    matches!(row.content, Content::Parts(_) | Content::Stanza { .. })
}

fn retraction(row: &Row, moderated: bool) -> Content {
    Content::Retraction {
        row: row.seq,
        moderated,
        reason: None,
    }
}
