//! Faults of the way an answer takes: connections that close, bodies that are cut or drip, pages of proxies, and no answer at all.
//!
//! ```text
//! request ─┬ done: false ───────────────────────────► the fault's own answer; nothing was carried out
//!          └ done: true ──► the real answer ──► spoilt; what a poll took is gone, and the log says so
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::fault::{Call, delay};
use super::{carry_out, fault};
use crate::faults::Armed;
use crate::log::{Entry, Fate};
use crate::net::{Reply, Request};
use crate::state::{Shared, State};

const KINDS: [&str; 9] = [
    "close",
    "hang",
    "cut_body",
    "slow_body",
    "late_reply",
    "http_status",
    "content_type",
    "empty_body",
    "garbage_body",
];
const USUAL_DELAY: Duration = Duration::from_secs(3);
/// The longest that a client is left without an answer.
const LONGEST_SILENCE: Duration = Duration::from_secs(600);
const PROXY_PAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body bgcolor=\"white\"><center><h1>502 Bad Gateway</h1>\
    </center><hr><center>nginx</center></body></html>";

/// A fault that is to befall an answer.
pub(super) struct Passage {
    kind: &'static str,
    armed: Armed,
    account: i64,
}

/// Takes the fault for a request, if one is armed.
pub(super) fn planned(state: &mut State, request: &Request) -> Option<Passage> {
    let call = Call::of(state, request);
    KINDS.into_iter().find_map(|kind| {
        let armed = call.take(state, kind, "any")?;
        let account = call.account;
        Some(Passage { kind, armed, account })
    })
}

impl Passage {
    /// Whether the call is carried out.
    fn is_done(&self) -> bool {
        matches!(self.kind, "cut_body" | "slow_body" | "late_reply" | "content_type") || self.armed.truth("done")
    }

    /// Whether a poll leaves in the queue what it gives.
    fn keeps(&self) -> bool {
        self.kind == "cut_body" && !self.armed.truth("lose")
    }

    /// Answers the request, as the fault wants it.
    pub(super) async fn play(self, request: &Request, shared: &Arc<Shared>) -> Reply {
        let done = self.is_done();
        let told = shared.run(|state| {
            let kind = self.kind;
            let how = if done {
                "carried out, its answer spoilt"
            } else {
                "not carried out"
            };
            state.log(Entry {
                method: request.method.to_string(),
                host: request.host.clone().unwrap_or_default(),
                path: request.path.chars().take(200).collect(),
                ..Entry::aside(
                    "webqq",
                    (self.account != 0).then_some(self.account),
                    if done { Fate::Answered } else { Fate::Refused },
                    format!("{how} by the fault {kind}"),
                )
            })
        });
        if let Err(error) = told {
            return error.into();
        }
        let reply = if done {
            carry_out(request, shared, self.keeps()).await
        } else {
            Reply::new("text/plain", "")
        };
        self.spoil(reply, shared).await
    }

    async fn spoil(self, reply: Reply, shared: &Arc<Shared>) -> Reply {
        match self.kind {
            "close" => {
                drop(reply);
                Reply::closed()
            }
            "hang" => {
                drop(reply);
                tokio::select! {
                    () = shared.stop.cancelled() => {}
                    () = tokio::time::sleep(LONGEST_SILENCE) => {}
                }
                Reply::closed()
            }
            "cut_body" => reply.cut(self.armed.truth("chunked")),
            "slow_body" => reply.dripping(delay(&self.armed, "delay", USUAL_DELAY)),
            "late_reply" => {
                tokio::time::sleep(fault::delay(&self.armed, "delay", USUAL_DELAY)).await;
                reply
            }
            "http_status" => {
                let status = self
                    .armed
                    .number("status")
                    .and_then(|status| u16::try_from(status).ok());
                Reply::new("text/html", PROXY_PAGE).coded(status.unwrap_or(502))
            }
            "content_type" => reply.typed(self.armed.text("type").unwrap_or("text/html")),
            "garbage_body" => Reply::new("text/html", PROXY_PAGE),
            _ => Reply::new("text/plain", ""),
        }
    }
}
