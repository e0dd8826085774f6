//! The misbehaviour of the web hosts.

use std::time::Duration;

use anyhow::Context as _;
use lab::{Kind, Sandbox};

use super::{Chat, Fault, Shown, arm, came_to_pass, traffic, try_all};
use crate::support::webqq::{Era, be_there};
use crate::support::{ACCOUNT, Bridge, GROUP, ROOM, people};

/// A row of the table.
#[derive(Clone, Copy)]
struct Row {
    fault: Fault,
    era: Era,
    /// Armed before the gateway starts, because it concerns the way in.
    early: bool,
    /// A person scans codes, or types what a captcha shows, whenever they are asked.
    person: bool,
}

const fn row(armed: &'static [&'static str]) -> Row {
    Row {
        fault: Fault {
            armed,
            shown: Shown::All,
        },
        era: Era::S15,
        early: false,
        person: false,
    }
}

impl Row {
    /// What is said meanwhile is lost for ever: the protocol has no history.
    const fn loses(mut self) -> Self {
        self.fault.shown = Shown::WhatWasTold;
        self
    }

    /// Of one second, the protocol says no order.
    const fn mixes(mut self) -> Self {
        self.fault.shown = Shown::AllOfASecondMixed;
        self
    }

    const fn early(mut self) -> Self {
        self.early = true;
        self
    }

    const fn with_person(mut self) -> Self {
        self.person = true;
        self
    }

    const fn in_era(mut self, era: Era) -> Self {
        self.era = era;
        self
    }
}

