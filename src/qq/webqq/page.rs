//! `group_web_message`: a small page that tells a group's members of a shared file and the like. Read by the few attributes it is
//! known to have, and not as XML: it is hostile, and its words are all that is wanted. Pure.

use crate::model::{Card, Part};
use crate::qq::text::{clean_name, decode_entities};

const XML_MAX: usize = 64 << 10;
const WORDS_MAX: usize = 1000;

/// The page as a card: its first words and the others. `n` nodes: `t` text, `r` a line's end, `b` a gap, `h` the head, `i` a picture.
pub(super) fn read(xml: &str) -> Part {
    let end = (0..=XML_MAX.min(xml.len())).rev().find(|at| xml.is_char_boundary(*at));
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for node in xml[..end.unwrap_or(0)].split("<n ").skip(1) {
        let node = node.split('>').next().unwrap_or_default();
        match attribute(node, "t") {
            Some("t") => line.push_str(&words(attribute(node, "s").unwrap_or_default())),
            Some("r" | "b") => lines.push(std::mem::take(&mut line)),
            Some("i") => line.push_str("[图片]"),
            _ => {}
        }
    }
    lines.push(line);
    lines.retain(|line| !line.trim().is_empty());
    let mut lines = lines.into_iter();
    let Some(title) = lines.next() else {
        return Part::Marker("something that cannot be shown here".to_owned());
    };
    Part::Card(Card {
        app: "group_web_message".to_owned(),
        title,
        description: lines.collect::<Vec<_>>().join(" ").chars().take(WORDS_MAX).collect(),
        link: None,
    })
}

fn words(escaped: &str) -> String {
    clean_name(&decode_entities(escaped)).chars().take(WORDS_MAX).collect()
}

fn attribute<'a>(node: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = node;
    loop {
        let (key, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let mark = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = behind[1..].split_once(mark)?;
        if key.trim() == name {
            return Some(value);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Language;
    use crate::model::words::plain_text;

    fn shown(xml: &str) -> String {
        plain_text(&[read(xml)], Language::Zh)
    }

    #[test]
    fn a_shared_file() {
        let xml = r#"<?xml version="1.0" encoding="utf-8"?><d><n t="h" u="555666777"/><n t="t" s="共享文件"/><n t="b"/><n t="t" s="IMG&amp;1.jpg"/></d>"#;
        assert_eq!(shown(xml), "[卡片：共享文件] IMG&1.jpg");
        assert_eq!(
            shown(r#"<n t='t' s='a'/><n t="t" s="b"/><n t="r"/><n t="i"/>"#),
            "[卡片：ab] [图片]"
        );
    }

    #[test]
    fn hostile_pages() {
        for xml in [
            "",
            "<n ",
            "<n t=",
            "<n t=\"t",
            "<n t=\"t\" s=",
            "<n t=\"t\" s=\"\u{1}\"/>",
            "<n 猫=猫>",
            "<d>",
        ] {
            assert_eq!(shown(xml), "[something that cannot be shown here]", "{xml}");
        }
        let giant = "<n t=\"t\" s=\"猫\"/><n t=\"r\"/>".repeat(100_000);
        assert!(shown(&giant).chars().count() < WORDS_MAX + 100);
    }
}
