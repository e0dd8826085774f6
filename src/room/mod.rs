//! The two kinds of room as state machines: values in, values out.
//!
//! No tokio, no store, no QQ session: a room is told what happened and says what follows. The portal commits and sends.
//!
//! ```text
//!             admit                     commit (portal)                reflect
//! stanza ────────────► Effect ────────────────────────► Step ────────────────────► stanzas
//!             │                                          (in order, behind the sent cursor)
//!             └─ refused: the error stanza, at once
//! ```

pub mod effect;
mod either;
pub mod hosted;
pub mod joined;
mod mentions;
pub mod visit;

pub use effect::{
    Admitted, ArchiveEnds, ArchiveQuery, Change, Effect, HistoryWanted, Kept, KeptSession, Leaving, MemberChange,
    MemberShown, Resumed, RoomMember, ShownAs, Speech, Spoken, Step, With,
};
pub use either::{Room, Settings};
pub use visit::{About, Aside, Overheard, Trouble};
