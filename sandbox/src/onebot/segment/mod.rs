//! Messages between the world's form and the wire's: segments as each program writes them, what it takes, and CQ codes.

pub(super) mod cq;
pub(super) mod read;
pub(super) mod write;
