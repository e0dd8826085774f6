//! What the gateway says about a joined room: to the admins in English, to people in the room in its language.

use std::time::Duration;

use jid::{BareJid, Jid};

use crate::model::Language;

pub(super) fn no_such_room() -> String {
    "there is no such room; create it, and make it persistent".to_owned()
}

pub(super) fn locked() -> String {
    "the room is locked, or nobody may create it; its owner has to finish its configuration".to_owned()
}

pub(super) fn no_nick() -> String {
    "every nick that the listener tried is taken or refused; write another one: nick = \"…\"".to_owned()
}

pub(super) fn password(given: bool) -> String {
    if given {
        "the room does not take the password; write the right one: password = \"…\"".to_owned()
    } else {
        "the room asks for a password; write it: password = \"…\"".to_owned()
    }
}

pub(super) fn members_only(bridge: &BareJid) -> String {
    format!(
        "only members may enter; ask an owner to make {bridge} a member (as admin it can let the puppets in by itself)"
    )
}

pub(super) fn puppets_not_members(bridge: &BareJid) -> String {
    let domain = bridge.domain();
    format!(
        "only members may enter, so the listener speaks for everybody; ask an owner to make {bridge} an admin, or everybody of \
         {domain} a member"
    )
}

pub(super) fn banned(bridge: &BareJid, by: Option<&str>) -> String {
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{bridge} was banned{by}; talk to the moderators, and `reload` when they take it back")
}

pub(super) fn kicked(by: Option<&str>, reason: Option<&str>) -> String {
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("the listener was put out{by}{reason}; it comes back in an hour. Talk to the moderators")
}

pub(super) fn destroyed(elsewhere: Option<&Jid>) -> String {
    match elsewhere {
        Some(elsewhere) => {
            format!("the room was destroyed; people are to go to {elsewhere}. Change the row's room, or remove the row")
        }
        None => "the room was destroyed; create it again and `reload`, or remove the row".to_owned(),
    }
}

pub(super) fn full(text: &str) -> String {
    if text.is_empty() {
        "the room is full, or its server is busy".to_owned()
    } else {
        format!("the room is full, or its server is busy: {text}")
    }
}

pub(super) fn refused(condition: &str, text: &str) -> String {
    let text = if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    };
    format!("the room does not let the listener in ({condition}{text})")
}

pub(super) fn voiceless(bridge: &BareJid) -> String {
    format!(
        "the room is moderated and the listener has no voice; ask a moderator to give {bridge} voice, or make it a member"
    )
}

pub(super) fn given_up(nick: &str) -> String {
    format!("the room refuses a message of {nick} again and again; it was left out")
}

pub(super) fn banned_member() -> String {
    "is banned from the room".to_owned()
}

pub(super) fn by_moderator(banned: bool, actor: Option<&str>, reason: Option<&str>) -> String {
    let what = if banned { "was banned" } else { "was put out" };
    let by = actor.map(|actor| format!(" by {actor}")).unwrap_or_default();
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{what}{by}{reason}")
}

/// What became of a member, who is named by nick and number, and what follows.
pub(super) fn silenced(room: &BareJid, nick: &str, number: &str, what: &str, time: Duration) -> String {
    let hours = time.as_secs().div_ceil(3600);
    let hours = if hours == 1 {
        "an hour".to_owned()
    } else {
        format!("{hours} hours")
    };
    format!("room {room}: {nick} ({number}) {what}; nothing they say on QQ is shown there for {hours}")
}

/// To somebody who wrote to one of ours alone.
pub(super) fn not_in_private(language: Language, to_listener: bool) -> &'static str {
    match (language, to_listener) {
        (Language::En, false) => "Private messages to QQ members are not carried. Say it in the room.",
        (Language::Zh, false) => "无法向 QQ 成员转发私信，请在聊天室里说。",
        (Language::En, true) => "This is the bridge to QQ; it does not read private messages. Say it in the room.",
        (Language::Zh, true) => "这是 QQ 桥接程序，不读取私信，请在聊天室里说。",
    }
}

pub(super) fn not_bridged(language: Language) -> &'static str {
    match language {
        Language::En => "this room is no longer bridged with QQ",
        Language::Zh => "此聊天室不再与 QQ 桥接",
    }
}
