//! A member of a QQ group, as its session reports them.

use serde::{Deserialize, Serialize};

use super::id::MemberId;

/// A person in a QQ group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who it is.
    pub id: MemberId,
    /// The nickname of the account (昵称), as QQ gives it; may be empty.
    pub nickname: String,
    /// The name in this group (群名片); empty when unset.
    pub card: String,
    /// The standing in the group.
    pub role: Role,
}

impl Member {
    /// The name QQ itself would show: the card, else the nickname, else the number. Untouched: not yet a MUC nick.
    pub fn shown_name(&self) -> String {
        [&self.card, &self.nickname]
            .into_iter()
            .find(|name| !name.trim().is_empty())
            .map_or_else(
                || self.id.to_string().trim_start_matches('=').to_owned(),
                |name| name.trim().to_owned(),
            )
    }
}

/// The standing of a member in a QQ group (群主, 管理员, 成员).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// 成员
    #[default]
    Member,
    /// 管理员
    Admin,
    /// 群主
    Owner,
}
