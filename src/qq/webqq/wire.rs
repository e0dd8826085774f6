//! Reading the service's answers: JSON by content whatever its label, mended where it is not quite JSON, and JavaScript calls.
//! Pure. Everything here is hostile: nothing panics, nothing is evaluated.

use serde_json::Value;

/// What a call of the web API answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    /// `retcode`, else `errCode`, else `ec`; absent in some idle forms.
    pub(super) retcode: Option<i64>,
    /// The whole object.
    pub(super) body: Value,
}

impl Answer {
    /// Reads a body. Nothing when it is no JSON object.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body = json(body)?;
        body.as_object()?;
        let retcode = ["retcode", "errCode", "ec"].iter().find_map(|key| signed(&body[*key]));
        Some(Self { retcode, body })
    }

    /// The part that holds what was asked for; null when absent.
    pub(super) fn result(&self) -> &Value {
        &self.body["result"]
    }
}

/// A number that may have come as text.
pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn signed(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A text; empty for anything else.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The elements of an array; none for anything else.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Parses JSON. Names are cut inside characters and texts hold whatever people paste, so what strict JSON refuses (raw control
/// characters, lone surrogates, unknown escapes, broken UTF-8) is mended first: one bad name must not cost a whole list.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text)
        .ok()
        .or_else(|| serde_json::from_str(&mended(text)).ok())
}

fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '\\' => {
                let (escape, length) = escape(rest);
                out.push_str(escape);
                taken = length;
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        rest = &rest[taken..];
    }
    out
}

/// The escape at the beginning of `text` in a form that JSON knows, and how many bytes of `text` it stands for.
fn escape(text: &str) -> (&str, usize) {
    const LOST: &str = "\\ufffd";
    match text.as_bytes().get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => (&text[..2], 2),
        Some(b'u') => match code_unit(text) {
            Some(0xd800..=0xdbff) => match text.get(6..).and_then(code_unit) {
                Some(0xdc00..=0xdfff) => (&text[..12], 12),
                _ => (LOST, 6),
            },
            Some(0xdc00..=0xdfff) => (LOST, 6),
            Some(_) => (&text[..6], 6),
            None => ("", 1),
        },
        _ => ("", 1),
    }
}

fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

/// A call like `ptuiCB('66','0','','0','text', 'nick');`: its arguments, if it is a call of `name`.
/// Source of the shape: the login page's script. `\xNN`, `\'` and `\\` are understood.
pub(super) fn call(body: &[u8], name: &str) -> Option<Vec<String>> {
    /// The real ones have at most seven.
    const MOST_ARGUMENTS: usize = 16;
    let text = String::from_utf8_lossy(body);
    let mut rest = text.trim_start().strip_prefix(name)?.trim_start().strip_prefix('(')?;
    let mut arguments = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.starts_with(')') && arguments.is_empty() {
            return Some(arguments);
        }
        let (argument, behind) = quoted(rest)?;
        arguments.push(argument);
        rest = behind.trim_start();
        if rest.starts_with(')') {
            return Some(arguments);
        }
        if arguments.len() == MOST_ARGUMENTS {
            return None;
        }
        rest = rest.strip_prefix(',')?;
    }
}

/// A quoted string at the beginning, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mark = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == mark => return Some((out, &text[at + 1..])),
            '\\' => match chars.next()? {
                (at, 'x') => {
                    let code = text.get(at + 1..at + 3)?;
                    out.push(char::from(u8::from_str_radix(code, 16).ok()?));
                    chars.next();
                    chars.next();
                }
                (_, 'n') => out.push('\n'),
                (_, 'r') => out.push('\r'),
                (_, other) => out.push(other),
            },
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_answers() {
        let waiting = "ptuiCB('66','0','','0','二维码未失效。(3203423232)', '');\r\n";
        let arguments = call(waiting.as_bytes(), "ptuiCB").expect("a call");
        assert_eq!(arguments[0], "66");
        assert_eq!(arguments.len(), 6);
        let five = call(b"ptuiCB('3','0','','0','no');", "ptuiCB").expect("a call");
        assert_eq!(five.len(), 5);
        assert_eq!(
            call(b"f('\\x00\\x07\\x5b','\\'a\\\\')", "f"),
            Some(vec!["\0\u{7}[".into(), "'a\\".into()])
        );
        assert_eq!(
            call(b"ptui_auth_CB('0','http://x')", "ptui_auth_CB").map(|a| a[1].clone()),
            Some("http://x".into())
        );
    }

    #[test]
    fn hostile_calls_are_no_calls() {
        let endless = format!("ptuiCB({}", "'a',".repeat(100_000));
        for body in [
            "",
            "ptuiCB",
            "ptuiCB(",
            "ptuiCB('",
            "ptuiCB('a",
            "ptuiCB('a',",
            "ptuiCB('a' 'b')",
            "ptuiCB(evil())",
            "ptuiCB('\\x",
            "ptuiCB('\\xzz')",
            "ptuiCB('\\x猫')",
            "ptuiCB('\\",
            "<html>ptuiCB('0')</html>",
            &endless,
        ] {
            assert_eq!(call(body.as_bytes(), "ptuiCB"), None, "{body:.40}");
        }
        assert_eq!(call(b"ptuiCB()", "ptuiCB"), Some(vec![]));
    }

    #[test]
    fn json_that_is_not_quite() {
        let cut = b"{\"retcode\":0,\"card\":\"\xe6\x9d\"}";
        assert!(Answer::read(cut).is_some_and(|a| a.retcode == Some(0)));
        for (from, to) in [
            (r#"{"a":"\ud83d\ude42"}"#, "🙂"),
            (r#"{"a":"\ud83d"}"#, "\u{fffd}"),
            (r#"{"a":"\ude42\ud83d\u0041"}"#, "\u{fffd}\u{fffd}A"),
            (r#"{"a":"\x41\q"}"#, "x41q"),
            ("{\"a\":\"b\u{1}\nc\"}", "b  c"),
        ] {
            assert_eq!(
                json(from.as_bytes()).map(|v| text(&v["a"]).to_owned()).as_deref(),
                Some(to),
                "{from}"
            );
        }
        assert_eq!(json(b"<html>"), None);
        assert_eq!(json(&b"[".repeat(100_000)), None);
    }

    #[test]
    fn numbers_come_as_text_too() {
        let answer = Answer::read(br#"{"retcode":"103","result":"ok"}"#).expect("an object");
        assert_eq!(answer.retcode, Some(103));
        assert!(items(answer.result()).is_empty());
        assert_eq!(number(&serde_json::json!("4294967295")), Some(4_294_967_295));
        assert_eq!(
            Answer::read(br#"{"errCode":0,"msg":"send ok"}"#).and_then(|a| a.retcode),
            Some(0)
        );
        assert_eq!(Answer::read(b"[]"), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200), s in "ptuiCB\\(['a\\\\x,猫) ]{0,40}") {
            json(&body);
            call(&body, "ptuiCB");
            call(s.as_bytes(), "ptuiCB");
            mended(&String::from_utf8_lossy(&body));
        }
    }
}
