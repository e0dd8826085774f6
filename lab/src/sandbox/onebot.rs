//! What a test does about the `OneBot` accounts of the sandbox and in its groups as a whole: one function per request of the
//! control API.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Sandbox;

impl Sandbox {
    /// Somebody puts a face (its number, or that of a character) to a message; `add` false takes it away.
    pub async fn react(&self, group: u64, id: i64, from: u64, emoji: u32, add: bool) -> anyhow::Result<Value> {
        let body = json!({"id": id, "from": from, "emoji": emoji, "remove": !add});
        self.post(&format!("groups/{group}/react"), &body).await
    }

    /// A message is recalled by somebody else than its author.
    pub async fn recall_by(&self, group: u64, id: i64, operator: u64) -> anyhow::Result<Value> {
        let body = json!({"id": id, "operator": operator});
        self.post(&format!("groups/{group}/recall"), &body).await
    }

    /// Somebody pokes somebody.
    pub async fn poke(&self, group: u64, from: u64, target: u64) -> anyhow::Result<Value> {
        let body = json!({"from": from, "target": target});
        self.post(&format!("groups/{group}/poke"), &body).await
    }

    /// A member uploads a file with that content, in base64. Returns the message's id.
    pub async fn upload(&self, group: u64, from: u64, name: &str, base64: &str) -> anyhow::Result<i64> {
        let body = json!({"from": from, "name": name, "content": base64});
        let answer = self.post(&format!("groups/{group}/files"), &body).await?;
        answer["id"]
            .as_i64()
            .with_context(|| format!("the sandbox gave no message id: {answer}"))
    }

    /// A past is added at once, and nobody is told: `{"count", "text" ("… {n} …"), "from", "every"}`. Returns the first and the
    /// last id.
    pub async fn add_past(&self, group: u64, past: &Value) -> anyhow::Result<(i64, i64)> {
        let answer = self.post(&format!("groups/{group}/history"), past).await?;
        let ids = answer["first"].as_i64().zip(answer["last"].as_i64());
        ids.with_context(|| format!("the sandbox gave no message ids: {answer}"))
    }

    /// Only owner and admins may speak, or everybody again.
    pub async fn mute_all(&self, group: u64, on: bool) -> anyhow::Result<Value> {
        self.post(&format!("groups/{group}/mute"), &json!({ "on": on })).await
    }

    /// Somebody is removed by somebody.
    pub async fn kick_member(&self, group: u64, qq: u64, operator: u64) -> anyhow::Result<Value> {
        let body = json!({ "operator": operator });
        let path = format!("groups/{group}/members/{qq}");
        self.call(Method::DELETE, &path, Some(&body)).await
    }

    /// The group gets another name.
    pub async fn rename_group(&self, group: u64, name: &str) -> anyhow::Result<Value> {
        let body = json!({ "name": name });
        self.call(Method::PATCH, &format!("groups/{group}"), Some(&body)).await
    }

    /// The group is no more.
    pub async fn dissolve(&self, group: u64) -> anyhow::Result<Value> {
        self.call(Method::DELETE, &format!("groups/{group}"), Some(&json!({})))
            .await
    }

    /// Waits until something is connected that hears the events of an account.
    pub async fn wait_onebot(&self, qq: u64) -> anyhow::Result<()> {
        let end = Instant::now() + self.limit;
        loop {
            let state = self.state().await?;
            let sessions = state["sessions"].as_array().context("the sandbox told no sessions")?;
            let heard = |session: &Value| session["account"] == qq && session["polling"] == true;
            if sessions.iter().any(heard) {
                return Ok(());
            }
            if Instant::now() >= end {
                bail!(
                    "nobody hears account {qq} within {:?}; sessions: {sessions:?}",
                    self.limit
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Changes how the program of an account behaves: `{"flavour", "report_self", "message_format", "heartbeat",
    /// "access_token"}`.
    pub async fn onebot_settings(&self, qq: u64, settings: &Value) -> anyhow::Result<Value> {
        let mut body = settings.clone();
        body["qq"] = json!(qq);
        self.post("onebot/settings", &body).await
    }

    /// The program of an account connects to no application any more.
    pub async fn disconnect_onebot(&self, qq: u64) -> anyhow::Result<Value> {
        self.call(Method::DELETE, "onebot/connect", Some(&json!({ "qq": qq })))
            .await
    }

    /// QQ throws the account off the line, and its program says so.
    pub async fn bot_offline(&self, qq: u64) -> anyhow::Result<Value> {
        self.post("onebot/offline", &json!({ "qq": qq })).await
    }

    /// The account is on line again.
    pub async fn bot_online(&self, qq: u64) -> anyhow::Result<Value> {
        self.post("onebot/online", &json!({ "qq": qq })).await
    }

    /// The program of an account ends and is there again after that time (`"5s"`, `"0s"`), with an empty memory.
    pub async fn restart_onebot(&self, qq: u64, down: &str) -> anyhow::Result<Value> {
        self.post("onebot/restart", &json!({"qq": qq, "down": down})).await
    }

    /// The connections of an account are closed now.
    pub async fn cut_onebot(&self, qq: u64) -> anyhow::Result<Value> {
        self.post("onebot/cut", &json!({ "qq": qq })).await
    }

    /// The connections of an account are told an event as it stands; `time` and `self_id` are added when missing.
    pub async fn onebot_event(&self, qq: u64, event: &Value) -> anyhow::Result<Value> {
        self.post("onebot/event", &json!({"qq": qq, "event": event})).await
    }
}
