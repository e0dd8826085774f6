//! A bridge whose account speaks `WebQQ`, in one of its years; and the person who is there for it.

use std::time::Duration;

use lab::jabber::Stanza as _;
use lab::{Jabber, Kind, Options, Sandbox};
use tokio::time::sleep;

use super::{ACCOUNT, Bridge};

/// What the person may wait for.
const LOOKS: Duration = Duration::from_millis(300);
/// One row, with the name that a service without numbers tells.
const NAMED_ROW: &str = "[[mapping]]\ngroup = 346000003\ngroup_name = \"Rust 交流群\"\nroom = \"rust@qq.localhost\"\n";

/// The years in which the protocol differed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// `WebQQ` of 2013, by password.
    W13,
    /// `SmartQQ` of 2015, by QR code.
    S15,
    /// `SmartQQ` of 2018, its last year.
    S18,
}

impl Bridge {
    /// Server and sandbox run; the gateway was not started. `None` when the server is not installed here.
    pub(crate) async fn assemble_webqq(kind: Kind, era: Era) -> anyhow::Result<Option<Self>> {
        if !lab::available(kind.name()) {
            return Ok(None);
        }
        let (year, login) = match era {
            Era::W13 => (
                "2013",
                format!("login = \"password\"\nqq = {ACCOUNT}\npassword = \"sandbox\"\n"),
            ),
            Era::S15 => ("2015", "login = \"qr\"\n".to_owned()),
            Era::S18 => ("2018", "login = \"qr\"\n".to_owned()),
        };
        let bridge = Self::assemble_web(kind, &Options::default(), &login, NAMED_ROW, &["--era", year]).await?;
        Ok(Some(bridge))
    }
}

/// Does what the gateway asks for, as long as it is polled: scans codes, reads captchas, sees to a frozen account and asks for
/// another login.
pub(crate) async fn be_there(sandbox: &Sandbox, admin: &mut Jabber) -> anyhow::Result<()> {
    loop {
        // Nothing to scan and nothing to read are the usual answers.
        sandbox.scan_qr().await.ok();
        for word in admin.take_all() {
            let Some(body) = word.body() else { continue };
            if word.bare_from() != "qq.localhost" {
                continue;
            }
            if body.contains("asks for a captcha") {
                order(admin, &sandbox.captcha(ACCOUNT).await?).await?;
            } else if body.starts_with("account classic: ") && !body.contains("scan this code") {
                sandbox.clear_faults().await?;
                order(admin, "login classic").await?;
            }
        }
        sleep(LOOKS).await;
    }
}

async fn order(admin: &mut Jabber, words: &str) -> anyhow::Result<()> {
    admin
        .send(format!(
            "<message to='qq.localhost' type='chat'><body>{words}</body></message>"
        ))
        .await
}
