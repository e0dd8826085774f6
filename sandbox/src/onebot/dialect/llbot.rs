//! `LLBot` 8.1, once `LLOneBot` (commit ab2b6af, August 2026).

use std::time::Duration;

use super::{
    Credential, Dialect, Dismissal, Errors, Files, Ids, Own, Paging, Paths, Pokes, Reactions, Refusal, Renames, Sender,
    Seqs,
};
use crate::world::{Flavour, MessageFormat};

pub(super) const DIALECT: Dialect = Dialect {
    flavour: Flavour::Llbot,
    app_name: "LLOneBot",
    app_version: "8.1.7",
    refusal: Refusal::Frame(Some(1008)),
    query_first: false,
    paths: Paths::Exact,
    user_agent: "LLOneBot/8.1.7",
    credential: Credential::AlwaysBearer,
    // Fixed.
    retry: Duration::from_secs(3),
    heartbeat: Duration::from_secs(60),
    // md5 of chat type, peer, seq and random, as a signed number.
    ids: Ids::Signed,
    seqs: Seqs::MessageSeq,
    own: Own::Sent,
    // `reportSelfMessage`.
    report_self: false,
    format: MessageFormat::Array,
    names_format: true,
    font: 14,
    anonymous: false,
    group_name: true,
    sender: Sender::Titled,
    trims: false,
    tells_empty: false,
    files: Files::Both,
    dismissal: Dismissal::Dismiss,
    reactions: Reactions::LikeTotal,
    renames: Renames::None,
    pokes: Pokes::RawInfo { sender: false },
    recall_tip: false,
    leaves_by_self: true,
    // Our choice: no source says that it does not.
    bot_offline: true,
    paging: Paging::EndingAtSeq,
    errors: Errors::Llbot,
    // SQLite.
    remembers: None,
    lazy_members: false,
    // `reportOfflineMessage` is off.
    catches_up: 0,
    // Nodes are refused: send_group_forward_msg is meant.
    takes_nodes: false,
    shows_recalled: false,
};
