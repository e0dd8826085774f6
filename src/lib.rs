//! A gateway between QQ groups and XMPP rooms.

pub mod model;
