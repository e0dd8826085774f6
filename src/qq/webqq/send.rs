//! Saying something in a group: ids, disguise of repeats, and what the service's answer means.

use std::collections::HashMap;

use super::api::millis;
use super::http::{Failure, Reply};
use super::wire::{Answer, text};
use crate::model::{GroupNumber, Part};
use crate::qq::faces;
use crate::qq::normal::normal_form;
use crate::qq::{NotSent, Outcome};

/// What was sent lately, as far as the next send depends on it.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Per group: the normal form of the last text, and the dress it wore.
    last: HashMap<GroupNumber, (String, usize)>,
    /// The same of the last text anywhere: to whom "the last" means what, nobody knows.
    anywhere: (String, usize),
    next_id: u64,
}

/// What is put behind a text to make it another one for the service and the same for a reader: a space, which QQ itself adds and
/// trims, and a sign without width, which nobody trims.
const DRESSES: [&str; 3] = ["", " \u{200b}", " \u{200b} \u{200b}"];

impl Sent {
    /// Ids are reserved in runs, so that a later start knows what is used without hearing of each.
    const RUN: u64 = 1000;

    /// A message id above all that were used, `floor` included, and the floor for the time after it. As the page made them:
    /// from the clock, then counting up.
    pub(super) fn id(&mut self, floor: u64) -> (u64, u64) {
        if self.next_id == 0 {
            self.next_id = first_id(millis()).max(floor);
        }
        let id = self.next_id;
        self.next_id += 1;
        let floor = if id >= floor { id + Self::RUN } else { floor };
        (id, floor)
    }

    /// Whether the last text of the group, or of all, was the same to a reader.
    pub(super) fn is_repeat(&self, group: GroupNumber, parts: &[Part]) -> bool {
        let form = normal_form(parts, faces::Known::WebQq);
        self.anywhere.0 == form || self.last.get(&group).is_some_and(|last| last.0 == form)
    }

    /// What to put behind a text, so that the service does not drop it as equal to the last one. Invisible.
    pub(super) fn tail(&mut self, group: GroupNumber, parts: &[Part]) -> &'static str {
        let form = normal_form(parts, faces::Known::WebQq);
        let last = self.last.get(&group);
        let worn = |dress: usize| {
            let this = |last: &(String, usize)| last.0 == form && last.1 == dress;
            this(&self.anywhere) || last.is_some_and(this)
        };
        // Two are worn at most, and there are three.
        let dress = (0..DRESSES.len()).find(|dress| !worn(*dress)).unwrap_or(0);
        self.anywhere = (form.clone(), dress);
        self.last.insert(group, (form, dress));
        DRESSES[dress]
    }
}

/// The page's first id: ten thousand for each of the clock's seconds, modulo ten thousand of them.
fn first_id(millis: u128) -> u64 {
    let seconds = u64::try_from(millis / 1000).unwrap_or(0);
    (seconds % 10_000) * 10_000 + 1
}

/// What the service made of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    /// The session is in doubt since.
    pub(super) doubt: bool,
    /// The service said that it was too much, or too like what was said before.
    pub(super) too_much: bool,
}

impl Verdict {
    pub(super) fn plain(outcome: Outcome) -> Self {
        Self {
            outcome,
            doubt: false,
            too_much: false,
        }
    }
}

