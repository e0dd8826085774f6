//! What will be done to whom, and when: drawn from the seed before the run begins, so that the same seed gives the same plan. Pure.
//!
//! Each target has one fault at a time (nobody is frozen while dead); different targets may have theirs together.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use lab::proxy::Way;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::stage::Line;

const FAR_FAULTS: &str = include_str!("../../../chaos/faults.txt");
/// All is well so long before the first fault.
const CALM: Duration = Duration::from_secs(6);

/// One of the three programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Program {
    Gateway,
    Server,
    Sandbox,
}

/// What is done to a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    Cut,
    HalfClose(Way),
    Stall(Option<Way>),
    Delay(Duration),
    Refuse,
}

/// A fault.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// SIGKILL, and a start.
    Kill(Program),
    /// An orderly stop, and a start.
    Restart(Program),
    /// SIGSTOP, SIGCONT.
    Freeze(Program),
    Wire(Line, Harm),
    /// Misbehaviour of the sandbox: what is armed.
    Far(&'static str, Vec<&'static str>),
    FullDisk,
    /// A person leaves a room and enters it again.
    Leave(usize, usize),
    /// A person's connection breaks.
    Break(usize),
    /// The client on the wire stops reading.
    Hibernate,
}

/// A fault with its times, since the begin of the run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    pub(crate) fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Target {
    Program(Program),
    Wire(Line),
    Far(&'static str),
    Disk,
    Person(usize),
}

/// What a plan is made for.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) seed: u64,
    pub(crate) time: Duration,
    pub(crate) rooms: usize,
    /// The last of them is on the wire.
    pub(crate) persons: usize,
    /// Beginnings of the names of the kinds that are wanted; empty for all.
    pub(crate) kinds: Vec<String>,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Server => "server",
            Self::Sandbox => "sandbox",
        }
    }
}

impl Fault {
    /// The kind's name, as `kill-gateway`, `wire-component-stall`, `sandbox-lost_link`.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Kill(program) => format!("kill-{}", program.name()),
            Self::Restart(program) => format!("restart-{}", program.name()),
            Self::Freeze(program) => format!("freeze-{}", program.name()),
            Self::Wire(line, harm) => {
                let harm = match harm {
                    Harm::Cut => "cut",
                    Harm::HalfClose(_) => "half",
                    Harm::Stall(_) => "stall",
                    Harm::Delay(_) => "delay",
                    Harm::Refuse => "refuse",
                };
                format!("wire-{}-{harm}", line.name())
            }
            Self::Far(_, armed) => {
                let kinds = armed.iter().filter_map(|one| one.split('"').nth(3));
                format!("sandbox-{}", kinds.collect::<Vec<_>>().join("+"))
            }
            Self::FullDisk => "full-disk".to_owned(),
            Self::Leave(..) => "client-leave".to_owned(),
            Self::Break(_) => "client-break".to_owned(),
            Self::Hibernate => "client-hibernate".to_owned(),
        }
    }

    fn target(&self, persons: usize) -> Target {
        match self {
            Self::Kill(program) | Self::Restart(program) | Self::Freeze(program) => Target::Program(*program),
            Self::Wire(Line::Client, _) | Self::Hibernate => Target::Person(persons - 1),
            Self::Wire(line, _) => Target::Wire(*line),
            Self::Far(protocol, _) => Target::Far(protocol),
            Self::FullDisk => Target::Disk,
            Self::Leave(person, _) | Self::Break(person) => Target::Person(*person),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to, kind) = (self.from.as_secs_f64(), self.to.as_secs_f64(), self.fault.kind());
        write!(f, "{from:7.1} {to:7.1}  {kind:<28}")?;
        match &self.fault {
            Fault::Far(_, armed) => write!(f, "{}", armed.join(" ")),
            Fault::Wire(_, harm) => write!(f, "{harm:?}"),
            Fault::Leave(person, room) => write!(f, "person {person}, room {room}"),
            Fault::Break(person) => write!(f, "person {person}"),
            _ => Ok(()),
        }
    }
}

/// The faults of a run, by their begin.
pub(crate) fn draw(frame: &Frame) -> anyhow::Result<Vec<Step>> {
    let mut rng = StdRng::seed_from_u64(frame.seed);
    let far = far_faults()?;
    let mut busy: HashMap<Target, Duration> = HashMap::new();
    let mut steps = Vec::new();
    let mut at = CALM;
    // Draws of unwanted kinds take no time, so that a filter gives a run that is as dense.
    let mut idle = 0;
    while at < frame.time && idle < 10_000 {
        let fault = any(&mut rng, frame, &far);
        let time = how_long(&mut rng, &fault);
        let kind = fault.kind();
        let wanted = frame.kinds.is_empty() || frame.kinds.iter().any(|begin| kind.starts_with(begin));
        let target = fault.target(frame.persons);
        if !wanted || busy.get(&target).is_some_and(|until| *until > at) {
            idle += 1;
            if wanted {
                at += Duration::from_millis(200);
            }
            continue;
        }
        idle = 0;
        let to = at + time;
        // Time to recover: a target that is never well says nothing about recovering.
        busy.insert(target, to + Duration::from_millis(rng.random_range(1000..8000)));
        steps.push(Step { from: at, to, fault });
        at += Duration::from_millis(rng.random_range(800..6000));
    }
    Ok(steps)
}

