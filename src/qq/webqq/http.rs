//! The wire to the service: clients, cookies, headers, timeouts, sizes. Knows no call's meaning.
//!
//! Two clients share one cookie jar. Lists and the poll use the pooled one; sends get a fresh connection each, so that a
//! keep-alive connection closed by the service at the wrong moment never makes a send's outcome unknown. After a broken
//! connection everything goes over fresh ones, until no older one can be left in the pool.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderName, LOCATION, ORIGIN, REFERER};
use reqwest::{Client, RequestBuilder, redirect};
use reqwest_cookie_store::{CookieStore, CookieStoreMutex};
use thiserror::Error;
use url::Url;

use super::endpoint::{Endpoint, LISTS};
use super::era::Era;

/// What a browser of the time called itself: without one the service answers 100101.
const USER_AGENT: &str =
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/49.0.2623.112 Safari/537.36";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection waits in the pool for the next request.
const POOL_IDLE: Duration = Duration::from_secs(30);
/// Longest wait for a name's address, when an older one is known.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// The member list of a full group is some 300 KiB.
const BODY_MAX: usize = 4 << 20;
/// Where cookies of all the service's hosts live.
const COOKIE_HOME: &str = "qq.com";

/// The fields of a form.
pub(super) type Form = [(&'static str, String)];

/// What came back, whatever its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// Where a redirect points to.
    pub(super) location: Option<String>,
}

impl Reply {
    /// A status of the 200s.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Failure {
    /// No connection: the service never saw the request.
    #[error("the QQ server cannot be reached: {0}")]
    Connect(String),
    /// The connection broke, or it took too long: the service may have seen the request.
    #[error("the connection to the QQ server broke: {0}")]
    Broken(String),
}

/// The page that a request claims to come from. The service refuses what comes from nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Lists and people.
    Lists,
    /// Channel calls.
    Channel,
    /// The login page.
    Login,
    /// Nowhere.
    Nowhere,
}

/// Both clients and the jar.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) endpoint: Endpoint,
    pub(super) era: Era,
    pooled: Client,
    fresh: Client,
    /// A connection broke: until then the pool may hold others that are dead as well.
    fresh_until: Mutex<Option<Instant>>,
    cookies: Arc<CookieStoreMutex>,
}

/// Answers every name with the address of `server`; a port in the answer is honoured, since the URLs have none. Name servers
/// fail more often than addresses change: then the last known ones do.
struct Everywhere {
    host: String,
    port: u16,
    known: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Resolve for Everywhere {
    fn resolve(&self, _: Name) -> Resolving {
        let (host, port, known) = (self.host.clone(), self.port, Arc::clone(&self.known));
        Box::pin(async move {
            let lookup = async { Ok::<Vec<_>, std::io::Error>(tokio::net::lookup_host((host, port)).await?.collect()) };
            let found = tokio::time::timeout(LOOKUP_TIMEOUT, lookup).await;
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            match found {
                Ok(Ok(addresses)) if !addresses.is_empty() => known.clone_from(&addresses),
                Ok(Err(error)) if known.is_empty() => return Err(error.into()),
                _ if known.is_empty() => return Err("the name has no address, or is not answered for".into()),
                _ => {}
            }
            Ok(Box::new(known.clone().into_iter()) as Addrs)
        })
    }
}

impl Http {
    /// Builds the clients. The process's rustls provider must have been installed.
    pub(super) fn new(endpoint: Endpoint, era: Era) -> anyhow::Result<Self> {
        let cookies = Arc::new(CookieStoreMutex::new(CookieStore::new()));
        let (host, port) = endpoint.address();
        let everywhere = Arc::new(Everywhere {
            host,
            port,
            known: Arc::default(),
        });
        let builder = || {
            Client::builder()
                .user_agent(USER_AGENT)
                .cookie_provider(Arc::clone(&cookies))
                .dns_resolver(Arc::clone(&everywhere))
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .no_proxy()
        };
        Ok(Self {
            pooled: builder().pool_idle_timeout(POOL_IDLE).build()?,
            fresh: builder().pool_max_idle_per_host(0).build()?,
            fresh_until: Mutex::default(),
            cookies,
            endpoint,
            era,
        })
    }

    /// `GET`.
    pub(super) async fn get(&self, url: Url, from: From, timeout: Duration) -> Result<Reply, Failure> {
        let request = self.header(self.client().get(url), from, false);
        self.watched(request.timeout(timeout)).await
    }

    /// `POST` of a form.
    pub(super) async fn post(&self, url: Url, form: &Form, from: From, timeout: Duration) -> Result<Reply, Failure> {
        let request = self.header(self.client().post(url), from, true);
        self.watched(request.form(form).timeout(timeout)).await
    }

