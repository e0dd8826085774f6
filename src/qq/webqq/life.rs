//! The state machine drawn in [`super`]: each step says which comes next and when, or what the trouble is. No trouble ends it.

mod enter;
mod stay;

use std::time::Duration;

use tokio::time::{Instant, sleep};
use url::Url;

use super::api::{Called, NoAnswer};
use super::event::Seen;
use super::login::Trouble;
use super::session::Session;
use super::verdict::Health;
use super::wire::Answer;
use crate::backoff::Backoff;
use crate::model::QqNumber;
use crate::qq::{Need, SessionState};

/// Codes after which an admin has to ask for more.
const CODES_MAX: u32 = 10;
/// Logins without a scan are not tried more often, unless one led to a working poll.
const QUICK_EVERY: Duration = Duration::from_secs(600);
/// A second kick within this time is somebody who means it.
const KICKS_APART: Duration = Duration::from_secs(600);
/// Links opened anew in a row, without one good poll between them, before the login counts as lost.
const RELINKS_MAX: u32 = 3;
/// Answers of "overloaded" to a relink before the login counts as lost.
const OVERLOADS_MAX: u32 = 10;
/// Refusals of the login in a row before a person is asked.
const REFUSALS_MAX: u32 = 5;

/// Where the session stands.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// Test what an earlier session saved.
    Resume,
    /// A login without a scan.
    Quick,
    Page,
    Show,
    Wait,
    CheckSig(Url),
    Token,
    Login2,
    Lists,
    Register,
    Polling,
    Probe,
    Relink,
    /// A person has to do something first.
    Rest(String),
}

/// What comes next, and when.
struct Turn {
    next: Step,
    after: Duration,
}

impl Turn {
    fn now(next: Step) -> Self {
        Self::after(Duration::ZERO, next)
    }

    fn after(after: Duration, next: Step) -> Self {
        Self { next, after }
    }
}

/// The one who walks the steps.
pub(super) struct Life<'a> {
    session: &'a Session,
    health: Health,
    seen: Seen,
    wire: Backoff,
    refused: Backoff,
    refusals: u32,
    relink_wait: Backoff,
    relinks: u32,
    overloads: u32,
    codes: u32,
    page_opened: Instant,
    /// Login2 was done by a relink, so the token is all that is missing.
    linked: bool,
    /// This login came without a scan; its failure is no refusal yet.
    quick: bool,
    last_quick: Option<Instant>,
    last_kick: Option<Instant>,
}

