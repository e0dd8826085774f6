//! The promises of the store, on real files.

mod aside;
mod bench;
mod commit;
mod deeds;
mod disk;
mod echo;
mod joined;
mod model;
mod open;
mod outbox;
mod page;
mod people;
mod plans;
mod prune;
mod reactions;
mod writer;

use std::time::Duration;

use jid::{BareJid, FullJid};
use tempfile::TempDir;

use super::{Acting, Identity, NewMessage, NewPiece, RoomId, Store, StoreError, Upon, Write, Written, handles};
use crate::model::{
    AccountName, Author, Content, EventId, GroupNumber, Handle, MemberId, Part, QqNumber, Row, Seq, Timestamp,
};

const GROUP: GroupNumber = GroupNumber(346_000_003);
const OTHER: GroupNumber = GroupNumber(346_000_004);
const MINUTE: Duration = Duration::from_secs(60);

/// A store in a directory of its own, with one room.
struct Lab {
    dir: TempDir,
    store: Store,
    room: RoomId,
}

impl Lab {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(&dir.path().join("db")).expect("a new store");
        let room = store.room(&room_jid()).await.expect("a room");
        Self { dir, store, room }
    }

    /// What a new process finds after this one was killed now: the files as they lie there.
    async fn killed(&self) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["db", "db-wal"] {
            std::fs::copy(self.dir.path().join(name), dir.path().join(name)).expect("a copy");
        }
        let store = Store::open(&dir.path().join("db")).expect("the store again");
        let room = store.room(&room_jid()).await.expect("the room");
        Self { dir, store, room }
    }

    async fn one(&self, write: Write) -> Written {
        let mut all = self.store.commit(self.room, vec![write]).await.expect("a commit");
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// Commits something new and gives its rows.
    async fn new_rows(&self, message: NewMessage) -> Vec<Row> {
        match self.one(Write::Message(message)).await {
            Written::Rows(rows) => rows,
            other => panic!("not new: {other:?}"),
        }
    }

    /// The row that an account calls so.
    async fn called(&self, account: &AccountName, group: GroupNumber, handle: &Handle) -> Option<Seq> {
        let row = self.store.named(self.room, account, group, handle).await.expect("read");
        row.map(|row| row.seq)
    }

    /// What an account calls a row.
    async fn handle_of(&self, row: Seq, account: &AccountName, group: GroupNumber) -> Option<Handle> {
        let account = account.clone();
        let found = self
            .store
            .read(move |db| handles::of_row(db, row, &account, group).map_err(StoreError::from));
        found.await.expect("read")
    }

    /// What an account calls the pieces of a row.
    async fn handles_of(&self, row: Seq, account: &AccountName, group: GroupNumber) -> Vec<Handle> {
        let account = account.clone();
        let found = self
            .store
            .read(move |db| handles::all_of_row(db, row, &account, group).map_err(StoreError::from));
        found.await.expect("read")
    }

    async fn archive(&self) -> Vec<Row> {
        self.store.rows_after(self.room, Seq(0), 10_000).await.expect("rows")
    }
}

fn room_jid() -> BareJid {
    BareJid::new("rust@qq.example.org").expect("a JID")
}

fn bare(jid: &str) -> BareJid {
    BareJid::new(jid).expect("a JID")
}

fn full(jid: &str) -> FullJid {
    FullJid::new(jid).expect("a JID")
}

fn account(name: &str) -> AccountName {
    AccountName(name.into())
}

fn handle(text: &str) -> Handle {
    Handle(text.into())
}

fn text(text: &str) -> Content {
    Content::Parts(vec![Part::Text(text.into())])
}

fn from_qq(event: &str, words: &str) -> NewMessage {
    NewMessage {
        identity: Identity::Qq {
            group: GROUP,
            event: EventId(event.into()),
            handle: Some(handle(&format!("h-{event}"))),
            account: account("main"),
        },
        time: Timestamp::from_secs(1000),
        author: Author::Member {
            group: GROUP,
            id: MemberId::Number(QqNumber(222_333_444)),
        },
        nick: "小明".into(),
        rows: vec![text(words)],
        pieces: Vec::new(),
        upon: None,
    }
}

/// Something Alice said, with one piece to QQ for each text.
fn from_xmpp(origin: Option<&str>, time: Timestamp, pieces: &[&str]) -> NewMessage {
    NewMessage {
        identity: Identity::Xmpp {
            session: full("alice@example.org/phone"),
            origin: origin.map(str::to_owned),
        },
        time,
        author: Author::Occupant(bare("alice@example.org")),
        nick: "Alice".into(),
        rows: vec![Content::Stanza {
            id: Some(format!("id-{}", origin.unwrap_or("none"))),
            children: "<body>hi</body>".into(),
        }],
        pieces: pieces.iter().map(|words| piece(GROUP, words)).collect(),
        upon: None,
    }
}

/// Alice takes a row of hers back.
fn take_back(row: Seq) -> NewMessage {
    NewMessage {
        upon: Some(Upon {
            act: Acting::TakeBack {
                rows: vec![row],
                moderator: None,
            },
            account: account("main"),
            groups: vec![GROUP, OTHER],
        }),
        ..from_xmpp(None, Timestamp::now(), &[])
    }
}

fn piece(group: GroupNumber, words: &str) -> NewPiece {
    NewPiece {
        account: account("main"),
        group,
        row: 0,
        parts: vec![Part::Text(words.into())],
        answers: None,
        normal: words.into(),
    }
}

/// The account's own words, as QQ shows them.
fn own(event: &str, words: &str, called: Option<&str>, time: Timestamp) -> Write {
    let mut message = from_qq(event, words);
    message.time = time;
    message.identity = Identity::Qq {
        group: GROUP,
        event: EventId(event.into()),
        handle: called.map(handle),
        account: account("main"),
    };
    Write::Own {
        shown: true,
        normal: words.into(),
        message,
    }
}
