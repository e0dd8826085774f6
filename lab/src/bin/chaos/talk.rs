//! Numbered words on both sides, at a rate. On QQ each group has somebody who speaks for its people, so that one that waits for an
//! answer does not keep the others; in the rooms the persons are asked to speak in turns.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lab::Sandbox;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::journal::{Mark, Side};
use crate::person::Order;
use crate::rooms::Room;

const PATIENCE: Duration = Duration::from_secs(4);

/// Words until it is told to be quiet.
pub(crate) struct Talk {
    quiet: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Talk {
    /// Begins; `rate` is of both sides and all rooms together, in messages per second.
    pub(crate) fn start(
        seed: u64,
        rate: f64,
        rooms: &Arc<Vec<Room>>,
        sandbox: SocketAddr,
        persons: &[mpsc::Sender<Order>],
    ) -> anyhow::Result<Self> {
        let (quiet, hears) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut mouths = Vec::new();
        for room in rooms.iter() {
            let (mouth, words) = mpsc::channel(64);
            mouths.push(mouth);
            tasks.spawn(on_qq(Sandbox::at(sandbox)?, room.clone(), words));
        }
        let talker = Talker {
            rng: StdRng::seed_from_u64(seed),
            every: Duration::from_secs_f64(1.0 / rate.max(0.01)),
            mouths,
            persons: persons.to_vec(),
            said: vec![(0, 0); rooms.len()],
        };
        tasks.spawn(talker.run(hears));
        Ok(Self { quiet, tasks })
    }

    /// Nothing new is said; what is being said is.
    pub(crate) async fn end(mut self) {
        let _ = self.quiet.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

struct Talker {
    rng: StdRng,
    every: Duration,
    mouths: Vec<mpsc::Sender<Mark>>,
    persons: Vec<mpsc::Sender<Order>>,
    /// The last numbers of each room, on QQ and on XMPP.
    said: Vec<(u64, u64)>,
}

impl Talker {
    async fn run(mut self, mut quiet: watch::Receiver<bool>) {
        let mut next = Instant::now();
        loop {
            // Not like a clock.
            next += self.every.mul_f64(self.rng.random_range(0.2..1.8));
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                _ = quiet.wait_for(|quiet| *quiet) => return,
            }
            let room = self.rng.random_range(0..self.said.len());
            let said = &mut self.said[room];
            // Who cannot speak now (a sandbox or a client that hangs) leaves it.
            if self.rng.random_bool(0.55) {
                said.0 += 1;
                let mark = Mark {
                    side: Side::Qq,
                    room,
                    n: said.0,
                };
                let _ = self.mouths[room].try_send(mark);
            } else {
                said.1 += 1;
                let mark = Mark {
                    side: Side::Xmpp,
                    room,
                    n: said.1,
                };
                let person = self.rng.random_range(0..self.persons.len());
                let _ = self.persons[person].try_send(Order::Say(mark));
            }
        }
    }
}

/// Speaks in a group until nobody has words. Whether it was heard, the sandbox's own list says.
async fn on_qq(sandbox: Sandbox, room: Room, mut words: mpsc::Receiver<Mark>) {
    while let Some(mark) = words.recv().await {
        let said = sandbox.say(room.group, room.speaker(mark.n), format!("{mark} 你好"));
        if !matches!(timeout(PATIENCE, said).await, Ok(Ok(_))) {
            sleep(Duration::from_millis(100)).await;
        }
    }
}
