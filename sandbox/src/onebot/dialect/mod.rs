//! In what the programs that speak `OneBot` 11 differ: one table per program, and nothing else in those files.
//!
//! Facts are from the sources of `NapCatQQ` 4.18, `LLBot` 8.1, `Lagrange.OneBot` v1 and go-cqhttp 1.2; where a comment says
//! "our choice" nobody knows, or nothing was found.

mod gocq;
mod lagrange;
mod llbot;
mod napcat;

use std::time::Duration;

use crate::world::{Flavour, MessageFormat};

/// How a program refuses a client without the right token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It takes the client, sends a frame with retcode 1403, and closes, with or without a code.
    Frame(Option<u16>),
    /// It refuses the upgrade: 401 without a token, 403 with a wrong one.
    Status,
}

/// What paths below the account's mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    /// Every path takes calls; every path but `/api` gets events.
    Loose,
    /// `/`, `/api`, `/event` as in the standard; on any other nothing happens.
    Exact,
    /// The same, but any other is refused.
    Only,
}

/// What a program writes into `Authorization` when it connects to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// `Bearer T`, also with an empty token.
    AlwaysBearer,
    /// `Bearer T` when there is a token.
    Bearer,
    /// `Token T` when there is a token.
    Token,
}

/// The range of message ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ids {
    /// From 1 to 2^31 - 1.
    Positive,
    /// The whole range of signed 32 bits.
    Signed,
}

/// Where a message tells its place in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seqs {
    /// `message_seq` and `real_id` repeat the message id, `real_seq` is the place, as text.
    RealSeq,
    /// `message_seq` is the place.
    MessageSeq,
    /// Nowhere.
    Untold,
}

/// How a program tells the account's own messages, when it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// `post_type: message_sent`.
    Sent,
    /// Like everybody's.
    Plain,
}

/// What the sender of a group message consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Number, names and role.
    Short,
    /// With level and title.
    Titled,
    /// With sex, age, area, level, title; the title is always empty.
    Untitled,
    /// All of the standard.
    Full,
}

/// How a file in a group is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// As a message with a `file` segment and as `group_upload`.
    Both,
    /// As `group_upload` alone, with the address.
    NoticeWithUrl,
    /// As `group_upload` alone.
    Notice,
}

/// How the end of a group is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dismissal {
    /// `group_decrease` with sub type `disband`.
    Disband,
    /// `group_dismiss`.
    Dismiss,
    /// `group_decrease` with sub type `kick_me`.
    KickMe,
}

/// How faces put to a message are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reactions {
    /// `group_msg_emoji_like` with `is_add`, the count is always 1.
    LikeOne,
    /// The same, the count is how many have it now.
    LikeTotal,
    /// `reaction` with `code` and sub type.
    Reaction,
    /// Not at all.
    None,
}

/// How a new group name is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renames {
    /// `notify` with sub type `group_name`.
    Notify,
    /// `group_name_change`.
    NameChange,
    /// Not at all.
    None,
}

/// How pokes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pokes {
    /// With `raw_info`; a friend's poke has the actor in `sender_id`.
    RawInfo { sender: bool },
    /// With `action`, `suffix`, `action_img_url`.
    Action,
    /// With the two people alone.
    Plain,
}

/// How `get_group_msg_history` pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// From the *message id* in `message_seq`, towards the newer, with `reverse_order` towards the older. Knows only what
    /// the local database has.
    LocalById,
    /// The messages that end at the real seq in `message_seq`.
    EndingAtSeq,
    /// The messages that end at `message_id`.
    EndingAtId,
    /// Twenty messages that end at the real seq in `message_seq`, whatever `count` says.
    TwentyEndingAtSeq,
}

/// How errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// `message` and `wording` with the text, `stream`, `echo` always.
    NapCat,
    /// `message` and `wording` with the text.
    Llbot,
    /// Numbers only.
    Lagrange,
    /// `msg` with a word, `wording` with the text.
    Gocq,
}

/// The table of one program.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that have nothing to do with each other"
)]
#[derive(Debug)]
pub(crate) struct Dialect {
    pub(crate) flavour: Flavour,
    pub(crate) app_name: &'static str,
    pub(crate) app_version: &'static str,
    pub(crate) refusal: Refusal,
    /// With a token in the query and in the header: whether the query counts.
    pub(crate) query_first: bool,
    pub(crate) paths: Paths,
    pub(crate) user_agent: &'static str,
    pub(crate) credential: Credential,
    /// How long a program waits before it connects to the application again.
    pub(crate) retry: Duration,
    /// Between heartbeats.
    pub(crate) heartbeat: Duration,
    pub(crate) ids: Ids,
    pub(crate) seqs: Seqs,
    pub(crate) own: Own,
    pub(crate) report_self: bool,
    pub(crate) format: MessageFormat,
    /// Whether events carry `message_format`.
    pub(crate) names_format: bool,
    pub(crate) font: i64,
    /// Whether events carry `anonymous: null`.
    pub(crate) anonymous: bool,
    pub(crate) group_name: bool,
    pub(crate) sender: Sender,
    /// Whether white space at the ends of `raw_message` is cut off.
    pub(crate) trims: bool,
    /// Whether a message of which nothing is left is told.
    pub(crate) tells_empty: bool,
    pub(crate) files: Files,
    pub(crate) dismissal: Dismissal,
    pub(crate) reactions: Reactions,
    pub(crate) renames: Renames,
    pub(crate) pokes: Pokes,
    /// Whether recalls carry `tip`.
    pub(crate) recall_tip: bool,
    /// Whether somebody who leaves is their own operator; else 0.
    pub(crate) leaves_by_self: bool,
    /// Whether the program says that QQ threw the account off the line.
    pub(crate) bot_offline: bool,
    pub(crate) paging: Paging,
    pub(crate) errors: Errors,
    /// How many message ids are remembered, in memory alone; `None`: all, on disk.
    pub(crate) remembers: Option<usize>,
    /// Whether the first question for a member list fails.
    pub(crate) lazy_members: bool,
    /// How many messages per group come as events when the account is on line again.
    pub(crate) catches_up: i64,
    /// Whether `send_group_msg` takes forward nodes.
    pub(crate) takes_nodes: bool,
    /// Whether a recalled message is in the history, with nothing in it.
    pub(crate) shows_recalled: bool,
}

/// The table of a program.
pub(crate) fn dialect(flavour: Flavour) -> &'static Dialect {
    match flavour {
        Flavour::Napcat => &napcat::DIALECT,
        Flavour::Llbot => &llbot::DIALECT,
        Flavour::Lagrange => &lagrange::DIALECT,
        Flavour::Gocq => &gocq::DIALECT,
    }
}
