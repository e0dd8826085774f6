//! A bot framework of other people talks to the sandbox: shows that the far side of the other tests is one that programs for
//! `OneBot` take for theirs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lab::{Process, Sandbox, ports};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::support::onebot::{BOT, CATS, DMITRI, FLAVOURS, Way};

const LIMIT: Duration = Duration::from_secs(60);
const TOKEN: &str = "a token of the tests";

async fn chat(flavour: &str, way: Way) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut sandbox = Sandbox::start(&["--flavour", flavour]).await?;
    sandbox.set_limit(LIMIT);
    let [port] = ports::free()?;
    let (mode, place) = match way {
        Way::Forward => ("forward", format!("ws://{}/onebot/v11/{BOT}", sandbox.address())),
        Way::Reverse => ("reverse", port.to_string()),
    };
    let mut command = Command::new(lab::python());
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/nonebot_chat.py"))
        .args([mode, &place, TOKEN, &CATS.to_string(), "喵 from QQ", "喵 from nonebot"]);
    let mut bot = Process::spawn("nonebot", &command, &folder.path().join("log"))?;
    if way == Way::Reverse {
        let end = Instant::now() + LIMIT;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            anyhow::ensure!(bot.is_running() && Instant::now() < end, "{}", bot.tail(30));
            sleep(Duration::from_millis(50)).await;
        }
        let url = format!("ws://127.0.0.1:{port}/onebot/v11/ws");
        sandbox.connect_onebot(BOT, &url, TOKEN).await?;
    }
    bot.wait_line("connected with", LIMIT).await?;
    sandbox.say(CATS, DMITRI, "喵 from QQ").await?;
    let answer = sandbox.wait_text(CATS, 0, "喵 from nonebot").await?;
    assert_eq!(answer.from, BOT);
    let status = bot.wait_exit(LIMIT).await?;
    assert!(status.success(), "{flavour} {way:?}\n{}", bot.tail(30));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nonebot_hears_and_answers() -> anyhow::Result<()> {
    if !lab::available("nonebot") {
        return Ok(());
    }
    for flavour in FLAVOURS {
        chat(flavour, Way::Forward).await?;
        chat(flavour, Way::Reverse).await?;
    }
    Ok(())
}
