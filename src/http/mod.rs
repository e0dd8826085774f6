//! The HTTP listener for the operator's tools: is it alive, is it ready, what did it count, and the login pages. Off unless
//! `[http] listen` says where.

mod html;
mod login;

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::operator::{Board, Desk, LoginPage};

/// How long a stop waits for requests that are under way.
const GOODBYE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
struct View {
    board: Board,
    metrics: Metrics,
}

/// Opens the listener: a taken address is an error of the start, not of a task.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    let hint = || format!("cannot listen on {listen}; free the address or change [http] listen");
    TcpListener::bind(listen).await.with_context(hint)
}

/// Serves until told to stop.
pub async fn run(
    listener: TcpListener,
    desk: Desk,
    page: LoginPage,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let board = desk.board.clone();
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(encode))
        .with_state(View { board, metrics })
        .merge(login::router(desk, page));
    let served = axum::serve(listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        served = served.into_future() => served.context("the HTTP listener failed"),
        // Who begins a request and never ends it does not keep the gateway from stopping.
        () = async { shutdown.cancelled().await; sleep(GOODBYE).await } => Ok(()),
    }
}

/// 200 when every part is on line, else 503; either way with a line per part.
async fn readyz(State(view): State<View>) -> impl IntoResponse {
    let status = if view.board.ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, format!("{}\n", view.board))
}

async fn encode(State(view): State<View>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], view.metrics.encode())
}
