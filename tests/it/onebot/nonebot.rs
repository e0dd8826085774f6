//! A bot framework of other people talks to the sandbox: shows that the far side of the other tests is one that programs for
//! `OneBot` take for theirs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lab::{Process, Sandbox};

use crate::support::onebot::{BOT, CATS, DMITRI, FLAVOURS};

#[tokio::test(flavor = "multi_thread")]
async fn nonebot_hears_and_answers() -> anyhow::Result<()> {
    if !lab::available("nonebot") {
        return Ok(());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/nonebot_chat.py");
    let folder = tempfile::tempdir()?;
    for flavour in FLAVOURS {
        let sandbox = Sandbox::start(&["--flavour", flavour]).await?;
        let url = format!("ws://{}/onebot/v11/{BOT}", sandbox.address());
        let mut command = Command::new(lab::python());
        command
            .arg(&script)
            .args([&url, &CATS.to_string(), "喵 from nonebot", "喵 from QQ"]);
        let mut bot = Process::spawn("nonebot", &command, &folder.path().join(flavour))?;
        sandbox.wait_text(CATS, 0, "喵 from nonebot").await?;
        sandbox.say(CATS, DMITRI, "喵 from QQ").await?;
        let status = bot.wait_exit(Duration::from_secs(60)).await?;
        assert!(status.success(), "{flavour}\n{}", bot.tail(30));
    }
    Ok(())
}
