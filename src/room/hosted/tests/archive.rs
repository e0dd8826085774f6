use super::*;
use crate::room::With;
use crate::xmpp::read::archive::Query;

const MAM: &str = "urn:xmpp:mam:2";
const ANN: &str = "ann@ex.org/phone";

fn filled() -> Portal {
    let mut p = Portal::new();
    p.members(vec![member(10001, "小明")]);
    p.join(ANN, "Ann");
    p.send(&format!(
        "<message type='groupchat' id='m1' from='{ANN}' to='rust@qq.example'><body>hi</body></message>"
    ));
    p.later(1);
    p.qq(10001, "小明", vec![Part::Text("在".into())]);
    p
}

fn ask(p: &mut Portal, from: &str, kind: &str, inner: &str) -> Vec<Got> {
    p.send(&format!(
        "<iq type='{kind}' id='q1' from='{from}' to='rust@qq.example'>{inner}</iq>"
    ))
}

fn form(fields: &str) -> String {
    format!(
        "<query xmlns='{MAM}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>{MAM}</value></field>{fields}</x></query>"
    )
}

#[test]
fn results_before_the_fin() {
    let mut p = filled();
    let got = ask(&mut p, ANN, "set", &format!("<query xmlns='{MAM}' queryid='f'/>"));
    let (ann, qq) = (p.person_id("ann@ex.org"), p.member_id(10001));
    let result = |id: &str, time: &str, message: String| {
        format!(
            "<message from='rust@qq.example'><result xmlns='{MAM}' queryid='f' id='{id}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{time}'/>{message}</forwarded></result></message>"
        )
    };
    let archived = |from: &str, id: &str, body: &str, sid: &str, occupant: &str| {
        format!(
            "<message xmlns='jabber:client' type='groupchat' id='{id}' from='rust@qq.example/{from}'><body>{body}</body><stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='{sid}'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{occupant}'/></message>"
        )
    };
    expect(
        &got,
        &[
            (
                ANN,
                result(
                    "e1-1",
                    "2001-09-09T01:46:40.000Z",
                    archived("Ann", "m1", "hi", "e1-1", &ann),
                ),
            ),
            (
                ANN,
                result(
                    "e1-2",
                    "2001-09-09T01:46:41.000Z",
                    archived("小明", "e1-2", "在", "e1-2", &qq),
                ),
            ),
            (
                ANN,
                format!(
                    "<iq type='result' id='q1' from='rust@qq.example'><fin xmlns='{MAM}' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><first index='0'>e1-1</first><last>e1-2</last><count>2</count></set></fin></iq>"
                ),
            ),
        ],
    );
}

#[test]
fn real_addresses_are_for_owners() {
    let mut p = filled();
    let text = |got: &[Got]| got.iter().map(|(_, e)| String::from(e)).collect::<String>();
    let got = ask(&mut p, "new@ex.org/x", "set", &form(""));
    assert!(!text(&got).contains("ann@ex.org") && !text(&got).contains("10001"));
    let got = ask(&mut p, "root@ex.org/x", "set", &form(""));
    assert!(text(&got).contains("jid='ann@ex.org'") && text(&got).contains("10001@qq.example"));
}

#[test]
fn pages() {
    let mut p = filled();
    let got = ask(
        &mut p,
        ANN,
        "set",
        &format!("<query xmlns='{MAM}'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set></query>"),
    );
    assert_eq!(got.len(), 2);
    assert!(!String::from(&got[1].1).contains("complete='true'"));
    let got = ask(
        &mut p,
        ANN,
        "set",
        &format!("<query xmlns='{MAM}'><set xmlns='http://jabber.org/protocol/rsm'><after>e1-1</after></set></query>"),
    );
    assert!(String::from(&got[0].1).contains("e1-2"));
    let got = ask(
        &mut p,
        ANN,
        "set",
        &format!("<query xmlns='{MAM}'><flip-page/></query>"),
    );
    assert!(String::from(&got[0].1).contains("e1-2") && String::from(&got[1].1).contains("e1-1"));
    let got = ask(
        &mut p,
        ANN,
        "set",
        &format!("<query xmlns='{MAM}'><set xmlns='http://jabber.org/protocol/rsm'><max>0</max></set></query>"),
    );
    let fin = only(&got, ANN).get_child("fin", MAM).expect("fin");
    assert!(String::from(fin).contains("<count>2</count>"));
}