/// What is over within seconds.
const QUICK: &[Row] = &[
    // The way of an answer.
    row(&[r#"{"kind": "close", "call": "poll2", "count": 3}"#]),
    row(&[r#"{"kind": "close", "call": "send"}"#]),
    row(&[r#"{"kind": "close", "call": "send", "done": true}"#]),
    row(&[r#"{"kind": "close", "call": "any", "count": 5}"#]).early(),
    row(&[r#"{"kind": "cut_body", "call": "poll2"}"#]),
    row(&[r#"{"kind": "cut_body", "call": "poll2", "chunked": true}"#]),
    row(&[r#"{"kind": "cut_body", "call": "poll2", "lose": true}"#]).loses(),
    row(&[r#"{"kind": "cut_body", "call": "send"}"#]),
    row(&[r#"{"kind": "cut_body", "call": "lists", "count": 3}"#]).early(),
    row(&[r#"{"kind": "slow_body", "call": "any", "count": 3}"#]),
    row(&[r#"{"kind": "late_reply", "call": "any", "count": 3}"#]),
    row(&[r#"{"kind": "http_status", "call": "poll2", "count": 3}"#]),
    row(&[r#"{"kind": "http_status", "call": "poll2", "status": 504, "count": 3}"#]),
    row(&[r#"{"kind": "http_status", "call": "any", "status": 404, "count": 3}"#]),
    row(&[r#"{"kind": "http_status", "call": "send", "status": 502, "done": true}"#]),
    row(&[r#"{"kind": "http_status", "call": "lists", "status": 502, "count": 4}"#]).early(),
    row(&[r#"{"kind": "content_type", "call": "any", "count": 10}"#]),
    row(&[r#"{"kind": "empty_body", "call": "poll2", "count": 3}"#]),
    row(&[r#"{"kind": "empty_body", "call": "send"}"#]),
    row(&[r#"{"kind": "garbage_body", "call": "poll2", "count": 3}"#]),
    row(&[r#"{"kind": "garbage_body", "call": "any", "count": 6}"#]).early(),
    // Codes.
    row(&[r#"{"kind": "retcode"}"#]),
    row(&[r#"{"kind": "retcode", "until": "get_online_buddies2"}"#]),
    row(&[r#"{"kind": "retcode", "retcode": 100000, "until": "relink"}"#]).loses(),
    row(&[r#"{"kind": "retcode", "retcode": 100012, "count": 2}"#]),
    row(&[r#"{"kind": "retcode", "retcode": 108, "call": "send"}"#]),
    row(&[r#"{"kind": "new_ptwebqq"}"#]),
    row(&[r#"{"kind": "lost_link"}"#]).loses(),
    row(&[r#"{"kind": "lost_link", "code": 120}"#, r#"{"kind": "new_uins"}"#]).loses(),
    row(&[r#"{"kind": "expire_login"}"#]).loses().with_person(),
    row(&[r#"{"kind": "no_quick_login"}"#, r#"{"kind": "expire_login"}"#])
        .loses()
        .with_person(),
    row(&[r#"{"kind": "outage"}"#]),
    // Polls.
    row(&[
        r#"{"kind": "idle_form", "form": 1}"#,
        r#"{"kind": "idle_form", "form": 2}"#,
    ]),
    row(&[
        r#"{"kind": "idle_form", "form": 3}"#,
        r#"{"kind": "idle_form", "form": 4}"#,
    ]),
    row(&[
        r#"{"kind": "idle_form", "form": 5}"#,
        r#"{"kind": "idle_form", "form": 6}"#,
    ]),
    row(&[r#"{"kind": "idle_form", "form": 7}"#]),
    row(&[r#"{"kind": "hold", "time": "1s"}"#]),
    row(&[r#"{"kind": "batch", "size": 3}"#]),
    row(&[
        r#"{"kind": "batch", "size": 3}"#,
        r#"{"kind": "order", "order": "oldest"}"#,
    ])
    .mixes(),
    row(&[
        r#"{"kind": "batch", "size": 3}"#,
        r#"{"kind": "order", "order": "mixed"}"#,
    ])
    .mixes(),
    // Messages.
    row(&[r#"{"kind": "lost_message"}"#]).loses(),
    row(&[r#"{"kind": "double_message", "count": 3}"#]),
    row(&[r#"{"kind": "double_message", "delay": "2s", "count": 3}"#]),
    row(&[
        r#"{"kind": "extra_event"}"#,
        r#"{"kind": "extra_event", "what": "junk"}"#,
    ]),
    // Sending.
    row(&[r#"{"kind": "send_answer", "count": 2}"#]),
    row(&[r#"{"kind": "send_answer", "answer": 100100}"#]),
    row(&[r#"{"kind": "send_answer", "answer": "zero"}"#]),
    row(&[r#"{"kind": "send_answer", "answer": "ERROR"}"#]),
    row(&[r#"{"kind": "send_answer", "answer": 1202, "delivered": true}"#]),
    row(&[r#"{"kind": "echo", "how": "altered", "alter": "censor", "count": 6}"#]),
    row(&[r#"{"kind": "echo", "how": "split", "count": 3}"#]),
    row(&[r#"{"kind": "echo", "how": "twice", "count": 3}"#]),
    row(&[r#"{"kind": "echo", "how": "early", "count": 3}"#]),
    row(&[r#"{"kind": "echo", "how": "late", "count": 3}"#]),
    // Lists.
    row(&[r#"{"kind": "empty_list", "count": 2}"#]).early(),
    row(&[r#"{"kind": "partial_list", "count": 2}"#]).early(),
    row(&[r#"{"kind": "thin_members"}"#, r#"{"kind": "cut_cards"}"#]).early(),
    // What years and servers differed in.
    row(&[r#"{"kind": "hash_variant"}"#]).early(),
    row(&[r#"{"kind": "withhold_numbers"}"#, r#"{"kind": "faces_zero"}"#]).early(),
    row(&[r#"{"kind": "empty_ptwebqq"}"#]).early(),
    // The way in.
    row(&[
        r#"{"kind": "qr_expired"}"#,
        r#"{"kind": "qr_withdrawn"}"#,
        r#"{"kind": "qr_code"}"#,
    ])
    .early(),
];

/// What other years add.
const OTHER_YEARS: &[Row] = &[
    row(&[r#"{"kind": "captcha"}"#]).in_era(Era::W13).early(),
    row(&[r#"{"kind": "login_code"}"#]).in_era(Era::W13).early(),
    row(&[r#"{"kind": "login_code", "code": 4}"#]).in_era(Era::W13).early(),
    row(&[r#"{"kind": "frozen"}"#]).in_era(Era::W13).early(),
    row(&[r#"{"kind": "lost_message"}"#]).in_era(Era::W13).loses(),
    row(&[r#"{"kind": "lost_link"}"#]).in_era(Era::S18).loses(),
];

/// What takes minutes, because patience is tried.
const SLOW: &[Row] = &[
    row(&[r#"{"kind": "hang", "call": "poll2"}"#]),
    row(&[r#"{"kind": "hang", "call": "send"}"#]),
    row(&[r#"{"kind": "hang", "call": "send", "done": true}"#]),
    row(&[r#"{"kind": "kick_session"}"#]).loses(),
    row(&[r#"{"kind": "rival"}"#]).early().loses().with_person(),
];

/// All that is armed.
pub(super) fn armed() -> impl Iterator<Item = &'static str> {
    let rows = QUICK.iter().chain(OTHER_YEARS).chain(SLOW);
    rows.flat_map(|row| row.fault.armed).copied()
}

async fn under_fault(row: &Row) -> anyhow::Result<Option<Duration>> {
    let Some(mut bridge) = Bridge::assemble_webqq(Kind::Prosody, row.era).await? else {
        return Ok(None);
    };
    let took = tried(&mut bridge, row).await;
    took.map(Some).with_context(|| bridge.log())
}

async fn tried(bridge: &mut Bridge, row: &Row) -> anyhow::Result<Duration> {
    let mut admin = bridge.jabber("alice", "desk").await?;
    let person = Sandbox::at(bridge.sandbox.address())?;
    let armed = if row.early {
        arm(&bridge.sandbox, row.fault.armed).await?
    } else {
        Vec::new()
    };
    bridge.launch_gateway()?;
    tokio::select! {
        ready = bridge.wait_ready() => ready?,
        failed = be_there(&person, &mut admin) => failed?,
    }
    let fault = if row.early {
        came_to_pass(&bridge.sandbox, &armed).await?;
        Fault {
            armed: &[],
            shown: row.fault.shown,
        }
    } else {
        Fault { ..row.fault }
    };
    let chat = Chat {
        group: GROUP,
        room: ROOM,
        own: ACCOUNT,
        member: people(bridge).await?[0],
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    if !row.person {
        return traffic(bridge, &mut alice, chat, &fault).await;
    }
    tokio::select! {
        took = traffic(bridge, &mut alice, chat, &fault) => took,
        failed = be_there(&person, &mut admin) => Err(failed.expect_err("a person stays")),
    }
}

async fn all_rows(rows: &'static [Row]) -> anyhow::Result<()> {
    let tries = rows.iter().map(|row| async move {
        let name = format!("{:?} {:?}", row.era, row.fault.armed);
        (name, under_fault(row).await)
    });
    try_all(tries).await
}

#[tokio::test(flavor = "multi_thread")]
async fn quick_faults() -> anyhow::Result<()> {
    all_rows(QUICK).await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_other_years() -> anyhow::Result<()> {
    all_rows(OTHER_YEARS).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: patience is tried"]
async fn slow_faults() -> anyhow::Result<()> {
    all_rows(SLOW).await
}
