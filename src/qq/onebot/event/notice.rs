//! Notices: everything that happens without words.

use std::time::Duration;

use serde_json::Value;

use super::{Change, Event, Private, self_id};
use crate::model::{MediaKind, MemberId, Mention, Part, Poke, QqNumber};
use crate::qq::onebot::{field, reaction, segment};

/// Nobody puts more reactions under a message at once.
const LIKES_MAX: usize = 50;

pub(super) fn read(frame: &Value) -> Option<Event> {
    let sub = field::text(&frame["sub_type"]);
    let group = field::group(&frame["group_id"]);
    let user = field::user(&frame["user_id"]);
    let by = field::user(&frame["operator_id"]);
    let event = match field::text(&frame["notice_type"]) {
        "group_increase" => Event::Increase {
            group: group?,
            user: user?,
            by: by.filter(|by| Some(*by) != user),
            me: user == self_id(frame),
        },
        "group_decrease" if sub == "disband" => Event::Dissolved { group: group?, by },
        "group_dismiss" => Event::Dissolved {
            group: group?,
            by: by.or(user),
        },
        "group_decrease" => Event::Decrease {
            group: group?,
            user: user?,
            kicked: matches!(sub, "kick" | "kick_me"),
            by: by.filter(|by| Some(*by) != user),
            me: sub == "kick_me" || user == self_id(frame),
        },
        "group_card" => Event::Card {
            group: group?,
            user: user?,
            card: field::name(frame.get("card_new")?),
        },
        "group_admin" => Event::Admin {
            group: group?,
            user: user?,
            set: match sub {
                "set" => true,
                "unset" => false,
                _ => return None,
            },
        },
        "group_ban" => Event::Muted {
            group: group?,
            user,
            duration: mute(sub, user, field::signed(&frame["duration"])),
            by,
        },
        "group_name_change" => return group_name(frame),
        "group_recall" => Event::Recalled {
            group: group?,
            handle: field::handle(&frame["message_id"])?,
            user,
            by,
            time: field::time(&frame["time"]),
        },
        "group_msg_emoji_like" | "reaction" => return reacted(frame),
        "group_upload" => Event::Upload {
            group: group?,
            user: user?,
            media: segment::media(MediaKind::File, &frame["file"])?,
            time: field::time(&frame["time"]),
        },
        "offline_file" => Event::Private(offline_file(frame)?),
        "bot_offline" => Event::BotOffline(bot_offline(frame)),
        "notify" if sub == "group_name" => return group_name(frame),
        "notify" if sub == "poke" => return poked(frame),
        _ => return None,
    };
    Some(event)
}

/// For how long. No mute of QQ has a number near to a year: it stands for no end.
fn mute(sub: &str, user: Option<QqNumber>, seconds: Option<i64>) -> Duration {
    const YEAR: i64 = 366 * 86_400;
    match (sub, seconds) {
        ("lift_ban", _) => Duration::ZERO,
        ("ban", Some(0)) if user.is_none() => Duration::MAX,
        (_, Some(seconds)) if (0..YEAR).contains(&seconds) => Duration::from_secs(seconds.unsigned_abs()),
        _ => Duration::MAX,
    }
}

fn group_name(frame: &Value) -> Option<Event> {
    let names = ["name_new", "name", "group_name"].map(|key| field::name(&frame[key]));
    Some(Event::GroupName {
        group: field::group(&frame["group_id"])?,
        name: names.into_iter().find(|name| !name.is_empty())?,
        by: field::user(&frame["operator_id"]).or_else(|| field::user(&frame["user_id"])),
    })
}

/// Whether it was added is told by `is_add`, else by `sub_type`, else (2024) by a count of 0.
fn reacted(frame: &Value) -> Option<Event> {
    let told = field::flag(&frame["is_add"]).or(match field::text(&frame["sub_type"]) {
        "add" => Some(true),
        "remove" => Some(false),
        _ => None,
    });
    let likes = frame["likes"]
        .as_array()
        .map_or(std::slice::from_ref(frame), Vec::as_slice);
    let changes = likes.iter().take(LIKES_MAX).filter_map(|like| {
        Some(Change {
            emoji: reaction::emoji(&field::first(like, &["emoji_id", "code"]))?,
            added: told.unwrap_or_else(|| field::signed(&like["count"]) != Some(0)),
        })
    });
    Some(Event::Reacted {
        group: field::group(&frame["group_id"]),
        handle: field::handle(&frame["message_id"])?,
        user: ["user_id", "operator_id"]
            .into_iter()
            .find_map(|key| field::user(&frame[key])),
        changes: changes.collect(),
    })
}

fn poked(frame: &Value) -> Option<Event> {
    let user = ["sender_id", "user_id"];
    let user = user.into_iter().find_map(|key| field::user(&frame[key]))?;
    let (verb, suffix) = poke_words(frame);
    Some(Event::Poked {
        group: field::group(&frame["group_id"]),
        user,
        poke: Poke {
            verb,
            target: Mention {
                member: Some(MemberId::Number(field::user(&frame["target_id"])?)),
                name: String::new(),
            },
            suffix,
        },
        time: field::time(&frame["time"]),
    })
}

/// Verb and suffix: by name, or as the texts of `raw_info`.
fn poke_words(frame: &Value) -> (String, String) {
    let items = field::items(&frame["raw_info"]);
    let mut words = items
        .iter()
        .take(20)
        .filter(|item| item["type"] == "nor")
        .map(|item| field::line(field::text(&item["txt"]), 60));
    match words.next() {
        Some(verb) => (verb, words.collect::<Vec<_>>().concat()),
        None => (
            field::line(field::text(&frame["action"]), 60),
            field::line(field::text(&frame["suffix"]), 60),
        ),
    }
}

fn offline_file(frame: &Value) -> Option<Private> {
    Some(Private {
        handle: None,
        peer: field::user(&frame["user_id"]),
        name: String::new(),
        own: false,
        group: None,
        time: field::time(&frame["time"]),
        parts: vec![Part::Media(segment::media(MediaKind::File, &frame["file"])?)],
    })
}

fn bot_offline(frame: &Value) -> String {
    let words = ["tag", "message"].map(|key| field::line(field::text(&frame[key]), 300));
    let told: Vec<String> = words.into_iter().filter(|text| !text.is_empty()).collect();
    told.join(": ")
}
