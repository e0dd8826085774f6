//! Whole sessions against a small scripted far side, over real sockets.

mod account;
mod dialects;
mod doors;
mod fake;
mod groups;
mod history;
mod hostile;
mod life;
mod probe;
mod running;
mod sending;
mod socket;
