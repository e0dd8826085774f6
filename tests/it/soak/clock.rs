//! The two clocks of a soak: tokio's, which is paused, and the sandbox's. They go on together, by steps, when the sockets are
//! quiet.
//!
//! A thread of tokio's blocking pool is parked as long as the clock is held: tokio does not move its clock by itself while one
//! runs there. The same thread looks whether the soak goes on, in real time, since no limit in tokio's time could pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use lab::Sandbox;
use tokio::runtime::{Handle, RuntimeMetrics};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

/// Shorter than the time limit of the requests in the session on which words depend (20 s): should a packet ever be on its way although all seemed quiet,
/// nothing is given up for it.
pub(super) const STEP: Duration = Duration::from_secs(18);
/// Nothing happened for so long, in real time: the loopback needs microseconds.
const QUIET: Duration = Duration::from_micros(300);
/// Longest real time for one step, which takes milliseconds: a machine may stand still for a while.
const STUCK: Duration = Duration::from_secs(180);

/// Both clocks, held.
pub(super) struct Clock {
    sandbox: Sandbox,
    runtime: RuntimeMetrics,
    begun: Instant,
    steps: Arc<AtomicU64>,
    /// Dropped, it lets the parked thread go.
    _held: mpsc::Sender<()>,
}

impl Clock {
    /// Holds tokio's clock, which must be paused. The task ends when there was no step for too long.
    pub(super) fn hold(sandbox: Sandbox) -> (Self, JoinHandle<()>) {
        let (held, released) = mpsc::channel::<()>();
        let steps = Arc::new(AtomicU64::new(0));
        let watched = Arc::clone(&steps);
        let stuck = spawn_blocking(move || {
            let mut last = None;
            while released.recv_timeout(STUCK) == Err(RecvTimeoutError::Timeout) {
                let now = Some(watched.load(Ordering::Relaxed));
                if std::mem::replace(&mut last, now) == now {
                    return;
                }
            }
        });
        let clock = Self {
            sandbox,
            runtime: Handle::current().metrics(),
            begun: Instant::now(),
            steps,
            _held: held,
        };
        (clock, stuck)
    }

    /// Simulated time since the clock was taken.
    pub(super) fn passed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Moves both clocks when all is quiet, and waits until it is quiet again.
    pub(super) async fn step(&self) -> anyhow::Result<()> {
        self.quiet().await?;
        self.sandbox.advance_clock(&format!("{}s", STEP.as_secs())).await?;
        tokio::time::advance(STEP).await;
        self.steps.fetch_add(1, Ordering::Relaxed);
        self.quiet().await
    }

    /// Waits until the runtime, on whose one thread everybody runs, slept for a while.
    pub(super) async fn quiet(&self) -> anyhow::Result<()> {
        let runtime = self.runtime.clone();
        let slept = move || {
            loop {
                // Odd while it sleeps.
                let before = runtime.worker_park_unpark_count(0);
                thread::sleep(QUIET);
                if before % 2 == 1 && runtime.worker_park_unpark_count(0) == before {
                    return;
                }
            }
        };
        Ok(spawn_blocking(slept).await?)
    }
}
