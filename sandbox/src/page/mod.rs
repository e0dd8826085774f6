//! The page at `/`, on which a person is a member of a group. It speaks to the control API and knows nothing else.

use axum::http::Method;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};

use crate::net::{Reply, Request};

const HTML: &str = include_str!("index.html");

/// Gives out the page.
pub(crate) fn serve(request: &Request) -> Reply {
    if request.method != Method::GET && request.method != Method::HEAD {
        return Reply::error(405, "the page is read with GET");
    }
    Reply::new("text/html; charset=utf-8", HTML).with(CACHE_CONTROL, "no-cache").with(
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; connect-src 'self'; img-src 'self' blob: data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
    )
}
