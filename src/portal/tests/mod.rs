//! A portal with a real store, between a session and a server that are played by the test.

mod ending;
mod gap;
mod holes;
mod motion;
mod named;
mod recall;
mod server;
mod showing;
mod told;

use std::sync::Arc;
use std::time::Duration;

use jid::{BareJid, FullJid};
use minidom::Element;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_xmpp::Stanza;

use server::{Server, body, has_status, is_error, kind};

use super::{Control, Ended, Handle, Health, Inbox, Settings, Wiring, channel, run};
use crate::config::{Allow, Backfill, Language, Occupants, Template};
use crate::metrics::Metrics;
use crate::model::{
    AccountName, Content, EventId, GroupNumber, Handle as QqHandle, Member, MemberId, Message, Part, QqNumber, Role,
    Row, Seq, Timestamp,
};
use crate::qq::faces::Known;
use crate::qq::piece::Limits;
use crate::qq::{Act, Command, GroupEvent, Session};
use crate::room::joined::Neighbours;
use crate::room::{self, hosted};
use crate::store::{Deed, RoomId, Settled, Store};
use crate::xmpp::link::Batch;
use crate::xmpp::{Event, Link};

const ROOM: &str = "rust@qq.example";
const GROUP: GroupNumber = GroupNumber(346_000_003);
const OTHER: GroupNumber = GroupNumber(346_000_005);
const ANN: &str = "ann@ex.org/phone";
const BOB: &str = "bob@ex.org/desk";
const LIMIT: Duration = Duration::from_secs(10);

fn settings() -> Settings {
    Settings {
        room: room::Settings::Hosted(hosted::Settings {
            jid: BareJid::new(ROOM).expect("a JID"),
            name: "rust".into(),
            description: String::new(),
            language: Language::En,
            admins: vec![BareJid::new("ann@ex.org").expect("a JID")],
            owners: Vec::new(),
            allow: vec![Allow::Domain(BareJid::new("ex.org").expect("a domain"))],
            occupants: Occupants::Auto,
            max_stanza: 10_000,
        }),
        name: None,
        account: AccountName("main".into()),
        groups: vec![GROUP],
        to_xmpp: true,
        to_qq: true,
        template: Template::default(),
        limits: Limits::webqq(),
        faces: Known::WebQq,
        language: Language::En,
        farewell: false,
        backfill: Backfill {
            count: 500,
            age: Duration::from_secs(24 * 3600),
        },
        give_up: Duration::from_secs(600),
    }
}

/// The portal and what it is connected to.
struct Lab {
    store: Store,
    handle: Handle,
    links: watch::Sender<Option<Link>>,
    session: watch::Sender<Option<Session>>,
    health: watch::Receiver<Health>,
    /// The task's run breaks off as by a panic, and begins again.
    restart: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<(anyhow::Result<Ended>, Inbox)>,
    dir: TempDir,
}

impl Lab {
    fn new() -> Self {
        Self::with(settings())
    }

