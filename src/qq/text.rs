//! Cleaning of text that comes from QQ. Pure.

/// Decodes the HTML entities that QQ's web interfaces put into names and texts: the five of XML, `&nbsp;`, and numeric ones.
/// What is no entity stays as it is. One level only: `&amp;lt;` becomes `&lt;`.
pub fn decode_entities(text: &str) -> String {
    /// `&` to `;` of the longest entity that is understood.
    const LONGEST: usize = 10;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(LONGEST).position(|b| b == b';');
        if let Some((c, end)) = end.and_then(|end| Some((entity(&rest[1..end])?, end))) {
            out.push(c);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let code = name.strip_prefix('#')?;
            let number = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(number)?
        }
    };
    Some(c)
}

/// Whether XML 1.0 may hold the character (§2.2).
pub fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// A text of several lines as QQ gives it: line ends become LF, what XML cannot hold is dropped.
pub fn clean_lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| is_legal(*c)).collect()
}

/// A name as QQ gives it (escaped, perhaps cut inside a character): one line, NBSP as a space, nothing that XML cannot hold.
pub fn clean_name(text: &str) -> String {
    let decoded = decode_entities(text);
    let kept = decoded.chars().filter_map(|c| match c {
        '\t' | '\n' | '\r' | '\u{a0}' => Some(' '),
        // Left by a cut inside a character.
        '\u{fffd}' => None,
        c => (is_legal(c) && !c.is_control()).then_some(c),
    });
    kept.collect::<String>().trim().to_owned()
}

/// Full-width forms of ASCII as ASCII: `＜` is `<`.
pub fn narrow(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities() {
        for (from, to) in [
            ("a &lt;b&gt; &amp;&quot;&#39;&#x41;", "a <b> &\"'A"),
            ("&amp;lt;", "&lt;"),
            (
                "&unknown; & &; &#xd800; &#99999999999; &",
                "&unknown; & &; &#xd800; &#99999999999; &",
            ),
            ("&猫;&猫猫猫猫猫;", "&猫;&猫猫猫猫猫;"),
        ] {
            assert_eq!(decode_entities(from), to);
        }
    }

    #[test]
    fn names() {
        assert_eq!(clean_name("a\u{a0}b&nbsp;&lt;\u{1}c&#2;\u{fffd}\n"), "a b <c");
        assert_eq!(clean_name("]]>"), "]]>");
    }

    #[test]
    fn lines() {
        assert_eq!(clean_lines("a\rb\r\nc\nd\u{0}\u{2}\te\u{ffff}"), "a\nb\nc\nd\te");
    }
}
