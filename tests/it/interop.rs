//! A client library written by other people joins the hosted room, talks, and is answered from QQ.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lab::{Kind, Process};

use crate::support::{Bridge, GROUP, ROOM, people};

#[tokio::test(flavor = "multi_thread")]
async fn slixmpp_joins_talks_and_is_answered() -> anyhow::Result<()> {
    if !lab::available("slixmpp") {
        return Ok(());
    }
    let Some(bridge) = Bridge::start(Kind::Prosody).await? else {
        return Ok(());
    };
    let people = people(&bridge).await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/slixmpp_join.py");
    let mut command = Command::new(lab::python());
    let port = bridge.server.c2s_port().to_string();
    command.arg(script).args([
        "127.0.0.1",
        &port,
        "bob@localhost",
        "bob",
        ROOM,
        "Bob B",
        "喵 from slixmpp",
        "喵 from QQ",
    ]);
    let mut bob = Process::spawn("slixmpp", &command, &bridge.folder.path().join("slixmpp.log"))?;

    bridge.sandbox.wait_text(GROUP, 0, "Bob B: 喵 from slixmpp").await?;
    bridge.sandbox.say(GROUP, people[0], "喵 from QQ").await?;
    let status = bob.wait_exit(Duration::from_secs(65)).await?;
    assert!(status.success(), "{}", bob.tail(30));
    Ok(())
}
