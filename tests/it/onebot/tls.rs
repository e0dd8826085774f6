//! An account behind `wss`: the certificate is looked at, and words cross when it is trusted.

use anyhow::Context as _;

use crate::support::Bridge;
use crate::support::onebot::{CATS, CATS_ROOM, DMITRI};

#[tokio::test(flavor = "multi_thread")]
async fn words_cross_when_the_certificate_is_trusted() -> anyhow::Result<()> {
    let Some((mut bridge, door)) = Bridge::assemble_tls().await? else {
        return Ok(());
    };
    let check = bridge.program("check")?.arg("--online").output()?;
    let told = String::from_utf8(check.stdout)? + &String::from_utf8(check.stderr)?;
    assert!(!check.status.success(), "{told}");
    assert!(told.contains("certificate") && told.contains("SSL_CERT_FILE"), "{told}");

    bridge.trust(door.certificate());
    bridge.start_gateway().await?;
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.join(CATS_ROOM, "Alice W").await?;
    alice.say(CATS_ROOM, "safely there").await?;
    bridge.sandbox.wait_text(CATS, 0, "Alice W: safely there").await?;
    bridge.sandbox.say(CATS, DMITRI, "safely here").await?;
    alice
        .wait_body(CATS_ROOM, "safely here")
        .await
        .with_context(|| bridge.log())?;
    Ok(())
}
