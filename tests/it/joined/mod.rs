//! Rooms of other services: the server's own MUC, or a neighbour's, which know nothing of us.
//!
//! - `talk`: words cross both ways, each member under a nick of their own
//! - `entry`: how the listener and the puppets get in, and what is done when they do not
//! - `motion`: who comes, goes, is renamed, is put out
//! - `both_ways`: replies, recalls, reactions and the like
//! - `away`: what was said while the gateway or the server was away
//! - `limits`: rooms that take only so much
//! - `neighbour`: a room on another server
//! - `storm`: all of it at once, and the room's own archive is the judge
//! - `check`: what `check --online` says of them

mod away;
mod both_ways;
mod check;
mod entry;
mod limits;
mod motion;
mod neighbour;
mod storm;
mod talk;

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use lab::jabber::{Join, Stanza as _, ns};
use lab::{Jabber, Kind, Options};
use minidom::Element;

use crate::support::Bridge;
use crate::support::onebot::{BOT, CHEN, DMITRI, Far};

/// A room on the server's own MUC.
pub(super) const ROOM: &str = "cats@conference.localhost";
/// The row that pairs it with the cats' group.
pub(super) const ROW: &str = "[[mapping]]\ngroup = 346000004\nroom = \"cats@conference.localhost\"\n";
/// The listener's address, without a resource.
pub(super) const LISTENER: &str = "bridge@qq.localhost";
/// Its nick.
pub(super) const QQ: &str = "QQ";
/// Longer than the gateway's shortest waits and its paces, on a busy machine.
pub(super) const LIMIT: Duration = Duration::from_secs(40);

/// Members of every group of [`world`], beside `Dmitri` and `三花的妈`.
pub(super) const LUNA: u64 = 700_100_202;
pub(super) const OSKAR: u64 = 700_100_203;
pub(super) const YUKI: u64 = 700_100_204;
/// A card that is too long where nicks have 23 bytes.
pub(super) const LONG: u64 = 700_100_205;
pub(super) const LONG_CARD: &str = "一二三四五六七八九十";
/// The first of ten more, who are called `Speaker 0` to `Speaker 9`.
pub(super) const SPEAKERS: u64 = 700_100_300;

/// A bridge with one joined room, and a person who made it; `None` when the server is not installed here.
pub(super) async fn start(kind: Kind, rows: &str) -> anyhow::Result<Option<(Bridge, Jabber, Join)>> {
    let far = Far {
        rows,
        ..Far::of("napcat")
    };
    let Some(bridge) = Bridge::start_onebot(kind, &far).await? else {
        return Ok(None);
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    let join = alice.join(ROOM, "Alice W").await?;
    alice.wait_presence(&format!("{ROOM}/QQ")).await?;
    Ok(Some((bridge, alice, join)))
}

/// Everything but the gateway, in a world with so many groups of the same people; and the admin, whose client is on line. `None`
/// when the server is not installed here.
pub(super) async fn assemble(
    kind: Kind,
    options: Options,
    groups: u64,
    rows: &str,
) -> anyhow::Result<Option<(Bridge, Jabber)>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("world.toml");
    std::fs::write(&path, world(groups)?)?;
    let path = path.to_str().context("the temporary folder's name is not UTF-8")?;
    let far = Far {
        rows,
        arguments: &["--world", path],
        options,
        ..Far::of("napcat")
    };
    let Some(mut bridge) = Bridge::assemble_onebot(kind, &far).await? else {
        return Ok(None);
    };
    bridge.sandbox.set_limit(LIMIT);
    let alice = person(&bridge, "alice").await?;
    Ok(Some((bridge, alice)))
}

/// Somebody with an account of the server, who is patient.
pub(super) async fn person(bridge: &Bridge, name: &str) -> anyhow::Result<Jabber> {
    let mut person = bridge.jabber(name, "phone").await?;
    person.set_limit(LIMIT);
    Ok(person)
}

/// The number of a group of [`world`], from 0 on.
pub(super) fn group(n: u64) -> u64 {
    346_001_000 + n
}

/// The address of a room of the server's own.
pub(super) fn room(name: &str) -> String {
    format!("{name}@conference.localhost")
}

/// The row of a group and a room, with more lines.
pub(super) fn row(n: u64, name: &str, more: &str) -> String {
    format!("[[mapping]]\ngroup = {}\nroom = \"{}\"\n{more}\n", group(n), room(name))
}

