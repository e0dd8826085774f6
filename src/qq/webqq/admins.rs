//! What concerns the account and no group, as sentences for the admins: requests, files, calls; and private words.

use tokio::time::Instant;

use super::event::Deed;
use super::session::Session;
use crate::qq::AccountEvent;
use crate::qq::strangers::cut;

impl Session {
    /// Tells the admins, unless they were told too much lately.
    pub(super) async fn tell_admins(&self, sentence: &str) {
        let told = self.roster().quota.take(sentence, Instant::now());
        if let Some(sentence) = told {
            self.tell(AccountEvent::ForAdmins(sentence)).await;
        } else {
            tracing::info!(account = %self.settings.name, "the admins were told enough lately");
        }
    }
}

/// What a person did towards the account.
pub(super) fn noticed(who: &str, deed: &Deed) -> String {
    let told = |words: &str| match cut(words) {
        words if words.is_empty() => String::new(),
        words => format!(" and says: {words}"),
    };
    match deed {
        Deed::WantsFriend(words) => {
            format!(
                "{who} wants to be a friend of the QQ account{}; answer in QQ",
                told(words)
            )
        }
        Deed::Added => format!("{who} added the QQ account as a friend"),
        Deed::Agreed => format!("{who} agreed to be a friend of the QQ account"),
        Deed::Refused(words) => format!("{who} refused to be a friend of the QQ account{}", told(words)),
        Deed::Shook => format!("{who} shook the QQ account's window"),
        Deed::File(name, size) => format!(
            "{who} wants to send the QQ account the file {}; it is not taken here, answer in QQ",
            file(name, *size)
        ),
        Deed::LeftFile(name, size) => format!(
            "{who} left the file {} for the QQ account; fetch it with QQ itself",
            file(name, *size)
        ),
        Deed::Called => format!("{who} calls the QQ account; nobody can answer here"),
    }
}

fn file(name: &str, size: Option<u64>) -> String {
    let name = if name.is_empty() {
        "without a name".to_owned()
    } else {
        cut(name)
    };
    size.map_or_else(|| name.clone(), |size| format!("{name} ({size} bytes)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qq::strangers::person;

    #[test]
    fn deeds_are_sentences() {
        let wang = person("wang", Some(222_333_444));
        for (deed, sentence) in [
            (
                Deed::WantsFriend("hi".into()),
                "wang (222333444) wants to be a friend of the QQ account and says: hi; answer in QQ",
            ),
            (
                Deed::WantsFriend(String::new()),
                "wang (222333444) wants to be a friend of the QQ account; answer in QQ",
            ),
            (
                Deed::Refused("no".into()),
                "wang (222333444) refused to be a friend of the QQ account and says: no",
            ),
            (
                Deed::LeftFile("a.txt".into(), Some(235)),
                "wang (222333444) left the file a.txt (235 bytes) for the QQ account; fetch it with QQ itself",
            ),
        ] {
            assert_eq!(noticed(&wang, &deed), sentence);
        }
    }
}
