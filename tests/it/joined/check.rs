//! `check --online` tells before the first start what keeps the gateway out of a room.

use std::process::Command;

use lab::Kind;
use lab::jabber::RoomConfig;
use lab::process::workspace_binary;

use super::{ROOM, ROW};
use crate::support::Bridge;
use crate::support::onebot::Far;

async fn check(kind: Kind) -> anyhow::Result<()> {
    let far = Far {
        rows: ROW,
        ..Far::of("napcat")
    };
    let Some(mut bridge) = Bridge::start_onebot(kind, &far).await? else {
        return Ok(());
    };
    bridge.stop_gateway().await?;
    let config = bridge.config();
    let told = || {
        let mut command = Command::new(workspace_binary("qqxmpp")?);
        let output = command.args(["check", "--online", "--config"]).arg(&config).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        anyhow::Ok((output.status.success(), text))
    };
    let (fine, text) = told()?;
    assert!(
        !fine && text.contains(&format!("there is no room {ROOM}; create it")),
        "{text}"
    );

    let mut alice = bridge.jabber("alice", "phone").await?;
    let closed = RoomConfig {
        members_only: Some(true),
        ..RoomConfig::default()
    };
    alice.create_room(ROOM, "Alice W", &closed).await?;
    let (fine, text) = told()?;
    assert!(fine && text.contains("make bridge@qq.localhost an admin"), "{text}");

    let locked = RoomConfig {
        password: Some("purr".into()),
        ..closed
    };
    alice.configure_room(ROOM, &locked).await?;
    let (fine, text) = told()?;
    assert!(!fine && text.contains("asks for a password"), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn check_on_prosody() -> anyhow::Result<()> {
    check(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
async fn check_on_ejabberd() -> anyhow::Result<()> {
    check(Kind::Ejabberd).await
}
