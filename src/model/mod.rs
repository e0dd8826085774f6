//! Plain data that all sides share. Does no I/O, knows no protocol, imports nothing of ours.

pub mod archive;
pub mod history;
pub mod id;
pub mod language;
pub mod member;
pub mod message;
pub mod nick;
pub mod rich;
pub mod time;
pub mod visit;
pub mod words;

pub use archive::{Author, Content, Row};
pub use history::HistoryWanted;
pub use id::{AccountName, EventId, GroupNumber, Handle, MemberId, QqNumber, Seq};
pub use language::Language;
pub use member::{Member, Role};
pub use message::{Answered, Face, Mention, Message, Part, Reply};
pub use rich::{Card, Game, Media, MediaKind, Poke, Record, RecordLine};
pub use time::Timestamp;
pub use visit::{Called, Heard, KeptPuppet, StaysAway};
