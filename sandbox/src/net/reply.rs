//! What goes back to a client.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};
use hyper::body::{Frame, SizeHint};
use serde::Serialize;
use serde_json::json;

use crate::store::StoreError;

/// An answer in the making.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
    unread: Option<Unread>,
}

impl Reply {
    /// A body of a content type, with status 200.
    pub(crate) fn new(content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            headers: vec![(CONTENT_TYPE, content_type.to_owned())],
            body: body.into(),
            unread: None,
        }
    }

    /// A bare status.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            unread: None,
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

    /// The answer as hyper wants it.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::new(Written {
            data: Some(self.body),
            unread: self.unread,
        }));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                response.headers_mut().append(name, value);
            }
        }
        response
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

/// A body that knows whether it was taken for writing.
struct Written {
    data: Option<Bytes>,
    unread: Option<Unread>,
}

impl hyper::body::Body for Written {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(unread) = &mut self.unread {
            unread.0 = None;
        }
        Poll::Ready(
            self.data
                .take()
                .filter(|data| !data.is_empty())
                .map(|data| Ok(Frame::data(data))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
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
        drop(reply.into_response());
        assert!(told.load(Ordering::SeqCst));
        let (reply, told) = watched();
        let body = axum::body::to_bytes(reply.into_response().into_body(), 100)
            .await
            .unwrap();
        assert_eq!(body, "x");
        assert!(!told.load(Ordering::SeqCst));
    }
}
