//! The wire to the service: clients, cookies, headers, timeouts, sizes. Knows no call's meaning.
//!
//! Two clients share one cookie jar. Lists and the poll use the pooled one; sends get a fresh connection each, so that a
//! keep-alive connection closed by the service at the wrong moment never makes a send's outcome unknown.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderName, LOCATION, ORIGIN, REFERER};
use reqwest::{Client, RequestBuilder, redirect};
use reqwest_cookie_store::{CookieStore, CookieStoreMutex};
use thiserror::Error;
use url::Url;

use super::endpoint::{CHANNEL, Endpoint, LISTS};

/// What a browser of the time called itself: without one the service answers 100101.
const USER_AGENT: &str =
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/49.0.2623.112 Safari/537.36";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The member list of a full group is some 300 KiB.
const BODY_MAX: usize = 4 << 20;
/// Where cookies of all the service's hosts live.
const COOKIE_HOME: &str = "qq.com";

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
    pooled: Client,
    fresh: Client,
    cookies: Arc<CookieStoreMutex>,
}

/// Answers every name with the address of `server`; a port in the answer is honoured, since the URLs have none.
struct Everywhere {
    host: String,
    port: u16,
}

impl Resolve for Everywhere {
    fn resolve(&self, _: Name) -> Resolving {
        let (host, port) = (self.host.clone(), self.port);
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl Http {
    /// Builds the clients. The process's rustls provider must have been installed.
    pub(super) fn new(endpoint: Endpoint) -> anyhow::Result<Self> {
        let cookies = Arc::new(CookieStoreMutex::new(CookieStore::new()));
        let (host, port) = endpoint.address();
        let everywhere = Arc::new(Everywhere { host, port });
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
            pooled: builder().pool_idle_timeout(Duration::from_secs(30)).build()?,
            fresh: builder().pool_max_idle_per_host(0).build()?,
            cookies,
            endpoint,
        })
    }

    /// `GET` over the pool.
    pub(super) async fn get(&self, url: Url, from: From, timeout: Duration) -> Result<Reply, Failure> {
        let request = self.header(self.pooled.get(url), from, false);
        fetch(request.timeout(timeout)).await
    }

    /// `POST` of the one form field `r` over the pool.
    pub(super) async fn post(&self, url: Url, r: &str, from: From, timeout: Duration) -> Result<Reply, Failure> {
        let request = self.header(self.pooled.post(url), from, true);
        fetch(request.form(&[("r", r)]).timeout(timeout)).await
    }

    /// The same over a connection of its own.
    pub(super) async fn post_fresh(&self, url: Url, r: &str, from: From, timeout: Duration) -> Result<Reply, Failure> {
        let request = self.header(self.fresh.post(url), from, true);
        fetch(request.form(&[("r", r)]).timeout(timeout)).await
    }

    fn header(&self, request: RequestBuilder, from: From, post: bool) -> RequestBuilder {
        let scheme = self.endpoint.scheme();
        let (host, referer) = match from {
            From::Lists => (
                LISTS,
                format!("{scheme}://{LISTS}/proxy.html?v=20130916001&callback=1&id=1"),
            ),
            From::Channel => (
                CHANNEL,
                format!("{scheme}://{CHANNEL}/proxy.html?v=20151105001&callback=1&id=2"),
            ),
            From::Login => return request.header(REFERER, super::login::PAGE),
            From::Nowhere => return request,
        };
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

    /// Sets a cookie for all the service's hosts.
    pub(super) fn set_cookie(&self, name: &str, value: &str) {
        let home = self.endpoint.url(CHANNEL, "/");
        let cookie = format!("{name}={value}; Domain={COOKIE_HOME}; Path=/");
        if self.jar().parse(&cookie, &home).is_err() {
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
