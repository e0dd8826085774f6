//! A network namespace with two wires to ours (veth pairs): one between servers, which can be cut, and one for whoever watches.
//!
//! ```text
//!  our namespace                    │  the other one
//!  b+1/30  lw…  ── the wire, cut() ──── wire   b+2/30
//!  b+5/30  lm…  ── always there ─────── watch  b+6/30      b: a block of eight addresses of 198.18.0.0/15 (RFC 2544)
//! ```
//!
//! It has no name: it belongs to a process that does nothing, and goes with it, wires and all, however we end.

use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::site::Wire;
use crate::process::{Process, find_program};

const PATIENCE: Duration = Duration::from_secs(5);
/// The first address and the number of the blocks of eight.
const BLOCKS: (u32, u64) = (u32::from_be_bytes([198, 18, 0, 0]), 1 << 14);

/// The namespace. Dropped, it goes when nothing runs in it any more.
#[derive(Debug)]
pub(crate) struct Namespace {
    holder: Process,
    block: u32,
}

impl Namespace {
    /// A new one, with both wires up. The log goes into `folder`.
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Self> {
        if find_program("ip").is_none() {
            bail!("ip not found; apt-get install iproute2");
        }
        let mut command = Command::new("unshare");
        command.args(["--net", "--", "sleep", "infinity"]);
        let holder = Process::spawn("namespace", &command, &folder.join("namespace"))?;
        let mut namespace = Self {
            holder,
            block: free_block()?,
        };
        namespace.wait_for_it()?;
        namespace
            .lay_wires()
            .context("cannot lay wires into a network namespace")?;
        Ok(namespace)
    }

    /// The process that it belongs to.
    pub(crate) fn pid(&self) -> u32 {
        self.holder.pid()
    }

    /// The wire that can be cut, as seen from our namespace.
    pub(crate) fn wire(&self) -> Wire {
        Wire {
            here: self.address(1),
            there: self.address(2),
        }
    }

    /// The address in it that is always reached from ours.
    pub(crate) fn watch_address(&self) -> Ipv4Addr {
        self.address(6)
    }

    /// Takes the wire away, in both directions and without a word to either side.
    pub(crate) fn cut(&self) -> anyhow::Result<()> {
        run(self.inside().args(["ip", "link", "set", "wire", "down"]))
    }

    /// Undoes [`cut`](Self::cut).
    pub(crate) fn heal(&self) -> anyhow::Result<()> {
        let Wire { here, there } = self.wire();
        run(self.inside().args(["ip", "link", "set", "wire", "up"]))?;
        // Else both ends believe for seconds more that nobody is there.
        run(Command::new("ip").args(["neigh", "flush", "to", &there.to_string()]))?;
        run(self.inside().args(["ip", "neigh", "flush", "to", &here.to_string()]))
    }

    /// Ends every connection over the wire, at both ends and at once (`ss --kill`), as a router does that lost its memory.
    pub(crate) fn reset(&self) -> anyhow::Result<()> {
        let Wire { here, there } = self.wire();
        let mut near = Command::new("ss");
        for (ss, peer) in [(&mut near, there), (self.inside().arg("ss"), here)] {
            let filter = ["--tcp", "--no-header", "--numeric", "dst", &peer.to_string()].map(str::to_owned);
            run(ss.arg("--kill").args(&filter))?;
        }
        let left = Command::new("ss")
            .args(["--tcp", "--no-header", "--numeric", "dst", &there.to_string()])
            .output()?;
        if !left.stdout.is_empty() {
            bail!("this kernel ends no connections of others (CONFIG_INET_DIAG_DESTROY)");
        }
        Ok(())
    }

    fn address(&self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.block + offset)
    }

    fn wait_for_it(&mut self) -> anyhow::Result<()> {
        let ours = fs::read_link("/proc/self/ns/net")?;
        let end = Instant::now() + PATIENCE;
        loop {
            let its = fs::read_link(format!("/proc/{}/ns/net", self.pid()));
            if its.is_ok_and(|its| its != ours) {
                return Ok(());
            }
            if !self.holder.is_running() || Instant::now() > end {
                let tail = self.holder.tail(5);
                bail!("cannot make a network namespace: it needs root, or CAP_SYS_ADMIN and CAP_NET_ADMIN\n{tail}");
            }
            sleep(Duration::from_millis(2));
        }
    }

    fn lay_wires(&self) -> anyhow::Result<()> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // The name of a device has fifteen characters at most.
        let name = |kind| format!("l{kind}{}n{number}", std::process::id());
        let pid = self.pid().to_string();
        run(self.inside().args(["ip", "link", "set", "lo", "up"]))?;
        for (ours, its, offset) in [(name("w"), "wire", 1), (name("m"), "watch", 5)] {
            let near = format!("{}/30", self.address(offset));
            let far = format!("{}/30", self.address(offset + 1));
            run(Command::new("ip").args(["link", "add", &ours, "type", "veth", "peer", "name", its, "netns", &pid]))?;
            run(Command::new("ip").args(["addr", "add", &near, "dev", &ours]))?;
            run(Command::new("ip").args(["link", "set", &ours, "up"]))?;
            run(self.inside().args(["ip", "addr", "add", &far, "dev", its]))?;
            run(self.inside().args(["ip", "link", "set", its, "up"]))?;
        }
        Ok(())
    }

    fn inside(&self) -> Command {
        enter(self.pid())
    }
}

/// The beginning of a command that runs in the network namespace of a process: program and arguments follow.
pub(crate) fn enter(pid: u32) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/proc/{pid}/ns/net")).arg("--");
    command
}

/// A command moved into the network namespace of a process.
pub(crate) fn inside(pid: u32, command: &Command) -> Command {
    let mut moved = enter(pid);
    moved.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        moved.current_dir(folder);
    }
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            moved.env(key, value);
        }
    }
    moved
}

/// Whether this process may make one.
pub(crate) fn allowed() -> bool {
    let programs: [Option<PathBuf>; 2] = [find_program("ip"), find_program("nsenter")];
    let unshare = || Command::new("unshare").args(["--net", "--", "true"]).output();
    programs.iter().all(Option::is_some) && unshare().is_ok_and(|output| output.status.success())
}

/// A block of addresses that no device of ours is in. A random one: other processes look for theirs at the same moment.
fn free_block() -> anyhow::Result<u32> {
    let output = Command::new("ip").args(["-o", "-4", "addr"]).output()?;
    let taken = String::from_utf8_lossy(&output.stdout).into_owned();
    for _ in 0..100 {
        let random = RandomState::new().build_hasher().finish() % BLOCKS.1;
        let block = BLOCKS.0 + 8 * u32::try_from(random).expect("the number of a block is small");
        if !taken.contains(&format!("inet {}/", Ipv4Addr::from(block + 1))) {
            return Ok(block);
        }
    }
    bail!("no free addresses in 198.18.0.0/15")
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("{command:?} failed: {words}");
    }
    Ok(())
}
