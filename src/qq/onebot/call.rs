//! Calls over a link: each has an echo of its own and its own patience; answers come in any order.
//!
//! ```text
//!  call ──► register echo ──► queue ──► write ──► answer ──► ok / refused
//!               │               │         └──► time is over, socket lost ──► unanswered
//!               └───────────────┴──► time is over, socket lost: withdrawn ──► not written
//! ```
//!
//! A frame that nobody waits for any longer is withdrawn before the writer takes it, or it counts as written: see [`Outgoing`].
//! Late answers find nobody and are dropped. Runs in whoever calls.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::field;
use super::socket::Outgoing;

/// Calls that may be open at a time.
const OPEN_MAX: usize = 256;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CallError {
    /// The other side certainly did not get it.
    #[error("{0}")]
    NotWritten(&'static str),
    /// It may have got it, and may have done it.
    #[error("{0}")]
    Unanswered(&'static str),
    /// It said no.
    #[error("the OneBot program refused it: {text} (code {code})")]
    Refused {
        /// Its retcode.
        code: i64,
        /// Its words.
        text: String,
    },
}

impl CallError {
    /// The other side does not know the action (1404; Lagrange 404), and never will.
    pub(super) fn is_unknown_action(&self) -> bool {
        matches!(self, Self::Refused { code: 404 | 1404, .. })
    }
}

/// A frame that came in, sorted.
#[derive(Debug, PartialEq)]
pub(super) enum Sorted {
    /// An answer; it was handed to who waits for it.
    Answer,
    /// The other side refuses the access token.
    BadToken,
    Event(Value),
}

/// The calls of one link.
#[derive(Debug, Clone)]
pub(super) struct Calls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    out: mpsc::Sender<Outgoing>,
    open: Mutex<HashMap<String, oneshot::Sender<Value>>>,
    /// No answer of an earlier link is taken for one of this.
    prefix: u32,
    next: AtomicU64,
    lost: CancellationToken,
}

impl Calls {
    pub(super) fn new(out: mpsc::Sender<Outgoing>) -> Self {
        Self(Arc::new(Inner {
            out,
            open: Mutex::default(),
            prefix: rand::random(),
            next: AtomicU64::new(1),
            lost: CancellationToken::new(),
        }))
    }

    /// The link is gone: nobody waits any longer.
    pub(super) fn lose(&self) {
        self.0.lost.cancel();
    }

    /// Calls and waits for the `data` of the answer.
    pub(super) async fn call(&self, action: &str, params: Value, patience: Duration) -> Result<Value, CallError> {
        let echo = format!("{:08x}-{}", self.0.prefix, self.0.next.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        let frame = Outgoing::text(json!({"action": action, "params": params, "echo": echo}).to_string());
        let open = self.open_call(&echo, answer, frame.clone())?;
        let exchange = async {
            if self.0.out.send(frame).await.is_err() {
                return None;
            }
            answered.await.ok()
        };
        let answer = tokio::select! {
            answer = timeout(patience, exchange) => answer,
            () = self.0.lost.cancelled() => Ok(None),
        };
        match answer {
            Ok(Some(answer)) => read(answer),
            Ok(None) if open.frame.withdraw() => {
                Err(CallError::NotWritten("the connection to the OneBot program is gone"))
            }
            Ok(None) => Err(CallError::Unanswered("the connection broke before the answer came")),
            Err(_) if open.frame.withdraw() => Err(CallError::NotWritten("the OneBot program takes nothing")),
            Err(_) => Err(CallError::Unanswered("the OneBot program did not answer in time")),
        }
    }

    fn open_call(
        &self,
        echo: &str,
        answer: oneshot::Sender<Value>,
        frame: Outgoing,
    ) -> Result<OpenCall<'_>, CallError> {
        let mut open = self.open();
        if open.len() >= OPEN_MAX {
            return Err(CallError::NotWritten("too many calls wait for the OneBot program"));
        }
        open.insert(echo.to_owned(), answer);
        Ok(OpenCall {
            calls: self,
            echo: echo.to_owned(),
            frame,
        })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Value>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sorts a frame: answers go to who waits.
    pub(super) fn sort(&self, frame: Value) -> Sorted {
        let is_event = !frame["post_type"].is_null();
        let answers = !frame["echo"].is_null() || !frame["retcode"].is_null() || frame["status"].is_string();
        if is_event || !answers {
            return Sorted::Event(frame);
        }
        let code = field::signed(&frame["retcode"]);
        if frame["echo"].is_null() && matches!(code, Some(1401 | 1403)) {
            return Sorted::BadToken;
        }
        // A streamed answer goes on until the frame that says response or error.
        if frame["stream"] == "stream-action" && frame["data"]["type"] == "stream" {
            return Sorted::Answer;
        }
        let echo = match &frame["echo"] {
            Value::String(echo) => echo.clone(),
            other => other.to_string(),
        };
        let waiting = self.open().remove(&echo);
        if waiting.is_none_or(|waiting| waiting.send(frame).is_err()) {
            tracing::debug!(echo, "an answer came that nobody waits for");
        }
        Sorted::Answer
    }
}

/// Forgets the echo and withdraws the frame, also when the caller gave up in the middle.
struct OpenCall<'a> {
    calls: &'a Calls,
    echo: String,
    frame: Outgoing,
}

impl Drop for OpenCall<'_> {
    fn drop(&mut self) {
        self.calls.open().remove(&self.echo);
        self.frame.withdraw();
    }
}

