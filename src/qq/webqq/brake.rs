//! How long the account keeps silent between two messages. Pure.

use std::time::Duration;

use super::send::Verdict;
use crate::qq::Outcome;

/// Pauses after the service said that it was too much: each longer, until a message goes through.
#[derive(Debug, Default)]
pub(super) struct Brake {
    pauses: u32,
}

impl Brake {
    const LONGEST: Duration = Duration::from_secs(60);

    /// How long to wait before the next message after this outcome.
    pub(super) fn pause(&mut self, every: Duration, verdict: &Verdict) -> Duration {
        match (&verdict.outcome, verdict.too_much) {
            (_, true) => self.pauses = (self.pauses + 1).min(6),
            (Outcome::Sent(_), _) => self.pauses = 0,
            _ => {}
        }
        (every * 2_u32.pow(self.pauses)).min(Self::LONGEST.max(every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_makes_pauses_longer_until_something_goes_through() {
        let mut brake = Brake::default();
        let second = Duration::from_secs(1);
        let went = Verdict::plain(Outcome::Sent(None));
        let unknown = Verdict::plain(Outcome::Unknown(String::new()));
        let too_much = Verdict {
            too_much: true,
            ..unknown.clone()
        };
        assert_eq!(brake.pause(second, &went), second);
        let pauses: Vec<u64> = (0..8).map(|_| brake.pause(second, &too_much).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(brake.pause(second, &unknown).as_secs(), 60);
        assert_eq!(brake.pause(second, &went), second);
        let long = 2 * Brake::LONGEST;
        assert_eq!(brake.pause(long, &too_much), long);
    }
}
