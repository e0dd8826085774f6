//! Plain data that all sides share. Does no I/O, knows no protocol, imports nothing of ours.

pub mod archive;
pub mod id;
pub mod member;
pub mod message;
pub mod nick;
pub mod time;

pub use archive::{Author, Content, Row};
pub use id::{AccountName, EventId, GroupNumber, Handle, MemberId, QqNumber, Seq};
pub use member::{Member, Role};
pub use message::{Face, Mention, Message, Part, Reply};
pub use time::Timestamp;
