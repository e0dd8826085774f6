//! What a test does in the sandbox's world and what it asks of it: one function per request of the control API.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::{POLL, Sandbox};

/// A message of a group as the sandbox tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// The world's id; it is the same over logins.
    pub id: i64,
    /// The sender's QQ number.
    pub from: u64,
    /// When, in seconds since 1970.
    pub time: i64,
    /// The group's own number of the message, where the sandbox tells it.
    #[serde(default)]
    pub seq: i64,
    /// `OneBot` segments, `{"type": …, "data": {…}}`.
    pub message: Vec<Value>,
    /// Whether it was taken back.
    #[serde(default)]
    pub recalled: bool,
}

impl Message {
    /// The text segments, one after the other.
    pub fn text(&self) -> String {
        let texts = self.message.iter().filter(|segment| segment["type"] == "text");
        texts.filter_map(|segment| segment["data"]["text"].as_str()).collect()
    }

    /// [`Self::text`] as a reader sees it, without the invisible signs that make a repeat another text for the service.
    pub fn shown(&self) -> String {
        self.text().trim_end_matches([' ', '\u{200b}']).to_owned()
    }
}

impl Sandbox {
    /// A member says something: a text, or `OneBot` segments. Returns the message's id.
    pub async fn say(&self, group: u64, from: u64, message: impl Into<Value>) -> anyhow::Result<i64> {
        let body = json!({ "from": from, "message": message.into() });
        let answer = self.post(&format!("groups/{group}/messages"), &body).await?;
        answer["id"]
            .as_i64()
            .with_context(|| format!("the sandbox gave no message id: {answer}"))
    }

    /// The messages after that id (0: all), from everybody; waits up to `wait` for the first.
    pub async fn messages(&self, group: u64, after: i64, wait: Duration) -> anyhow::Result<Vec<Message>> {
        let path = format!("groups/{group}/messages?after={after}&wait={}", wait.as_secs());
        Ok(serde_json::from_value(self.get(&path).await?)?)
    }

    /// Waits for a message after that id (0: any) that `wanted` says yes to.
    pub async fn wait_message(
        &self,
        group: u64,
        after: i64,
        mut wanted: impl FnMut(&Message) -> bool,
        what: &str,
    ) -> anyhow::Result<Message> {
        let end = Instant::now() + self.limit;
        let (mut last, mut seen) = (after, Vec::new());
        while let Ok(news) = timeout_at(end, self.messages(group, last, POLL)).await {
            for message in news? {
                if wanted(&message) {
                    return Ok(message);
                }
                last = last.max(message.id);
                seen.push(format!(
                    "{} from {}: {}",
                    message.id,
                    message.from,
                    json!(message.message)
                ));
            }
        }
        let seen = seen[seen.len().saturating_sub(12)..].join("\n");
        bail!(
            "no {what} in group {group} within {:?}; after {after} came\n{seen}",
            self.limit
        );
    }

    /// Waits for a message after that id whose text looks exactly like this.
    pub async fn wait_text(&self, group: u64, after: i64, text: &str) -> anyhow::Result<Message> {
        self.wait_message(
            group,
            after,
            |message| message.shown() == text,
            &format!("message {text:?}"),
        )
        .await
    }

    /// A friend of an account says something to it. Returns the message's id.
    pub async fn say_friend(&self, account: u64, friend: u64, message: impl Into<Value>) -> anyhow::Result<i64> {
        let body = json!({ "message": message.into() });
        let answer = self
            .post(&format!("friends/{account}/{friend}/messages"), &body)
            .await?;
        answer["id"]
            .as_i64()
            .with_context(|| format!("the sandbox gave no message id: {answer}"))
    }

    /// The messages between an account and a friend after that id (0: all); waits up to `wait` for the first.
    pub async fn friend_messages(
        &self,
        account: u64,
        friend: u64,
        after: i64,
        wait: Duration,
    ) -> anyhow::Result<Vec<Message>> {
        let path = format!(
            "friends/{account}/{friend}/messages?after={after}&wait={}",
            wait.as_secs()
        );
        Ok(serde_json::from_value(self.get(&path).await?)?)
    }

    /// Somebody enters: `{"qq", "nickname", "card", "role"}`.
    pub async fn add_member(&self, group: u64, member: &Value) -> anyhow::Result<Value> {
        self.post(&format!("groups/{group}/members"), member).await
    }

