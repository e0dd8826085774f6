//! Text that XML 1.0 can carry.

use chrono::{DateTime, FixedOffset, TimeZone as _, Utc};

use crate::model::Timestamp;

/// The text without characters that XML 1.0 forbids, line ends as LF.
pub fn legal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\t' | '\n' | ' '..='\u{FFFD}' | '\u{10000}'.. => out.push(c),
            _ => {}
        }
    }
    out
}

/// A point in time as XEP-0082 writes it, in UTC; times beyond the calendar are its nearest end.
pub fn stamp(time: Timestamp) -> xmpp_parsers::date::DateTime {
    let utc: DateTime<Utc> = Utc
        .timestamp_millis_opt(time.0)
        .single()
        .filter(|t| (1970..=9999).contains(&chrono::Datelike::year(t)))
        .unwrap_or_default();
    xmpp_parsers::date::DateTime(utc.with_timezone(&FixedOffset::east_opt(0).expect("zero is an offset")))
}

/// [`stamp`] as text, with `Z` as Jabber clients are used to.
pub fn stamp_text(time: Timestamp) -> String {
    stamp(time).0.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_legal_characters_pass() {
        assert_eq!(legal("a\r\nb\rc\u{0}\u{b}\u{ffff}\u{fffe}\td😀"), "a\nb\nc\td😀");
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(stamp_text(Timestamp(1_500)), "1970-01-01T00:00:01.500Z");
        assert_eq!(stamp_text(Timestamp(i64::MAX)), "1970-01-01T00:00:00.000Z");
    }
}
