//! The real numbers behind temporary ids, one question at a time; the service stopped telling them in 2017.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::api::{NoAnswer, Of};
use super::http::Failure;
use super::session::Session;
use super::wire::number;

/// What the service says of a real number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Is(u64),
    /// There is none to be had.
    Withheld,
}

/// Real numbers, as far as the service tells them.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    people: HashMap<u64, Number>,
    groups: HashMap<u64, Number>,
    /// Questions without an answer that says anything.
    failed: HashMap<(Of, u64), Failures>,
    told: u32,
    refused: u32,
    /// Answers as if there were no such page.
    gone: Option<Failures>,
}

/// How many, and when the first and the last were.
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    first: Instant,
    last: Instant,
}

impl Failures {
    fn one_more(before: Option<Self>) -> Self {
        let now = Instant::now();
        Self {
            count: before.map_or(0, |before| before.count).saturating_add(1),
            first: before.map_or(now, |before| before.first),
            last: now,
        }
    }

    fn are_many(self) -> bool {
        self.count >= Numbers::WITHHELD && self.last.elapsed() < Numbers::AGAIN
    }

    fn lasted(self) -> bool {
        self.last - self.first >= Numbers::LASTS
    }
}

impl Numbers {
    /// So many refusals and never a number: the era does not tell them. So many failures: it seems so, for a while.
    pub(super) const WITHHELD: u32 = 3;
    /// After so long it is asked again whether it was only an outage.
    const AGAIN: Duration = Duration::from_secs(600);
    /// A group whose number is not told turns its room off, so a moment's failures do not count for that.
    const LASTS: Duration = Duration::from_secs(60);

    fn of(&self, of: Of) -> &HashMap<u64, Number> {
        match of {
            Of::Person => &self.people,
            Of::Group => &self.groups,
        }
    }

    /// What is known of one; nothing when it has to be asked.
    pub(super) fn get(&self, id: u64, of: Of) -> Option<Number> {
        let known = self.of(of).get(&id).copied();
        let failed = self.failed.get(&(of, id));
        let hopeless = || failed.is_some_and(|f| f.are_many() && (of == Of::Person || f.lasted()));
        known.or_else(|| (hopeless() || self.withheld()).then_some(Number::Withheld))
    }

    /// The temporary id behind a real number, where it was told.
    pub(super) fn person_with(&self, number: u64) -> Option<u64> {
        let mut people = self.people.iter();
        people.find_map(|(uin, n)| (*n == Number::Is(number)).then_some(*uin))
    }

    /// Whether the era tells no numbers at all, as it seems.
    pub(super) fn withheld(&self) -> bool {
        self.told == 0 && (self.refused >= Self::WITHHELD || self.gone.is_some_and(Failures::are_many))
    }

    /// The service told a number.
    pub(super) fn tell(&mut self, id: u64, of: Of, number: u64) {
        self.told += 1;
        self.remember(id, of, Number::Is(number));
    }

    /// The service has no number for this one.
    pub(super) fn refuse(&mut self, id: u64, of: Of) {
        self.refused += 1;
        self.remember(id, of, Number::Withheld);
    }

    /// The service gave no answer that says anything about this one. `gone`: as if nobody could ask that any more.
    pub(super) fn fail(&mut self, id: u64, of: Of, gone: bool) {
        let before = self.failed.get(&(of, id)).copied();
        self.failed.insert((of, id), Failures::one_more(before));
        if gone {
            self.gone = Some(Failures::one_more(self.gone));
        }
    }

    fn remember(&mut self, id: u64, of: Of, number: Number) {
        self.failed.remove(&(of, id));
        match of {
            Of::Person => self.people.insert(id, number),
            Of::Group => self.groups.insert(id, number),
        };
    }
}

