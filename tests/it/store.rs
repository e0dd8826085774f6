//! The store under pressure: what people see while its disk is full, and when there is room again; and what the operator can do to it
//! while the gateway runs.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lab::jabber::Stanza as _;
use lab::process::workspace_binary;
use lab::{Jabber, Kind, Options, SmallDisk};
use minidom::Element;
use tokio::time::{Instant, sleep};

use crate::support::onebot::{CATS, CATS_ROOM, CHEN, DMITRI, Far};
use crate::support::{Bridge, GROUP, ROOM, ROW, people};

/// Everything that has to happen within a moment.
const LIMIT: Duration = Duration::from_secs(60);

/// What became of a message in the room.
#[derive(Debug, PartialEq, Eq)]
enum Became {
    Accepted,
    Refused,
}

/// Says something and waits until it comes back, or an error does.
async fn try_say(client: &mut Jabber, room: &str, text: &str, seen: &mut Vec<Element>) -> anyhow::Result<Became> {
    let id = client.say(room, text).await?;
    loop {
        let stanza = client.wait(|el| el.name() == "message", text).await?;
        let ours = stanza.attr("id") == Some(id.as_str());
        let became = match stanza.kind() {
            "error" if ours => {
                let xml = stanza.xml();
                ensure!(xml.contains("<resource-constraint") && xml.contains("wait"), "{xml}");
                ensure!(xml.contains("cannot store messages now"), "{xml}");
                Some(Became::Refused)
            }
            "groupchat" if stanza.body().as_deref() == Some(text) => Some(Became::Accepted),
            _ => None,
        };
        seen.push(stanza);
        if let Some(became) = became {
            return Ok(became);
        }
    }
}

/// Alerts among what was seen that hold this.
fn alerts(seen: &[Element], part: &str) -> usize {
    let is =
        |el: &&Element| el.attr("from") == Some("qq.localhost") && el.body().is_some_and(|body| body.contains(part));
    seen.iter().filter(is).count()
}

async fn wait_readyz(bridge: &Bridge, ready: bool, part: &str) -> anyhow::Result<()> {
    let end = Instant::now() + LIMIT;
    loop {
        let (now, text) = bridge.readyz().await?;
        if now == ready && text.contains(part) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{part}: {text}\n{}", bridge.log());
        sleep(Duration::from_millis(100)).await;
    }
}

