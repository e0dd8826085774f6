//! What a session tells the admins of strangers: so much in a time, and then how much more there was; words of a bounded length.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::words::plain_text;
use crate::model::{Language, Part};

/// Sentences in a time of [`QUOTA_TIME`]; more would let a stranger write to the admins without end.
const QUOTA: u32 = 20;
const QUOTA_TIME: Duration = Duration::from_secs(600);
/// Longest words of a stranger, in characters.
const WORDS_MAX: usize = 1000;

/// What the admins were told lately.
#[derive(Debug, Default)]
pub(super) struct Quota {
    since: Option<Instant>,
    told: u32,
    untold: u64,
}

impl Quota {
    /// The sentence as it may be told now, if it may.
    pub(super) fn take(&mut self, sentence: &str, now: Instant) -> Option<String> {
        let mut before = 0;
        if self.since.is_none_or(|since| now - since > QUOTA_TIME) {
            before = std::mem::take(self).untold;
            self.since = Some(now);
        }
        self.told += 1;
        if self.told > QUOTA {
            self.untold += 1;
            return None;
        }
        let last = if self.told == QUOTA {
            " (no more is told for some minutes; look at the account itself)"
        } else {
            ""
        };
        let first = match before {
            0 => String::new(),
            n => format!("(before this, {n} more that were not told) "),
        };
        Some(format!("{first}{sentence}{last}"))
    }
}

/// A person: name and number, as far as they are known.
pub(super) fn person(name: &str, number: Option<u64>) -> String {
    match (number, cut(name)) {
        (Some(number), name) if name.is_empty() => format!("QQ {number}"),
        (Some(number), name) => format!("{name} ({number})"),
        (None, name) if name.is_empty() => "somebody".to_owned(),
        (None, name) => name,
    }
}

/// The words of a message.
pub(super) fn words(parts: &[Part]) -> String {
    cut(&plain_text(parts, Language::En))
}

/// Words within [`WORDS_MAX`].
pub(super) fn cut(words: &str) -> String {
    let mut cut: String = words.chars().take(WORDS_MAX).collect();
    if cut.len() < words.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_talk_without_end_and_are_counted() {
        let mut quota = Quota::default();
        let now = Instant::now();
        let told: Vec<Option<String>> = (0..30).map(|_| quota.take("x", now)).collect();
        assert_eq!(told.iter().flatten().count(), 20);
        assert!(told[19].as_deref().is_some_and(|text| text.contains("no more is told")));
        let later = quota.take("y", now + QUOTA_TIME * 2);
        assert_eq!(later.as_deref(), Some("(before this, 10 more that were not told) y"));
        assert_eq!(quota.take("z", now + QUOTA_TIME * 2).as_deref(), Some("z"));
    }

    #[test]
    fn people_and_words() {
        assert_eq!(person("wang", Some(222_333_444)), "wang (222333444)");
        assert_eq!(person("", None), "somebody");
        assert_eq!(person("", Some(5)), "QQ 5");
        assert_eq!(cut(&"猫".repeat(10_000)).chars().count(), WORDS_MAX + 1);
    }
}
