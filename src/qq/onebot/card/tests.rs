use serde_json::json;

use super::*;
use crate::model::Language;
use crate::model::words::plain_text;

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn ark(app: &str, prompt: &str, meta: Value) -> Part {
    let ark = json!({"app": app, "prompt": prompt, "meta": meta, "ver": "1.0.0.1"});
    json::read(&json!({"data": ark.to_string()}))
}

fn shown(part: Part) -> String {
    plain_text(&[part], Language::Zh)
}

#[test]
fn links_and_mini_apps() {
    let news = json!({"news": {"title": "Rust", "desc": "A language", "jumpUrl": "https://rust-lang.org/?a=1&b", "preview": "https://x.example/p.png", "tag": "web"}});
    for app in ["com.tencent.structmsg", "com.tencent.tuwen.lua"] {
        let card = shown(ark(app, "[分享]Rust", news.clone()));
        assert_eq!(card, "[卡片：Rust] A language https://rust-lang.org/?a=1&b");
    }
    let mini = json!({"detail_1": {"title": "哔哩哔哩", "desc": "猫", "qqdocurl": "https://b23.tv/x", "url": "m.q.qq.com/a/s/1"}});
    assert_eq!(
        shown(ark("com.tencent.miniapp_01", "[QQ小程序]猫", mini)),
        "[卡片：哔哩哔哩] 猫 https://b23.tv/x"
    );
    let bare = json!({"detail_1": {"title": "t", "desc": "", "url": "m.q.qq.com/a/s/1"}});
    assert_eq!(
        shown(ark("com.tencent.miniapp_01", "", bare)),
        "[卡片：t] https://m.q.qq.com/a/s/1"
    );
    let music = json!({"music": {"title": "歌", "desc": "人", "jumpUrl": "https://y.qq.com/1", "musicUrl": "http://m.example/1.mp3"}});
    assert_eq!(
        shown(ark("com.tencent.structmsg", "[分享]歌", music.clone())),
        "[卡片：歌] 人 https://y.qq.com/1"
    );
    assert_eq!(
        shown(ark("com.tencent.music.lua", "[分享]歌", music)),
        "[卡片：歌] 人 https://y.qq.com/1"
    );
    let contact = json!({"contact": {"nickname": "猫群", "contact": "推荐群聊", "jumpUrl": "mqqapi://card/show"}});
    assert_eq!(
        shown(ark("com.tencent.troopsharecard", "推荐群聊：猫群", contact.clone())),
        "[卡片：猫群] 推荐群聊"
    );
    assert_eq!(
        shown(ark("com.tencent.contact.lua", "推荐群聊：猫群", contact)),
        "[卡片：猫群] 推荐群聊"
    );
}

#[test]
fn places_announcements_and_unknown_apps() {
    let place =
        json!({"Location.Search": {"name": "天安门", "address": "北京市", "lat": "39.9087", "lng": "116.3975"}});
    assert_eq!(
        shown(ark("com.tencent.map", "[位置]天安门", place)),
        "[卡片：天安门] 北京市 geo:39.9087,116.3975"
    );
    let told = json!({"mannounce": {"title": "576k5YWs5ZGK", "text": "5rWL6K+V\n", "encode": 1}});
    let told = shown(ark("com.tencent.mannounce", "[群公告]x", told));
    assert!(told.starts_with("[卡片："), "{told}");
    let told = json!({"mannounce": {"title": "576k5YWs5ZGK", "text": "5rWL6K+V", "encode": 1}});
    assert_eq!(
        shown(ark("com.tencent.mannounce", "[群公告]x", told)),
        "[卡片：群公告] 测试"
    );
    let plain = json!({"mannounce": {"title": "Hi", "text": "abcd", "encode": 0}});
    assert_eq!(shown(ark("com.tencent.mannounce", "", plain)), "[卡片：Hi] abcd");
    let unknown = json!({"x": {"title": "other", "jumpUrl": "https://x.example/"}});
    assert_eq!(
        shown(ark("com.tencent.new", "[新玩意]一起玩", unknown)),
        "[卡片：一起玩] https://x.example/"
    );
    assert_eq!(shown(ark("com.tencent.new", "", json!({}))), "[卡片：com.tencent.new]");
    assert_eq!(
        shown(ark("com.tencent.new", "[QQ红包]", json!(null))),
        "[卡片：[QQ红包]]"
    );
}

