//! Who is named in a text.

use crate::model::MemberId;

/// Places in a text that are looked at.
const MOST: usize = 32;
/// Longest nick that is looked for, in characters.
const LONGEST_NICK: usize = 60;

/// Members named in a text, as `@nick` anywhere or as `nick:` or `nick,` at its beginning. `member` says whose nick a word is.
pub(super) fn mentioned(text: &str, member: impl Fn(&str) -> Option<MemberId>) -> Vec<(String, MemberId)> {
    let mut found: Vec<(String, MemberId)> = Vec::new();
    let mut add = |nick: &str, id: MemberId| {
        if !found.iter().any(|(n, m)| n == nick && *m == id) {
            found.push((nick.to_owned(), id));
        }
    };
    let marks = [':', ',', '：', '，'];
    let beginning = text.char_indices().take(LONGEST_NICK + 1);
    for (at, _) in beginning.filter(|(_, c)| marks.contains(c)).take(4) {
        if let Some(id) = member(&text[..at]) {
            add(&text[..at], id);
        }
    }
    let places = text.match_indices(['@', '＠']).take(MOST);
    for (at, sign) in places {
        let rest = &text[at + sign.len()..];
        let ends: Vec<usize> = rest
            .char_indices()
            .take(LONGEST_NICK)
            .map(|(i, c)| i + c.len_utf8())
            .collect();
        let longest = ends
            .into_iter()
            .rev()
            .find_map(|end| Some((&rest[..end], member(&rest[..end])?)));
        if let Some((nick, id)) = longest {
            add(nick, id);
        }
    }
    found
}