#[test]
fn refusals() {
    let mut p = filled();
    let rsm =
        |inner: &str| format!("<query xmlns='{MAM}'><set xmlns='http://jabber.org/protocol/rsm'>{inner}</set></query>");
    let field = |var: &str, value: &str| form(&format!("<field var='{var}'><value>{value}</value></field>"));
    for (query, wanted) in [
        (rsm("<after>e0-1</after>"), "item-not-found"),
        (rsm("<before>nonsense</before>"), "item-not-found"),
        (rsm("<max>many</max>"), "bad-request"),
        (rsm("<index>3</index>"), "feature-not-implemented"),
        (field("ids", "e9-1"), "item-not-found"),
        (field("after-id", "x"), "item-not-found"),
        (field("start", "yesterday"), "bad-request"),
        (field("with", "@"), "bad-request"),
        (field("with", "rust@qq.example/nobody"), "item-not-found"),
        (field("with", "bob@ex.org"), "forbidden"),
        (field("unheard-of", "1"), "feature-not-implemented"),
        (
            format!(
                "<query xmlns='{MAM}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>other</value></field></x></query>"
            ),
            "bad-request",
        ),
    ] {
        let got = ask(&mut p, ANN, "set", &query);
        assert_eq!(refused(&got, ANN).1, wanted, "{query}");
    }
    let got = ask(&mut p, "eve@evil.example/x", "set", &form(""));
    assert_eq!(refused(&got, "eve@evil.example/x"), ("auth".into(), "forbidden".into()));
}

#[test]
fn the_whole_query_is_read() {
    let p = filled();
    let text = form("<field var='with'><value>rust@qq.example/小明</value></field><field var='start'><value>2001-09-09T01:46:40Z</value></field><field var='end'><value>2001-09-09T03:46:41.5+02:00</value></field><field var='after-id'><value>e1-1</value></field><field var='before-id'><value>e1-9</value></field><field var='ids'><value>e1-2</value><value>e1-3</value></field><field var='include-groupchat'><value>1</value></field>").replace("</query>", "<set xmlns='http://jabber.org/protocol/rsm'><max>9999</max><before/></set><flip-page/></query>").replace("<query ", "<query queryid='f' ");
    let mut p = p;
    let admitted = p.room.admit(
        event(&format!(
            "<iq type='set' id='q1' from='{ANN}' to='rust@qq.example'>{text}</iq>"
        )),
        p.now,
    );
    let [Effect::Archive(asked)] = admitted.effects.as_slice() else {
        panic!("{admitted:?}")
    };
    assert_eq!(asked.with, Some(With::Member(id(10001))));
    assert_eq!(
        asked.query,
        Query {
            queryid: Some("f".into()),
            start: Some(Timestamp(1_000_000_000_000)),
            end: Some(Timestamp(1_000_000_001_500)),
            after_id: Some(Seq(1)),
            before_id: Some(Seq(9)),
            ids: vec![Seq(2), Seq(3)],
            with: Some(Jid::new("rust@qq.example/小明").expect("a JID")),
            page: PageWanted::Last,
            max: 250,
            flip: true,
        }
    );
}

#[test]
fn form_and_ends() {
    let mut p = filled();
    let got = ask(&mut p, ANN, "get", &format!("<query xmlns='{MAM}'/>"));
    let form = only(&got, ANN)
        .get_child("query", MAM)
        .and_then(|q| q.get_child("x", "jabber:x:data"))
        .expect("a form");
    let vars: Vec<_> = form.children().filter_map(|f| f.attr("var")).collect();
    assert_eq!(
        vars,
        [
            "FORM_TYPE",
            "with",
            "start",
            "end",
            "before-id",
            "after-id",
            "ids",
            "include-groupchat"
        ]
    );
    let got = ask(&mut p, ANN, "get", &format!("<metadata xmlns='{MAM}'/>"));
    expect(
        &got,
        &[(
            ANN,
            format!(
                "<iq type='result' id='q1' from='rust@qq.example'><metadata xmlns='{MAM}'><start id='e1-1' timestamp='2001-09-09T01:46:40.000Z'/><end id='e1-2' timestamp='2001-09-09T01:46:41.000Z'/></metadata></iq>"
            ),
        )],
    );
    p.rows.clear();
    let got = ask(&mut p, ANN, "get", &format!("<metadata xmlns='{MAM}'/>"));
    expect(
        &got,
        &[(
            ANN,
            format!("<iq type='result' id='q1' from='rust@qq.example'><metadata xmlns='{MAM}'/></iq>"),
        )],
    );
    let got = ask(&mut p, ANN, "set", &format!("<query xmlns='{MAM}'/>"));
    expect(
        &got,
        &[(
            ANN,
            format!(
                "<iq type='result' id='q1' from='rust@qq.example'><fin xmlns='{MAM}' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></fin></iq>"
            ),
        )],
    );
}
