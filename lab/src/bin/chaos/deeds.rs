//! Does to the stage what the plan says, when it says so, and notes it. One thing after the other: what takes long delays the next.

use std::time::Duration;

use anyhow::Context as _;
use lab::process::Signal;
use lab::proxy::Wire;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::journal::Book;
use crate::person::Order;
use crate::plan::{Fault, Harm, Program, Step};
use crate::stage::{Line, Stage};

const TICK: Duration = Duration::from_millis(20);
/// A question to a sandbox that may be frozen or dead.
const PATIENCE: Duration = Duration::from_secs(3);

/// Who does it.
pub(crate) struct Director<'a> {
    pub(crate) stage: &'a mut Stage,
    pub(crate) persons: &'a [mpsc::Sender<Order>],
    pub(crate) book: &'a Book,
}

impl Director<'_> {
    /// The whole plan. `tick` is called with the time of the run.
    pub(crate) async fn follow(&mut self, plan: &[Step], mut tick: impl FnMut(Duration)) -> anyhow::Result<()> {
        let mut acts: Vec<(Duration, bool, &Step)> = Vec::new();
        for step in plan {
            acts.push((step.from, false, step));
            acts.push((step.to, true, step));
        }
        acts.sort_by_key(|(at, ends, _)| (*at, *ends));
        let begun = Instant::now();
        for (at, ends, step) in acts {
            while begun.elapsed() < at {
                self.stage.supervise()?;
                tick(begun.elapsed());
                sleep(TICK).await;
            }
            // Some take their time, as an orderly stop does: it breaks things from its first moment, and is over with its last.
            let done = if ends {
                let done = self.end(&step.fault).await;
                self.note(step, true);
                done
            } else {
                self.note(step, false);
                self.begin(&step.fault).await
            };
            done.with_context(|| format!("cannot do {step}"))?;
        }
        Ok(())
    }

    fn note(&self, step: &Step, ends: bool) {
        let words = step.to_string().trim().to_owned();
        self.book.deed(&step.fault.kind(), words, ends);
    }

    /// The gateway is killed so many times, each as soon as it is ready again, or a moment after its start.
    pub(crate) async fn kill_again_and_again(
        &mut self,
        seed: u64,
        kills: u64,
        mut tick: impl FnMut(u64),
    ) -> anyhow::Result<()> {
        let mut rng = StdRng::seed_from_u64(seed);
        for n in 0..kills {
            let early = rng.random_bool(0.4);
            let more = Duration::from_millis(rng.random_range(30..2500));
            if early {
                sleep(more).await;
            } else {
                self.stage.wait_ready().await?;
                sleep(more.mul_f64(0.6)).await;
            }
            self.stage.kill().await?;
            self.book.deed("kill-gateway", format!("kill {n}"), false);
            self.stage.launch()?;
            self.book.deed("kill-gateway", format!("start after kill {n}"), true);
            tick(n + 1);
        }
        Ok(())
    }

    /// All that is armed, stalled, frozen or dead is made well.
    pub(crate) async fn heal(&mut self) {
        for line in Line::ALL {
            self.stage.wire(line).set(Wire::Pass);
        }
        let _ = timeout(PATIENCE, self.stage.sandbox.clear_faults()).await;
    }

    async fn begin(&mut self, fault: &Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill(Program::Gateway) => self.stage.kill().await?,
            Fault::Kill(Program::Server) => self.stage.server.kill().await?,
            Fault::Kill(Program::Sandbox) => self.stage.sandbox.kill().await?,
            Fault::Restart(Program::Gateway) => self.stage.stop().await?,
            Fault::Restart(Program::Server) => self.stage.server.stop().await?,
            Fault::Restart(Program::Sandbox) => self.stage.sandbox.stop().await?,
            Fault::Freeze(program) => self.signal(*program, Signal::STOP)?,
            Fault::Wire(line, harm) => {
                let wire = self.stage.wire(*line);
                match harm {
                    Harm::Cut => wire.cut(),
                    Harm::HalfClose(way) => wire.half_close(*way),
                    Harm::Stall(way) => wire.set(Wire::Stall(*way)),
                    Harm::Delay(time) => wire.set(Wire::Delay(*time)),
                    Harm::Refuse => {
                        wire.set(Wire::Refuse);
                        wire.cut();
                    }
                }
            }
            Fault::Far(_, armed) => {
                for fault in armed {
                    let fault = serde_json::from_str(fault)?;
                    // A sandbox that is dead or frozen misbehaves enough.
                    let _ = timeout(PATIENCE, self.stage.sandbox.arm(&fault)).await;
                }
            }
            Fault::FullDisk => {
                if let Some(disk) = &self.stage.disk {
                    disk.fill()?;
                }
            }
            Fault::Leave(person, room) => self.order(*person, Order::Leave(*room)),
            // The break is as long as the plan says, whatever else takes long: the person looks at its own clock.
            Fault::Break(person) => self.order(*person, Order::Break(Duration::from_secs(3600))),
            Fault::Hibernate => {
                self.stage.wire(Line::Client).set(Wire::Stall(None));
                self.order(self.persons.len() - 1, Order::Sleep);
            }
        }
        Ok(())
    }

    async fn end(&mut self, fault: &Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill(Program::Gateway) | Fault::Restart(Program::Gateway) => self.stage.launch()?,
            Fault::Kill(Program::Server) | Fault::Restart(Program::Server) => self.stage.server.start_again().await?,
            Fault::Kill(Program::Sandbox) | Fault::Restart(Program::Sandbox) => {
                self.stage.sandbox.start_again().await?;
            }
            Fault::Freeze(program) => self.signal(*program, Signal::CONT)?,
            Fault::Wire(line, _) => self.stage.wire(*line).set(Wire::Pass),
            Fault::Far(_, armed) => {
                for fault in armed {
                    let fault: serde_json::Value = serde_json::from_str(fault)?;
                    let kind = fault["kind"].as_str().unwrap_or_default();
                    let _ = timeout(PATIENCE, self.stage.sandbox.clear_fault(kind)).await;
                }
            }
            Fault::FullDisk => {
                if let Some(disk) = &self.stage.disk {
                    disk.free()?;
                }
            }
            Fault::Leave(person, room) => self.order(*person, Order::Enter(*room)),
            Fault::Break(person) => self.order(*person, Order::Break(Duration::ZERO)),
            Fault::Hibernate => {
                self.stage.wire(Line::Client).set(Wire::Pass);
                self.order(self.persons.len() - 1, Order::Wake);
            }
        }
        Ok(())
    }

    fn signal(&mut self, program: Program, signal: Signal) -> anyhow::Result<()> {
        match (program, signal) {
            (Program::Gateway, _) => self.stage.signal(signal),
            (Program::Server, Signal::STOP) => self.stage.server.freeze(),
            (Program::Server, _) => self.stage.server.thaw(),
            (Program::Sandbox, _) => self
                .stage
                .sandbox
                .process()
                .map_or(Ok(()), |process| process.signal(signal)),
        }
    }

    fn order(&self, person: usize, order: Order) {
        // A person that does not take orders any more is asleep or busy; the next order says the same.
        let _ = self.persons[person].try_send(order);
    }
}
