//! Our own requests (iq get and set) and the answers to them.
//!
//! Owned by the gateway, shared by whoever asks; the inbox hands it every result and error, synchronously. An answer counts only when
//! id and sender are those of the request, so nobody can answer for another; ids cannot be guessed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jid::Jid;
use minidom::Element;
use tokio::sync::oneshot;
use tokio::time::timeout;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::stanza_error::StanzaError;

use super::{Link, LinkLost, Outgoing};

/// More requests than this are not under way at once.
const MOST: usize = 4096;

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum IqError {
    /// The answer is an error.
    #[error("refused: {:?}", .0.defined_condition)]
    Refused(Box<StanzaError>),
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection was lost before the request was written.
    #[error(transparent)]
    Lost(#[from] LinkLost),
    /// Too many requests are under way; try later.
    #[error("too many requests are under way")]
    TooMany,
    /// It has no recipient, or is an answer itself. A fault of ours.
    #[error("not a request")]
    NotARequest,
}

#[derive(Debug)]
struct Pending {
    from: Jid,
    answer: oneshot::Sender<Iq>,
}

/// The requests under way. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<HashMap<String, Pending>>>);

impl Requests {
    /// Sends `iq` (its id is overwritten; `from` and `to` are needed) and waits for the payload of its result.
    pub async fn request(&self, link: &Link, mut iq: Iq, limit: Duration) -> Result<Option<Element>, IqError> {
        let to = iq.to().cloned().ok_or(IqError::NotARequest)?;
        if !matches!(iq, Iq::Get { .. } | Iq::Set { .. }) {
            return Err(IqError::NotARequest);
        }
        let id = format!("{:032x}", rand::random::<u128>());
        iq.id_mut().clone_from(&id);
        let (answer, answered) = oneshot::channel();
        let _entry = self.enter(id, to.clone(), answer)?;
        let asked = async {
            link.post(vec![Outgoing::one(iq, to)]).await?;
            answered.await.map_err(|_| IqError::Timeout)
        };
        match timeout(limit, asked).await.map_err(|_| IqError::Timeout)?? {
            Iq::Result { payload, .. } => Ok(payload),
            Iq::Error { error, .. } => Err(IqError::Refused(Box::new(error))),
            Iq::Get { .. } | Iq::Set { .. } => Err(IqError::NotARequest),
        }
    }

    /// Gives a result or error to whoever asked; false when nobody did.
    pub fn answer(&self, from: &Jid, iq: Iq) -> bool {
        if !matches!(iq, Iq::Result { .. } | Iq::Error { .. }) {
            return false;
        }
        let mut table = self.table();
        if table.get(iq.id()).is_none_or(|pending| pending.from != *from) {
            return false;
        }
        match table.remove(iq.id()) {
            Some(pending) => pending.answer.send(iq).is_ok(),
            None => false,
        }
    }

    fn enter(&self, id: String, from: Jid, answer: oneshot::Sender<Iq>) -> Result<Entry, IqError> {
        let mut table = self.table();
        if table.len() >= MOST {
            return Err(IqError::TooMany);
        }
        table.insert(id.clone(), Pending { from, answer });
        Ok(Entry {
            requests: self.clone(),
            id,
        })
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Pending>> {
        // Every change of the table is one call: a panic elsewhere leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves the table with whoever waits.
struct Entry {
    requests: Requests,
    id: String,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.requests.table().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xmpp_parsers::ping::Ping;
    use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType};

    fn jid(text: &str) -> Jid {
        text.parse().unwrap()
    }

    async fn asked(
        limit: Duration,
        answers: impl Fn(&Requests, String),
    ) -> (Requests, Result<Option<Element>, IqError>) {
        let (link, mut batches) = Link::new("qq.ex".parse().unwrap(), 4);
        let requests = Requests::default();
        let ping = Iq::from_get("", Ping)
            .with_from(jid("qq.ex"))
            .with_to(jid("ann@ex.org/p"));
        let asking = requests.request(&link, ping, limit);
        let answering = async {
            let batch = batches.recv().await.unwrap();
            let tokio_xmpp::Stanza::Iq(iq) = &batch.stanzas[0].stanza else {
                panic!("an iq")
            };
            answers(&requests, iq.id().to_owned());
        };
        let (result, ()) = tokio::join!(asking, answering);
        (requests, result)
    }

    #[tokio::test]
    async fn an_answer_is_known_by_id_and_sender() {
        let (requests, result) = asked(Duration::from_secs(30), |requests, id| {
            let result = || Iq::empty_result(jid("qq.ex"), id.clone());
            assert!(!requests.answer(&jid("eve@ex.org/p"), result()));
            assert!(!requests.answer(&jid("ann@ex.org/p"), Iq::empty_result(jid("qq.ex"), "1")));
            assert!(requests.answer(&jid("ann@ex.org/p"), result()));
            assert!(!requests.answer(&jid("ann@ex.org/p"), result()));
        })
        .await;
        assert!(matches!(result, Ok(None)));
        assert!(requests.table().is_empty());
    }

    #[tokio::test]
    async fn refusals_and_silence() {
        let (_, result) = asked(Duration::from_secs(30), |requests, id| {
            let error = StanzaError::new(ErrorType::Cancel, DefinedCondition::ServiceUnavailable, "en", "");
            assert!(requests.answer(&jid("ann@ex.org/p"), Iq::from_error(id, error)));
        })
        .await;
        assert!(matches!(result, Err(IqError::Refused(_))));
        let (requests, result) = asked(Duration::from_millis(20), |_, _| ()).await;
        assert!(matches!(result, Err(IqError::Timeout)));
        assert!(requests.table().is_empty());
    }
}
