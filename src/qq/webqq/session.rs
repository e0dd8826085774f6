//! What all parts of one session share: its settings, its wire, what it knows, and its ways to tell.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Settings;
use super::api::Api;
use super::roster::Roster;
use super::saved::Saved;
use crate::qq::{AccountEvent, Inbox, Need, SessionState};

/// Longest wait on the gateway's own mailbox.
const GATEWAY_PATIENCE: Duration = Duration::from_secs(5);

/// One session. Its parts run side by side in one task; the locks are never held over an await, except the asynchronous ones.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) api: Api,
    pub(super) inbox: Arc<dyn Inbox>,
    roster: Mutex<Roster>,
    /// When the next real number may be asked for; holding it is the turn to ask.
    pub(super) gate: tokio::sync::Mutex<Option<Instant>>,
    /// The turn to read lists, so that who waits for a list finds it read.
    pub(super) reading: tokio::sync::Mutex<()>,
    /// The turn to tell a portal what it missed, so that it is told once.
    pub(super) telling: tokio::sync::Mutex<()>,
    online: AtomicBool,
    /// A send found the session lost.
    pub(super) doubt: Notify,
    /// An admin asked for a login.
    pub(super) wish: Notify,
    /// The keeper should look now.
    pub(super) look: Notify,
    /// What an admin read in a captcha, and that there is something new.
    captcha: Mutex<Option<String>>,
    typed: Notify,
    last: Mutex<Last>,
}

/// What the gateway was told last.
#[derive(Default)]
struct Last {
    state: Option<SessionState>,
    saved: Vec<u8>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(super) fn new(settings: Settings, api: Api, inbox: Arc<dyn Inbox>) -> Self {
        Self {
            settings,
            api,
            inbox,
            roster: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            telling: tokio::sync::Mutex::default(),
            online: AtomicBool::new(false),
            doubt: Notify::new(),
            wish: Notify::new(),
            look: Notify::new(),
            captcha: Mutex::default(),
            typed: Notify::new(),
            last: Mutex::default(),
        }
    }

    /// What is known of people and groups.
    pub(super) fn roster(&self) -> MutexGuard<'_, Roster> {
        lock(&self.roster)
    }

    pub(super) fn is_online(&self) -> bool {
        self.online.load(Ordering::Relaxed)
    }

    pub(super) fn set_online(&self, online: bool) {
        self.online.store(online, Ordering::Relaxed);
    }

    /// An admin says what a captcha shows.
    pub(super) fn type_captcha(&self, text: String) {
        *lock(&self.captcha) = Some(text);
        self.typed.notify_one();
    }

    /// A new captcha is about to be shown: whatever was typed before is not about it.
    pub(super) fn forget_captcha(&self) {
        *lock(&self.captcha) = None;
    }

    /// What an admin read in the captcha that is shown.
    pub(super) async fn captcha(&self) -> String {
        loop {
            if let Some(text) = lock(&self.captcha).take() {
                return text;
            }
            self.typed.notified().await;
        }
    }

    /// Tells the gateway something about the account.
    pub(super) async fn tell(&self, event: AccountEvent) {
        let mailbox = self.inbox.account(&self.settings.name);
        if mailbox.send_timeout(event, GATEWAY_PATIENCE).await.is_err() {
            tracing::error!(account = %self.settings.name, "the gateway did not take an event of the account");
        }
    }

    /// Tells the gateway how the session is, if that is news. A picture always is.
    pub(super) async fn set_state(&self, state: SessionState) {
        {
            let mut last = lock(&self.last);
            let is_picture = matches!(
                state,
                SessionState::NeedsOperator(Need::ScanQr { .. } | Need::Captcha { .. })
            );
            if !is_picture && last.state.as_ref() == Some(&state) {
                return;
            }
            last.state = Some(state.clone());
        }
        self.tell(AccountEvent::State(state)).await;
    }

    /// Whether this is what the gateway believes.
    pub(super) fn state_is(&self, is: impl Fn(&SessionState) -> bool) -> bool {
        lock(&self.last).state.as_ref().is_some_and(is)
    }

    /// Hands what a later start needs to the gateway, if it changed.
    pub(super) async fn save(&self) {
        let tokens = self.api.tokens().clone();
        if tokens.uin == 0 || tokens.psessionid.is_empty() {
            return;
        }
        let bytes = Saved::new(tokens, self.api.http.save_cookies()).write();
        {
            let mut last = lock(&self.last);
            if last.saved == bytes {
                return;
            }
            last.saved.clone_from(&bytes);
        }
        self.tell(AccountEvent::Saved(bytes)).await;
    }

    /// Takes what an earlier session saved. False when it is of no use, or another account's.
    pub(super) fn resume(&self, bytes: &[u8]) -> bool {
        let Some(saved) = Saved::read(bytes) else {
            return false;
        };
        let own = self
            .settings
            .login
            .password()
            .is_none_or(|(qq, _)| qq.0 == saved.tokens.uin);
        if !own || saved.tokens.era != self.api.http.era {
            return false;
        }
        if let Err(error) = self.api.http.load_cookies(&saved.cookies) {
            tracing::warn!(account = %self.settings.name, %error, "saved cookies cannot be read, a new login is needed");
            return false;
        }
        *self.api.tokens() = saved.tokens;
        bytes.clone_into(&mut lock(&self.last).saved);
        true
    }
}
