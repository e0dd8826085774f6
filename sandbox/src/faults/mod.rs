//! Misbehaviour on demand: the kinds, and what is armed. Who misbehaves asks here with [`Faults::take`].
//!
//! Faults are not kept: they end with the process and with a reset.

mod onebot;
mod webqq;

use serde_json::{Map, Value, json};

/// The most faults that are armed at a time.
const MOST_ARMED: usize = 100;

/// A kind of misbehaviour.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) word: &'static str,
    /// A sentence for people.
    pub(crate) does: &'static str,
    /// Name, default, meaning.
    pub(crate) parameters: &'static [(&'static str, &'static str)],
    /// Whether it stays until it is cleared, when nobody gives a count.
    pub(crate) lasting: bool,
}

/// All kinds with the protocol they are of; every one takes `qq` (only that account) and `count` (how often; 0: until it is
/// cleared).
fn all() -> impl Iterator<Item = (&'static str, &'static Kind)> {
    let of_onebot = onebot::KINDS.iter().map(|kind| ("onebot", kind));
    of_onebot.chain(webqq::KINDS.iter().map(|kind| ("webqq", kind)))
}

/// A fault that waits for its moment.
#[derive(Clone, Debug)]
pub(crate) struct Armed {
    kind: &'static Kind,
    qq: Option<i64>,
    /// `None`: until it is cleared.
    left: Option<u64>,
    parameters: Map<String, Value>,
}

impl Armed {
    /// A parameter as number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.parameters.get(name)?.as_u64()
    }

    /// A parameter as text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)?.as_str()
    }

    /// A parameter as yes or no.
    pub(crate) fn truth(&self, name: &str) -> bool {
        self.flag(name).unwrap_or(false)
    }

    /// A parameter as yes or no, if it is given.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.parameters.get(name)?.as_bool()
    }
}

/// What is armed, in the order in which it was.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Vec<Armed>,
    /// How many garbage frames were said.
    pub(crate) garbage: usize,
}

impl Faults {
    /// Arms a fault. The error is a sentence for the caller.
    pub(crate) fn arm(&mut self, body: &Map<String, Value>) -> Result<Value, String> {
        let known = || all().map(|(_, kind)| kind.word).collect::<Vec<_>>().join(", ");
        let word = body.get("kind").and_then(Value::as_str).ok_or("\"kind\" is missing")?;
        let kind = all().map(|(_, kind)| kind).find(|kind| kind.word == word);
        let kind = kind.ok_or_else(|| format!("unknown fault kind \"{word}\"; known kinds: {}", known()))?;
        let number = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or_else(|| format!("\"{name}\" must be a number from 0 on")),
        };
        let (count, qq) = (number("count")?, number("qq")?);
        let parameters: Map<_, _> = body
            .iter()
            .filter(|(name, _)| !["kind", "count", "qq"].contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for name in parameters.keys() {
            if !kind.parameters.iter().any(|(known, _)| known == name) {
                let known: Vec<_> = kind.parameters.iter().map(|(known, _)| *known).collect();
                return Err(format!(
                    "{word} has no parameter \"{name}\"; it has: qq, count, {}",
                    known.join(", ")
                ));
            }
        }
        if self.armed.len() >= MOST_ARMED {
            return Err(format!("{MOST_ARMED} faults are armed already: clear them with DELETE"));
        }
        let left = match count {
            None if kind.lasting || body.contains_key("until") => None,
            None => Some(1),
            Some(0) => None,
            Some(count) => Some(count),
        };
        let qq = qq.and_then(|qq| i64::try_from(qq).ok());
        let armed = Armed {
            kind,
            qq,
            left,
            parameters,
        };
        let shown = shown(&armed);
        self.armed.push(armed);
        Ok(shown)
    }

    /// Disarms a kind, or all.
    pub(crate) fn clear(&mut self, word: Option<&str>) {
        self.armed
            .retain(|armed| word.is_some_and(|word| armed.kind.word != word));
    }

