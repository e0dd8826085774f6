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
use crate::model::GroupNumber;

/// Heartbeats that may be missing.
const MISSING: u32 = 3;
/// What a heartbeat's interval is taken for at least and at most.
const INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// Kinds of events that nobody waits for, counted for the log.
const KINDS_MAX: usize = 50;

/// Whether QQ holds the account on line, as far as the other side tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Qq {
    /// Nothing speaks against it.
    Online,
    /// In its words; may be empty.
    Offline(String),
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
            Event::BotOffline(words) => drop(pulse.qq.send_replace(Qq::Offline(words))),
            Event::Lifecycle => {}
            Event::Private(private) => {
                if let Some(sentence) = account::private(&private) {
                    self.tell_admins(sentence);
                }
            }
            Event::Request(request) => self.tell_admins(account::request(&request)),
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
                let Some(group) = group(&event) else {
                    return tracing::debug!(account = %self.settings.name, "an event without a group");
                };
                self.to_lane(group, Job::Heard(Box::new(event)));
            }
        }
    }
}

/// Takes a word on whether QQ holds the account on line. What was said of why it does not, holds on.
pub(super) fn set(qq: &watch::Sender<Qq>, online: bool) {
    qq.send_if_modified(|now| {
        let news = (*now == Qq::Online) != online;
        if news {
            *now = if online { Qq::Online } else { Qq::Offline(String::new()) };
        }
        news
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
