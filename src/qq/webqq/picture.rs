//! Pictures of 2013. The service sends none with a message, only what it takes to ask for one; that is kept. Pure.
//!
//! [`Media::file`] of such a picture is the historic address, without what the asker adds: `vfwebqq` and `t` for a group's or
//! discussion's, `clientid` and `psessionid` for a friend's. It holds temporary ids, so it is good for this login alone; and
//! it is never [`Media::url`]: who is not logged in gets nothing there.

use serde_json::Value;
use url::Url;

use super::wire::{number, text};
use crate::model::{Media, MediaKind, Part};

/// Longer names are no names of the service.
const NAME_MAX: usize = 500;

/// Whose message a picture is in, in the ids that its address takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A group, by its `code`.
    Group { code: u64, sender: u64 },
    /// A discussion.
    Discussion { did: u64, sender: u64 },
    /// Somebody alone with us.
    Person { uin: u64, msg_id: u64 },
}

/// Reads `["cface", …]` and `["offpic", …]`; of any other element it is only known that there was a picture.
pub(super) fn read(element: &Value, origin: Origin) -> Part {
    let address = match text(&element[0]) {
        "cface" if element[1].is_object() => shared(&element[1], origin),
        "cface" => own(text(&element[1]), origin),
        "offpic" => left(&element[1], origin),
        _ => None,
    };
    Part::Media(Media {
        kind: MediaKind::Picture,
        name: String::new(),
        file: address.map(String::from).unwrap_or_default(),
        url: None,
        size: None,
        seconds: None,
        summary: String::new(),
    })
}

/// A picture in a group or discussion: `get_group_pic`.
fn shared(cface: &Value, origin: Origin) -> Option<Url> {
    let (kind, place, sender) = match origin {
        Origin::Group { code, sender } => ("0", code, sender),
        Origin::Discussion { did, sender } => ("1", did, sender),
        Origin::Person { .. } => return own(text(&cface["name"]), origin),
    };
    let (ip, port) = text(&cface["server"]).split_once(':')?;
    let id = number(&cface["file_id"])?;
    let mut url = Url::parse("http://web2.qq.com/cgi-bin/get_group_pic").ok()?;
    url.query_pairs_mut()
        .append_pair("type", kind)
        .append_pair("gid", &place.to_string())
        .append_pair("uin", &sender.to_string())
        .append_pair("rip", bounded(ip)?)
        .append_pair("rport", bounded(port)?)
        .append_pair("fid", &id.to_string())
        .append_pair("pic", bounded(text(&cface["name"]))?);
    Some(url)
}

/// A friend's own face: `get_cface2`.
fn own(name: &str, origin: Origin) -> Option<Url> {
    let Origin::Person { uin, msg_id } = origin else {
        return None;
    };
    let mut url = Url::parse("http://d.web2.qq.com/channel/get_cface2").ok()?;
    url.query_pairs_mut()
        .append_pair("lcid", &msg_id.to_string())
        .append_pair("guid", bounded(name)?)
        .append_pair("to", &uin.to_string())
        .append_pair("count", "5")
        .append_pair("time", "1");
    Some(url)
}

/// A friend's picture: `get_offpic2`.
fn left(offpic: &Value, origin: Origin) -> Option<Url> {
    let Origin::Person { uin, .. } = origin else {
        return None;
    };
    if number(&offpic["success"]) == Some(0) {
        return None;
    }
    let mut url = Url::parse("http://d.web2.qq.com/channel/get_offpic2").ok()?;
    url.query_pairs_mut()
        .append_pair("file_path", bounded(text(&offpic["file_path"]))?)
        .append_pair("f_uin", &uin.to_string());
    Some(url)
}

fn bounded(text: &str) -> Option<&str> {
    (!text.is_empty() && text.len() <= NAME_MAX).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Language;
    use crate::model::words::plain_text;

    const GROUP: Origin = Origin::Group {
        code: 3_483_000_002,
        sender: 2_440_000_005,
    };
    const PERSON: Origin = Origin::Person {
        uin: 3_570_340_001,
        msg_id: 5244,
    };

    fn file(element: &Value, origin: Origin) -> String {
        let part = read(element, origin);
        assert_eq!(plain_text(std::slice::from_ref(&part), Language::En), "[picture]");
        match part {
            Part::Media(media) => media.file,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_is_kept_with_what_its_address_takes() {
        let shared = json!(["cface", {"name": "{GUID}.jpg", "file_id": 2_059_500_001_u64, "key": "          ", "server": "183.60.0.2:8000"}]);
        assert_eq!(
            file(&shared, GROUP),
            "http://web2.qq.com/cgi-bin/get_group_pic?type=0&gid=3483000002&uin=2440000005&rip=183.60.0.2&rport=8000&fid=2059500001&pic=%7BGUID%7D.jpg"
        );
        let discussion = Origin::Discussion {
            did: 2_006_000_004,
            sender: 7,
        };
        assert!(file(&shared, discussion).contains("type=1&gid=2006000004&uin=7&"));
        assert_eq!(
            file(&json!(["cface", "HASH.jPg", ""]), PERSON),
            "http://d.web2.qq.com/channel/get_cface2?lcid=5244&guid=HASH.jPg&to=3570340001&count=5&time=1"
        );
        assert_eq!(
            file(&json!(["offpic", {"success": 1, "file_path": "/f3e0c0de-1"}]), PERSON),
            "http://d.web2.qq.com/channel/get_offpic2?file_path=%2Ff3e0c0de-1&f_uin=3570340001"
        );
    }

    #[test]
    fn what_cannot_be_fetched_is_a_picture_all_the_same() {
        let giant = "x".repeat(100_000);
        for (element, origin) in [
            (json!(["cface", "HASH.jPg", ""]), GROUP),
            (json!(["cface"]), PERSON),
            (json!(["cface", {}]), GROUP),
            (
                json!(["cface", {"name": "a", "file_id": "x", "server": "1.2.3.4:5"}]),
                GROUP,
            ),
            (json!(["cface", {"name": "a", "file_id": 1, "server": 5}]), GROUP),
            (json!(["cface", giant]), PERSON),
            (json!(["offpic", {"success": 0, "file_path": "/f"}]), PERSON),
            (json!(["offpic"]), PERSON),
            (json!(["pic_id", 5]), PERSON),
            (json!(["image", "x"]), PERSON),
        ] {
            assert_eq!(file(&element, origin), "", "{element:.60}");
        }
    }
}
