//! Fifty people talk in the group and one in the room while the server restarts and the gateway is killed again and again. In the end
//! the room's own archive is the judge: whatever was said on one side stands on the other, once, in order.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use lab::jabber::{RoomConfig, Stanza as _, ns};
use lab::{Jabber, Kind};
use minidom::Element;
use tokio::time::{Instant, sleep};

use super::{ROOM, ROW};
use crate::support::Bridge;
use crate::support::onebot::{BOT, CATS, Far};

const RSM: &str = "http://jabber.org/protocol/rsm";
/// From the last word until everything has arrived: a gap in the group's history, a server that just came back.
const SETTLE: Duration = Duration::from_secs(150);

/// How long, how many, and what is done to them when.
struct Storm {
    time: Duration,
    speakers: u64,
    /// Between two words of the group, and between two words in the room.
    every: (Duration, Duration),
    kills: Vec<Duration>,
    restarts: Vec<Duration>,
    /// How long what was ended stays away.
    away: Duration,
}

/// Something done to a program.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Kill,
    Launch,
    StopServer,
    StartServer,
}

fn person(n: u64) -> u64 {
    720_000_000 + n
}

fn world(speakers: u64) -> anyhow::Result<String> {
    let mut text = format!(
        "[[account]]\nqq = {BOT}\nnickname = \"猫管家\"\nprotocol = \"onebot\"\n\n[[group]]\nnumber = {CATS}\nname = \"猫\"\nmembers = [\n  \
         {{ qq = {BOT}, nickname = \"猫管家\", card = \"\", role = \"member\" }},\n"
    );
    for n in 0..speakers {
        let role = if n == 0 { "owner" } else { "member" };
        writeln!(
            text,
            "  {{ qq = {}, nickname = \"喵 {n}\", card = \"\", role = \"{role}\" }},",
            person(n)
        )?;
    }
    text.push_str("]\n");
    Ok(text)
}

impl Storm {
    fn deeds(&self) -> VecDeque<(Duration, Deed)> {
        let pair = |times: &[Duration], one: Deed, other: Deed| {
            let both = times.iter().flat_map(|at| [(*at, one), (*at + self.away, other)]);
            both.collect::<Vec<_>>()
        };
        let mut all = pair(&self.kills, Deed::Kill, Deed::Launch);
        all.extend(pair(&self.restarts, Deed::StopServer, Deed::StartServer));
        all.sort_by_key(|(at, _)| *at);
        all.into()
    }

