//! A gateway between QQ groups and XMPP rooms.
//!
//! The map, from the outside in:
//!
//! - [`cli`] — arguments, log, signals; [`config`] — `bridge.toml`
//! - [`gateway`] — starts, supervises, reloads, stops everything below; [`mapping`] — which group is which room
//! - [`portal`] — one task per room: everything that happens between its groups and its occupants
//! - [`room`] — the room as a state machine; [`outbox`] — one task per account: what goes to QQ
//! - [`qq`] — the QQ sessions; [`xmpp`] — the component's stream, and the wire forms
//! - [`store`] — the only SQL
//! - [`operator`], [`http`], [`metrics`] — what the person who runs it sees
//! - [`model`] — plain data that all share

pub mod backoff;
pub mod cli;
pub mod config;
pub mod gateway;
pub mod http;
pub mod mapping;
pub mod metrics;
pub mod model;
pub mod operator;
pub mod outbox;
pub mod portal;
pub mod qq;
pub mod room;
pub mod store;
pub mod xmpp;
