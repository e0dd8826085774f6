//! `OneBot` accounts: four programs as the sandbox plays them, and programs of other people; called by the gateway, and calling it.

mod flood;
mod gap;
mod nonebot;
mod peer;
mod talk;
mod tls;
mod trouble;
