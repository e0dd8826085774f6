//! What the gateway writes for one message in each direction, overheard, so that the raw component can write the same.

use anyhow::Context as _;
use lab::load::{Crowd, Tap};
use tokio::time::{sleep, timeout};

use crate::down::{LIMIT, TEXT};
use crate::stage::{Stage, users};
use crate::template::Template;
use crate::up;
use crate::world::{GROUP, SPEAKER, room, rows};

const POLL: std::time::Duration = std::time::Duration::from_millis(10);

/// The two forms.
pub(crate) struct Templates {
    /// Of a message from QQ.
    pub(crate) down: Template,
    /// Of a message from XMPP, reflected.
    pub(crate) up: Template,
}

/// Starts a gateway that talks to the server through a door, listens, and ends it.
pub(crate) async fn record(stage: &mut Stage) -> anyhow::Result<Templates> {
    let tap = Tap::open(&stage.server).await?;
    stage.start_gateway(&rows(1), Some(tap.port())).await?;
    let mut crowd = Crowd::gather(&stage.server, &users(1), "tap").await?;
    crowd.enter(&room(0)).await?;
    let text = TEXT.replace("{n}", "1234567");
    stage.sandbox.say(GROUP, SPEAKER, text).await?;
    let down = heard(&tap, "[1234567]").await?;
    crowd.write(0, up::message(&room(0), 7_654_321).as_bytes()).await?;
    let up = heard(&tap, "[7654321]").await?;
    stage.end_gateway().await?;
    Ok(Templates { down, up })
}

/// The stanza with that mark, as soon as it was written.
async fn heard(tap: &Tap, mark: &str) -> anyhow::Result<Template> {
    let written = async {
        loop {
            if let Some(stanza) = tap.stanza_with("message", mark) {
                return stanza;
            }
            sleep(POLL).await;
        }
    };
    let stanza = timeout(LIMIT, written).await;
    Template::of(&stanza.context("the gateway does not write the message")?)
}
