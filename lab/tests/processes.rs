//! Child processes as the tests see them, with a shell in the place of a server.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use lab::Process;
use lab::process::{Signal, workspace_binary};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(10);

fn shell(folder: &TempDir, script: &str) -> anyhow::Result<Process> {
    Process::spawn("shell", Command::new("sh").args(["-c", script]), &log(folder))
}

fn log(folder: &TempDir) -> PathBuf {
    folder.path().join("log")
}

#[tokio::test]
async fn a_line_is_waited_for_and_an_end_too() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut process = shell(&folder, "echo one; echo two >&2; exit 3")?;
    assert_eq!(process.wait_line("two", LIMIT).await?, "two");
    assert_eq!(process.wait_exit(LIMIT).await?.code(), Some(3));
    assert!(process.signal(Signal::HUP).is_err());

    let mut again = shell(&folder, "echo three")?;
    assert_eq!(
        again.wait_line("t", LIMIT).await?,
        "three",
        "an earlier run's log is not this run's"
    );
    let error = again
        .wait_line("four", LIMIT)
        .await
        .expect_err("it ends without the line")
        .to_string();
    assert!(error.contains("ended before") && error.contains("three"), "{error}");
    Ok(())
}

#[tokio::test]
async fn signals_arrive_and_a_deaf_one_is_killed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut process = shell(
        &folder,
        "trap 'echo reload' HUP; trap '' TERM; echo ready; while :; do sleep 0.05; done",
    )?;
    process.wait_line("ready", LIMIT).await?;
    process.signal(Signal::HUP)?;
    process.wait_line("reload", LIMIT).await?;
    assert_eq!(process.terminate().await?.code(), None);
    assert!(!process.is_running());
    Ok(())
}

#[tokio::test]
async fn a_child_outlives_the_thread_that_asked_for_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let log = log(&folder);
    let script = "sleep 0.3; echo alive; sleep 60";
    let spawn = move || Process::spawn("shell", Command::new("sh").args(["-c", script]), &log);
    let mut process = std::thread::spawn(spawn).join().expect("the thread does not panic")?;
    process.wait_line("alive", LIMIT).await?;
    process.kill().await?;
    Ok(())
}

#[tokio::test]
async fn a_dropped_one_is_gone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let process = shell(&folder, "sleep 60")?;
    let pid = process.pid();
    drop(process);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    Ok(())
}

#[test]
fn a_missing_program_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = workspace_binary("no-such-program")
        .expect_err("there is none")
        .to_string();
    assert!(error.contains("cargo build --workspace --bins"), "{error}");
    let missing = Process::spawn("missing", &Command::new("/no/such/program"), &log(&folder));
    // With setpriv in between the shell's code 127 tells it, without it the system does.
    if let Ok(mut process) = missing {
        while process.is_running() {
            std::thread::yield_now();
        }
        assert!(process.log().contains("/no/such/program"), "{}", process.log());
    }
}
