//! go-cqhttp 1.2 (ended in 2023), the program that most applications were written for.

use std::time::Duration;

use super::{
    Credential, Dialect, Dismissal, Errors, Files, Ids, Own, Paging, Paths, Pokes, Reactions, Refusal, Renames, Sender,
    Seqs,
};
use crate::world::{Flavour, MessageFormat};

pub(super) const DIALECT: Dialect = Dialect {
    flavour: Flavour::Gocq,
    app_name: "go-cqhttp",
    app_version: "v1.2.0",
    refusal: Refusal::Status,
    query_first: false,
    paths: Paths::Only,
    user_agent: "CQHttp/4.15.0",
    credential: Credential::Token,
    // `reconnect-interval`.
    retry: Duration::from_secs(3),
    // `heartbeat.interval`.
    heartbeat: Duration::from_secs(5),
    // A checksum of group, seq and random.
    ids: Ids::Signed,
    seqs: Seqs::MessageSeq,
    own: Own::Sent,
    // `report-self-message`.
    report_self: false,
    // `post-format: string` is what its example configuration has.
    format: MessageFormat::String,
    names_format: false,
    font: 0,
    anonymous: true,
    group_name: false,
    sender: Sender::Full,
    trims: false,
    tells_empty: false,
    files: Files::Notice,
    dismissal: Dismissal::KickMe,
    reactions: Reactions::None,
    renames: Renames::None,
    pokes: Pokes::Plain,
    recall_tip: false,
    leaves_by_self: true,
    bot_offline: false,
    paging: Paging::TwentyEndingAtSeq,
    errors: Errors::Gocq,
    // leveldb, later sqlite.
    remembers: None,
    lazy_members: false,
    catches_up: 0,
    takes_nodes: false,
    shows_recalled: false,
};
