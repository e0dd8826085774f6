//! The archive (XEP-0313) by pages (XEP-0059): complete, in order, with the ids that were shown live.

use std::fmt::Write as _;

use lab::Jabber;
use lab::jabber::{Stanza as _, ns};
use minidom::Element;

use super::{ALICE, BOB, CAROL, CLOSED, OWNER, at, is_error, is_refusal, is_result, leave, trio};
use crate::support::{Bridge, GROUP, ROOM, people};

const RSM: &str = "http://jabber.org/protocol/rsm";
const LINES: usize = 7;

/// A page as a client sees it.
struct Page {
    messages: Vec<Element>,
    fin: Element,
}

impl Page {
    fn ids(&self) -> Vec<String> {
        let result = |m: &Element| {
            m.child("result", ns::MAM)
                .map(|r| r.attr("id").unwrap_or_default().to_owned())
        };
        self.messages.iter().filter_map(result).collect()
    }

    fn set(&self, name: &str) -> Option<String> {
        let set = self.fin.descend(&[("fin", ns::MAM), ("set", RSM)])?;
        set.get_child(name, RSM).map(Element::text)
    }

    fn complete(&self) -> bool {
        self.fin.child("fin", ns::MAM).and_then(|fin| fin.attr("complete")) == Some("true")
    }
}

async fn page(client: &mut Jabber, form: &[(&str, &str)], set: &str) -> anyhow::Result<Page> {
    let mut inner = String::new();
    if !form.is_empty() {
        inner.push_str("<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>");
        for (name, value) in form {
            let value = lab::jabber::escape(value);
            write!(inner, "<field var='{name}'><value>{value}</value></field>")?;
        }
        inner.push_str("</x>");
    }
    if !set.is_empty() {
        write!(inner, "<set xmlns='{RSM}'>{set}</set>")?;
    }
    client.take_all();
    let fin = client
        .iq(
            ROOM,
            "set",
            &format!("<query xmlns='{}' queryid='q'>{inner}</query>", ns::MAM),
        )
        .await?;
    // The results come before the answer.
    let messages = client
        .take_all()
        .into_iter()
        .filter(|el| el.child("result", ns::MAM).is_some())
        .collect();
    Ok(Page { messages, fin })
}

