//! When to try again, and when to call the operator. Pure: told what happened and the time, says how long to wait.
//!
//! ```text
//! refused, reset, closed     100 ms, 200 ms, … 3 s, for ever   (clients come back within seconds of a server's restart)
//! wrong secret               60 s                              needs the operator
//! conflict                   2 s for 30 s, then 60 s           then needs the operator
//! kicked by another          at once; twice in a minute: 5 min needs the operator
//! ```

use std::time::Duration;

use tokio::time::Instant;
use xmpp_parsers::stream_error::DefinedCondition;

use crate::xmpp::stream::{ConnectError, Lost};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(3);
const SLOW: Duration = Duration::from_secs(60);
const CONFLICT_EVERY: Duration = Duration::from_secs(2);
const CONFLICT_FOR: Duration = Duration::from_secs(30);
const KICKED_AGAIN: Duration = Duration::from_secs(60);
const KICKED_PAUSE: Duration = Duration::from_secs(300);
/// A stream that lived so long was a good one: the next break begins with the shortest wait.
const GOOD: Duration = Duration::from_secs(5);

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// How long to wait.
    pub(super) wait: Duration,
    /// What the operator should do, when nothing else helps.
    pub(super) operator: Option<String>,
}

/// What happened lately.
#[derive(Debug)]
pub(super) struct Policy {
    next: Duration,
    conflict_since: Option<Instant>,
    kicked: Option<Instant>,
}

impl Policy {
    pub(super) fn new() -> Self {
        Self {
            next: FIRST,
            conflict_since: None,
            kicked: None,
        }
    }

    /// No stream came about.
    pub(super) fn refused(&mut self, why: &ConnectError, now: Instant) -> Plan {
        if !matches!(why, ConnectError::Conflict) {
            self.conflict_since = None;
        }
        match why {
            ConnectError::Conflict => {
                let since = *self.conflict_since.get_or_insert(now);
                if now.duration_since(since) < CONFLICT_FOR {
                    return quiet(CONFLICT_EVERY);
                }
                loud(SLOW, why)
            }
            ConnectError::WrongSecret => loud(SLOW, why),
            ConnectError::HostUnknown | ConnectError::NotAComponentPort => loud(self.longer(), why),
            _ => quiet(self.longer()),
        }
    }

    /// A stream that had come about ended after `lived`.
    pub(super) fn lost(&mut self, why: &Lost, lived: Duration, now: Instant) -> Plan {
        self.conflict_since = None;
        if lived >= GOOD {
            self.next = FIRST;
        }
        if matches!(why, Lost::StreamError(Some(DefinedCondition::Conflict))) {
            let before = self.kicked.replace(now);
            if before.is_some_and(|before| now.duration_since(before) <= KICKED_AGAIN) {
                return Plan {
                    wait: KICKED_PAUSE,
                    operator: Some(
                        "another program connects for the domain and throws us out; stop it, or give it a domain of its own".into(),
                    ),
                };
            }
        }
        quiet(self.longer())
    }

    fn longer(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        wait
    }
}

fn quiet(wait: Duration) -> Plan {
    Plan { wait, operator: None }
}

fn loud(wait: Duration, why: &ConnectError) -> Plan {
    Plan {
        wait,
        operator: Some(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KICKED: Lost = Lost::StreamError(Some(DefinedCondition::Conflict));

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_closed_port_is_tried_faster_than_clients_come_back() {
        let mut policy = Policy::new();
        let refused = ConnectError::Unreachable(std::io::ErrorKind::ConnectionRefused.into());
        let waits: Vec<_> = (0..8)
            .map(|_| policy.refused(&refused, Instant::now()).wait.as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3000, 3000, 3000]);
        assert_eq!(policy.lost(&Lost::Closed, seconds(1), Instant::now()).wait, LONGEST);
        assert_eq!(policy.lost(&Lost::Closed, seconds(9), Instant::now()).wait, FIRST);
    }

    #[test]
    fn the_operator_is_called_for_what_only_they_can_mend() {
        let mut policy = Policy::new();
        let plan = policy.refused(&ConnectError::WrongSecret, Instant::now());
        assert_eq!(plan.wait, seconds(60));
        assert!(plan.operator.is_some_and(|text| text.contains("[xmpp] secret")));
        assert!(
            policy
                .refused(&ConnectError::HostUnknown, Instant::now())
                .operator
                .is_some()
        );
    }

    #[test]
    fn a_conflict_may_be_our_own_rest_for_thirty_seconds() {
        let mut policy = Policy::new();
        let start = Instant::now();
        for n in (0..30).step_by(2) {
            assert_eq!(
                policy.refused(&ConnectError::Conflict, start + seconds(n)),
                quiet(seconds(2))
            );
        }
        let plan = policy.refused(&ConnectError::Conflict, start + seconds(30));
        assert_eq!(plan.wait, seconds(60));
        assert!(plan.operator.is_some_and(|text| text.contains("kick_old")));
    }

    #[test]
    fn two_gateways_do_not_kick_each_other_for_ever() {
        let mut policy = Policy::new();
        let start = Instant::now();
        assert_eq!(policy.lost(&KICKED, seconds(600), start), quiet(FIRST));
        assert_eq!(policy.lost(&KICKED, seconds(100), start + seconds(100)), quiet(FIRST));
        let plan = policy.lost(&KICKED, seconds(9), start + seconds(110));
        assert_eq!(plan.wait, seconds(300));
        assert!(plan.operator.is_some());
    }
}