#[test]
fn a_forwarded_record_keeps_its_code_and_beginning() {
    let meta = json!({"detail": {"news": [{"text": "alice: hi"}, {"text": "bob:  [图片]"}], "resid": "abc+/==", "source": "群聊的聊天记录", "summary": "查看3条转发消息", "uniseq": "1"}});
    let Part::Record(record) = ark("com.tencent.multimsg", "[聊天记录]", meta) else {
        panic!("a record");
    };
    assert_eq!(
        (&*record.id, &*record.title, record.more),
        ("abc+/==", "群聊的聊天记录", 1)
    );
    assert!(crate::qq::onebot::record::wants_fetching(&record));
    let shown = shown(Part::Record(record));
    assert_eq!(
        shown,
        "[聊天记录：群聊的聊天记录]\n> alice: hi\n> bob: [图片]\n> …… 另有 1 条"
    );
}

#[test]
fn what_is_no_ark_is_a_marker() {
    let deep = "[".repeat(5000);
    for data in [
        json!({}),
        json!({"data": 5}),
        json!({"data": "{"}),
        json!({"data": deep}),
        json!({"data": "x".repeat(300_000)}),
    ] {
        assert_eq!(shown(json::read(&data)), "[card]");
    }
    let object = json!({"data": {"app": "a", "prompt": "p\u{1}\nq", "meta": {}}});
    assert_eq!(shown(json::read(&object)), "[卡片：p q]");
}

#[test]
fn xml_is_read_by_its_names() {
    let link = r#"<?xml version='1.0'?><msg serviceID="1" templateID="1" action="web" brief="[分享] Rust &amp; co" url="https://rust-lang.org/?a=1&amp;b"><item layout="2"><title size="26">Rust &amp; co</title><summary>A <![CDATA[x</summary></item></msg>"#;
    assert_eq!(
        shown(xml::read(&json!({"data": link}))),
        "[卡片：Rust & co] A <![CDATA[x https://rust-lang.org/?a=1&b"
    );
    let multi = r#"<msg brief="[聊天记录]" m_resid="r+/=" m_fileName="1" action="viewMultiMsg"><title><![CDATA[群聊的聊天记录]]></title>"#;
    let Part::Record(record) = xml::read(&json!({"data": multi})) else {
        panic!("a record");
    };
    assert_eq!((&*record.id, &*record.title), ("r+/=", "群聊的聊天记录"));
    for none in ["", "x", "<msg brief=", "<msg brief=\"", "<title", "<title>x"] {
        assert_eq!(shown(xml::read(&json!({"data": none}))), "[card]", "{none}");
    }
}

#[test]
fn the_kinds_of_the_standard() {
    let place = json!({"lat": 39.9, "lon": "116.3", "title": "", "content": "here"});
    assert_eq!(shown(location(&place)), "[卡片：位置] here geo:39.9,116.3");
    assert_eq!(shown(location(&json!({"lat": "x", "lon": "999"}))), "[卡片：位置]");
    assert_eq!(
        shown(contact(&json!({"type": "qq", "id": "10001000"}))),
        "[卡片：推荐好友：10001000]"
    );
    assert_eq!(
        shown(contact(&json!({"type": "group", "id": 7, "name": "猫"}))),
        "[卡片：推荐群聊：猫 (7)]"
    );
    let link = json!({"url": "http://rust-lang.org", "title": "Rust", "content": "A language"});
    assert_eq!(shown(share(&link)), "[卡片：Rust] A language http://rust-lang.org");
    assert_eq!(
        shown(share(&json!({"url": "javascript:alert(1)"}))),
        "[卡片：javascript:alert(1)]"
    );
    assert_eq!(
        shown(music(&json!({"type": "163", "id": "28949129"}))),
        "[卡片：音乐] https://music.163.com/#/song?id=28949129"
    );
    assert_eq!(shown(music(&json!({"type": "163", "id": "../x"}))), "[卡片：音乐]");
    let own = json!({"type": "custom", "url": "https://m.example/", "audio": "https://m.example/1.mp3", "title": "歌"});
    assert_eq!(shown(music(&own)), "[卡片：歌] https://m.example/");
}
