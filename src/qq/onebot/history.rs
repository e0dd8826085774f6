//! What was said while nobody listened: pages of `get_group_msg_history`, backwards from the newest message until one that is
//! known, in the dialect's own way.
//!
//! ```text
//!    ┌─ a pause ◄─ tries left? ──► no: failed
//!    │                │ no answer, an error
//!    ▼                │
//!  newest page ──► answer ──► reaches what is known? ──► yes: whole
//!      ▲                         │ no
//!      │                         ▼
//!      └───── older ── count, age, pages, time left? ──► no: part
//! ```
//!
//! The time for one history begins when it has its turn. Runs in a task of its own for each question.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::call::CallError;
use super::dialect::{Dialect, Paging, seq_of, time_of};
use super::event::{self, Heard};
use super::field;
use super::session::Session;
use crate::model::{EventId, GroupNumber, Handle, Message, QqNumber, Timestamp};
use crate::qq::{Act, Extent, GroupEvent, Known};

/// Messages that are asked for at a time; `LLBot` fetches 30 from QQ's server.
const PAGE: usize = 30;
const PAGES_MAX: usize = 40;
/// A page is asked for so often, with a pause between.
const TRIES: usize = 3;
/// For a turn, when many groups want their history. Together with the pages and what follows it is within
/// [`HISTORY_PATIENCE`](crate::qq::event::HISTORY_PATIENCE).
const TURN: Duration = Duration::from_secs(60);
/// Then, for forwarded records in it.
const RECORDS: Duration = Duration::from_secs(5);
/// QQ's clock may be so much behind ours.
const CLOCKS: Duration = Duration::from_secs(5);
/// The portal waits for the answer, so its mailbox empties.
const DELIVERY: Duration = Duration::from_secs(10);

impl Session {
    /// Answers a wish for history, always.
    pub(super) async fn backfill(self: &Arc<Self>, group: GroupNumber, after: &Known, count: usize, since: Timestamp) {
        let mut gap = Gap::new(after, count, since);
        let extent = match timeout(TURN, self.histories.acquire()).await {
            Ok(_turn) => match timeout(self.settings.pace.history, self.fill(group, &mut gap)).await {
                Ok(extent) => extent,
                // A page that keeps failing is no bound; many pages are.
                Err(_) if gap.failing || gap.oldest.is_none() => Extent::Failed,
                Err(_) => Extent::Part,
            },
            Err(_) => Extent::Failed,
        };
        let (heard, extent) = gap.close(extent);
        let mut messages: Vec<Message> = heard.into_iter().filter_map(|heard| self.message(heard)).collect();
        let records = Instant::now() + RECORDS;
        for message in &mut messages {
            timeout_at(records, self.fetch_records(&mut message.parts)).await.ok();
        }
        tracing::info!(account = %self.settings.name, %group, count = messages.len(), ?extent, "history");
        let Some(mailbox) = self.inbox.group(group) else { return };
        let event = GroupEvent {
            account: self.settings.name.clone(),
            group,
            act: Act::Backfill { messages, extent },
        };
        if mailbox.send_timeout(event, DELIVERY).await.is_err() {
            tracing::warn!(account = %self.settings.name, %group, "a portal asked for history and did not take it");
        }
    }

    /// Reads pages into the gap.
    async fn fill(&self, group: GroupNumber, gap: &mut Gap) -> Extent {
        let (dialect, own) = {
            let roster = self.roster();
            (roster.dialect, roster.own)
        };
        let mut older_first = true;
        for page in 0..PAGES_MAX {
            let Some(params) = params(dialect, group, gap.oldest.as_ref(), older_first) else {
                return Extent::Part;
            };
            let heard = match self.page(group, params, gap).await {
                Ok(data) => read(&data, own, group),
                Err(error) if page == 0 && says_empty(&error) => Vec::new(),
                Err(error) => {
                    tracing::warn!(account = %self.settings.name, %group, %error, "history was not read");
                    let never = error.is_unknown_action();
                    return if never { Extent::Part } else { Extent::Failed };
                }
            };
            match gap.take(heard, dialect) {
                Page::Reached => return Extent::Whole,
                Page::More => {}
                // Versions of NapCat do not agree on what the direction means (NapCatQQ#441).
                Page::NothingNew if page == 1 && dialect.paging == Paging::MessageIdReversed => older_first = false,
                // All that there is, and nothing was known before.
                Page::NothingNew if gap.known.event.is_none() => return Extent::Whole,
                Page::NothingNew | Page::Enough => return Extent::Part,
            }
        }
        Extent::Part
    }

