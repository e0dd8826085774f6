//! `Lagrange.OneBot` v1 (branch v1, stopped in October 2025).

use std::time::Duration;

use super::{
    Credential, Dialect, Dismissal, Errors, Files, Ids, Own, Paging, Paths, Pokes, Reactions, Refusal, Renames, Sender,
    Seqs,
};
use crate::world::{Flavour, MessageFormat};

pub(super) const DIALECT: Dialect = Dialect {
    flavour: Flavour::Lagrange,
    app_name: "Lagrange.OneBot",
    // Our choice.
    app_version: "0.0.3",
    refusal: Refusal::Status,
    // Our choice.
    query_first: false,
    paths: Paths::Loose,
    // Our choice.
    user_agent: "Lagrange.OneBot/11",
    credential: Credential::Bearer,
    // `ReconnectInterval`.
    retry: Duration::from_secs(5),
    // `HeartBeatInterval`.
    heartbeat: Duration::from_secs(5),
    // A hash of message id and seq.
    ids: Ids::Signed,
    seqs: Seqs::Untold,
    own: Own::Plain,
    // Unless `Message:IgnoreSelf` is set.
    report_self: true,
    format: MessageFormat::Array,
    names_format: false,
    font: 0,
    anonymous: true,
    group_name: false,
    sender: Sender::Untitled,
    trims: false,
    tells_empty: true,
    files: Files::NoticeWithUrl,
    // Our choice: the standard has nothing for it.
    dismissal: Dismissal::KickMe,
    reactions: Reactions::Reaction,
    renames: Renames::NameChange,
    pokes: Pokes::Action,
    recall_tip: true,
    leaves_by_self: true,
    bot_offline: true,
    paging: Paging::EndingAtId,
    errors: Errors::Lagrange,
    // Realm, later SQLite.
    remembers: None,
    lazy_members: false,
    catches_up: 0,
    takes_nodes: true,
    shows_recalled: false,
};
