//! The lab against the real servers: what every other test relies on.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::try_join_all;
use lab::jabber::Stanza;
use lab::{Jabber, Kind, Options, Server};

const UPLOAD: &str = "urn:xmpp:http:upload:0";

async fn two_people_talk(server: &Server) -> anyhow::Result<()> {
    let room = format!("lab@{}", server.muc_service());
    let mut alice = Jabber::connect(server, "alice", "one").await?;
    let mut bob = Jabber::connect(server, "bob", "two").await?;
    assert_eq!(alice.jid(), "alice@localhost/one");

    let first = alice.join(&room, "Alice").await?;
    assert!(first.presences.is_empty() && first.history.is_empty(), "{first:?}");
    assert_eq!(first.self_presence.affiliation(), "owner");
    alice.unlock(&room).await?;
    let id = alice.say(&room, "早 <hello> & 😀").await?;
    let reflection = alice.wait_body(&room, "早 <hello> & 😀").await?;
    assert_eq!(reflection.id(), id);

    let second = bob.join(&room, "Bob").await?;
    assert_eq!(second.nicks(), ["Alice"]);
    assert_eq!(second.bodies(), ["早 <hello> & 😀"]);
    assert!(second.history[0].delay().is_some());
    assert!(second.self_presence.has_status(110));
    assert_eq!(alice.wait_presence(&format!("{room}/Bob")).await?.role(), "participant");

    for number in 0..100 {
        bob.say(&room, &format!("message {number}")).await?;
    }
    alice.wait_body(&room, "message 99").await?;
    let skipped: Vec<_> = alice.take_all().iter().filter_map(Stanza::body).collect();
    assert_eq!(
        skipped,
        (0..99).map(|number| format!("message {number}")).collect::<Vec<_>>()
    );

    let refusal = Jabber::connect(server, "carol", "x")
        .await?
        .join_refused(&room, "Bob", "")
        .await?;
    assert_eq!(refusal.error_condition(), Some("conflict"));

    bob.leave(&room, "Bob").await?;
    assert_eq!(alice.wait_presence(&format!("{room}/Bob")).await?.kind(), "unavailable");
    alice.close().await?;
    bob.abort().await
}

/// As many as a big room has, at the same moment.
async fn a_crowd_logs_in(server: &Server) -> anyhow::Result<()> {
    let one = async |number: usize| Jabber::connect(server, "carol", &format!("r{number}")).await;
    let mut crowd = try_join_all((0..300).map(one)).await?;
    let to = crowd[299].jid().to_owned();
    crowd[0]
        .send(format!("<message to='{to}'><body>hello</body></message>"))
        .await?;
    crowd[299]
        .wait(|el| el.body().as_deref() == Some("hello"), "word across the crowd")
        .await?;
    Ok(())
}

/// A slot is asked for and its addresses work (XEP-0363): a wrong address is a mistake in the server's configuration.
async fn a_file_is_uploaded(server: &Server) -> anyhow::Result<()> {
    let mut alice = Jabber::connect(server, "alice", "upload").await?;
    let request = "<request xmlns='urn:xmpp:http:upload:0' filename='cat.png' size='3' content-type='image/png'/>";
    let answer = alice.iq(server.upload_service(), "get", request).await?;
    let slot = answer.child("slot", UPLOAD).with_context(|| answer.xml())?;
    let url = |name| {
        slot.child(name, UPLOAD)
            .and_then(|element| element.attr("url"))
            .context("no address")
    };
    let http = lab::http::client(Duration::from_secs(10))?;
    let mut put = http.put(url("put")?).header("Content-Type", "image/png").body("cat");
    for header in slot.child("put", UPLOAD).into_iter().flat_map(|put| put.children()) {
        put = put.header(header.attr("name").unwrap_or_default(), header.text());
    }
    assert_eq!(put.send().await?.status().as_u16(), 201, "{}", answer.xml());
    assert_eq!(http.get(url("get")?).send().await?.text().await?, "cat");
    Ok(())
}

async fn comes_back(server: &mut Server) -> anyhow::Result<()> {
    server.register("dave").await?;
    let (ports, pid) = (
        (server.c2s_port(), server.component_port(), server.http_port()),
        server.pid(),
    );
    let mut alice = Jabber::connect(server, "alice", "one").await?;
    server.restart().await?;
    alice.wait_end().await?;
    assert_eq!(ports, (server.c2s_port(), server.component_port(), server.http_port()));
    assert_ne!(pid, server.pid());
    Jabber::connect(server, "dave", "one").await?.sync("localhost").await?;

    server.kill().await?;
    assert!(Jabber::connect(server, "alice", "one").await.is_err());
    server.start_again().await?;
    Jabber::connect(server, "alice", "one").await?.sync("localhost").await?;
    server.stop().await
}

#[tokio::test]
async fn prosody_hosts_a_talk_and_comes_back() -> anyhow::Result<()> {
    if !lab::available("prosody") {
        return Ok(());
    }
    let mut server = Server::start(Kind::Prosody, &Options::default()).await?;
    two_people_talk(&server).await?;
    a_file_is_uploaded(&server).await?;
    a_crowd_logs_in(&server).await?;
    comes_back(&mut server).await
}

#[tokio::test]
async fn ejabberd_hosts_a_talk_and_comes_back() -> anyhow::Result<()> {
    if !lab::available("ejabberd") {
        return Ok(());
    }
    let mut server = Server::start(Kind::Ejabberd, &Options::default()).await?;
    two_people_talk(&server).await?;
    a_file_is_uploaded(&server).await?;
    a_crowd_logs_in(&server).await?;
    comes_back(&mut server).await
}

#[tokio::test]
async fn a_failed_wait_shows_what_came_instead() -> anyhow::Result<()> {
    if !lab::available("prosody") {
        return Ok(());
    }
    let server = Server::start(Kind::Prosody, &Options::default()).await?;
    let mut alice = Jabber::connect(&server, "alice", "one").await?;
    alice.set_limit(Duration::from_millis(300));
    alice.sync("localhost").await?;
    let error = alice
        .wait(|_| false, "miracle")
        .await
        .expect_err("nothing satisfies the wait")
        .to_string();
    assert!(error.contains("no miracle within") && error.contains("<iq"), "{error}");
    Ok(())
}
