//! The far side of QQ: a stand-in of the services that a QQ client talks to, for demonstrations and tests.
//!
//! ```text
//!            ┌ page      a person in the browser
//! net ───────┼ control   /sandbox: tests and the page work the world
//! (one port) ├ webqq     the hosts of SmartQQ ─┐
//!            └ onebot    OneBot 11 ────────────┴ protocol faces
//!                 │
//! state ──── world (accounts, groups, messages: knows no protocol) ──── store (SQLite)
//! (acts: what people do in it)
//! ```
//!
//! Every request is one piece of work on `state::State` under one lock and in one transaction, and what it changed is
//! on disk before it is answered or told. The only requests that wait are long polls; they wait without the lock.
//!
//! What is deliberately absent: any code of a QQ client, and any knowledge of who the clients are.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod acts;
mod clock;
mod control;
mod faults;
mod log;
mod media;
mod net;
mod onebot;
mod options;
mod page;
mod sandbox;
mod state;
mod store;
mod temper;
mod webqq;
mod world;

pub use options::{Era, Options};
pub use sandbox::{Sandbox, StartError};
pub use world::{
    Account, Card, DEFAULT_WORLD, Discussion, Flavour, Friend, Group, Member, MessageFormat, Protocol, Role, World,
    WorldError, default_world, parse_world,
};
