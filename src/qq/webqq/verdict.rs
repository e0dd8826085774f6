//! What a poll's answer means, and what to do about it. Pure: the poll loop obeys.

use std::time::Duration;

use serde_json::Value;

use super::api::Called;
use super::wire::{Answer, text};
use crate::backoff::Backoff;

/// What a poll's answer means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Something happened: the raw array.
    Events(Vec<Value>),
    /// Nothing happened.
    Idle,
    /// The cookie ptwebqq has a new value.
    Renewed(String),
    /// Means nothing once; thrice in a row the link is lost.
    Odd,
    /// The session may be lost: test it, and if it is, do this.
    Doubt(Cure),
    /// An error; several in a row are a reason to test the session.
    Counted(Duration),
    /// The whole service is unwell: wait, and do not ask anybody to scan anything.
    Outage,
    /// The link is lost; the login is not. After so long, open it again.
    Unlinked(Duration),
    /// The login is lost.
    LoggedOut,
    /// The wire broke: never a reason for a login.
    Broken(String),
}

/// What helps a session that a test showed to be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cure {
    /// Open the link again; if that fails, log in.
    Relink,
    /// Log in.
    Login,
}

/// Longest wait between two polls of a service that is out of order.
const WAIT_MAX: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// Judges an answer of poll2 by the table of codes.
pub(super) fn judge(called: Called) -> Verdict {
    let answer = match called {
        Ok(answer) => answer,
        Err(error) => return Verdict::Broken(error.to_string()),
    };
    match answer.retcode {
        None | Some(0) => events(answer),
        // Idle of 2013; and errors that were harmless in practice.
        Some(102 | 1202 | 100_100) => Verdict::Idle,
        Some(116) => match text(&answer.body["p"]) {
            "" => Verdict::Counted(SECOND),
            p => Verdict::Renewed(p.to_owned()),
        },
        Some(109 | 110) => Verdict::Odd,
        Some(103) => Verdict::Doubt(Cure::Relink),
        Some(100_012) => Verdict::Doubt(Cure::Login),
        Some(112) => Verdict::Unlinked(10 * SECOND),
        Some(120 | 121 | 100_000 | 100_006) => Verdict::Unlinked(Duration::ZERO),
        Some(100 | 108 | 122) => Verdict::LoggedOut,
        Some(100_002 | 100_003) => Verdict::Outage,
        Some(114 | 100_001 | 100_101) => Verdict::Counted(SECOND),
        Some(_) => Verdict::Counted(10 * SECOND),
    }
}

/// Whether somebody said something: what a session that is dead without knowing it never brings.
pub(super) fn anything_said(events: &[Value]) -> bool {
    let kinds = ["message", "group_message", "discu_message", "sess_message"];
    events.iter().any(|event| kinds.contains(&text(&event["poll_type"])))
}

