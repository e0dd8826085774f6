//! Recalls and reactions on their way: behind the words they are about, done again when nobody knows.

use super::*;
use crate::model::{Author, Content, GroupNumber, Seq};
use crate::store::{Acting, Identity, NewMessage, NewPiece, RoomId, Upon, Write, Written};

const GROUP: GroupNumber = GroupNumber(346_000_003);
const LIMIT: Duration = Duration::from_secs(60);

struct Lab {
    store: Store,
    room: RoomId,
    commands: mpsc::Receiver<Command>,
    wake: Arc<Notify>,
    stop: CancellationToken,
    _dir: tempfile::TempDir,
}

impl Lab {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("db")).expect("a store");
        let jid = BareJid::new("rust@qq.example.org").expect("a JID");
        let room = store.room(&jid).await.expect("a room");
        let (session, commands) = mpsc::channel(4);
        let (published, session) = watch::channel(Some(session));
        let wiring = Wiring {
            store: store.clone(),
            session,
            wake: Arc::new(Notify::new()),
            failed: Arc::new(|_| {}),
            metrics: Metrics::new(),
        };
        let (wake, stop) = (wiring.wake.clone(), CancellationToken::new());
        let stopped = stop.clone();
        let settings = Settings {
            account: account(),
            give_up: Duration::from_secs(600),
        };
        tokio::spawn(async move {
            let _published = published;
            run(&settings, &wiring, Duration::ZERO, &stopped).await
        });
        Self {
            store,
            room,
            commands,
            wake,
            stop,
            _dir: dir,
        }
    }

    async fn commit(&self, pieces: &[&str], act: Option<Acting>) -> Seq {
        let message = NewMessage {
            identity: Identity::Xmpp {
                session: "ann@ex.org/phone".parse().expect("a JID"),
                origin: None,
            },
            time: Timestamp::now(),
            author: Author::Occupant(BareJid::new("ann@ex.org").expect("a JID")),
            nick: "Ann".into(),
            rows: vec![Content::Stanza {
                id: Some("x1".into()),
                children: String::new(),
            }],
            pieces: pieces.iter().map(|words| piece(words)).collect(),
            upon: act.map(|act| Upon {
                act,
                account: account(),
                groups: vec![GROUP],
            }),
        };
        let written = self.store.commit(self.room, vec![Write::Message(message)]).await;
        let written = written.expect("a commit").remove(0);
        let Written::Rows(rows) = written else {
            panic!("not new: {written:?}");
        };
        self.wake.notify_one();
        rows[0].seq
    }

    async fn next(&mut self) -> Command {
        let command = timeout(LIMIT, self.commands.recv()).await.expect("a wish");
        command.expect("an outbox")
    }

    /// The next words are sent and called so.
    async fn sent(&mut self, called: &str) {
        let Command::Send { reply, .. } = self.next().await else {
            panic!("no words");
        };
        let handle = Some(Handle(called.into()));
        reply.send(Outcome::Sent(handle)).expect("somebody waits");
    }

    /// The next message is taken back, or not.
    async fn recalled(&mut self, called: &str, outcome: Outcome) {
        let Command::Recall { group, handle, reply } = self.next().await else {
            panic!("no recall");
        };
        assert_eq!((group, &*handle.0), (GROUP, called));
        reply.send(outcome).expect("somebody waits");
    }

    async fn reaction(&mut self) -> (String, bool, oneshot::Sender<Outcome>) {
        let Command::React {
            handle,
            emoji,
            added,
            reply,
            ..
        } = self.next().await
        else {
            panic!("no reaction");
        };
        assert_eq!(&*handle.0, "h1");
        (emoji, added, reply)
    }

    /// Waits until nothing is queued.
    async fn done(&self) {
        let queued = async {
            while self.store.queued(&account()).await.expect("a count") > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, queued).await.expect("an end");
        self.stop.cancel();
    }
}

fn account() -> AccountName {
    AccountName("main".into())
}

fn piece(words: &str) -> NewPiece {
    NewPiece {
        account: account(),
        group: GROUP,
        row: 0,
        parts: vec![Part::Text(words.to_owned())],
        answers: None,
        normal: words.to_owned(),
    }
}

fn take_back(row: Seq) -> Acting {
    Acting::TakeBack {
        rows: vec![row],
        moderator: None,
    }
}

fn later() -> Outcome {
    Outcome::NotSent(NotSent::Later("busy".into()))
}

