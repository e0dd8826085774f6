//! `NapCatQQ` 4.18 (commit af07479, August 2026).

use std::time::Duration;

use super::{
    Credential, Dialect, Dismissal, Errors, Files, Ids, Own, Paging, Paths, Pokes, Reactions, Refusal, Renames, Sender,
    Seqs,
};
use crate::world::{Flavour, MessageFormat};

pub(super) const DIALECT: Dialect = Dialect {
    flavour: Flavour::Napcat,
    app_name: "NapCat.Onebot",
    app_version: "4.18.19",
    // Closed without a code, which clients see as 1005.
    refusal: Refusal::Frame(None),
    query_first: true,
    paths: Paths::Loose,
    user_agent: "OneBot/11",
    credential: Credential::AlwaysBearer,
    // `reconnectInterval`.
    retry: Duration::from_secs(5),
    // `heartInterval`.
    heartbeat: Duration::from_secs(30),
    // md5 of message, chat type and peer, cut to 31 bits.
    ids: Ids::Positive,
    seqs: Seqs::RealSeq,
    own: Own::Sent,
    // `reportSelfMessage`.
    report_self: false,
    format: MessageFormat::Array,
    names_format: true,
    font: 14,
    anonymous: false,
    group_name: true,
    sender: Sender::Short,
    trims: true,
    tells_empty: true,
    files: Files::Both,
    dismissal: Dismissal::Disband,
    reactions: Reactions::LikeOne,
    renames: Renames::Notify,
    pokes: Pokes::RawInfo { sender: true },
    recall_tip: false,
    leaves_by_self: false,
    bot_offline: true,
    paging: Paging::LocalById,
    errors: Errors::NapCat,
    // `MessageUnique`: a table in memory, empty after a start.
    remembers: Some(5000),
    lazy_members: true,
    // NapCatQQ#1017: the kernel pushes about so many; older than the start of the program they are dropped.
    catches_up: 30,
    takes_nodes: true,
    shows_recalled: true,
};
