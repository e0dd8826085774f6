//! Integration tests: the rules of the code, and the real programs with real servers over real sockets.

mod architecture;
mod chaos;
mod config;
mod dependencies;
mod faults;
mod groups;
mod hostile;
mod interop;
mod joined;
mod muc;
mod onebot;
mod operator;
mod reload;
mod restart;
mod soak;
mod store;
mod support;
mod talk;