fn events(mut answer: Answer) -> Verdict {
    match answer.body["result"].take() {
        Value::Array(events) if !events.is_empty() => Verdict::Events(events),
        _ => Verdict::Idle,
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Poll again.
    Poll(Duration),
    /// Test the session.
    Probe(Duration, Cure),
    /// Open the link again.
    Relink(Duration),
    /// Open the link again, though tests say that the session lives.
    Freshen(Duration),
    /// Log in.
    Login,
}

/// The memory of recent answers.
#[derive(Debug)]
pub(super) struct Health {
    counted: u32,
    odd: u32,
    renewed: u32,
    outages: u32,
    broken: Backoff,
    broken_in_a_row: u32,
}

impl Health {
    /// Errors in a row before the session is tested, and before the link is opened anew although the tests went well.
    const COUNTED: [u32; 2] = [5, 10];
    /// Renewals of the cookie in a row that are believed.
    const RENEWED: [u32; 2] = [3, 10];
    /// Bad answers in a row before people are told.
    const WORRY: u32 = 3;

    /// `first` and `longest` are the waits after a broken connection.
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            counted: 0,
            odd: 0,
            renewed: 0,
            outages: 0,
            broken: Backoff::new(first, longest),
            broken_in_a_row: 0,
        }
    }

    /// Forgets everything: the link is new, or a poll went well.
    pub(super) fn reset(&mut self) {
        (self.counted, self.odd, self.renewed, self.outages) = (0, 0, 0, 0);
        self.mend();
    }

    fn mend(&mut self) {
        self.broken_in_a_row = 0;
        self.broken.reset();
    }

    /// What people should know.
    pub(super) fn worry(&self) -> Option<&'static str> {
        if self.broken_in_a_row >= Self::WORRY {
            return Some("the QQ server cannot be reached; trying again");
        }
        if self.outages >= Self::WORRY {
            return Some("QQ seems to be out of order; waiting for it");
        }
        (self.counted >= Self::COUNTED[0]).then_some("QQ answers with errors; trying again")
    }

    /// What to do after this.
    pub(super) fn next(&mut self, verdict: &Verdict) -> Next {
        if !matches!(verdict, Verdict::Broken(_)) {
            self.mend();
        }
        match verdict {
            Verdict::Events(_) | Verdict::Idle => {
                self.reset();
                Next::Poll(Duration::ZERO)
            }
            Verdict::Renewed(_) => {
                self.renewed += 1;
                // At once, unless it is all that ever comes.
                match self.renewed {
                    n if n > Self::RENEWED[1] => Next::Relink(SECOND),
                    n if n > Self::RENEWED[0] => Next::Poll(SECOND),
                    _ => Next::Poll(Duration::ZERO),
                }
            }
            Verdict::Odd => {
                self.odd += 1;
                if self.odd >= 3 {
                    Next::Relink(SECOND)
                } else {
                    Next::Poll(SECOND)
                }
            }
            Verdict::Doubt(cure) => {
                self.counted += 1;
                if self.counted > Self::COUNTED[0] {
                    return Next::Freshen(SECOND);
                }
                Next::Probe(SECOND * (self.counted - 1), *cure)
            }
            Verdict::Counted(wait) => {
                self.counted += 1;
                match self.counted {
                    n if n >= Self::COUNTED[1] => Next::Freshen(*wait),
                    n if n >= Self::COUNTED[0] => Next::Probe(*wait, Cure::Relink),
                    _ => Next::Poll(*wait),
                }
            }
            Verdict::Outage => {
                self.outages += 1;
                Next::Poll((10 * SECOND * self.outages).min(WAIT_MAX))
            }
            Verdict::Unlinked(wait) => Next::Relink(*wait),
            Verdict::LoggedOut => Next::Login,
            Verdict::Broken(_) => {
                self.broken_in_a_row += 1;
                Next::Poll(self.broken.next())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qq::webqq::api::NoAnswer;

    fn verdict(body: &str) -> Verdict {
        let answer = if body.is_empty() {
            Some(Answer::default())
        } else {
            Answer::read(body.as_bytes())
        };
        judge(answer.ok_or(NoAnswer::Unreadable))
    }

    #[test]
    fn every_idle_form() {
        for body in [
            r#"{"retcode":102,"errmsg":""}"#,
            r#"{"errmsg":"error!!!","retcode":0}"#,
            r#"{"errmsg":"error","retcode":0}"#,
            r#"{"errmsg":""}"#,
            r#"{"retcode":0,"result":"ok"}"#,
            r#"{"retcode":0,"retmsg":"ok","errmsg":"error"}"#,
            r#"{"retcode":0,"result":[]}"#,
            r#"{"retcode":1202}"#,
            r#"{"retcode":100100}"#,
            "",
        ] {
            assert_eq!(verdict(body), Verdict::Idle, "{body}");
        }
    }

    fn health() -> Health {
        Health::new(SECOND, WAIT_MAX)
    }

    #[test]
    fn every_code() {
        for (code, next) in [
            (0, Next::Poll(Duration::ZERO)),
            (100, Next::Login),
            (102, Next::Poll(Duration::ZERO)),
            (103, Next::Probe(Duration::ZERO, Cure::Relink)),
            (108, Next::Login),
            (109, Next::Poll(SECOND)),
            (110, Next::Poll(SECOND)),
            (112, Next::Relink(10 * SECOND)),
            (114, Next::Poll(SECOND)),
            (120, Next::Relink(Duration::ZERO)),
            (121, Next::Relink(Duration::ZERO)),
            (122, Next::Login),
            (1202, Next::Poll(Duration::ZERO)),
            (100_000, Next::Relink(Duration::ZERO)),
            (100_001, Next::Poll(SECOND)),
            (100_002, Next::Poll(10 * SECOND)),
            (100_003, Next::Poll(10 * SECOND)),
            (100_006, Next::Relink(Duration::ZERO)),
            (100_012, Next::Probe(Duration::ZERO, Cure::Login)),
            (100_100, Next::Poll(Duration::ZERO)),
            (100_101, Next::Poll(SECOND)),
            (77, Next::Poll(10 * SECOND)),
        ] {
            let verdict = verdict(&format!(r#"{{"retcode":{code},"errmsg":"error"}}"#));
            assert_eq!(health().next(&verdict), next, "{code}");
        }
        assert_eq!(verdict(r#"{"retcode":116,"p":"abc"}"#), Verdict::Renewed("abc".into()));
        assert!(matches!(verdict(r#"{"retcode":116}"#), Verdict::Counted(_)));
        assert!(matches!(verdict(r#"{"retcode":0,"result":[{}]}"#), Verdict::Events(e) if e.len() == 1));
        assert!(matches!(verdict("<html>"), Verdict::Broken(_)));
    }

    #[test]
    fn odd_codes_thrice_in_a_row_open_the_link_again() {
        let mut health = health();
        assert!(matches!(health.next(&Verdict::Odd), Next::Poll(_)));
        assert!(matches!(health.next(&Verdict::Odd), Next::Poll(_)));
        health.next(&Verdict::Idle);
        for relinks in [false, false, true] {
            assert_eq!(matches!(health.next(&Verdict::Odd), Next::Relink(_)), relinks);
        }
    }

    #[test]
    fn a_renewal_is_followed_at_once_unless_it_is_all_that_comes() {
        let mut health = health();
        let renewed = Verdict::Renewed("abc".into());
        assert_eq!(health.next(&renewed), Next::Poll(Duration::ZERO));
        assert!((0..20).any(|_| matches!(health.next(&renewed), Next::Relink(_))));
    }

    #[test]
    fn a_broken_wire_or_service_never_asks_for_a_login() {
        let mut health = health();
        for _ in 0..1000 {
            let next = health.next(&judge(Err(NoAnswer::Status(502))));
            assert!(matches!(next, Next::Poll(wait) if wait <= WAIT_MAX && !wait.is_zero()));
        }
        assert!(health.worry().is_some_and(|why| why.contains("reached")));
        for _ in 0..1000 {
            assert!(matches!(health.next(&Verdict::Outage), Next::Poll(wait) if wait <= WAIT_MAX));
        }
        assert!(health.worry().is_some_and(|why| why.contains("out of order")));
        health.next(&Verdict::Idle);
        assert_eq!(health.worry(), None);
    }

    #[test]
    fn errors_in_a_row_lead_to_a_test_then_a_relink_and_an_idle_answer_forgets_them() {
        let mut health = health();
        let counted = Verdict::Counted(SECOND);
        let nexts: Vec<_> = (0..10).map(|_| health.next(&counted)).collect();
        assert!(nexts[..4].iter().all(|n| matches!(n, Next::Poll(_))));
        assert!(nexts[4..9].iter().all(|n| matches!(n, Next::Probe(..))));
        assert!(matches!(nexts[9], Next::Freshen(_)));
        health.next(&Verdict::Idle);
        assert!(matches!(health.next(&counted), Next::Poll(_)));
    }

    #[test]
    fn doubt_for_ever_ends_in_a_relink() {
        for cure in [Cure::Relink, Cure::Login] {
            let mut health = health();
            assert!((0..10).any(|_| matches!(health.next(&Verdict::Doubt(cure)), Next::Freshen(_))));
        }
    }

    #[test]
    fn what_a_session_that_is_dead_without_knowing_it_does_not_bring() {
        let said = |kind: &str| anything_said(&[serde_json::json!({"poll_type": kind, "value": {}})]);
        for kind in ["message", "group_message", "discu_message", "sess_message"] {
            assert!(said(kind), "{kind}");
        }
        for kind in ["buddies_status_change", "input_notify", "system_message", ""] {
            assert!(!said(kind), "{kind}");
        }
    }
}
