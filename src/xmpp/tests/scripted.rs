//! What the component does when the server does this or that.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_xmpp::Stanza;

use super::fake::{Fake, HEADER};
use super::{Refused, Running, State, chat};

fn start(fake: &Fake) -> Running {
    Running::start(&fake.address, "qq.ex", "456")
}

async fn refused_with(answer: &str) -> String {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.connection().await;
    peer.say(answer).await;
    let what = running.operator().await;
    running.stop().await;
    what
}

fn stream_error(condition: &str) -> String {
    format!("<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
}

#[tokio::test]
async fn the_operator_learns_what_is_wrong() {
    let with = |condition| refused_with_owned(format!("{HEADER}{}", stream_error(condition)));
    assert!(with("not-authorized").await.contains("[xmpp] secret"));
    assert!(with("host-unknown").await.contains("[xmpp] domain"));
    assert!(with("invalid-namespace").await.contains("component port"));
    assert!(
        refused_with("HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .contains("component port")
    );
}

async fn refused_with_owned(answer: String) -> String {
    refused_with(&answer).await
}

#[tokio::test]
async fn a_refused_port_and_an_unknown_name_are_told_apart() {
    let mut running = Running::start("127.0.0.1:1", "qq.ex", "s");
    let status = running.until(|status| status.state != State::Starting).await;
    assert!(matches!(status.state, State::Degraded(why) if why.contains("no connection")));
    running.stop().await;
    let mut running = Running::start("no-such-host.invalid:5347", "qq.ex", "s");
    let status = running.until(|status| status.state != State::Starting).await;
    assert!(matches!(status.state, State::Degraded(why) if why.contains("looked up")));
    running.stop().await;
}

#[tokio::test]
async fn it_comes_back_within_a_second_of_a_restart() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    for _ in 0..2 {
        let peer = fake.component().await;
        let link = running.online().await;
        drop(peer);
        running.until(|status| status.link.is_none()).await;
        let lost = Instant::now();
        assert!(link.write(vec![]).await.is_err());
        drop(fake.connection().await);
        assert!(lost.elapsed() < Duration::from_secs(1));
    }
    running.stop().await;
}

#[tokio::test]
async fn kicked_twice_it_stays_away() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    for _ in 0..2 {
        let mut peer = fake.component().await;
        peer.say(&stream_error("conflict")).await;
    }
    assert!(running.operator().await.contains("another program"));
    running.stop().await;
}

#[tokio::test]
async fn a_receipt_comes_behind_the_barrier_that_is_behind_the_batch() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.component().await;
    let link = running.online().await;
    let batch = |n| {
        (0..3)
            .map(|i| chat("1@qq.ex", "ann@ex.org/p", &format!("{n}-{i}")))
            .collect()
    };
    let mut first = link.write(batch(1)).await.unwrap();
    for i in 0..3 {
        assert!(peer.element().await.contains(&format!("<body>1-{i}</body>")));
    }
    let barrier = peer.element().await;
    assert!(
        barrier.starts_with("<iq type='get' from='qq.ex' to='qq.ex'"),
        "{barrier}"
    );
    let mut second = link.write(batch(2)).await.unwrap();
    for i in 0..3 {
        assert!(peer.element().await.contains(&format!("<body>2-{i}</body>")));
    }
    // One barrier at a time: the second batch waits for the first one's.
    let early = tokio::time::timeout(Duration::from_millis(100), peer.element()).await;
    assert!(early.is_err(), "{early:?}");
    let none = tokio::time::timeout(Duration::from_millis(10), first.taken()).await;
    assert!(none.is_err());
    peer.say(&barrier).await;
    first.taken().await.unwrap();
    let barrier = peer.element().await;
    peer.say(&barrier).await;
    second.taken().await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_crowd_is_not_written_ahead_of_the_server() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.component().await;
    let link = running.online().await;
    let mut crowd = chat("1@qq.ex", "ann@ex.org/p", "x");
    crowd.to = (0..3000).map(|n| format!("ann@ex.org/{n}").parse().unwrap()).collect();
    let mut receipt = link.write(vec![crowd]).await.unwrap();
    let (mut stanzas, mut ahead, mut most) = (0, 0, 0);
    while stanzas < 3000 {
        let mut barrier = None;
        // What comes until nothing more does, and then the server takes it.
        while let Ok(element) = tokio::time::timeout(Duration::from_millis(100), peer.element()).await {
            if element.starts_with("<iq") {
                barrier = Some(element);
            } else {
                stanzas += 1;
                ahead += 1;
            }
        }
        most = most.max(ahead);
        ahead = 0;
        peer.say(&barrier.expect("each pause stands behind a barrier")).await;
    }
    assert!((512..=1536).contains(&most), "{most} at once");
    let last = peer.element().await;
    peer.say(&last).await;
    receipt.taken().await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_lost_barrier_is_a_lost_stream() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.component().await;
    let link = running.online().await;
    let mut receipt = link.write(vec![chat("1@qq.ex", "ann@ex.org/p", "x")]).await.unwrap();
    peer.element().await;
    peer.element().await;
    assert!(receipt.taken().await.is_err());
    let status = running.until(|status| status.link.is_none()).await;
    assert!(matches!(status.state, State::Degraded(why) if why.contains("ping to ourselves")));
    running.stop().await;
}

