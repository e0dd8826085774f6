//! Forward WebSocket: we connect to the `OneBot` program. Opens sockets; keeps none.

use std::fmt;
use std::time::Duration;

use tokio::time::timeout;
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use url::Url;

use super::call::CallError;
use super::socket::{Socket, limits};
use crate::config::Secret;

/// TCP, TLS and the upgrade together.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sockets of a link: calls go to the first; events come from either.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) api: Socket,
    /// None where one socket carries both.
    pub(super) event: Option<Socket>,
}

/// Why there is no link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoLink {
    #[error("the OneBot program refuses the access token: write the same `access_token` here and there")]
    Token,
    #[error("nothing listens at {0}: start the OneBot program (NapCat, LLBot, …) and switch its WebSocket server on")]
    Nobody(String),
    #[error(
        "{0} is no OneBot WebSocket: it answers with HTTP status {1}; see address and path of its WebSocket server"
    )]
    Http(String, u16),
    #[error(
        "{0} cannot be trusted: {1}; let this system know who signed its certificate (SSL_CERT_FILE names a file with certificates to \
         trust), or reach it by ws:// where the way is your own"
    )]
    Untrusted(String, String),
    #[error("{0} cannot be reached: {1}")]
    Other(String, String),
}

/// Whether the answer to the first call of a link says that the access token is wrong: some let everybody in and say it there.
pub(super) fn refuses_token(error: &CallError) -> bool {
    matches!(error, CallError::Refused { code: 1401 | 1403, .. })
}

/// Connects; `/api` and `/event` at the end of the path mean two sockets, whichever was given.
pub(super) async fn connect(url: &Url, token: Option<&Secret>, ping_every: Duration) -> Result<Pair, NoLink> {
    match halves(url) {
        None => Ok(Pair {
            api: open(url, token, ping_every).await?,
            event: None,
        }),
        Some((api, event)) => {
            let (api, event) = tokio::try_join!(open(&api, token, ping_every), open(&event, token, ping_every))?;
            Ok(Pair {
                api,
                event: Some(event),
            })
        }
    }
}

/// The addresses for calls and events, where the given one carries only half.
fn halves(url: &Url) -> Option<(Url, Url)> {
    let path = url.path();
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let base = trimmed
        .strip_suffix("/api")
        .or_else(|| trimmed.strip_suffix("/event"))?;
    let with = |end: &str| {
        let mut url = url.clone();
        url.set_path(&format!("{base}{end}"));
        url
    };
    Some((with("/api"), with("/event")))
}

async fn open(url: &Url, token: Option<&Secret>, ping_every: Duration) -> Result<Socket, NoLink> {
    let shown = Shown(url).to_string();
    let other = |error: &dyn fmt::Display| NoLink::Other(shown.clone(), error.to_string());
    let mut request = url.as_str().into_client_request().map_err(|error| other(&error))?;
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| other(&"the access token has characters that no header can carry"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    // The handshake's future holds large buffers.
    let connecting = Box::pin(connect_async_with_config(request, Some(limits()), true));
    match timeout(PATIENCE, connecting).await {
        Ok(Ok((ws, _))) => Ok(Socket::start(ws, ping_every)),
        Ok(Err(Error::Http(response))) => Err(match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => NoLink::Token,
            status => NoLink::Http(shown, status.as_u16()),
        }),
        Ok(Err(Error::Io(error))) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err(NoLink::Nobody(shown))
        }
        Ok(Err(Error::Io(error))) => Err(match certificate(&error) {
            Some(why) => NoLink::Untrusted(shown, why.to_string()),
            None => other(&error),
        }),
        Ok(Err(Error::Protocol(error))) => Err(NoLink::Other(
            shown,
            format!("it does not speak WebSocket ({error}); is this the port of its HTTP server?"),
        )),
        Ok(Err(error)) => Err(other(&error)),
        Err(_) => Err(other(&"it does not answer in time")),
    }
}

/// What is wrong with the other side's certificate, where that is why the handshake failed.
fn certificate(error: &std::io::Error) -> Option<&rustls::Error> {
    let error: &rustls::Error = error.get_ref()?.downcast_ref()?;
    matches!(error, rustls::Error::InvalidCertificate(_)).then_some(error)
}

/// An address without what may be secret in it.
pub(super) struct Shown<'a>(pub(super) &'a Url);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a url")
    }

    #[test]
    fn half_an_address_means_both() {
        let halves = |text: &str| halves(&url(text)).map(|(api, event)| (api.to_string(), event.to_string()));
        let both = Some(("ws://h:1/x/api?a=b".into(), "ws://h:1/x/event?a=b".into()));
        assert_eq!(halves("ws://h:1/x/event/?a=b"), both);
        assert_eq!(halves("ws://h:1/x/api?a=b"), both);
        assert_eq!(halves("ws://h:1/"), None);
        assert_eq!(halves("ws://h:1/kook/7/onebot/v11"), None);
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = Shown(&url("wss://u:p@h:1/x?access_token=s")).to_string();
        assert_eq!(shown, "wss://h:1/x");
    }
}
