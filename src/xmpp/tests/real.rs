//! The component with Prosody and ejabberd, where they are installed.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use xmpp_parsers::message::Message;

use super::server::{Client, Server, ejabberd, prosody};
use super::{Outgoing, Running, State, chat};

fn start(server: &Server, secret: &str) -> Running {
    Running::start(&format!("localhost:{}", server.components), "qq.localhost", secret)
}

#[tokio::test]
async fn prosody_takes_and_proves_batches() {
    if let Some(server) = prosody().await {
        batches_and_receipts(&server).await;
    }
}

#[tokio::test]
async fn ejabberd_takes_and_proves_batches() {
    if let Some(server) = ejabberd().await {
        batches_and_receipts(&server).await;
    }
}

fn groupchat(from: &str, to: &str) -> Outgoing {
    let mut message = Message::groupchat(None);
    message.from = Some(from.parse().unwrap());
    Outgoing::one(message, to.parse::<jid::Jid>().unwrap())
}

async fn batches_and_receipts(server: &Server) {
    let mut running = start(server, "secret");
    let link = running.online().await;
    let mut client = Client::login(server, "p").await;
    for batch in 0..100 {
        let stanzas = (0..20).map(|n| chat("r@qq.localhost/小明", "alice@localhost/p", &format!("{batch}-{n}")));
        let mut receipt = link.write(stanzas.collect()).await.unwrap();
        receipt.taken().await.unwrap();
    }
    let seen = client.read_to("<body>99-19</body>").await;
    let bodies: Vec<_> = seen
        .split("<body>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect();
    let expected: Vec<_> = (0..100)
        .flat_map(|batch| (0..20).map(move |n| format!("{batch}-{n}")))
        .collect();
    assert_eq!(bodies, expected);
    // A bounce of the batch is here before its receipt.
    while running.events.try_recv().is_ok() {}
    let mut receipt = link
        .write(vec![groupchat("r@qq.localhost/小明", "alice@localhost/gone")])
        .await
        .unwrap();
    receipt.taken().await.unwrap();
    let bounced = std::iter::from_fn(|| running.events.try_recv().ok())
        .any(|event| event.from.as_str() == "alice@localhost/gone");
    assert!(bounced, "the receipt came before the bounce");
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_secret_is_told_from_an_unknown_domain() {
    for server in [prosody().await, ejabberd().await].into_iter().flatten() {
        let mut running = start(&server, "wrong");
        assert!(running.operator().await.contains("[xmpp] secret"));
        running.stop().await;
        let mut running = Running::start(&format!("localhost:{}", server.components), "other.localhost", "secret");
        let what = running.operator().await;
        // ejabberd takes any name at the handshake and then looks for a secret.
        assert!(
            what.contains("[xmpp] domain") || what.contains("[xmpp] secret"),
            "{what}"
        );
        running.stop().await;
        let mut running = Running::start(&format!("localhost:{}", server.clients), "qq.localhost", "secret");
        let what = running.operator().await;
        assert!(what.contains("component port"), "{what}");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_second_connection_to_ejabberd_is_noticed() {
    let Some(server) = ejabberd().await else { return };
    let mut first = start(&server, "secret");
    first.online().await;
    let mut second = start(&server, "secret");
    let status = second
        .until(|status| matches!(&status.state, State::Degraded(why) if why.contains("another connection")))
        .await;
    assert!(status.link.is_some());
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn two_on_one_prosody_stop_kicking_each_other() {
    let Some(server) = prosody().await else { return };
    let mut first = start(&server, "secret");
    first.online().await;
    let mut second = start(&server, "secret");
    tokio::select! {
        what = first.operator() => assert!(what.contains("another program")),
        what = second.operator() => assert!(what.contains("another program")),
    }
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_join_with_an_impossible_nick_is_refused_to_its_author() {
    // ejabberd refuses it itself.
    let Some(server) = prosody().await else { return };
    let mut running = start(&server, "secret");
    running.online().await;
    let mut client = Client::login(&server, "p").await;
    client
        .say("<presence id='j1' to='r@qq.localhost/😀'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
        .await;
    let seen = client.read_to("jid-malformed").await;
    let refusal = seen.rsplit("<presence").next().unwrap();
    assert!(
        refusal.contains("j1") && refusal.contains("r@qq.localhost/😀"),
        "{seen}"
    );
    running.stop().await;
}

#[tokio::test]
async fn ten_thousand_malformed_stanzas_leave_prosody_s_stream_up() {
    if let Some(server) = prosody().await {
        malformed(&server, 10_000).await;
    }
}

#[tokio::test]
async fn malformed_stanzas_leave_ejabberd_s_stream_up() {
    if let Some(server) = ejabberd().await {
        malformed(&server, 2_000).await;
    }
}

async fn malformed(server: &Server, count: usize) {
    let mut running = start(server, "secret");
    let link = running.online().await;
    let mut client = Client::login(server, "p").await;
    let mut rng = StdRng::seed_from_u64(0x5151);
    for n in 0..count {
        client.say(&strange(&mut rng, n)).await;
        if n % 200 == 199 {
            client
                .say(&format!(
                    "<message to='r@qq.localhost' id='mark-{n}'><body>x</body></message>"
                ))
                .await;
            let mark = format!("mark-{n}");
            loop {
                let event = running.event().await;
                if matches!(&event.stanza, tokio_xmpp::Stanza::Message(m) if m.id.as_ref().is_some_and(|id| id.0 == mark))
                {
                    break;
                }
            }
        }
    }
    let mut receipt = link
        .write(vec![chat("r@qq.localhost", "alice@localhost/p", "still here")])
        .await
        .unwrap();
    receipt.taken().await.unwrap();
    client.read_to("still here").await;
    assert!(!running.malformed.is_empty());
    running.stop().await;
}

/// A stanza that servers hand on, and that is wrong in some way more often than not.
fn strange(rng: &mut StdRng, n: usize) -> String {
    let pick = |rng: &mut StdRng, from: &[&str]| (*from.choose(rng).unwrap()).to_owned();
    let name = pick(rng, &["message", "presence", "iq"]);
    let kind = pick(
        rng,
        &[
            "",
            "bogus",
            "chat",
            "groupchat",
            "error",
            "get",
            "set",
            "result",
            "probe",
            "normal",
        ],
    );
    let kind = if kind.is_empty() {
        kind
    } else {
        format!(" type='{kind}'")
    };
    let to = pick(
        rng,
        &[
            "qq.localhost",
            "r@qq.localhost",
            "r@qq.localhost/n",
            "1@qq.localhost/😀",
            "u-x@qq.localhost/\u{85}",
        ],
    );
    let long = "z".repeat(rng.random_range(1..20_000));
    let depth = rng.random_range(1..2_000);
    let child = match rng.random_range(0..14) {
        0 => String::new(),
        1 => "<show>banana</show>".into(),
        2 => "<priority>9999</priority>".into(),
        3 => "<body>a</body><body>b</body><subject/><subject/>".into(),
        4 => "<a xmlns='u'/><b xmlns='u'/>".into(),
        5 => format!("<x xmlns='u' y='{long}'/>"),
        6 => format!("<x{long} xmlns='u'/>"),
        7 => format!("<x xmlns='u'>{}{}</x>", "<a>".repeat(depth), "</a>".repeat(depth)),
        8 => "<error/>".into(),
        9 => "<error type='bogus'><nothing xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>".into(),
        10 => "<x xmlns='u' xmlns:p='urn:p' p:y='1'><p:z xml:lang=''/></x>".into(),
        11 => "<x xmlns='http://jabber.org/protocol/muc'><history since='never' maxchars='-1'/></x>".into(),
        12 => "<thread/><thread/><body>\u{85}\u{fdd0}&#13;</body>".into(),
        _ => "text<x xmlns=''/>".into(),
    };
    format!("<{name} to='{to}' id='{n}'{kind}>{child}</{name}>")
}