#[tokio::test]
async fn a_clean_stop_writes_what_it_holds_and_says_goodbye() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let peer = fake.component().await;
    let link = running.online().await;
    for n in 0..50 {
        link.post(vec![chat("1@qq.ex", "ann@ex.org/p", &n.to_string())])
            .await
            .unwrap();
    }
    running.shutdown.cancel();
    let (said, ()) = tokio::join!(peer.closed(), running.stop());
    assert_eq!(said.matches("<message").count(), 50);
    assert!(said.ends_with("</stream:stream>"));
}

#[tokio::test]
async fn what_is_not_ours_or_not_xml_does_not_go_out() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.component().await;
    let link = running.online().await;
    let mut stanzas = vec![
        chat("ann@ex.org", "bob@ex.org", "forged"),
        chat("1@qq.ex", "a@ex.org", "\u{1}\u{ffff}x"),
    ];
    stanzas.push(chat("1@qq.ex", "a@ex.org", "end"));
    link.post(stanzas).await.unwrap();
    assert!(peer.element().await.contains("<body>\u{fffd}\u{fffd}x</body>"));
    assert!(peer.element().await.contains("<body>end</body>"));
    running.stop().await;
}

#[tokio::test]
async fn bad_stanzas_are_answered_by_their_header_and_the_stream_goes_on() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.component().await;
    let long = "z".repeat(9000);
    let deep = format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000));
    let silent = [
        "<message type='bogus' from='e@x.ex/a' to='qq.ex'/>".to_owned(),
        "<presence from='e@x.ex/a' to='r@qq.ex/n'><show>banana</show></presence>".to_owned(),
        "<presence from='e@x.ex/a' to='r@qq.ex/n'><priority>9999</priority></presence>".to_owned(),
        "<message type='groupchat' from='e@x.ex/a' to='r@qq.ex/😀'/>".to_owned(),
        "<iq type='result' id='1' from='e@x.ex/a' to='qq.ex'><a/><b/></iq>".to_owned(),
        "<iq id='1' from='e@x.ex/a' to='qq.ex'/>".to_owned(),
        "<message from='e@x.ex/a' to='qq.ex'/>".replace("e@x.ex/a", "@@"),
        "<message to='qq.ex'/>".to_owned(),
        "<message from='e@x.ex/a'/>".to_owned(),
        "<message from='e@x.ex/a' to='else.ex'/>".to_owned(),
        format!("<message from='e@x.ex/a' to='qq.ex'><x xmlns='u' y='{long}'/></message>"),
        format!("<message from='e@x.ex/a' to='qq.ex'><x{long} xmlns='u'/></message>"),
        format!("<message from='e@x.ex/a' to='qq.ex'><x xmlns='u'>{deep}</x></message>"),
        format!("<message from='e@x.ex/a' to='qq.ex' id='{}'/>", "z".repeat(40_000)),
        "<message from='e@x.ex/a' to='qq.ex'><x p:y='1'/></message>".to_owned(),
        "<unknown xmlns='u'/>".to_owned(),
    ];
    for text in &silent {
        peer.say(text).await;
    }
    for (text, condition) in [
        ("<iq type='get' id='1' from='e@x.ex/a' to='qq.ex'/>", "bad-request"),
        (
            "<iq type='set' id='1' from='e@x.ex/a' to='qq.ex'><a xmlns='u'/><b xmlns='u'/></iq>",
            "bad-request",
        ),
        (
            "<iq type='get' id='1' from='e@x.ex/a' to='r@qq.ex/😀'><a xmlns='u'/></iq>",
            "jid-malformed",
        ),
        (
            "<presence id='1' from='e@x.ex/a' to='r@qq.ex/😀'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
            "jid-malformed",
        ),
    ] {
        peer.say(text).await;
        let answer = peer.element().await;
        assert!(
            answer.contains(condition) && answer.contains("id='1'") && answer.contains("to='e@x.ex/a'"),
            "{answer}"
        );
    }
    peer.say("<message from='e@x.ex/a' to='qq.ex'><body xml:lang='de'>d</body><body>x</body></message>")
        .await;
    let event = running.event().await;
    assert!(
        matches!(&event.stanza, Stanza::Message(message) if message.bodies.contains_key("") && message.bodies.contains_key("de"))
    );
    assert_eq!(running.malformed.len(), silent.len() - 1 + 4);
    running.stop().await;
}

