//! What the sessions need of a person just now. Chat and page look here; the accounts' clerks write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::AccountName;
use crate::qq::Need;

/// Something that a session needs of a person.
#[derive(Debug, Clone)]
pub struct Open {
    /// Another one for each thing that is asked: an answer names what it answers.
    pub serial: u64,
    /// QR codes that follow one another because nobody scanned are one series. Everything else is a series of its own.
    pub(super) series: u64,
    /// What is needed.
    pub(super) need: Need,
    /// An answer is on its way to QQ.
    pub(super) answered: bool,
    /// An admin asked for a new code: the next one is news again.
    asked: bool,
}

impl Open {
    /// A QR code is to be scanned.
    pub fn is_code(&self) -> bool {
        matches!(self.need, Need::ScanQr { .. })
    }

    /// A captcha is to be read.
    pub fn is_captcha(&self) -> bool {
        matches!(self.need, Need::Captcha { .. })
    }

    /// An answer is on its way to QQ.
    pub fn is_answered(&self) -> bool {
        self.answered
    }

    /// What a log may know of it.
    pub(super) fn in_short(&self) -> &str {
        match &self.need {
            Need::ScanQr { .. } => {
                "QQ shows a QR code to be scanned; admins get it by chat, and it is a file beside the store"
            }
            Need::Captcha { .. } => {
                "QQ asks for a captcha; admins are told by chat, and its picture is a file beside the store"
            }
            Need::Attention(text) => text,
        }
    }

    /// The picture that the person has to see.
    pub fn picture(&self) -> Option<Arc<[u8]>> {
        match &self.need {
            Need::ScanQr { png: picture, .. } | Need::Captcha { picture } => Some(picture.clone()),
            Need::Attention(_) => None,
        }
    }
}

/// All that is needed. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    open: BTreeMap<AccountName, Open>,
}

impl Needs {
    /// Nothing is needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// A session needs this now; what it needed before is over.
    pub fn open(&self, account: &AccountName, need: Need) {
        let mut table = self.lock();
        table.last += 1;
        let serial = table.last;
        let next_code = |before: &&Open| before.is_code() && !before.asked && matches!(need, Need::ScanQr { .. });
        let series = table
            .open
            .get(account)
            .filter(next_code)
            .map_or(serial, |before| before.series);
        let open = Open {
            serial,
            series,
            need,
            answered: false,
            asked: false,
        };
        table.open.insert(account.clone(), open);
    }

    /// A session needs nobody any more.
    pub fn close(&self, account: &AccountName) {
        self.lock().open.remove(account);
    }

    /// What this account needs.
    pub fn of(&self, account: &AccountName) -> Option<Open> {
        self.lock().open.get(account).cloned()
    }

    /// What each account needs, by their names.
    pub(super) fn list(&self) -> Vec<(AccountName, Open)> {
        let table = self.lock();
        table
            .open
            .iter()
            .map(|(account, open)| (account.clone(), open.clone()))
            .collect()
    }

    /// The accounts whose captcha has no answer yet.
    pub(super) fn captchas(&self) -> Vec<AccountName> {
        let open = self.list().into_iter();
        open.filter(|(_, open)| open.is_captcha() && !open.answered)
            .map(|(account, _)| account)
            .collect()
    }

    /// An admin asked for a login.
    pub(super) fn ask(&self, account: &AccountName) {
        if let Some(open) = self.lock().open.get_mut(account) {
            open.asked = true;
        }
    }

    /// An answer to the captcha of this serial goes to QQ; whether that captcha is still open.
    pub(super) fn answer(&self, account: &AccountName, serial: u64) -> bool {
        let mut table = self.lock();
        let Some(open) = table.open.get_mut(account).filter(|open| open.is_captcha()) else {
            return false;
        };
        if open.serial != serial {
            return false;
        }
        open.answered = true;
        true
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_follow_one_another_are_one_series_until_somebody_asks_or_it_is_over() {
        let (needs, main) = (Needs::new(), AccountName("main".into()));
        let series = || {
            let png: Arc<[u8]> = Arc::from(&b"png"[..]);
            needs.open(&main, Need::ScanQr { png, text: None });
            needs.of(&main).expect("a need").series
        };
        let first = series();
        assert_eq!(series(), first);
        needs.ask(&main);
        let second = series();
        assert_ne!(second, first);
        needs.close(&main);
        assert_ne!(series(), second);
    }

    #[test]
    fn an_answer_is_for_the_captcha_that_was_seen() {
        let (needs, main) = (Needs::new(), AccountName("main".into()));
        let captcha = || Need::Captcha {
            picture: Arc::from(&b"jpeg"[..]),
        };
        needs.open(&main, captcha());
        let serial = needs.of(&main).expect("a need").serial;
        needs.open(&main, captcha());
        assert!(!needs.answer(&main, serial));
        assert_eq!(needs.captchas(), std::slice::from_ref(&main));
        assert!(needs.answer(&main, serial + 1));
        assert!(needs.captchas().is_empty());
    }
}