    /// Somebody's card, nickname or role changes.
    pub async fn change_member(&self, group: u64, qq: u64, change: &Value) -> anyhow::Result<Value> {
        self.call(Method::PATCH, &format!("groups/{group}/members/{qq}"), Some(change))
            .await
    }

    /// Somebody leaves.
    pub async fn remove_member(&self, group: u64, qq: u64) -> anyhow::Result<Value> {
        self.call(Method::DELETE, &format!("groups/{group}/members/{qq}"), None)
            .await
    }

    /// Somebody is muted.
    pub async fn mute_member(&self, group: u64, qq: u64, body: &Value) -> anyhow::Result<Value> {
        self.post(&format!("groups/{group}/members/{qq}/mute"), body).await
    }

    /// A message is recalled.
    pub async fn recall(&self, group: u64, id: i64) -> anyhow::Result<Value> {
        self.post(&format!("groups/{group}/recall"), &json!({ "id": id })).await
    }

    /// The bridge's requests after number `after` (0: all), with what became of each; waits up to `wait` for the first.
    pub async fn log(&self, after: i64, wait: Duration) -> anyhow::Result<Vec<Value>> {
        let path = format!("log?after={after}&wait={}", wait.as_secs());
        Ok(serde_json::from_value(self.get(&path).await?)?)
    }

    /// Waits for a request of the bridge after number `after` (0: any) that `wanted` says yes to. The number of an entry is its
    /// `"n"`, its fate `"outcome"`.
    pub async fn wait_log(
        &self,
        after: i64,
        mut wanted: impl FnMut(&Value) -> bool,
        what: &str,
    ) -> anyhow::Result<Value> {
        let end = Instant::now() + self.limit;
        let (mut last, mut seen) = (after, Vec::new());
        while let Ok(news) = timeout_at(end, self.log(last, POLL)).await {
            for entry in news? {
                if wanted(&entry) {
                    return Ok(entry);
                }
                last = last.max(entry["n"].as_i64().context("an entry of the log has no number")?);
                seen.push(entry.to_string());
            }
        }
        bail!(
            "no {what} in the sandbox's log within {:?}; after {after} came\n{}",
            self.limit,
            last_lines(&seen)
        );
    }

    /// Arms a fault: `{"kind": …, "count": …, …}`.
    pub async fn arm(&self, fault: &Value) -> anyhow::Result<Value> {
        self.post("faults", fault).await
    }

    /// The kinds of faults and what is armed.
    pub async fn faults(&self) -> anyhow::Result<Value> {
        self.get("faults").await
    }

    /// Disarms all faults.
    pub async fn clear_faults(&self) -> anyhow::Result<Value> {
        self.call(Method::DELETE, "faults", None).await
    }

    /// The phone scans and confirms the QR code now shown; an error when none is.
    pub async fn scan_qr(&self) -> anyhow::Result<Value> {
        self.post("qr/scan", &json!({})).await
    }

    /// As [`scan_qr`](Self::scan_qr), as soon as the bridge has fetched a code.
    pub async fn scan_qr_when_shown(&self) -> anyhow::Result<Value> {
        let end = Instant::now() + self.limit;
        loop {
            match self.scan_qr().await {
                Err(error) if Instant::now() >= end => return Err(error),
                Err(_) => sleep(Duration::from_millis(50)).await,
                scanned => return scanned,
            }
        }
    }

    /// The `OneBot` account connects to a waiting bridge.
    pub async fn connect_onebot(&self, qq: u64, url: &str, access_token: &str) -> anyhow::Result<Value> {
        self.post(
            "onebot/connect",
            &json!({ "qq": qq, "url": url, "access_token": access_token }),
        )
        .await
    }

    /// The service ends the bridge's login.
    pub async fn kick(&self, body: &Value) -> anyhow::Result<Value> {
        self.post("kick", body).await
    }

    /// The sandbox's clock goes forward, as by `"47h"`.
    pub async fn advance_clock(&self, by: &str) -> anyhow::Result<Value> {
        self.post("clock", &json!({ "advance": by })).await
    }

    /// The world begins anew.
    pub async fn reset(&self, seed: u64) -> anyhow::Result<Value> {
        self.post("reset", &json!({ "seed": seed })).await
    }

    /// Accounts, sessions, what each has done.
    pub async fn state(&self) -> anyhow::Result<Value> {
        self.get("state").await
    }
}

fn last_lines(seen: &[String]) -> String {
    seen[seen.len().saturating_sub(12)..].join("\n")
}
