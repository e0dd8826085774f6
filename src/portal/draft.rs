//! One turn's harvest on its way to the store: what to write, and what each write becomes in the backlog.

use jid::FullJid;

use crate::model::Timestamp;
use crate::room::{Change, Spoken};
use crate::store::{NewMessage, Subject, Write};

/// A subject on its way to be shown.
#[derive(Debug, Clone)]
pub(super) struct NewSubject {
    /// The client session that set it.
    pub(super) by: FullJid,
    /// The nick that set it.
    pub(super) nick: String,
    /// The author's id of the stanza.
    pub(super) id: Option<String>,
    /// The text.
    pub(super) text: String,
    /// When.
    pub(super) time: Timestamp,
}

/// The client session that said something on XMPP, and its id of the stanza: for the error when it cannot be kept.
#[derive(Debug)]
pub(super) struct Said {
    /// The session.
    pub(super) session: FullJid,
    /// The id.
    pub(super) id: Option<String>,
}

/// What is done once the write stands.
#[derive(Debug)]
pub(super) enum After {
    /// Its rows are shown to the room; a repetition goes to the session that said it again.
    Message(Option<Said>),
    /// The change is shown.
    Change(Change),
    /// The subject is shown.
    Subject(NewSubject),
    /// Said, shown, not kept.
    Ephemeral(Spoken),
    /// Nothing to show.
    Nothing,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Draft {
    items: Vec<(Option<Write>, After)>,
    messages: bool,
}

impl Draft {
    /// A message to commit.
    pub(super) fn message(&mut self, message: NewMessage, said: Option<Said>) {
        self.messages = true;
        self.items.push((Some(Write::Message(message)), After::Message(said)));
    }

    /// A message that may be the echo of our own; news is kept when it is to be shown.
    pub(super) fn own(&mut self, normal: String, message: NewMessage, shown: bool) {
        self.messages = true;
        let write = Write::Own { normal, message, shown };
        self.items.push((Some(write), After::Message(None)));
    }

    /// A write that shows nothing.
    pub(super) fn write(&mut self, write: Write) {
        self.items.push((Some(write), After::Nothing));
    }

    /// A change, with what the store keeps of it.
    pub(super) fn change(&mut self, write: Option<Write>, change: Change) {
        self.items.push((write, After::Change(change)));
    }

    /// A subject.
    pub(super) fn subject(&mut self, subject: NewSubject) {
        let write = Write::Subject(Subject {
            text: subject.text.clone(),
            nick: subject.nick.clone(),
            time: subject.time,
        });
        self.items.push((Some(write), After::Subject(subject)));
    }

    /// Something that is shown and not kept.
    pub(super) fn ephemeral(&mut self, spoken: Spoken) {
        self.items.push((None, After::Ephemeral(spoken)));
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether a message in it will move the room's last row.
    pub(super) fn has_messages(&self) -> bool {
        self.messages
    }

    /// Everything, in order.
    pub(super) fn into_items(self) -> Vec<(Option<Write>, After)> {
        self.items
    }
}
