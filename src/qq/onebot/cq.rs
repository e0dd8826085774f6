//! The string form of messages: `[CQ:type,key=value]` between escaped text (`OneBot` 11, message/string). Pure.

use serde_json::{Map, Value, json};

/// Reads the string form into segments. Never fails: what is no code is text.
pub(super) fn parse(text: &str) -> Vec<Value> {
    let mut segments = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("[CQ:") {
        let Some((segment, length)) = code(&rest[at..]) else {
            plain.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        };
        plain.push_str(&rest[..at]);
        flush(&mut segments, &mut plain);
        segments.push(segment);
        rest = &rest[at + length..];
    }
    plain.push_str(rest);
    flush(&mut segments, &mut plain);
    segments
}

fn flush(segments: &mut Vec<Value>, plain: &mut String) {
    if !plain.is_empty() {
        segments.push(json!({"type": "text", "data": {"text": unescape(plain)}}));
        plain.clear();
    }
}

/// One code at the beginning of `text`, with the length it takes.
fn code(text: &str) -> Option<(Value, usize)> {
    let inner = text.strip_prefix("[CQ:")?;
    // Values hold no bare `[`: a code that meets one before its end is none. So nothing is looked at twice.
    let end = inner.find(['[', ']']).filter(|end| inner.as_bytes()[*end] == b']')?;
    let mut fields = inner[..end].split(',');
    let kind = fields.next().filter(|kind| is_word(kind))?;
    let mut data = Map::new();
    for field in fields {
        let (key, value) = field.split_once('=')?;
        if !is_word(key) {
            return None;
        }
        data.insert(key.to_owned(), unescape(value).into());
    }
    Some((json!({"type": kind, "data": data}), "[CQ:".len() + end + 1))
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// In a single pass, so that `&amp;#91;` stays `&#91;`.
fn unescape(text: &str) -> String {
    const SIGNS: [(&str, char); 4] = [("&amp;", '&'), ("&#91;", '['), ("&#93;", ']'), ("&#44;", ',')];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        let (length, c) = sign.map_or((1, '&'), |(sign, c)| (sign.len(), *c));
        out.push(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The string form as a program without faults writes it. The gateway itself only sends arrays.
    fn encode(segments: &[Value]) -> String {
        let mut out = String::new();
        for segment in segments {
            let kind = segment["type"].as_str().expect("a type");
            let data = segment["data"].as_object().expect("data");
            if kind == "text" {
                out.push_str(&escape(data["text"].as_str().expect("a text")));
                continue;
            }
            out.extend(["[CQ:", kind]);
            for (key, value) in data {
                let value = escape(value.as_str().expect("a value")).replace(',', "&#44;");
                out.extend([",", key, "=", &value]);
            }
            out.push(']');
        }
        out
    }

    fn escape(text: &str) -> String {
        text.replace('&', "&amp;").replace('[', "&#91;").replace(']', "&#93;")
    }

    fn text(text: &str) -> Value {
        json!({"type": "text", "data": {"text": text}})
    }

    #[test]
    fn codes_and_texts() {
        let at = json!({"type": "at", "data": {"qq": "all"}});
        assert_eq!(
            parse("[CQ:at,qq=all] &#91;x&#93; &amp; y"),
            [at.clone(), text(" [x] & y")]
        );
        let image = json!({"type": "image", "data": {"file": "A.jpg", "url": "https://x.example/?a=1&b=2,3"}});
        assert_eq!(
            parse("[CQ:image,file=A.jpg,url=https://x.example/?a=1&amp;b=2&#44;3]"),
            [image]
        );
        let face = json!({"type": "face", "data": {"id": "311", "raw": "[object Object]"}});
        assert_eq!(
            parse("👀[CQ:face,id=311,raw=&#91;object Object&#93;]"),
            [text("👀"), face]
        );
        assert_eq!(parse("[CQ:shake]"), [json!({"type": "shake", "data": {}})]);
        assert_eq!(parse("&amp;#91;"), [text("&#91;")]);
    }

    #[test]
    fn what_is_no_code_is_text() {
        for plain in [
            "hello [x] & bye",
            "[CQ:",
            "[CQ:]",
            "[CQ:a b]",
            "[CQ:at,qq]",
            "[CQ:at,=x]",
            "[CQ:at qq=1]",
            "a[",
            "&",
            "[[CQ:",
        ] {
            assert_eq!(parse(plain), [text(plain)], "{plain}");
        }
        assert_eq!(parse(""), [] as [Value; 0]);
        let at = json!({"type": "at", "data": {"qq": "1"}});
        assert_eq!(parse("[CQ:[CQ:at,qq=1]"), [text("[CQ:"), at.clone()]);
        assert_eq!(parse("[CQ:a,b=[CQ:at,qq=1]"), [text("[CQ:a,b="), at]);
    }

    /// Each code that does not end costs its own length alone: with another way this test would last for hours.
    #[test]
    fn codes_without_an_end_cost_nothing() {
        let open = "[CQ:a,b=".repeat(1 << 17);
        let code = json!({"type": "a", "data": {"b": "c"}});
        assert_eq!(parse(&open), [text(&open)]);
        assert_eq!(parse(&format!("{open}[CQ:a,b=c]")), [text(&open), code]);
    }

    fn segment() -> impl Strategy<Value = Value> {
        let word = "[A-Za-z0-9_.-]{1,8}";
        let value = "[\\[\\],=&#;a-z0-9猫 \n]{0,12}|\\PC{0,12}";
        let data = prop::collection::btree_map(word, value, 0..4);
        let kind = word.prop_filter("a code", |kind| kind != "text");
        prop_oneof![
            value
                .prop_filter("no empty text", |said| !said.is_empty())
                .prop_map(|said| text(&said)),
            (kind, data).prop_map(|(kind, data)| json!({"type": kind, "data": data})),
        ]
    }

    proptest! {
        #[test]
        fn what_is_encoded_parses_back(segments in prop::collection::vec(segment(), 0..6)) {
            // Texts side by side are one.
            let mut joined: Vec<Value> = Vec::new();
            for segment in segments {
                match joined.last_mut() {
                    Some(last) if last["type"] == "text" && segment["type"] == "text" => {
                        let both = [&last["data"]["text"], &segment["data"]["text"]].map(|text| text.as_str().unwrap_or_default()).concat();
                        *last = text(&both);
                    }
                    _ => joined.push(segment),
                }
            }
            prop_assert_eq!(parse(&encode(&joined)), joined);
        }

        #[test]
        fn no_text_is_too_strange(s in "(\\[CQ:|\\]|,|=|&amp;|&#91;|[a-z猫&\\[]){0,30}") {
            let said: usize = parse(&s).iter().map(|segment| segment.to_string().len()).sum();
            prop_assert!(said <= 40 * (s.len() + 1));
        }
    }
}
