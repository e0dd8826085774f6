//! A session that runs, and what its portals and the gateway get from it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::fake::{Fake, GROUP, OTHER, OWN};
use crate::config::Secret;
use crate::model::{AccountName, GroupNumber, Language, Message, Part, QqNumber, words::plain_text};
use crate::qq::onebot::{Doors, Pace, Reach, Settings, run};
use crate::qq::{AccountEvent, Act, Command, GroupEvent, Inbox, Need, NotSent, Outcome, Outgoing, SessionState};

pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long a file's notice waits for its message here.
pub(super) const FILE_JOIN: Duration = Duration::from_millis(300);
pub(super) const CATS: GroupNumber = GroupNumber(GROUP);
pub(super) const DOGS: GroupNumber = GroupNumber(OTHER);

/// The gateway, as a session sees it.
pub(super) struct Boxes {
    pub(super) groups: Mutex<HashMap<GroupNumber, mpsc::Sender<GroupEvent>>>,
    account: mpsc::Sender<AccountEvent>,
    pub(super) lost: AtomicUsize,
}

impl Boxes {
    pub(super) fn map(&self, group: GroupNumber, depth: usize) -> mpsc::Receiver<GroupEvent> {
        let (to, portal) = mpsc::channel(depth);
        self.groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(group, to);
        portal
    }
}

