//! What is shown while something else waits.

use super::*;

#[tokio::test]
async fn a_commit_does_not_keep_back_what_was_committed_before() {
    let lab = Lab::new();
    let mut server = lab.connect_with(1);
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.greeted().await;
    // The first fills the connection, the second waits behind it.
    let room = lab.room().await;
    for id in ["one", "two"] {
        lab.said(GROUP, id).await;
        lab.stored(room, id).await;
    }
    let kept = lab.store.keep_writer().await;
    lab.said(GROUP, "three").await;
    lab.taken().await;
    server.until_body(ANN, "two").await;
    assert_eq!(server.count(ANN, |el| body(el).is_some_and(|body| body == "three")), 0);
    drop(kept);
    server.until_body(ANN, "three").await;
}

/// "I did that" is no answer before it is done.
#[tokio::test]
async fn an_answer_waits_for_its_commit() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.greeted().await;
    let kept = lab.store.keep_writer().await;
    lab.say(ANN, "a1", "hello");
    lab.xml(
        ANN,
        ROOM,
        "<iq xmlns='jabber:component:accept' type='get' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    lab.taken().await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(
        server.batches.try_recv().is_err(),
        "something was shown before it was committed"
    );
    drop(kept);
    server.until_body(ANN, "hello").await;
    server
        .until(ANN, |el| el.name() == "iq" && el.attr("id") == Some("p1"))
        .await;
}

/// Who spoke over a connection that the portal was not told of yet is heard when it is: what was said in the break comes before.
#[tokio::test]
async fn what_comes_over_a_new_stream_waits_for_the_portal_to_know_of_it() {
    let (lab, server) = Lab::attended(settings()).await;
    lab.greeted().await;
    drop(server);
    let (link, batches) = Link::new(BareJid::new("qq.example").expect("a domain"), 64);
    lab.handle.xmpp.opened(&link);
    lab.say(ANN, "a1", "early");
    lab.said(GROUP, "from QQ").await;
    let room = lab.room().await;
    lab.stored(room, "from QQ").await;
    let rows = lab.store.rows_after(room, Seq(0), 10).await.expect("rows");
    assert_eq!(rows.len(), 1, "{rows:?}");
    lab.links.send_replace(Some(link));
    let mut server = Server::new(batches);
    server.until_body(ANN, "early").await;
    assert_eq!(server.bodies(ANN), ["from QQ", "early"]);
}
