//! The misbehaviour of `OneBot` programs.

use anyhow::Context as _;
use lab::Kind;
use std::time::Duration;

use super::{Chat, Fault, Shown, traffic, try_all};
use crate::support::Bridge;
use crate::support::onebot::{BOT, CATS, CATS_ROOM, DMITRI, Far, Way};

const CHAT: Chat = Chat {
    group: CATS,
    room: CATS_ROOM,
    own: BOT,
    member: DMITRI,
};

const fn fault(armed: &'static [&'static str]) -> Fault {
    Fault {
        armed,
        shown: Shown::All,
    }
}

/// What is said meanwhile is not in the history either.
const fn loss(armed: &'static [&'static str]) -> Fault {
    Fault {
        armed,
        shown: Shown::WhatWasTold,
    }
}

const CUT: &str = r#"{"kind": "cut_socket"}"#;

const FAULTS: [Fault; 19] = [
    fault(&[r#"{"kind": "drop_call", "action": "send_group_msg"}"#]),
    fault(&[r#"{"kind": "drop_answer", "action": "send_group_msg"}"#]),
    fault(&[r#"{"kind": "late_answer", "action": "send_group_msg", "delay": "4s", "count": 2}"#]),
    fault(&[r#"{"kind": "timeout_delivered"}"#]),
    fault(&[r#"{"kind": "timeout_lost"}"#]),
    fault(&[r#"{"kind": "fail_call", "action": "send_group_msg"}"#]),
    fault(&[r#"{"kind": "reorder_answers", "size": 2}"#]),
    loss(&[r#"{"kind": "lost_event", "count": 2}"#]),
    fault(&[r#"{"kind": "duplicate_event", "count": 6}"#]),
    fault(&[r#"{"kind": "huge_frame"}"#]),
    fault(&[r#"{"kind": "garbage_frame", "count": 5}"#]),
    fault(&[CUT]),
    fault(&[r#"{"kind": "cut_socket", "mid_frame": true}"#]),
    fault(&[r#"{"kind": "cut_socket", "on": "answer"}"#]),
    fault(&[r#"{"kind": "refuse_socket", "count": 2}"#, CUT]),
    fault(&[r#"{"kind": "silent_socket"}"#, CUT]),
    fault(&[r#"{"kind": "drop_call", "action": "get_group_msg_history"}"#, CUT]),
    loss(&[r#"{"kind": "short_history"}"#, CUT]),
    loss(&[r#"{"kind": "silent_offline"}"#]),
];

/// All that is armed.
pub(super) fn armed() -> impl Iterator<Item = &'static str> {
    FAULTS.iter().flat_map(|fault| fault.armed).copied()
}

async fn under_fault(flavour: &str, way: Way, fault: &Fault) -> anyhow::Result<Option<Duration>> {
    let Some(bridge) = Bridge::start_onebot(Kind::Prosody, &Far::of(flavour).by(way)).await? else {
        return Ok(None);
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    let took = traffic(&bridge, &mut alice, CHAT, fault).await;
    took.map(Some).with_context(|| bridge.log())
}

async fn all_faults(flavour: &str, way: Way) -> anyhow::Result<()> {
    let tries = FAULTS.iter().map(|fault| async move {
        let name = format!("{flavour} {way:?} {:?}", fault.armed);
        (name, under_fault(flavour, way, fault).await)
    });
    try_all(tries).await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_napcat() -> anyhow::Result<()> {
    all_faults("napcat", Way::Forward).await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_llbot() -> anyhow::Result<()> {
    all_faults("llbot", Way::Reverse).await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_lagrange() -> anyhow::Result<()> {
    all_faults("lagrange", Way::Forward).await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_gocq() -> anyhow::Result<()> {
    all_faults("gocq", Way::Reverse).await
}
