//! The port: takes connections, reads requests, and says which face answers: a historic host and `/onebot/v11` the
//! protocols, `/sandbox` the control API, `/` the page, `/download` what is in messages.
//!
//! One task listens, one task per connection serves it. A connection's task ends with the connection or with the sandbox.

mod reply;
mod request;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

pub(crate) use reply::Reply;
pub(crate) use request::Request;

use crate::state::Shared;
use crate::{control, media, onebot, page, webqq};

/// The most connections at a time; further ones wait in the listener.
const MOST_CONNECTIONS: usize = 1024;
/// How long a client may take for the head of a request, which also ends idle connections.
const HEAD_TIME: Duration = Duration::from_secs(75);

/// Serves the port until the sandbox stops.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else {
            break;
        };
        tokio::select! {
            () = shared.stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, shared.clone(), permit));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    shared.tasks.close();
    shared.tasks.wait().await;
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, _permit: OwnedSemaphorePermit) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let stop = shared.stop.clone();
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move { answer(request, &shared).await.into_response() }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(100)
        .max_buf_size(64 * 1024);
    tokio::select! {
        () = stop.cancelled() => {}
        ended = builder.serve_connection(TokioIo::new(stream), service).with_upgrades() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        }
    }
}

async fn answer(request: hyper::Request<Incoming>, shared: &Arc<Shared>) -> Reply {
    if onebot::is_ours(request.uri().path()) {
        return onebot::upgrade(request, shared);
    }
    let request = match Request::read(request.map(Body::new)).await {
        Ok(request) => request,
        Err(reply) => return *reply,
    };
    if request.host.is_some() {
        return webqq::serve(request, shared).await;
    }
    match request.path.as_str() {
        "/" | "/index.html" => page::serve(&request),
        "/download" => shared
            .run(|state| media::serve(state, &request))
            .unwrap_or_else(Reply::from),
        path if path == "/sandbox" || path.starts_with("/sandbox/") => control::serve(&request, shared).await,
        path => Reply::error(
            404,
            format!(
                "nothing is at {path}: the page is at /, the control API below /sandbox/, OneBot at /onebot/v11, and \
            the QQ hosts are reached by their names in Host, as an HTTP proxy, or as first path segment"
            ),
        ),
    }
}