fn any(rng: &mut StdRng, frame: &Frame, far: &[(&'static str, u64, Vec<&'static str>)]) -> Fault {
    use Program::{Gateway, Sandbox, Server};
    match rng.random_range(0..100) {
        0..16 => Fault::Kill(Gateway),
        16..21 => Fault::Restart(Gateway),
        21..24 => Fault::Freeze(Gateway),
        24..28 => Fault::Kill(Server),
        28..32 => Fault::Restart(Server),
        32..34 => Fault::Freeze(Server),
        34..38 => Fault::Kill(Sandbox),
        38..41 => Fault::Restart(Sandbox),
        41..43 => Fault::Freeze(Sandbox),
        43..60 => {
            let line = Line::ALL.choose(rng).copied().unwrap_or(Line::Component);
            Fault::Wire(line, harm(rng))
        }
        60..84 => {
            let (protocol, _, armed) = far.choose(rng).expect("the table of faults is not empty");
            Fault::Far(protocol, armed.clone())
        }
        84..87 => Fault::FullDisk,
        87..92 => Fault::Leave(rng.random_range(0..frame.persons), rng.random_range(0..frame.rooms)),
        92..97 => Fault::Break(rng.random_range(0..frame.persons)),
        _ => Fault::Hibernate,
    }
}

fn harm(rng: &mut StdRng) -> Harm {
    let way = |rng: &mut StdRng| if rng.random_bool(0.5) { Way::Forth } else { Way::Back };
    match rng.random_range(0..8) {
        0 | 1 => Harm::Cut,
        2 => Harm::HalfClose(way(rng)),
        3 => Harm::Stall(None),
        4 | 5 => Harm::Stall(Some(way(rng))),
        6 => Harm::Delay(Duration::from_millis(rng.random_range(50..900))),
        _ => Harm::Refuse,
    }
}

fn how_long(rng: &mut StdRng, fault: &Fault) -> Duration {
    let range = match fault {
        Fault::Kill(_) | Fault::Restart(_) => 0..6_000,
        Fault::Freeze(_) => 500..15_000,
        Fault::Wire(_, Harm::Cut | Harm::HalfClose(_)) => 0..200,
        Fault::Wire(_, Harm::Refuse) => 1_000..6_000,
        Fault::Wire(..) => 1_000..16_000,
        Fault::Far(_, armed) => {
            let far = far_faults().unwrap_or_default();
            let row = far.iter().find(|(_, _, row)| row == armed);
            let ms = row.map_or(6, |(_, seconds, _)| *seconds) * 1000;
            return Duration::from_millis(ms);
        }
        Fault::FullDisk => 1_000..10_000,
        Fault::Leave(..) => 500..12_000,
        Fault::Break(_) => 200..10_000,
        Fault::Hibernate => 2_000..45_000,
    };
    Duration::from_millis(rng.random_range(range))
}

/// The table: protocol, seconds, what is armed.
fn far_faults() -> anyhow::Result<Vec<(&'static str, u64, Vec<&'static str>)>> {
    let rows = FAR_FAULTS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|row| {
        let (protocol, rest) = row.split_once(' ').context("a row of the faults has no protocol")?;
        let (seconds, rest) = rest.trim().split_once(' ').context("a row of the faults has no time")?;
        let armed = rest.trim().split_inclusive('}').map(str::trim).collect();
        Ok((protocol, seconds.parse()?, armed))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kinds: &[&str]) -> Frame {
        Frame {
            seed: 7,
            time: Duration::from_secs(300),
            rooms: 4,
            persons: 3,
            kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_plan() -> anyhow::Result<()> {
        let plan = draw(&frame(&[]))?;
        assert_eq!(plan, draw(&frame(&[]))?);
        assert!(plan.len() > 50, "{}", plan.len());
        Ok(())
    }

    #[test]
    fn a_filter_leaves_only_its_kinds() -> anyhow::Result<()> {
        let plan = draw(&frame(&["kill-gateway", "wire-webqq"]))?;
        assert!(!plan.is_empty());
        for step in plan {
            let kind = step.fault.kind();
            assert!(kind == "kill-gateway" || kind.starts_with("wire-webqq"), "{kind}");
        }
        Ok(())
    }

    #[test]
    fn what_is_armed_is_json() -> anyhow::Result<()> {
        for (_, _, armed) in far_faults()? {
            for fault in armed {
                serde_json::from_str::<serde_json::Value>(fault)?;
            }
        }
        Ok(())
    }
}
