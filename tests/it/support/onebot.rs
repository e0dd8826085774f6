//! A bridge whose account speaks `OneBot`: to the sandbox, which plays one of the programs, or to a program of other people.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use lab::jabber::{Join, Stanza as _};
use lab::onebot_mock::Script;
use lab::{Jabber, Kind, OneBotMock, Options, Sandbox, Server, TlsDoor, ports};
use minidom::Element;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::Bridge;

/// The `OneBot` group of the sandbox's default world.
pub(crate) const CATS: u64 = 346_000_004;
/// The room that is paired with it.
pub(crate) const CATS_ROOM: &str = "cats@qq.localhost";
/// The bridging account.
pub(crate) const BOT: u64 = 123_456_790;
/// A member of the group with a name that a room can show as it is.
pub(crate) const DMITRI: u64 = 700_100_201;
/// Another.
pub(crate) const CHEN: u64 = 700_100_200;
/// The programs that the sandbox plays.
pub(crate) const FLAVOURS: [&str; 4] = ["napcat", "llbot", "lagrange", "gocq"];
/// One row: the group with its room.
pub(crate) const CATS_ROW: &str = "[[mapping]]\ngroup = 346000004\nroom = \"cats@qq.localhost\"\n";

const TOKEN: &str = "a token of the tests";
/// How long the gateway may take to listen.
const LISTENS: Duration = Duration::from_secs(30);

/// Who calls whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The gateway connects to the program.
    Forward,
    /// The program connects to the gateway.
    Reverse,
}

/// What a test may want different about the far side.
#[derive(Clone, Debug)]
pub(crate) struct Far<'a> {
    /// The program that the sandbox plays.
    pub(crate) flavour: &'a str,
    /// Who calls whom.
    pub(crate) way: Way,
    /// The rows of the mapping, and what else is to stand in `bridge.toml`.
    pub(crate) rows: &'a str,
    /// More arguments for the sandbox.
    pub(crate) arguments: &'a [&'a str],
    /// What is different about the server.
    pub(crate) options: Options,
}

impl<'a> Far<'a> {
    /// That program, called by the gateway, with one room.
    pub(crate) fn of(flavour: &'a str) -> Self {
        Self {
            flavour,
            way: Way::Forward,
            rows: CATS_ROW,
            arguments: &[],
            options: Options::default(),
        }
    }

    /// The other way round.
    pub(crate) fn by(self, way: Way) -> Self {
        Self { way, ..self }
    }
}

impl Bridge {
    /// A bridge whose account is reached by `wss`, through a door whose certificate nobody trusts yet. The gateway does not run yet.
    pub(crate) async fn assemble_tls() -> anyhow::Result<Option<(Self, TlsDoor)>> {
        if !lab::available(Kind::Prosody.name()) {
            return Ok(None);
        }
        let server = Server::start(Kind::Prosody, &Options::default()).await?;
        let folder = tempfile::tempdir()?;
        let sandbox = Sandbox::start(&[]).await?;
        let door = TlsDoor::open(sandbox.address(), folder.path()).await?;
        let url = format!("wss://{}/onebot/v11/{BOT}", door.address());
        let bridge = Self::assembled(server, sandbox, folder, account(Way::Forward, &url, 0), CATS_ROW)?;
        Ok(Some((bridge, door)))
    }

    /// From now on the gateway trusts these certificates alone.
    pub(crate) fn trust(&mut self, certificates: &Path) {
        self.trusted = Some(certificates.to_owned());
    }

    /// As [`Bridge::start`], with a `OneBot` account.
    pub(crate) async fn start_onebot(kind: Kind, far: &Far<'_>) -> anyhow::Result<Option<Self>> {
        let Some((mut bridge, port)) = Self::assemble_far(kind, far).await? else {
            return Ok(None);
        };
        bridge.launch_gateway()?;
        if far.way == Way::Reverse {
            bridge.wait_port(port).await?;
            let url = format!("ws://127.0.0.1:{port}/");
            bridge.sandbox.connect_onebot(BOT, &url, TOKEN).await?;
        }
        bridge.wait_ready().await?;
        Ok(Some(bridge))
    }

    /// As [`Bridge::start_onebot`], called by a gateway that does not run yet.
    pub(crate) async fn assemble_onebot(kind: Kind, far: &Far<'_>) -> anyhow::Result<Option<Self>> {
        let assembled = Self::assemble_far(kind, far).await?;
        Ok(assembled.map(|(bridge, _)| bridge))
    }

