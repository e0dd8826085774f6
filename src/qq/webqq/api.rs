//! The calls of the web API, one function each: what goes out, what comes back. Decides nothing.
//! Source: the protocol of `WebQQ` (2013) and `SmartQQ` (2015–2018) at `s.web2.qq.com` and
//! `d.web2.qq.com` or `d1.web2.qq.com`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use thiserror::Error;
use url::Url;

use super::endpoint::{HEARTBEAT, LISTS};
use super::era::Era;
use super::http::{Failure, From, Http, Reply};
use super::saved::Tokens;
use super::wire::Answer;

/// For everything but the poll.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The service holds a poll for about a minute.
/// Of a question for which words may wait: shorter than that wait, so that it is known which number cannot be had.
const NUMBER_TIMEOUT: Duration = Duration::from_secs(6);
const POLL_TIMEOUT: Duration = Duration::from_secs(120);
/// 404, 502 and closed connections come out of the blue and pass by.
const TRIES: u32 = 4;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum NoAnswer {
    /// The wire broke.
    #[error(transparent)]
    Wire(#[from] Failure),
    /// Another status than success.
    #[error("the QQ server answered HTTP {0}")]
    Status(u16),
    /// No JSON.
    #[error("the QQ server answered something that is no JSON")]
    Unreadable,
}

pub(super) type Called = Result<Answer, NoAnswer>;

/// The API as one login sees it.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) http: Http,
    tokens: Mutex<Tokens>,
}

/// What a number is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Of {
    Person,
    Group,
}

impl Api {
    pub(super) fn new(http: Http) -> Self {
        let tokens = Mutex::new(Tokens::new(http.era));
        Self { http, tokens }
    }

    /// The tokens; the guard must not be held over an await.
    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy(&self) -> Tokens {
        self.tokens().clone()
    }

    pub(super) fn own(&self) -> u64 {
        self.tokens().uin
    }

