//! `check --online`: logs in as the gateway would, looks around, and says what is lacking.

use std::sync::Arc;
use std::time::Duration;

use jid::{BareJid, Jid};
use minidom::Element;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_xmpp::Stanza;
use url::Url;
use xmpp_parsers::disco::{DiscoInfoQuery, DiscoInfoResult, DiscoItemsQuery, DiscoItemsResult};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::ns;
use xmpp_parsers::stanza_error::DefinedCondition;

use super::build;
use super::run::component_settings;
use crate::config::{Config, OneBot, Protocol, Reach};
use crate::model::{AccountName, GroupNumber};
use crate::qq::onebot;
use crate::store::Store;
use crate::xmpp::component::{self, Component, State};
use crate::xmpp::iq::{IqError, Requests};
use crate::xmpp::{Addresses, ConnectError, Event, Inbox, Link, Refused};

/// Each question gets this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// For the connection to a program that speaks `OneBot`, whoever opens it; three times that for all that it is asked.
const ONEBOT_PATIENCE: Duration = Duration::from_secs(20);
/// Services of a server that are asked; more have none either.
const MOST_ITEMS: usize = 50;
const UPLOAD: &str = "urn:xmpp:http:upload:0";

/// What was found, a sentence each.
#[derive(Debug, Default)]
pub struct Found {
    /// Without these the gateway does not work.
    pub lacking: Vec<String>,
    /// Without these something of it does not.
    pub hints: Vec<String>,
}

/// Asks the servers of this configuration. A gateway that runs with it is left alone: a second login would cut it off.
pub async fn probe(config: &Config) -> anyhow::Result<Found> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut found = Found::default();
    let runs = Store::in_use(&config.store.path);
    let mut onebots = Vec::new();
    for account in &config.accounts {
        match &account.protocol {
            Protocol::WebQq(webqq) => look_for_service(&account.name, &webqq.server, &mut found).await,
            Protocol::OneBot(OneBot {
                reach: Reach::Listen { listen, .. },
                ..
            }) if runs => {
                let name = &account.name;
                let sentence = format!(
                    "account {name}: a gateway is running with this store and listens at {listen}; see its status"
                );
                found.hints.push(sentence);
            }
            Protocol::OneBot(keys) => {
                let settings = build::onebot(account, keys);
                let groups: Vec<GroupNumber> = build::mapped(config, &account.name)
                    .into_iter()
                    .map(|(group, _)| group)
                    .collect();
                onebots.push((settings, groups));
            }
        }
    }
    for seen in onebot::probe(&onebots, ONEBOT_PATIENCE).await {
        found.lacking.extend(seen.lacking);
        found.hints.extend(seen.hints);
    }
    if runs {
        let sentence =
            "a gateway is running with this store; the XMPP server was not tried, since that would cut it off";
        found.hints.push(sentence.to_owned());
    } else {
        ask_server(config, &mut found).await;
    }
    Ok(found)
}

async fn look_for_service(name: &AccountName, server: &Url, found: &mut Found) {
    let host = server.host_str().unwrap_or_default().to_owned();
    let port = server.port_or_known_default().unwrap_or(80);
    if !matches!(timeout(PATIENCE, TcpStream::connect((host, port))).await, Ok(Ok(_))) {
        let sentence = format!("account {name}: nothing answers at {server}; is the service running?");
        found.lacking.push(sentence);
    }
}

async fn ask_server(config: &Config, found: &mut Found) {
    let stop = CancellationToken::new();
    let requests = Requests::default();
    let settings = component_settings(config);
    let (component, mut status) = Component::new(settings.clone(), Arc::new(Answers(requests.clone())), stop.clone());
    let task = tokio::spawn(component.run());
    let settled = timeout(PATIENCE * 2, status.wait_for(|status| status.state != State::Starting)).await;
    let settled = settled.ok().and_then(Result::ok).map(|status| status.clone());
    let logged_in = matches!(&settled, Some(component::Status { link: Some(_), .. }));
    match settled {
        Some(component::Status { link: Some(link), .. }) => {
            let asking = Asking {
                domain: &config.xmpp.domain,
                requests: &requests,
                link: &link,
            };
            look_around(&asking, found).await;
            look_at_rooms(&asking, config, found).await;
        }
        Some(component::Status {
            state: State::Degraded(why) | State::NeedsOperator(why),
            ..
        }) => found.lacking.push(why),
        _ => found
            .lacking
            .push("the XMPP server does not let the component in and does not say why; see its log".to_owned()),
    }
    stop.cancel();
    task.await.ok();
    // With Prosody's default a half-open connection of ours would keep us out until it times out.
    if logged_in && let Err(error @ ConnectError::Conflict) = component::try_second_login(&settings).await {
        found
            .lacking
            .push(format!("a second login of the component is refused: {error}"));
    }
}

