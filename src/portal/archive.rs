//! Archive queries: answered beside the order of the room, few at a time, after the room said that this person may ask.

use std::sync::Arc;

use jid::Jid;
use tokio::sync::Semaphore;

use super::Settings;
use crate::model::{Author, GroupNumber};
use crate::room::hosted::archive::{PageView, answer, ends, not_found, unreadable};
use crate::room::{ArchiveEnds, ArchiveQuery, With};
use crate::store::{PageError, PageQuery, PageWanted, RoomId, Store, StoreError};
use crate::xmpp::read::archive as read;
use crate::xmpp::render::Ids;
use crate::xmpp::{Link, Outgoing};

/// Queries of one room in work at once; a client asks one page after the other.
const AT_ONCE: usize = 4;

/// What is asked.
#[derive(Debug)]
pub(super) enum Question {
    /// A page.
    Page(Box<ArchiveQuery>),
    /// The first and the last row.
    Ends(ArchiveEnds),
}

/// The archive of one room.
pub(super) struct Archive {
    store: Store,
    room: RoomId,
    slots: Arc<Semaphore>,
}

impl Question {
    fn asker(&self) -> (&Jid, &str) {
        match self {
            Self::Page(asked) => (&asked.to, &asked.id),
            Self::Ends(asked) => (&asked.to, &asked.id),
        }
    }
}

impl Archive {
    /// For one room.
    pub(super) fn new(store: Store, room: RoomId) -> Self {
        Self {
            store,
            room,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Answers on the link, in a task of its own. The asker waits for one answer before the next question, so a question beyond
    /// [`AT_ONCE`] is refused like one that cannot be read.
    pub(super) fn ask(&self, question: Question, settings: &Settings, ids: &Ids, link: Option<&Link>) {
        let Some(link) = link.cloned() else { return };
        let ids = ids.clone();
        let (to, id) = question.asker();
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            link.try_post(vec![unreadable(&ids, to, id)]);
            return;
        };
        let (store, room, groups) = (self.store.clone(), self.room, settings.groups.clone());
        tokio::spawn(async move {
            let (to, id) = question.asker();
            let answer = match &question {
                Question::Page(asked) => page(&store, room, asked, &groups, &ids).await,
                Question::Ends(asked) => store.bounds(room).await.map(|bounds| vec![ends(&ids, asked, bounds)]),
            };
            let answer = answer.unwrap_or_else(|error| {
                tracing::warn!(room = %ids.room(), %error, "cannot read the archive");
                vec![unreadable(&ids, to, id)]
            });
            // The link may be gone by now; then the question is gone too.
            link.post(answer).await.ok();
            drop(slot);
        });
    }
}

async fn page(
    store: &Store,
    room: RoomId,
    asked: &ArchiveQuery,
    groups: &[GroupNumber],
    ids: &Ids,
) -> Result<Vec<Outgoing>, StoreError> {
    match store.page(room, in_words_of_the_store(asked, groups)).await {
        Ok(page) => {
            let view = PageView {
                rows: &page.rows,
                count: page.count,
                index: page.index,
                complete: page.complete,
            };
            Ok(answer(ids, asked, view))
        }
        Err(PageError::UnknownId(_)) => Ok(vec![not_found(ids, asked)]),
        Err(PageError::Store(error)) => Err(error),
    }
}

/// The query as the store takes it: the two do not know each other.
fn in_words_of_the_store(asked: &ArchiveQuery, groups: &[GroupNumber]) -> PageQuery {
    let read::Query {
        queryid: _,
        start,
        end,
        after_id,
        before_id,
        ids,
        with: _,
        page,
        max,
        flip: _,
    } = asked.query.clone();
    let with = match &asked.with {
        None => Vec::new(),
        Some(With::Occupant(who)) => vec![Author::Occupant(who.clone())],
        Some(With::Member(id)) => {
            let author = |group: &GroupNumber| Author::Member {
                group: *group,
                id: id.clone(),
            };
            groups.iter().map(author).collect()
        }
    };
    let page = match page {
        read::PageWanted::First => PageWanted::First,
        read::PageWanted::After(seq) => PageWanted::After(seq),
        read::PageWanted::Before(seq) => PageWanted::Before(seq),
        read::PageWanted::Last => PageWanted::Last,
    };
    PageQuery {
        start,
        end,
        after_id,
        before_id,
        ids,
        with,
        page,
        max,
    }
}
