//! Notices.

use serde_json::{Value, json};

use super::super::dialect::{Dismissal, Files, Pokes, Reactions, Renames};
use super::super::id::scramble;
use super::super::segment::write::name_of;
use super::super::view::View;
use crate::store::StoreError;
use crate::world::{Chat, Flavour, Group, Happening, Message, Segment, text_of};

fn notice(view: &View<'_>, kind: &str, fields: Value) -> Value {
    let mut event = json!({
        "time": view.state.clock.now(), "self_id": view.qq(), "post_type": "notice", "notice_type": kind,
    });
    if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
        event.extend(fields);
    }
    event
}

/// The notices that tell an account of a happening.
pub(super) fn of(view: &View<'_>, happening: &Happening) -> Result<Vec<Value>, StoreError> {
    let told = match happening {
        Happening::Said(_) => None,
        Happening::Recalled { message, operator } => recalled(view, message, *operator)?,
        Happening::Reacted {
            message,
            by,
            emoji,
            added,
            total,
        } => reacted(view, message, *by, emoji, (*added, *total)),
        Happening::Poked { chat, from, target } => Some(poked(view, *chat, *from, *target)),
        Happening::Joined {
            group,
            qq,
            operator,
            invited,
        } => {
            let how = if *invited { "invite" } else { "approve" };
            let fields = json!({"sub_type": how, "group_id": group, "operator_id": operator, "user_id": qq});
            Some(notice(view, "group_increase", fields))
        }
        Happening::Left { group, qq, operator } => Some(left(view, group, *qq, *operator)),
        Happening::Dissolved { group, operator } => Some(dissolved(view, group, *operator)),
        Happening::Muted {
            group,
            qq,
            operator,
            seconds,
        } => {
            let how = if *seconds == 0 { "lift_ban" } else { "ban" };
            let fields = json!({
                "sub_type": how, "group_id": group, "operator_id": operator, "user_id": qq, "duration": seconds,
            });
            Some(notice(view, "group_ban", fields))
        }
        Happening::AllMuted { group, operator, on } => {
            let (how, duration) = if *on { ("ban", -1) } else { ("lift_ban", 0) };
            let fields = json!({
                "sub_type": how, "group_id": group, "operator_id": operator, "user_id": 0, "duration": duration,
            });
            Some(notice(view, "group_ban", fields))
        }
        Happening::AdminSet { group, qq, on } => {
            let how = if *on { "set" } else { "unset" };
            Some(notice(
                view,
                "group_admin",
                json!({"sub_type": how, "group_id": group, "user_id": qq}),
            ))
        }
        Happening::CardChanged { group, old, card } => {
            let fields = json!({"group_id": group, "user_id": old.qq, "card_new": card, "card_old": old.card});
            Some(notice(view, "group_card", fields))
        }
        Happening::TitleGiven { group, qq, title } => {
            let fields = json!({"sub_type": "title", "group_id": group, "user_id": qq, "title": title});
            Some(notice(view, "notify", fields))
        }
        Happening::Renamed { group, operator, name } => renamed(view, *group, *operator, name),
    };
    Ok(told.into_iter().collect())
}

fn recalled(view: &View<'_>, message: &Message, operator: i64) -> Result<Option<Value>, StoreError> {
    if !view.knows(message)? {
        return Ok(None);
    }
    let id = view.handle(message);
    let mut event = match message.chat {
        Chat::Group(group) => {
            let fields = json!({"group_id": group, "user_id": message.from, "operator_id": operator, "message_id": id});
            notice(view, "group_recall", fields)
        }
        _ => notice(
            view,
            "friend_recall",
            json!({"user_id": view.peer(message.chat), "message_id": id}),
        ),
    };
    if view.dialect.recall_tip {
        event["tip"] = json!("");
    }
    Ok(Some(event))
}

fn reacted(view: &View<'_>, message: &Message, by: i64, emoji: &str, (added, total): (bool, i64)) -> Option<Value> {
    let Chat::Group(group) = message.chat else {
        return None;
    };
    let id = view.handle(message);
    let like = |count: i64| {
        let likes = json!([{"emoji_id": emoji, "count": count}]);
        let fields = json!({"group_id": group, "user_id": by, "message_id": id, "likes": likes, "is_add": added});
        notice(view, "group_msg_emoji_like", fields)
    };
    match view.dialect.reactions {
        Reactions::LikeOne => Some(like(1)),
        Reactions::LikeTotal => Some(like(total)),
        Reactions::Reaction => {
            let how = if added { "add" } else { "remove" };
            let fields = json!({
                "sub_type": how, "group_id": group, "message_id": id, "operator_id": by, "code": emoji, "count": total,
            });
            Some(notice(view, "reaction", fields))
        }
        Reactions::None => None,
    }
}

