//! A message as plain text: what a person who sees text alone would read.

use super::Language;
use super::message::{Face, Mention, Part};
use super::rich::{Card, Game, Media, MediaKind, Poke, Record};

/// Records inside records are shown so deep, then only named.
const DEPTH: usize = 3;

/// The plain text of a message. A reply is no text: who shows it knows what is answered.
pub fn plain_text(parts: &[Part], language: Language) -> String {
    let mut text = String::new();
    for part in parts {
        push(&mut text, part, language, DEPTH);
    }
    text
}

fn push(text: &mut String, part: &Part, language: Language, depth: usize) {
    match part {
        Part::Text(t) => text.push_str(t),
        Part::Face(Face { emoji: Some(emoji), .. }) => text.push_str(emoji),
        Part::Face(Face { id, name, .. }) if name.is_empty() => text.extend(["[表情", &id.to_string(), "]"]),
        Part::Face(Face { name, .. }) => text.extend(["[", name, "]"]),
        Part::Mention(mention) => text.extend(["@", &name_of(mention)]),
        Part::Reply(_) => {}
        Part::Marker(label) => text.extend(["[", label, "]"]),
        Part::Media(media) => text.push_str(&of_media(media, language)),
        Part::Card(card) => text.push_str(&of_card(card, language)),
        Part::Record(record) => text.push_str(&of_record(record, language, depth)),
        // An action (XEP-0245): every client shows it after the name of who did it.
        Part::Poke(poke) => text.extend(["/me ", &of_poke(poke, language)]),
        Part::Game(game) => text.push_str(&of_game(*game, language)),
    }
}

fn name_of(mention: &Mention) -> String {
    match &mention.member {
        None => "全体成员".to_owned(),
        Some(id) if mention.name.is_empty() => id.to_string().trim_start_matches('=').to_owned(),
        Some(_) => mention.name.clone(),
    }
}

fn of_media(media: &Media, language: Language) -> String {
    let label = match (media.kind, language) {
        (MediaKind::Picture, Language::En) => "picture",
        (MediaKind::Picture, Language::Zh) => "图片",
        (MediaKind::Sticker, Language::En) => "sticker",
        (MediaKind::Sticker, Language::Zh) => "表情",
        (MediaKind::Voice, Language::En) => "voice",
        (MediaKind::Voice, Language::Zh) => "语音",
        (MediaKind::Video, Language::En) => "video",
        (MediaKind::Video, Language::Zh) => "视频",
        (MediaKind::File, Language::En) => "file",
        (MediaKind::File, Language::Zh) => "文件",
    };
    let seconds = media.seconds.map(|seconds| match language {
        Language::En => format!(" {seconds} s"),
        Language::Zh => format!(" {seconds} 秒"),
    });
    let told: Vec<String> = match media.kind {
        MediaKind::File | MediaKind::Video => {
            let name = Some(media.name.clone()).filter(|name| !name.is_empty());
            name.into_iter().chain(media.size.map(size)).collect()
        }
        MediaKind::Sticker => Some(media.summary.clone())
            .filter(|s| !s.is_empty())
            .into_iter()
            .collect(),
        MediaKind::Picture | MediaKind::Voice => Vec::new(),
    };
    let colon = match language {
        _ if told.is_empty() => "",
        Language::En => ": ",
        Language::Zh => "：",
    };
    format!("[{label}{}{colon}{}]", seconds.unwrap_or_default(), told.join(", "))
}

/// A size for people: three digits at most and a unit.
fn size(bytes: u64) -> String {
    let mut unit = "B";
    let mut rest = bytes;
    let mut tenths = 0;
    for next in ["KB", "MB", "GB", "TB"] {
        if rest < 1024 {
            break;
        }
        tenths = (rest % 1024) * 10 / 1024;
        rest /= 1024;
        unit = next;
    }
    if tenths > 0 && rest < 100 {
        return format!("{rest}.{tenths} {unit}");
    }
    format!("{rest} {unit}")
}

fn of_card(card: &Card, language: Language) -> String {
    let mut text = match language {
        Language::En => format!("[card: {}]", card.title),
        Language::Zh => format!("[卡片：{}]", card.title),
    };
    if !card.description.is_empty() && card.description != card.title {
        text.extend([" ", &card.description]);
    }
    if let Some(link) = &card.link {
        text.extend([" ", link]);
    }
    text
}

fn of_record(record: &Record, language: Language, depth: usize) -> String {
    let mut text = match (language, record.title.is_empty()) {
        (Language::En, true) => "[forwarded messages]".to_owned(),
        (Language::En, false) => format!("[forwarded: {}]", record.title),
        (Language::Zh, true) => "[聊天记录]".to_owned(),
        (Language::Zh, false) => format!("[聊天记录：{}]", record.title),
    };
    if depth == 0 {
        return text;
    }
    for line in &record.lines {
        let mut said = String::new();
        for part in &line.parts {
            push(&mut said, part, language, depth - 1);
        }
        for (at, words) in said.lines().enumerate() {
            let name = if at == 0 {
                format!("{}: ", line.name)
            } else {
                String::new()
            };
            text.extend(["\n> ", &name, words]);
        }
    }
    if record.more > 0 {
        let more = match language {
            Language::En => format!("\n> … and {} more", record.more),
            Language::Zh => format!("\n> …… 另有 {} 条", record.more),
        };
        text.push_str(&more);
    }
    text
}

