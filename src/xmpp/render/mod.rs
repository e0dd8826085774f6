//! Model to stanzas. Pure: the same values give the same stanzas, live, in history and in the archive.

pub mod children;
pub mod error;
pub mod id;
pub mod message;
pub mod presence;
pub mod text;
pub mod visit;

pub use id::{Ids, Names};
