//! Arm two: shows what is committed, in order, while the writer has room.

use std::collections::{HashMap, VecDeque};

use anyhow::Context;

use super::backlog::{Extra, Next};
use super::draft::NewSubject;
use super::flight::{Batch, MAX_ROWS, Noted, Progress};
use super::turn::Portal;
use crate::metrics::RoomLabel;
use crate::model::{Called, Row, Seq, Timestamp};
use crate::room::{Change, HistoryWanted, ShownAs, Step};
use crate::store::{Confirmed, HistoryQuery, Shown, StoreError};
use crate::xmpp::{LinkLost, Outgoing, Permit};

/// Stanzas rendered for one batch, about: a batch ends with the row that passes it. Those for many recipients count for each.
const BATCH: usize = 256;
/// Rows read from the store at once.
const PAGE: usize = 256;
/// A session that lacks more rows than this is removed and catches up by joining.
pub(super) const MAX_MISSED: usize = 500;
/// A row shown this long after its time carries `<delay/>`.
const LATE: std::time::Duration = std::time::Duration::from_secs(300);
/// Answers that wait for the writer; a flood of questions loses the rest.
const MAX_REPLIES: usize = 2048;

/// Answers and refusals: beside the order of the room.
#[derive(Debug, Default)]
pub(super) struct Replies(VecDeque<Outgoing>);

impl Replies {
    /// More of them.
    pub(super) fn push(&mut self, replies: Vec<Outgoing>) {
        let free = MAX_REPLIES.saturating_sub(self.0.len());
        if replies.len() > free {
            tracing::warn!(
                dropped = replies.len() - free,
                "answers were dropped: the XMPP server takes them too slowly"
            );
        }
        self.0.extend(replies.into_iter().take(free));
    }

    /// What a new connection begins with: as much as there is.
    pub(super) fn push_all(&mut self, replies: Vec<Outgoing>) {
        self.0.extend(replies);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// They were for a stream that is gone.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn take(&mut self) -> Vec<Outgoing> {
        self.0.drain(..).collect()
    }
}

/// What one batch is made of.
#[derive(Debug, Default)]
struct Stanzas {
    stanzas: Vec<Outgoing>,
    /// Each recipient counts.
    count: usize,
}

impl Stanzas {
    fn extend(&mut self, more: Vec<Outgoing>) {
        self.count += more.iter().map(|outgoing| outgoing.to.len()).sum::<usize>();
        self.stanzas.extend(more);
    }
}

impl Portal {
    /// Whether the writer is wanted.
    pub(super) fn has_something_to_show(&self) -> bool {
        (!self.replies.0.is_empty() && !self.committing)
            || self.untold.waits()
            || (!self.backlog.is_empty() && self.flight.room_for(self.room.sessions()) > 0 && self.room.capacity() > 0)
    }

    /// Renders and writes one batch.
    pub(super) async fn reflect(&mut self, permit: Permit) -> anyhow::Result<()> {
        let (errors, told) = self.untold.take();
        let mut batch = Stanzas::default();
        // An answer may say that something was done: not before it is.
        if !self.committing {
            batch.extend(self.replies.take());
        }
        batch.extend(errors);
        let beside = batch.count;
        let mut subject = None;
        let mut confirmed = Confirmed::default();
        let mut rows = 0;
        let now = Timestamp::now();
        // Half of what may be under way, so that the server has work while the barrier behind it comes back.
        let room_for = self.flight.room_for(self.room.sessions()).min(MAX_ROWS / 2);
        while batch.count < BATCH && rows < room_for && self.room.capacity() > 0 {
            match self.backlog.next() {
                Next::Row(row) => {
                    let late = row.seq <= self.late_upto || now.since(row.time) > LATE;
                    let names = self.names_for(&row).await?;
                    batch.extend(self.show(Step::Row { row: &row, late }, names));
                    if self.room.acknowledges() {
                        continue;
                    }
                    confirmed.seq = Some(row.seq);
                    rows += 1;
                }
                Next::Extra(Extra::RowTo(row, session)) => {
                    let late = now.since(row.time) > LATE;
                    let step = Step::RowTo {
                        row: &row,
                        session: &session,
                        late,
                    };
                    batch.extend(self.show(step, HashMap::new()));
                }
                Next::Extra(Extra::Ephemeral(spoken)) => {
                    batch.extend(self.show(Step::Ephemeral(&spoken), HashMap::new()));
                }
                Next::Extra(Extra::Subject(NewSubject {
                    by: _,
                    nick,
                    id,
                    text,
                    time,
                })) => {
                    subject = Some(time);
                    let step = Step::Subject {
                        nick: &nick,
                        text: &text,
                        id: id.as_deref(),
                        time,
                    };
                    batch.extend(self.show(step, HashMap::new()));
                }
                Next::Extra(Extra::Change(change)) => {
                    let history = self.history_for(&change).await?;
                    if let Change::Join { session, .. } = &change {
                        confirmed.greeted.push(session.clone());
                    }
                    let cut = self.backlog.sent();
                    let step = Step::Change {
                        change: &change,
                        history: &history,
                        cut,
                    };
                    batch.extend(self.show(step, HashMap::new()));
                }
                Next::ReadFrom(seq) => {
                    let page = self.wiring.store.rows_after(self.id, seq, PAGE).await?;
                    self.backlog.refill(page);
                }
                Next::Nothing => break,
            }
        }
        confirmed.shown = self
            .room
            .shown_changes()
            .into_iter()
            .map(|(id, shown)| (id, shown.map(to_store)))
            .collect();
        self.count_shown(batch.count);
        self.flight.push(Batch {
            receipt: permit.write(batch.stanzas),
            confirmed,
            rows,
            stanzas: batch.count - beside,
            told,
            subject,
        });
        Ok(())
    }

