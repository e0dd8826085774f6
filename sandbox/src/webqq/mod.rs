//! The web hosts of QQ, in the years of `WebQQ` and `SmartQQ`: the protocol face of the accounts with `protocol = "webqq"`.
//!
//! What is answered follows the notes on the real service; where these say that several answers were seen or that
//! nobody knows, the [temper](crate::temper) decides. Works on the [`State`] in the connection's task.

mod alias;
mod avatar;
mod buddies;
mod captcha;
mod channel;
mod entry;
mod event;
mod fault;
mod gate;
mod groups;
mod hash;
mod later;
mod login;
mod passage;
mod password;
mod people;
mod picture;
mod poll;
mod qr;
mod queue;
mod render;
mod route;
mod send;
mod sign_in;
mod small;
mod system;
mod token;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use serde_json::Value;

use self::alias::Aliases;
use self::fault::Call;
use self::gate::Stop;
use self::later::Later;
use self::login::Login;
use self::password::Challenge;
use self::qr::Code;
use crate::log::{Entry, Fate};
use crate::net::{Reply, Request};
use crate::state::{Shared, State};
use crate::store::{Store, StoreError};

pub(crate) use event::{give, kick};
pub(crate) use later::announce;
pub(crate) use qr::{Scan, gray_png, png_of, scan};
pub(crate) use system::{announce_notice, tell};
pub(crate) use view::LoginView;

/// How many logins are remembered.
const LOGINS_KEPT: usize = 32;

/// What the face remembers.
#[derive(Debug, Default)]
pub(crate) struct Webqq {
    /// By number, which rises.
    pub(crate) logins: BTreeMap<i64, Login>,
    /// The QR codes that were shown, the oldest first.
    pub(crate) codes: Vec<Code>,
    /// What was asked of those who log in with a password, the oldest first.
    pub(crate) challenges: Vec<Challenge>,
    /// By login.
    pub(crate) aliases: HashMap<i64, Aliases>,
    /// The poll in flight of each login, by a number that rises. Polls do not outlive the process, so this is not kept.
    pub(crate) polls: HashMap<i64, u64>,
    /// Messages that some logins get later than others.
    pub(crate) later: Vec<Later>,
    /// How long the send that is being answered now must wait for its answer.
    pub(crate) answer_waits: Duration,
    /// The login whose message is being told now.
    pub(crate) sending: Option<i64>,
    /// The last number given to a poll.
    pub(crate) last_poll: u64,
}

impl Webqq {
    pub(crate) fn load(store: &Store) -> Result<Self, StoreError> {
        let logins: Vec<Login> = store.docs("login")?;
        Ok(Self {
            logins: logins.into_iter().map(|login| (login.id, login)).collect(),
            codes: store.docs("qr")?,
            challenges: Vec::new(),
            aliases: Aliases::load(store)?,
            polls: HashMap::new(),
            later: Vec::new(),
            answer_waits: Duration::ZERO,
            sending: None,
            last_poll: 0,
        })
    }
}

impl State {
    /// Keeps a login as it now is.
    pub(crate) fn keep_login(&mut self, login: Login) -> Result<(), StoreError> {
        self.store.put_doc("login", login.id, 0, &login)?;
        self.webqq.logins.insert(login.id, login);
        while self.webqq.logins.len() > LOGINS_KEPT
            && let Some((oldest, _)) = self.webqq.logins.pop_first()
        {
            self.store.delete_doc("login", oldest)?;
            self.store.dequeue(oldest, i64::MAX)?;
            self.renew_aliases(oldest)?;
        }
        self.wake();
        Ok(())
    }
}

/// An answer and what the log says about it.
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    pub(crate) fate: Fate,
    pub(crate) detail: String,
    pub(crate) account: Option<i64>,
    pub(crate) retcode: Option<i64>,
    pub(crate) message: Option<i64>,
    pub(crate) events: Vec<i64>,
    /// How long the client waits for it.
    pub(crate) wait: Duration,
}

impl Answer {
    pub(crate) fn new(reply: Reply, fate: Fate, detail: impl Into<String>) -> Self {
        Self {
            reply,
            fate,
            detail: detail.into(),
            account: None,
            retcode: None,
            message: None,
            events: Vec::new(),
            wait: Duration::ZERO,
        }
    }

    /// JSON, under one of the content types that were seen.
    pub(crate) fn json(state: &mut State, body: &Value) -> Self {
        let content_type = ["text/plain; charset=utf-8", "application/json;charset=utf-8"][state.temper.pick(2)];
        let retcode = body["retcode"].as_i64();
        Self {
            retcode,
            ..Self::new(Reply::new(content_type, body.to_string()), Fate::Answered, "")
        }
    }

