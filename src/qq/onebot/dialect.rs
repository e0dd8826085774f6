//! How the programs that speak `OneBot` 11 differ, in one table. Pure.
//!
//! Sources: the programs' own code and documents at the versions named beside each row, and the standard
//! (botuniverse/onebot-11 of 2022).

use super::event::Heard;
use super::field;
use crate::model::{EventId, Timestamp};

/// Where QQ's own count of a group's messages is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SeqField {
    /// `real_seq`; `message_seq` is only the message id again.
    RealSeq,
    /// `message_seq`.
    MessageSeq,
    /// Not told, or not to be trusted.
    None,
}

/// What `get_group_msg_history` takes to go on backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    /// `message_seq` is a message id, and `reverse_order` says the direction.
    MessageIdReversed,
    /// `message_seq` is a real seq; the answer ends at it.
    EndsAtSeq,
    /// `message_id`; the answer ends at it.
    EndsAtMessageId,
    /// Not known: only the newest messages can be had.
    NewestOnly,
}

/// Which action reacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReactBy {
    /// `set_msg_emoji_like { message_id, emoji_id, set }`.
    EmojiLike,
    /// `set_group_reaction { group_id, message_id, code, is_add }`.
    GroupReaction,
    /// There is none.
    Nothing,
}

/// One program's ways.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// For people.
    pub(super) name: &'static str,
    /// What its `app_name` holds, lower case; the first row that matches counts.
    apps: &'static [&'static str],
    pub(super) seq: SeqField,
    pub(super) paging: Paging,
    /// Tells by an event that a group has a new name.
    pub(super) tells_names: bool,
    /// Files in groups come also as messages.
    pub(super) file_messages: bool,
    pub(super) react: ReactBy,
    /// The switch that lets it report the account's own messages, and what it is without anybody's doing.
    pub(super) own_switch: &'static str,
    pub(super) own_by_default: bool,
    /// The switch for messages as arrays.
    pub(super) format_switch: &'static str,
}

const TABLE: [Dialect; 6] = [
    // NapCatQQ 4.18: message.group has real_seq as text and message_seq = message_id (OneBotMsgApi); getMsgHistory wants a
    // message id (GetGroupMsgHistory); notify/group_name; file segment and group_upload; reportSelfMessage and
    // messagePostFormat per network entry; a 1200 with "Timeout" is often delivered (NapCatQQ#932, #1410, #1772).
    Dialect {
        name: "NapCat",
        apps: &["napcat"],
        seq: SeqField::RealSeq,
        paging: Paging::MessageIdReversed,
        tells_names: true,
        file_messages: true,
        react: ReactBy::EmojiLike,
        own_switch: "reportSelfMessage (上报自身消息) of the network entry in NapCat's web UI",
        own_by_default: false,
        format_switch: "messagePostFormat = array (消息格式) of the network entry in NapCat's web UI",
    },
    // LLBot = LLOneBot 8.1: message_seq is QQ's; history ends at that seq, 30 at a time; no event for names;
    // reportSelfMessage and messageFormat per connection.
    Dialect {
        name: "LLBot",
        apps: &["llbot", "llonebot", "luckylillia"],
        seq: SeqField::MessageSeq,
        paging: Paging::EndsAtSeq,
        tells_names: false,
        file_messages: true,
        react: ReactBy::EmojiLike,
        own_switch: "\"reportSelfMessage\" (上报自己发送的消息) of the connection in LLBot's settings",
        own_by_default: false,
        format_switch: "\"messageFormat\": \"array\" (消息格式) of the connection in LLBot's settings",
    },
    // SnowLuma 1.11: as LLBot in what it tells; reactions with sub_type.
    Dialect {
        name: "SnowLuma",
        apps: &["snowluma"],
        seq: SeqField::MessageSeq,
        paging: Paging::EndsAtSeq,
        tells_names: false,
        file_messages: true,
        react: ReactBy::EmojiLike,
        own_switch: "reportSelfMessage of the connection in SnowLuma's settings",
        own_by_default: false,
        format_switch: "messageFormat = array of the connection in SnowLuma's settings",
    },
    // Lagrange.OneBot v1 (2025-10): no seq in messages; history by message_id; group_name_change; only group_upload;
    // set_group_reaction; own messages as plain `message` unless Message:IgnoreSelf; Message:StringPost.
    Dialect {
        name: "Lagrange",
        apps: &["lagrange"],
        seq: SeqField::None,
        paging: Paging::EndsAtMessageId,
        tells_names: true,
        file_messages: false,
        react: ReactBy::GroupReaction,
        own_switch: "\"IgnoreSelf\": false under \"Message\" in Lagrange's appsettings.json",
        own_by_default: true,
        format_switch: "\"StringPost\": false under \"Message\" in Lagrange's appsettings.json",
    },
    // go-cqhttp 1.2: message_seq is QQ's, history ends at it; no names, no file segment, no reactions;
    // message.report-self-message and message.post-format in config.yml.
    Dialect {
        name: "go-cqhttp",
        apps: &["go-cqhttp", "gocq"],
        seq: SeqField::MessageSeq,
        paging: Paging::EndsAtSeq,
        tells_names: false,
        file_messages: false,
        react: ReactBy::Nothing,
        own_switch: "report-self-message: true under message: in go-cqhttp's config.yml",
        own_by_default: false,
        format_switch: "post-format: array under message: in go-cqhttp's config.yml",
    },
    // Anything else: the standard, which has neither seq, history nor reactions. The action for reactions is tried, most have
    // taken it over.
    Dialect {
        name: "this OneBot program",
        apps: &[""],
        seq: SeqField::None,
        paging: Paging::NewestOnly,
        tells_names: false,
        file_messages: true,
        react: ReactBy::EmojiLike,
        own_switch: "the report of the account's own messages in its settings",
        own_by_default: false,
        format_switch: "messages as arrays in its settings",
    },
];

