//! What rooms and people take in memory, and how long it takes to enter a large room.

use std::time::{Duration, Instant};

use lab::{Jabber, Kind};
use tokio::time::sleep;

use crate::process;
use crate::report::{Figure, Report, median};
use crate::stage::Stage;
use crate::world::{room, rows};

const LOOK: Duration = Duration::from_secs(2);
/// So many looks without growth, and it is all there.
const STEADY: usize = 4;
const LOOKS: usize = 90;
const JOINS: usize = 5;

/// Measures with Prosody, which keeps nothing of all this.
pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let mut stage = Stage::set(Kind::Prosody, 1, (1, 1)).await?;
    stage.start_gateway(&rows(1), None).await?;
    let empty = settled(&stage).await?;
    report.add(Figure::of("size", "one room of one member", empty, "MB"));
    drop(stage);

    let mut stage = Stage::set(Kind::Prosody, 1, (1000, 50)).await?;
    stage.start_gateway(&rows(1000), None).await?;
    let rooms = settled(&stage).await?;
    stage.members_shown(&room(999), 50).await?;
    report.add(Figure::of("size", "1 000 rooms of 50 members", rooms, "MB"));
    report.add(Figure::of("size", "one idle room of 50 members", rooms - empty, "kB"));
    drop(stage);

    let mut stage = Stage::set(Kind::Prosody, 1, (1, 3000)).await?;
    stage.start_gateway(&rows(1), None).await?;
    stage.members_shown(&room(0), 3000).await?;
    let large = settled(&stage).await?;
    report.add(Figure::of("size", "one room of 3 000 members", large, "MB"));
    report.add(Figure::of(
        "size",
        "a member who is an occupant",
        (large - empty) / 3.0,
        "kB",
    ));
    let mut times = Vec::new();
    for _ in 0..JOINS {
        let mut alice = Jabber::connect(&stage.server, "alice", "join").await?;
        alice.set_limit(Duration::from_secs(60));
        let begin = Instant::now();
        let join = alice.join_with(&room(0), "Alice", "<history maxstanzas='0'/>").await?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(
            join.nicks().len() >= 3000,
            "{} occupants were shown",
            join.nicks().len()
        );
        alice.leave(&room(0), "Alice").await?;
        alice.close().await?;
    }
    report.add(Figure::of("size", "entering a room of 3 000", median(&times), "ms"));
    Ok(())
}

/// Resident memory once it does not grow any more.
async fn settled(stage: &Stage) -> anyhow::Result<f64> {
    let (mut most, mut steady) = (0.0, 0);
    for _ in 0..LOOKS {
        let now = process::resident(stage.gateway()?)?;
        steady = if now > most * 1.002 { 0 } else { steady + 1 };
        most = now.max(most);
        if steady == STEADY {
            break;
        }
        sleep(LOOK).await;
    }
    Ok(most)
}
