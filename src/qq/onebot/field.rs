//! Reading single fields leniently: a number may have come as text, anything may be missing, everything is bounded. Pure.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::{GroupNumber, Handle, QqNumber, Timestamp};
use crate::qq::text::{clean_lines, is_legal};

/// No name of QQ is longer, in bytes.
const NAME_MAX: usize = 300;
/// Ids and codes of files are some hundred bytes.
const ID_MAX: usize = 1024;
const URL_MAX: usize = 4096;
/// The last second of the year 9999.
const TIME_MAX: i64 = 253_402_300_799;

/// A number that may have come as text, or with a fraction, which is cut off.
pub(super) fn number(value: &Value) -> Option<u64> {
    whole(value).and_then(|n| n.try_into().ok())
}

/// A number that may be negative and may have come as text, or with a fraction, which is cut off.
pub(super) fn signed(value: &Value) -> Option<i64> {
    whole(value).and_then(|n| n.try_into().ok())
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i128().or_else(|| number.as_f64().and_then(cut_off)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `1776056153.2` is how programs in languages without whole numbers tell a time.
#[expect(clippy::cast_possible_truncation, reason = "the fraction is to be cut off")]
fn cut_off(number: f64) -> Option<i128> {
    // Outside of it is nothing that anybody counts.
    (number.abs() < 1e20).then_some(number as i128)
}

/// A person; 0 stands for nobody.
pub(super) fn user(value: &Value) -> Option<QqNumber> {
    number(value).filter(|n| *n > 0).map(QqNumber)
}

/// A group; 0 stands for none.
pub(super) fn group(value: &Value) -> Option<GroupNumber> {
    number(value).filter(|n| *n > 0).map(GroupNumber)
}

/// What the other program calls a message: a number of any size or sign, or any text. Kept as text.
pub(super) fn handle(value: &Value) -> Option<Handle> {
    let text = scalar(value);
    let text = text.trim();
    (!text.is_empty() && text.len() <= ID_MAX).then(|| Handle(text.into()))
}

/// A number or a text as text; empty for anything else.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// A truth that may have come as a number or a text.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        Value::String(text) if text == "true" || text == "1" => Some(true),
        Value::String(text) if text == "false" || text == "0" => Some(false),
        _ => None,
    }
}

/// A text; empty for anything else.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The elements of an array; none for anything else.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The values of an object; none for anything else.
pub(super) fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flat_map(Map::values)
}

/// The first of these keys that holds a text or a number that is not empty.
pub(super) fn first(data: &Value, keys: &[&str]) -> String {
    let mut found = keys.iter().map(|key| scalar(&data[*key]));
    found.find(|text| !text.trim().is_empty()).unwrap_or_default()
}

/// A name: one line, nothing that XML cannot hold.
pub(super) fn name(value: &Value) -> String {
    line(&scalar(value), NAME_MAX)
}

/// A text as one line of at most `max` bytes.
pub(super) fn line(text: &str, max: usize) -> String {
    let kept = cut(text, max).chars().filter_map(|c| match c {
        '\t' | '\n' | '\r' | '\u{a0}' | '\u{2028}' | '\u{2029}' => Some(' '),
        c => (is_legal(c) && !c.is_control()).then_some(c),
    });
    kept.collect::<String>().trim().to_owned()
}

/// A text of several lines, at most `max` bytes.
pub(super) fn lines(text: &str, max: usize) -> String {
    clean_lines(cut(text, max))
}

/// The longest beginning within `max` bytes.
pub(super) fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// An id or a code of a file, never a whole file, never a path of another machine.
pub(super) fn file(text: &str) -> String {
    let inline = ["base64://", "data:", "file:", "http://", "https://"];
    let foreign = inline.iter().any(|scheme| text.starts_with(scheme));
    let id = !foreign && text.len() <= ID_MAX && text.chars().all(|c| !c.is_control());
    if id { text.trim().to_owned() } else { String::new() }
}

/// An address that can be fetched: `http` or `https`.
pub(super) fn url(text: &str) -> Option<String> {
    let text = text.trim();
    let fetchable = text.starts_with("http://") || text.starts_with("https://");
    let whole = text.len() <= URL_MAX && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    (fetchable && whole && url::Url::parse(text).is_ok()).then(|| text.to_owned())
}

/// Seconds since 1970, where they make sense.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    signed(value)
        .filter(|secs| (1..=TIME_MAX).contains(secs))
        .map(Timestamp::from_secs)
}

/// Milliseconds as a span; a day at most.
pub(super) fn millis(value: &Value) -> Option<Duration> {
    const DAY: u64 = 86_400_000;
    number(value)
        .filter(|ms| (1..=DAY).contains(ms))
        .map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_come_in_many_shapes() {
        for (value, unsigned, negative) in [
            (json!(5), Some(5), Some(5)),
            (json!(" 5 "), Some(5), Some(5)),
            (json!(-5), None, Some(-5)),
            (json!("-5"), None, Some(-5)),
            (json!(1_776_056_153.9), Some(1_776_056_153), Some(1_776_056_153)),
            (json!(-2.9), None, Some(-2)),
            (json!(-0.5), Some(0), Some(0)),
            (json!(1e19), Some(10_000_000_000_000_000_000), None),
            (json!(18_446_744_073_709_551_616.0), None, None),
            (json!(-9_223_372_036_854_775_808.0), None, Some(i64::MIN)),
            (json!(9_223_372_036_854_775_808.0), Some(1 << 63), None),
            (json!(1e300), None, None),
            (json!("x"), None, None),
            (json!(null), None, None),
            (json!([5]), None, None),
        ] {
            assert_eq!((number(&value), signed(&value)), (unsigned, negative), "{value}");
        }
    }

    #[test]
    fn a_time_with_a_fraction_is_one() {
        assert_eq!(time(&json!(1_776_056_153.2)), Some(Timestamp::from_secs(1_776_056_153)));
        assert_eq!(time(&json!(0.5)), None);
        assert_eq!(time(&json!(1e15)), None);
    }
}
