//! The program: its arguments, its first line, its end, and a kill that spares nothing.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::{Qq, Way, say};

struct Program(Child, SocketAddr);

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command()
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .unwrap()
            .parse()
            .unwrap();
        Self(child, address)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_qq-sandbox"))
}

fn with_state(dir: &Path) -> Program {
    Program::start(&["--state", dir.to_str().unwrap()])
}

#[tokio::test]
async fn what_was_answered_outlives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let program = with_state(dir.path());
    let mut qq = Qq::log_in(program.1, Way::Path).await;
    let (gid, _) = qq.group().await;
    let last = say(program.1, 222_333_444, "last words").await;
    drop(program);
    let program = with_state(dir.path());
    qq.address = program.1;
    // The port is another one, so the cookies of the path way would be, too: hand them over as they are.
    let cookies = qq.jar.clone();
    assert!(reqwest::cookie::CookieStore::cookies(&*cookies, &qq.url("w.qq.com/").parse().unwrap()).is_some());
    assert_eq!(qq.online_buddies().await["retcode"], 0);
    assert_eq!(qq.group().await.0, gid);
    assert_eq!(qq.poll().await["result"][0]["value"]["content"][1], "last words");
    assert_eq!(say(program.1, 222_333_444, "on").await, last + 1);
}

#[test]
fn it_ends_at_once_on_sigterm() {
    let mut program = Program::start(&[]);
    kill_process(Pid::from_child(&program.0), Signal::TERM).unwrap();
    assert!(program.0.wait().unwrap().success());
}

#[test]
fn the_world_is_printed_and_can_be_used() {
    let printed = command().arg("--print-world").output().unwrap();
    assert!(printed.status.success());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("world.toml");
    std::fs::write(&file, &printed.stdout).unwrap();
    assert_eq!(
        qq_sandbox::parse_world(&std::fs::read_to_string(&file).unwrap()).unwrap(),
        qq_sandbox::default_world()
    );
    drop(Program::start(&["--world", file.to_str().unwrap()]));
    for era in ["2013", "2015", "2018"] {
        drop(Program::start(&["--era", era]));
    }
}

#[test]
fn what_is_not_served_is_refused_with_a_sentence() {
    for (arguments, word) in [
        (["--era", "1999"], "1999"),
        (["--flavour", "mirai"], "lagrange"),
        (["--world", "/nowhere/world.toml"], "/nowhere/world.toml"),
    ] {
        let output = command()
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(word), "{said}");
    }
}
