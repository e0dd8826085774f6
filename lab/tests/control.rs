//! The sandbox's control client against a service that answers as the sandbox is described to.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, patch};
use axum::{Json, Router};
use lab::Sandbox;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

type World = Arc<watch::Sender<Vec<Value>>>;

#[derive(Deserialize)]
struct News {
    after: i64,
    wait: u64,
}

async fn say(State(world): State<World>, Path(group): Path<u64>, Json(body): Json<Value>) -> Json<Value> {
    let id = i64::try_from(world.borrow().len()).expect("few messages") + 1;
    let segments = match &body["message"] {
        Value::String(text) => json!([{ "type": "text", "data": { "text": text } }]),
        other => other.clone(),
    };
    let message = json!({ "id": id, "from": body["from"], "time": 1, "message": segments, "group": group });
    world.send_modify(|messages| messages.push(message));
    Json(json!({ "id": id }))
}

async fn news(State(world): State<World>, Query(news): Query<News>) -> Json<Vec<Value>> {
    let mut changes = world.subscribe();
    let is_new = |message: &&Value| message["id"].as_i64() > Some(news.after);
    let wait = changes.wait_for(|messages| messages.iter().any(|message| is_new(&message)));
    let _ = tokio::time::timeout(Duration::from_secs(news.wait), wait).await;
    Json(world.borrow().iter().filter(is_new).cloned().collect())
}

async fn refuse() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "no such member")
}

async fn service() -> anyhow::Result<SocketAddr> {
    let world = World::new(watch::channel(Vec::new()).0);
    let router = Router::new()
        .route("/sandbox/groups/{group}/messages", get(news).post(say))
        .route("/sandbox/groups/{group}/members/{qq}", patch(refuse))
        .with_state(world);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

#[tokio::test]
async fn messages_are_said_and_waited_for() -> anyhow::Result<()> {
    let sandbox = Sandbox::at(service().await?)?;
    let first = sandbox.say(1, 222, "早").await?;
    let heard = sandbox.wait_text(1, 0, "早").await?;
    assert_eq!((heard.id, heard.from, heard.text().as_str()), (first, 222, "早"));

    let waiting = sandbox.wait_text(1, first, "later");
    let saying = async {
        sandbox
            .say(1, 333, json!([{ "type": "face", "data": { "id": "1" } }]))
            .await?;
        sandbox.say(1, 333, "later").await
    };
    let (heard, last) = tokio::try_join!(waiting, saying)?;
    assert_eq!(heard.id, last);
    assert_eq!(sandbox.messages(1, first, Duration::ZERO).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_wait_in_vain_and_a_refusal_say_what_came() -> anyhow::Result<()> {
    let mut sandbox = Sandbox::at(service().await?)?;
    sandbox.set_limit(Duration::from_millis(200));
    sandbox.say(1, 222, "something else").await?;
    let error = sandbox
        .wait_text(1, 0, "miracle")
        .await
        .expect_err("nobody says it")
        .to_string();
    assert!(error.contains("miracle") && error.contains("something else"), "{error}");

    let error = sandbox
        .change_member(1, 2, &json!({ "card": "x" }))
        .await
        .expect_err("it is refused")
        .to_string();
    assert!(error.contains("404") && error.contains("no such member"), "{error}");
    Ok(())
}
