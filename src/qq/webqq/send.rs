//! Saying something in a group: ids, disguise of repeats, and what the service's answer means.

use std::collections::HashMap;

use super::api::millis;
use super::http::{Failure, Reply};
use super::wire::{Answer, text};
use crate::model::{GroupNumber, Part};
use crate::qq::faces;
use crate::qq::normal::normal_form;
use crate::qq::text::clean_name;
use crate::qq::{NotSent, Outcome};

/// What was sent lately, as far as the next send depends on it.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Per group: the normal form of the last text, and how often in a row it was sent.
    last: HashMap<GroupNumber, (String, usize)>,
    next_id: u64,
}

impl Sent {
    /// Ids are reserved in runs, so that a later start knows what is used without hearing of each.
    const RUN: u64 = 1000;
    /// Equal texts in a row wear up to so many spaces, and then begin again.
    const TAIL_MAX: usize = 8;

    /// A message id above all that were used, `floor` included, and the floor for the time after it. As the page made them:
    /// from the clock, then counting up.
    pub(super) fn id(&mut self, floor: u64) -> (u64, u64) {
        if self.next_id == 0 {
            let seconds = u64::try_from(millis() / 1000).unwrap_or(0);
            self.next_id = ((seconds % 10_000) * 10_000 + 1).max(floor);
        }
        let id = self.next_id;
        self.next_id += 1;
        let floor = if id >= floor { id + Self::RUN } else { floor };
        (id, floor)
    }

    /// What to put behind a text, so that the service does not drop it as equal to the last one of the group. Invisible.
    pub(super) fn tail(&mut self, group: GroupNumber, parts: &[Part]) -> String {
        let form = normal_form(parts, faces::Known::WebQq);
        let entry = self.last.entry(group).or_default();
        let times = if entry.0 == form {
            entry.1 % Self::TAIL_MAX + 1
        } else {
            0
        };
        *entry = (form, times);
        " ".repeat(times)
    }
}

/// What the service made of a send; and whether the session is in doubt since.
pub(super) fn outcome(sent: Result<Reply, Failure>) -> (Outcome, bool) {
    let reply = match sent {
        Ok(reply) => reply,
        Err(failure @ Failure::Connect(_)) => return (later(&failure.to_string()), false),
        Err(failure @ Failure::Broken(_)) => return (Outcome::Unknown(failure.to_string()), false),
    };
    if !reply.is_success() {
        return (
            Outcome::Unknown(format!("the QQ server answered HTTP {}", reply.status)),
            false,
        );
    }
    let Some(answer) = Answer::read(&reply.body) else {
        return (
            Outcome::Unknown("the QQ server gave no readable answer".to_owned()),
            false,
        );
    };
    let Some(code) = answer.retcode else {
        let message = [text(&answer.body["errMsg"]), text(&answer.body["errmsg"])].join("");
        if message.eq_ignore_ascii_case("error") {
            return (later("QQ refused the message"), false);
        }
        return (
            Outcome::Unknown("the QQ server did not say whether it took the message".to_owned()),
            false,
        );
    };
    match code {
        0 => (Outcome::Sent(None), false),
        8 | 100 | 103 | 108 | 120 | 121 | 122 | 100_000 | 100_001 | 100_006 | 100_012 => {
            (later(&format!("the QQ session was lost (code {code})")), true)
        }
        1202 => (
            Outcome::Unknown("QQ says it was too much or looks like advertising (code 1202)".to_owned()),
            false,
        ),
        _ if answer.body["errCode"].is_number()
            && clean_name(text(&answer.body["errMsg"])).eq_ignore_ascii_case("error") =>
        {
            (later(&format!("QQ refused the message (code {code})")), false)
        }
        _ => (Outcome::Unknown(format!("QQ answered with code {code}")), false),
    }
}

fn later(why: &str) -> Outcome {
    Outcome::NotSent(NotSent::Later(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> (Outcome, bool) {
        outcome(Ok(Reply {
            status: 200,
            body: body.as_bytes().to_vec(),
            location: None,
        }))
    }

    #[test]
    fn every_answer() {
        for body in [
            r#"{"retcode":0,"result":"ok"}"#,
            r#"{"errCode":0,"msg":"send ok"}"#,
            r#"{"retcode":0}"#,
        ] {
            assert_eq!(of(body), (Outcome::Sent(None), false), "{body}");
        }
        for body in [
            r#"{"errmsg":"error!!!","retcode":1202}"#,
            r#"{"retcode":100100,"errmsg":""}"#,
            r#"{"retcode":77}"#,
            "{}",
            "",
            "<html>",
        ] {
            assert!(matches!(of(body), (Outcome::Unknown(_), false)), "{body}");
        }
        assert!(matches!(
            of(r#"{"errMsg":"ERROR"}"#),
            (Outcome::NotSent(NotSent::Later(_)), false)
        ));
        for code in [8, 103, 108, 100_000, 100_001, 100_012] {
            let body = format!(r#"{{"retcode":{code}}}"#);
            assert!(
                matches!(of(&body), (Outcome::NotSent(NotSent::Later(_)), true)),
                "{body}"
            );
        }
        let down = Reply {
            status: 502,
            body: Vec::new(),
            location: None,
        };
        assert!(matches!(outcome(Ok(down)), (Outcome::Unknown(_), false)));
        assert!(matches!(
            outcome(Err(Failure::Connect(String::new()))),
            (Outcome::NotSent(_), false)
        ));
        assert!(matches!(
            outcome(Err(Failure::Broken(String::new()))),
            (Outcome::Unknown(_), false)
        ));
    }

    #[test]
    fn ids_rise_over_restarts() {
        let mut sent = Sent::default();
        let (first, floor) = sent.id(0);
        let (second, same) = sent.id(floor);
        assert!(second > first && floor > second && same == floor);
        let (later, _) = Sent::default().id(floor + 100_000_000);
        assert_eq!(later, floor + 100_000_000);
    }

    #[test]
    fn repeats_look_equal_and_are_not() {
        let mut sent = Sent::default();
        let group = GroupNumber(1);
        let text = [Part::Text("hi".into())];
        let tails: Vec<_> = (0..20).map(|_| sent.tail(group, &text)).collect();
        assert_eq!(tails[0], "");
        assert!(tails.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(sent.tail(group, &[Part::Text("ho".into())]), "");
        assert_eq!(sent.tail(GroupNumber(2), &text), "");
    }
}