    /// The same over a connection of its own.
    pub(super) async fn post_fresh(
        &self,
        url: Url,
        form: &Form,
        from: From,
        timeout: Duration,
    ) -> Result<Reply, Failure> {
        let request = self.header(self.fresh.post(url), from, true);
        fetch(request.form(form).timeout(timeout)).await
    }

    fn client(&self) -> &Client {
        let fresh_until = *self.fresh_until.lock().unwrap_or_else(PoisonError::into_inner);
        if fresh_until.is_some_and(|until| Instant::now() < until) {
            &self.fresh
        } else {
            &self.pooled
        }
    }

    /// Fetches, and remembers when the wire broke.
    async fn watched(&self, request: RequestBuilder) -> Result<Reply, Failure> {
        let fetched = fetch(request).await.map_err(|failure| match failure {
            Failure::Connect(why) => {
                let (host, port) = self.endpoint.address();
                Failure::Connect(format!("{host} port {port}: {why}"))
            }
            broken @ Failure::Broken(_) => broken,
        });
        if fetched.is_err() {
            // The pool looks at the age of what it holds before it gives it out.
            let until = Instant::now() + POOL_IDLE + Duration::from_secs(1);
            *self.fresh_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
        fetched
    }

    fn header(&self, request: RequestBuilder, from: From, post: bool) -> RequestBuilder {
        let scheme = self.endpoint.scheme();
        let (host, page) = match from {
            From::Lists => (LISTS, self.era.lists_page()),
            From::Channel => (self.era.channel(), self.era.channel_page()),
            From::Login => return request.header(REFERER, self.era.login_page()),
            From::Nowhere => return request,
        };
        let referer = format!("{scheme}://{host}{page}");
        let request = request.header(REFERER, referer);
        if post {
            request.header(ORIGIN, format!("{scheme}://{host}"))
        } else {
            request
        }
    }

    fn jar(&self) -> MutexGuard<'_, CookieStore> {
        // A jar cannot be left half changed: a panic elsewhere does not spoil it.
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a cookie, of whichever of the service's domains.
    pub(super) fn cookie(&self, name: &str) -> Option<String> {
        let jar = self.jar();
        let mut values = jar.iter_unexpired().filter(|cookie| cookie.name() == name);
        values
            .find(|cookie| !cookie.value().is_empty())
            .map(|cookie| cookie.value().to_owned())
    }

    /// Sets a cookie for all the service's hosts, in place of any of this name.
    pub(super) fn set_cookie(&self, name: &str, value: &str) {
        let home = self.endpoint.url(LISTS, "/");
        let cookie = format!("{name}={value}; Domain={COOKIE_HOME}; Path=/");
        let mut jar = self.jar();
        let old = jar.iter_any().filter(|cookie| cookie.name() == name);
        let old: Vec<(String, String)> = old
            .map(|cookie| (String::from(&cookie.domain), String::from(&cookie.path)))
            .collect();
        for (domain, path) in old {
            jar.remove(&domain, &path, name);
        }
        if jar.parse(&cookie, &home).is_err() {
            tracing::warn!(name, "a cookie was not accepted by our own jar");
        }
    }

    /// Drops every cookie.
    pub(super) fn forget_cookies(&self) {
        self.jar().clear();
    }

    /// All cookies, also those without an expiry (which is all of them), in an order that does not change by itself.
    pub(super) fn save_cookies(&self) -> Vec<serde_json::Value> {
        let mut buffer = Vec::new();
        let saved = cookie_store::serde::json::save_incl_expired_and_nonpersistent(&self.jar(), &mut buffer);
        if let Err(error) = saved {
            tracing::error!(%error, "cookies could not be written down");
            return Vec::new();
        }
        let mut cookies: Vec<serde_json::Value> = serde_json::from_slice(&buffer).unwrap_or_default();
        cookies.sort_by_cached_key(ToString::to_string);
        cookies
    }

    /// Replaces the cookies by saved ones.
    pub(super) fn load_cookies(&self, cookies: &[serde_json::Value]) -> anyhow::Result<()> {
        let text = serde_json::to_vec(cookies)?;
        let loaded =
            cookie_store::serde::json::load_all(text.as_slice()).map_err(|error| anyhow::anyhow!("{error}"))?;
        *self.jar() = loaded;
        Ok(())
    }
}

async fn fetch(request: RequestBuilder) -> Result<Reply, Failure> {
    let mut response = request.send().await.map_err(failure)?;
    let status = response.status().as_u16();
    let header = |name: HeaderName| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let location = header(LOCATION);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > BODY_MAX {
            return Err(Failure::Broken("the answer is larger than any real one".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body, location })
}

/// The cause in words, without the URL: it holds tokens.
fn failure(error: reqwest::Error) -> Failure {
    let connect = error.is_connect();
    let timeout = error.is_timeout();
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    if connect {
        return Failure::Connect(text);
    }
    Failure::Broken(if timeout { "no answer in time".to_owned() } else { text })
}