    async fn rage(&self, kind: Kind) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("world.toml");
        std::fs::write(&path, world(self.speakers)?)?;
        let path = path.display().to_string();
        let far = Far {
            rows: ROW,
            arguments: &["--world", &path],
            ..Far::of("napcat")
        };
        let Some(mut bridge) = Bridge::start_onebot(kind, &far).await? else {
            return Ok(());
        };
        let mut person = Person::enter(&bridge).await?;
        person.client()?.wait_presence(&format!("{ROOM}/QQ")).await?;
        let (said_on_qq, said_in_room) = self.talk(&mut bridge, &mut person).await?;
        let settled = settled(&bridge, &mut person, &said_on_qq, said_in_room).await;
        settled.with_context(|| bridge.log())
    }

    /// Words on both sides, and deeds; gives what was said on QQ, in order, and how much was tried in the room.
    async fn talk(&self, bridge: &mut Bridge, person: &mut Person) -> anyhow::Result<(Vec<String>, usize)> {
        let start = Instant::now();
        let mut deeds = self.deeds();
        let (mut next_qq, mut next_room) = (Duration::ZERO, Duration::from_millis(300));
        let mut said_on_qq = Vec::new();
        let mut said_in_room = 0;
        while start.elapsed() < self.time || !deeds.is_empty() {
            let now = start.elapsed();
            if let Some((_, deed)) = deeds.front().copied().filter(|(at, _)| now >= *at) {
                deeds.pop_front();
                match deed {
                    Deed::Kill => bridge.kill_gateway().await?,
                    Deed::Launch => bridge.launch_gateway()?,
                    Deed::StopServer => bridge.server.stop().await?,
                    Deed::StartServer => bridge.server.start_again().await?,
                }
            }
            if now >= next_qq && now < self.time {
                let n = said_on_qq.len() as u64;
                let text = format!("q{n:05}");
                bridge
                    .sandbox
                    .say(CATS, self::person(n % self.speakers), text.as_str())
                    .await?;
                said_on_qq.push(text);
                next_qq += self.every.0;
            }
            if now >= next_room && now < self.time {
                person.try_to_say(bridge, &format!("r{said_in_room:05}")).await;
                said_in_room += 1;
                next_room += self.every.1;
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok((said_on_qq, said_in_room))
    }
}

/// Somebody in the room who comes back when their server does.
struct Person(Option<Jabber>);

impl Person {
    async fn enter(bridge: &Bridge) -> anyhow::Result<Self> {
        let mut alice = bridge.jabber("alice", "phone").await?;
        let config = RoomConfig {
            persistent: Some(true),
            ..RoomConfig::default()
        };
        alice.create_room(ROOM, "Alice W", &config).await?;
        Ok(Self(Some(alice)))
    }

    fn client(&mut self) -> anyhow::Result<&mut Jabber> {
        self.0.as_mut().context("alice is off line")
    }

    /// What cannot be said is no loss: nobody accepted it.
    async fn try_to_say(&mut self, bridge: &Bridge, text: &str) {
        if self.0.is_none() {
            self.0 = Self::back(bridge).await.ok();
        }
        if let Some(client) = &mut self.0 {
            client.take_all();
            if client.say(ROOM, text).await.is_err() {
                self.0 = None;
            }
        }
    }

    async fn back(bridge: &Bridge) -> anyhow::Result<Jabber> {
        let mut client = bridge.jabber("alice", "phone").await?;
        client.set_limit(Duration::from_secs(10));
        client.join(ROOM, "Alice W").await?;
        Ok(client)
    }

    /// The whole archive of the room: who said what, oldest first.
    async fn archive(&mut self, bridge: &Bridge) -> anyhow::Result<Vec<(String, String)>> {
        if self.0.is_none() {
            self.0 = Some(Self::back(bridge).await?);
        }
        let read = self.read().await;
        if read.is_err() {
            self.0 = None;
        }
        read
    }

    async fn read(&mut self) -> anyhow::Result<Vec<(String, String)>> {
        let client = self.client()?;
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            client.take_all();
            let query = format!(
                "<query xmlns='{}' queryid='storm'><set xmlns='{RSM}'><max>100</max>{after}</set></query>",
                ns::MAM
            );
            let end = client.iq(ROOM, "set", &query).await?;
            all.extend(client.take_all().iter().filter_map(archived));
            let fin = end.child("fin", ns::MAM).context("the end of a page")?;
            let last = fin.get_child("set", RSM).and_then(|set| set.get_child("last", RSM));
            match last {
                Some(last) if fin.attr("complete") != Some("true") => after = format!("<after>{}</after>", last.text()),
                _ => return Ok(all),
            }
        }
    }
}

/// Nick and words of an archived message.
fn archived(stanza: &Element) -> Option<(String, String)> {
    let result = stanza.child("result", ns::MAM)?;
    let message = result.descend(&[("forwarded", ns::FORWARD)])?;
    let message = message.children().find(|child| child.name() == "message")?;
    let nick = message.attr("from")?.split_once('/')?.1.to_owned();
    Some((nick, message.body()?))
}

