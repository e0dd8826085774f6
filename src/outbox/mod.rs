//! The outbox of one account: a task that brings due rows of the store to the session, and what became of them back.
//!
//! ```text
//!              ┌────────────── retry, later ─────────────┐
//!              ▼                                         │
//!  due ──► sending ──► session ──► sent                  │
//!                         ├──────► not sent, later ──────┴─ give_up passed ──► failed ──► the author is told
//!                         ├──────► not sent, never ───────────────────────────► failed
//!                         └──────► unknown ── echo within 15 s ──► sent
//!                                     └────── none ──────────────► failed ("it is not known whether …")
//! ```
//!
//! The table is the truth: a wake-up says "look", and a rescan repairs one that was missed. Order is kept per group (the store
//! gives the oldest unfinished piece of a group and nothing behind it). The rate is the session's: it knows what its protocol
//! and era bear, and the outbox asks it for one piece at a time. Recalls and reactions (`deed`) stand in the same queue.

mod deed;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jid::BareJid;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::metrics::{AccountLabel, Metrics, OutcomeLabel};
use crate::model::{AccountName, Handle, Part, Reply, Timestamp};
use crate::qq::{Command, NotSent, Outcome, Outgoing, Session};
use crate::store::{Deed, Piece, PieceState, Settled, Store};

/// How long an unknown piece holds its group while its echo may still come.
const ECHO_PATIENCE: Duration = Duration::from_secs(15);
/// A session that does not answer a send within this time does not know either.
const SEND_PATIENCE: Duration = Duration::from_secs(90);
/// A reaction that QQ does not take is tried for so long: later nobody looks at it.
const REACTION_PATIENCE: Duration = Duration::from_secs(30);
/// While there is something to do, what waits is counted so often.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// A missed wake-up costs at most this.
const RESCAN: Duration = Duration::from_secs(5);
/// First pause before a piece is tried again; doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// What an outbox needs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account it sends for.
    pub account: AccountName,
    /// How long a message is retried before its author is told.
    pub give_up: Duration,
}

/// What an outbox is connected to.
#[derive(Clone)]
pub struct Wiring {
    /// The store.
    pub store: Store,
    /// The session's mailbox while it runs.
    pub session: watch::Receiver<Option<Session>>,
    /// Says "look".
    pub wake: Arc<Notify>,
    /// Wakes the portal of a room whose message failed.
    pub failed: Arc<dyn Fn(&BareJid) + Send + Sync>,
    /// Counts.
    pub metrics: Metrics,
}