impl<'a> Life<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        let pace = &session.settings.pace;
        Self {
            session,
            health: Health::default(),
            seen: Seen::default(),
            wire: Backoff::new(pace.retry_first, pace.retry),
            refused: Backoff::new(pace.retry_first, pace.retry),
            refusals: 0,
            relink_wait: Backoff::new(pace.retry_first, pace.retry),
            relinks: 0,
            overloads: 0,
            codes: 0,
            page_opened: Instant::now(),
            linked: false,
            quick: false,
            last_quick: None,
            last_kick: None,
        }
    }

    /// Lives; never ends by itself. `saved`: whether an earlier session's tokens were taken.
    pub(super) async fn live(mut self, saved: bool) {
        let mut step = if saved { Step::Resume } else { Step::Page };
        loop {
            let turn = self
                .take(&step)
                .await
                .unwrap_or_else(|trouble| self.face(&step, trouble));
            if !matches!(turn.next, Step::Polling | Step::Probe) || !matches!(step, Step::Polling | Step::Probe) {
                tracing::debug!(account = %self.session.settings.name, from = ?kind(&step), to = ?kind(&turn.next), after = ?turn.after, "step");
            }
            step = turn.next;
            if turn.after.is_zero() {
                continue;
            }
            tokio::select! {
                () = sleep(turn.after) => {}
                () = self.session.wish.notified() => {
                    if matches!(step, Step::Wait | Step::Show) {
                        self.codes = 0;
                        step = Step::Show;
                    }
                }
            }
        }
    }

    async fn take(&mut self, step: &Step) -> Result<Turn, Trouble> {
        match step {
            Step::Resume => self.resume().await,
            Step::Quick => self.quick().await,
            Step::Page => self.page().await,
            Step::Show => self.show().await,
            Step::Wait => self.wait().await,
            Step::CheckSig(link) => {
                self.session.api.check_sig(link).await?;
                self.went_well();
                Ok(Turn::now(Step::Token))
            }
            Step::Token => self.token().await,
            Step::Login2 => self.login2().await,
            Step::Lists => self.lists().await,
            Step::Register => self.register().await,
            Step::Polling => Ok(self.poll().await),
            Step::Probe => Ok(self.probe().await),
            Step::Relink => self.relink().await,
            Step::Rest(why) => {
                self.lose(why).await;
                self.session
                    .set_state(SessionState::NeedsOperator(Need::Attention(why.clone())))
                    .await;
                self.session.wish.notified().await;
                self.codes = 0;
                self.refusals = 0;
                self.last_quick = None;
                self.last_kick = None;
                Ok(Turn::now(Step::Quick))
            }
        }
    }

    /// What to do about trouble in a step.
    fn face(&mut self, step: &Step, trouble: Trouble) -> Turn {
        tracing::warn!(account = %self.session.settings.name, step = ?kind(step), %trouble, "the QQ login is in trouble");
        match trouble {
            Trouble::Wire(_) => Turn::after(self.wire.next(), step.clone()),
            Trouble::Person(why) => Turn::now(Step::Rest(self.asking(&why))),
            Trouble::Refused(_) if self.quick => {
                self.quick = false;
                Turn::now(Step::Page)
            }
            Trouble::Refused(why) => {
                self.refusals += 1;
                if self.refusals >= REFUSALS_MAX {
                    return Turn::now(Step::Rest(self.asking(&why)));
                }
                Turn::after(self.refused.next(), Step::Page)
            }
        }
    }

    fn asking(&self, why: &str) -> String {
        format!("{why}; then send `login {}`", self.session.settings.name)
    }

    fn went_well(&mut self) {
        self.wire.reset();
    }

    async fn degrade(&self, why: &str) {
        self.session.set_state(SessionState::Degraded(why.to_owned())).await;
    }

    /// The session is gone: nobody can speak, and everybody is told.
    async fn lose(&self, why: &str) {
        if self.session.is_online() {
            self.session.set_online(false);
            self.session.announce_loss(why).await;
        }
    }

    async fn come_online(&self) {
        let own = QqNumber(self.session.api.own());
        self.session.set_state(SessionState::Online(own)).await;
    }
}

/// A step's name without what it carries: links hold secrets.
fn kind(step: &Step) -> &'static str {
    match step {
        Step::Resume => "resume",
        Step::Quick => "quick",
        Step::Page => "page",
        Step::Show => "show",
        Step::Wait => "wait",
        Step::CheckSig(_) => "check_sig",
        Step::Token => "getvfwebqq",
        Step::Login2 => "login2",
        Step::Lists => "lists",
        Step::Register => "register",
        Step::Polling => "polling",
        Step::Probe => "probe",
        Step::Relink => "relink",
        Step::Rest(_) => "rest",
    }
}

/// What a test of the session showed.
#[derive(Debug, PartialEq, Eq)]
enum Probed {
    Lives,
    Lost,
    Unclear(String),
}

fn probed(called: Called) -> Probed {
    match called {
        Err(error) => Probed::Unclear(error.to_string()),
        Ok(answer) => match answer.retcode {
            Some(0) => Probed::Lives,
            // An outage of the whole service.
            Some(code @ (100_002 | 100_003)) => Probed::Unclear(format!("QQ answers with code {code}")),
            Some(_) => Probed::Lost,
            None => Probed::Unclear("QQ gave no readable answer".to_owned()),
        },
    }
}

fn answered(called: Called) -> Result<Answer, Trouble> {
    called.map_err(|error| match error {
        NoAnswer::Wire(_) | NoAnswer::Status(_) | NoAnswer::Unreadable => Trouble::Wire(error.to_string()),
    })
}

fn refused(what: &str, answer: &Answer) -> Trouble {
    match answer.retcode {
        Some(100_002 | 100_003 | 112) | None => Trouble::Wire(format!("QQ {what}: it seems to be out of order")),
        Some(code) => Trouble::Refused(format!("QQ {what} (code {code})")),
    }
}
