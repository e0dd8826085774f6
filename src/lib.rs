//! A gateway between QQ groups and XMPP rooms.

pub mod config;
pub mod mapping;
pub mod model;
pub mod store;
