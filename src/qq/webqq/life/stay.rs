//! The steps that keep a session on line: poll, test, open the link again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{KICKS_APART, Life, OVERLOADS_MAX, Probed, RELINKS_MAX, Step, Turn, answered, probed};
use crate::qq::webqq::login::Trouble;
use crate::qq::webqq::receive::Kicked;
use crate::qq::webqq::verdict::{Next, Verdict, judge};

impl Life<'_> {
    /// Polls, with the keeper beside it, until something else has to be done.
    pub(super) async fn poll(&mut self) -> Turn {
        let session = self.session;
        tokio::select! {
            turn = self.poll_chain() => turn,
            () = session.keep() => unreachable!("the keeper's loop has no end"),
        }
    }

    async fn poll_chain(&mut self) -> Turn {
        let session = self.session;
        loop {
            let asked = Instant::now();
            let called = tokio::select! {
                called = session.api.poll() => called,
                () = session.doubt.notified() => return Turn::now(Step::Probe),
                () = session.wish.notified() => {
                    tracing::info!(account = %session.settings.name, "a login was asked for, but the session is on line");
                    continue;
                }
            };
            let verdict = judge(called);
            let next = self.health.next(&verdict);
            match &verdict {
                Verdict::Events(events) => {
                    self.good_poll().await;
                    if let Err(Kicked(reason)) = session.receive(events, &mut self.seen).await {
                        return self.kicked(&reason).await;
                    }
                }
                Verdict::Idle => {
                    self.good_poll().await;
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
                    tracing::info!(account = %session.settings.name, verdict = ?other, ?next, "a poll went wrong");
                    if self.health.broken_in_a_row() >= 3 {
                        self.degrade("the QQ server cannot be reached; trying again").await;
                    }
                }
            }
            match next {
                Next::Poll(after) => sleep(after).await,
                Next::Probe(after) => return Turn::after(after, Step::Probe),
                Next::Relink(after) => return Turn::after(after, Step::Relink),
                Next::Login => return Turn::now(Step::Quick),
            }
        }
    }

    async fn good_poll(&mut self) {
        self.relinks = 0;
        self.overloads = 0;
        self.quick = false;
        self.last_quick = None;
        self.come_online().await;
        self.session.save().await;
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
    pub(super) async fn probe(&mut self) -> Turn {
        match probed(self.session.api.online_buddies().await) {
            Probed::Lives => Turn::now(Step::Polling),
            Probed::Lost => Turn::now(Step::Relink),
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
        self.went_well();
        match answer.retcode {
            Some(0) if self.session.api.take_session(answer.result()) => {
                self.relinks += 1;
                self.health.reset();
                self.linked = true;
                let ptwebqq = self.session.api.http.cookie("ptwebqq").unwrap_or_default();
                self.session.api.tokens().ptwebqq = ptwebqq;
                // A link that is lost again at once is opened ever more slowly.
                let after = if self.relinks > 1 {
                    self.relink_wait.next()
                } else {
                    Duration::ZERO
                };
                Ok(Turn::after(after, Step::Token))
            }
            Some(112 | 113 | 115) if self.overloads < OVERLOADS_MAX => {
                self.overloads += 1;
                Ok(Turn::after(self.relink_wait.next(), Step::Relink))
            }
            _ => Ok(Turn::now(Step::Quick)),
        }
    }
}
