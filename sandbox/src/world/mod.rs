//! The world: accounts, people, groups and what they say. Knows no protocol: temporary numbers, cookies and polls are
//! the affair of the protocol faces.

mod file;
mod happening;
mod segment;

use serde::{Deserialize, Serialize};

pub use file::{DEFAULT_WORLD, WorldError, default_world, parse_world};
pub(crate) use happening::Happening;
pub(crate) use segment::{Segment, parse_message, parse_segment, plain_text, text_of};

/// How an account is reached by its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Tencent's web protocol.
    Webqq,
    /// `OneBot` 11.
    Onebot,
}

/// The `OneBot` programs that can be played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// `NapCatQQ`.
    #[default]
    Napcat,
    /// `LLBot`, once `LLOneBot`.
    Llbot,
    /// `Lagrange.OneBot` v1.
    Lagrange,
    /// `go-cqhttp`.
    Gocq,
}

impl Flavour {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Napcat, Self::Llbot, Self::Lagrange, Self::Gocq];

    /// The word of the command line, of `world.toml` and of the control API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Napcat => "napcat",
            Self::Llbot => "llbot",
            Self::Lagrange => "lagrange",
            Self::Gocq => "gocq",
        }
    }

    /// The flavour of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flavour| flavour.word() == word)
    }
}

/// How a `OneBot` program writes the `message` of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageFormat {
    /// Segments.
    Array,
    /// CQ codes.
    String,
}

/// The place of a member in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everybody who is nothing else.
    #[default]
    Member,
    /// May mute and remove members.
    Admin,
    /// The one who owns the group.
    Owner,
}

/// A friend of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Friend {
    /// QQ number.
    pub qq: i64,
    /// The friend's own name.
    pub nickname: String,
    /// What the account's owner calls them; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub markname: String,
}

/// An account that a client can log in to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// QQ number.
    pub qq: i64,
    /// The account's own name; by default the one it has in its first group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub nickname: String,
    /// For logins with a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether a login with the password always wants a captcha, as from a place the service does not know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub captcha: bool,
    /// The way its client comes.
    pub protocol: Protocol,
    /// `OneBot`: the token a client must show; `None` takes any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// `OneBot`: which program is played; by default the one of the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavour: Option<Flavour>,
    /// `OneBot`: whether the account's own messages are told; by default as the program comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_self: Option<bool>,
    /// `OneBot`: how messages are written; by default as the program comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_format: Option<MessageFormat>,
    /// `OneBot`: milliseconds between heartbeats, 0 for none; by default as the program comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<u64>,
    /// The account's friends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub friends: Vec<Friend>,
}

/// The name of a member in one group (群名片); empty when none was given.
pub type Card = String;

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// QQ number.
    pub qq: i64,
    /// The person's own name.
    pub nickname: String,
    /// The person's name in this group.
    #[serde(default)]
    pub card: Card,
    /// The person's place in this group.
    #[serde(default)]
    pub role: Role,
    /// The special title (头衔); may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Until when the person may not speak, Unix seconds; 0: may speak.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub muted_until: i64,
}

impl Member {
    /// The name under which the group knows the person: card, else own name.
    pub fn called(&self) -> &str {
        if self.card.is_empty() {
            &self.nickname
        } else {
            &self.card
        }
    }
}

/// A QQ group (群).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The real group number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Who is in it, the accounts included.
    pub members: Vec<Member>,
    /// Whether only owner and admins may speak.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
}

impl Group {
    /// The member of that number.
    pub fn member(&self, qq: i64) -> Option<&Member> {
        self.members.iter().find(|member| member.qq == qq)
    }
}

/// A discussion group (讨论组): no number that anybody sees, no cards, no roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discussion {
    /// The world's own number for it.
    pub id: i64,
    /// Its name; may be empty.
    pub name: String,
    /// Who is in it; the first one made it.
    pub members: Vec<Member>,
}

/// Everybody and everything, without the messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// The accounts, in the order of the file.
    #[serde(default, rename = "account")]
    pub accounts: Vec<Account>,
    /// The groups, in the order of the file.
    #[serde(default, rename = "group")]
    pub groups: Vec<Group>,
    /// The discussion groups.
    #[serde(default, rename = "discussion", skip_serializing_if = "Vec::is_empty")]
    pub discussions: Vec<Discussion>,
}

impl World {
    /// The account of that number.
    pub fn account(&self, qq: i64) -> Option<&Account> {
        self.accounts.iter().find(|account| account.qq == qq)
    }

    /// The first account of a protocol.
    pub fn first(&self, protocol: Protocol) -> Option<&Account> {
        self.accounts.iter().find(|account| account.protocol == protocol)
    }

    /// The group of that number.
    pub fn group(&self, number: i64) -> Option<&Group> {
        self.groups.iter().find(|group| group.number == number)
    }

    /// The groups an account is a member of.
    pub fn groups_of(&self, qq: i64) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| group.member(qq).is_some())
    }

    /// The discussion groups an account is a member of.
    pub fn discussions_of(&self, qq: i64) -> impl Iterator<Item = &Discussion> {
        self.discussions
            .iter()
            .filter(move |discussion| discussion.members.iter().any(|member| member.qq == qq))
    }

    /// The own name of whoever has that number.
    pub fn nickname(&self, qq: i64) -> Option<&str> {
        let account = self
            .account(qq)
            .map(|account| account.nickname.as_str())
            .filter(|name| !name.is_empty());
        let friend = || {
            self.accounts
                .iter()
                .flat_map(|a| &a.friends)
                .find(|f| f.qq == qq)
                .map(|f| f.nickname.as_str())
        };
        let member = || {
            self.groups
                .iter()
                .find_map(|group| group.member(qq))
                .map(|m| m.nickname.as_str())
        };
        let other = || {
            self.discussions
                .iter()
                .flat_map(|d| &d.members)
                .find(|m| m.qq == qq)
                .map(|m| m.nickname.as_str())
        };
        account.or_else(member).or_else(friend).or_else(other)
    }
}

/// Where something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Chat {
    /// In the group of that number.
    Group(i64),
    /// In the discussion group of that id.
    Discussion(i64),
    /// Between an account and a friend.
    Friend {
        /// The account.
        account: i64,
        /// The friend.
        friend: i64,
    },
}

impl Chat {
    /// The word under which the store keeps the chat's messages.
    pub(crate) fn key(self) -> String {
        match self {
            Self::Group(number) => format!("group:{number}"),
            Self::Discussion(id) => format!("discussion:{id}"),
            Self::Friend { account, friend } => format!("friend:{account}:{friend}"),
        }
    }

    /// The chat of a stored word.
    pub(crate) fn from_key(key: &str) -> Option<Self> {
        let mut parts = key.split(':');
        let (kind, first) = (parts.next()?, parts.next()?.parse().ok()?);
        match kind {
            "group" => Some(Self::Group(first)),
            "discussion" => Some(Self::Discussion(first)),
            "friend" => Some(Self::Friend {
                account: first,
                friend: parts.next()?.parse().ok()?,
            }),
            _ => None,
        }
    }
}

/// Something that was said.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The world's own number: rises, never reused, the same over logins and restarts.
    pub(crate) id: i64,
    /// Where.
    pub(crate) chat: Chat,
    /// Who: a real QQ number.
    pub(crate) from: i64,
    /// When, Unix seconds.
    pub(crate) time: i64,
    /// The number within its chat, without gaps.
    pub(crate) seq: i64,
    /// What.
    pub(crate) segments: Vec<Segment>,
    /// Whether it was taken back.
    pub(crate) recalled: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