/// What somebody does, where the parts are that and not words: to be read after their name.
pub fn action(parts: &[Part], language: Language) -> Option<String> {
    parts.iter().find_map(|part| match part {
        Part::Poke(poke) => Some(of_poke(poke, language)),
        _ => None,
    })
}

fn of_poke(poke: &Poke, language: Language) -> String {
    let verb = match (poke.verb.is_empty(), language) {
        (false, _) => &*poke.verb,
        (true, Language::En) => "poked",
        (true, Language::Zh) => "戳了戳",
    };
    let suffix = match language {
        Language::En if !poke.suffix.is_empty() => format!(" {}", poke.suffix),
        _ => poke.suffix.clone(),
    };
    format!("{verb} {}{suffix}", name_of(&poke.target))
}

fn of_game(game: Game, language: Language) -> String {
    let (sign, result) = match game {
        Game::Dice(result) => ("🎲", result),
        Game::Rps(result) => ("✊✌️✋", result),
    };
    match (result, language) {
        (None, _) => sign.to_owned(),
        (Some(n), _) if matches!(game, Game::Dice(_)) => format!("{sign} {n}"),
        (Some(n), Language::En) => format!("{sign} (result {n})"),
        (Some(n), Language::Zh) => format!("{sign}（结果 {n}）"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MemberId, QqNumber, RecordLine};

    fn media(kind: MediaKind) -> Media {
        Media {
            kind,
            name: String::new(),
            file: "abc".into(),
            url: None,
            size: None,
            seconds: None,
            summary: String::new(),
        }
    }

    fn english(part: Part) -> String {
        plain_text(&[part], Language::En)
    }

    #[test]
    fn media_say_what_is_known_of_them() {
        assert_eq!(english(Part::Media(media(MediaKind::Picture))), "[picture]");
        let voice = Media {
            seconds: Some(12),
            ..media(MediaKind::Voice)
        };
        assert_eq!(english(Part::Media(voice)), "[voice 12 s]");
        let file = Media {
            name: "a.zip".into(),
            size: Some(3_685_706),
            ..media(MediaKind::File)
        };
        assert_eq!(english(Part::Media(file.clone())), "[file: a.zip, 3.5 MB]");
        assert_eq!(plain_text(&[Part::Media(file)], Language::Zh), "[文件：a.zip, 3.5 MB]");
        let sticker = Media {
            summary: "贴贴".into(),
            ..media(MediaKind::Sticker)
        };
        assert_eq!(english(Part::Media(sticker)), "[sticker: 贴贴]");
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KB"),
            (1536, "1.5 KB"),
            (u64::MAX, "16777215 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_record_is_quoted_line_by_line_and_not_deeper_than_people_read() {
        let line = |name: &str, parts: Vec<Part>| RecordLine {
            sender: Some(QqNumber(1)),
            name: name.into(),
            time: None,
            parts,
        };
        let inner = Record {
            lines: vec![line("b", vec![Part::Text("in\nside".into())])],
            ..Record::default()
        };
        let record = Record {
            title: "群聊的聊天记录".into(),
            lines: vec![
                line("a", vec![Part::Text("one\ntwo".into())]),
                line("c", vec![Part::Record(inner)]),
            ],
            more: 3,
            ..Record::default()
        };
        let expected = "[forwarded: 群聊的聊天记录]\n> a: one\n> two\n> c: [forwarded messages]\n> > b: in\n> > side\n> … and 3 more";
        assert_eq!(english(Part::Record(record)), expected);
        let mut deep = Record::default();
        for _ in 0..10 {
            deep = Record {
                lines: vec![line("x", vec![Part::Record(deep)])],
                ..Record::default()
            };
        }
        assert_eq!(english(Part::Record(deep)).lines().count(), DEPTH + 1);
    }

    #[test]
    fn a_poke_is_an_action() {
        let target = Mention {
            member: Some(MemberId::Number(QqNumber(7))),
            name: "猫".into(),
        };
        let poke = Poke {
            verb: "拍了拍".into(),
            target: target.clone(),
            suffix: "的头".into(),
        };
        assert_eq!(plain_text(&[Part::Poke(poke)], Language::Zh), "/me 拍了拍 猫的头");
        let poke = Poke {
            verb: String::new(),
            target,
            suffix: String::new(),
        };
        assert_eq!(english(Part::Poke(poke)), "/me poked 猫");
    }

    #[test]
    fn a_card_has_its_link() {
        let card = Card {
            title: "Rust".into(),
            link: Some("https://rust-lang.org".into()),
            ..Card::default()
        };
        assert_eq!(english(Part::Card(card)), "[card: Rust] https://rust-lang.org");
        assert_eq!(english(Part::Game(Game::Dice(Some(4)))), "🎲 4");
    }
}
