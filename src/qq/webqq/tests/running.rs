//! A session that runs against the scripted far side, its portal and its account in the test's hands.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::fake::{Fake, OWN};
use super::{GROUP, PATIENCE};
use crate::model::{AccountName, GroupNumber, Message, Part, QqNumber};
use crate::qq::webqq::{Login, Pace, Settings, run};
use crate::qq::{AccountEvent, Act, Command, GroupEvent, Inbox, Outcome, Outgoing, SessionState};

pub(super) struct Boxes {
    pub(super) name: Option<String>,
    /// Whether the portal may be too slow for what is brought.
    pub(super) slow: Arc<AtomicBool>,
    pub(super) group: mpsc::Sender<GroupEvent>,
    pub(super) account: mpsc::Sender<AccountEvent>,
}

impl Inbox for Boxes {
    fn group(&self, group: GroupNumber) -> Option<mpsc::Sender<GroupEvent>> {
        (group == GROUP).then(|| self.group.clone())
    }

    fn mapped(&self, _: &AccountName) -> Vec<(GroupNumber, Option<String>)> {
        vec![(GROUP, self.name.clone())]
    }

    fn account(&self, _: &AccountName) -> mpsc::Sender<AccountEvent> {
        self.account.clone()
    }

    fn behind(&self, event: &GroupEvent) {
        assert!(self.slow.load(Relaxed), "nobody is behind here: {event:?}");
    }
}

pub(super) struct Running {
    pub(super) fake: Fake,
    pub(super) group: mpsc::Receiver<GroupEvent>,
    pub(super) account: mpsc::Receiver<AccountEvent>,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) shutdown: CancellationToken,
    pub(super) task: JoinHandle<anyhow::Result<()>>,
    pub(super) saved: Option<Vec<u8>>,
    pub(super) slow: Arc<AtomicBool>,
}

impl Running {
    pub(super) async fn start(fake: Fake, saved: Option<Vec<u8>>, name: Option<&str>) -> Self {
        Self::start_as(fake, saved, name, |_| {}).await
    }

    pub(super) async fn start_as(
        fake: Fake,
        saved: Option<Vec<u8>>,
        name: Option<&str>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let server = fake.clone().start().await;
        let (to_group, group) = mpsc::channel(64);
        let (to_account, account) = mpsc::channel(64);
        let (commands, wishes) = mpsc::channel(8);
        let shutdown = CancellationToken::new();
        let quick = Duration::from_millis(20);
        let mut settings = Settings {
            name: AccountName("main".into()),
            server,
            login: Login::Qr,
            send_every: quick,
            pace: Pace {
                qr_every: quick,
                poll_every: quick,
                number_every: Duration::from_millis(1),
                retry_first: quick,
                kick_pause: quick,
                look_every: quick,
                ..Pace::default()
            },
        };
        change(&mut settings);
        let slow = Arc::new(AtomicBool::new(false));
        let inbox = Arc::new(Boxes {
            name: name.map(str::to_owned),
            slow: slow.clone(),
            group: to_group,
            account: to_account,
        });
        let task = tokio::spawn(run(settings, saved, wishes, inbox, shutdown.clone()));
        Self {
            fake,
            group,
            account,
            commands,
            shutdown,
            task,
            saved: None,
            slow,
        }
    }

    /// The next state that `wanted` takes.
    pub(super) async fn state<T>(&mut self, wanted: impl Fn(&SessionState) -> Option<T>) -> T {
        let found = async {
            loop {
                match self.account.recv().await.expect("the session runs") {
                    AccountEvent::State(state) => {
                        if let Some(found) = wanted(&state) {
                            return found;
                        }
                    }
                    AccountEvent::Saved(bytes) => self.saved = Some(bytes),
                    AccountEvent::ForAdmins(_) => {}
                }
            }
        };
        let found = timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("the state does not come after {:#?}", self.fake.script().log))
    }

    pub(super) async fn online(&mut self) {
        self.state(|state| (*state == SessionState::Online(QqNumber(OWN))).then_some(()))
            .await;
    }

    pub(super) async fn act(&mut self) -> Act {
        timeout(PATIENCE, self.group.recv())
            .await
            .expect("an act comes")
            .expect("the session runs")
            .act
    }

    pub(super) async fn message(&mut self) -> Message {
        loop {
            if let Act::Said(message) = self.act().await {
                return message;
            }
        }
    }

    /// The next sentence for the admins.
    pub(super) async fn told(&mut self) -> String {
        let told = async {
            loop {
                match self.account.recv().await.expect("the session runs") {
                    AccountEvent::ForAdmins(sentence) => return sentence,
                    AccountEvent::Saved(bytes) => self.saved = Some(bytes),
                    AccountEvent::State(_) => {}
                }
            }
        };
        timeout(PATIENCE, told).await.expect("a sentence comes")
    }

    pub(super) async fn say(&self, text: &str) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let piece = Outgoing {
            parts: vec![Part::Text(text.into())],
        };
        let send = Command::Send {
            group: GROUP,
            piece,
            reply,
        };
        self.commands.send(send).await.expect("the session runs");
        timeout(PATIENCE, outcome)
            .await
            .expect("an outcome comes")
            .expect("an answer")
    }

    pub(super) async fn stop(mut self) -> Option<Vec<u8>> {
        self.shutdown.cancel();
        let ended = timeout(Duration::from_secs(2), self.task)
            .await
            .expect("the end comes at once");
        ended.expect("no panic").expect("no error");
        while let Ok(event) = self.account.try_recv() {
            if let AccountEvent::Saved(bytes) = event {
                self.saved = Some(bytes);
            }
        }
        self.saved
    }
}