    /// All but the gateway; and the port on which it is to listen.
    async fn assemble_far(kind: Kind, far: &Far<'_>) -> anyhow::Result<Option<(Self, u16)>> {
        if !lab::available(kind.name()) {
            return Ok(None);
        }
        let server = Server::start(kind, &far.options).await?;
        let folder = tempfile::tempdir()?;
        let state = folder.path().join("sandbox").display().to_string();
        let mut arguments = vec!["--state", &state, "--flavour", far.flavour];
        arguments.extend(far.arguments);
        let sandbox = Sandbox::start(&arguments).await?;
        let [port] = ports::free()?;
        let url = format!("ws://{}/onebot/v11/{BOT}", sandbox.address());
        let bridge = Self::assembled(server, sandbox, folder, account(far.way, &url, port), far.rows)?;
        Ok(Some((bridge, port)))
    }

    /// A bridge whose far side is the mock of other people. The sandbox stands by without an account.
    pub(crate) async fn start_mock(kind: Kind, way: Way, text: &str) -> anyhow::Result<Option<(Self, OneBotMock)>> {
        if !lab::available(kind.name()) || !lab::available("onebot-mock") {
            return Ok(None);
        }
        let script = Script {
            qq: BOT,
            group: CATS,
            sender: DMITRI,
            text: text.to_owned(),
            every: Duration::from_millis(500),
            access_token: TOKEN.to_owned(),
        };
        let server = Server::start(kind, &Options::default()).await?;
        let [port] = ports::free()?;
        let mock = match way {
            Way::Forward => OneBotMock::forward(&script).await?,
            Way::Reverse => OneBotMock::reverse(&script, &format!("ws://127.0.0.1:{port}/")).await?,
        };
        let sandbox = Sandbox::start(&[]).await?;
        let account = account(way, mock.url(), port);
        let mut bridge = Self::assembled(server, sandbox, tempfile::tempdir()?, account, CATS_ROW)?;
        bridge.start_gateway().await?;
        Ok(Some((bridge, mock)))
    }

    async fn wait_port(&mut self, port: u16) -> anyhow::Result<()> {
        let end = Instant::now() + LISTENS;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let runs = self.gateway.as_mut().is_some_and(lab::Process::is_running);
            if !runs || Instant::now() >= end {
                bail!("the gateway does not listen for OneBot\n{}", self.log());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn account(way: Way, url: &str, port: u16) -> String {
    let place = match way {
        Way::Forward => format!("url = \"{url}\""),
        Way::Reverse => format!("listen = \"127.0.0.1:{port}\"\nqq = {BOT}"),
    };
    format!(
        "[[account]]\nname = \"main\"\nprotocol = \"onebot\"\n{place}\naccess_token = \"{TOKEN}\"\n\
         send_every = \"100ms\"\n"
    )
}

/// Waits until the group's five people are occupants: the session reads their list after it came on line.
pub(crate) async fn cats_are_shown(client: &mut Jabber, join: &Join) -> anyhow::Result<()> {
    let mut shown: HashSet<String> = join.nicks().into_iter().map(str::to_owned).collect();
    while shown.len() < 5 {
        let here = |el: &Element| el.name() == "presence" && el.bare_from() == CATS_ROOM && el.kind().is_empty();
        let presence = client.wait(here, "presence of a member").await?;
        shown.insert(presence.nick().to_owned());
    }
    Ok(())
}

/// Everything that a client was shown in a room up to this body, in order: the messages with a body.
pub(crate) async fn shown_until(client: &mut Jabber, room: &str, last: &str) -> anyhow::Result<Vec<Element>> {
    let mut shown = Vec::new();
    loop {
        let of_room = |el: &Element| el.name() == "message" && el.kind() == "groupchat" && el.bare_from() == room;
        let stanza = client.wait(of_room, last).await?;
        let Some(body) = stanza.body() else { continue };
        let done = body == last;
        shown.push(stanza);
        if done {
            return Ok(shown);
        }
    }
}

/// What stands in the first segment of a kind.
pub(crate) fn segment<'a>(message: &'a lab::sandbox::Message, kind: &str) -> Option<&'a serde_json::Value> {
    let mut segments = message.message.iter();
    segments
        .find(|segment| segment["type"] == kind)
        .map(|segment| &segment["data"])
}

/// A number, whether written as one or as text.
pub(crate) fn number(value: &serde_json::Value) -> i64 {
    let text = || value.as_str().and_then(|text| text.parse().ok());
    value.as_i64().or_else(text).unwrap_or_default()
}