#[tokio::test]
async fn every_piece_is_taken_back_once_and_what_is_not_known_again() {
    let mut lab = Lab::new().await;
    let row = lab.commit(&["one", "two"], None).await;
    lab.sent("h1").await;
    lab.sent("h2").await;
    lab.commit(&[], Some(take_back(row))).await;
    lab.recalled("h1", Outcome::Sent(None)).await;
    lab.recalled("h2", Outcome::Unknown("timeout".into())).await;
    lab.recalled("h2", later()).await;
    // Refused, because the first try did it.
    let refused = Outcome::NotSent(NotSent::Never("no such message".into()));
    lab.recalled("h2", refused).await;
    lab.done().await;
    assert_eq!(lab.store.untold(lab.room, None).await.expect("a list"), []);
}

#[tokio::test]
async fn what_qq_keeps_is_told_and_the_rest_is_taken_back_all_the_same() {
    let mut lab = Lab::new().await;
    let row = lab.commit(&["one", "two"], None).await;
    lab.sent("h1").await;
    lab.sent("h2").await;
    lab.commit(&[], Some(take_back(row))).await;
    lab.recalled("h1", Outcome::NotSent(NotSent::Never("too late".into())))
        .await;
    lab.recalled("h2", Outcome::Sent(None)).await;
    lab.done().await;
    let untold = lab.store.untold(lab.room, None).await.expect("a list");
    assert_eq!(untold.len(), 1);
    assert_eq!((untold[0].why.as_str(), untold[0].recall), ("too late", true));
}

#[tokio::test]
async fn what_has_no_name_on_qq_is_told_without_asking() {
    let mut lab = Lab::new().await;
    let row = lab.commit(&["one"], None).await;
    let Command::Send { reply, .. } = lab.next().await else {
        panic!("no words");
    };
    reply.send(Outcome::Sent(None)).expect("somebody waits");
    lab.commit(&[], Some(take_back(row))).await;
    lab.done().await;
    assert!(lab.commands.try_recv().is_err());
    let untold = lab.store.untold(lab.room, None).await.expect("a list");
    assert_eq!(untold[0].why, "QQ did not say what it calls the message");
}

#[tokio::test]
async fn reactions_wait_for_their_row_and_are_nobodys_grief() {
    let mut lab = Lab::new().await;
    let row = lab.commit(&["one"], None).await;
    let react = |emoji: &[&str]| {
        let emoji = emoji.iter().map(|e| (*e).to_owned()).collect();
        Some(Acting::React { row, emoji })
    };
    lab.commit(&[], react(&["👍"])).await;
    lab.sent("h1").await;
    let (emoji, added, reply) = lab.reaction().await;
    assert_eq!((emoji.as_str(), added), ("👍", true));
    reply.send(later()).expect("somebody waits");
    let (_, _, reply) = lab.reaction().await;
    reply.send(Outcome::Sent(None)).expect("somebody waits");
    lab.commit(&[], react(&[])).await;
    let (_, added, reply) = lab.reaction().await;
    assert!(!added);
    let never = Outcome::NotSent(NotSent::Never("unknown face".into()));
    reply.send(never).expect("somebody waits");
    lab.done().await;
    assert_eq!(lab.store.untold(lab.room, None).await.expect("a list"), []);
}

#[tokio::test]
async fn what_qq_answered_outlasts_a_disk_that_takes_nothing() {
    let mut lab = Lab::new().await;
    let first = lab.commit(&["one"], None).await;
    lab.commit(&["two"], None).await;
    let Command::Send { reply, .. } = lab.next().await else {
        panic!("no words");
    };
    lab.store.make_read_only(true).await;
    reply
        .send(Outcome::Sent(Some(Handle("h1".into()))))
        .expect("somebody waits");
    let mut changes = lab.store.health().changes();
    let blocked = changes.wait_for(|now| now.blocked.is_some());
    timeout(LIMIT, blocked).await.expect("trouble").expect("a store");
    lab.wake.notify_one();
    assert!(
        timeout(Duration::from_millis(300), lab.commands.recv()).await.is_err(),
        "something was sent"
    );
    assert_eq!(lab.store.queued(&account()).await.expect("a count"), 2);
    lab.store.make_read_only(false).await;
    lab.sent("h2").await;
    // What QQ had said was stored before that.
    let named = lab.store.named(lab.room, &account(), GROUP, &Handle("h1".into())).await;
    assert_eq!(named.expect("read").expect("a row").seq, first);
    lab.stop.cancel();
}
