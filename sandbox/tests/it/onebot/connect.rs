//! Connecting: paths and tokens.

use std::net::SocketAddr;

use futures_util::StreamExt as _;
use qq_sandbox::Flavour;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{App, BOT, CATS, LIMIT, MEMBER, open, person, sandbox_of, settings};

/// What becomes of somebody who comes with these: a status, or the frame and the close code with which they are sent away, or
/// nothing.
async fn fate(at: SocketAddr, path: &str, authorization: &str) -> (u16, Value, Option<u16>) {
    let mut socket = match open(at, path, authorization).await {
        Ok(socket) => socket,
        Err(Error::Http(response)) => return (response.status().as_u16(), Value::Null, None),
        Err(error) => panic!("{error}"),
    };
    let first = timeout(LIMIT, socket.next()).await.unwrap().unwrap().unwrap();
    let first: Value = serde_json::from_str(first.to_text().unwrap()).unwrap();
    if first["post_type"] == "meta_event" {
        return (101, Value::Null, None);
    }
    let code = match timeout(LIMIT, socket.next()).await.unwrap() {
        Some(Ok(Message::Close(frame))) => frame.map(|frame| frame.code.into()),
        other => panic!("{other:?}"),
    };
    (101, first, code)
}

#[tokio::test]
async fn tokens_are_checked_as_each_flavour_does() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        settings(at, json!({"access_token": "geheim"})).await;
        for (path, header) in [
            ("/onebot/v11", "Bearer geheim"),
            ("/onebot/v11/123456790", "Token geheim"),
            ("/onebot/v11/?access_token=geheim", ""),
        ] {
            assert_eq!(
                fate(at, path, header).await,
                (101, Value::Null, None),
                "{flavour:?} {path} {header}"
            );
        }
        let both = fate(at, "/onebot/v11?access_token=geheim", "Bearer wrong").await;
        assert_eq!(
            both.1.is_null(),
            flavour == Flavour::Napcat || both.0 == 403 && both.1.is_null(),
            "{both:?}"
        );
        for (header, status) in [("", 401), ("Bearer wrong", 403)] {
            let fate = fate(at, "/onebot/v11", header).await;
            match flavour {
                Flavour::Napcat | Flavour::Llbot => {
                    assert_eq!(fate.0, 101);
                    assert_eq!(
                        (&fate.1["retcode"], &fate.1["status"]),
                        (&json!(1403), &json!("failed"))
                    );
                    let code = if flavour == Flavour::Llbot { Some(1008) } else { None };
                    assert_eq!(fate.2, code);
                }
                Flavour::Lagrange | Flavour::Gocq => assert_eq!(fate.0, status),
            }
        }
    }
}

#[tokio::test]
async fn paths_mean_what_they_mean_to_the_flavour() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let loose = matches!(flavour, Flavour::Napcat | Flavour::Lagrange);
        let mut api = App::of(open(at, "/onebot/v11/api", "").await.unwrap());
        assert_eq!(
            api.done("get_login_info", json!({})).await,
            json!({"user_id": BOT, "nickname": "猫管家"})
        );
        let mut event = App::of(open(at, "/onebot/v11/123456790/event/", "").await.unwrap());
        assert_eq!(event.frame().await.unwrap()["meta_event_type"], "lifecycle");
        person(at, MEMBER, "喵").await;
        assert_eq!(event.event().await["group_id"], CATS);
        assert!(api.quiet().await, "no events on /api");
        event.ask("get_login_info", json!({})).await;
        if loose {
            assert_eq!(event.answer().await.unwrap()["data"]["user_id"], BOT);
        } else {
            person(at, MEMBER, "喵").await;
            assert_eq!(event.event().await["post_type"], "message", "no calls on /event");
        }
        let other = open(at, "/onebot/v11/other", "").await;
        match flavour {
            Flavour::Gocq => assert!(matches!(other, Err(Error::Http(response)) if response.status() == 404)),
            Flavour::Llbot => {
                let mut other = App::of(other.unwrap());
                other.ask("get_login_info", json!({})).await;
                let silence = timeout(std::time::Duration::from_millis(300), other.frame()).await;
                assert!(silence.is_err(), "{silence:?}");
            }
            _ => {
                let mut other = App::of(other.unwrap());
                assert_eq!(other.frame().await.unwrap()["meta_event_type"], "lifecycle");
            }
        }
        let nobody = open(at, "/onebot/v11/123456789", "").await;
        assert!(matches!(nobody, Err(Error::Http(response)) if response.status() == 404));
        let plain = reqwest::get(format!("{}/onebot/v11", sandbox.url())).await.unwrap();
        assert_eq!(plain.status(), 426);
    }
}

#[tokio::test]
async fn heartbeats_come_at_the_interval_of_the_account() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    settings(sandbox.address, json!({"heartbeat": 50})).await;
    let mut app = App::connect(sandbox.address).await;
    for _ in 0..3 {
        let beat = app.frame().await.unwrap();
        assert_eq!(beat["meta_event_type"], "heartbeat");
        assert_eq!(
            (&beat["interval"], &beat["status"]),
            (&json!(50), &json!({"online": true, "good": true}))
        );
    }
}
