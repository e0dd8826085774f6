//! The login page of an account: how it is, the picture that a person has to see, the answer to a captcha, a new code.
//!
//! Whoever asks shows the key of this run of the gateway; without it nothing is read and nothing is told.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::time::timeout;

use super::html::{self, Ask, View};
use crate::operator::{Desk, LoginPage, Open};

/// Longest form that is read, in bytes.
const MAX_FORM: usize = 1024;
/// Longest time for a request, the reading of its form included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nothing from elsewhere, nothing kept, nothing told to other places; the address holds the key.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// The pages below `/login`.
pub(super) fn router(desk: Desk, page: LoginPage) -> Router {
    Router::new()
        .route("/login/{account}", get(show).post(act))
        .route("/login/{account}/picture", get(picture))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn_with_state(page, guard))
        .with_state(desk)
}

#[derive(Debug, Deserialize)]
struct Key {
    key: String,
}

/// Looks at the key before anything else, bounds the time, and says to browsers what they may do.
async fn guard(State(page): State<LoginPage>, request: Request, next: Next) -> Response {
    let key = Query::<Key>::try_from_uri(request.uri()).ok();
    let mut response = if key.is_some_and(|Query(Key { key })| page.opens(&key)) {
        let served = timeout(PATIENCE, next.run(request)).await;
        served.unwrap_or_else(|_| (StatusCode::REQUEST_TIMEOUT, "that took too long\n").into_response())
    } else {
        let why = "this page needs its key: the whole address is in the admins' chat and in the file login-key beside \
                   the store; each start of the gateway makes a new one\n";
        (StatusCode::FORBIDDEN, why).into_response()
    };
    let headers = response.headers_mut();
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    let policy = HeaderValue::try_from(html::policy()).expect("the policy is ASCII");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

async fn show(State(desk): State<Desk>, Path(account): Path<String>, Query(Key { key }): Query<Key>) -> Response {
    page(&desk, &account, &key, StatusCode::OK, None)
}

/// What the page's forms send.
#[derive(Debug, Deserialize)]
struct Act {
    /// What the captcha shows.
    answer: Option<String>,
    /// Which captcha was seen.
    serial: Option<u64>,
}

/// An answer to the captcha; a form without one asks for a new login.
async fn act(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    Query(Key { key }): Query<Key>,
    Form(act): Form<Act>,
) -> Response {
    let Some((account, ..)) = desk.account(&name) else {
        return nobody();
    };
    let done = match act.answer {
        Some(text) => desk.captcha(&account, act.serial, &text).await,
        None => Ok(desk.login(&account).await),
    };
    let status = if done.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::CONFLICT
    };
    let (Ok(note) | Err(note)) = done;
    page(&desk, &name, &key, status, Some(&note))
}

async fn picture(State(desk): State<Desk>, Path(account): Path<String>) -> Response {
    let open = desk.account(&account).and_then(|(_, _, open)| open);
    let Some(picture) = open.as_ref().and_then(Open::picture) else {
        return (StatusCode::NOT_FOUND, "there is no picture now\n").into_response();
    };
    ([(header::CONTENT_TYPE, kind(&picture))], Bytes::from_owner(picture)).into_response()
}

/// The media type by the first bytes: what QQ calls a picture is shown as a picture or not at all.
fn kind(picture: &[u8]) -> &'static str {
    match picture {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'B', b'M', ..] => "image/bmp",
        _ => "application/octet-stream",
    }
}

fn page(desk: &Desk, name: &str, key: &str, status: StatusCode, note: Option<&str>) -> Response {
    let Some((account, state, open)) = desk.account(name) else {
        return nobody();
    };
    let ask = match &open {
        Some(open) if open.is_code() => Ask::Scan(open.serial),
        Some(open) if open.is_captcha() && !open.is_answered() => Ask::Captcha(open.serial),
        _ => Ask::Nothing,
    };
    let view = View {
        account: account.as_str(),
        state: &state.to_string(),
        key,
        note,
        ask,
    };
    (status, Html(html::page(&view))).into_response()
}

fn nobody() -> Response {
    (StatusCode::NOT_FOUND, "there is no such account\n").into_response()
}

#[cfg(test)]
mod tests;
