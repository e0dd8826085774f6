//! Whether QQ holds the account on line while the link is up: by what the program says unasked, and by asking where that is in
//! doubt. The account's state comes from here.

use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::End;
use crate::qq::onebot::call::CallError;
use crate::qq::onebot::field;
use crate::qq::onebot::receive::{self, Qq};
use crate::qq::onebot::session::Session;
use crate::qq::{Need, SessionState};

impl Session {
    /// Watches until the link has to be given up. `word` is the last word on the matter, whoever said it.
    pub(super) async fn watch_status(&self, word: &watch::Sender<Qq>) -> End {
        let pace = &self.settings.pace;
        let mut told = word.subscribe();
        // At once: heartbeats may be switched off.
        let mut asked = None;
        loop {
            let silence = self.activity.silence().unwrap_or_default();
            let suspicious = silence > pace.quiet;
            let due = match asked {
                None => true,
                Some(at) if *told.borrow() != Qq::Online => Instant::now() - at >= pace.offline_every,
                Some(at) => suspicious && Instant::now() - at >= pace.quiet,
            };
            if due {
                asked = Some(Instant::now());
                match self.ask("get_status", json!({})).await {
                    Ok(status) => {
                        if let Some(online) = field::flag(&status["online"]) {
                            receive::set(word, online);
                        }
                    }
                    Err(CallError::Unanswered(why)) if suspicious => {
                        return End::Lost(format!("the OneBot program is silent: {why}"));
                    }
                    // A program without this call says nothing by it.
                    Err(error) => tracing::debug!(account = %self.settings.name, %error, "the status was not read"),
                }
            }
            let now = told.borrow_and_update().clone();
            self.be(&now, suspicious).await;
            tokio::select! {
                () = sleep(pace.look_every) => {}
                _ = told.changed() => {
                    let now = told.borrow().clone();
                    asked = if matches!(now, Qq::Offline { announced: true, .. }) {
                        self.be(&now, suspicious).await;
                        // Whether the status agrees: only then it is believed when it says that this is over.
                        None
                    } else {
                        // The program's own word is not doubted at once: it may be ahead of its own answers.
                        Some(Instant::now())
                    };
                }
                () = self.wish.notified() => {
                    receive::believe_next(word);
                    asked = None;
                }
            }
        }
    }

    /// Says how the account is.
    async fn be(&self, qq: &Qq, suspicious: bool) {
        let own = self.roster().own;
        match qq {
            Qq::Online => {
                self.stand(Ok(()));
                let state = if suspicious {
                    let minutes = self.settings.pace.quiet.as_secs() / 60;
                    SessionState::Degraded(format!(
                        "nothing was heard for {minutes} minutes, though this account is usually busy: see whether QQ {own} is still logged in"
                    ))
                } else {
                    SessionState::Online(own)
                };
                self.set_state(state).await;
            }
            Qq::Offline { words, .. } => {
                let words = if words.is_empty() {
                    String::new()
                } else {
                    format!(" ({words})")
                };
                self.stand(Err(format!("the QQ account is logged out{words}")));
                let need = Need::Attention(format!(
                    "QQ {own} is logged out{words}; log in again at the OneBot program's own interface"
                ));
                self.set_state(SessionState::NeedsOperator(need)).await;
            }
        }
    }
}
