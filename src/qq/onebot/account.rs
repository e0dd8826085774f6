//! What concerns the account and no group, as sentences for the admins: private messages and requests. At most a few.

use std::time::Duration;

use tokio::time::Instant;

use super::event::{Private, Request, RequestKind};
use super::session::{Session, lock};
use crate::model::words::plain_text;
use crate::model::{Language, QqNumber};
use crate::qq::AccountEvent;

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
}

impl Quota {
    /// Whether one more may be told; the last one says that there are more.
    fn take(&mut self) -> Option<bool> {
        if self.since.is_none_or(|since| since.elapsed() > QUOTA_TIME) {
            *self = Self {
                since: Some(Instant::now()),
                told: 0,
            };
        }
        self.told += 1;
        (self.told <= QUOTA).then_some(self.told == QUOTA)
    }
}

impl Session {
    /// Tells the admins what others wrote, unless they were told too much lately.
    pub(super) fn tell_admins(self: &std::sync::Arc<Self>, sentence: String) {
        let Some(last) = lock(&self.quota).take() else {
            tracing::info!(account = %self.settings.name, "the admins were told enough lately");
            return;
        };
        let more = if last {
            " (no more is told for some minutes; look at the account itself)"
        } else {
            ""
        };
        self.alert(sentence + more);
    }

    /// Tells the admins what the session has to say itself, however much strangers talked.
    pub(super) fn alert(self: &std::sync::Arc<Self>, sentence: String) {
        let session = self.clone();
        self.spawn(async move { session.tell(AccountEvent::ForAdmins(sentence)).await });
    }
}

/// A private message as a sentence; none for what the account said itself or for nothing.
pub(super) fn private(private: &Private) -> Option<String> {
    let words = plain_text(&private.parts, Language::En);
    if private.own || words.trim().is_empty() {
        return None;
    }
    let group = private.group.map(|group| format!(" of group {group}"));
    Some(format!(
        "{}{} wrote to the QQ account: {}",
        person(private.peer, &private.name),
        group.unwrap_or_default(),
        cut(&words)
    ))
}

/// A request as a sentence.
pub(super) fn request(request: &Request) -> String {
    let who = person(request.user, "");
    let group = request
        .group
        .map_or_else(|| "a group".to_owned(), |g| format!("group {g}"));
    let what = match request.kind {
        RequestKind::Friend => format!("{who} wants to be a friend of the QQ account"),
        RequestKind::Join => format!("{who} wants to join {group}"),
        RequestKind::Invite => format!("{who} invites the QQ account to {group}"),
    };
    let comment = cut(request.comment.trim());
    if comment.is_empty() {
        format!("{what}; answer in QQ")
    } else {
        format!("{what} and says: {comment}; answer in QQ")
    }
}

fn person(number: Option<QqNumber>, name: &str) -> String {
    match (number, name.is_empty()) {
        (Some(number), false) => format!("{name} ({number})"),
        (Some(number), true) => format!("QQ {number}"),
        (None, false) => name.to_owned(),
        (None, true) => "somebody".to_owned(),
    }
}

fn cut(words: &str) -> String {
    let mut cut: String = words.chars().take(WORDS_MAX).collect();
    if cut.len() < words.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn strangers_cannot_talk_without_end() {
        let mut quota = Quota::default();
        let taken: Vec<Option<bool>> = (0..30).map(|_| quota.take()).collect();
        assert_eq!(taken.iter().flatten().count(), 20);
        assert_eq!(taken[19], Some(true));
        tokio::time::advance(QUOTA_TIME * 2).await;
        assert_eq!(quota.take(), Some(false));
    }

    #[test]
    fn requests_are_sentences() {
        let invite = Request {
            kind: RequestKind::Invite,
            group: Some(crate::model::GroupNumber(5)),
            user: Some(QqNumber(7)),
            comment: String::new(),
            flag: "f".into(),
        };
        assert_eq!(request(&invite), "QQ 7 invites the QQ account to group 5; answer in QQ");
    }
}
