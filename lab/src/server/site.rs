//! Where a server is, and what it is called: on this machine's loopback as `localhost`, or as the neighbour in a network namespace
//! of its own.

use std::net::Ipv4Addr;

use crate::ports;

/// The port for other servers (RFC 6120). Its addresses are no loopback's, so nobody else has it.
pub(crate) const S2S_PORT: u16 = 5269;

/// The domains of the neighbour that others ask for: its accounts', its rooms'.
pub(crate) const NEIGHBOURS: [&str; 2] = ["neighbour.test", "rooms.neighbour.test"];

/// Where the server listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) c2s: u16,
    pub(crate) component: u16,
    pub(crate) http: u16,
}

/// The addresses of the two ends of a wire between two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The end of the server that has this value.
    pub(crate) here: Ipv4Addr,
    /// The end of the other server.
    pub(crate) there: Ipv4Addr,
}

impl Wire {
    /// The same wire as the other server sees it.
    pub(crate) fn reversed(self) -> Self {
        Self {
            here: self.there,
            there: self.here,
        }
    }
}

/// Where a server is, and what it is called.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) domain: &'static str,
    pub(crate) muc_service: &'static str,
    pub(crate) upload_service: &'static str,
    /// Where it listens for clients, components and HTTP.
    pub(crate) address: Ipv4Addr,
    pub(crate) ports: Ports,
    /// Its way to the one other server; without, it talks to none.
    pub(crate) wire: Option<Wire>,
    /// The process in whose network namespace it runs; without, it is in ours.
    pub(crate) inside: Option<u32>,
}

impl Site {
    /// On the loopback, on free ports.
    pub(crate) fn here(wire: Option<Wire>) -> anyhow::Result<Self> {
        let [c2s, component, http] = ports::free()?;
        Ok(Self {
            domain: "localhost",
            muc_service: "conference.localhost",
            upload_service: "upload.localhost",
            address: Ipv4Addr::LOCALHOST,
            ports: Ports { c2s, component, http },
            wire,
            inside: None,
        })
    }

    /// The host in the addresses of its HTTP services.
    pub(crate) fn web_host(&self) -> String {
        match self.inside {
            None => "localhost".to_owned(),
            Some(_) => self.address.to_string(),
        }
    }

    /// In the network namespace of a process, where nobody else is.
    pub(crate) fn neighbour(address: Ipv4Addr, wire: Wire, inside: u32) -> Self {
        Self {
            domain: NEIGHBOURS[0],
            muc_service: NEIGHBOURS[1],
            upload_service: "upload.neighbour.test",
            address,
            ports: Ports {
                c2s: 5222,
                component: 5347,
                http: 5280,
            },
            wire: Some(wire),
            inside: Some(inside),
        }
    }
}
