//! Puppets in a room of Prosody and of ejabberd: what the component hears of it.

use std::sync::atomic::Ordering;

use lab::jabber::RoomConfig;
use lab::{Jabber, Kind, Options, Server};
use tokio_xmpp::Stanza;
use xmpp_parsers::muc::Muc;
use xmpp_parsers::presence::{Presence, Type};

use super::{Outgoing, Running};

const ROOM: &str = "cats@conference.localhost";
const LISTENER: &str = "bridge@qq.localhost/cats";
const PUPPETS: [&str; 2] = [
    "10001@qq.localhost/gw",
    "u-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a@qq.localhost/gw",
];

fn join(from: &str, nick: &str) -> Outgoing {
    let mut presence = Presence::new(Type::None).with_payload(Muc::new());
    presence.from = Some(from.parse().unwrap());
    Outgoing::one(presence, format!("{ROOM}/{nick}").parse::<jid::Jid>().unwrap())
}

/// Reads up to a line that the listener hears; gives it and what came before.
async fn until_line(running: &mut Running, line: &str) -> Vec<(String, Stanza)> {
    let mut seen = Vec::new();
    loop {
        let event = running.event().await;
        let ends =
            matches!(&event.stanza, Stanza::Message(message) if message.bodies.values().any(|body| body == line));
        seen.push((event.to.to_string(), event.stanza));
        if ends {
            return seen;
        }
    }
}

fn presence_types(seen: &[(String, Stanza)], to: &str, nick: &str) -> Vec<Type> {
    let of_nick = |presence: &&Presence| {
        presence
            .from
            .as_ref()
            .is_some_and(|from| from.as_str() == format!("{ROOM}/{nick}"))
    };
    let presences = seen
        .iter()
        .filter(|(address, _)| address == to)
        .filter_map(|(_, stanza)| match stanza {
            Stanza::Presence(presence) => Some(presence),
            _ => None,
        });
    presences
        .filter(of_nick)
        .map(|presence| presence.type_.clone())
        .collect()
}

async fn a_room_with_puppets(kind: Kind) {
    if !lab::available(kind.name()) {
        return;
    }
    let server = Server::start(kind, &Options::default()).await.unwrap();
    let mut alice = Jabber::connect(&server, "alice", "one").await.unwrap();
    alice.create_room(ROOM, "Alice", &RoomConfig::default()).await.unwrap();
    let mut running = Running::start(
        &format!("127.0.0.1:{}", server.component_port()),
        "qq.localhost",
        "secret",
    );
    let link = running.online().await;
    for (who, nick) in [(LISTENER, "Bridge"), (PUPPETS[0], "小明"), (PUPPETS[1], "小红")] {
        link.write(vec![join(who, nick)]).await.unwrap();
        alice.wait_presence(&format!("{ROOM}/{nick}")).await.unwrap();
    }
    alice.say(ROOM, "first").await.unwrap();
    let seen = until_line(&mut running, "first").await;
    assert_eq!(presence_types(&seen, LISTENER, "Alice"), [Type::None]);
    for (puppet, nick) in PUPPETS.into_iter().zip(["小明", "小红"]) {
        assert_eq!(presence_types(&seen, puppet, nick), [Type::None], "{seen:?}");
        assert_eq!(presence_types(&seen, LISTENER, nick), [Type::None], "{seen:?}");
        assert!(presence_types(&seen, puppet, "Alice").is_empty(), "{seen:?}");
    }

    for number in 0..20 {
        alice.say(ROOM, &format!("line {number}")).await.unwrap();
    }
    alice.kick(ROOM, "小明", "too loud").await.unwrap();
    alice.say(ROOM, "last").await.unwrap();
    let seen = until_line(&mut running, "last").await;
    assert_eq!(presence_types(&seen, LISTENER, "小明"), [Type::Unavailable]);
    assert_eq!(presence_types(&seen, PUPPETS[0], "小明"), [Type::Unavailable]);
    let lines = |to: &str| {
        let to_it = seen.iter().filter(|(address, _)| address == to);
        to_it.filter(|(_, stanza)| matches!(stanza, Stanza::Message(_))).count()
    };
    assert_eq!([LISTENER, PUPPETS[0], PUPPETS[1]].map(lines), [21, 0, 0]);
    // A copy of each of the twenty lines for both puppets at least.
    assert!(running.inbox.copies.load(Ordering::Relaxed) > 40);
    assert_eq!(running.dropped.malformed.load(Ordering::Relaxed), 0);
    running.stop().await;
}

#[tokio::test]
async fn prosody_tells_puppets_much_and_we_read_what_concerns_them() {
    a_room_with_puppets(Kind::Prosody).await;
}

#[tokio::test]
async fn ejabberd_tells_puppets_much_and_we_read_what_concerns_them() {
    a_room_with_puppets(Kind::Ejabberd).await;
}
