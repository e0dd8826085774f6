//! What concerns the account and no group, as sentences for the admins: private messages and requests. At most a few.

use tokio::time::Instant;

use super::event::{Private, Request, RequestKind};
use super::session::{Session, lock};
use crate::qq::AccountEvent;
use crate::qq::strangers::{cut, person, words};

impl Session {
    /// Tells the admins what others wrote, unless they were told too much lately.
    pub(super) fn tell_admins(self: &std::sync::Arc<Self>, sentence: &str) {
        let told = lock(&self.quota).take(sentence, Instant::now());
        if let Some(sentence) = told {
            self.alert(sentence);
        } else {
            tracing::info!(account = %self.settings.name, "the admins were told enough lately");
        }
    }

    /// Tells the admins what the session has to say itself, however much strangers talked.
    pub(super) fn alert(self: &std::sync::Arc<Self>, sentence: String) {
        let session = self.clone();
        self.spawn(async move { session.tell(AccountEvent::ForAdmins(sentence)).await });
    }
}

/// A private message as a sentence; none for what the account said itself or for nothing.
pub(super) fn private(private: &Private) -> Option<String> {
    let words = words(&private.parts);
    if private.own || words.trim().is_empty() {
        return None;
    }
    let group = private.group.map(|group| format!(" of group {group}"));
    Some(format!(
        "{}{} wrote to the QQ account: {}",
        person(&private.name, private.peer.map(|number| number.0)),
        group.unwrap_or_default(),
        words
    ))
}

/// A request as a sentence.
pub(super) fn request(request: &Request) -> String {
    let who = person("", request.user.map(|number| number.0));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::QqNumber;

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
