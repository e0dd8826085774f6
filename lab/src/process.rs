//! A child process: started with a log file, waited for by a line of its log, signalled, ended. Nothing here knows which program
//! it is. A `Process` that is dropped ends its child (SIGTERM, then SIGKILL), and a child outlives a killed test run by nothing.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use std::{env, io, thread};

use anyhow::{Context as _, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use tokio::time::{Instant, sleep};

/// How long a child may take to end after SIGTERM before it gets SIGKILL.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

/// A running (or ended, not yet forgotten) child process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    log_start: usize,
}

impl Process {
    /// Starts `command` with nothing on stdin and stdout and stderr appended to `log`. Program, arguments, folder and changes of
    /// the environment are taken from `command`; an `env_clear` is not.
    pub fn spawn(name: &str, command: &Command, log: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write the log {}", log.display()))?;
        let log_start = usize::try_from(file.metadata()?.len())?;
        let child = start(guarded(command), file).with_context(|| {
            let program = command.get_program().display();
            format!("cannot start {name} ({program})")
        })?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
            log_start,
        })
    }

    /// The name it was spawned under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, when it has ended.
    pub fn exited(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal, as `Signal::HUP` for a reload or `Signal::STOP` and `Signal::CONT` to freeze and thaw it.
    pub fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        // After try_wait said "running" the pid is still ours, even when the child ends now: nobody else reaps it.
        if !self.is_running() {
            bail!("{} has ended already\n{}", self.name, self.tail(10));
        }
        kill_process(self.rustix_pid()?, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Waits until it ends by itself.
    pub async fn wait_exit(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.exited()? {
                return Ok(status);
            }
            if Instant::now() >= end {
                bail!("{} did not end within {limit:?}\n{}", self.name, self.tail(20));
            }
            sleep(POLL).await;
        }
    }

    /// Sends a signal and waits so long for the end; whoever is still there then is left as it is, and that is an error.
    pub async fn wait_exit_after(&mut self, signal: Signal, limit: Duration) -> anyhow::Result<ExitStatus> {
        if self.is_running() {
            self.signal(signal)?;
        }
        self.wait_exit(limit).await
    }

    /// SIGTERM, five seconds, SIGKILL. Nothing happens to one that has ended.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        if self.is_running() {
            self.signal(Signal::TERM)?;
            if let Ok(status) = self.wait_exit(PATIENCE).await {
                return Ok(status);
            }
        }
        self.kill().await
    }

    /// SIGKILL, and waits for the end.
    pub async fn kill(&mut self) -> anyhow::Result<ExitStatus> {
        self.child
            .kill()
            .with_context(|| format!("cannot kill {}", self.name))?;
        self.wait_exit(PATIENCE).await
    }

    /// Waits for a line of this run's log that contains `text` and returns it, from the first line on.
    pub async fn wait_line(&mut self, text: &str, limit: Duration) -> anyhow::Result<String> {
        let end = Instant::now() + limit;
        loop {
            // Looked at before the log is read, so that the last words of a dying child still count.
            let running = self.is_running();
            if let Some(line) = self.log().lines().find(|line| line.contains(text)) {
                return Ok(line.to_owned());
            }
            if !running {
                bail!("{} ended before it logged {text:?}\n{}", self.name, self.tail(20));
            }
            if Instant::now() >= end {
                bail!("{} did not log {text:?} within {limit:?}\n{}", self.name, self.tail(20));
            }
            sleep(POLL * 2).await;
        }
    }

    /// What this run has logged so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(bytes.get(self.log_start..).unwrap_or_default()).into_owned()
    }

    /// The last `lines` lines of this run's log, with a heading.
    pub fn tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        let last = &all[all.len().saturating_sub(lines)..];
        format!(
            "--- last {} lines of {} ---\n{}",
            last.len(),
            self.name,
            last.join("\n")
        )
    }

    fn rustix_pid(&self) -> anyhow::Result<Pid> {
        let raw = i32::try_from(self.child.id())?;
        Pid::from_raw(raw).context("a child has no process id")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.tail(30));
        }
        if self.is_running() && self.signal(Signal::TERM).is_ok() {
            let end = std::time::Instant::now() + PATIENCE;
            while self.is_running() && std::time::Instant::now() < end {
                thread::sleep(POLL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of this workspace, found beside the running test or benchmark in the target folder.
pub fn workspace_binary(name: &str) -> anyhow::Result<PathBuf> {
    let me = env::current_exe().context("cannot tell where the running program lies")?;
    let mut folder = me.parent().context("the running program lies in no folder")?;
    if folder.ends_with("deps") || folder.ends_with("examples") {
        folder = folder.parent().context("the target folder has no parent")?;
    }
    let binary = folder.join(name);
    if !binary.is_file() {
        bail!("{} is not built; run: cargo build --workspace --bins", binary.display());
    }
    Ok(binary)
}

/// A file of other people's programs for the tests, in the environment that `make test` sets up: the one of `$PYTHON`, else
/// `interop` in the target folder.
pub(crate) fn installed(file: &str) -> Option<PathBuf> {
    let chosen = env::var_os("PYTHON").map(PathBuf::from);
    let of_python = chosen.and_then(|python| Some(python.parent()?.parent()?.to_owned()));
    let of_target = || {
        let me = env::current_exe().ok()?;
        // target/debug/deps/program or target/debug/program
        me.ancestors()
            .skip(2)
            .take(2)
            .map(|folder| folder.join("interop"))
            .find(|folder| folder.is_dir())
    };
    let file = of_python.or_else(of_target)?.join(file);
    file.exists().then_some(file)
}

/// The first executable file of that name on the path, or in the folders of the system's own programs.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The same command, told to end when we do, where `setpriv` can say that.
fn guarded(command: &Command) -> Command {
    static SETPRIV: LazyLock<bool> = LazyLock::new(|| {
        Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--", "true"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    let mut copy = if *SETPRIV {
        let mut copy = Command::new("setpriv");
        copy.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program());
        copy
    } else {
        Command::new(command.get_program())
    };
    copy.args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => copy.env(key, value),
            None => copy.env_remove(key),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        copy.current_dir(folder);
    }
    copy
}

type Order = (Command, SyncSender<io::Result<Child>>);

/// Starts the command from a thread that lives as long as this process: the kernel's "parent" of a death signal is the thread,
/// and a test's thread (or a runtime's) ends long before a server that several tests share.
fn start(mut command: Command, log: File) -> io::Result<Child> {
    static STARTER: LazyLock<SyncSender<Order>> = LazyLock::new(|| {
        let (orders, inbox) = sync_channel::<Order>(0);
        thread::spawn(move || {
            for (mut command, answer) in inbox {
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let (answer, child) = sync_channel(1);
    STARTER.send((command, answer)).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}
