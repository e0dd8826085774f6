//! What a message can hold beside text: media, cards, forwarded records, pokes, games. Everything that QQ told is kept, also what
//! nobody shows yet.

use serde::{Deserialize, Serialize};

use super::id::QqNumber;
use super::message::{Mention, Part};
use super::time::Timestamp;

/// A picture, a recording, a video or a file. Only described: nothing of it was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// The file's name as a person gave it; empty when QQ told none or a hash.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What the account calls it when it asks for it (`file_id`, else `file`); not for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// Where it lies for about an hour; `http` or `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// In bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// How long it plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// QQ's own words for it, without brackets: the name of a sticker (`动画表情`).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

/// The kinds of [`Media`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture (图片).
    Picture,
    /// A small picture in place of words: a sticker, a market face (表情).
    Sticker,
    /// A recording of a voice (语音).
    Voice,
    /// A video (视频).
    Video,
    /// Any other file (文件).
    File,
}

/// A card: a shared link, a mini app, a place, a contact, a piece of music (卡片).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// QQ's name of the kind (`com.tencent.structmsg`, `location`, …).
    pub app: String,
    /// The headline; never empty (an unknown kind has its prompt here).
    pub title: String,
    /// More words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Messages forwarded as one (合并转发).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What the account asks for it by; days later it is gone.
    pub id: String,
    /// Its headline, where QQ told one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What was forwarded, in order, as far as it was fetched. May hold records again.
    pub lines: Vec<RecordLine>,
    /// How many more lines there are.
    #[serde(default)]
    pub more: usize,
}

/// One forwarded message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLine {
    /// Who said it, where told; forged easily.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<QqNumber>,
    /// Under which name.
    pub name: String,
    /// When, where told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// What.
    pub parts: Vec<Part>,
}

/// 戳一戳: `verb` the target, with a `suffix` (拍了拍 猫 的头).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poke {
    /// The verb as QQ words it; empty when it said none.
    pub verb: String,
    /// Whom.
    pub target: Mention,
    /// What follows the name; may be empty.
    pub suffix: String,
}

/// QQ's little games of chance. The result is missing where the protocol does not tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Game {
    /// 骰子, 1 to 6.
    Dice(Option<u8>),
    /// 猜拳. Programs do not agree on which number is which sign.
    Rps(Option<u8>),
}
