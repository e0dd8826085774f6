//! `OneBot` 11: content. What its JSON says as neutral values, and neutral values as its JSON. Pure.

#![allow(
    dead_code,
    unused_imports,
    reason = "the wire half of this session reads and writes with it"
)]

mod card;
mod cq;
mod event;
mod field;
mod reaction;
mod record;
mod segment;
#[cfg(test)]
mod vectors;
