//! The QQ side: the session interface, and behind it the protocols.
//!
//! A session is one task that keeps one QQ account on line. Everybody else sees this module alone: facts come out as
//! [`GroupEvent`]s (to the portal of their group) and [`AccountEvent`]s (to the gateway), wishes go in as [`Command`]s.
//! Knows QQ; knows nothing of XMPP, rooms or the store.

pub mod command;
pub mod event;
pub mod faces;
pub mod normal;
pub mod onebot;
pub mod piece;
mod strangers;
pub mod text;
pub mod webqq;

pub use command::{Command, Known, NotSent, Outcome, Outgoing, Session};
pub use event::{AccountEvent, Act, Delivered, Extent, GroupEvent, Inbox, Need, SessionState};
