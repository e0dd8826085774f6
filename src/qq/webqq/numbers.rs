//! The real numbers behind temporary ids, one question at a time.

use tokio::time::{Instant, sleep_until};

use super::api::{NoAnswer, Of};
use super::roster::Number;
use super::session::Session;
use super::wire::number;

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
                    // The session's fault, not the number's.
                    _ if matches!(code, 103 | 108 | 100_000 | 100_001 | 100_012) => roster.numbers.fail(),
                    _ => {
                        roster.numbers.refuse(id, of);
                        return Some(Number::Withheld);
                    }
                }
            }
            Err(NoAnswer::Wire(_)) => {}
            Err(NoAnswer::Status(_) | NoAnswer::Unreadable) => roster.numbers.fail(),
        }
        roster.numbers.withheld().then_some(Number::Withheld)
    }
}
