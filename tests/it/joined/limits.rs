//! Rooms that take only so much: a normal busy group is not refused where people would notice, and nothing is lost.

use std::time::Duration;

use anyhow::Context as _;
use lab::jabber::{RoomConfig, Stanza as _, Whom};
use lab::server::{Muc, MucLimits};
use lab::{Jabber, Kind, Options};
use minidom::Element;
use tokio::time::{Instant, sleep};

use super::{LIMIT, LISTENER, QQ, SPEAKERS, archive, assemble, group, person, room, row, said_by_bot, wait_in};
use crate::support::Bridge;

/// Ten people say so much in all.
const LINES: usize = 40;
/// And this in the room.
const ANSWERS: usize = 10;
/// Over so long.
const TIME: Duration = Duration::from_secs(20);

/// What the listener is in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Admin,
    Nobody,
}

/// A bridge in a room with limits, and the room's owner, whom limits do not touch, with a person whom they do.
async fn start(kind: Kind, muc: Muc, standing: Standing) -> anyhow::Result<Option<(Bridge, Jabber, Jabber)>> {
    let options = Options {
        muc,
        ..Options::default()
    };
    let rows = row(0, "busy", "");
    let Some((mut bridge, mut alice)) = assemble(kind, options, 1, &rows).await? else {
        return Ok(None);
    };
    let persistent = RoomConfig {
        persistent: Some(true),
        ..RoomConfig::default()
    };
    alice.create_room(&room("busy"), "Alice W", &persistent).await?;
    if standing == Standing::Admin {
        alice
            .set_affiliation(&room("busy"), Whom::Jid(LISTENER), "admin", "")
            .await?;
    }
    bridge.start_gateway().await?;
    wait_in(&mut alice, &room("busy"), QQ).await?;
    let mut bob = person(&bridge, "bob").await?;
    bob.join(&room("busy"), "Bob").await?;
    Ok(Some((bridge, alice, bob)))
}

/// A group talks as busy groups do, and a person answers now and then.
async fn busy(kind: Kind, muc: Muc) -> anyhow::Result<()> {
    let Some((bridge, mut alice, mut bob)) = start(kind, muc, Standing::Admin).await? else {
        return Ok(());
    };
    // Bob's own entry filled the room's bucket.
    sleep(Duration::from_secs(6)).await;
    let start = Instant::now();
    let (mut said, mut answered) = (0, 0);
    while said < LINES || answered < ANSWERS {
        let part = |n: usize, all: usize| {
            TIME.mul_f64(f64::from(u32::try_from(n).unwrap_or(0)) / f64::from(u32::try_from(all).unwrap_or(1)))
        };
        if said < LINES && start.elapsed() >= part(said, LINES) {
            let speaker = SPEAKERS + u64::try_from(said % 10)?;
            bridge.sandbox.say(group(0), speaker, format!("q{said:02}")).await?;
            said += 1;
        }
        if answered < ANSWERS && start.elapsed() >= part(answered, ANSWERS) {
            bob.say(&room("busy"), &format!("r{answered:02}")).await?;
            answered += 1;
        }
        sleep(Duration::from_millis(20)).await;
    }
    let done = settled(&bridge, &mut alice, LINES, ANSWERS).await;
    done.with_context(|| bridge.log())?;
    let refused = |el: &&Element| el.name() == "message" && el.kind() == "error";
    let refusals = bob.take_all();
    assert_eq!(
        refusals.iter().find(refused).map(lab::jabber::Stanza::xml),
        None,
        "bob was refused"
    );
    // Each under their own nick: nobody was too many.
    let shown = archive(&mut alice, &room("busy")).await?;
    let by_listener = shown.iter().filter(|(nick, _)| nick == QQ).count();
    assert_eq!(by_listener, 0, "{shown:?}");
    Ok(())
}

/// Without any standing the room's limit is for all visitors together: everything arrives, in its time.
async fn slow() -> anyhow::Result<()> {
    let muc = Muc {
        limits: Some(MucLimits::default()),
        ..Muc::default()
    };
    let Some((bridge, mut alice, _bob)) = start(Kind::Prosody, muc, Standing::Nobody).await? else {
        return Ok(());
    };
    let lines = 6;
    for n in 0..lines {
        let speaker = SPEAKERS + u64::try_from(n % 3)?;
        bridge.sandbox.say(group(0), speaker, format!("q{n:02}")).await?;
    }
    let done = settled(&bridge, &mut alice, lines, 0).await;
    done.with_context(|| bridge.log())
}

/// Waits until both sides have everything, once and in order.
async fn settled(bridge: &Bridge, alice: &mut Jabber, lines: usize, answers: usize) -> anyhow::Result<()> {
    let numbered = |mark: char, n: usize| (0..n).map(|n| format!("{mark}{n:02}")).collect::<Vec<_>>();
    let end = Instant::now() + LIMIT * 3;
    loop {
        let shown = archive(alice, &room("busy")).await?;
        let words = |mark: char| {
            let of = |(_, body): &(String, String)| body.split(' ').next_back().map(str::to_owned);
            let all = shown.iter().filter_map(of);
            all.filter(|word| word.starts_with(mark) && word.len() == 3)
                .collect::<Vec<_>>()
        };
        let on_qq = said_by_bot(bridge, group(0)).await?;
        let on_qq: Vec<String> = on_qq
            .iter()
            .filter_map(|text| Some(text.strip_prefix("Bob: ")?.to_owned()))
            .collect();
        let (in_room, by_bob) = (words('q'), words('r'));
        if in_room.len() >= lines && on_qq.len() >= answers {
            assert_eq!(in_room, numbered('q', lines));
            assert_eq!(by_bob, numbered('r', answers));
            assert_eq!(on_qq, by_bob);
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < end, "in the room {in_room:?}, on QQ {on_qq:?}");
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_group_in_a_limited_room_of_prosody() -> anyhow::Result<()> {
    let limits = Some(MucLimits::default());
    busy(
        Kind::Prosody,
        Muc {
            limits,
            ..Muc::default()
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_group_with_ejabberd_s_own_defaults() -> anyhow::Result<()> {
    busy(
        Kind::Ejabberd,
        Muc {
            own_defaults: true,
            ..Muc::default()
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_in_a_limited_room_is_slow_and_loses_nothing() -> anyhow::Result<()> {
    slow().await
}