/// The row of a program, by the `app_name` of `get_version_info`.
pub(super) fn of(app_name: &str) -> &'static Dialect {
    let app = app_name.to_ascii_lowercase();
    let row = TABLE
        .iter()
        .find(|row| row.apps.iter().any(|known| app.contains(known)));
    row.unwrap_or(unknown())
}

/// The row for programs that nobody knows.
pub(super) fn unknown() -> &'static Dialect {
    &TABLE[TABLE.len() - 1]
}

impl Dialect {
    /// QQ's own number of a message, where the dialect tells it.
    pub(super) fn seq(&self, heard: &Heard) -> Option<u64> {
        match self.seq {
            SeqField::RealSeq => heard.real_seq,
            SeqField::MessageSeq => heard.message_seq.and_then(|seq| u64::try_from(seq).ok()),
            SeqField::None => None,
        }
    }

    /// What makes a message the same message for everybody.
    pub(super) fn event_id(&self, heard: &Heard) -> EventId {
        let id = self.seq(heard).map_or_else(
            || {
                let Timestamp(ms) = heard.time.unwrap_or_default();
                format!("id:{}:{}", heard.handle.0, ms / 1000)
            },
            |seq| format!("seq:{seq}"),
        );
        EventId(id.into())
    }
}

/// The number in an event's identity, if it holds one.
pub(super) fn seq_of(id: &EventId) -> Option<u64> {
    id.0.strip_prefix("seq:")?.parse().ok()
}

/// QQ's time in an event's identity, if it holds one.
pub(super) fn time_of(id: &EventId) -> Option<Timestamp> {
    let (_, secs) = id.0.strip_prefix("id:")?.rsplit_once(':')?;
    secs.parse().ok().map(Timestamp::from_secs)
}

/// The program's name for itself.
pub(super) fn app_name(version: &serde_json::Value) -> String {
    field::line(field::text(&version["app_name"]), 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_names() {
        for (app, name) in [
            ("NapCat.Onebot", "NapCat"),
            ("LLOneBot", "LLBot"),
            ("LLBot", "LLBot"),
            ("Lagrange.OneBot", "Lagrange"),
            ("go-cqhttp", "go-cqhttp"),
            ("SnowLuma", "SnowLuma"),
            ("", "this OneBot program"),
            ("euler-onebot", "this OneBot program"),
        ] {
            assert_eq!(of(app).name, name, "{app}");
        }
    }

    #[test]
    fn a_seq_reads_back() {
        assert_eq!(seq_of(&EventId("seq:41669".into())), Some(41669));
        assert_eq!(seq_of(&EventId("id:5:1".into())), None);
        assert_eq!(time_of(&EventId("id:-5:1".into())), Some(Timestamp::from_secs(1)));
        assert_eq!(time_of(&EventId("seq:41669".into())), None);
    }
}
