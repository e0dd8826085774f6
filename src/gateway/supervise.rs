//! Restart policy: a task that fails is started again with growing pauses; one that keeps failing is given up. One that fails
//! because of the store's disk did nothing wrong: it waits for the disk, and that does not count.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::operator::{Board, Part, State};
use crate::store::{Health, StoreError};

/// So many failures …
const FAILURES: usize = 5;
/// … in this time are too many.
const WITHIN: Duration = Duration::from_secs(600);

/// Pause after a panic of a small task: one that panics at once must not fill the log.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// A task failed too often; the text says how it failed last.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct GaveUp(pub(super) String);

/// Runs a task until it ends by itself or shutdown is asked for. An error or a panic starts it again.
pub(super) async fn supervise<F, T, Fut>(
    part: &Part,
    (board, store): (&Board, &Health),
    shutdown: &CancellationToken,
    mut task: F,
) -> Result<Option<T>, GaveUp>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = anyhow::Result<T>>,
{
    let mut failures = VecDeque::new();
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
    loop {
        let started = Instant::now();
        let (why, disk) = match AssertUnwindSafe(task()).catch_unwind().await {
            Ok(Ok(value)) => return Ok(Some(value)),
            Ok(Err(error)) => (format!("{error:#}"), is_the_disk(&error)),
            Err(panic) => (format!("panicked: {}", panic_text(panic.as_ref())), false),
        };
        if shutdown.is_cancelled() {
            return Ok(None);
        }
        tracing::error!(%part, "{why}");
        if started.elapsed() > WITHIN {
            backoff.reset();
        }
        if !disk {
            failures.push_back(Instant::now());
        }
        failures.retain(|at: &Instant| at.elapsed() < WITHIN);
        if failures.len() >= FAILURES {
            return Err(GaveUp(why));
        }
        board.set(part, State::Degraded(format!("restarting: {why}")));
        tokio::select! {
            () = pause(&mut backoff, store) => {}
            () = shutdown.cancelled() => return Ok(None),
        }
    }
}

/// Longer than the growing pause while nothing can be written; soon after that is over.
async fn pause(backoff: &mut Backoff, store: &Health) {
    if store.blocked().is_some() {
        store.writable().await;
        backoff.reset();
    }
    sleep(backoff.next()).await;
}

/// The disk of the store, or its file, is at fault and not the task. What is on a damaged page fails for ever, but giving up would be
/// worse: what waits for QQ would wait in silence.
fn is_the_disk(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<StoreError>()
        .is_some_and(|error| error.trouble().is_some())
}

/// Runs a small task that has no failures of its own; a panic in it is logged and the task is run again.
pub(super) async fn survive<F, Fut>(name: &str, mut task: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    while let Err(panic) = AssertUnwindSafe(task()).catch_unwind().await {
        tracing::error!(name, "panicked: {}", panic_text(panic.as_ref()));
        sleep(AFTER_PANIC).await;
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Trouble;
    use std::cell::Cell;

    async fn run(outcomes: impl Fn(usize) -> anyhow::Result<()>) -> (usize, Result<Option<()>, GaveUp>) {
        let runs = Cell::new(0);
        let result = supervise(
            &Part::Component,
            (&Board::new(), &Health::default()),
            &CancellationToken::new(),
            || {
                runs.set(runs.get() + 1);
                let n = runs.get();
                let outcomes = &outcomes;
                async move { outcomes(n) }
            },
        )
        .await;
        (runs.get(), result)
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_task_is_run_again_until_it_ends() {
        let (runs, result) = run(|n| if n < 3 { anyhow::bail!("once more") } else { Ok(()) }).await;
        assert_eq!((runs, result), (3, Ok(Some(()))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_task_survives_its_panics() {
        let runs = Cell::new(0);
        survive("test", || {
            runs.set(runs.get() + 1);
            let n = runs.get();
            async move { assert!(n == 3, "ouch") }
        })
        .await;
        assert_eq!(runs.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_puts_nothing_aside() {
        let full = || Err(anyhow::Error::new(StoreError::from(Trouble::Full)).context("cannot commit"));
        let (runs, result) = run(|n| if n < 30 { full() } else { Ok(()) }).await;
        assert_eq!((runs, result), (30, Ok(Some(()))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_a_failure_and_five_are_enough() {
        let (runs, result) = run(|_| panic!("ouch")).await;
        assert_eq!((runs, result), (5, Err(GaveUp("panicked: ouch".into()))));
    }
}
