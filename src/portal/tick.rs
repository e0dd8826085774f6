//! What is looked at by the clock.

use std::time::Duration;

use super::draft::Draft;
use super::lookup::Named;
use super::turn::Portal;
use crate::model::Timestamp;

/// How often things are looked at that nobody announces: notices, pings, a missed wake-up of the outbox.
pub(super) const TICK: Duration = Duration::from_secs(5);
/// Client sessions pinged at each tick after a break: a room of a thousand is through within two minutes.
const PINGS: usize = 50;

impl Portal {
    /// Something of the room is due.
    pub(super) async fn room_tick(&mut self) -> anyhow::Result<()> {
        let admitted = self.room.tick(self.clock.now());
        let mut draft = Draft::default();
        self.settle(admitted, &Named::default(), &mut draft).await?;
        self.commit(draft).await
    }

    /// What nobody announces.
    pub(super) async fn tick(&mut self) -> anyhow::Result<()> {
        let now = Timestamp::now();
        let mut draft = Draft::default();
        for line in self.notices.due() {
            self.say_line(&line, &mut draft);
        }
        if self.groups.unmute(now) {
            self.show_members(&mut draft);
        }
        self.commit(draft).await?;
        self.ask_history();
        self.strangers.tick();
        self.untold.tick();
        if self.link.is_some() {
            self.replies.push(self.room.pings(PINGS));
        }
        if self.untold.is_due() {
            self.tell_authors().await?;
        }
        Ok(())
    }
}
