//! The steps that keep a session on line: poll, test, open the link again.

use std::ops::Range;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{KICKS_APART, Life, OVERLOADS_MAX, Probed, RELINKS_MAX, Step, Turn, answered, probed};
use crate::qq::webqq::era::Era;
use crate::qq::webqq::login::Trouble;
use crate::qq::webqq::receive::Kicked;
use crate::qq::webqq::session::Session;
use crate::qq::webqq::verdict::{Cure, Next, Verdict, anything_said, judge};

/// A poll that was not answered for so long is being held.
const KEEPS_STILL: Duration = Duration::from_secs(2);
/// A poll that ends so, after so long, was held all the while: some proxies cut what is quiet for half a minute or one. That is how
/// they say that nothing happened.
const CUT_WHILE_HELD: Range<Duration> = Duration::from_secs(20)..Duration::from_secs(100);

impl Life<'_> {
    /// Polls, with the keeper and the heart beside it, until something else has to be done.
    pub(super) async fn poll(&mut self) -> Turn {
        let session = self.session;
        tokio::select! {
            turn = self.poll_chain() => turn,
            () = session.keep() => unreachable!("the keeper's loop has no end"),
            () = beat(session) => unreachable!("the heart's loop has no end"),
        }
    }

    async fn poll_chain(&mut self) -> Turn {
        let session = self.session;
        loop {
            let asked = Instant::now();
            // What is in doubt is tested beside the poll: it may bring something yet, which an abandoned one would take along.
            let called = tokio::select! {
                biased;
                called = session.api.poll() => called,
                () = self.found_lost() => return Turn::now(Step::Relink),
            };
            let verdict = judge(called);
            if let Verdict::Broken(why) = &verdict
                && CUT_WHILE_HELD.contains(&asked.elapsed())
            {
                tracing::debug!(account = %session.settings.name, why, "a poll was cut while nothing happened");
                sleep(session.settings.pace.retry_first).await;
                continue;
            }
            let next = self.health.next(&verdict);
            match &verdict {
                Verdict::Events(events) => {
                    self.good_poll().await;
                    if anything_said(events) {
                        self.heard = Instant::now();
                    }
                    if let Err(Kicked(reason)) = session.receive(events, &mut self.seen).await {
                        return self.kicked(&reason).await;
                    }
                    if self.is_stale() {
                        return Turn::now(Step::Freshen);
                    }
                }
                Verdict::Idle => {
                    self.good_poll().await;
                    if self.is_stale() {
                        return Turn::now(Step::Freshen);
                    }
                    // Answers of "nothing" that come at once would make a storm.
                    sleep(session.settings.pace.poll_every.saturating_sub(asked.elapsed())).await;
                }
                Verdict::Renewed(ptwebqq) => {
                    if !session.api.take_ptwebqq(ptwebqq) {
                        tracing::warn!(account = %session.settings.name, "the renewed ptwebqq is no cookie");
                    }
                    session.save().await;
                }
                other => {
                    tracing::debug!(account = %session.settings.name, verdict = ?other, ?next, "a poll went wrong");
                    if let Some(why) = self.health.worry() {
                        self.degrade(why).await;
                    }
                }
            }
            match next {
                Next::Poll(after) if after.is_zero() => {}
                Next::Poll(after) => sleep(after).await,
                Next::Probe(after, cure) => return Turn::after(after, Step::Probe(cure)),
                Next::Relink(after) => return Turn::after(after, Step::Relink),
                Next::Freshen(after) => return Turn::after(after.max(self.relink_wait.next()), Step::Freshen),
                Next::Login => return Turn::now(Step::Quick),
            }
        }
    }

    /// Waits until a doubt turns out to be right: a send's, or that of a wire that broke before and now keeps still, as it does
    /// while nothing happens. Asking for a login is of no use meanwhile.
    async fn found_lost(&self) {
        let session = self.session;
        let mut worried = self.health.worry().is_some();
        loop {
            tokio::select! {
                () = session.doubt.notified() => {}
                () = sleep(KEEPS_STILL), if worried => {}
                () = session.wish.notified() => {
                    tracing::info!(account = %session.settings.name, "a login was asked for, but the session is on line");
                    continue;
                }
            }
            match probed(session.api.online_buddies().await) {
                Probed::Lives if worried => {
                    worried = false;
                    self.come_online().await;
                }
                Probed::Lives | Probed::Unclear(_) => {}
                Probed::Lost => return,
            }
        }
    }

    async fn good_poll(&mut self) {
        self.relinks = 0;
        self.relink_wait.reset();
        self.overloads = 0;
        self.quick = false;
        // One that does not last is no good login, however well it began.
        let settled = self.session.settings.pace.settled;
        if self.last_login.is_none_or(|at| at.elapsed() > settled) {
            self.last_login = None;
            self.refusals = 0;
            self.refused.reset();
        }
        self.come_online().await;
        self.session.save().await;
    }

    /// Whether the link should be opened anew although nothing seems wrong. Of some sessions the service keeps saying that
    /// nothing happened while messages go elsewhere; and in 2013 the lists of an old link began to be refused.
    fn is_stale(&self) -> bool {
        let pace = &self.session.settings.pace;
        let silent = self.heard.max(self.linked_at).elapsed() > pace.silence;
        let old = self.session.api.http.era == Era::W13 && self.linked_at.elapsed() > pace.freshen;
        silent || old
    }

    /// Opens the link anew without need, or because of errors of a session that tests call alive: whatever goes wrong is no
    /// reason to doubt the old one.
    pub(super) async fn freshen(&mut self) -> Turn {
        self.linked_at = Instant::now();
        match self.session.api.relink().await {
            Ok(answer) if answer.retcode == Some(0) && self.session.api.take_session(answer.result()) => {
                tracing::info!(account = %self.session.settings.name, "the link was opened anew, as a precaution");
                self.relinked()
            }
            Ok(answer) => {
                tracing::info!(account = %self.session.settings.name, code = ?answer.retcode, "the link was not opened anew");
                Turn::now(Step::Polling)
            }
            Err(error) => {
                tracing::info!(account = %self.session.settings.name, %error, "the link was not opened anew");
                Turn::now(Step::Polling)
            }
        }
    }

    async fn kicked(&mut self, reason: &str) -> Turn {
        let why = if reason.is_empty() {
            "somebody else logged the account in"
        } else {
            reason
        };
        let again = self.last_kick.is_some_and(|at| at.elapsed() < KICKS_APART);
        self.last_kick = Some(Instant::now());
        if again {
            let why = format!("QQ ended the session twice ({why}): end the account's other web login");
            return Turn::now(Step::Rest(self.asking(&why)));
        }
        self.degrade(&format!("QQ ended the session: {why}")).await;
        self.lose(&format!("QQ ended the session: {why}")).await;
        Turn::after(self.session.settings.pace.kick_pause, Step::Quick)
    }

    /// Whether the session lives after all.
    pub(super) async fn probe(&mut self, cure: Cure) -> Turn {
        match probed(self.session.api.online_buddies().await) {
            Probed::Lives => {
                self.went_well();
                Turn::now(Step::Polling)
            }
            Probed::Lost => Turn::now(match cure {
                Cure::Relink => Step::Relink,
                Cure::Login => Step::Quick,
            }),
            Probed::Unclear(why) => {
                tracing::info!(account = %self.session.settings.name, why, "the test of the session has no result");
                Turn::after(self.wire.next(), Step::Polling)
            }
        }
    }

    pub(super) async fn relink(&mut self) -> Result<Turn, Trouble> {
        self.degrade("the link to QQ was lost; opening it again").await;
        if self.relinks >= RELINKS_MAX {
            self.relinks = 0;
            return Ok(Turn::now(Step::Quick));
        }
        let answer = answered(self.session.api.relink().await)?;
        match answer.retcode {
            None | Some(100_003) => return Err(Trouble::Wire("QQ seems to be out of order".to_owned())),
            Some(_) => self.went_well(),
        }
        match answer.retcode {
            Some(0) if self.session.api.take_session(answer.result()) => {
                self.relinks += 1;
                let turn = self.relinked();
                // A link that is lost again at once is opened ever more slowly.
                let after = if self.relinks > 1 {
                    self.relink_wait.next()
                } else {
                    self.relink_wait.reset();
                    Duration::ZERO
                };
                Ok(Turn::after(after, turn.next))
            }
            Some(112 | 113 | 115) if self.overloads < OVERLOADS_MAX => {
                self.overloads += 1;
                Ok(Turn::after(self.relink_wait.next(), Step::Relink))
            }
            Some(115) => Err(Trouble::Person(
                "QQ blocks the account, or this machine's address (code 115): look at the account with the phone"
                    .to_owned(),
            )),
            _ => Ok(Turn::now(Step::Quick)),
        }
    }

    /// Login2 gave a new session to an old login.
    fn relinked(&mut self) -> Turn {
        self.health.reset();
        self.linked_at = Instant::now();
        self.linked = true;
        self.session.api.take_cookie();
        Turn::now(match self.session.api.http.era {
            Era::W13 => Step::Lists,
            Era::S15 => Step::Token,
        })
    }
}

/// The heartbeat of 2013. Its answers say nothing, not even that the session lives.
async fn beat(session: &Session) {
    if session.api.http.era == Era::S15 {
        std::future::pending::<()>().await;
    }
    for count in 0.. {
        if let Err(error) = session.api.heartbeat(count).await {
            tracing::debug!(account = %session.settings.name, %error, "a heartbeat was not heard");
        }
        sleep(session.settings.pace.heartbeat).await;
    }
}
