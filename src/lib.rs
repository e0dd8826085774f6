//! A gateway between QQ groups and XMPP rooms.

pub mod backoff;
pub mod config;
pub mod mapping;
pub mod metrics;
pub mod model;
pub mod outbox;
pub mod portal;
pub mod qq;
pub mod room;
pub mod store;
pub mod xmpp;
