//! Texts: how people's words look on QQ, and what the gateway itself says in a room.

use std::time::Duration;

use crate::config::{Language, Template};
use crate::model::words::action;
use crate::model::{GroupNumber, Mention, Part};
use crate::qq::faces::{self, Known};
use crate::room::Speech;

/// The words of an XMPP person for QQ: the prefix for the first piece, and the parts behind it, first a quote of what they answer.
pub(super) fn for_qq(
    template: &Template,
    faces: Known,
    nick: &str,
    speech: &Speech,
    quote: Option<&str>,
) -> (String, Vec<Part>) {
    let mut parts = faces::split(quote.unwrap_or_default(), faces);
    parts.extend(with_mentions(&speech.text, faces, &speech.mentions));
    if speech.action {
        return (acts(nick), parts);
    }
    let (before, behind) = (template.before(nick), template.behind(nick));
    if !behind.is_empty() {
        parts.push(Part::Text(behind));
    }
    (before, parts)
}

/// What stands before what somebody does.
fn acts(nick: &str) -> String {
    format!("* {nick} ")
}

/// The words of a member of one group for the other groups of the room.
pub(super) fn for_other_group(template: &Template, nick: &str, parts: &[Part]) -> (String, Vec<Part>) {
    if let Some(action) = action(parts, Language::Zh) {
        return (acts(nick), vec![Part::Text(action)]);
    }
    let mut parts: Vec<Part> = parts
        .iter()
        .filter(|part| !matches!(part, Part::Reply(_)))
        .cloned()
        .collect();
    let (before, behind) = (template.before(nick), template.behind(nick));
    if !behind.is_empty() {
        parts.push(Part::Text(behind));
    }
    (before, parts)
}

/// Text with `@nick` of members as mentions and emoji as faces.
fn with_mentions(text: &str, known: Known, mentions: &[(String, crate::model::MemberId)]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    let next = |rest: &str| {
        mentions
            .iter()
            .filter_map(|(nick, id)| Some((rest.find(&format!("@{nick}"))?, nick, id)))
            .min_by_key(|(at, nick, _)| (*at, std::cmp::Reverse(nick.len())))
            .map(|(at, nick, id)| (at, nick.clone(), id.clone()))
    };
    while let Some((at, nick, id)) = next(rest) {
        parts.extend(faces::split(&rest[..at], known));
        rest = &rest[at + 1 + nick.len()..];
        parts.push(Part::Mention(Mention {
            member: Some(id),
            name: nick,
        }));
    }
    parts.extend(faces::split(rest, known));
    parts
}

/// A line of the gateway for the people on QQ.
pub(super) fn for_groups(line: &Line) -> String {
    format!("（{}）", line.text(Language::Zh))
}

/// A line of the gateway in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// The account cannot hear or speak in a group.
    Offline(String),
    /// It can again.
    Online,
    /// Events were lost for good.
    Missed(u64),
    /// So many messages did not reach QQ, and why the last one did not.
    NotSent(usize, String),
    /// Nothing is sent to QQ for so long.
    Paused(Duration),
    /// So many messages from QQ were too old, or too many, to be said in the room.
    NotSaid(usize),
    /// So many messages of the room were too old to be passed on to QQ.
    TooLateForQq(usize),
    /// Somebody may not speak on QQ: for so long, if an end was told; zero: they may again.
    Muted(Muted, Option<Duration>),
}

/// Who may not speak on QQ, so that words from XMPP may not get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Muted {
    /// The group, where the room has several.
    pub(super) group: Option<GroupNumber>,
    /// All but its admins; else the gateway's account.
    pub(super) everybody: bool,
}

impl Line {
    /// The line in the language of the room's people.
    pub(super) fn text(&self, language: Language) -> String {
        match (self, language) {
            (Self::Offline(why), Language::En) => format!("QQ is not connected: {why}"),
            (Self::Offline(why), Language::Zh) => format!("QQ 未连接：{why}"),
            (Self::Online, Language::En) => "QQ is connected again".to_owned(),
            (Self::Online, Language::Zh) => "QQ 已重新连接".to_owned(),
            (Self::Missed(0), Language::En) => "some messages from QQ may be missing here".to_owned(),
            (Self::Missed(0), Language::Zh) => "此处可能缺少一些来自 QQ 的消息".to_owned(),
            (Self::Missed(n), Language::En) => format!("{n} messages from QQ are missing here"),
            (Self::Missed(n), Language::Zh) => format!("此处缺少 {n} 条来自 QQ 的消息"),
            (Self::NotSent(1, why), Language::En) => format!("a message did not reach QQ: {why}"),
            (Self::NotSent(n, why), Language::En) => format!("{n} messages did not reach QQ: {why}"),
            (Self::NotSent(n, why), Language::Zh) => format!("{n} 条消息未能送达 QQ：{why}"),
            (Self::Paused(left), Language::En) => format!(
                "QQ takes nothing from here at present; what is said waits, the next try is in {}",
                length(*left, Language::En)
            ),
            (Self::Paused(left), Language::Zh) => format!(
                "QQ 目前不接受这里的消息，消息会等待，{}后再试",
                length(*left, Language::Zh)
            ),
            (Self::NotSaid(n), Language::En) => {
                format!("{n} earlier messages from QQ are left out here: the bridge was away for too long")
            }
            (Self::NotSaid(n), Language::Zh) => format!("桥接中断太久，此处略去 {n} 条较早的 QQ 消息"),
            (Self::TooLateForQq(n), Language::En) => {
                format!("{n} messages were not passed on to QQ: the bridge was away, and they are too old by now")
            }
            (Self::TooLateForQq(n), Language::Zh) => format!("桥接曾中断，有 {n} 条较早的消息未转发到 QQ"),
            (Self::Muted(muted, time), Language::En) => muted.english(*time),
            (Self::Muted(muted, time), Language::Zh) => muted.chinese(*time),
        }
    }
}