/// Questions over the connection that was just made.
struct Asking<'a> {
    domain: &'a BareJid,
    requests: &'a Requests,
    link: &'a Link,
}

impl Asking<'_> {
    async fn ask(&self, to: Jid, payload: Element) -> Result<Option<Element>, IqError> {
        let iq = Iq::Get {
            from: Some(self.domain.clone().into()),
            to: Some(to),
            id: String::new(),
            payload,
        };
        self.requests.request(self.link, iq, PATIENCE).await
    }
}

async fn look_around(asking: &Asking<'_>, found: &mut Found) {
    let domain = asking.domain;
    let Some((_, parent)) = domain.domain().as_str().split_once('.') else {
        let sentence = format!("{domain} has no parent domain, so no upload service could be looked for");
        return found.hints.push(sentence);
    };
    let Ok(parent) = BareJid::new(parent) else { return };
    let items = DiscoItemsQuery { node: None, rsm: None };
    let items = match asking.ask(parent.clone().into(), items.into()).await {
        Ok(payload) => payload.and_then(|payload| DiscoItemsResult::try_from(payload).ok()),
        Err(error) => {
            return found.lacking.push(format!(
                "nobody answers for {parent} ({error}); when your users are elsewhere, name their domain in [xmpp] allow"
            ));
        }
    };
    let items = items.map(|items| items.items).unwrap_or_default();
    // Our own domain is among them; nobody answers for it now.
    for item in items.into_iter().filter(|item| item.jid != *domain).take(MOST_ITEMS) {
        let info = asking.ask(item.jid, DiscoInfoQuery { node: None }.into()).await;
        let info = info.ok().flatten();
        let info = info.and_then(|payload| DiscoInfoResult::try_from(payload).ok());
        if info.is_some_and(|info| info.features.iter().any(|feature| feature == UPLOAD)) {
            return;
        }
    }
    let sentence = format!("{parent} offers no upload service (XEP-0363); pictures from QQ will need one");
    found.hints.push(sentence);
}

/// Whether the rooms of other services are there, and what they ask of whoever enters. Nobody enters them.
async fn look_at_rooms(asking: &Asking<'_>, config: &Config, found: &mut Found) {
    let bridge = Addresses::new(config.xmpp.domain.clone(), [0; 32], true).bridge();
    for row in &config.mappings {
        let Some(keys) = row.kind.joined() else { continue };
        let room = &row.room;
        let info = asking
            .ask(room.clone().into(), DiscoInfoQuery { node: None }.into())
            .await;
        match info {
            Ok(info) => {
                let info = info.and_then(|payload| DiscoInfoResult::try_from(payload).ok());
                let features = info.map(|info| info.features).unwrap_or_default();
                let has = |name: &str| features.iter().any(|feature| feature == name);
                if has("muc_passwordprotected") && keys.password.is_none() {
                    let sentence = format!("room {room} asks for a password; write it: password = \"…\"");
                    found.lacking.push(sentence);
                }
                if has("muc_membersonly") {
                    found.hints.push(format!(
                        "only members may enter room {room}; ask an owner to make {bridge} an admin of it, or at least a member"
                    ));
                }
                if !has(ns::MAM) {
                    found.hints.push(format!(
                        "room {room} keeps no archive (XEP-0313); more can be missing after the gateway was away"
                    ));
                }
            }
            Err(IqError::Refused(error)) => match error.defined_condition {
                DefinedCondition::ItemNotFound => {
                    let sentence = format!("there is no room {room}; create it, and make it persistent");
                    found.lacking.push(sentence);
                }
                condition @ (DefinedCondition::RemoteServerNotFound
                | DefinedCondition::RemoteServerTimeout
                | DefinedCondition::ServiceUnavailable) => {
                    found.lacking.push(format!(
                        "nobody answers for room {room} ({condition:?}); is its address right?"
                    ));
                }
                // It may not tell strangers of itself, and let them in all the same.
                _ => {}
            },
            Err(error) => found.lacking.push(format!("nobody answers for room {room} ({error})")),
        }
    }
}

/// Hands answers to who asked; nobody else is at home.
struct Answers(Requests);

impl Inbox for Answers {
    fn opened(&self, _link: &Link) {}

    fn deliver(&self, event: Event) -> Result<(), Box<(Event, Refused)>> {
        match event.stanza {
            Stanza::Iq(iq @ (Iq::Result { .. } | Iq::Error { .. })) => {
                self.0.answer(&event.from, iq);
                Ok(())
            }
            stanza => Err(Box::new((Event { stanza, ..event }, Refused::NotReady))),
        }
    }

    fn malformed(&self, _from: Option<&str>) {}

    fn copy(&self) {}
}