/// Where it happens.
struct Place {
    group: u64,
    room: &'static str,
    /// Two members who speak.
    people: [u64; 2],
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_at_once_and_nothing_is_lost_or_doubled() -> anyhow::Result<()> {
    if !lab::available("mounts") {
        return Ok(());
    }
    let Some(bridge) = Bridge::assemble_onebot(Kind::Prosody, &Far::of("napcat")).await? else {
        return Ok(());
    };
    let place = Place {
        group: CATS,
        room: CATS_ROOM,
        people: [DMITRI, CHEN],
    };
    full_disk(bridge, place).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_where_there_is_no_history() -> anyhow::Result<()> {
    if !lab::available("mounts") || !lab::available(Kind::Prosody.name()) {
        return Ok(());
    }
    let bridge = Bridge::assemble_web(Kind::Prosody, &Options::default(), "login = \"qr\"\n", ROW, &[]).await?;
    let [one, two, _] = people(&bridge).await?;
    let place = Place {
        group: GROUP,
        room: ROOM,
        people: [one, two],
    };
    full_disk(bridge, place).await
}

async fn full_disk(mut bridge: Bridge, place: Place) -> anyhow::Result<()> {
    let disk = SmallDisk::mount(8192)?;
    bridge.store = disk.path().join("qqxmpp.db");
    bridge.write_config()?;
    bridge.start_gateway().await?;
    bridge.sandbox.set_limit(LIMIT);
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.set_limit(LIMIT);
    alice.join(place.room, "Alice W").await?;
    alice.say(place.room, "before").await?;
    bridge.sandbox.wait_text(place.group, 0, "Alice W: before").await?;
    wait_readyz(&bridge, true, "store: online").await?;

    disk.fill()?;
    let (mut seen, mut accepted) = (Vec::new(), vec!["before".to_owned()]);
    // The write-ahead log has room for some.
    let mut n = 0;
    loop {
        let text = format!("line {n} {}", "word ".repeat(200));
        n += 1;
        match try_say(&mut alice, place.room, text.trim_end(), &mut seen)
            .await
            .with_context(|| bridge.log())?
        {
            Became::Accepted => accepted.push(text.trim_end().to_owned()),
            Became::Refused => break,
        }
        ensure!(n < 2000, "the disk never fills");
    }
    let told = "the disk of the store is full: make room on it";
    wait_readyz(&bridge, false, &format!("store: needs you: {told}")).await?;
    // Heard while nothing can be stored.
    let mut heard = Vec::new();
    for n in 0..8 {
        let text = format!("meanwhile {n}");
        bridge
            .sandbox
            .say(place.group, place.people[n % 2], text.as_str())
            .await?;
        heard.push(text);
    }
    for n in 0..3 {
        let asked = Instant::now();
        let became = try_say(&mut alice, place.room, &format!("refused {n}"), &mut seen).await?;
        assert_eq!(became, Became::Refused);
        assert!(asked.elapsed() < Duration::from_secs(2), "an author waits for the disk");
        sleep(Duration::from_secs(2)).await;
    }
    alice
        .send("<message to='qq.localhost' type='chat'><body>status</body></message>")
        .await?;
    let status = alice
        .wait(|el| el.body().is_some_and(|body| body.contains("component:")), "status")
        .await?;
    assert!(
        status.body().is_some_and(|body| body.contains(told)),
        "{}",
        status.xml()
    );

    disk.make_room()?;
    wait_readyz(&bridge, true, "store: online").await?;
    let until = Instant::now() + LIMIT;
    while try_say(&mut alice, place.room, "after", &mut seen).await? == Became::Refused {
        ensure!(Instant::now() < until, "it does not go on\n{}", bridge.log());
        sleep(Duration::from_millis(200)).await;
    }
    accepted.push("after".to_owned());
    bridge.sandbox.say(place.group, place.people[0], "the end").await?;
    loop {
        let stanza = alice
            .wait(|el| el.name() == "message", "the end")
            .await
            .with_context(|| bridge.log())?;
        let last = stanza.body().as_deref() == Some("the end");
        seen.push(stanza);
        if last {
            break;
        }
    }
    heard.push("the end".to_owned());
    let over = |el: &Element| el.body().is_some_and(|body| body.contains("can be written again"));
    if !seen.iter().any(over) {
        seen.push(alice.wait(over, "word that it is over").await?);
    }
    seen.extend(alice.take_all());
    all_once(&bridge, &place, &seen, (&accepted, &heard)).await?;
    assert_eq!(alerts(&seen, told), 1, "{}", bridge.log());
    assert_eq!(alerts(&seen, "can be written again"), 1);
    Ok(())
}

/// What was accepted is on QQ, and what was heard is in the room: each once, in order, whatever it took.
async fn all_once(
    bridge: &Bridge,
    place: &Place,
    seen: &[Element],
    (accepted, heard): (&[String], &[String]),
) -> anyhow::Result<()> {
    bridge
        .sandbox
        .wait_text(place.group, 0, "Alice W: after")
        .await
        .with_context(|| bridge.log())?;
    let on_qq = bridge.sandbox.messages(place.group, 0, Duration::ZERO).await?;
    let on_qq: Vec<String> = on_qq
        .iter()
        .filter_map(|message| Some(message.text().strip_prefix("Alice W: ")?.trim_end().to_owned()))
        .collect();
    assert_eq!(on_qq, accepted, "{}", bridge.log());
    let from_qq = |el: &Element| {
        let body = el.body().filter(|_| el.kind() == "groupchat")?;
        (body.starts_with("meanwhile") || body == "the end").then_some(body)
    };
    let shown: Vec<String> = seen.iter().filter_map(from_qq).collect();
    assert_eq!(shown, heard, "{}", bridge.log());
    let own: Vec<String> = seen
        .iter()
        .filter(|el| el.kind() == "groupchat")
        .filter_map(lab::jabber::Stanza::body)
        .collect();
    let own: Vec<&String> = own.iter().filter(|body| body.starts_with("line ")).collect();
    let lines: Vec<&String> = accepted.iter().filter(|body| body.starts_with("line ")).collect();
    assert_eq!(own, lines, "a row was shown again");
    Ok(())
}

/// Runs one of the operator's commands; its exit code and what it prints.
fn order(bridge: &Bridge, words: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let mut command = Command::new(workspace_binary("qqxmpp")?);
    let output = command.args(words).arg("--config").arg(bridge.config()).output()?;
    let told = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&told).into_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_qq_is_seen_hurried_and_given_up_while_the_gateway_runs() -> anyhow::Result<()> {
    let Some(mut bridge) = Bridge::start_onebot(Kind::Prosody, &Far::of("napcat")).await? else {
        return Ok(());
    };
    bridge.sandbox.set_limit(LIMIT);
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.set_limit(LIMIT);
    alice.join(CATS_ROOM, "Alice W").await?;
    alice.say(CATS_ROOM, "before").await?;
    bridge.sandbox.wait_text(CATS, 0, "Alice W: before").await?;
    bridge.sandbox.kill().await?;
    wait_readyz(&bridge, false, "account main: degraded").await?;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(alice.say(CATS_ROOM, text).await?);
        alice.wait_body(CATS_ROOM, text).await?;
    }
    let end = Instant::now() + LIMIT;
    let rows: Vec<serde_json::Value> = loop {
        let (code, listed) = order(&bridge, &["outbox", "list", "--json"])?;
        assert_eq!(code, Some(0), "{listed}");
        let rows: Vec<serde_json::Value> = listed.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        if rows.len() == 3 && rows[0]["error"].is_string() {
            break rows;
        }
        ensure!(Instant::now() < end, "{listed}");
        sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(rows[1]["behind"], rows[0]["id"]);
    let (_, table) = order(&bridge, &["outbox", "list"])?;
    assert!(
        table.contains("why it waits") && table.contains("again ") && table.contains("3 rows waiting"),
        "{table}"
    );

    let second = rows[1]["id"].to_string();
    let (code, told) = order(&bridge, &["outbox", "drop", &second])?;
    assert_eq!(code, Some(0), "{told}");
    let asked = Instant::now();
    let error = alice
        .wait(
            |el| el.name() == "message" && el.kind() == "error",
            "word that it was given up",
        )
        .await?;
    assert_eq!(error.attr("id"), Some(ids[1].as_str()));
    assert!(
        error.xml().contains("the operator of the gateway gave it up"),
        "{}",
        error.xml()
    );
    assert!(asked.elapsed() < Duration::from_secs(5));
    let (code, told) = order(&bridge, &["outbox", "drop", &second])?;
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(order(&bridge, &["outbox", "drop"])?.0, Some(2));

    let copy = bridge.folder.path().join("copy.db").display().to_string();
    for words in [
        &["store", "check"][..],
        &["store", "backup", &copy],
        &["store", "vacuum"],
    ] {
        let (code, told) = order(&bridge, words)?;
        assert_eq!(code, Some(0), "{words:?}: {told}");
    }
    let (code, told) = order(&bridge, &["store", "backup", &copy])?;
    assert!(code == Some(1) && told.contains("nothing was copied"), "{told}");

    bridge.sandbox.start_again().await?;
    wait_readyz(&bridge, true, "account main: online").await?;
    assert_eq!(order(&bridge, &["outbox", "retry", "--all"])?.0, Some(0));
    bridge
        .sandbox
        .wait_text(CATS, 0, "Alice W: three")
        .await
        .with_context(|| bridge.log())?;
    let on_qq = bridge.sandbox.messages(CATS, 0, Duration::ZERO).await?;
    let on_qq: Vec<String> = on_qq
        .iter()
        .map(|message| message.text().trim_end().to_owned())
        .collect();
    let ours: Vec<&String> = on_qq.iter().filter(|text| text.starts_with("Alice W: ")).collect();
    assert_eq!(ours, ["Alice W: before", "Alice W: one", "Alice W: three"]);
    Ok(())
}
