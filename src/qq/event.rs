//! What a session tells: about a group to its portal, about the account to the gateway.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::model::{AccountName, EventId, GroupNumber, Handle, Member, MemberId, Message, Timestamp};

/// Something that happened in a QQ group, as one account saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEvent {
    /// The account that saw it. Several may see the same event.
    pub account: AccountName,
    /// The group.
    pub group: GroupNumber,
    /// What happened.
    pub act: Act,
}

/// The kinds of things that happen in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Somebody said something, now.
    Said(Message),
    /// What was said while nobody listened, the answer to [`super::Command::History`]: oldest first, own messages included.
    /// Comes also when nothing was said or nothing could be fetched. What was delivered already may be in it again.
    Backfill {
        /// Oldest first.
        messages: Vec<Message>,
        /// How far back it goes.
        extent: Extent,
    },
    /// A message was taken back.
    Recalled {
        /// The recall as an event of its own.
        id: EventId,
        /// What the account called the message.
        handle: Handle,
        /// Who took it back; not always told.
        by: Option<MemberId>,
    },
    /// The group as the account sees it after login or refresh: the truth, replacing what was known.
    Snapshot {
        /// The group's name.
        name: String,
        /// Every member. Never empty: a session that got an empty list keeps silent.
        members: Vec<Member>,
        /// The bridging account's own id.
        own: MemberId,
    },
    /// A member is new, or their name or role changed.
    Member(Member),
    /// A member left.
    Left {
        /// Who.
        member: MemberId,
        /// Removed by somebody rather than gone.
        kicked: bool,
        /// By whom, where told.
        by: Option<MemberId>,
    },
    /// A member may not speak for so long; zero lifts it. The bridging account itself may be meant. No member: the whole group.
    Muted {
        /// Whom.
        member: Option<MemberId>,
        /// For how long; `Duration::MAX` where no end was told.
        duration: Duration,
    },
    /// The group has a new name.
    Renamed(String),
    /// The set of reactions of one member to one message changed by one.
    Reacted {
        /// What the account calls the message.
        handle: Handle,
        /// Who.
        member: MemberId,
        /// The emoji; the session gives no event for a face that has none.
        emoji: String,
        /// Added or taken away.
        added: bool,
    },
    /// The session is on line for this group from now on; what it can do there is known. Comes before everything else, and
    /// again when events of the group were lost on their way to the portal: there is a gap then.
    Online {
        /// Whether [`super::Command::History`] can be asked; else the portal can only say that something may be missing.
        history: bool,
    },
    /// The session cannot hear or speak in this group; the text says why, for people.
    Offline(String),
    /// QQ takes nothing from the account at present: so long nothing is sent, whatever is said in the room.
    Paused(Duration),
    /// Events of this group were lost for good (the service's counter jumped); the number where it is known.
    Missed(Option<u64>),
}

/// How far back the answer to [`super::Command::History`] goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// To what was known: nothing is missing.
    Whole,
    /// As far as was wanted, as there is history, or as there was time for: asking again gives no more.
    Part,
    /// The service did not answer, or answered with an error: asking again may give more.
    Failed,
}

/// Every [`super::Command::History`] that a session took is answered within this, or the answer was lost.
pub const HISTORY_PATIENCE: Duration = Duration::from_secs(120);

/// Something about the account itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountEvent {
    /// The session's state changed.
    State(SessionState),
    /// What a later start needs to resume without a person; opaque, holds secrets. Store it, replacing the last.
    Saved(Vec<u8>),
    /// A private message, request or the like, for the admins to read. Already a sentence.
    ForAdmins(String),
}

/// How a session is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SessionState {
    /// Logging in or reading lists.
    #[default]
    Starting,
    /// Hears and speaks, as this QQ number.
    Online(crate::model::QqNumber),
    /// Works at getting back; why.
    Degraded(String),
    /// A person has to do something.
    NeedsOperator(Need),
}

/// What a person has to do for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// Scan this QR code with the phone's QQ: a PNG, and the text inside it where it could be read.
    ScanQr {
        /// The picture as the service sent it.
        png: Arc<[u8]>,
        /// Its content, to draw it in a terminal.
        text: Option<String>,
    },
    /// Type what this picture shows.
    Captcha {
        /// The picture as the service sent it (JPEG).
        picture: Arc<[u8]>,
    },
    /// Anything else; the sentence says what to do.
    Attention(String),
}

/// Where a session brings its events. Implemented by the gateway.
pub trait Inbox: Send + Sync + 'static {
    /// The mailbox of a group's portal, if the mapping has the group.
    fn group(&self, group: GroupNumber) -> Option<mpsc::Sender<GroupEvent>>;

    /// The groups that are mapped for this account: their numbers, and names for eras that tell no numbers.
    fn mapped(&self, account: &AccountName) -> Vec<(GroupNumber, Option<String>)>;

    /// The mailbox for events of the account.
    fn account(&self, account: &AccountName) -> mpsc::Sender<AccountEvent>;

    /// An event was not taken in time and is lost for the portal until the gap is closed: count it.
    fn behind(&self, event: &GroupEvent);
}

/// What became of an event that was brought to a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The portal has it.
    Taken,
    /// The group is not in the mapping: ignored.
    Unmapped,
    /// The portal did not take it in time, or is restarting.
    Behind,
}

/// Longest wait on one portal: longer would let one stuck room silence the account's other groups.
pub const PORTAL_PATIENCE: Duration = Duration::from_millis(500);

/// Brings one event to its portal, waiting at most [`PORTAL_PATIENCE`].
pub async fn deliver(inbox: &dyn Inbox, event: GroupEvent) -> Delivered {
    let Some(mailbox) = inbox.group(event.group) else {
        return Delivered::Unmapped;
    };
    match mailbox.send_timeout(event, PORTAL_PATIENCE).await {
        Ok(()) => Delivered::Taken,
        Err(mpsc::error::SendTimeoutError::Timeout(event) | mpsc::error::SendTimeoutError::Closed(event)) => {
            inbox.behind(&event);
            Delivered::Behind
        }
    }
}

/// When an event says nothing of its time.
pub fn event_time(secs: Option<i64>) -> Timestamp {
    secs.filter(|s| *s > 0)
        .map_or_else(Timestamp::now, Timestamp::from_secs)
}