    /// Asks for a page, each time over the link that is up.
    async fn page(&self, group: GroupNumber, params: Value, gap: &mut Gap) -> Result<Value, CallError> {
        gap.failing = false;
        for _ in 1..TRIES {
            match self.ask("get_group_msg_history", params.clone()).await {
                Err(error) if !error.is_unknown_action() && !says_empty(&error) => {
                    tracing::info!(account = %self.settings.name, %group, %error, "a page of history did not come, asking again");
                    gap.failing = true;
                    sleep(self.settings.pace.retry_page).await;
                }
                answer => return answer,
            }
        }
        self.ask("get_group_msg_history", params).await
    }
}

/// Whether an error only says that a history has nothing in it: `NapCat` answers so (消息…不存在).
pub(super) fn says_empty(error: &CallError) -> bool {
    matches!(error, CallError::Refused { text, .. } if text.contains("消息") && text.contains("不存在"))
}

/// The messages of an answer that are of this group, in whatever order.
pub(super) fn read(data: &Value, own: QqNumber, group: GroupNumber) -> Vec<Heard> {
    let list = if data.is_array() { data } else { &data["messages"] };
    let items = field::items(list).iter();
    items
        .filter_map(|item| event::heard(item, Some(own), Some(group)))
        .filter(|heard| heard.group == group)
        .collect()
}

/// How the next page is asked for; nothing when there is no way to.
fn params(dialect: &Dialect, group: GroupNumber, oldest: Option<&Mark>, older_first: bool) -> Option<Value> {
    let mut params = json!({"group_id": group.0, "count": PAGE});
    let Some(oldest) = oldest else { return Some(params) };
    match dialect.paging {
        Paging::MessageIdReversed => {
            params["message_seq"] = super::json::id(&oldest.handle.0);
            // Both spellings were in use.
            params["reverse_order"] = older_first.into();
            params["reverseOrder"] = older_first.into();
        }
        Paging::EndsAtSeq => params["message_seq"] = oldest.seq?.into(),
        Paging::EndsAtMessageId => params["message_id"] = super::json::id(&oldest.handle.0),
        Paging::NewestOnly => return None,
    }
    Some(params)
}

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    seq: Option<u64>,
    time: Timestamp,
    handle: Handle,
}

/// What a page brought.
#[derive(Debug, PartialEq, Eq)]
enum Page {
    /// What is known.
    Reached,
    /// More than is wanted, or older than is wanted.
    Enough,
    /// Older messages than before.
    More,
    NothingNew,
}

/// The messages between what is known and now.
struct Gap {
    known: Known,
    known_seq: Option<u64>,
    /// What was said before this second is known.
    known_from: i64,
    count: usize,
    since: Timestamp,
    /// Oldest first.
    found: VecDeque<(Mark, Heard)>,
    seen: HashSet<EventId>,
    oldest: Option<Mark>,
    /// Some were left out, because they are too many or too old.
    cut: bool,
    /// The page that is asked for did not come so far.
    failing: bool,
}

impl Gap {
    fn new(known: &Known, count: usize, since: Timestamp) -> Self {
        // Without QQ's own time the known one may be an own echo: then its time is that of our clock.
        let known_from = match &known.event {
            Some(event) => time_of(event).unwrap_or_else(|| known.time.minus(CLOCKS)),
            None => known.time,
        };
        Self {
            known_from: second(known_from),
            known_seq: known.event.as_ref().and_then(seq_of),
            known: known.clone(),
            count,
            since,
            found: VecDeque::new(),
            seen: HashSet::new(),
            oldest: None,
            cut: false,
            failing: false,
        }
    }

