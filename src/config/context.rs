//! What the rows of `[[mapping]]` are checked against.

use std::collections::HashMap;

use jid::BareJid;

use crate::model::{AccountName, GroupNumber};

use super::allow::Allow;
use super::secret::Sources;

/// What rows are checked against: the rest of the file as far as it could be read, and the rows before.
pub(super) struct Context<'a> {
    /// The component's domain.
    pub(super) domain: Option<&'a BareJid>,
    /// The rules of `[xmpp]`.
    pub(super) allow: Option<&'a [Allow]>,
    /// The accounts' names; nothing when one of them could not be read.
    pub(super) accounts: Option<&'a [AccountName]>,
    /// Where secrets come from.
    pub(super) sources: &'a Sources<'a>,
    /// Lines of the groups and rooms so far.
    pub(super) groups: HashMap<GroupNumber, usize>,
    pub(super) rooms: HashMap<BareJid, usize>,
}
