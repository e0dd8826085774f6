//! The lab's moderator and its limits on rooms, against the real servers.

use lab::jabber::{Moderation, RoomConfig, Stanza, Whom};
use lab::server::{Muc, MucLimits};
use lab::{Jabber, Kind, Options, Server};

/// What a condition is called on each of the two.
fn full(kind: Kind) -> &'static str {
    match kind {
        Kind::Prosody => "service-unavailable",
        Kind::Ejabberd => "resource-constraint",
    }
}

async fn start(kind: Kind, muc: Muc) -> anyhow::Result<Option<Server>> {
    if !lab::available(kind.name()) || (muc.moderation && !lab::available("prosody-modules")) {
        return Ok(None);
    }
    let options = Options {
        muc,
        ..Options::default()
    };
    Server::start(kind, &options).await.map(Some)
}

async fn a_room_is_set_up_and_run(kind: Kind) -> anyhow::Result<()> {
    let Some(server) = start(kind, Muc::default()).await? else {
        return Ok(());
    };
    let room = format!("lab@{}", server.muc_service());
    let mut alice = Jabber::connect(&server, "alice", "one").await?;
    let mut bob = Jabber::connect(&server, "bob", "one").await?;
    let config = RoomConfig {
        members_only: Some(true),
        password: Some("a <secret>".to_owned()),
        persistent: Some(true),
        ..RoomConfig::default()
    };
    alice.create_room(&room, "Alice", &config).await?;
    let inside = "<password>a &lt;secret&gt;</password>";

    let refusal = bob.join_refused(&room, "Bob", inside).await?;
    assert_eq!(refusal.error_condition(), Some("registration-required"));
    alice
        .set_affiliation(&room, Whom::Jid("bob@localhost"), "member", "")
        .await?;
    let refusal = bob.join_refused(&room, "Bob", "").await?;
    assert_eq!(refusal.error_condition(), Some("not-authorized"));
    let join = bob.join_with(&room, "Bob", inside).await?;
    assert_eq!(join.self_presence.affiliation(), "member");

    alice.kick(&room, "Bob", "too loud").await?;
    let kicked = bob.wait_presence(&format!("{room}/Bob")).await?;
    assert_eq!(
        (kicked.kind(), kicked.has_status(307), kicked.has_status(110)),
        ("unavailable", true, true)
    );

    let open = RoomConfig {
        members_only: Some(false),
        moderated: Some(true),
        password: Some(String::new()),
        ..RoomConfig::default()
    };
    alice.configure_room(&room, &open).await?;
    alice
        .set_affiliation(&room, Whom::Jid("bob@localhost"), "none", "")
        .await?;
    assert_eq!(bob.join(&room, "Bob").await?.self_presence.role(), "visitor");
    alice.set_role(&room, "Bob", "participant", "").await?;
    assert_eq!(bob.wait_presence(&format!("{room}/Bob")).await?.role(), "participant");

    // In a moderated room ejabberd 23.01 lets somebody back in who had been given a voice and was banned then.
    let talk = RoomConfig {
        moderated: Some(false),
        ..RoomConfig::default()
    };
    alice.configure_room(&room, &talk).await?;
    alice.ban(&room, Whom::Nick("Bob"), "enough").await?;
    let banned = bob.wait_presence(&format!("{room}/Bob")).await?;
    assert!(banned.has_status(301), "{}", banned.xml());
    let refusal = bob.join_refused(&room, "Bob", "").await?;
    assert_eq!(refusal.error_condition(), Some("forbidden"));

    alice
        .destroy_room(&room, Some("other@conference.localhost"), "moved")
        .await?;
    let gone = alice
        .wait(
            |el| el.kind() == "unavailable" && el.nick() == "Alice",
            "end of the room",
        )
        .await?;
    let destroy = gone.descend(&[("x", lab::jabber::ns::MUC_USER), ("destroy", lab::jabber::ns::MUC_USER)]);
    assert_eq!(
        destroy.and_then(|el| el.attr("jid")),
        Some("other@conference.localhost")
    );
    // Prosody says to the occupants that it is about them, ejabberd does not.
    assert_eq!(gone.has_status(110), kind == Kind::Prosody, "{}", gone.xml());
    Ok(())
}

async fn a_room_fills_up(kind: Kind) -> anyhow::Result<()> {
    let muc = Muc {
        max_occupants: Some(2),
        ..Muc::default()
    };
    let Some(server) = start(kind, muc).await? else {
        return Ok(());
    };
    let room = format!("small@{}", server.muc_service());
    let mut people = Vec::new();
    for name in ["alice", "bob", "carol"] {
        people.push(Jabber::connect(&server, name, "one").await?);
    }
    people[0].create_room(&room, "alice", &RoomConfig::default()).await?;
    people[1].join(&room, "bob").await?;
    let refusal = people[2].join_refused(&room, "carol", "").await?;
    assert_eq!(
        (refusal.error_type(), refusal.error_condition()),
        (Some("wait"), Some(full(kind)))
    );
    people[1].leave(&room, "bob").await?;
    people[2].join(&room, "carol").await?;
    Ok(())
}

