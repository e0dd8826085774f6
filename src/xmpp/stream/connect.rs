//! From a host name to a stream on which stanzas pass (XEP-0114 §3), or to a reason that the operator can act on.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use xmpp_parsers::{component::Handshake, stream_error::DefinedCondition};

use super::encode::{hex, push, push_escaped};
use super::{Incoming, Lost, Reader, Writer};

/// Look-up, connection and handshake each get this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no stream. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address.
    #[error("the name in [xmpp] server cannot be looked up: {0}; check its spelling and the resolver")]
    Lookup(std::io::Error),
    /// Nobody listens there, or nobody is there.
    #[error("no connection to [xmpp] server: {0}; is the XMPP server running, with a component port at this address?")]
    Unreachable(std::io::Error),
    /// The stream broke off during the handshake.
    #[error("the XMPP server broke off during the handshake: {0}")]
    BrokenOff(Lost),
    /// `not-authorized`.
    #[error("the XMPP server refuses [xmpp] secret; it must be the component's secret in the server's configuration")]
    WrongSecret,
    /// `host-unknown`.
    #[error(
        "the XMPP server has no component of the name in [xmpp] domain; add one, and see that this is the component port"
    )]
    HostUnknown,
    /// `conflict`.
    #[error(
        "the XMPP server says that the domain is connected already; with Prosody set component_conflict_resolve = \"kick_old\", \
         and see that no other gateway uses the domain"
    )]
    Conflict,
    /// Another stream error.
    #[error("the XMPP server refused the stream: {0}")]
    Refused(String),
    /// Something else listens there.
    #[error("what listens at [xmpp] server is no component port (XEP-0114, often 5347); is this the client port?")]
    NotAComponentPort,
    /// It accepts connections and says nothing.
    #[error("what listens at [xmpp] server does not answer; is it a component port (XEP-0114, often 5347)?")]
    Timeout,
}

/// Connects and says who we are. Names are looked up anew at each call and every address is tried.
pub(crate) async fn connect(
    server: &str,
    domain: &str,
    secret: &SecretString,
) -> Result<(Reader, Writer), ConnectError> {
    let tcp = dial(server).await?;
    timeout(PATIENCE, handshake(tcp, domain, secret))
        .await
        .unwrap_or(Err(ConnectError::Timeout))
}

async fn dial(server: &str) -> Result<TcpStream, ConnectError> {
    let addresses = timeout(PATIENCE, lookup_host(server))
        .await
        .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
        .map_err(ConnectError::Lookup)?;
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                tcp.set_nodelay(true).map_err(ConnectError::Unreachable)?;
                return Ok(tcp);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(ConnectError::Unreachable(last))
}

async fn handshake(tcp: TcpStream, domain: &str, secret: &SecretString) -> Result<(Reader, Writer), ConnectError> {
    let (read, mut write) = tcp.into_split();
    let mut header = Vec::new();
    push(
        &mut header,
        &["<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
             xmlns:stream='http://etherx.jabber.org/streams' to='"],
    );
    push_escaped(&mut header, domain);
    push(&mut header, &["'>"]);
    write.write_all(&header).await.map_err(broken_off)?;

    let (mut reader, id) = Reader::open(read).await.map_err(refusal)?;
    let Some(id) = id else {
        // A refusal can come behind a header without an id; a client port gives an id, but expects other things.
        return Err(match reader.next().await {
            Ok(Incoming::StreamError(condition)) => by_condition(condition),
            _ => ConnectError::NotAComponentPort,
        });
    };
    let proof = Handshake::from_stream_id_and_password(id, secret.expose_secret())
        .data
        .unwrap_or_default();
    let handshake = format!("<handshake>{}</handshake>", hex(&proof));
    write.write_all(handshake.as_bytes()).await.map_err(broken_off)?;
    match reader.next().await.map_err(refusal)? {
        Incoming::Handshake => Ok((reader, Writer::new(write))),
        Incoming::StreamError(condition) => Err(by_condition(condition)),
        _ => Err(ConnectError::NotAComponentPort),
    }
}

fn broken_off(error: std::io::Error) -> ConnectError {
    ConnectError::BrokenOff(Lost::Io(error))
}

fn refusal(lost: Lost) -> ConnectError {
    match lost {
        Lost::NotAStream => ConnectError::NotAComponentPort,
        Lost::StreamError(condition) => by_condition(condition),
        Lost::Silent => ConnectError::Timeout,
        other => ConnectError::BrokenOff(other),
    }
}

fn by_condition(condition: Option<DefinedCondition>) -> ConnectError {
    match condition {
        Some(DefinedCondition::NotAuthorized) => ConnectError::WrongSecret,
        Some(DefinedCondition::HostUnknown | DefinedCondition::HostGone) => ConnectError::HostUnknown,
        Some(DefinedCondition::Conflict) => ConnectError::Conflict,
        // What a client port makes of a component's stream.
        Some(DefinedCondition::InvalidNamespace) => ConnectError::NotAComponentPort,
        Some(other) => ConnectError::Refused(other.to_string()),
        None => ConnectError::Refused("without a known reason".into()),
    }
}