    /// Takes a fault of that kind that is armed for an account and fits: one less is left.
    pub(crate) fn take(&mut self, word: &str, qq: i64, fits: impl Fn(&Armed) -> bool) -> Option<Armed> {
        let place = self.place(word, qq, fits)?;
        let armed = &mut self.armed[place];
        let taken = armed.clone();
        if let Some(left) = &mut armed.left {
            *left -= 1;
            if *left == 0 {
                self.armed.remove(place);
            }
        }
        Some(taken)
    }

    /// Ends what lasts until a call that `called` knows.
    pub(crate) fn end_until(&mut self, qq: i64, called: impl Fn(&str) -> bool) {
        let usual = |armed: &Armed| (armed.kind.word == "zombie").then_some("relink");
        self.armed.retain(|armed| {
            let until = armed.text("until").or_else(|| usual(armed));
            !until.is_some_and(&called) || armed.qq.is_some_and(|wanted| wanted != qq)
        });
    }

    /// Ends the zombie of an account, as a renewal of its tokens did.
    pub(crate) fn end_zombie(&mut self, qq: i64) {
        let of_another = |armed: &Armed| armed.qq.is_some_and(|wanted| wanted != qq);
        self.armed
            .retain(|armed| armed.kind.word != "zombie" || of_another(armed));
    }

    /// A fault of that kind that is armed for an account, without taking it.
    pub(crate) fn find(&self, word: &str, qq: i64) -> Option<&Armed> {
        self.place(word, qq, |_| true).map(|place| &self.armed[place])
    }

    /// Whether a fault of that kind is armed for an account.
    pub(crate) fn has(&self, word: &str, qq: i64) -> bool {
        self.place(word, qq, |_| true).is_some()
    }

    fn place(&self, word: &str, qq: i64, fits: impl Fn(&Armed) -> bool) -> Option<usize> {
        let wanted =
            |armed: &Armed| armed.kind.word == word && armed.qq.is_none_or(|wanted| wanted == qq) && fits(armed);
        self.armed.iter().position(wanted)
    }

    /// What is armed, for people.
    pub(crate) fn shown(&self) -> Vec<Value> {
        self.armed.iter().map(shown).collect()
    }
}

fn shown(armed: &Armed) -> Value {
    let mut shown = json!({"kind": armed.kind.word, "count": armed.left.unwrap_or(0), "qq": armed.qq});
    for (name, value) in &armed.parameters {
        shown[name] = value.clone();
    }
    shown
}

/// The kinds, for people.
pub(crate) fn kinds() -> Vec<Value> {
    let kind = |(protocol, kind): (&str, &Kind)| {
        let parameters: Map<String, Value> = kind
            .parameters
            .iter()
            .map(|(name, meaning)| ((*name).to_owned(), json!(meaning)))
            .collect();
        json!({"kind": kind.word, "protocol": protocol, "does": kind.does, "parameters": parameters, "lasting": kind.lasting})
    };
    all().map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(faults: &mut Faults, body: &Value) -> Result<Value, String> {
        faults.arm(body.as_object().unwrap())
    }

    #[test]
    fn faults_are_taken_as_often_as_they_were_armed() {
        let mut faults = Faults::default();
        arm(&mut faults, &json!({"kind": "lost_event", "count": 2, "qq": 5})).unwrap();
        assert!(faults.take("lost_event", 6, |_| true).is_none());
        assert!(faults.take("lost_event", 5, |_| false).is_none());
        assert!(faults.take("lost_event", 5, |_| true).is_some());
        assert_eq!(faults.shown()[0]["count"], 1);
        assert!(faults.take("lost_event", 5, |_| true).is_some());
        assert!(faults.take("lost_event", 5, |_| true).is_none());
        arm(&mut faults, &json!({"kind": "silent_offline"})).unwrap();
        assert!((0..9).all(|_| faults.take("silent_offline", 1, |_| true).is_some()));
        faults.clear(Some("lost_event"));
        assert!(faults.has("silent_offline", 1));
        faults.clear(None);
        assert!(!faults.has("silent_offline", 1));
        for wrong in [
            json!({}),
            json!({"kind": "x"}),
            json!({"kind": "drop_call", "delay": "3s"}),
        ] {
            assert!(arm(&mut faults, &wrong).is_err(), "{wrong}");
        }
    }
}
