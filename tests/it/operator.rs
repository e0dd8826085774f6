//! What the person who runs it sees: orderly stops, orders by chat, `check --online`.

use std::process::Command;
use std::time::Duration;

use lab::Kind;
use lab::jabber::Stanza as _;
use lab::process::workspace_binary;

use crate::support::{Bridge, GROUP, ROOM, people};

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_stop_says_nothing_and_nobody_has_to_come_back() -> anyhow::Result<()> {
    let Some(mut bridge) = Bridge::start(Kind::Prosody).await? else {
        return Ok(());
    };
    let people = people(&bridge).await?;
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.join(ROOM, "Alice W").await?;
    bridge.stop_gateway().await?;
    bridge.start_gateway().await?;
    bridge.sandbox.say(GROUP, people[0], "after the stop").await?;
    alice.set_limit(Duration::from_secs(30));
    alice.wait_body(ROOM, "after the stop").await?;
    let left = |el: &minidom::Element| el.name() == "presence" && el.kind() == "unavailable" && el.bare_from() == ROOM;
    assert!(!alice.take_all().iter().any(left));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_order_and_others_are_sent_away() -> anyhow::Result<()> {
    let Some(bridge) = Bridge::start(Kind::Prosody).await? else {
        return Ok(());
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    let mut bob = bridge.jabber("bob", "desk").await?;
    for (order, answer) in [
        ("status", "account classic: online"),
        ("help", "reload"),
        ("reload", "nothing changed"),
    ] {
        alice
            .send(format!(
                "<message to='qq.localhost' type='chat'><body>{order}</body></message>"
            ))
            .await?;
        alice
            .wait(|el| el.body().is_some_and(|body| body.contains(answer)), answer)
            .await?;
    }
    bob.send("<message to='qq.localhost' type='chat'><body>status</body></message>")
        .await?;
    let word = bob.wait(|el| el.body().is_some(), "an answer").await?;
    assert!(
        word.body()
            .is_some_and(|body| body.contains("orders are taken from the admins only")),
        "{}",
        word.xml()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn check_online_tells_what_is_there_and_what_is_not() -> anyhow::Result<()> {
    let Some(mut bridge) = Bridge::start(Kind::Prosody).await? else {
        return Ok(());
    };
    bridge.stop_gateway().await?;
    let config = bridge.config();
    let check = || {
        let mut command = Command::new(workspace_binary("qqxmpp")?);
        anyhow::Ok(command.args(["check", "--online", "--config"]).arg(&config).output()?)
    };
    let fine = check()?;
    assert!(fine.status.success(), "{}", String::from_utf8_lossy(&fine.stdout));

    bridge.sandbox.stop().await?;
    bridge.server.stop().await?;
    let lacking = check()?;
    assert_eq!(lacking.status.code(), Some(1));
    let told = String::from_utf8_lossy(&lacking.stdout).into_owned();
    assert!(told.contains("account classic: nothing answers"), "{told}");
    assert!(told.contains("is the XMPP server running"), "{told}");
    Ok(())
}
