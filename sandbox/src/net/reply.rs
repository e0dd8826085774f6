//! What goes back to a client.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};
use hyper::body::{Frame, SizeHint};
use serde::Serialize;
use serde_json::json;
use tokio::time::Sleep;

use crate::store::StoreError;

/// An answer in the making.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
    unread: Option<Unread>,
    course: Course,
}

/// How the body gets to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// Whole.
    Whole,
    /// Nothing is written: the connection is closed.
    Closed,
    /// Half of it, then the connection is closed.
    Cut { chunked: bool },
    /// In small pieces, for so long.
    Dripping(Duration),
}

/// In how many pieces a body drips.
const DROPS: usize = 10;

/// A fault wanted no answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on demand")]
pub(crate) struct Closed;

impl Reply {
    /// A body of a content type, with status 200.
    pub(crate) fn new(content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            headers: vec![(CONTENT_TYPE, content_type.to_owned())],
            body: body.into(),
            unread: None,
            course: Course::Whole,
        }
    }

    /// A bare status.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            unread: None,
            course: Course::Whole,
        }
    }

    /// JSON of the control API.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::new("application/json; charset=utf-8", body).with(CACHE_CONTROL, "no-store")
    }

    /// An error of the control API.
    pub(crate) fn error(status: u16, sentence: impl Into<String>) -> Self {
        Self {
            status,
            ..Self::json(&json!({ "error": sentence.into() }))
        }
    }

    /// A redirect.
    pub(crate) fn redirect(url: &str) -> Self {
        Self::status(302).with(LOCATION, url)
    }

    /// The same with a body.
    pub(crate) fn saying(self, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..self
        }
    }

    /// The same with another status.
    pub(crate) fn coded(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same with other bytes for a character of the body.
    pub(crate) fn replacing(self, place: char, with: &[u8]) -> Self {
        let mut coded = [0; 4];
        let coded = place.encode_utf8(&mut coded).as_bytes();
        let (mut body, mut rest) = (Vec::with_capacity(self.body.len()), self.body.as_ref());
        while let Some(first) = rest.first() {
            if let Some(behind) = rest.strip_prefix(coded) {
                body.extend_from_slice(with);
                rest = behind;
            } else {
                body.push(*first);
                rest = &rest[1..];
            }
        }
        Self {
            body: body.into(),
            ..self
        }
    }

    /// The same with a header.
    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with cookies.
    pub(crate) fn cookies(mut self, cookies: impl IntoIterator<Item = String>) -> Self {
        self.headers
            .extend(cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
        self
    }

    /// The same, with something to do when the connection is gone before the body could be written to it.
    pub(crate) fn or_else(self, unread: impl FnOnce() + Send + 'static) -> Self {
        Self {
            unread: Some(Unread(Some(Box::new(unread)))),
            ..self
        }
    }

    /// No answer: the connection is closed without a byte.
    pub(crate) fn closed() -> Self {
        Self {
            course: Course::Closed,
            ..Self::status(200)
        }
    }

    /// The same, of which only half gets through: nobody receives it.
    pub(crate) fn cut(self, chunked: bool) -> Self {
        Self {
            course: Course::Cut { chunked },
            unread: None,
            ..self
        }
    }

    /// The same in small pieces, for so long.
    pub(crate) fn dripping(self, time: Duration) -> Self {
        Self {
            course: Course::Dripping(time),
            ..self
        }
    }

    /// The same of another content type.
    pub(crate) fn typed(mut self, content_type: &str) -> Self {
        self.headers.retain(|(name, _)| *name != CONTENT_TYPE);
        self.with(CONTENT_TYPE, content_type)
    }

    /// The body.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The answer as hyper wants it, or no answer at all.
    pub(super) fn into_response(self) -> Result<Response<Body>, Closed> {
        let body = self.body;
        let half = body.slice(..body.len() / 2);
        let (pieces, length, pause) = match self.course {
            Course::Closed => return Err(Closed),
            Course::Whole => (vec![Ok(body.clone())], Some(body.len()), Duration::ZERO),
            Course::Cut { chunked } => {
                let end = io::Error::new(io::ErrorKind::ConnectionAborted, Closed);
                (
                    vec![Ok(half), Err(end)],
                    (!chunked).then_some(body.len()),
                    Duration::from_millis(5),
                )
            }
            Course::Dripping(time) => {
                let size = body.len().div_ceil(DROPS).max(1);
                let piece = |start: usize| Ok(body.slice(start..body.len().min(start + size)));
                let pieces: Vec<_> = (0..body.len()).step_by(size).map(piece).collect();
                let drops = u32::try_from(pieces.len().max(1)).unwrap_or(1);
                (pieces, Some(body.len()), time / drops)
            }
        };
        let mut response = Response::new(Body::new(Written {
            pieces: pieces
                .into_iter()
                .filter(|piece| piece.as_ref().is_ok_and(|data| !data.is_empty()) || piece.is_err())
                .collect(),
            length,
            pause,
            resting: None,
            unread: self.unread,
        }));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                response.headers_mut().append(name, value);
            }
        }
        Ok(response)
    }
}

impl From<StoreError> for Reply {
    fn from(error: StoreError) -> Self {
        let status = if matches!(error, StoreError::Stopped) { 503 } else { 500 };
        Self::error(status, error.to_string())
    }
}

/// Done when it is dropped, unless the body was taken for writing.
struct Unread(Option<Box<dyn FnOnce() + Send>>);

impl Drop for Unread {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell();
        }
    }
}

/// A body that knows whether it was taken for writing, and how fast it may go.
struct Written {
    pieces: VecDeque<io::Result<Bytes>>,
    /// Of the whole, if it is told.
    length: Option<usize>,
    /// Before every piece but the first.
    pause: Duration,
    resting: Option<Pin<Box<Sleep>>>,
    unread: Option<Unread>,
}

impl hyper::body::Body for Written {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(unread) = &mut self.unread {
            unread.0 = None;
        }
        if let Some(resting) = &mut self.resting {
            std::task::ready!(resting.as_mut().poll(cx));
            self.resting = None;
        }
        let next = self.pieces.pop_front();
        if !self.pieces.is_empty() && !self.pause.is_zero() {
            self.resting = Some(Box::pin(tokio::time::sleep(self.pause)));
        }
        Poll::Ready(next.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) => SizeHint::with_exact(length as u64),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn watched() -> (Reply, Arc<AtomicBool>) {
        let told = Arc::new(AtomicBool::new(false));
        let tell = told.clone();
        (
            Reply::new("text/plain", "x").or_else(move || tell.store(true, Ordering::SeqCst)),
            told,
        )
    }

    #[tokio::test]
    async fn only_what_was_not_taken_for_writing_is_mourned() {
        let (reply, told) = watched();
        drop(reply.into_response().ok());
        assert!(told.load(Ordering::SeqCst));
        let (reply, told) = watched();
        let body = axum::body::to_bytes(reply.into_response().unwrap().into_body(), 100)
            .await
            .unwrap();
        assert_eq!(body, "x");
        assert!(!told.load(Ordering::SeqCst));
    }
}
