//! The world as one account's program sees it: its dialect, its names for messages, its people.

use super::dialect::{Dialect, dialect};
use super::id;
use crate::state::State;
use crate::store::StoreError;
use crate::world::{Account, Chat, Group, Member, Message, MessageFormat, Protocol};

/// Eyes of an account.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    pub(crate) account: &'a Account,
    pub(crate) dialect: &'static Dialect,
}

impl<'a> View<'a> {
    /// The view of a `OneBot` account; `None` for others.
    pub(crate) fn of(state: &'a State, qq: i64) -> Option<Self> {
        let account = state.world.account(qq)?;
        (account.protocol == Protocol::Onebot).then(|| Self {
            state,
            account,
            dialect: dialect(account.flavour.unwrap_or(state.flavour)),
        })
    }

    /// The account's number.
    pub(crate) fn qq(&self) -> i64 {
        self.account.qq
    }

    /// Whether own messages are told.
    pub(crate) fn reports_self(&self) -> bool {
        self.account.report_self.unwrap_or(self.dialect.report_self)
    }

    /// How messages are written.
    pub(crate) fn format(&self) -> MessageFormat {
        self.account.message_format.unwrap_or(self.dialect.format)
    }

    /// What the account calls a message.
    pub(crate) fn handle(&self, message: &Message) -> i64 {
        id::handle(self.dialect, message)
    }

    /// The message that the account calls so, as far as its program remembers.
    pub(crate) fn recognise(&self, handle: i64) -> Result<Option<Message>, StoreError> {
        let Some(id) = self.state.store.learned(self.qq(), handle)? else {
            return Ok(None);
        };
        if !self.remembers(id) {
            return Ok(None);
        }
        self.state.store.message(id)
    }

    /// Whether the program has ever got a message, and still remembers it.
    pub(crate) fn knows(&self, message: &Message) -> Result<bool, StoreError> {
        let learned = self.state.store.learned(self.qq(), self.handle(message))?;
        Ok(learned == Some(message.id) && self.remembers(message.id))
    }

    /// Whether the program remembers the message with that number of the world.
    fn remembers(&self, id: i64) -> bool {
        self.dialect.remembers.is_none() || self.state.onebot.remembers(self.qq(), id)
    }

    /// A group the account is in.
    pub(crate) fn group(&self, number: i64) -> Option<&'a Group> {
        self.state
            .world
            .group(number)
            .filter(|group| group.member(self.qq()).is_some())
    }

    /// Whoever said something in a chat, when they are still there.
    pub(crate) fn member(&self, chat: Chat, qq: i64) -> Option<&'a Member> {
        match chat {
            Chat::Group(number) => self.state.world.group(number)?.member(qq),
            _ => None,
        }
    }

    /// The other end of a friend's chat.
    pub(crate) fn peer(&self, chat: Chat) -> Option<i64> {
        match chat {
            Chat::Friend { account, friend } if account == self.qq() => Some(friend),
            Chat::Friend { account, .. } => Some(account),
            _ => None,
        }
    }

    /// The own name of a number.
    pub(crate) fn nickname(&self, qq: i64) -> &'a str {
        self.state.world.nickname(qq).unwrap_or_default()
    }

    /// Where a picture or file can be fetched for the next hour.
    pub(crate) fn url(&self, name: &str) -> String {
        self.state.media_url(name)
    }
}
