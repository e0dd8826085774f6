//! CQ codes: `[CQ:type,key=value]` between escaped words.

use serde_json::{Map, Value, json};

/// Writes segments as one text. `drop_empty`: values that are empty are left out.
pub(crate) fn encode(segments: &[Value], drop_empty: bool) -> String {
    segments.iter().map(|segment| encode_one(segment, drop_empty)).collect()
}

fn encode_one(segment: &Value, drop_empty: bool) -> String {
    let kind = segment["type"].as_str().unwrap_or_default();
    if kind == "text" {
        return escape(segment["data"]["text"].as_str().unwrap_or_default());
    }
    let mut code = format!("[CQ:{kind}");
    for (key, value) in segment["data"].as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            // Seen in real traffic: what JavaScript makes of an object.
            Value::Object(_) => "[object Object]".to_owned(),
            other => other.to_string(),
        };
        if drop_empty && value.is_empty() {
            continue;
        }
        code.extend([",", key, "=", &escape(&value).replace(',', "&#44;")]);
    }
    code.push(']');
    code
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('[', "&#91;").replace(']', "&#93;")
}

fn unescape(text: &str) -> String {
    text.replace("&#91;", "[")
        .replace("&#93;", "]")
        .replace("&#44;", ",")
        .replace("&amp;", "&")
}

/// Reads a text with CQ codes into segments. What is no code is words.
pub(crate) fn decode(text: &str) -> Vec<Value> {
    let mut segments = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("[CQ:") {
        let Some(length) = rest[start..].find(']') else {
            break;
        };
        segments.extend(words(&rest[..start]));
        segments.push(decode_one(&rest[start + 4..start + length]));
        rest = &rest[start + length + 1..];
    }
    segments.extend(words(rest));
    segments
}

fn words(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| json!({"type": "text", "data": {"text": unescape(text)}}))
}

fn decode_one(code: &str) -> Value {
    let mut parts = code.split(',');
    let kind = parts.next().unwrap_or_default();
    let data: Map<String, Value> = parts
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| (key.to_owned(), Value::String(unescape(value))))
        .collect();
    json!({"type": kind, "data": data})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let segments = [
            json!({"type": "reply", "data": {"id": "-5"}}),
            json!({"type": "at", "data": {"qq": "2", "name": "a,b=[c]&"}}),
            json!({"type": "text", "data": {"text": " hi [x], &amp; y"}}),
        ];
        let text = encode(&segments, false);
        assert_eq!(
            text,
            "[CQ:reply,id=-5][CQ:at,name=a&#44;b=&#91;c&#93;&amp;,qq=2] hi &#91;x&#93;, &amp;amp; y"
        );
        assert_eq!(decode(&text), segments);
        assert_eq!(decode("[CQ:x"), [json!({"type": "text", "data": {"text": "[CQ:x"}})]);
    }

    #[test]
    fn objects_degrade_and_empty_values_go_where_they_do() {
        let segment = [json!({"type": "face", "data": {"id": "311", "raw": {"a": 1}, "x": "", "y": null}})];
        assert_eq!(encode(&segment, true), "[CQ:face,id=311,raw=&#91;object Object&#93;]");
        assert_eq!(
            encode(&segment, false),
            "[CQ:face,id=311,raw=&#91;object Object&#93;,x=]"
        );
    }
}
