//! What an account that waits knows of the programs that were turned away: enough to say what is to be changed. Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::QqNumber;

/// A program that is turned away tries again within seconds: after so long, somebody has seen to it.
const LATELY: Duration = Duration::from_secs(60);

/// When programs were turned away, and why.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Refused {
    /// Without the right token.
    token: Option<Instant>,
    /// With the right token and a number that no account here has.
    number: Option<(QqNumber, Instant)>,
}

impl Refused {
    /// A program came without the right token.
    pub(super) fn token(&mut self) {
        self.token = Some(Instant::now());
    }

    /// A program came with the right token and this number, which is not expected.
    pub(super) fn number(&mut self, came: QqNumber) {
        self.number = Some((came, Instant::now()));
    }

    /// What to do about those that came lately; `expected` is the account's own number.
    pub(super) fn why(&self, expected: Option<QqNumber>) -> Option<String> {
        let lately = |at: Instant| at.elapsed() < LATELY;
        if self.token.is_some_and(lately) {
            let sentence =
                "a OneBot program connects with a wrong access token: write the same `access_token` here and there";
            return Some(sentence.to_owned());
        }
        let (came, _) = self.number.filter(|(_, at)| lately(*at))?;
        Some(wrong_number(came, expected?))
    }
}

/// What to say when a program came with another account than the one that is expected.
pub(in crate::qq::onebot) fn wrong_number(came: QqNumber, expected: QqNumber) -> String {
    format!("QQ {came} connected, but `qq` says {expected}; change one of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_long_ago_is_over() {
        let mut refused = Refused::default();
        let why = |refused: &Refused| refused.why(Some(QqNumber(10))).unwrap_or_default();
        assert_eq!(why(&refused), "");
        refused.token();
        tokio::time::advance(LATELY / 2).await;
        refused.number(QqNumber(30));
        assert!(why(&refused).contains("access_token"));
        tokio::time::advance(LATELY / 2).await;
        assert!(why(&refused).contains("QQ 30 connected"));
        tokio::time::advance(LATELY / 2).await;
        assert_eq!(why(&refused), "");
    }
}
