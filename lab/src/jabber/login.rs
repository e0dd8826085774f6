//! From a TCP connection to a bound resource: stream, SASL PLAIN, stream again, bind (RFC 6120, sections 4, 6 and 7).

use std::net::Ipv4Addr;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::stanza::{Stanza as _, escape, ns};
use super::stream::{Piece, Splitter};

/// Whom to log in as, and where.
#[derive(Clone, Debug)]
pub struct Account {
    /// The server's address.
    pub address: Ipv4Addr,
    /// The port for clients.
    pub port: u16,
    /// The domain of the account.
    pub domain: String,
    /// The account's name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// The resource asked for.
    pub resource: String,
}

/// A stream on which stanzas may be sent.
pub(super) struct Bound {
    pub(super) socket: TcpStream,
    pub(super) splitter: Splitter,
    /// What was read but not yet taken.
    pub(super) rest: Vec<u8>,
    /// The full address that the server gave.
    pub(super) jid: String,
}

/// Logs in and hands out the bare connection and the full address: for who reads without a parser.
pub async fn log_in_socket(account: &Account) -> anyhow::Result<(TcpStream, String)> {
    let bound = log_in(account).await?;
    if !bound.rest.is_empty() {
        bail!("the server said more than was asked for at the login of {}", bound.jid);
    }
    Ok((bound.socket, bound.jid))
}

pub(super) async fn log_in(account: &Account) -> anyhow::Result<Bound> {
    let socket = TcpStream::connect((account.address, account.port))
        .await
        .context("cannot connect")?;
    socket.set_nodelay(true)?;
    let mut bound = Bound {
        socket,
        splitter: Splitter::new(),
        rest: Vec::new(),
        jid: String::new(),
    };
    bound.open(&account.domain).await?;

    let secret = STANDARD.encode(format!("\0{}\0{}", account.user, account.password));
    bound
        .write(&format!("<auth xmlns='{}' mechanism='PLAIN'>{secret}</auth>", ns::SASL))
        .await?;
    let answer = bound.stanza().await?;
    if !answer.is("success", ns::SASL) {
        bail!("the server refused the login: {}", answer.xml());
    }
    bound.splitter = Splitter::new();
    bound.open(&account.domain).await?;

    let resource = escape(&account.resource);
    let bind = format!(
        "<iq type='set' id='bind'><bind xmlns='{}'><resource>{resource}</resource></bind></iq>",
        ns::BIND
    );
    bound.write(&bind).await?;
    let answer = bound.stanza().await?;
    let jid = answer
        .descend(&[("bind", ns::BIND), ("jid", ns::BIND)])
        .map(Element::text);
    bound.jid = jid.with_context(|| format!("the server refused to bind: {}", answer.xml()))?;
    Ok(bound)
}

impl Bound {
    /// Sends our header and reads the server's, up to its features.
    async fn open(&mut self, domain: &str) -> anyhow::Result<()> {
        let (client, stream) = (ns::CLIENT, ns::STREAM);
        self.write(&format!(
            "<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='{client}' xmlns:stream='{stream}'>",
            escape(domain)
        ))
        .await?;
        let Piece::Opened = self.piece().await? else {
            bail!("the server did not open a stream")
        };
        let features = self.stanza().await?;
        if !features.is("features", ns::STREAM) {
            bail!("the server offers no features: {}", features.xml());
        }
        Ok(())
    }

    async fn write(&mut self, xml: &str) -> anyhow::Result<()> {
        self.socket
            .write_all(xml.as_bytes())
            .await
            .context("the connection broke at login")
    }

    async fn stanza(&mut self) -> anyhow::Result<Element> {
        match self.piece().await? {
            Piece::Stanza(stanza) => Ok(stanza),
            other => bail!("the server sent no stanza at login but {other:?}"),
        }
    }

    async fn piece(&mut self) -> anyhow::Result<Piece> {
        loop {
            let mut bytes = self.rest.as_slice();
            let piece = self.splitter.next(&mut bytes)?;
            let taken = self.rest.len() - bytes.len();
            self.rest.drain(..taken);
            if let Some(piece) = piece {
                return Ok(piece);
            }
            if self.socket.read_buf(&mut self.rest).await? == 0 {
                bail!("the server closed the connection at login");
            }
        }
    }
}
