//! The XMPP side: the component's stream, who answers for which address, and the wire forms of what rooms say.
//!
//! Knows the wire; knows nothing of QQ, portals or the store.

pub mod address;
pub mod component;
pub mod disco;
pub mod domain;
pub mod iq;
pub mod link;
mod nobody;
pub mod payload;
pub mod read;
pub mod render;
mod stream;

pub use address::{Address, Addresses};
pub use component::{Component, Settings, State, Status};
pub use link::{Event, Inbox, Link, LinkLost, Outgoing, Permit, Receipt, Refused};
pub use stream::{ConnectError, Lost};

#[cfg(test)]
mod tests;
