//! Where links come from: we connect, or sockets arrive at a door and are paired.

use std::io;
use std::sync::Arc;

use tokio::time::sleep;

use crate::config::Reach;
use crate::qq::onebot::connect::{self, NoLink, Pair};
use crate::qq::onebot::door::{self, Arrival, Doors, Place, Role};
use crate::qq::onebot::session::Session;
use crate::qq::onebot::socket::Socket;
use crate::qq::{Need, SessionState};

/// A socket that arrived.
#[derive(Debug)]
pub(in crate::qq::onebot) struct Half(Arrival);

/// See the module.
pub(super) struct Source {
    doors: Arc<Doors>,
    place: Option<Place>,
    api: Option<Socket>,
    event: Option<Socket>,
    /// One that carries both.
    whole: Option<Socket>,
}

impl Source {
    pub(super) fn new(doors: &Arc<Doors>) -> Self {
        Self {
            doors: doors.clone(),
            place: None,
            api: None,
            event: None,
            whole: None,
        }
    }

    /// The next link.
    pub(super) async fn next(&mut self, session: &Session) -> Result<Pair, NoLink> {
        let settings = &session.settings;
        let ping_every = settings.pace.ping_every;
        match &settings.reach {
            Reach::Connect(url) => connect::connect(url, settings.access_token.as_ref(), ping_every).await,
            Reach::Listen { listen, qq } => {
                if self.place.is_none() {
                    let token = settings.access_token.clone();
                    let place = self.doors.place(*listen, *qq, token, ping_every).await;
                    self.place = Some(place.map_err(|error| NoLink::Other(listen.to_string(), cannot_listen(&error)))?);
                }
                Ok(self.arrive(session).await)
            }
        }
    }

    /// Waits until a whole link is there.
    async fn arrive(&mut self, session: &Session) -> Pair {
        loop {
            if let Some(whole) = self.whole.take() {
                self.api = None;
                self.event = None;
                return Pair {
                    api: whole,
                    event: None,
                };
            }
            if let (Some(_), Some(_)) = (&self.api, &self.event)
                && let Some(api) = self.api.take()
            {
                return Pair {
                    api,
                    event: self.event.take(),
                };
            }
            tokio::select! {
                half = self.newer() => self.take(half),
                () = sleep(session.settings.pace.late) => self.nobody_came(session).await,
            }
        }
    }

    async fn nobody_came(&self, session: &Session) {
        let turned_away = self.place.as_ref().and_then(Place::turned_away);
        let half = match (&self.api, &self.event) {
            (None, None) => None,
            (_, None) => Some(Role::Api),
            (_, Some(_)) => Some(Role::Event),
        };
        let state = if let Some(why) = turned_away {
            SessionState::NeedsOperator(Need::Attention(why))
        } else if let Some(came) = half {
            SessionState::Degraded(door::half_alone(came))
        } else {
            let Reach::Listen { listen, .. } = &session.settings.reach else {
                return;
            };
            SessionState::Degraded(format!(
                "no OneBot program has connected to ws://{listen}: start it and switch its WebSocket client (reverse) on"
            ))
        };
        session.set_state(state).await;
    }

    /// The next socket that arrives; never, where we connect.
    pub(super) async fn newer(&mut self) -> Half {
        if let Some(place) = &mut self.place
            && let Some(arrival) = place.arrivals.recv().await
        {
            return Half(arrival);
        }
        std::future::pending().await
    }

    /// Takes back what is left of a link when a newer socket came.
    pub(super) fn replace(&mut self, old: Pair, newer: Half) {
        if let Some(event) = old.event {
            self.api = Some(old.api);
            self.event = Some(event);
        }
        self.take(newer);
    }

    fn take(&mut self, Half(Arrival { role, socket }): Half) {
        match role {
            Role::Universal => self.whole = Some(socket),
            Role::Api => self.api = Some(socket),
            Role::Event => self.event = Some(socket),
        }
    }
}

fn cannot_listen(error: &io::Error) -> String {
    format!("cannot listen there: {error}; choose another `listen` or end the program that has the port")
}