    fn count_shown(&self, stanzas: usize) {
        let metrics = &self.wiring.metrics;
        let room = RoomLabel {
            room: self.settings.room.jid().to_string(),
        };
        metrics.stanzas.get_or_create(&room).inc_by(stanzas as u64);
        let sessions = i64::try_from(self.room.sessions()).unwrap_or(i64::MAX);
        metrics.sessions.get_or_create(&room).set(sessions);
    }

    fn show(&mut self, step: Step<'_>, names: HashMap<Seq, Called>) -> Vec<Outgoing> {
        self.room.reflect(step, names, self.clock.now())
    }

    /// What somebody else's room calls the rows that a row is about.
    async fn names_for(&self, row: &Row) -> Result<HashMap<Seq, Called>, StoreError> {
        let rows = self.room.about(row);
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        self.wiring.store.stanza_ids(self.id, rows).await
    }

    async fn history_for(&self, change: &Change) -> Result<Vec<Row>, StoreError> {
        let Change::Join { history, .. } = change else {
            return Ok(Vec::new());
        };
        let HistoryWanted {
            maxchars,
            maxstanzas: max,
            since,
        } = *history;
        if max == 0 || maxchars == Some(0) {
            return Ok(Vec::new());
        }
        self.wiring
            .store
            .history(
                self.id,
                HistoryQuery {
                    upto: self.backlog.sent(),
                    max,
                    since,
                },
            )
            .await
    }

    /// A barrier came back, or the stream was lost (then a new link will be announced, and everything starts from the store).
    pub(super) async fn progressed(&mut self, progress: Progress) -> anyhow::Result<()> {
        match progress {
            Progress::Landed(Ok(batch)) => self.flight.note(batch, &self.wiring.store, self.id),
            Progress::Landed(Err(LinkLost)) => self.unlink(),
            Progress::Noted(noted) => self.noted(noted).await?,
        }
        Ok(())
    }

    /// The same while a commit is under way: does what needs no more than this moment. Else it is left for the loop, and false.
    pub(super) fn note(&mut self, progress: Progress) -> bool {
        match progress {
            Progress::Landed(Ok(batch)) => self.flight.note(batch, &self.wiring.store, self.id),
            Progress::Noted(Ok(noted)) if noted.told.is_empty() => self.marked(&noted),
            other => {
                self.flight.put_back(other);
                return false;
            }
        }
        true
    }

    /// The marks of what landed have moved; what landed meanwhile is next.
    fn marked(&mut self, noted: &Noted) {
        self.flight.note_next(&self.wiring.store, self.id);
        if noted.subject.is_some() && self.unshown_subject.as_ref().map(|subject| subject.time) == noted.subject {
            self.unshown_subject = None;
        }
    }

    /// The store knows of what landed.
    pub(super) async fn noted(&mut self, noted: Result<Noted, StoreError>) -> anyhow::Result<()> {
        let noted = noted.context("cannot store what was shown")?;
        self.marked(&noted);
        self.untold.landed(&noted.told);
        for told in noted.told.iter().filter(|told| told.first) {
            self.notices.not_sent(&told.why);
        }
        if !noted.told.is_empty() && self.untold.is_due() {
            self.tell_authors().await?;
        }
        Ok(())
    }
}

fn to_store(shown: ShownAs) -> Shown {
    Shown {
        nick: shown.nick,
        role: shown.role,
        affiliation: shown.affiliation,
        digest: shown.digest,
    }
}
