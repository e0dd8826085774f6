//! The program connects to the application.

use std::time::Duration;

use qq_sandbox::Flavour;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::{App, BOT, CATS, MEMBER, messages, person, sandbox_of, work};

/// Takes the next connection, with the headers it came with.
async fn take(listener: &TcpListener) -> (App<TcpStream>, Vec<(String, String)>) {
    let (stream, _) = timeout(Duration::from_secs(15), listener.accept())
        .await
        .unwrap()
        .unwrap();
    let mut headers = Vec::new();
    #[expect(clippy::result_large_err, reason = "the type of the crate")]
    let callback = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        for (name, value) in request.headers() {
            headers.push((name.to_string(), value.to_str().unwrap().to_owned()));
        }
        Ok(response)
    };
    let socket = accept_hdr_async(stream, callback).await.unwrap();
    (App::of(socket), headers)
}

fn header(headers: &[(String, String)], name: &str) -> Option<String> {
    headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.clone())
}

#[tokio::test]
async fn each_flavour_comes_with_its_headers_and_comes_again() {
    for flavour in Flavour::ALL {
        for token in ["geheim", ""] {
            let sandbox = sandbox_of(flavour).await;
            let at = sandbox.address;
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("ws://{}/onebot", listener.local_addr().unwrap());
            let body = json!({"qq": BOT, "url": url, "access_token": token});
            work(at, "POST", "onebot/connect", body).await;
            let (mut app, headers) = take(&listener).await;
            assert_eq!(header(&headers, "x-self-id").unwrap(), BOT.to_string());
            assert_eq!(header(&headers, "x-client-role").unwrap(), "Universal");
            let credential = header(&headers, "authorization");
            let expected = match flavour {
                Flavour::Napcat | Flavour::Llbot => Some(format!("Bearer {token}").trim_end().to_owned()),
                _ if token.is_empty() => None,
                Flavour::Lagrange => Some(format!("Bearer {token}")),
                Flavour::Gocq => Some(format!("Token {token}")),
            };
            assert_eq!(
                credential.map(|credential| credential.trim_end().to_owned()),
                expected,
                "{flavour:?}"
            );
            let agent = header(&headers, "user-agent").unwrap();
            assert_eq!(agent.starts_with("OneBot/11"), flavour == Flavour::Napcat, "{agent}");
            assert_eq!(app.frame().await.unwrap()["meta_event_type"], "lifecycle");
            person(at, MEMBER, "喵").await;
            assert_eq!(app.event().await["group_id"], CATS);
            app.say("answer").await;
            assert_eq!(messages(at).await[1]["from"], BOT);
            if token.is_empty() || flavour != Flavour::Llbot {
                continue;
            }
            drop(app);
            let (mut app, _) = take(&listener).await;
            assert_eq!(app.frame().await.unwrap()["meta_event_type"], "lifecycle");
            assert_eq!(work(at, "DELETE", "onebot/connect", json!({})).await["ended"], 1);
            assert!(app.frame().await.is_none());
        }
    }
}

#[tokio::test]
async fn calls_and_events_over_two_connections() {
    let sandbox = sandbox_of(Flavour::Gocq).await;
    let at = sandbox.address;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    work(at, "POST", "onebot/connect", json!({"url": url, "split": true})).await;
    let mut sockets = [take(&listener).await, take(&listener).await];
    sockets.sort_by_key(|(_, headers)| header(headers, "x-client-role"));
    let [(mut api, api_headers), (mut event, event_headers)] = sockets;
    assert_eq!(header(&api_headers, "x-client-role").unwrap(), "API");
    assert_eq!(header(&event_headers, "x-client-role").unwrap(), "Event");
    assert_eq!(event.frame().await.unwrap()["meta_event_type"], "lifecycle");
    person(at, MEMBER, "喵").await;
    assert_eq!(event.event().await["raw_message"], "喵");
    assert!(api.quiet().await);
}

#[tokio::test]
async fn an_application_that_is_not_there_is_tried_again() {
    let sandbox = sandbox_of(Flavour::Llbot).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    work(
        sandbox.address,
        "POST",
        "onebot/connect",
        json!({"url": format!("ws://{address}")}),
    )
    .await;
    let refused = async {
        while !crate::client::log(sandbox.address)
            .await
            .iter()
            .any(|entry| entry["outcome"] == "refused")
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), refused).await.unwrap();
    let listener = TcpListener::bind(address).await.unwrap();
    let (mut app, _) = take(&listener).await;
    assert_eq!(app.frame().await.unwrap()["self_id"], BOT);
}
