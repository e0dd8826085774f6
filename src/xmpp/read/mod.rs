//! Stanzas to model. Lenient with what clients add, strict with what they could forge.

pub mod archive;
pub mod join;
pub mod message;
pub mod moderation;
pub mod presence;
pub mod visit;
