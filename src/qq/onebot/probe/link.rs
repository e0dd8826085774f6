//! The link of one probe: ours, or that of a program that comes within its time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use url::Url;

use crate::config::Reach;
use crate::qq::onebot::Settings;
use crate::qq::onebot::connect::{self, Pair, Shown};
use crate::qq::onebot::door::{self, Doors, Place, Role};
use crate::qq::onebot::socket::Socket;

/// A link that is up. It is kept until all accounts are done: a program that lost it would come again.
pub(super) struct Link {
    pub(super) pair: Pair,
    /// Held as long as the link.
    #[expect(dead_code, reason = "its end is what it does")]
    place: Option<Place>,
}

/// How to get it.
pub(super) enum Way<'a> {
    Connect(&'a Url),
    Wait(SocketAddr, Place),
}

/// The way of an account; where it waits, it waits from now on.
pub(super) async fn way<'a>(settings: &'a Settings, doors: &Arc<Doors>) -> Result<Way<'a>, String> {
    let (listen, qq) = match &settings.reach {
        Reach::Connect(url) => return Ok(Way::Connect(url)),
        Reach::Listen { listen, qq } => (*listen, *qq),
    };
    let token = settings.access_token.clone();
    match doors.place(listen, qq, token, settings.pace.ping_every).await {
        Ok(place) => Ok(Way::Wait(listen, place)),
        Err(error) => Err(format!("cannot listen at {listen} ({error}); is the gateway running?")),
    }
}

/// Gets it within `patience`; else what is wrong.
pub(super) async fn link(settings: &Settings, way: Way<'_>, patience: Duration) -> Result<Link, String> {
    match way {
        Way::Connect(url) => {
            let token = settings.access_token.as_ref();
            let connecting = connect::connect(url, token, settings.pace.ping_every);
            match timeout(patience, connecting).await {
                Ok(Ok(pair)) => Ok(Link { pair, place: None }),
                Ok(Err(no_link)) => Err(no_link.to_string()),
                Err(_) => Err(format!("{} does not answer in time", Shown(url))),
            }
        }
        Way::Wait(listen, mut place) => {
            let mut halves = Halves::default();
            if let Ok(Some(pair)) = timeout(patience, halves.arrive(&mut place)).await {
                let place = Some(place);
                return Ok(Link { pair, place });
            }
            let why = place.turned_away().or_else(|| halves.alone().map(door::half_alone));
            Err(why.unwrap_or_else(|| {
                let seconds = patience.as_secs();
                format!(
                    "no OneBot program connected to ws://{listen} within {seconds} s: switch its WebSocket client (reverse) on, \
                     with this address"
                )
            }))
        }
    }
}

/// The sockets of a program that opens two.
#[derive(Default)]
struct Halves {
    api: Option<Socket>,
    event: Option<Socket>,
}

impl Halves {
    async fn arrive(&mut self, place: &mut Place) -> Option<Pair> {
        loop {
            let arrival = place.arrivals.recv().await?;
            match arrival.role {
                Role::Universal => {
                    return Some(Pair {
                        api: arrival.socket,
                        event: None,
                    });
                }
                Role::Api => self.api = Some(arrival.socket),
                Role::Event => self.event = Some(arrival.socket),
            }
            if let (Some(_), Some(_)) = (&self.api, &self.event) {
                return Some(Pair {
                    api: self.api.take()?,
                    event: self.event.take(),
                });
            }
        }
    }

    /// The one that came without the other.
    fn alone(&self) -> Option<Role> {
        match (&self.api, &self.event) {
            (Some(_), None) => Some(Role::Api),
            (None, Some(_)) => Some(Role::Event),
            _ => None,
        }
    }
}
