//! XEP-0428 Fallback Indication: which part of a body is only there for old clients.

use xmpp_parsers::message::MessagePayload;
use xso::{AsXml, FromXml};

use super::ns;

/// A part of the message repeats what the payload of another namespace says.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::FALLBACK, name = "fallback")]
pub struct Fallback {
    /// The namespace that makes the part superfluous.
    #[xml(attribute(default, name = "for"))]
    pub for_: Option<String>,
    /// Ranges of the body. With neither these nor a subject, all of the message is meant.
    #[xml(child(n = ..))]
    pub bodies: Vec<Range>,
}

impl MessagePayload for Fallback {}

/// A range of the body, in Unicode code points; without ends, all of it.
#[derive(FromXml, AsXml, Debug, Clone, Copy, PartialEq)]
#[xml(namespace = ns::FALLBACK, name = "body")]
pub struct Range {
    /// First code point.
    #[xml(attribute(default))]
    pub start: Option<u32>,
    /// One past the last.
    #[xml(attribute(default))]
    pub end: Option<u32>,
}

/// The body without what `ranges` cover. Ranges may overlap and reach beyond the end.
pub fn strip(body: &str, ranges: &[Range]) -> String {
    let rest = body.chars().zip(0_u32..).filter(|(_, at)| !covers(ranges, *at));
    rest.map(|(c, _)| c).collect()
}

/// The first line with words of what `ranges` cover, without the signs of a quotation.
pub fn covered(body: &str, ranges: &[Range]) -> Option<String> {
    let covered = body.chars().zip(0_u32..).filter(|(_, at)| covers(ranges, *at));
    let covered: String = covered.map(|(c, _)| c).collect();
    let mut lines = covered
        .lines()
        .map(|line| line.trim_start_matches(['>', ' ']).trim_end());
    lines.find(|line| !line.is_empty()).map(ToOwned::to_owned)
}

fn covers(ranges: &[Range], at: u32) -> bool {
    ranges
        .iter()
        .any(|r| r.start.unwrap_or(0) <= at && r.end.is_none_or(|end| at < end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_code_points() {
        let range = |start, end| Range { start, end };
        assert_eq!(strip("> 😀猫\n在", &[range(Some(0), Some(5))]), "在");
        assert_eq!(strip("abc", &[range(None, None)]), "");
        assert_eq!(strip("abc", &[range(Some(1), Some(99)), range(Some(7), Some(2))]), "a");
        assert_eq!(strip("abc", &[]), "abc");
        let quote = |body: &str, end| covered(body, &[range(Some(0), Some(end))]);
        assert_eq!(quote("> \n>> 😀猫\n> more\n在", 14).as_deref(), Some("😀猫"));
        assert_eq!(quote("> \n在", 3), None);
    }
}
