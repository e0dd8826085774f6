//! How the words of somebody on XMPP look in a QQ group.

use std::fmt;

use toml::de::DeValue;

use super::value::{self, Wrong};

const NICK: &str = "{nick}";
const TEXT: &str = "{text}";

/// Text with a place for the nick and one for the words, in either order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// Reads a template. It holds `{nick}` and `{text}` once each, and no other braces.
    pub fn parse(text: &str) -> Option<Self> {
        let once = |place| text.matches(place).count() == 1;
        let rest = text.replacen(NICK, "", 1).replacen(TEXT, "", 1);
        let sound = once(NICK) && once(TEXT) && !rest.contains(['{', '}']) && text.len() <= 200;
        sound.then(|| Self(text.to_owned()))
    }

    /// What stands before the words of somebody with this nick. A nick `{text}` stays as it is.
    pub fn before(&self, nick: &str) -> String {
        self.halves().0.replacen(NICK, nick, 1)
    }

    /// What stands behind them.
    pub fn behind(&self, nick: &str) -> String {
        self.halves().1.replacen(NICK, nick, 1)
    }

    fn halves(&self) -> (&str, &str) {
        self.0.split_once(TEXT).expect("a template holds {text}")
    }

    /// As in the file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Template {
    fn default() -> Self {
        Self("{nick}: {text}".to_owned())
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(super) fn read(value: &DeValue<'_>) -> Result<Template, Wrong> {
    Template::parse(&value::text(value)?).ok_or_else(|| {
        Wrong::new(
            "must contain {nick} and {text}, once each, and no other braces",
            "write it like \"{nick}: {text}\"",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_between() {
        let around = |template: &Template, nick| (template.before(nick), template.behind(nick));
        let template = Template::default();
        assert_eq!(around(&template, "爱丽丝"), ("爱丽丝: ".to_owned(), String::new()));
        assert_eq!(around(&template, "{text}"), ("{text}: ".to_owned(), String::new()));
        let turned = Template::parse("“{text}” —{nick}").expect("a template");
        assert_eq!(around(&turned, "Bob"), ("“".to_owned(), "” —Bob".to_owned()));
    }

    #[test]
    fn refuses_what_would_lose_words() {
        for text in ["", "{nick}", "{text}", "{nick}: {text} {text}", "{nick}: {text} {time}"] {
            assert_eq!(Template::parse(text), None, "{text}");
        }
    }
}
