//! Mutes: the web protocol has no event for them, only words of the system in the group. Pure.

use std::time::Duration;

/// Longer is no text of the system.
const TEXT_MAX: usize = 500;

/// Somebody may not speak, or may again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mute {
    pub(super) name: String,
    /// The real number.
    pub(super) number: Option<u64>,
    /// Zero lifts it; [`Duration::MAX`] when the end could not be read.
    pub(super) duration: Duration,
}

/// Reads `名(QQ) 被管理员禁言10分钟` and `名(QQ) 被管理员解除禁言`. Anybody can type that: the caller looks at who said it.
pub(super) fn read(text: &str) -> Option<Mute> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let (whom, what) = text.rsplit_once("被管理员")?;
    let what = what.trim().trim_end_matches(['。', '.']);
    let duration = if what == "解除禁言" {
        Duration::ZERO
    } else {
        length(what.strip_prefix("禁言")?)
    };
    let (name, number) = person(whom.trim());
    Some(Mute { name, number, duration })
}

/// `名(QQ)`; a name may hold parentheses itself.
fn person(whom: &str) -> (String, Option<u64>) {
    let parts = whom.strip_suffix([')', '）']).and_then(|rest| {
        let at = rest.rfind(['(', '（'])?;
        let digits = rest[at..].trim_start_matches(['(', '（']);
        Some((rest[..at].trim(), digits.trim().parse().ok()?))
    });
    match parts {
        Some((name, number)) => (name.to_owned(), Some(number)),
        None => (whom.to_owned(), None),
    }
}

/// `1天2小时10分钟`.
fn length(text: &str) -> Duration {
    const UNITS: [(&str, u64); 6] = [
        ("天", 86_400),
        ("小时", 3600),
        ("分钟", 60),
        ("分", 60),
        ("秒钟", 1),
        ("秒", 1),
    ];
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (count, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let unit = UNITS.iter().find(|(name, _)| behind.starts_with(name));
        let (Ok(count), Some((name, seconds))) = (count.parse::<u64>(), unit) else {
            return Duration::MAX;
        };
        total = total.saturating_add(Duration::from_secs(count.saturating_mul(*seconds)));
        rest = behind[name.len()..].trim_start();
    }
    if total.is_zero() { Duration::MAX } else { total }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        read(text).map(|mute| mute.duration.as_secs())
    }

    #[test]
    fn mutes_and_their_end() {
        assert_eq!(
            read("李四(222333444) 被管理员禁言10分钟 "),
            Some(Mute {
                name: "李四".into(),
                number: Some(222_333_444),
                duration: Duration::from_secs(600),
            })
        );
        let freed = read("a(b)(5) 被管理员解除禁言").expect("the end of one");
        assert_eq!(
            (freed.name.as_str(), freed.number, freed.duration),
            ("a(b)", Some(5), Duration::ZERO)
        );
        assert_eq!(read("王 被管理员禁言1小时").and_then(|mute| mute.number), None);
        for (text, length) in [
            ("x(1) 被管理员禁言1天2小时3分钟4秒", 93_784),
            ("x（1）被管理员禁言 30 天", 2_592_000),
            ("x(1)被管理员禁言1小时。", 3600),
            ("x(1)被管理员禁言", u64::MAX),
            ("x(1)被管理员禁言很久", u64::MAX),
            ("x(1)被管理员禁言99999999999999999999天", u64::MAX),
        ] {
            assert_eq!(seconds(text), Some(length), "{text}");
        }
    }

    #[test]
    fn other_words_are_other_words() {
        for text in [
            "",
            "你好",
            "被管理员",
            "x 被管理员踢了",
            "x 被管理员解除禁言了吗",
            "禁言10分钟",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"被管理员禁言".repeat(100)), None);
    }
}