#[tokio::test]
async fn the_languages_of_stream_and_stanza_stay_behind() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.component().await;
    peer.say(
        "<message xml:lang='en' from='e@x.ex/a' to='qq.ex'><body>x</body><subject xml:lang='zh'>y</subject></message>",
    )
    .await;
    let Stanza::Message(message) = running.event().await.stanza else {
        panic!("a message")
    };
    assert_eq!(
        message.bodies.keys().map(|lang| lang.0.as_str()).collect::<Vec<_>>(),
        [""]
    );
    assert_eq!(
        message.subjects.keys().map(|lang| lang.0.as_str()).collect::<Vec<_>>(),
        ["zh"]
    );
    running.stop().await;
}

#[tokio::test]
async fn refusals_of_the_inbox_reach_the_author() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.component().await;
    running.online().await;
    for (why, condition) in [
        (Refused::Busy, "<resource-constraint"),
        (Refused::NotReady, "<service-unavailable"),
        (Refused::NotStored, "<resource-constraint"),
        (Refused::NoSuchAddress, "<item-not-found"),
    ] {
        *running.inbox.refuse.lock().unwrap() = Some(why);
        peer.say(
            "<message type='error' from='e@x.ex/a' to='qq.ex'/><iq type='result' id='0' from='e@x.ex/a' to='qq.ex'/>",
        )
        .await;
        peer.say("<message id='1' from='e@x.ex/a' to='r@qq.ex' type='groupchat'><body>x</body></message>")
            .await;
        let answer = peer.element().await;
        assert!(
            answer.contains(condition) && answer.contains("from='r@qq.ex'") && answer.contains("id='1'"),
            "{answer}"
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn our_own_domain_does_not_speak_to_us() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.component().await;
    peer.say("<message from='1@qq.ex/gw' to='r@qq.ex'><body>loop</body></message>")
        .await;
    peer.say("<iq type='get' id='guess' from='qq.ex' to='qq.ex'><ping xmlns='urn:xmpp:ping'/></iq>")
        .await;
    peer.say("<message from='e@x.ex/a' to='qq.ex'><body>x</body></message>")
        .await;
    assert_eq!(running.event().await.from.as_str(), "e@x.ex/a");
    running.stop().await;
}

#[tokio::test]
async fn of_a_joined_room_the_listener_hears_all_and_a_puppet_what_concerns_it() {
    let fake = Fake::start().await;
    let mut running = start(&fake);
    let mut peer = fake.component().await;
    for to in [
        "10001@qq.ex/gw",
        "bridge@qq.ex/cats",
        "u-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a@qq.ex/gw",
    ] {
        peer.say(&format!(
            "<message type='groupchat' to='{to}' from='cats@c.ex/Ann'><body>hi</body></message>\
             <presence to='{to}' from='cats@c.ex/Bob'/>"
        ))
        .await;
    }
    peer.say("<message type='chat' to='10001@qq.ex/gw' from='cats@c.ex/Ann'><body>psst</body></message>")
        .await;
    for to in ["bridge@qq.ex/cats", "bridge@qq.ex/cats", "10001@qq.ex/gw"] {
        assert_eq!(running.event().await.to.as_str(), to);
    }
    assert_eq!(running.inbox.copies.load(Ordering::Relaxed), 4);
    running.stop().await;
}