fn read(mut answer: Value) -> Result<Value, CallError> {
    let code = field::signed(&answer["retcode"]);
    let status = field::text(&answer["status"]);
    if matches!(status, "ok" | "async") || (status != "failed" && matches!(code, Some(0 | 1))) {
        return Ok(answer["data"].take());
    }
    let words = ["wording", "message", "msg"].map(|key| field::text(&answer[key]));
    let text: String = words
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or("without a word")
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    Err(CallError::Refused {
        code: code.unwrap_or(-1),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    async fn written(frames: &mut mpsc::Receiver<Outgoing>) -> Value {
        let frame = frames.recv().await.expect("a frame");
        crate::qq::onebot::json::parse(&frame.take().expect("not withdrawn").to_string()).expect("JSON")
    }

    #[tokio::test]
    async fn answers_find_who_asked_in_any_order() {
        let (out, mut frames) = mpsc::channel(8);
        let calls = Calls::new(out);
        let first = calls.call("a", json!({}), PATIENCE);
        let second = calls.call("b", json!({}), PATIENCE);
        let answers = async {
            let (a, b) = (written(&mut frames).await, written(&mut frames).await);
            assert!(a["echo"].is_string());
            for (call, n) in [(&b, 2), (&a, 1), (&a, 3)] {
                let answer = json!({"status": "ok", "retcode": 0, "data": n, "echo": call["echo"]});
                assert_eq!(calls.sort(answer), Sorted::Answer);
            }
        };
        let (first, second, ()) = tokio::join!(first, second, answers);
        assert_eq!((first, second), (Ok(1.into()), Ok(2.into())));
        assert!(calls.open().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_written_is_told_from_what_was_not_answered() {
        let (out, mut frames) = mpsc::channel(8);
        let calls = Calls::new(out);
        let unheard = calls.call("a", json!({}), PATIENCE).await;
        assert!(matches!(unheard, Err(CallError::NotWritten(_))), "{unheard:?}");
        let withdrawn = frames.recv().await.expect("still in the queue");
        assert_eq!(
            withdrawn.take(),
            None,
            "it would reach QQ although its author was told that it did not"
        );
        let (silent, _) = tokio::join!(calls.call("b", json!({}), PATIENCE), written(&mut frames));
        assert!(matches!(silent, Err(CallError::Unanswered(_))), "{silent:?}");
        calls.lose();
        let lost = calls.call("c", json!({}), PATIENCE).await;
        assert!(matches!(lost, Err(CallError::NotWritten(_))), "{lost:?}");
    }

    #[tokio::test]
    async fn a_streamed_answer_is_awaited_to_its_end() {
        let (out, mut frames) = mpsc::channel(8);
        let calls = Calls::new(out);
        let answers = async {
            let echo = written(&mut frames).await["echo"].clone();
            for kind in ["stream", "stream", "response"] {
                let frame = json!({"status": "ok", "retcode": 0, "data": {"type": kind}, "echo": echo, "stream": "stream-action"});
                calls.sort(frame);
            }
        };
        let (answer, ()) = tokio::join!(calls.call("a", json!({}), PATIENCE), answers);
        assert_eq!(answer, Ok(json!({"type": "response"})));
    }

    #[test]
    fn frames_are_sorted() {
        let calls = Calls::new(mpsc::channel(1).0);
        let heartbeat = json!({"post_type": "meta_event", "status": {"online": true}, "echo": null});
        assert_eq!(calls.sort(heartbeat.clone()), Sorted::Event(heartbeat));
        let refusal = json!({"status": "failed", "retcode": 1403, "data": null, "echo": null});
        assert_eq!(calls.sort(refusal), Sorted::BadToken);
        assert_eq!(calls.sort(json!([1])), Sorted::Event(json!([1])));
    }
}
