//! What a test does about the `WebQQ` accounts of the sandbox: one function per request of the control API.

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::Sandbox;

impl Sandbox {
    /// What the captcha now shown to an account's client says; an error when none is.
    pub async fn captcha(&self, qq: u64) -> anyhow::Result<String> {
        let answer = self.get(&format!("captcha?qq={qq}")).await?;
        let code = answer["code"].as_str();
        Ok(code.context("the sandbox told no code of its captcha")?.to_owned())
    }

    /// As [`captcha`](Self::captcha), as soon as the bridge has fetched a picture.
    pub async fn captcha_when_shown(&self, qq: u64) -> anyhow::Result<String> {
        let end = Instant::now() + self.limit;
        loop {
            match self.captcha(qq).await {
                Err(error) if Instant::now() >= end => return Err(error),
                Err(_) => sleep(Duration::from_millis(50)).await,
                shown => return shown,
            }
        }
    }

    /// The sessions of an account get an event as it stands, `{"poll_type", "value"}`; `{"person": n}`, `{"gid": n}`,
    /// `{"code": n}` and `{"did": n}` in it become the temporary numbers of each login.
    pub async fn webqq_event(&self, qq: u64, event: &Value) -> anyhow::Result<Value> {
        self.post("webqq/event", &json!({"qq": qq, "event": event})).await
    }

    /// Waits until a session of an account has a poll in flight; gives the session.
    pub async fn wait_webqq(&self, qq: u64) -> anyhow::Result<Value> {
        let end = Instant::now() + self.limit;
        loop {
            let state = self.state().await?;
            let sessions = state["sessions"].as_array().context("the sandbox told no sessions")?;
            let polling = |session: &&Value| {
                session["account"] == qq && session["protocol"] == "webqq" && session["polling"] == true
            };
            if let Some(session) = sessions.iter().find(polling) {
                return Ok(session.clone());
            }
            if Instant::now() >= end {
                bail!(
                    "account {qq} does not poll within {:?}; sessions: {sessions:?}",
                    self.limit
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Disarms the faults of a kind.
    pub async fn clear_fault(&self, kind: &str) -> anyhow::Result<Value> {
        self.call(Method::DELETE, &format!("faults?kind={kind}"), None).await
    }

    /// What is armed still, as the sandbox tells it.
    pub async fn armed(&self) -> anyhow::Result<Vec<Value>> {
        let faults = self.faults().await?;
        Ok(faults["armed"].as_array().cloned().unwrap_or_default())
    }
}