impl Muted {
    fn english(self, time: Option<Duration>) -> String {
        let place = self
            .group
            .map_or_else(|| "on QQ".to_owned(), |group| format!("in the QQ group {group}"));
        let time = match time {
            Some(Duration::ZERO) if self.everybody => return format!("everybody may speak again {place}"),
            Some(Duration::ZERO) => return format!("the gateway may speak again {place}"),
            Some(time) => format!("for {}", length(time, Language::En)),
            None => "until further notice".to_owned(),
        };
        if self.everybody {
            return format!("only admins may speak {place} {time}");
        }
        format!("the gateway is muted {place} {time}: nothing from here is heard there")
    }

    fn chinese(self, time: Option<Duration>) -> String {
        let place = self
            .group
            .map_or_else(|| "QQ 群".to_owned(), |group| format!("QQ 群 {group} "));
        match (time, self.everybody) {
            (Some(Duration::ZERO), true) => format!("{place}已解除全员禁言"),
            (Some(Duration::ZERO), false) => format!("网关在{place}已解除禁言"),
            (Some(time), true) => format!("{place}已开启全员禁言，时长 {}", length(time, Language::Zh)),
            (Some(time), false) => format!(
                "网关在{place}被禁言，时长 {}：此处的消息无法送达",
                length(time, Language::Zh)
            ),
            (None, true) => format!("{place}已开启全员禁言"),
            (None, false) => format!("网关在{place}被禁言：此处的消息无法送达"),
        }
    }
}

/// A span of time as people say it: one number, rounded up.
fn length(time: Duration, language: Language) -> String {
    let minutes = time.as_secs().div_ceil(60);
    let (number, english, chinese) = match minutes {
        0..120 => (minutes, "minute", "分钟"),
        120..2880 => (minutes.div_ceil(60), "hour", "小时"),
        _ => (minutes.div_ceil(60 * 24), "day", "天"),
    };
    match language {
        Language::En if number == 1 => format!("1 {english}"),
        Language::En => format!("{number} {english}s"),
        Language::Zh => format!("{number} {chinese}"),
    }
}

/// What the author of a retraction is told, or the moderator who took a message away.
pub(super) fn kept(language: Language, why: &str) -> String {
    match language {
        Language::En => format!("QQ cannot take this message back: {why}"),
        Language::Zh => format!("无法在 QQ 上撤回此消息：{why}"),
    }
}

/// Why a message error was sent to its author.
pub(super) fn undelivered(language: Language, unknown: bool, why: &str) -> String {
    match (language, unknown) {
        (Language::En, false) => format!("this message did not reach QQ: {why}"),
        (Language::En, true) => format!("it is not known whether this message reached QQ: {why}"),
        (Language::Zh, false) => format!("此消息未能送达 QQ：{why}"),
        (Language::Zh, true) => format!("无法确定此消息是否送达 QQ：{why}"),
    }
}

/// Why a message error was sent to its author when the store took nothing.
pub(super) fn not_stored(language: Language) -> &'static str {
    match language {
        Language::En => "the gateway cannot store messages now; try again later",
        Language::Zh => "网关暂时无法保存消息，请稍后再试",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MemberId, Poke, QqNumber};

    fn speech(text: &str, action: bool, mentions: Vec<(String, MemberId)>) -> Speech {
        Speech {
            text: text.into(),
            action,
            answers: None,
            quote: None,
            mentions,
        }
    }

    #[test]
    fn the_template_surrounds_the_words() {
        let template = Template::parse("<{nick}> {text} ").expect("a template");
        let (prefix, parts) = for_qq(&template, Known::WebQq, "Ann", &speech("hi", false, vec![]), None);
        assert_eq!(
            (prefix.as_str(), parts),
            ("<Ann> ", vec![Part::Text("hi".into()), Part::Text(" ".into())])
        );
    }

    #[test]
    fn an_action_is_told_as_one() {
        let (prefix, parts) = for_qq(
            &Template::default(),
            Known::WebQq,
            "Ann",
            &speech("waves", true, vec![]),
            None,
        );
        assert_eq!((prefix.as_str(), parts), ("* Ann ", vec![Part::Text("waves".into())]));
    }

    #[test]
    fn a_poke_is_an_action_in_the_other_groups_too() {
        let poke = Part::Poke(Poke {
            verb: String::new(),
            target: Mention {
                member: None,
                name: String::new(),
            },
            suffix: "的头".into(),
        });
        let told = for_other_group(&Template::default(), "小明", &[poke]);
        assert_eq!(told, ("* 小明 ".into(), vec![Part::Text("戳了戳 全体成员的头".into())]));
    }

    #[test]
    fn mentions_of_members_become_mentions() {
        let ming = MemberId::Number(QqNumber(222_333_444));
        let mentions = vec![("小明".to_owned(), ming.clone())];
        let (_, parts) = for_qq(
            &Template::default(),
            Known::WebQq,
            "Ann",
            &speech("早 @小明 在吗", false, mentions),
            None,
        );
        let mention = Part::Mention(Mention {
            member: Some(ming),
            name: "小明".into(),
        });
        assert_eq!(parts, [Part::Text("早 ".into()), mention, Part::Text(" 在吗".into())]);
    }
}