impl Inbox for Boxes {
    fn group(&self, group: GroupNumber) -> Option<mpsc::Sender<GroupEvent>> {
        self.groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&group)
            .cloned()
    }

    fn mapped(&self, _: &AccountName) -> Vec<(GroupNumber, Option<String>)> {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.keys().map(|group| (*group, None)).collect()
    }

    fn account(&self, _: &AccountName) -> mpsc::Sender<AccountEvent> {
        self.account.clone()
    }

    fn behind(&self, _: &GroupEvent) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) struct Running {
    pub(super) fake: Fake,
    pub(super) inbox: Arc<Boxes>,
    pub(super) cats: mpsc::Receiver<GroupEvent>,
    pub(super) dogs: mpsc::Receiver<GroupEvent>,
    account: mpsc::Receiver<AccountEvent>,
    pub(super) commands: mpsc::Sender<Command>,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

pub(super) fn settings(reach: Reach, token: Option<&str>) -> Settings {
    let ms = Duration::from_millis;
    Settings {
        name: AccountName("main".into()),
        reach,
        access_token: token.map(Secret::new),
        send_every: ms(1),
        pace: Pace {
            retry_first: ms(20),
            retry: ms(100),
            token_retry: ms(300),
            late: ms(500),
            call: Duration::from_secs(5),
            send: ms(1000),
            prove_after: [ms(50), ms(200), ms(600)],
            look_every: ms(20),
            between_lists: ms(1),
            retry_list: ms(50),
            offline_every: ms(100),
            file_join: FILE_JOIN,
            retry_page: ms(20),
            ..Pace::default()
        },
    }
}

impl Running {
    /// Against a program that listens.
    pub(super) async fn start(fake: Fake) -> Self {
        let url = fake.listen().await.parse().expect("a url");
        Self::with(fake, settings(Reach::Connect(url), None), &Arc::default())
    }

    pub(super) fn with(fake: Fake, settings: Settings, doors: &Arc<Doors>) -> Self {
        let (to_account, account) = mpsc::channel(64);
        let (commands, wishes) = mpsc::channel(8);
        let shutdown = CancellationToken::new();
        let inbox = Arc::new(Boxes {
            groups: Mutex::default(),
            account: to_account,
            lost: AtomicUsize::new(0),
        });
        let (cats, dogs) = (inbox.map(CATS, 64), inbox.map(DOGS, 64));
        let task = tokio::spawn(run(settings, doors.clone(), wishes, inbox.clone(), shutdown.clone()));
        Self {
            fake,
            inbox,
            cats,
            dogs,
            account,
            commands,
            shutdown,
            task,
        }
    }

    /// The next event of the account that `wanted` takes.
    pub(super) async fn account<T>(&mut self, wanted: impl Fn(&AccountEvent) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.account.recv().await.expect("the session runs");
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("the event comes")
    }

    pub(super) async fn online(&mut self) {
        let online = AccountEvent::State(SessionState::Online(QqNumber(OWN)));
        self.account(|event| (*event == online).then_some(())).await;
    }

    /// What a person is asked to do.
    pub(super) async fn needs(&mut self) -> String {
        let why = self
            .account(|event| match event {
                AccountEvent::State(SessionState::NeedsOperator(Need::Attention(why))) => Some(why.clone()),
                _ => None,
            })
            .await;
        assert!(
            !why.contains("account main"),
            "who reads it is told already whose state it is: {why}"
        );
        why
    }

    pub(super) async fn degraded(&mut self) -> String {
        self.account(|event| match event {
            AccountEvent::State(SessionState::Degraded(why)) => Some(why.clone()),
            _ => None,
        })
        .await
    }

    pub(super) async fn sentence(&mut self) -> String {
        self.account(|event| match event {
            AccountEvent::ForAdmins(sentence) => Some(sentence.clone()),
            _ => None,
        })
        .await
    }

    /// On line, with both groups shown; what came until then is read.
    pub(super) async fn ready(&mut self) {
        self.online().await;
        for portal in [&mut self.cats, &mut self.dogs] {
            wait(portal, |act| matches!(act, Act::Snapshot { .. }).then_some(())).await;
        }
    }

    pub(super) async fn act(&mut self) -> Act {
        wait(&mut self.cats, |act| Some(act.clone())).await
    }

    /// The next act of the first group that `wanted` takes.
    pub(super) async fn find<T>(&mut self, wanted: impl Fn(&Act) -> Option<T>) -> T {
        wait(&mut self.cats, wanted).await
    }

    pub(super) async fn message(&mut self) -> Message {
        message(&mut self.cats).await
    }

    pub(super) async fn offline(&mut self) -> String {
        self.find(|act| match act {
            Act::Offline(why) => Some(why.clone()),
            _ => None,
        })
        .await
    }

    pub(super) async fn back(&mut self) {
        self.find(|act| matches!(act, Act::Online { history: true }).then_some(()))
            .await;
    }

    pub(super) async fn say(&self, text: &str) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let piece = Outgoing {
            parts: vec![Part::Text(text.into())],
        };
        let group = CATS;
        self.wish(Command::Send { group, piece, reply }, outcome).await
    }

    /// Says something that QQ does not take; gives the reason.
    pub(super) async fn say_in_vain(&self, text: &str) -> String {
        match self.say(text).await {
            Outcome::NotSent(NotSent::Later(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn wish(&self, command: Command, outcome: oneshot::Receiver<Outcome>) -> Outcome {
        self.commands.send(command).await.expect("the session runs");
        timeout(PATIENCE, outcome)
            .await
            .expect("an outcome comes")
            .expect("an answer")
    }

    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        let ended = timeout(Duration::from_secs(2), self.task)
            .await
            .expect("the end comes at once");
        ended.expect("no panic").expect("no error");
    }
}

/// The next act of a group that `wanted` takes.
pub(super) async fn wait<T>(portal: &mut mpsc::Receiver<GroupEvent>, wanted: impl Fn(&Act) -> Option<T>) -> T {
    let found = async {
        loop {
            let event = portal.recv().await.expect("the session runs");
            if let Some(found) = wanted(&event.act) {
                return found;
            }
        }
    };
    timeout(PATIENCE, found).await.expect("the act comes")
}

pub(super) async fn message(portal: &mut mpsc::Receiver<GroupEvent>) -> Message {
    wait(portal, |act| match act {
        Act::Said(message) => Some(message.clone()),
        _ => None,
    })
    .await
}

pub(super) fn text(message: &Message) -> String {
    plain_text(&message.parts, Language::En)
}
