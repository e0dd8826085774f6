//! The rooms of a run, the people in their groups, and the files that tell the sandbox and the gateway of them.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// The bridging accounts.
pub(crate) const WEBQQ: u64 = 123_456_789;
pub(crate) const ONEBOT: u64 = 123_456_790;
/// Members of each group who speak.
pub(crate) const SPEAKERS: u64 = 6;

/// How the gateway reaches the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    WebQq,
    OneBot,
}

/// Who hosts the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    Gateway,
    Server,
}

/// A group and its room.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) number: usize,
    pub(crate) protocol: Protocol,
    pub(crate) host: Host,
    pub(crate) jid: String,
    pub(crate) group: u64,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WebQq => "webqq",
            Self::OneBot => "onebot",
        }
    }
}

impl Host {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "hosted",
            Self::Server => "joined",
        }
    }
}

impl Room {
    /// The account that bridges it.
    pub(crate) fn account(&self) -> u64 {
        match self.protocol {
            Protocol::WebQq => WEBQQ,
            Protocol::OneBot => ONEBOT,
        }
    }

    /// Somebody in the group.
    pub(crate) fn speaker(&self, n: u64) -> u64 {
        720_000_000 + self.number as u64 * 100 + n % SPEAKERS
    }
}

/// So many rooms; four are each combination once.
pub(crate) fn rooms(count: usize) -> Vec<Room> {
    let room = |number: usize| {
        let protocol = [Protocol::WebQq, Protocol::OneBot][number % 2];
        let host = [Host::Gateway, Host::Server][number / 2 % 2];
        let service = match host {
            Host::Gateway => "qq.localhost",
            Host::Server => "conference.localhost",
        };
        Room {
            number,
            protocol,
            host,
            jid: format!("r{number}@{service}"),
            group: 346_002_000 + number as u64,
        }
    };
    (0..count).map(room).collect()
}

/// `world.toml`.
pub(crate) fn world(rooms: &[Room]) -> String {
    let mut text = format!(
        "[[account]]\nqq = {WEBQQ}\nnickname = \"小桥\"\npassword = \"sandbox\"\nprotocol = \"webqq\"\n\n\
         [[account]]\nqq = {ONEBOT}\nnickname = \"猫管家\"\nprotocol = \"onebot\"\n"
    );
    for room in rooms {
        let (number, group, account) = (room.number, room.group, room.account());
        let _ = write!(
            text,
            "\n[[group]]\nnumber = {group}\nname = \"群 {number}\"\nmembers = [\n  \
             {{ qq = {account}, nickname = \"桥\", card = \"\", role = \"admin\" }},\n"
        );
        for n in 0..SPEAKERS {
            let role = if n == 0 { "owner" } else { "member" };
            let qq = room.speaker(n);
            let _ = writeln!(
                text,
                "  {{ qq = {qq}, nickname = \"喵 {number}.{n}\", card = \"\", role = \"{role}\" }},"
            );
        }
        text.push_str("]\n");
    }
    text
}

/// Where the gateway finds everybody.
pub(crate) struct Ways {
    pub(crate) component: SocketAddr,
    pub(crate) secret: String,
    pub(crate) webqq: SocketAddr,
    pub(crate) onebot: SocketAddr,
    pub(crate) http: SocketAddr,
    /// The store's file.
    pub(crate) store: String,
}

/// `bridge.toml`. What QQ does not take is given up so soon that a run sees it.
pub(crate) fn bridge(rooms: &[Room], ways: &Ways) -> String {
    let Ways {
        component,
        secret,
        webqq,
        onebot,
        http,
        store,
    } = ways;
    let mut text = format!(
        "[xmpp]\ndomain = \"qq.localhost\"\nserver = \"{component}\"\nsecret = \"{secret}\"\nadmins = [\"alice@localhost\"]\n\n\
         [store]\npath = \"{store}\"\n\n[http]\nlisten = \"{http}\"\n\n[relay]\ngive_up = \"1m\"\n\n\
         [[account]]\nname = \"classic\"\nprotocol = \"webqq\"\nserver = \"http://{webqq}\"\nlogin = \"qr\"\nsend_every = \"200ms\"\n\n\
         [[account]]\nname = \"main\"\nprotocol = \"onebot\"\nurl = \"ws://{onebot}/onebot/v11/{ONEBOT}\"\nsend_every = \"100ms\"\n"
    );
    for room in rooms {
        let account = match room.protocol {
            Protocol::WebQq => "classic",
            Protocol::OneBot => "main",
        };
        let (number, group, jid) = (room.number, room.group, &room.jid);
        let _ = write!(
            text,
            "\n[[mapping]]\naccount = \"{account}\"\ngroup = {group}\nroom = \"{jid}\"\n"
        );
        // For a service that tells no numbers.
        if room.protocol == Protocol::WebQq {
            let _ = writeln!(text, "group_name = \"群 {number}\"");
        }
    }
    text
}
