//! The clients of other people against Prosody's own rooms: shows that the scripts in `tests/interop` work before they judge
//! the gateway.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lab::{Kind, Options, Process, Server};

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop/slixmpp_join.py")
}

fn slixmpp(server: &Server, user: &str, say: &str, expect: &str) -> anyhow::Result<Process> {
    let mut command = Command::new(lab::python());
    command.arg(script()).args([
        "127.0.0.1",
        &server.c2s_port().to_string(),
        &format!("{user}@localhost"),
        user,
    ]);
    command.args([&format!("cats@{}", server.muc_service()), user, say, expect]);
    Process::spawn(user, &command, &server.folder().join(format!("{user}.log")))
}

#[tokio::test]
async fn two_slixmpp_clients_hear_each_other() -> anyhow::Result<()> {
    if !lab::available("prosody") || !lab::available("slixmpp") {
        return Ok(());
    }
    let server = Server::start(Kind::Prosody, &Options::default()).await?;
    let mut alice = slixmpp(&server, "alice", "喵 from alice", "喵 from bob")?;
    let mut bob = slixmpp(&server, "bob", "喵 from bob", "喵 from alice")?;
    for person in [&mut alice, &mut bob] {
        let status = person.wait_exit(Duration::from_secs(65)).await?;
        assert!(status.success(), "{}", person.tail(30));
        assert!(person.log().contains("reflected"), "{}", person.tail(30));
    }
    Ok(())
}
