//! The sandbox's clock: the machine's, moved forward by `/sandbox/clock`. Also reads durations (`47h`, `90s`, `1d12h`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The furthest the clock can be moved in one step, so that no sum overflows: ten years.
const FURTHEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// The machine's clock and how far it was moved.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// Milliseconds that were added by hand.
    pub(crate) ahead_ms: i64,
}

impl Clock {
    /// Unix time in milliseconds.
    pub(crate) fn now_ms(self) -> i64 {
        let machine = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        i64::try_from(machine)
            .unwrap_or(i64::MAX / 2)
            .saturating_add(self.ahead_ms)
    }

    /// Unix time in seconds.
    pub(crate) fn now(self) -> i64 {
        self.now_ms() / 1000
    }
}

/// Reads `47h`, `90s`, `1d12h`, `250ms`; a bare number is seconds. `None` when it is not a duration or too long.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let millis = match &rest[..letters] {
            "ms" => 1,
            "" | "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        rest = rest[letters..].trim_start();
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
    }
    (total <= FURTHEST).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(parse_duration("47h"), Some(Duration::from_secs(47 * 3600)));
        assert_eq!(parse_duration("1d12h 5s"), Some(Duration::from_secs(36 * 3600 + 5)));
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("90"), Some(Duration::from_secs(90)));
        for wrong in ["", "h", "-5s", "5 parsecs", "99999999999999999999h", "1000000d"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
