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
pub mod hosted;

pub use effect::{
    Admitted, ArchiveEnds, ArchiveQuery, Change, Effect, HistoryWanted, Kept, KeptSession, Leaving, MemberChange,
    MemberShown, Resumed, RoomMember, ShownAs, Speech, Spoken, Step, With,
};