/// Runs until told to stop. A piece that is on its way then is waited for within `drain`; later it would be unknown.
pub async fn run(
    settings: &Settings,
    wiring: &Wiring,
    drain: Duration,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let mut outbox = Outbox::new(settings.clone(), wiring.clone(), shutdown.clone());
    outbox.doubt_what_was_on_its_way().await?;
    while !shutdown.is_cancelled() {
        let wait = {
            let turn = outbox.turn();
            tokio::pin!(turn);
            tokio::select! {
                wait = &mut turn => wait?,
                () = shutdown.cancelled() => {
                    timeout(drain, turn).await.ok();
                    return Ok(());
                }
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = wiring.wake.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    Ok(())
}

type Place = mpsc::OwnedPermit<Command>;

struct Outbox {
    settings: Settings,
    wiring: Wiring,
    /// Of recalls that are to be tried again: what QQ has taken back already.
    recalled: HashMap<i64, HashSet<Handle>>,
    /// Recalls that an earlier try may have done.
    unsure: HashSet<i64>,
    /// Unknown pieces, and until when each may still be proven.
    doubts: HashMap<i64, (Piece, Instant)>,
    /// When the queue was last counted.
    counted: Option<Instant>,
    shutdown: CancellationToken,
}

impl Outbox {
    fn new(settings: Settings, wiring: Wiring, shutdown: CancellationToken) -> Self {
        Self {
            settings,
            wiring,
            recalled: HashMap::new(),
            unsure: HashSet::new(),
            doubts: HashMap::new(),
            counted: None,
            shutdown,
        }
    }

    /// After a crash: what was handed to a session may or may not have arrived. What is no words is simply done again.
    async fn doubt_what_was_on_its_way(&mut self) -> anyhow::Result<()> {
        for piece in self.wiring.store.unsettled(&self.settings.account).await? {
            if !matches!(piece.deed, Deed::Say { .. }) {
                self.unsure.insert(piece.id);
                let (at, why) = (Timestamp::now(), "the gateway was interrupted".to_owned());
                self.settle(&piece, Settled::Retry { at, why }).await?;
                continue;
            }
            if piece.state == PieceState::Sending {
                let why = "the gateway was interrupted while sending".to_owned();
                self.settle(&piece, Settled::Unknown(why)).await?;
            }
            self.doubts.insert(piece.id, (piece, Instant::now() + ECHO_PATIENCE));
        }
        Ok(())
    }

    /// Sends everything that is due, one piece after the other; answers how long there is nothing to do.
    async fn turn(&mut self) -> anyhow::Result<Duration> {
        loop {
            self.end_doubts().await?;
            let due = self
                .wiring
                .store
                .due(&self.settings.account, Timestamp::now(), 32)
                .await?;
            self.count_queued(due.is_empty()).await?;
            if due.is_empty() {
                return self.pause().await;
            }
            for piece in due {
                if self.shutdown.is_cancelled() {
                    return Ok(Duration::ZERO);
                }
                self.end_doubts().await?;
                self.send(piece).await?;
            }
        }
    }

    async fn send(&mut self, mut piece: Piece) -> anyhow::Result<()> {
        let (parts, answers) = match &mut piece.deed {
            Deed::Say { parts, answers } => (std::mem::take(parts), answers.take()),
            Deed::Recall { .. } | Deed::React { .. } => return self.carry_out(piece).await,
        };
        let place = match self.place().await {
            Ok(place) => place,
            Err(why) => return self.later(&piece, why).await,
        };
        if !self.mark(&piece).await? {
            return Ok(());
        }
        let group = piece.group;
        let parts = with_reply(parts, answers);
        let wish = |reply| Command::Send {
            group,
            piece: Outgoing { parts },
            reply,
        };
        match ask(place, wish).await {
            Outcome::Sent(handle) => self.settle(&piece, Settled::Sent(handle)).await,
            Outcome::NotSent(NotSent::Later(why)) => self.later(&piece, why).await,
            Outcome::NotSent(NotSent::Never(why)) => self.fail(&piece, why).await,
            Outcome::Unknown(why) => {
                self.settle(&piece, Settled::Unknown(why)).await?;
                self.doubts.insert(piece.id, (piece, Instant::now() + ECHO_PATIENCE));
                Ok(())
            }
        }
    }

    /// A place in the session's mailbox: what is not handed over was not tried. Otherwise why there is none.
    async fn place(&self) -> Result<Place, String> {
        let Some(session) = self.wiring.session.borrow().clone() else {
            return Err("the QQ session is starting".to_owned());
        };
        match timeout(SEND_PATIENCE, session.reserve_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err("the QQ session is restarting".to_owned()),
            Err(_) => Err("the QQ session takes nothing".to_owned()),
        }
    }

    /// Notes that a piece is being tried; false when that is no longer wanted.
    async fn mark(&self, piece: &Piece) -> anyhow::Result<bool> {
        let due = self.wiring.store.sending(piece.id, Timestamp::now()).await;
        due.context("cannot mark a piece as on its way")
    }

    /// Not sent: again after a pause, or never when its time is over.
    async fn later(&mut self, piece: &Piece, why: String) -> anyhow::Result<()> {
        let now = Timestamp::now();
        let patience = match piece.deed {
            Deed::React { .. } => REACTION_PATIENCE.min(self.settings.give_up),
            Deed::Say { .. } | Deed::Recall { .. } => self.settings.give_up,
        };
        if now.since(piece.since) >= patience {
            return self.fail(piece, why).await;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << piece.tries.min(5)).min(MAX_PAUSE);
        self.settle(
            piece,
            Settled::Retry {
                at: now.plus(pause),
                why,
            },
        )
        .await
    }

    async fn fail(&mut self, piece: &Piece, why: String) -> anyhow::Result<()> {
        let (account, group, row) = (&self.settings.account, piece.group, piece.row);
        let what = match &piece.deed {
            Deed::Say { .. } => "a message did not reach QQ",
            Deed::Recall { .. } => "QQ keeps a message that was taken back",
            Deed::React { .. } => "QQ does not show a reaction",
        };
        if matches!(piece.deed, Deed::React { .. }) {
            tracing::debug!(%account, %group, %row, %why, "{what}");
        } else {
            tracing::info!(%account, %group, %row, %why, "{what}");
        }
        self.forget(piece);
        self.settle(piece, Settled::Failed(why)).await?;
        (self.wiring.failed)(&piece.room);
        Ok(())
    }

    async fn settle(&self, piece: &Piece, settled: Settled) -> anyhow::Result<()> {
        let outcome = match &settled {
            Settled::Sent(_) => "sent",
            Settled::Retry { .. } => "retry",
            Settled::Unknown(_) => "unknown",
            Settled::Failed(_) => "failed",
        };
        let label = OutcomeLabel {
            account: self.settings.account.to_string(),
            outcome,
        };
        self.wiring.metrics.pieces.get_or_create(&label).inc();
        self.wiring
            .store
            .settle(piece.id, settled, Timestamp::now())
            .await
            .context("cannot store what became of a piece")
    }

    /// Doubts that no echo resolved in time become failures whose author is told so.
    async fn end_doubts(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        let over: Vec<i64> = self
            .doubts
            .iter()
            .filter(|(_, (_, until))| *until <= now)
            .map(|(id, _)| *id)
            .collect();
        if over.is_empty() {
            return Ok(());
        }
        let open = self.wiring.store.unsettled(&self.settings.account).await?;
        for id in over {
            let Some((piece, _)) = self.doubts.remove(&id) else {
                continue;
            };
            // The echo may have come meanwhile: then the portal's commit made it sent.
            if open.iter().any(|p| p.id == id) {
                self.fail(&piece, "QQ did not confirm it".to_owned()).await?;
            }
        }
        Ok(())
    }

    /// How long to wait when nothing is due.
    async fn pause(&self) -> anyhow::Result<Duration> {
        let now = Timestamp::now();
        let retry = self
            .wiring
            .store
            .next_due(&self.settings.account)
            .await?
            .map(|at| at.since(now));
        let doubt = self
            .doubts
            .values()
            .map(|(_, until)| until.saturating_duration_since(Instant::now()))
            .min();
        let wait = [retry, doubt, Some(RESCAN)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(RESCAN);
        Ok(wait.max(Duration::from_millis(20)))
    }

    /// Counting looks at everything that waits, so while there is something to do it is done now and then.
    async fn count_queued(&mut self, idle: bool) -> anyhow::Result<()> {
        if !idle && self.counted.is_some_and(|at| at.elapsed() < COUNT_EVERY) {
            return Ok(());
        }
        self.counted = Some(Instant::now());
        let (count, _) = self.wiring.store.queued(&self.settings.account).await?;
        let label = AccountLabel {
            account: self.settings.account.to_string(),
        };
        self.wiring
            .metrics
            .queued
            .get_or_create(&label)
            .set(i64::try_from(count).unwrap_or(i64::MAX));
        Ok(())
    }
}

/// Hands a wish over and waits for what becomes of it.
async fn ask(place: Place, wish: impl FnOnce(oneshot::Sender<Outcome>) -> Command) -> Outcome {
    let (reply, outcome) = oneshot::channel();
    place.send(wish(reply));
    match timeout(SEND_PATIENCE, outcome).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Outcome::Unknown("the QQ session ended while sending".to_owned()),
        Err(_) => Outcome::Unknown("QQ did not answer in time".to_owned()),
    }
}

/// The parts with the reply in front, when this account knows the message that is answered.
fn with_reply(parts: Vec<Part>, answers: Option<Handle>) -> Vec<Part> {
    let reply = answers.map(|handle| {
        Part::Reply(Reply {
            handle,
            quote: None,
            answered: None,
        })
    });
    reply.into_iter().chain(parts).collect()
}
