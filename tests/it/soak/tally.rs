//! What a soak counts and measures.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::ensure;
use lab::Sandbox;
use serde_json::Value;

use crate::support::resident_kib;

/// Arenas and pools that fill up; the sandbox keeps its world in a file, of which `SQLite` holds 2 MiB in memory.
const FLAT_KIB: u64 = 4096;
/// Connections in the pools.
const FLAT_DESCRIPTORS: usize = 8;

/// Of the process, at one time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    resident_kib: u64,
    descriptors: usize,
}

impl Measure {
    pub(super) fn now() -> anyhow::Result<Self> {
        Ok(Self {
            resident_kib: resident_kib(std::process::id())?,
            descriptors: fs::read_dir("/proc/self/fd")?.count(),
        })
    }

    /// What filled up until then stayed so.
    pub(super) fn is_flat_since(self, then: Self) -> anyhow::Result<()> {
        let grown = self.resident_kib.saturating_sub(then.resident_kib);
        ensure!(grown <= FLAT_KIB, "memory grew by {grown} KiB: {then:?}, then {self:?}");
        let more = self.descriptors.saturating_sub(then.descriptors);
        ensure!(
            more <= FLAT_DESCRIPTORS,
            "{more} more descriptors: {then:?}, then {self:?}"
        );
        Ok(())
    }
}

/// What the sandbox noted of the session's requests.
#[derive(Debug, Default)]
pub(super) struct Tally {
    last: i64,
    /// How often each call came to what end.
    calls: BTreeMap<String, u64>,
    pub(super) logins: u64,
    pub(super) relinks: u64,
}

impl Tally {
    /// Reads on in the sandbox's log, of which it keeps only the end.
    pub(super) async fn read(&mut self, sandbox: &Sandbox) -> anyhow::Result<()> {
        loop {
            let entries = sandbox.log(self.last, Duration::ZERO).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            self.last = last["n"].as_i64().unwrap_or(i64::MAX);
            for entry in &entries {
                self.count(entry)?;
            }
        }
    }

    fn count(&mut self, entry: &Value) -> anyhow::Result<()> {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let (outcome, detail) = (word("outcome"), word("detail"));
        // What was given out and did not arrive, or was taken and thrown away.
        ensure!(
            outcome != "gone" && outcome != "dropped",
            "the sandbox lost something: {entry}"
        );
        self.logins += u64::from(detail == "a session begins");
        self.relinks += u64::from(detail.starts_with("relinked: "));
        let path = word("path");
        let call = path.rsplit('/').next().unwrap_or_default();
        let code = entry["retcode"].as_i64().unwrap_or(0);
        *self.calls.entry(format!("{call} {outcome} {code}")).or_default() += 1;
        Ok(())
    }

    /// For people.
    pub(super) fn print(&self) {
        for (call, count) in &self.calls {
            println!("{count:8} {call}");
        }
    }
}

/// What the account said in a group is on QQ: each once and in order, and nothing else.
pub(super) async fn are_on_qq(
    sandbox: &Sandbox,
    group: u64,
    account: u64,
    mut said: impl Iterator<Item = String>,
) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let messages = sandbox.messages(group, after, Duration::ZERO).await?;
        let Some(last) = messages.last() else { break };
        after = last.id;
        for message in messages.iter().filter(|message| message.from == account) {
            let (text, expected) = (message.text(), said.next());
            ensure!(
                Some(&text) == expected.as_ref(),
                "{text:?} is on QQ instead of {expected:?}"
            );
        }
    }
    let missing = said.next();
    ensure!(missing.is_none(), "{missing:?} is not on QQ in {group}");
    Ok(())
}