fn poked(view: &View<'_>, chat: Chat, from: i64, target: i64) -> Value {
    let mut event = notice(view, "notify", json!({"sub_type": "poke", "target_id": target}));
    if let Chat::Group(group) = chat {
        event["group_id"] = json!(group);
        event["user_id"] = json!(from);
    } else {
        event["user_id"] = json!(view.peer(chat));
        if view.dialect.pokes != (Pokes::RawInfo { sender: false }) {
            event["sender_id"] = json!(from);
        }
    }
    match view.dialect.pokes {
        Pokes::RawInfo { .. } => {
            event["raw_info"] = json!([
                {"col": "1", "nm": "", "type": "qq", "uid": uid(from)}, {"txt": "拍了拍", "type": "nor"},
                {"col": "1", "nm": "", "tp": "0", "type": "qq", "uid": uid(target)}, {"txt": "", "type": "nor"},
            ]);
        }
        Pokes::Action => {
            event["action"] = json!("戳了戳");
            event["suffix"] = json!("");
            event["action_img_url"] = json!("");
        }
        Pokes::Plain => {}
    }
    event
}

/// The other kind of number that QQ has for people since 2023.
fn uid(qq: i64) -> String {
    format!("u_{:016x}abcdef", scramble(&qq.to_string()))
}

fn left(view: &View<'_>, group: &Group, qq: i64, operator: i64) -> Value {
    let kicked = operator != 0 && operator != qq;
    let how = match (kicked, qq == view.qq()) {
        (true, true) => "kick_me",
        (true, false) => "kick",
        (false, _) => "leave",
    };
    let operator = match (kicked, view.dialect.leaves_by_self) {
        (true, _) => operator,
        (false, true) => qq,
        (false, false) => 0,
    };
    let fields = json!({"sub_type": how, "group_id": group.number, "operator_id": operator, "user_id": qq});
    notice(view, "group_decrease", fields)
}

fn dissolved(view: &View<'_>, group: &Group, operator: i64) -> Value {
    let how = match view.dialect.dismissal {
        Dismissal::Dismiss => {
            return notice(
                view,
                "group_dismiss",
                json!({"group_id": group.number, "user_id": operator}),
            );
        }
        Dismissal::Disband => "disband",
        Dismissal::KickMe => "kick_me",
    };
    let fields = json!({
        "sub_type": how, "group_id": group.number, "operator_id": operator, "user_id": view.qq(),
    });
    notice(view, "group_decrease", fields)
}

fn renamed(view: &View<'_>, group: i64, operator: i64, name: &str) -> Option<Value> {
    match view.dialect.renames {
        Renames::Notify => {
            let fields = json!({"sub_type": "group_name", "group_id": group, "user_id": operator, "name_new": name});
            Some(notice(view, "notify", fields))
        }
        Renames::NameChange => Some(notice(
            view,
            "group_name_change",
            json!({"group_id": group, "name": name}),
        )),
        Renames::None => None,
    }
}

/// The notice of a file in a message.
pub(super) fn upload(view: &View<'_>, message: &Message) -> Option<Value> {
    let data = message.segments.iter().find_map(|segment| match segment {
        Segment::Other { kind, data } if kind == "file" => Some(data),
        _ => None,
    })?;
    let (name, id) = (name_of(data), text_of(data, "file_id"));
    let size: i64 = text_of(data, "file_size").parse().unwrap_or(0);
    let url = || view.url(&text_of(data, "file"));
    match (message.chat, view.dialect.files) {
        (Chat::Group(group), files) => {
            // NapCat has an id of its own in the notice; it takes both.
            let id = if view.dialect.flavour == Flavour::Napcat {
                format!("NC{}", id.trim_start_matches('/'))
            } else {
                id
            };
            let mut file = json!({"id": id, "name": name, "size": size, "busid": 104});
            if files == Files::NoticeWithUrl {
                file["url"] = json!(url());
            }
            let fields = json!({"group_id": group, "user_id": message.from, "file": file});
            Some(notice(view, "group_upload", fields))
        }
        (_, Files::Both) => None,
        _ if message.from == view.qq() => None,
        _ => {
            let mut file = json!({"name": name, "size": size, "url": url()});
            if view.dialect.files == Files::NoticeWithUrl {
                file["id"] = json!(id);
                file["hash"] = json!("");
            }
            Some(notice(
                view,
                "offline_file",
                json!({"user_id": message.from, "file": file}),
            ))
        }
    }
}

/// The account was thrown off the line.
pub(crate) fn bot_offline(view: &View<'_>, tag: &str, text: &str) -> Option<Value> {
    let fields = json!({"user_id": view.qq(), "tag": tag, "message": text});
    view.dialect.bot_offline.then(|| notice(view, "bot_offline", fields))
}
