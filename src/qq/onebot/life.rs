//! The life of the link, drawn in [`super`]: get one, enter, keep, lose it, again. Runs in the session's task.

mod enter;
mod keep;
mod source;
mod status;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::call::Calls;
use super::connect::{NoLink, Pair};
use super::door::Doors;
use super::receive::{Pulse, Qq};
use super::session::Session;
use super::socket::Ended;
use crate::backoff::Backoff;
use crate::config::Reach;
use crate::qq::{Need, SessionState};
use source::{Half, Source};

/// A link that held so long was a good one: the next failure begins with short waits again.
const GOOD: Duration = Duration::from_secs(30);

/// Why a link is not used any more.
#[derive(Debug)]
pub(super) enum End {
    /// It broke or fell silent.
    Lost(String),
    /// The other side refuses the token.
    Token,
    /// A newer socket came (reverse).
    Replaced(Half),
    /// What only a person can change.
    Person(String),
}

impl From<Ended> for End {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Policy => Self::Token,
            other => Self::Lost(other.to_string()),
        }
    }
}

/// Lives; never ends by itself.
pub(super) async fn live(session: &Arc<Session>, doors: &Arc<Doors>) {
    let mut source = Source::new(doors);
    let pace = &session.settings.pace;
    let mut backoff = Backoff::new(pace.retry_first, pace.retry);
    session.set_state(SessionState::Starting).await;
    loop {
        let mut pair = match source.next(session).await {
            Ok(pair) => pair,
            Err(no_link) => {
                tracing::info!(account = %session.settings.name, why = %no_link, "no link to the OneBot program");
                let wait = rest(session, &no_link, &mut backoff).await;
                pause(session, wait).await;
                continue;
            }
        };
        let since = Instant::now();
        let end = attend(session, &mut pair, &mut source).await;
        if since.elapsed() > GOOD {
            backoff.reset();
        }
        tracing::info!(account = %session.settings.name, ?end, held = ?since.elapsed(), "the link to the OneBot program ended");
        match end {
            End::Replaced(half) => source.replace(pair, half),
            end => {
                drop(pair);
                let wait = face(session, end, &mut backoff).await;
                // The other side comes back by itself; there is nothing to wait for but its arrival.
                if matches!(session.settings.reach, Reach::Connect(_)) {
                    pause(session, wait).await;
                }
            }
        }
    }
}

/// Uses a link until it ends.
async fn attend(session: &Arc<Session>, pair: &mut Pair, source: &mut Source) -> End {
    let calls = Calls::new(pair.api.out.clone());
    session.set_calls(Some(calls.clone()));
    session.activity.forget();
    // What was said while there was no link is known to history alone.
    session.gap_all();
    let mut pulse = Pulse::new();
    let word = pulse.qq.clone();
    let end = tokio::select! {
        end = session.receive(pair, &calls, &mut pulse) => end,
        end = stay(session, &word) => end,
        half = source.newer() => End::Replaced(half),
    };
    session.set_calls(None);
    calls.lose();
    if !matches!(end, End::Replaced(_)) {
        session.stand(Err("the connection to the OneBot program is gone".to_owned()));
    }
    end
}

async fn stay(session: &Arc<Session>, word: &watch::Sender<Qq>) -> End {
    match session.enter().await {
        Ok(()) => tokio::select! {
            end = session.watch_status(word) => end,
            () = session.keep_lists() => unreachable!("the keeper's loop has no end"),
        },
        Err(end) => end,
    }
}

/// Says why there is no link, and how long to wait.
async fn rest(session: &Session, no_link: &NoLink, backoff: &mut Backoff) -> Duration {
    match no_link {
        NoLink::Token => face_token(session).await,
        other => {
            let why = format!("{other}; trying again");
            session.set_state(SessionState::Degraded(why)).await;
            backoff.next()
        }
    }
}

async fn face(session: &Session, end: End, backoff: &mut Backoff) -> Duration {
    match end {
        End::Token => face_token(session).await,
        End::Person(why) => {
            let need = Need::Attention(why);
            session.set_state(SessionState::NeedsOperator(need)).await;
            session.settings.pace.token_retry
        }
        End::Lost(why) => {
            session
                .set_state(SessionState::Degraded(format!("{why}; trying again")))
                .await;
            backoff.next()
        }
        End::Replaced(_) => Duration::ZERO,
    }
}

async fn face_token(session: &Session) -> Duration {
    session.stand(Err("the OneBot program refuses the access token".to_owned()));
    let need = Need::Attention(NoLink::Token.to_string());
    session.set_state(SessionState::NeedsOperator(need)).await;
    session.settings.pace.token_retry
}

/// Waits, or until an admin asks for a login.
async fn pause(session: &Session, wait: Duration) {
    tokio::select! {
        () = sleep(wait) => {}
        () = session.wish.notified() => {}
    }
}