    fn with(settings: Settings) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("db")).expect("a store");
        Self::on(store, dir, settings)
    }

    fn on(store: Store, dir: TempDir, settings: Settings) -> Self {
        let (handle, mut inbox) = channel(settings);
        let (links, link) = watch::channel(None);
        let (session, published) = watch::channel(None);
        let (healths, health) = watch::channel(Health::Fine);
        let wiring = Wiring {
            store: store.clone(),
            link,
            outbox: Arc::new(|_| {}),
            session: Arc::new(move |_| published.borrow().clone()),
            health: Arc::new(move |health| {
                healths.send(health).ok();
            }),
            alert: Arc::new(|_| {}),
            neighbours: Neighbours::default(),
            metrics: Metrics::new(),
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let restart = Arc::new(Notify::new());
        let again = restart.clone();
        let task = tokio::spawn(async move {
            loop {
                let ended = tokio::select! {
                    ended = run(&wiring, &mut inbox, Duration::from_secs(2), &stopped) => ended,
                    () = again.notified() => continue,
                };
                return (ended, inbox);
            }
        });
        Self {
            store,
            handle,
            links,
            session,
            health,
            restart,
            stop,
            task,
            dir,
        }
    }

    /// A portal that is connected, with Ann in its room.
    async fn attended(settings: Settings) -> (Self, Server) {
        let lab = Self::with(settings);
        let mut server = lab.connect();
        lab.enter(ANN, "Ann");
        server.until_entered(ANN).await;
        (lab, server)
    }

    /// All rows of the room, once this line is among them: everything that came before it was taken.
    async fn rows_upto(&self, server: &mut Server, marker: u64) -> Vec<Row> {
        // The mailboxes have no order among each other, and what is committed first is shown while the rest is being committed.
        self.taken().await;
        self.act(GROUP, Act::Missed(Some(marker))).await;
        let line = format!("{marker} messages from QQ are missing here");
        server.until_body(ANN, &line).await;
        let room = self.room().await;
        self.store.rows_after(room, Seq(0), 10_000).await.expect("rows")
    }

    /// Waits until the portal took what both sides brought.
    async fn taken(&self) {
        let qq = &self.handle.qq;
        let taken = async {
            while !self.handle.xmpp.is_empty() || qq.capacity() < qq.max_capacity() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, taken).await.expect("the portal takes what people say");
    }

    /// Waits until the archive has a row with this text.
    async fn stored(&self, room: RoomId, text: &str) {
        let content = Content::Parts(vec![Part::Text(text.into())]);
        let has = |row: &Row| row.content == content;
        let there = async {
            while !self
                .store
                .rows_after(room, Seq(0), 1000)
                .await
                .expect("rows")
                .iter()
                .any(has)
            {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, there).await.expect("it is committed");
    }

    /// What waits for QQ, one group's pieces after the other's, as if each was sent under a handle of its number.
    async fn send_all(&self) -> Vec<(GroupNumber, Deed)> {
        let account = AccountName("main".into());
        let mut sent = Vec::new();
        loop {
            let now = Timestamp::now();
            let due = self.store.due(&account, now, 100).await.expect("pieces");
            if due.is_empty() {
                return sent;
            }
            for piece in due {
                assert!(self.store.sending(piece.id, now).await.expect("a mark"));
                let handle = match piece.deed {
                    Deed::Say { .. } => Some(QqHandle(format!("sent-{}", piece.id).into())),
                    Deed::Recall { .. } | Deed::React { .. } => None,
                };
                let settled = self.store.settle(piece.id, Settled::Sent(handle), now).await;
                settled.expect("settled");
                sent.push((piece.group, piece.deed));
            }
        }
    }

    /// A connection to a server.
    fn connect(&self) -> Server {
        self.connect_with(64)
    }

    /// A connection to a server that takes so many batches before it is asked for the next.
    fn connect_with(&self, depth: usize) -> Server {
        let (link, batches) = Link::new(BareJid::new("qq.example").expect("a domain"), depth);
        self.links.send_replace(Some(link));
        Server::new(batches)
    }

    /// A session; what it is asked.
    fn session(&self) -> mpsc::Receiver<Command> {
        let (session, commands) = mpsc::channel(2);
        self.session.send_replace(Some(session));
        commands
    }

    /// The gateway is killed, and started again with the same store.
    async fn killed(self) -> Self {
        self.task.abort();
        self.task.await.expect_err("it was killed");
        Self::on(self.store, self.dir, settings())
    }

    async fn ended(self) -> Ended {
        let (ended, _) = timeout(LIMIT, self.task).await.expect("an end").expect("no panic");
        ended.expect("no error")
    }

    /// Waits until the store knows that everybody who came has their whole join.
    async fn greeted(&self) {
        let room = self.room().await;
        let waits = |state: crate::store::RoomState| state.sessions.iter().any(|session| !session.greeted);
        while waits(self.store.room_state(room).await.expect("a state")) {
            tokio::task::yield_now().await;
        }
    }

    async fn room(&self) -> RoomId {
        self.store.room(&self.handle.jid).await.expect("the room")
    }

    fn stanza(&self, from: &str, to: &str, stanza: impl Into<Stanza>) {
        let event = Event {
            from: from.parse().expect("a JID"),
            to: to.parse().expect("a JID"),
            stanza: stanza.into(),
        };
        self.handle.xmpp.push(event).expect("the portal takes it");
    }

    fn xml(&self, from: &str, to: &str, xml: &str) {
        let element: Element = xml.parse().expect("XML");
        self.stanza(from, to, Stanza::try_from(element).expect("a stanza"));
    }

    fn enter(&self, who: &str, nick: &str) {
        let xml = "<presence xmlns='jabber:component:accept'><x xmlns='http://jabber.org/protocol/muc'/></presence>";
        self.xml(who, &format!("{ROOM}/{nick}"), xml);
    }

    fn say(&self, who: &str, id: &str, text: &str) {
        let xml = format!(
            "<message xmlns='jabber:component:accept' type='groupchat' id='{id}'><body>{text}</body></message>"
        );
        self.xml(who, ROOM, &xml);
    }

    async fn act(&self, group: GroupNumber, act: Act) {
        let account = AccountName("main".into());
        let event = GroupEvent { account, group, act };
        self.handle.qq.send(event).await.expect("the portal takes it");
    }

    async fn said(&self, group: GroupNumber, id: &str) {
        self.act(group, Act::Said(message(id, false))).await;
    }
}

/// Said by the member 10, with the id as its text; the account calls it `h-` and the id.
fn named(id: &str) -> Message {
    Message {
        handle: Some(handle(&format!("h-{id}"))),
        ..message(id, false)
    }
}

fn handle(text: &str) -> QqHandle {
    QqHandle(text.into())
}

/// Said by the member 10, with the id as its text.
fn message(id: &str, own: bool) -> Message {
    Message {
        id: EventId(id.into()),
        handle: None,
        sender: member(10),
        own,
        time: Timestamp::now(),
        parts: vec![Part::Text(id.into())],
    }
}

fn member(number: u64) -> Member {
    Member {
        id: MemberId::Number(QqNumber(number)),
        nickname: format!("m{number}"),
        card: String::new(),
        role: Role::Member,
    }
}

async fn control(lab: &Lab, control: Control) {
    lab.handle.control.send(control).await.expect("the portal runs");
}