/// Waits until both sides have everything, and nothing twice or out of order.
async fn settled(bridge: &Bridge, person: &mut Person, said_on_qq: &[String], tried: usize) -> anyhow::Result<()> {
    let end = Instant::now() + SETTLE;
    loop {
        let room = person.archive(bridge).await;
        let verdict = match room {
            Ok(room) => judge(&room, &on_qq(bridge).await?, said_on_qq),
            Err(error) => Err(error),
        };
        match verdict {
            Ok((from_qq, from_room)) => {
                println!(
                    "storm: {from_qq} from QQ, {from_room} of {tried} from the room, nothing lost, doubled or disordered"
                );
                return Ok(());
            }
            Err(error) if Instant::now() >= end => bail!("after {SETTLE:?}: {error:#}"),
            Err(_) => sleep(Duration::from_secs(1)).await,
        }
    }
}

/// What the gateway's account said in the group, oldest first.
async fn on_qq(bridge: &Bridge) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = bridge.sandbox.messages(CATS, after, Duration::ZERO).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.id;
        let by_bot = page.iter().filter(|message| message.from == BOT);
        all.extend(by_bot.map(lab::sandbox::Message::text));
    }
}

fn judge(room: &[(String, String)], on_qq: &[String], said_on_qq: &[String]) -> anyhow::Result<(usize, usize)> {
    let marked = |text: &str, mark: char| {
        let at = text.find(mark)?;
        let word = text.get(at..at + 6)?;
        word[1..].bytes().all(|b| b.is_ascii_digit()).then(|| word.to_owned())
    };
    let from_qq: Vec<String> = room
        .iter()
        .filter(|(nick, _)| nick != "Alice W")
        .filter_map(|(_, text)| marked(text, 'q'))
        .collect();
    let from_room: Vec<String> = room
        .iter()
        .filter(|(nick, _)| nick == "Alice W")
        .filter_map(|(_, text)| marked(text, 'r'))
        .collect();
    same("from QQ in the room", &from_qq, said_on_qq)?;
    let brought: Vec<String> = on_qq.iter().filter_map(|text| marked(text, 'r')).collect();
    same("from the room on QQ", &brought, &from_room)?;
    let foreign: Vec<&String> = on_qq.iter().filter(|text| !text.starts_with("Alice W: r")).collect();
    ensure!(foreign.is_empty(), "other words went to QQ: {foreign:?}");
    Ok((from_qq.len(), from_room.len()))
}

fn same(what: &str, got: &[String], wanted: &[String]) -> anyhow::Result<()> {
    let differs = got.iter().zip(wanted).position(|(got, wanted)| got != wanted);
    if let Some(at) = differs {
        let near = |all: &[String]| all[at.saturating_sub(3)..all.len().min(at + 5)].to_vec();
        bail!("{what}: at {at} {:?} in place of {:?}", near(got), near(wanted));
    }
    ensure!(got.len() == wanted.len(), "{what}: {} of {}", got.len(), wanted.len());
    Ok(())
}

fn seconds(all: &[u64]) -> Vec<Duration> {
    all.iter().copied().map(Duration::from_secs).collect()
}

fn short() -> Storm {
    Storm {
        time: Duration::from_secs(40),
        speakers: 12,
        every: (Duration::from_millis(400), Duration::from_millis(700)),
        kills: seconds(&[8, 30]),
        restarts: seconds(&[19]),
        away: Duration::from_secs(3),
    }
}

fn long() -> Storm {
    Storm {
        time: Duration::from_secs(600),
        speakers: 50,
        every: (Duration::from_millis(500), Duration::from_millis(900)),
        kills: seconds(&[60, 170, 250, 420, 530]),
        restarts: seconds(&[120, 360]),
        away: Duration::from_secs(5),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_storm_on_prosody() -> anyhow::Result<()> {
    short().rage(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_storm_on_ejabberd() -> anyhow::Result<()> {
    short().rage(Kind::Ejabberd).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten minutes"]
async fn a_long_storm_on_prosody() -> anyhow::Result<()> {
    long().rage(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten minutes"]
async fn a_long_storm_on_ejabberd() -> anyhow::Result<()> {
    long().rage(Kind::Ejabberd).await
}