    fn host(&self, from: From) -> &'static str {
        match from {
            From::Channel => self.http.era.channel(),
            From::Lists | From::Login | From::Nowhere => LISTS,
        }
    }

    /// What the client calls itself in JSON: a number since `SmartQQ`.
    fn client(&self, t: &Tokens) -> Value {
        match self.http.era {
            Era::W13 => json!(t.clientid.to_string()),
            Era::S15 => json!(t.clientid),
        }
    }

    /// The fields of a call of the channel: `WebQQ` repeated two of them outside of `r`.
    fn form(&self, t: &Tokens, r: &Value) -> Vec<(&'static str, String)> {
        let mut form = vec![("r", r.to_string())];
        if self.http.era == Era::W13 {
            let psessionid = match &r["psessionid"] {
                Value::Null => "null".to_owned(),
                _ => t.psessionid.clone(),
            };
            form.extend([("clientid", t.clientid.to_string()), ("psessionid", psessionid)]);
        }
        form
    }

    fn query(&self, host: &str, path: &str, pairs: &[(&str, &str)]) -> Url {
        let mut url = self.http.endpoint.url(host, path);
        url.query_pairs_mut()
            .extend_pairs(pairs)
            .append_pair("t", &millis().to_string());
        url
    }

    async fn get(&self, from: From, path: &str, pairs: &[(&str, &str)]) -> Called {
        answer(
            &self
                .http
                .get(self.query(self.host(from), path, pairs), from, TIMEOUT)
                .await?,
        )
    }

    async fn post(&self, from: From, path: &str, r: &Value) -> Called {
        let url = self.http.endpoint.url(self.host(from), path);
        let form = match from {
            From::Channel => self.form(&self.copy(), r),
            From::Lists | From::Login | From::Nowhere => vec![("r", r.to_string())],
        };
        answer(&self.http.post(url, &form, from, TIMEOUT).await?)
    }

    /// The token of the lists.
    pub(super) async fn vfwebqq(&self) -> Called {
        let t = self.copy();
        let clientid = t.clientid.to_string();
        let pairs = [
            ("ptwebqq", t.ptwebqq.as_str()),
            ("clientid", &clientid),
            ("psessionid", ""),
        ];
        patiently(|| self.get(From::Lists, "/api/getvfwebqq", &pairs)).await
    }

    /// Opens the channel.
    pub(super) async fn login2(&self) -> Called {
        let t = self.copy();
        let client = self.client(&t);
        let r = match self.http.era {
            Era::W13 => {
                json!({"status": "online", "ptwebqq": t.ptwebqq, "passwd_sig": "", "clientid": client, "psessionid": null})
            }
            Era::S15 => {
                json!({"ptwebqq": t.ptwebqq, "clientid": client, "psessionid": "", "status": "online"})
            }
        };
        patiently(|| self.post(From::Channel, "/channel/login2", &r)).await
    }

    /// Opens the channel again without a login.
    pub(super) async fn relink(&self) -> Called {
        let t = self.copy();
        let client = self.client(&t);
        let r = match self.http.era {
            Era::W13 => {
                json!({"status": "online", "ptwebqq": t.ptwebqq, "passwd_sig": "", "clientid": client, "psessionid": t.psessionid, "key": 0})
            }
            // The page really wrote `state` here.
            Era::S15 => {
                json!({"ptwebqq": t.ptwebqq, "clientid": client, "psessionid": t.psessionid, "key": "", "state": "online"})
            }
        };
        self.post(From::Channel, "/channel/login2", &r).await
    }

    /// Who is on line: also the test whether the session lives, and the call without which the poll answers 103.
    pub(super) async fn online_buddies(&self) -> Called {
        let t = self.copy();
        let clientid = t.clientid.to_string();
        let pairs = [
            ("vfwebqq", t.vfwebqq.as_str()),
            ("clientid", &clientid),
            ("psessionid", &t.psessionid),
        ];
        patiently(|| self.get(From::Channel, "/channel/get_online_buddies2", &pairs)).await
    }

    /// Recent chats: asked because the page asked.
    pub(super) async fn recent(&self) -> Called {
        let t = self.copy();
        let r = json!({"vfwebqq": t.vfwebqq, "clientid": self.client(&t), "psessionid": t.psessionid});
        patiently(|| self.post(From::Channel, "/channel/get_recent_list2", &r)).await
    }

    /// Friends.
    pub(super) async fn friends(&self) -> Called {
        let t = self.copy();
        let mut r = json!({"vfwebqq": t.vfwebqq});
        if self.http.era == Era::W13 {
            r["h"] = json!("hello");
        }
        if let Some(hash) = t.variant.hash(t.uin, &t.ptwebqq) {
            r["hash"] = json!(hash);
        }
        patiently(|| self.post(From::Lists, "/api/get_user_friends2", &r)).await
    }

    /// Groups.
    pub(super) async fn groups(&self) -> Called {
        let t = self.copy();
        let mut r = json!({"vfwebqq": t.vfwebqq});
        if let Some(hash) = t.variant.hash(t.uin, &t.ptwebqq) {
            r["hash"] = json!(hash);
        }
        patiently(|| self.post(From::Lists, "/api/get_group_name_list_mask2", &r)).await
    }

    /// Discussions (讨论组).
    pub(super) async fn discussions(&self) -> Called {
        let t = self.copy();
        let clientid = t.clientid.to_string();
        let pairs = [
            ("clientid", clientid.as_str()),
            ("psessionid", &t.psessionid),
            ("vfwebqq", &t.vfwebqq),
        ];
        patiently(|| self.get(From::Lists, "/api/get_discus_list", &pairs)).await
    }

    /// A discussion's members, by its did.
    pub(super) async fn discussion(&self, did: u64) -> Called {
        let t = self.copy();
        let (did, clientid) = (did.to_string(), t.clientid.to_string());
        let pairs = [
            ("did", did.as_str()),
            ("vfwebqq", &t.vfwebqq),
            ("clientid", &clientid),
            ("psessionid", &t.psessionid),
        ];
        self.get(From::Channel, "/channel/get_discu_info", &pairs).await
    }

    /// Ourselves.
    pub(super) async fn self_info(&self) -> Called {
        if self.http.era == Era::S15 {
            return patiently(|| self.get(From::Lists, "/api/get_self_info2", &[])).await;
        }
        let t = self.copy();
        let (own, clientid) = (t.uin.to_string(), t.clientid.to_string());
        let pairs = [
            ("tuin", own.as_str()),
            ("vfwebqq", &t.vfwebqq),
            ("clientid", &clientid),
            ("psessionid", &t.psessionid),
        ];
        patiently(|| self.get(From::Lists, "/api/get_friend_info2", &pairs)).await
    }

    /// A group's members, by its `code`.
    pub(super) async fn group_info(&self, code: u64) -> Called {
        let t = self.copy();
        let code = code.to_string();
        let pairs = [("gcode", code.as_str()), ("vfwebqq", &t.vfwebqq)];
        patiently(|| self.get(From::Lists, "/api/get_group_info_ext2", &pairs)).await
    }

    /// The real number behind a person's uin or a group's `code`.
    pub(super) async fn real_number(&self, id: u64, of: Of) -> Called {
        let t = self.copy();
        let id = id.to_string();
        let kind = if of == Of::Group { "4" } else { "1" };
        let pairs = [
            ("tuin", id.as_str()),
            ("type", kind),
            ("verifysession", ""),
            ("code", ""),
            ("vfwebqq", &t.vfwebqq),
        ];
        let url = self.query(self.host(From::Lists), "/api/get_friend_uin2", &pairs);
        answer(&self.http.get(url, From::Lists, NUMBER_TIMEOUT).await?)
    }

    /// Waits for events.
    pub(super) async fn poll(&self) -> Called {
        let t = self.copy();
        let client = self.client(&t);
        let r = match self.http.era {
            Era::W13 => json!({"clientid": client, "psessionid": t.psessionid, "key": 0, "ids": []}),
            Era::S15 => {
                json!({"ptwebqq": t.ptwebqq, "clientid": client, "psessionid": t.psessionid, "key": ""})
            }
        };
        let url = self.http.endpoint.url(self.http.era.channel(), "/channel/poll2");
        let form = self.form(&t, &r);
        answer(&self.http.post(url, &form, From::Channel, POLL_TIMEOUT).await?)
    }

    /// The heartbeat of 2013, for the `count`-th time; what it answers is of no use.
    pub(super) async fn heartbeat(&self, count: u64) -> Result<(), Failure> {
        let mut url = self.http.endpoint.url(HEARTBEAT, "/web2/get_msg_tip");
        let (rc, t) = (count.to_string(), millis().to_string());
        url.query_pairs_mut().extend_pairs([
            ("uin", ""),
            ("tp", "1"),
            ("id", "0"),
            ("retype", "1"),
            ("rc", &rc),
            ("lv", "2"),
            ("t", &t),
        ]);
        self.http.get(url, From::Channel, TIMEOUT).await?;
        Ok(())
    }

    /// Says something in a group. `content` is a JSON text inside the JSON.
    pub(super) async fn send(&self, gid: u64, content: &str, msg_id: u64) -> Result<Reply, Failure> {
        let t = self.copy();
        let r = json!({"group_uin": gid, "content": content, "face": 591, "clientid": self.client(&t), "msg_id": msg_id, "psessionid": t.psessionid});
        let url = self
            .http
            .endpoint
            .url(self.http.era.channel(), "/channel/send_qun_msg2");
        let form = self.form(&t, &r);
        self.http.post_fresh(url, &form, From::Channel, TIMEOUT).await
    }
}

/// Milliseconds of the clock, which the service ignores.
pub(super) fn millis() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
}

fn answer(reply: &Reply) -> Called {
    if !reply.is_success() {
        return Err(NoAnswer::Status(reply.status));
    }
    // An empty body is one of the forms of "nothing happened".
    if reply.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Answer::default());
    }
    Answer::read(&reply.body).ok_or(NoAnswer::Unreadable)
}

/// Asks again what may be asked again.
async fn patiently<F: Future<Output = Called>>(call: impl Fn() -> F) -> Called {
    let mut tries = 1;
    loop {
        let called = call().await;
        // Without any connection the caller's own backoff is the right one.
        if !matches!(
            called,
            Err(NoAnswer::Status(_) | NoAnswer::Unreadable | NoAnswer::Wire(Failure::Broken(_)))
        ) || tries == TRIES
        {
            return called;
        }
        tokio::time::sleep(BETWEEN_TRIES * tries).await;
        tries += 1;
    }
}
