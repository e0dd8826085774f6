//! What the room says to people beside its conditions.

use crate::config::Language;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    NotAllowed,
    InviteeNotAllowed,
    NickTaken,
    NickUnusable,
    NickMissing,
    NotJoined,
    TooManySessions,
    TooLong,
    Encrypted,
    SubjectForbidden,
    NoPrivateToQq,
    ConfigurationFile,
    SmallSteps,
    NotYours,
    NotModerator,
    NoSuchMessage,
}

impl Text {
    /// Language tag and text.
    pub(super) fn in_language(self, language: Language) -> (&'static str, &'static str) {
        let text = match language {
            Language::En => self.english(),
            Language::Zh => self.chinese(),
        };
        (language.tag(), text)
    }

    fn english(self) -> &'static str {
        match self {
            Self::NotAllowed => "You are not allowed in this room. Ask the operator of the gateway to let you in.",
            Self::InviteeNotAllowed => "This person is not allowed in this room.",
            Self::NickTaken => "This nickname belongs to somebody else here. Choose another one.",
            Self::NickUnusable => {
                "This nickname has characters that cannot be used here, or is too long. Choose another one."
            }
            Self::NickMissing => "Choose a nickname to enter the room.",
            Self::NotJoined => "You are not in this room.",
            Self::TooManySessions => "Too many clients are in this room. Try again later.",
            Self::TooLong => "This message is too long.",
            Self::Encrypted => "Encrypted messages cannot reach QQ. Turn encryption off in this room.",
            Self::SubjectForbidden => "Only owners of this room may set its subject.",
            Self::NoPrivateToQq => "Private messages to people on QQ are not possible.",
            Self::ConfigurationFile => "This room is configured in the configuration file of the gateway.",
            Self::SmallSteps => "You change your nickname too often. Wait a few seconds.",
            Self::NotModerator => "Only owners of this room may take back what others said.",
            Self::NotYours => "Only who said something can take it back.",
            Self::NoSuchMessage => "There is no such message here any more.",
        }
    }

    fn chinese(self) -> &'static str {
        match self {
            Self::NotAllowed => "你无权进入此聊天室，请联系网关管理员。",
            Self::InviteeNotAllowed => "对方无权进入此聊天室。",
            Self::NickTaken => "此昵称已属于他人，请换一个。",
            Self::NickUnusable => "此昵称含有无法使用的字符或过长，请换一个。",
            Self::NickMissing => "请选择昵称后再进入。",
            Self::NotJoined => "你不在此聊天室中。",
            Self::TooManySessions => "此聊天室中的客户端过多，请稍后再试。",
            Self::TooLong => "消息过长。",
            Self::Encrypted => "加密消息无法送达 QQ，请在此聊天室关闭加密。",
            Self::SubjectForbidden => "只有聊天室所有者可以设置主题。",
            Self::NoPrivateToQq => "无法向 QQ 成员发送私聊消息。",
            Self::ConfigurationFile => "此聊天室由网关的配置文件管理。",
            Self::SmallSteps => "更改昵称过于频繁，请稍候。",
            Self::NotModerator => "只有聊天室所有者可以撤回他人的消息。",
            Self::NotYours => "只能撤回自己发送的消息。",
            Self::NoSuchMessage => "该消息已不存在。",
        }
    }
}