fn world(groups: u64) -> anyhow::Result<String> {
    let mut world = format!("[[account]]\nqq = {BOT}\nnickname = \"猫管家\"\nprotocol = \"onebot\"\n");
    for n in 0..groups {
        write!(
            world,
            "\n[[group]]\nnumber = {}\nname = \"Group {n}\"\nmembers = [\n",
            group(n)
        )?;
        let mut member = |qq: u64, nickname: &str, card: &str, role: &str| {
            writeln!(
                world,
                "  {{ qq = {qq}, nickname = \"{nickname}\", card = \"{card}\", role = \"{role}\" }},"
            )
        };
        member(CHEN, "陈静", "三花的妈", "owner")?;
        member(DMITRI, "Dmitri", "", "member")?;
        member(LUNA, "Luna", "", "member")?;
        member(OSKAR, "Oskar", "", "member")?;
        member(YUKI, "Yuki", "", "member")?;
        member(LONG, "long", LONG_CARD, "member")?;
        for speaker in 0..10 {
            member(SPEAKERS + speaker, &format!("Speaker {speaker}"), "", "member")?;
        }
        member(BOT, "猫管家", "", "admin")?;
        world.push_str("]\n");
    }
    Ok(world)
}

/// Waits until somebody is in a room under that nick, whoever they are.
pub(super) async fn wait_in(client: &mut Jabber, room: &str, nick: &str) -> anyhow::Result<Element> {
    let from = format!("{room}/{nick}");
    let wanted = |el: &Element| el.name() == "presence" && el.from() == from && el.kind().is_empty();
    client.wait(wanted, &format!("presence of {from}")).await
}

/// Waits until somebody is in that room no more.
pub(super) async fn wait_out(client: &mut Jabber, room: &str, nick: &str) -> anyhow::Result<Element> {
    let from = format!("{room}/{nick}");
    let wanted = |el: &Element| el.name() == "presence" && el.from() == from && el.kind() == "unavailable";
    client.wait(wanted, &format!("leave of {from}")).await
}

/// Waits for a word of the gateway to its admin about a room.
pub(super) async fn wait_word(admin: &mut Jabber, room: &str, part: &str) -> anyhow::Result<String> {
    let wanted = |el: &Element| is_word(el, room) && el.body().is_some_and(|body| body.contains(part));
    let word = admin.wait(wanted, &format!("word about {room}: {part}")).await?;
    Ok(word.body().unwrap_or_default())
}

/// Whether that is a word of the gateway to its admin about a room.
pub(super) fn is_word(el: &Element, room: &str) -> bool {
    let about = format!("room {room}: ");
    el.name() == "message" && el.from() == "qq.localhost" && el.body().is_some_and(|body| body.starts_with(&about))
}

/// Who said what in a room, up to this body: nick and words.
pub(super) async fn lines_until(client: &mut Jabber, room: &str, last: &str) -> anyhow::Result<Vec<(String, String)>> {
    let shown = crate::support::onebot::shown_until(client, room, last).await?;
    let line = |el: &Element| Some((el.nick().to_owned(), el.body()?));
    Ok(shown.iter().filter_map(line).collect())
}

/// What the account said in a group: all of it, in order.
pub(super) async fn said_by_bot(bridge: &Bridge, group: u64) -> anyhow::Result<Vec<String>> {
    let said = bridge.sandbox.messages(group, 0, Duration::ZERO).await?;
    let by_bot = said.iter().filter(|message| message.from == BOT);
    Ok(by_bot.map(lab::sandbox::Message::shown).collect())
}

/// The archive of a room, which is small: who said what, in order (XEP-0313).
pub(super) async fn archive(client: &mut Jabber, room: &str) -> anyhow::Result<Vec<(String, String)>> {
    client.take_all();
    let query = "<query xmlns='urn:xmpp:mam:2' queryid='all'><set xmlns='http://jabber.org/protocol/rsm'>\
                 <max>250</max></set></query>";
    let end = client.iq(room, "set", query).await?;
    anyhow::ensure!(end.kind() == "result", "{}", end.xml());
    let way = [("result", ns::MAM), ("forwarded", ns::FORWARD), ("message", ns::CLIENT)];
    let found = client.take_all();
    let said = found.iter().filter_map(|el| el.descend(&way));
    Ok(said.filter_map(|el| Some((el.nick().to_owned(), el.body()?))).collect())
}

/// What is expected of [`archive`] and [`lines_until`].
pub(super) fn line(nick: &str, body: &str) -> (String, String) {
    (nick.to_owned(), body.to_owned())
}