/// Judges the answer to a send. What may have been delivered is never called unsent, and what surely was not is never called
/// unknown: the one would double messages, the other lose them.
pub(super) fn judge(sent: Result<Reply, Failure>) -> Verdict {
    let unknown = |why: &str| Verdict::plain(Outcome::Unknown(why.to_owned()));
    let reply = match sent {
        Ok(reply) => reply,
        Err(failure @ Failure::Connect(_)) => return Verdict::plain(later(&failure.to_string())),
        Err(failure @ Failure::Broken(_)) => return unknown(&failure.to_string()),
    };
    if !reply.is_success() {
        return unknown(&format!("the QQ server answered HTTP {}", reply.status));
    }
    let Some(answer) = Answer::read(&reply.body) else {
        return unknown("the QQ server gave no readable answer");
    };
    let says_error = |key: &str| text(&answer.body[key]).trim().eq_ignore_ascii_case("error");
    let Some(code) = answer.retcode else {
        if says_error("errMsg") || says_error("errmsg") {
            return Verdict::plain(later("QQ refused the message"));
        }
        return unknown("the QQ server did not say whether it took the message");
    };
    match code {
        0 if says_error("errMsg") => unknown("QQ answered with success and with an error"),
        0 => Verdict::plain(Outcome::Sent(None)),
        8 | 100 | 103 | 108 | 120 | 121 | 122 | 100_000 | 100_001 | 100_006 | 100_012 => Verdict {
            doubt: true,
            ..Verdict::plain(later(&format!("the QQ session was lost (code {code})")))
        },
        1202 => Verdict {
            too_much: true,
            ..unknown("QQ says it was too much or looks like advertising (code 1202)")
        },
        _ if says_error("errMsg") => Verdict::plain(later(&format!("QQ refused the message (code {code})"))),
        _ => unknown(&format!("QQ answered with code {code}")),
    }
}

fn later(why: &str) -> Outcome {
    Outcome::NotSent(NotSent::Later(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(body: &str) -> Verdict {
        judge(Ok(Reply {
            status: 200,
            body: body.as_bytes().to_vec(),
            location: None,
        }))
    }

    fn of(body: &str) -> (Outcome, bool) {
        let verdict = answered(body);
        (verdict.outcome, verdict.doubt)
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
            r#"{"retcode":"x"}"#,
            r#"{"errMsg":"ERROR","retcode":0}"#,
            "{}",
            "[]",
            "",
            "<html>",
        ] {
            assert!(matches!(of(body), (Outcome::Unknown(_), false)), "{body}");
        }
        assert!(answered(r#"{"errmsg":"error!!!","retcode":1202}"#).too_much);
        for body in [
            r#"{"errMsg":"ERROR"}"#,
            r#"{"errCode":5,"errMsg":"ERROR"}"#,
            r#"{"retcode":77,"errMsg":"error"}"#,
        ] {
            assert!(
                matches!(of(body), (Outcome::NotSent(NotSent::Later(_)), false)),
                "{body}"
            );
        }
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
        assert!(matches!(judge(Ok(down)).outcome, Outcome::Unknown(_)));
        let unreached = judge(Err(Failure::Connect(String::new())));
        assert!(matches!(unreached.outcome, Outcome::NotSent(NotSent::Later(_))));
        let broken = judge(Err(Failure::Broken(String::new())));
        assert!(matches!(broken.outcome, Outcome::Unknown(_)));
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
    fn the_first_id_is_the_pages() {
        assert_eq!(first_id(1_365_934_781_123), 47_810_001);
    }

    #[test]
    fn repeats_look_equal_and_are_not() {
        let mut sent = Sent::default();
        let group = GroupNumber(1);
        let text = [Part::Text("hi".into())];
        assert!(!sent.is_repeat(group, &text));
        let tails: Vec<_> = (0..20).map(|_| sent.tail(group, &text)).collect();
        assert_eq!(tails[0], "");
        assert!(tails.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(sent.is_repeat(group, &text));
        assert!(sent.is_repeat(GroupNumber(2), &text));
        assert_eq!(sent.tail(group, &[Part::Text("ho".into())]), "");
        assert!(!sent.is_repeat(GroupNumber(2), &text));
        for tail in tails {
            let echo = [Part::Text(format!("hi{tail}"))];
            assert_eq!(
                normal_form(&echo, faces::Known::WebQq),
                normal_form(&text, faces::Known::WebQq)
            );
        }
    }

    #[test]
    fn one_text_to_several_groups_is_never_twice_the_same() {
        let mut sent = Sent::default();
        let text = [Part::Text("hi".into())];
        let mut worn = Vec::new();
        for round in 0..4 {
            for group in 1..=3 {
                worn.push((group, sent.tail(GroupNumber(group), &text)));
            }
            assert!(worn.windows(2).all(|pair| pair[0].1 != pair[1].1), "{round}");
        }
        for group in 1..=3 {
            let own: Vec<_> = worn.iter().filter(|(g, _)| *g == group).collect();
            assert!(own.windows(2).all(|pair| pair[0].1 != pair[1].1));
        }
    }
}