impl Session {
    /// The real number behind a temporary id; nothing when there was no answer this time. One question at a time; those that nobody waits for are paced.
    pub(super) async fn real_number(&self, id: u64, of: Of, urgent: bool) -> Option<Number> {
        if of == Of::Person && id == self.api.own() {
            return Some(Number::Is(id));
        }
        let known = || self.roster().numbers.get(id, of);
        if let Some(number) = known() {
            return Some(number);
        }
        let free_at = *self.gate.lock().await;
        if let Some(at) = free_at.filter(|_| !urgent) {
            sleep_until(at).await;
        }
        let mut gate = self.gate.lock().await;
        if let Some(number) = known() {
            return Some(number);
        }
        let called = self.api.real_number(id, of).await;
        *gate = Some(Instant::now() + self.settings.pace.number_every);
        let mut roster = self.roster();
        match called {
            Ok(answer) => {
                let code = answer.retcode.unwrap_or(-1);
                let number = number(&answer.result()["account"]).filter(|n| *n != 0);
                match number {
                    Some(number) if matches!(code, 0 | 100_003) => {
                        roster.numbers.tell(id, of, number);
                        return Some(Number::Is(number));
                    }
                    // The session's fault, or the service is unwell; not the number's.
                    _ if matches!(code, 103 | 108 | 100_000 | 100_001 | 100_002 | 100_003 | 100_012) => {
                        roster.numbers.fail(id, of, false);
                    }
                    _ => {
                        roster.numbers.refuse(id, of);
                        return Some(Number::Withheld);
                    }
                }
            }
            Err(NoAnswer::Wire(Failure::Connect(_))) => {}
            Err(NoAnswer::Status(404) | NoAnswer::Unreadable) => roster.numbers.fail(id, of, true),
            Err(NoAnswer::Wire(Failure::Broken(_)) | NoAnswer::Status(_)) => roster.numbers.fail(id, of, false),
        }
        roster.numbers.get(id, of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_withheld_after_refusals_alone() {
        let mut numbers = Numbers::default();
        for id in 0..3 {
            assert_eq!(numbers.get(99, Of::Person), None);
            numbers.refuse(id, Of::Person);
        }
        assert_eq!(numbers.get(99, Of::Person), Some(Number::Withheld));
        let mut numbers = Numbers::default();
        numbers.tell(1, Of::Group, 5);
        (2..9).for_each(|id| numbers.refuse(id, Of::Person));
        assert_eq!(numbers.get(99, Of::Person), None);
        assert_eq!(numbers.get(2, Of::Person), Some(Number::Withheld));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_no_era() {
        let mut numbers = Numbers::default();
        (0..3).for_each(|id| numbers.fail(id, Of::Person, true));
        assert_eq!(numbers.get(99, Of::Group), Some(Number::Withheld));
        tokio::time::advance(Numbers::AGAIN).await;
        assert_eq!(numbers.get(99, Of::Group), None);
        numbers.tell(99, Of::Group, 5);
        numbers.fail(1, Of::Person, true);
        assert_eq!(numbers.get(1, Of::Person), None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_never_gets_an_answer_does_not_hold_up_the_others() {
        let mut numbers = Numbers::default();
        numbers.tell(1, Of::Person, 5);
        (0..3).for_each(|_| numbers.fail(7, Of::Person, false));
        assert_eq!(numbers.get(7, Of::Person), Some(Number::Withheld));
        assert_eq!(numbers.get(8, Of::Person), None);
        assert_eq!(numbers.person_with(5), Some(1));
        tokio::time::advance(Numbers::AGAIN).await;
        assert_eq!(numbers.get(7, Of::Person), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_moment_s_failures_do_not_turn_a_group_off() {
        let mut numbers = Numbers::default();
        (0..9).for_each(|_| numbers.fail(7, Of::Group, false));
        assert_eq!(numbers.get(7, Of::Group), None);
        assert_eq!(numbers.get(8, Of::Person), None);
        tokio::time::advance(Numbers::LASTS).await;
        numbers.fail(7, Of::Group, false);
        assert_eq!(numbers.get(7, Of::Group), Some(Number::Withheld));
    }
}
