//! Rooms of other services: the server's own MUC, which knows nothing of us.

mod check;
mod storm;
mod talk;

use lab::Jabber;
use lab::Kind;
use lab::jabber::Join;

use crate::support::Bridge;
use crate::support::onebot::Far;

/// A room on the server's own MUC.
pub(super) const ROOM: &str = "cats@conference.localhost";
/// The row that pairs it with the cats' group.
pub(super) const ROW: &str = "[[mapping]]\ngroup = 346000004\nroom = \"cats@conference.localhost\"\n";

/// A bridge with one joined room, and a person who made it; `None` when the server is not installed here.
pub(super) async fn start(kind: Kind, rows: &str) -> anyhow::Result<Option<(Bridge, Jabber, Join)>> {
    let far = Far {
        rows,
        ..Far::of("napcat")
    };
    let Some(bridge) = Bridge::start_onebot(kind, &far).await? else {
        return Ok(None);
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    let join = alice.join(ROOM, "Alice W").await?;
    alice.wait_presence(&format!("{ROOM}/QQ")).await?;
    Ok(Some((bridge, alice, join)))
}