    /// The call of a ptlogin host: JavaScript that ends a line.
    pub(crate) fn script(text: &str, detail: impl Into<String>) -> Self {
        let reply = Reply::new("application/x-javascript; charset=utf-8", format!("{text}\r\n"));
        Self::new(reply, Fate::Answered, detail)
    }

    /// The same, as another call of a ptlogin host.
    pub(crate) fn with_script(self, text: &str) -> Self {
        Self {
            reply: Self::script(text, "").reply,
            ..self
        }
    }

    /// The same, about an account.
    pub(crate) fn of(self, login: &Login) -> Self {
        Self {
            account: Some(login.account),
            ..self
        }
    }

    /// The same with other bytes for a character of the body, as no text can have them.
    pub(crate) fn replacing(self, place: char, with: &[u8]) -> Self {
        Self {
            reply: self.reply.replacing(place, with),
            ..self
        }
    }

    /// The same with a sentence for the log.
    pub(crate) fn saying(self, detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }

    /// The log entry of this answer.
    fn entry(&self, request: &Request) -> Entry {
        Entry {
            method: request.method.to_string(),
            host: request.host.clone().unwrap_or_default(),
            path: request.path.chars().take(200).collect(),
            retcode: self.retcode,
            message: self.message,
            events: self.events.clone(),
            ..Entry::aside("webqq", self.account, self.fate, self.detail.clone())
        }
    }
}

/// The families of hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostKind {
    /// `ui.`, `xui.`, `ssl.ptlogin2`, `ptlogin4.web2`, …: the way in.
    Ptlogin,
    /// `s.web2`: lists.
    Lists,
    /// `d1.web2`, `d.web2`: the channel.
    Channel,
    /// `w.qq.com`, `web2.qq.com`: the pages.
    Page,
    /// `ssl.captcha`, `captcha`: the pictures with letters.
    Captcha,
    /// `gchat.qpic.cn`: pictures of groups.
    Pictures,
    /// `face1.qun.qq.com`, …: avatars.
    Face,
}

impl HostKind {
    pub(crate) fn of(host: &str) -> Option<Self> {
        match host {
            "s.web2.qq.com" => Some(Self::Lists),
            "d1.web2.qq.com" | "d.web2.qq.com" => Some(Self::Channel),
            "ssl.captcha.qq.com" | "captcha.qq.com" => Some(Self::Captcha),
            "gchat.qpic.cn" => Some(Self::Pictures),
            "w.qq.com" | "web2.qq.com" | "web.qq.com" | "webqq.qq.com" | "www.qq.com" => Some(Self::Page),
            host if host.split('.').any(|part| part.starts_with("ptlogin")) => Some(Self::Ptlogin),
            host if host.starts_with("face") => Some(Self::Face),
            _ => None,
        }
    }

    /// Whether it is one of the hosts with a proxy page that the Referer must name.
    pub(crate) fn is_web2(self) -> bool {
        matches!(self, Self::Lists | Self::Channel)
    }
}

/// Answers a request that came for a historic host.
pub(crate) async fn serve(request: Request, shared: &Arc<Shared>) -> Reply {
    match shared.run(|state| Ok(passage::planned(state, &request))) {
        Ok(Some(passage)) => passage.play(&request, shared).await,
        Ok(None) => carry_out(&request, shared, false).await,
        Err(error) => error.into(),
    }
}

/// Carries a call out. `keep`: a poll leaves in the queue what it gives.
async fn carry_out(request: &Request, shared: &Arc<Shared>, keep: bool) -> Reply {
    let kind = request.host.as_deref().and_then(HostKind::of);
    if kind == Some(HostKind::Channel) && request.path == "/channel/poll2" && request.method == Method::POST {
        return poll::serve(request, shared, keep).await;
    }
    let answered = shared.run(|state| {
        let call = Call::of(state, request);
        let answer = match fault::instead(state, &call) {
            Some(answer) => answer,
            None => finish(state, |state| route::route(state, request, kind))?,
        };
        let answer = fault::after(state, &call, answer);
        state.log(answer.entry(request))?;
        Ok((answer.reply, answer.wait))
    });
    match answered {
        Ok((reply, wait)) => {
            // Even no time at all would wait for the clock, which a test may have stopped.
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            reply
        }
        Err(error) => error.into(),
    }
}

/// Turns a failed check into its answer.
fn finish(state: &mut State, work: impl FnOnce(&mut State) -> Result<Answer, Stop>) -> Result<Answer, StoreError> {
    match work(state) {
        Ok(answer) => Ok(answer),
        Err(Stop::Refused(refusal)) => Ok(refusal.answer(state)),
        Err(Stop::Store(error)) => Err(error),
    }
}

fn nothing(request: &Request) -> Answer {
    let reply = Reply::new("text/html", "<html><head><title>404 Not Found</title></head></html>").coded(404);
    Answer::new(
        reply,
        Fate::Refused,
        format!("{} is not served on this host with this method", request.path),
    )
}
