//! What the person who runs it sees: orderly stops, orders by chat, the login page, `check --online`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use lab::Kind;
use lab::jabber::Stanza as _;
use lab::process::workspace_binary;
use tokio::time::{Instant, sleep};

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

/// The line of the file `login-key`, once the gateway has written it.
async fn login_address(bridge: &Bridge) -> anyhow::Result<String> {
    let path = bridge.folder.path().join("login-key");
    let end = Instant::now() + Duration::from_secs(20);
    while !path.exists() {
        anyhow::ensure!(Instant::now() < end, "no login-key\n{}", bridge.log());
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    Ok(std::fs::read_to_string(&path)?.trim().to_owned())
}

/// The page, as soon as it holds this.
async fn page_with(address: &str, part: &str) -> anyhow::Result<String> {
    let http = lab::http::client(Duration::from_secs(5))?;
    let end = Instant::now() + Duration::from_secs(45);
    loop {
        let page = match http.get(address).send().await {
            Ok(page) => page.text().await?,
            Err(error) => error.to_string(),
        };
        if page.contains(part) {
            return Ok(page);
        }
        anyhow::ensure!(Instant::now() < end, "{part} is not in the page:\n{page}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// A bridge whose gateway lost its store: it has to log in, and nobody has scanned yet.
async fn logged_out() -> anyhow::Result<Option<(Bridge, String)>> {
    let Some(mut bridge) = Bridge::start(Kind::Prosody).await? else {
        return Ok(None);
    };
    let before = login_address(&bridge).await?;
    bridge.stop_gateway().await?;
    for file in std::fs::read_dir(bridge.folder.path())? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        if name.starts_with("qqxmpp.db") || name == "login-key" {
            std::fs::remove_file(file.path())?;
        }
    }
    Ok(Some((bridge, before)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_page_shows_the_code_and_only_to_who_has_its_key() -> anyhow::Result<()> {
    let Some((mut bridge, before)) = logged_out().await? else {
        return Ok(());
    };
    let mut phone = bridge.jabber("alice", "phone").await?;
    phone.send("<presence to='qq.localhost' type='subscribe'/>").await?;
    bridge.launch_gateway()?;
    let address = login_address(&bridge).await?;
    assert_ne!(address, before, "each start makes a new key");
    let (bare, key) = address.split_once("?key=").context("the key is in the address")?;
    assert!(bare.ends_with("/login/classic") && key.len() >= 22, "{address}");

    let http = lab::http::client(Duration::from_secs(5))?;
    let page = page_with(&address, "<img").await?;
    assert!(page.contains("scan the QR code"), "{page}");
    let picture = http.get(format!("{bare}/picture?key={key}")).send().await?;
    assert_eq!(picture.headers()["content-type"], "image/png");
    let picture = picture.bytes().await?;
    assert_eq!(picture, std::fs::read(bridge.folder.path().join("qr-classic.png"))?);
    for closed in [bare.to_owned(), before.replace(&before[..bare.len()], bare)] {
        let refused = http.get(closed).send().await?;
        assert_eq!(refused.status(), 403);
    }

    // To who is there, and once more to who comes later.
    let word = |el: &minidom::Element| {
        el.body()
            .is_some_and(|body| body.contains(&address) && body.contains('█'))
    };
    phone.wait(word, "the code by chat").await?;
    phone.close().await?;
    let mut desk = bridge.jabber("alice", "desk").await?;
    desk.set_limit(Duration::from_secs(20));
    desk.send("<presence to='qq.localhost'/>").await?;
    desk.wait(word, "the code by chat, later").await?;

    bridge.sandbox.scan_qr_when_shown().await?;
    bridge.wait_ready().await?;
    let well = |el: &minidom::Element| {
        el.name() == "presence" && el.attr("from") == Some("qq.localhost") && el.children().all(|c| c.name() != "show")
    };
    desk.wait(well, "the gateway's presence, now without trouble").await?;
    let page = page_with(&address, "<p>online</p>").await?;
    assert!(!page.contains("<img"), "{page}");
    let gone = http.get(format!("{bare}/picture?key={key}")).send().await?;
    assert_eq!(gone.status(), 404);
    let log = bridge.gateway.as_ref().context("the gateway runs")?.log();
    assert!(log.contains("QR code") && !log.contains(key), "{log}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ten_codes_it_waits_until_the_page_asks_for_a_new_one() -> anyhow::Result<()> {
    let Some((mut bridge, _)) = logged_out().await? else {
        return Ok(());
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    bridge.launch_gateway()?;
    let address = login_address(&bridge).await?;
    let first = page_with(&address, "<img").await?;
    let mut shown = first;
    let end = Instant::now() + Duration::from_secs(120);
    while !shown.contains("nobody scanned the QR code") {
        anyhow::ensure!(Instant::now() < end, "{shown}\n{}", bridge.log());
        bridge.sandbox.advance_clock("3m").await?;
        sleep(Duration::from_millis(500)).await;
        shown = page_with(&address, "</html>").await?;
    }
    assert!(shown.contains("login classic") && !shown.contains("<img"), "{shown}");
    let asks = |el: &minidom::Element| el.body().is_some_and(|body| body.contains("then send `login classic`"));
    alice.wait(asks, "word that it waits").await?;
    // The server kept a word of the run before for her: that one has another key.
    let codes = |el: &minidom::Element| {
        el.body()
            .is_some_and(|body| body.contains("scan this code") && body.contains(&address))
    };
    let codes = alice.take_all().iter().filter(|el| codes(el)).count();
    assert_eq!(codes, 1, "the page showed the newer ones");

    let http = lab::http::client(Duration::from_secs(5))?;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let asked = http.post(&address).header(form.0, form.1).send().await?;
    assert_eq!(asked.status(), 200);
    page_with(&address, "<img").await?;
    bridge.wait_ready().await?;
    Ok(())
}
