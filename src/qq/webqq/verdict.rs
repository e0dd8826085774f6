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
    /// The session may be lost: test it.
    Doubt,
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

/// Longest wait between two polls.
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
        Some(103 | 100_012) => Verdict::Doubt,
        Some(112) => Verdict::Unlinked(10 * SECOND),
        Some(120 | 121 | 100_000 | 100_006) => Verdict::Unlinked(Duration::ZERO),
        Some(100 | 108 | 122) => Verdict::LoggedOut,
        Some(100_002 | 100_003) => Verdict::Outage,
        Some(114 | 100_001 | 100_101) => Verdict::Counted(SECOND),
        Some(_) => Verdict::Counted(10 * SECOND),
    }
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
    Probe(Duration),
    /// Open the link again.
    Relink(Duration),
    /// Log in.
    Login,
}

/// The memory of recent answers.
#[derive(Debug)]
pub(super) struct Health {
    counted: u32,
    odd: u32,
    renewed: u32,
    broken: Backoff,
    broken_in_a_row: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            counted: 0,
            odd: 0,
            renewed: 0,
            broken: Backoff::new(SECOND, WAIT_MAX),
            broken_in_a_row: 0,
        }
    }
}

impl Health {
    /// Errors in a row before the session is tested, and before the link is opened anew although the tests went well.
    const COUNTED: [u32; 2] = [5, 10];

    /// Forgets everything: the link is new.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// How often in a row the wire broke.
    pub(super) fn broken_in_a_row(&self) -> u32 {
        self.broken_in_a_row
    }

    /// What to do after this.
    pub(super) fn next(&mut self, verdict: &Verdict) -> Next {
        if !matches!(verdict, Verdict::Broken(_)) {
            self.broken_in_a_row = 0;
            self.broken.reset();
        }
        match verdict {
            Verdict::Events(_) | Verdict::Idle => {
                self.reset();
                Next::Poll(Duration::ZERO)
            }
            Verdict::Renewed(_) => {
                self.renewed += 1;
                // At once, unless it is all that ever comes.
                Next::Poll(if self.renewed > 3 { SECOND } else { Duration::ZERO })
            }
            Verdict::Odd => {
                self.odd += 1;
                if self.odd >= 3 {
                    Next::Relink(SECOND)
                } else {
                    Next::Poll(SECOND)
                }
            }
            Verdict::Doubt => {
                self.counted += 1;
                if self.counted > Self::COUNTED[0] {
                    return Next::Relink(SECOND);
                }
                Next::Probe(SECOND * (self.counted - 1))
            }
            Verdict::Counted(wait) => {
                self.counted += 1;
                match self.counted {
                    n if n >= Self::COUNTED[1] => Next::Relink(*wait),
                    n if n >= Self::COUNTED[0] => Next::Probe(*wait),
                    _ => Next::Poll(*wait),
                }
            }
            Verdict::Outage => {
                self.counted += 1;
                Next::Poll((10 * SECOND * self.counted).min(WAIT_MAX))
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

    #[test]
    fn every_code() {
        for (code, next) in [
            (100, Next::Login),
            (103, Next::Probe(Duration::ZERO)),
            (108, Next::Login),
            (109, Next::Poll(SECOND)),
            (110, Next::Poll(SECOND)),
            (112, Next::Relink(10 * SECOND)),
            (114, Next::Poll(SECOND)),
            (120, Next::Relink(Duration::ZERO)),
            (121, Next::Relink(Duration::ZERO)),
            (122, Next::Login),
            (100_000, Next::Relink(Duration::ZERO)),
            (100_001, Next::Poll(SECOND)),
            (100_002, Next::Poll(10 * SECOND)),
            (100_003, Next::Poll(10 * SECOND)),
            (100_006, Next::Relink(Duration::ZERO)),
            (100_012, Next::Probe(Duration::ZERO)),
            (100_101, Next::Poll(SECOND)),
            (77, Next::Poll(10 * SECOND)),
        ] {
            let verdict = verdict(&format!(r#"{{"retcode":{code},"errmsg":"error"}}"#));
            assert_eq!(Health::default().next(&verdict), next, "{code}");
        }
        assert_eq!(verdict(r#"{"retcode":116,"p":"abc"}"#), Verdict::Renewed("abc".into()));
        assert!(matches!(verdict(r#"{"retcode":0,"result":[{}]}"#), Verdict::Events(e) if e.len() == 1));
        assert!(matches!(verdict("<html>"), Verdict::Broken(_)));
    }

    #[test]
    fn a_broken_wire_never_asks_for_a_login() {
        let mut health = Health::default();
        for _ in 0..1000 {
            let next = health.next(&judge(Err(NoAnswer::Status(502))));
            assert!(matches!(next, Next::Poll(wait) if wait <= WAIT_MAX));
        }
        assert_eq!(health.broken_in_a_row(), 1000);
        for _ in 0..1000 {
            assert!(matches!(health.next(&Verdict::Outage), Next::Poll(_)));
        }
    }

    #[test]
    fn errors_in_a_row_lead_to_a_test_then_a_relink_and_an_idle_answer_forgets_them() {
        let mut health = Health::default();
        let counted = Verdict::Counted(SECOND);
        let nexts: Vec<_> = (0..10).map(|_| health.next(&counted)).collect();
        assert!(nexts[..4].iter().all(|n| matches!(n, Next::Poll(_))));
        assert!(nexts[4..9].iter().all(|n| matches!(n, Next::Probe(_))));
        assert!(matches!(nexts[9], Next::Relink(_)));
        health.next(&Verdict::Idle);
        assert!(matches!(health.next(&counted), Next::Poll(_)));
    }

    #[test]
    fn doubt_for_ever_ends_in_a_relink() {
        let mut health = Health::default();
        assert!((0..10).any(|_| matches!(health.next(&Verdict::Doubt), Next::Relink(_))));
    }
}
