//! Recalls and reactions. A recall of which nobody knows whether it was done is done again: a refusal then means that it was. A
//! reaction is not: nobody waits for it, and it would hold up words.

use tokio::sync::oneshot;

use super::{Outbox, ask};
use crate::model::{GroupNumber, Handle};
use crate::qq::{Command, NotSent, Outcome};
use crate::store::{Deed, Piece, Settled};

impl Outbox {
    pub(super) async fn carry_out(&mut self, piece: Piece) -> anyhow::Result<()> {
        match &piece.deed {
            Deed::Say { .. } => Ok(()),
            Deed::Recall { handles, unnamed } => self.recall(&piece, handles, *unnamed).await,
            Deed::React { handle: None, .. } => self.settle(&piece, Settled::Sent(None)).await,
            Deed::React {
                handle: Some(handle),
                emoji,
                added,
            } => {
                let (group, handle, emoji, added) = (piece.group, handle.clone(), emoji.clone(), *added);
                let wish = |reply| Command::React {
                    group,
                    handle,
                    emoji,
                    added,
                    reply,
                };
                match self.wish(&piece, &mut false, wish).await? {
                    Some(outcome) => self.end(&piece, outcome).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Takes back every piece that has a name. One that has none, or that QQ keeps, fails the whole, but hinders no other.
    async fn recall(&mut self, piece: &Piece, handles: &[Handle], unnamed: bool) -> anyhow::Result<()> {
        let mut marked = false;
        let mut kept = unnamed.then(|| "QQ did not say what it calls the message".to_owned());
        for handle in handles {
            if self.recalled.get(&piece.id).is_some_and(|done| done.contains(handle)) {
                continue;
            }
            let wish = recall(piece.group, handle.clone());
            let Some(outcome) = self.wish(piece, &mut marked, wish).await? else {
                return Ok(());
            };
            match outcome {
                Outcome::Sent(_) => {}
                Outcome::NotSent(NotSent::Never(why)) if self.unsure.contains(&piece.id) => {
                    tracing::debug!(%why, row = %piece.row, "a second recall was refused: the first one was done");
                }
                Outcome::NotSent(NotSent::Never(why)) => kept = Some(why),
                again => return self.end(piece, again).await,
            }
            self.recalled.entry(piece.id).or_default().insert(handle.clone());
        }
        let outcome = match kept {
            Some(why) => Outcome::NotSent(NotSent::Never(why)),
            None => Outcome::Sent(None),
        };
        self.end(piece, outcome).await
    }

    /// One wish; nothing when it could not be handed over, which is settled then, or is no longer wanted. `marked`: the piece is
    /// noted as on its way.
    async fn wish(
        &mut self,
        piece: &Piece,
        marked: &mut bool,
        wish: impl FnOnce(oneshot::Sender<Outcome>) -> Command,
    ) -> anyhow::Result<Option<Outcome>> {
        let place = match self.place().await {
            Ok(place) => place,
            Err(why) => {
                self.later(piece, why).await?;
                return Ok(None);
            }
        };
        if !*marked && !self.mark(piece).await? {
            return Ok(None);
        }
        *marked = true;
        Ok(Some(ask(place, wish).await))
    }

    /// What was kept in mind of a recall that is over.
    pub(super) fn forget(&mut self, piece: &Piece) {
        self.recalled.remove(&piece.id);
        self.unsure.remove(&piece.id);
    }

    async fn end(&mut self, piece: &Piece, outcome: Outcome) -> anyhow::Result<()> {
        match outcome {
            Outcome::Unknown(_) if matches!(piece.deed, Deed::React { .. }) => {
                self.settle(piece, Settled::Sent(None)).await?;
            }
            Outcome::Unknown(why) => {
                self.unsure.insert(piece.id);
                return self.later(piece, why).await;
            }
            Outcome::NotSent(NotSent::Later(why)) => return self.later(piece, why).await,
            Outcome::NotSent(NotSent::Never(why)) => self.fail(piece, why).await?,
            // A handle would be the answer's own: nobody answers a recall.
            Outcome::Sent(_) => {
                self.forget(piece);
                self.settle(piece, Settled::Sent(None)).await?;
            }
        }
        Ok(())
    }
}

fn recall(group: GroupNumber, handle: Handle) -> impl FnOnce(oneshot::Sender<Outcome>) -> Command {
    move |reply| Command::Recall { group, handle, reply }
}