#[tokio::test]
async fn a_room_is_set_up_and_run_on_prosody() -> anyhow::Result<()> {
    a_room_is_set_up_and_run(Kind::Prosody).await
}

#[tokio::test]
async fn a_room_is_set_up_and_run_on_ejabberd() -> anyhow::Result<()> {
    a_room_is_set_up_and_run(Kind::Ejabberd).await
}

#[tokio::test]
async fn a_room_fills_up_on_prosody() -> anyhow::Result<()> {
    a_room_fills_up(Kind::Prosody).await
}

#[tokio::test]
async fn a_room_fills_up_on_ejabberd() -> anyhow::Result<()> {
    a_room_fills_up(Kind::Ejabberd).await
}

/// The field of the owner's form says what the limit is.
#[tokio::test]
async fn ejabberd_can_have_its_own_defaults() -> anyhow::Result<()> {
    let muc = Muc {
        own_defaults: true,
        ..Muc::default()
    };
    let Some(server) = start(Kind::Ejabberd, muc).await? else {
        return Ok(());
    };
    let room = format!("lab@{}", server.muc_service());
    let mut alice = Jabber::connect(&server, "alice", "one").await?;
    alice.create_room(&room, "Alice", &RoomConfig::default()).await?;
    let form = alice
        .iq(&room, "get", "<query xmlns='http://jabber.org/protocol/muc#owner'/>")
        .await?
        .xml();
    let (_, max) = form.split_once("muc#roomconfig_maxusers").expect("the field");
    let (_, value) = max.split_once("<value>").expect("its value");
    assert!(value.starts_with("200<"), "{form}");

    let smaller = RoomConfig {
        max_users: Some(5),
        ..RoomConfig::default()
    };
    alice.configure_room(&room, &smaller).await
}

#[tokio::test]
async fn prosody_takes_a_message_back() -> anyhow::Result<()> {
    let muc = Muc {
        moderation: true,
        ..Muc::default()
    };
    let Some(server) = start(Kind::Prosody, muc).await? else {
        return Ok(());
    };
    let room = format!("lab@{}", server.muc_service());
    let mut alice = Jabber::connect(&server, "alice", "one").await?;
    let mut bob = Jabber::connect(&server, "bob", "one").await?;
    alice.create_room(&room, "Alice", &RoomConfig::default()).await?;
    bob.join(&room, "Bob").await?;
    bob.say(&room, "spam").await?;
    let spam = alice.wait_body(&room, "spam").await?;
    let id = spam.stanza_id(&room).expect("the room's id").to_owned();

    assert!(bob.moderate(&room, &id, "me", Moderation::Fastened).await.is_err());
    alice.moderate(&room, &id, "no ads", Moderation::Fastened).await?;
    let notice = bob
        .wait(|el| el.child("apply-to", "urn:xmpp:fasten:0").is_some(), "moderation")
        .await?;
    assert_eq!(
        (notice.from(), notice.xml().contains("no ads")),
        (room.as_str(), true),
        "{}",
        notice.xml()
    );
    let error = alice
        .moderate(&room, &id, "", Moderation::Plain)
        .await
        .expect_err("Debian's is too old");
    assert!(error.to_string().contains("service-unavailable"), "{error}");
    Ok(())
}

/// As `mod_muc_limits` does: three events at once, then one in two seconds; members are exempt.
#[tokio::test]
async fn prosody_limits_strangers() -> anyhow::Result<()> {
    let muc = Muc {
        limits: Some(MucLimits::default()),
        ..Muc::default()
    };
    let Some(server) = start(Kind::Prosody, muc).await? else {
        return Ok(());
    };
    let room = format!("lab@{}", server.muc_service());
    let mut alice = Jabber::connect(&server, "alice", "one").await?;
    let mut bob = Jabber::connect(&server, "bob", "one").await?;
    alice
        .create_room(&room, "八个汉字不是七个", &RoomConfig::default())
        .await?;
    let refusal = bob.join_refused(&room, "八个汉字不是七个", "").await?;
    assert_eq!(
        (refusal.error_type(), refusal.error_condition()),
        (Some("modify"), Some("policy-violation"))
    );

    bob.join(&room, "Bob").await?;
    bob.say(&room, "two\nlines").await?;
    bob.wait_body(&room, "two\nlines").await?;
    let id = bob.say(&room, "too much").await?;
    let refusal = bob.wait(|el| el.kind() == "error" && el.id() == id, "refusal").await?;
    assert_eq!(
        (refusal.error_type(), refusal.error_condition()),
        (Some("wait"), Some("policy-violation"))
    );
    assert_eq!(
        refusal.error_text().as_deref(),
        Some("The room is currently overactive, please try again later")
    );
    let id = bob.say(&room, &"\n".repeat(23)).await?;
    let refusal = bob.wait(|el| el.kind() == "error" && el.id() == id, "refusal").await?;
    assert_eq!(refusal.error_type(), Some("modify"));

    alice.set_affiliation(&room, Whom::Nick("Bob"), "member", "").await?;
    for number in 0..20 {
        bob.say(&room, &format!("member {number}")).await?;
    }
    bob.wait_body(&room, "member 19").await?;
    Ok(())
}