    fn take(&mut self, page: Vec<Heard>, dialect: &Dialect) -> Page {
        let mut reached = false;
        let mut new = Vec::new();
        for heard in page {
            let id = dialect.event_id(&heard);
            if !self.seen.insert(id.clone()) {
                continue;
            }
            let mark = Mark {
                seq: dialect.seq(&heard),
                time: heard.time.unwrap_or_default(),
                handle: heard.handle.clone(),
            };
            let place = self.place(&id, &mark);
            reached |= matches!(place, Place::Known | Place::Next);
            new.push((mark, heard, place));
        }
        in_order(&mut new, |(mark, ..)| mark);
        // Within a second the page's own order counts, and what an older page brings stands before.
        let first = new.first().map(|(mark, ..)| mark);
        // What was said meanwhile is new, but no older page.
        let older = first.filter(|mark| self.oldest.as_ref().is_none_or(|oldest| mark.time <= oldest.time));
        let nothing = older.is_none();
        if let Some(mark) = older {
            self.oldest = Some(mark.clone());
        }
        for (mark, heard, place) in new.into_iter().rev() {
            match place {
                Place::Known => {}
                Place::Behind if mark.time < self.since => self.cut = true,
                Place::Next | Place::Behind => self.found.push_front((mark, heard)),
            }
        }
        if reached {
            Page::Reached
        } else if self.cut || self.found.len() > self.count {
            Page::Enough
        } else if nothing {
            Page::NothingNew
        } else {
            Page::More
        }
    }

    fn place(&self, id: &EventId, mark: &Mark) -> Place {
        if self.known.event.as_ref() == Some(id) {
            return Place::Known;
        }
        if let (Some(known), Some(seq)) = (self.known_seq, mark.seq) {
            return match seq {
                seq if seq <= known => Place::Known,
                seq if seq == known + 1 => Place::Next,
                _ => Place::Behind,
            };
        }
        let same_handle = self.known.handle.as_ref() == Some(&mark.handle);
        let near = mark.time <= self.known.time.plus(CLOCKS);
        // Times are whole seconds, so those of the same one may be newer.
        if second(mark.time) < self.known_from || (same_handle && near) {
            Place::Known
        } else {
            Place::Behind
        }
    }

    /// The newest of what was found, oldest first; and how far back that goes.
    fn close(self, extent: Extent) -> (Vec<Heard>, Extent) {
        let mut found = Vec::from(self.found);
        in_order(&mut found, |(mark, _)| mark);
        let too_many = found.len().saturating_sub(self.count);
        let newest = found.drain(too_many..).map(|(_, heard)| heard).collect();
        let extent = match extent {
            Extent::Whole if too_many > 0 || self.cut => Extent::Part,
            extent => extent,
        };
        (newest, extent)
    }
}

/// QQ's times are whole seconds.
fn second(time: Timestamp) -> i64 {
    time.0.div_euclid(1000)
}

/// Where a message of a page lies.
enum Place {
    /// It is what is known, or older.
    Known,
    /// The first behind what is known.
    Next,
    Behind,
}

/// Sorts by QQ's numbers where all have one, else by the time; what is equal stays as it came. A page may come the wrong way
/// round: then its times fall.
fn in_order<T>(messages: &mut [T], mark: impl Fn(&T) -> &Mark) {
    let time = |message: &T| mark(message).time;
    if messages.first().map(time) > messages.last().map(time) {
        messages.reverse();
    }
    if messages.iter().all(|message| mark(message).seq.is_some()) {
        messages.sort_by_key(|message| mark(message).seq);
    } else {
        messages.sort_by_key(time);
    }
}

#[cfg(test)]
mod tests;
