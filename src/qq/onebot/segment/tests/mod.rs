mod back;

use serde_json::json;

use super::*;
use crate::model::words::plain_text;
use crate::model::{Face, Game, Handle, Language, Media, MemberId, Mention, QqNumber, Reply};
use crate::qq::faces;

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

fn mention(number: u64, name: &str) -> Part {
    Part::Mention(Mention {
        member: Some(MemberId::Number(QqNumber(number))),
        name: name.into(),
    })
}

fn everybody() -> Part {
    Part::Mention(Mention {
        member: None,
        name: String::new(),
    })
}

fn reply(handle: &str) -> Part {
    Part::Reply(Reply {
        handle: Handle(handle.into()),
        quote: None,
        answered: None,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn one(kind: &str, data: Value) -> Part {
    let mut parts = read(&json!({"type": kind, "data": data}));
    assert_eq!(parts.len(), 1, "{kind}: {parts:?}");
    parts.remove(0)
}

fn shown(kind: &str, data: Value) -> String {
    plain_text(&[one(kind, data)], Language::Zh)
}

fn media_of(kind: &str, data: Value) -> Media {
    match one(kind, data) {
        Part::Media(media) => media,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_an_array_a_segment_or_a_string() {
    let expected = [everybody(), text(" Test [text]")];
    let array = json!([{"type": "at", "data": {"qq": "all"}}, {"type": "text", "data": {"text": " Test [text]"}}]);
    assert_eq!(read(&array), expected);
    assert_eq!(read(&json!("[CQ:at,qq=all] Test &#91;text&#93;")), expected);
    assert_eq!(read(&json!({"type": "text", "data": {"text": "x"}})), [text("x")]);
    for empty in [
        json!(null),
        json!([]),
        json!(""),
        json!(5),
        json!([{"type": "text", "data": {"text": ""}}]),
    ] {
        assert_eq!(read(&empty), [], "{empty}");
    }
}

#[test]
fn mentions_have_the_name_that_is_told() {
    assert_eq!(one("at", json!({"qq": 7})), mention(7, ""));
    assert_eq!(one("at", json!({"qq": "7", "name": "@bob"})), mention(7, "bob"));
    assert_eq!(one("at", json!({"qq": "7", "name": "bob"})), mention(7, "bob"));
    assert_eq!(one("at", json!({"qq": "u_bob", "name": "bob"})), text("@bob"));
    assert_eq!(one("at", json!({"qq": "u_bob"})), text("@u_bob"));
}

#[test]
fn the_reply_is_first_and_alone() {
    let message = json!([
        {"type": "text", "data": {"text": "a\r\nb\u{1}"}},
        {"type": "reply", "data": {"id": -2_147_483_541, "text": "what"}},
        {"type": "reply", "data": {"id": "6"}},
        {"type": "reply", "data": {}},
    ]);
    let quoted = Part::Reply(Reply {
        handle: Handle("-2147483541".into()),
        quote: Some("what".into()),
        answered: None,
    });
    assert_eq!(read(&message), [quoted, text("a\nb")]);
}

#[test]
fn faces_newer_than_the_table_have_the_name_that_comes_along() {
    assert_eq!(one("face", json!({"id": "178"})), Part::Face(faces::get(178)));
    let raw = json!({"faceIndex": 9311, "faceText": "[打铁]", "faceType": 2});
    let face = Face {
        id: 9311,
        name: "打铁".into(),
        emoji: None,
    };
    assert_eq!(one("face", json!({"id": "9311", "raw": raw})), Part::Face(face));
    assert_eq!(
        shown("face", json!({"id": "9311", "raw": "[object Object]"})),
        "[表情9311]"
    );
    assert_eq!(shown("face", json!({"id": "99999999999999999999"})), "[表情]");
}

#[test]
fn pictures_of_every_program() {
    let napcat = json!({"summary": "", "file": "2E8289BBC260D9F93ED86E69387ACB93.jpg", "sub_type": 0,
        "url": "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=F&rkey=R", "file_size": "174437"});
    let picture = media_of("image", napcat);
    let expected = Media {
        kind: MediaKind::Picture,
        name: String::new(),
        file: "2E8289BBC260D9F93ED86E69387ACB93.jpg".into(),
        url: Some("https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=F&rkey=R".into()),
        size: Some(174_437),
        seconds: None,
        summary: String::new(),
    };
    assert_eq!(picture, expected);
    let lagrange = json!({"file": "https://x.example/a", "filename": "猫.jpg", "url": "https://x.example/a", "summary": "[图片]", "subType": 0});
    let picture = media_of("image", lagrange);
    assert_eq!(
        (
            &*picture.name,
            &*picture.file,
            picture.url.as_deref(),
            &*picture.summary
        ),
        ("猫.jpg", "", Some("https://x.example/a"), "")
    );
    let sticker = media_of("image", json!({"file": "A.gif", "subType": 1, "summary": "[动画表情]"}));
    assert_eq!((sticker.kind, &*sticker.summary), (MediaKind::Sticker, "动画表情"));
    let market = json!({"summary": "[摸头]", "file": "3a181abe476219e7a04163eab80fa274.gif", "emoji_id": "3a18", "emoji_package_id": 244_959, "key": "k", "url": "https://gxh.vip.qq.com/raw300.gif"});
    let sticker = media_of("image", market.clone());
    assert_eq!((sticker.kind, &*sticker.summary), (MediaKind::Sticker, "摸头"));
    assert_eq!(media_of("mface", market), sticker);
    assert_eq!(
        media_of("image", json!({"file": "a.jpg", "type": "flash"})).summary,
        "闪照"
    );
    let local = media_of(
        "image",
        json!({"file": "file:///C:/Users/bob/a.png", "url": "/root/.config/QQ/a.png"}),
    );
    assert_eq!((&*local.name, &*local.file, local.url), ("", "", None));
    let inline = media_of("image", json!({"file": format!("base64://{}", "A".repeat(5000))}));
    assert_eq!((&*inline.name, &*inline.file), ("", ""));
}

#[test]
fn recordings_videos_and_files() {
    let voice = media_of(
        "record",
        json!({"file": "8f1a0c9e3b7d46528f1a0c9e3b7d4652.amr", "path": "/x.amr", "duration": "12", "file_size": 4000}),
    );
    assert_eq!((&*voice.name, voice.seconds, voice.size), ("", Some(12), Some(4000)));
    let video = media_of(
        "video",
        json!({"file": "clip of us.mp4", "url": "C:\\video.mp4", "file_size": "99"}),
    );
    assert_eq!(
        (&*video.name, &*video.file, video.url),
        ("clip of us.mp4", "clip of us.mp4", None)
    );
    let file = media_of(
        "file",
        json!({"file": "0123456789abcdef0123.zip", "url": "", "file_id": "/ad295eef", "path": "", "file_size": "16717747"}),
    );
    assert_eq!(
        (&*file.name, &*file.file, file.url, file.size),
        ("0123456789abcdef0123.zip", "/ad295eef", None, Some(16_717_747))
    );
    let lagrange = media_of(
        "file",
        json!({"file_name": "a.zip", "file_hash": "h", "file_id": "u", "url": "http://x.example/a"}),
    );
    assert_eq!((&*lagrange.name, &*lagrange.file), ("a.zip", "u"));
    let online = media_of(
        "onlinefile",
        json!({"msgId": "7", "elementId": "8", "fileName": "main.txt", "fileSize": "74099", "isDir": false}),
    );
    assert_eq!(
        (&*online.name, &*online.file, online.size),
        ("main.txt", "", Some(74_099))
    );
    assert_eq!(
        shown("onlinefile", json!({"fileName": "src", "isDir": "true"})),
        "[folder: src]"
    );
    let flash = media_of(
        "flash_file",
        json!({"title": "照片", "file_set_id": "s-1", "scene_type": 1}),
    );
    assert_eq!((&*flash.name, &*flash.file, &*flash.summary), ("照片", "s-1", "闪传"));
    assert_eq!(media_of("flashtransfer", json!({"fileSetId": "s-2"})).file, "s-2");
    assert_eq!(read(&json!([{"type": "image"}, {"type": "file", "data": "x"}])), []);
}

#[test]
fn codes_are_no_names() {
    let name = |file: &str| media_of("image", json!({"file": file})).name;
    for code in [
        "2E8289BBC260D9F93ED86E69387ACB93.jpg",
        "{2E8289BB-C260-D9F9-3ED8-6E69387ACB93}.png",
        "2e8289bbc260d9f93ed86e69387acb93",
        "EhQ5c2VuZC1tZS1zb21lLW1vcmUtYnl0ZXM_cats.gif",
        "cat",
        "",
    ] {
        assert_eq!(name(code), "", "{code}");
    }
    for given in [
        "cat.jpg",
        "猫.png",
        "IMG_20260814_101112.jpg",
        "Screenshot 2026-08-14 at 10.11.12 of my desk.png",
    ] {
        assert_eq!(name(given), given);
    }
    assert_eq!(name("C:\\Users\\bob\\cat.jpg"), "cat.jpg");
}

#[test]
fn games_and_what_has_no_form() {
    assert_eq!(one("dice", json!({"result": "5"})), Part::Game(Game::Dice(Some(5))));
    for none in [
        json!({}),
        json!({"result": 7}),
        json!({"result": "x"}),
        json!({"result": -1}),
    ] {
        assert_eq!(one("dice", none), Part::Game(Game::Dice(None)));
    }
    assert_eq!(one("rps", json!({"result": 3})), Part::Game(Game::Rps(Some(3))));
    assert_eq!(shown("shake", json!({})), "[window shake]");
    assert_eq!(
        shown("poke", json!({"type": "1", "id": "-1", "name": "戳一戳"})),
        "[poke: 戳一戳]"
    );
    assert_eq!(shown("redbag", json!({"title": "恭喜发财"})), "[red packet: 恭喜发财]");
    assert_eq!(shown("hologram", json!({"a": 1})), "[hologram]");
    assert_eq!(shown("", json!({})), "[something that cannot be shown here]");
    assert_eq!(shown(&"x\u{0}".repeat(1000), json!({})).len(), 22);
    assert_eq!(shown("markdown", json!({"content": "# a\r\n*b*"})), "# a\n*b*");
    let rows = json!([{"buttons": [{"render_data": {"label": "A"}}, {"render_data": {"label": "B"}}]}]);
    assert_eq!(shown("keyboard", json!({"rows": rows})), "[buttons: A | B]");
    assert_eq!(
        shown("keyboard", json!({"content": {"rows": rows}})),
        "[buttons: A | B]"
    );
}

#[test]
fn hostile_messages_are_bounded() {
    let flood: Value = vec![json!({"type": "face", "data": {"id": 1}}); 5000].into();
    assert_eq!(read(&flood).len(), 500);
    let long: Value = vec![json!({"type": "text", "data": {"text": "猫".repeat(10_000)}}); 20].into();
    assert!(plain_text(&read(&long), Language::Zh).len() <= 64 << 10);
    assert!(read(&json!("[CQ:face,id=1]".repeat(100_000))).len() <= 500);
    let mut deep = json!([{"type": "text", "data": {"text": "x"}}]);
    for _ in 0..40 {
        let node = json!({"type": "node", "data": {"user_id": 1, "nickname": "a", "content": deep}});
        deep = json!([{"type": "forward", "data": {"id": "r", "content": [node]}}]);
    }
    assert!(format!("{:?}", read(&deep)).len() < 2000);
    let mut wide = json!([{"type": "text", "data": {"text": "x"}}]);
    for _ in 0..3 {
        let node = json!({"type": "node", "data": {"user_id": 1, "nickname": "a", "content": wide}});
        wide = json!([{"type": "forward", "data": {"id": "r", "content": vec![node; 12]}}]);
    }
    assert!(plain_text(&read(&wide), Language::En).lines().count() <= 102 + 100);
}
