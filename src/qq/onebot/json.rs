//! Text to JSON as the other programs write it, and ids back. Pure.

use serde_json::Value;

/// Parses a frame. A lone half of a surrogate pair, which JavaScript writes when it cut an emoji in two, costs a character and
/// not the frame.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text)
        .or_else(|error| match mend(text) {
            Some(mended) => serde_json::from_str(&mended),
            None => Err(error),
        })
        .map_err(|error| error.to_string())
}

/// The text with lone surrogate escapes replaced; nothing when there is none.
fn mend(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut mended = String::with_capacity(text.len());
    let (mut at, mut from, mut changed) = (0, 0, false);
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match surrogate(text, at) {
            None => at += 2,
            Some(Half::High) if surrogate(text, at + 6) == Some(Half::Low) => at += 12,
            Some(_) => {
                mended.push_str(&text[from..at]);
                mended.push('\u{fffd}');
                at += 6;
                from = at;
                changed = true;
            }
        }
    }
    changed.then(|| mended + &text[from..])
}

#[derive(PartialEq, Eq)]
enum Half {
    High,
    Low,
}

fn surrogate(text: &str, at: usize) -> Option<Half> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}

/// An id as it has to be said in a call: a number where it is one.
pub(super) fn id(text: &str) -> Value {
    text.parse::<i64>()
        .map_or_else(|_| Value::from(text.to_owned()), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_emoji_costs_a_character() {
        let parsed = parse(r#"{"a":"x\ud83dy","b":"\ud83d\ude00","c":"\\ud83d","d":"\ude00"}"#).expect("it is mended");
        assert_eq!(
            parsed,
            serde_json::json!({"a": "x\u{fffd}y", "b": "😀", "c": "\\ud83d", "d": "\u{fffd}"})
        );
        assert!(parse("{\"a\":").is_err());
        assert!(parse("\\ud83d猫").is_err());
    }

    #[test]
    fn ids_are_numbers_where_they_can() {
        assert_eq!(id("-5"), Value::from(-5));
        assert_eq!(id("x"), Value::from("x"));
    }
}