pub(super) async fn check(bridge: &Bridge) -> anyhow::Result<()> {
    let (alice, mut bob, carol) = trio(bridge).await?;
    let people = people(bridge).await?;
    let mut live = Vec::new();
    for n in 0..LINES {
        let text = format!("archive {n}");
        if n % 2 == 0 {
            bob.say_with(ROOM, &text, "<mine xmlns='urn:example:new'/>").await?;
        } else {
            bridge.sandbox.say(GROUP, people[0], text.as_str()).await?;
        }
        live.push(bob.wait_body(ROOM, &text).await?);
        bob.send(format!(
            "<message type='groupchat' to='{ROOM}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ))
        .await?;
    }
    let ids: Vec<String> = live
        .iter()
        .map(|m| m.stanza_id(ROOM).unwrap_or_default().to_owned())
        .collect();
    forms(&mut bob, &ids).await?;
    pages(&mut bob, &live, &ids).await?;
    filters(&mut bob, &live, &ids).await?;
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await?;

    // The room is open: who may enter may read. Others may not.
    let mut outside = bridge.jabber("bob", "outside").await?;
    assert_eq!(
        page(&mut outside, &[], "<max>1</max><before/>").await?.messages.len(),
        1
    );
    let ask = format!("<query xmlns='{}'/>", ns::MAM);
    is_refusal(&outside.iq(CLOSED, "set", &ask).await?, "auth", "forbidden");
    Ok(())
}

async fn forms(bob: &mut Jabber, ids: &[String]) -> anyhow::Result<()> {
    let form = bob.iq(ROOM, "get", &format!("<query xmlns='{}'/>", ns::MAM)).await?;
    is_result(&form);
    let fields = super::form(form.child("query", ns::MAM).expect("a query"));
    for name in ["FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids"] {
        assert!(fields.contains_key(name), "{name}: {}", form.xml());
    }
    let ends = bob.iq(ROOM, "get", &format!("<metadata xmlns='{}'/>", ns::MAM)).await?;
    let end = ends
        .descend(&[("metadata", ns::MAM), ("end", ns::MAM)])
        .and_then(|end| end.attr("id"));
    assert_eq!(end, ids.last().map(String::as_str), "{}", ends.xml());
    Ok(())
}

async fn pages(bob: &mut Jabber, live: &[Element], ids: &[String]) -> anyhow::Result<()> {
    let last = page(bob, &[], "<max>3</max><before/>").await?;
    assert_eq!(last.ids(), ids[LINES - 3..], "{}", last.fin.xml());
    assert!(!last.complete(), "there is more before it");
    assert_eq!(
        (last.set("first"), last.set("last")),
        (Some(ids[LINES - 3].clone()), Some(ids[LINES - 1].clone()))
    );
    let count: usize = last.set("count").unwrap_or_default().parse()?;
    assert!(count > LINES, "of all, not of the page");
    let first = last
        .fin
        .descend(&[("fin", ns::MAM), ("set", RSM), ("first", RSM)])
        .and_then(|f| f.attr("index"));
    assert_eq!(first, None, "backwards, slixmpp would take it for the end");
    for (message, live) in last.messages.iter().zip(&live[LINES - 3..]) {
        let result = message.child("result", ns::MAM).expect("a result");
        assert_eq!((message.from(), result.attr("queryid")), (ROOM, Some("q")));
        let way = [("result", ns::MAM), ("forwarded", ns::FORWARD)];
        let forwarded = message.descend(&way).expect("forwarded");
        assert!(forwarded.get_child("delay", ns::DELAY).is_some(), "{}", message.xml());
        let archived = forwarded
            .get_child("message", ns::CLIENT)
            .expect("of a client's stream");
        assert_eq!(
            (archived.from(), archived.to(), archived.kind()),
            (live.from(), "", "groupchat")
        );
        assert_eq!(
            (archived.id(), archived.body(), archived.occupant_id()),
            (live.id(), live.body(), live.occupant_id())
        );
        assert!(archived.real_jid().is_empty(), "{}", message.xml());
        assert_eq!(
            archived.child("mine", "urn:example:new").is_some(),
            live.child("mine", "urn:example:new").is_some()
        );
    }

    let before = page(bob, &[], &format!("<max>2</max><before>{}</before>", ids[3])).await?;
    assert_eq!(before.ids(), ids[1..3]);
    let after = page(bob, &[], &format!("<max>2</max><after>{}</after>", ids[2])).await?;
    assert_eq!((after.ids(), after.complete()), (ids[3..5].to_vec(), false));
    let rest = page(bob, &[], &format!("<max>50</max><after>{}</after>", ids[2])).await?;
    assert_eq!((rest.ids(), rest.complete()), (ids[3..].to_vec(), true));
    let none = page(bob, &[], &format!("<after>{}</after>", ids[LINES - 1])).await?;
    assert!(none.ids().is_empty() && none.complete(), "{}", none.fin.xml());
    let count_only = page(bob, &[], "<max>0</max>").await?;
    assert_eq!(
        (count_only.ids().len(), count_only.set("count")),
        (0, Some(count.to_string()))
    );
    for set in ["<after>nothing</after>", "<before>nothing</before>"] {
        is_error(&page(bob, &[], set).await?.fin, "cancel", "item-not-found");
    }

    // Walking through everything, page by page, meets every row once.
    let mut all = Vec::new();
    let mut set = "<max>4</max>".to_owned();
    loop {
        let next = page(bob, &[], &set).await?;
        all.extend(next.ids());
        if next.complete() {
            break;
        }
        set = format!("<max>4</max><after>{}</after>", next.set("last").unwrap_or_default());
    }
    assert_eq!(all.len(), count);
    assert_eq!(all[all.len() - LINES..], *ids);
    Ok(())
}

async fn filters(bob: &mut Jabber, live: &[Element], ids: &[String]) -> anyhow::Result<()> {
    let exact = page(bob, &[("ids", &ids[1])], "").await?;
    assert_eq!((exact.ids(), exact.complete()), (vec![ids[1].clone()], true));
    is_error(
        &page(bob, &[("ids", "nothing")], "").await?.fin,
        "cancel",
        "item-not-found",
    );
    let between = page(bob, &[("after-id", &ids[0]), ("before-id", &ids[4])], "").await?;
    assert_eq!(between.ids(), ids[1..4]);
    let by_bob = page(bob, &[("with", &at(BOB)), ("after-id", &ids[0])], "").await?;
    assert_eq!(by_bob.ids(), [2, 4, 6].map(|n: usize| ids[n].clone()));
    let speaker = live[1].nick().to_owned();
    let by_qq = page(bob, &[("with", &at(&speaker)), ("after-id", &ids[0])], "").await?;
    assert_eq!(by_qq.ids(), [1, 3, 5].map(|n: usize| ids[n].clone()));
    assert!(
        page(bob, &[("start", "2035-01-01T00:00:00Z")], "")
            .await?
            .ids()
            .is_empty()
    );
    assert!(
        page(bob, &[("end", "2013-01-01T00:00:00Z")], "")
            .await?
            .ids()
            .is_empty()
    );
    is_error(
        &page(bob, &[("start", "yesterday")], "").await?.fin,
        "modify",
        "bad-request",
    );
    let spied = page(bob, &[("with", "alice@localhost")], "").await?;
    is_error(&spied.fin, "auth", "forbidden");
    is_error(
        &page(bob, &[("with", &at("nobody"))], "").await?.fin,
        "cancel",
        "item-not-found",
    );
    assert!(page(bob, &[("with", &at(OWNER))], "<max>1</max>").await?.fin.kind() == "result");
    Ok(())
}
