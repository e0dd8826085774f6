//! Reads the frames of a link: answers to who called, events to the lane of their group, what concerns the account to the keeper.
//! Never waits for anybody but the sockets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::account;
use super::call::{Calls, Sorted};
use super::connect::Pair;
use super::event::{self, Event};
use super::lane::Job;
use super::life::End;
use super::session::Session;
use super::socket::{Ended, Frame};
use crate::model::{GroupNumber, MemberId};

/// Heartbeats that may be missing.
const MISSING: u32 = 3;
/// What a heartbeat's interval is taken for at least and at most.
const INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// Kinds of events that nobody waits for, counted for the log.
const KINDS_MAX: usize = 50;

/// Whether QQ holds the account on line, as far as the other side tells.
///
/// ```text
///          bot_offline                              status: off line
///  Online ────────────► Offline, announced ──────────────────────────► Offline ──► Online
///     ▲                   │ status: on line: not believed,     or an admin's login   status: on line
///     │                   ▼ some programs say it whatever happens
///     └── somebody was heard, or a new link
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Qq {
    /// Nothing speaks against it.
    Online,
    Offline {
        /// In its words; may be empty.
        words: String,
        /// A notice alone says so: the program's status did not follow it.
        announced: bool,
    },
}

/// The signs of life on one link.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) qq: watch::Sender<Qq>,
    heartbeat: Option<Duration>,
    frame: Instant,
    others: BTreeMap<String, u64>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            qq: watch::Sender::new(Qq::Online),
            heartbeat: None,
            frame: Instant::now(),
            others: BTreeMap::new(),
        }
    }
}

impl Session {
    /// Reads until the link ends.
    pub(super) async fn receive(self: &Arc<Self>, pair: &mut Pair, calls: &Calls, pulse: &mut Pulse) -> End {
        loop {
            let silent = pulse.heartbeat.map(|every| pulse.frame + every * MISSING);
            let frame = tokio::select! {
                frame = pair.api.frames.recv() => frame,
                frame = receive(pair.event.as_mut().map(|socket| &mut socket.frames)) => frame,
                () = sleep_until(silent.unwrap_or_else(Instant::now)), if silent.is_some() => Some(Frame::Ended(Ended::Silent)),
            };
            pulse.frame = Instant::now();
            let value = match frame {
                None => return End::from(Ended::Closed),
                Some(Frame::Ended(ended)) => return End::from(ended),
                Some(Frame::Json(value)) => value,
            };
            match calls.sort(value) {
                Sorted::Answer => {}
                Sorted::BadToken => return End::Token,
                Sorted::Event(frame) => {
                    let other = event::self_id(&frame).filter(|id| {
                        let own = self.roster().own;
                        own.0 != 0 && own != *id
                    });
                    if let Some(other) = other {
                        tracing::debug!(account = %self.settings.name, %other, "an event of another account was dropped");
                        continue;
                    }
                    self.hear(event::read(&frame), pulse);
                }
            }
        }
    }

    fn hear(self: &Arc<Self>, event: Event, pulse: &mut Pulse) {
        match event {
            Event::Heartbeat { online, interval } => {
                pulse.heartbeat = interval.map(|every| every.clamp(INTERVALS.0, INTERVALS.1));
                if let Some(online) = online {
                    set(&pulse.qq, online);
                }
            }
            Event::BotOffline(words) => announce(&pulse.qq, words),
            Event::Lifecycle => {}
            Event::Private(private) => {
                if let Some(sentence) = account::private(&private) {
                    self.tell_admins(&sentence);
                }
            }
            Event::Request(request) => self.tell_admins(&account::request(&request)),
            Event::Other(kind) => {
                if pulse.others.len() < KINDS_MAX || pulse.others.contains_key(&kind) {
                    let count = pulse.others.entry(kind.clone()).or_default();
                    *count += 1;
                    if *count == 1 {
                        tracing::debug!(account = %self.settings.name, kind, "a kind of event that is of no interest");
                    }
                }
            }
            event => {
                self.activity.heard();
                if self.is_from_somebody(&event) {
                    heard(&pulse.qq);
                }
                let Some(group) = group(&event) else {
                    return tracing::debug!(account = %self.settings.name, "an event without a group");
                };
                self.to_lane(group, Job::Heard(Box::new(event)));
            }
        }
    }

    /// Whether another member said it: what the account itself says comes from this side of QQ.
    fn is_from_somebody(&self, event: &Event) -> bool {
        match event {
            Event::Heard(heard) => !heard.own && heard.sender.id != MemberId::Number(self.roster().own),
            _ => false,
        }
    }
}

/// Takes the program's status. What was said of why the account is off line, holds on.
pub(super) fn set(qq: &watch::Sender<Qq>, online: bool) {
    qq.send_if_modified(|now| match now {
        Qq::Online if !online => {
            *now = Qq::Offline {
                words: String::new(),
                announced: false,
            };
            true
        }
        Qq::Offline { announced: false, .. } if online => {
            *now = Qq::Online;
            true
        }
        Qq::Offline { announced, .. } if !online => {
            *announced = false;
            false
        }
        Qq::Online | Qq::Offline { .. } => false,
    });
}

/// The program tells that the account was logged out.
fn announce(qq: &watch::Sender<Qq>, words: String) {
    qq.send_modify(|now| {
        // A status that knew of it before knows also when it is over.
        let announced = !matches!(now, Qq::Offline { announced: false, .. });
        *now = Qq::Offline { words, announced };
    });
}

/// Somebody was heard: what was announced is over. A status that says otherwise is left to say so itself.
fn heard(qq: &watch::Sender<Qq>) {
    qq.send_if_modified(|now| {
        let over = matches!(now, Qq::Offline { announced: true, .. });
        if over {
            *now = Qq::Online;
        }
        over
    });
}

/// Somebody has seen to it: the next status is believed, whatever it says.
pub(super) fn believe_next(qq: &watch::Sender<Qq>) {
    qq.send_if_modified(|now| {
        if let Qq::Offline { announced, .. } = now {
            *announced = false;
        }
        false
    });
}

async fn receive(frames: Option<&mut mpsc::Receiver<Frame>>) -> Option<Frame> {
    match frames {
        Some(frames) => frames.recv().await,
        None => std::future::pending().await,
    }
}

/// The group of an event, if it has one.
fn group(event: &Event) -> Option<GroupNumber> {
    match event {
        Event::Heard(heard) => Some(heard.group),
        Event::Increase { group, .. }
        | Event::Decrease { group, .. }
        | Event::Dissolved { group, .. }
        | Event::Card { group, .. }
        | Event::Admin { group, .. }
        | Event::Muted { group, .. }
        | Event::GroupName { group, .. }
        | Event::Recalled { group, .. }
        | Event::Upload { group, .. } => Some(*group),
        Event::Reacted { group, .. } | Event::Poked { group, .. } => *group,
        Event::Private(_)
        | Event::Request(_)
        | Event::BotOffline(_)
        | Event::Lifecycle
        | Event::Heartbeat { .. }
        | Event::Other(_) => None,
    }
}
