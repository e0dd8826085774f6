//! Somebody with a Jabber client in all the rooms: a task that enters, listens, speaks, is cut off, comes back and reads up, as
//! clients do, and notes all that it sees. It knows nothing of what is done to the others.

mod hears;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lab::Jabber;
use lab::jabber::{Account, escape, fresh_id, ns};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::journal::{Book, Mark, Said};
use crate::place::{PATIENCE, Place, QUIET, State};
use crate::rooms::{Host, Room};

/// How often the client looks at what has come.
const LOOKS: Duration = Duration::from_millis(15);
/// A message that did not come back is said again after so long, by those who do that.
const REPEATS_AFTER: Duration = Duration::from_secs(5);
const MOST_SENT: usize = 3;
/// The history that is asked for begins so long before the break.
const OVERLAP: Duration = Duration::from_secs(10);

/// What a person is asked to do.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Say(Mark),
    Leave(usize),
    Enter(usize),
    /// The connection breaks, and is made anew after so long.
    Break(Duration),
    /// The client neither reads nor answers.
    Sleep,
    Wake,
}

/// Who it is.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) number: usize,
    pub(crate) user: String,
    pub(crate) nick: String,
    /// The server, or a wire to it.
    pub(crate) address: SocketAddr,
    /// Says again what did not come back, and enters again after an error.
    pub(crate) insists: bool,
}

/// See the module.
pub(crate) struct Person {
    who: Who,
    rooms: Arc<Vec<Room>>,
    book: Book,
    orders: mpsc::Receiver<Order>,
    client: Option<Jabber>,
    places: Vec<Place>,
    asleep: bool,
    /// No connection before then.
    away: Instant,
    /// What was said and has not come back: when it was last sent.
    open: HashMap<Mark, Instant>,
}

impl Person {
    /// Begins to be there. The other end gives orders.
    pub(crate) fn start(who: Who, rooms: Arc<Vec<Room>>, book: Book) -> mpsc::Sender<Order> {
        let (sender, orders) = mpsc::channel(256);
        let places = rooms.iter().map(|_| Place::new()).collect();
        let person = Self {
            who,
            rooms,
            book,
            orders,
            client: None,
            places,
            asleep: false,
            away: Instant::now(),
            open: HashMap::new(),
        };
        tokio::spawn(person.run());
        sender
    }

    /// Until nobody gives orders any more.
    async fn run(mut self) {
        loop {
            loop {
                match self.orders.try_recv() {
                    Ok(order) => self.obey(order).await,
                    Err(mpsc::error::TryRecvError::Empty) => break,
                    Err(mpsc::error::TryRecvError::Disconnected) => return,
                }
            }
            if !self.asleep {
                self.live().await;
            }
            sleep(LOOKS).await;
        }
    }

    async fn live(&mut self) {
        let Some(client) = &mut self.client else {
            return self.connect().await;
        };
        let news = client.take_all();
        let ended = client.ended().is_some();
        for stanza in news {
            self.take(&stanza);
        }
        if ended {
            return self.gone();
        }
        for room in 0..self.rooms.len() {
            self.tend(room).await;
        }
        self.repeat().await;
    }

    async fn connect(&mut self) {
        if Instant::now() < self.away {
            return;
        }
        let account = Account {
            address: std::net::Ipv4Addr::LOCALHOST,
            port: self.who.address.port(),
            domain: "localhost".to_owned(),
            user: self.who.user.clone(),
            password: self.who.user.clone(),
            resource: "phone".to_owned(),
        };
        let login = tokio::time::timeout(PATIENCE, Jabber::log_in(&account)).await;
        self.away = Instant::now() + Duration::from_millis(500);
        let Ok(Ok(mut client)) = login else { return };
        client.set_limit(Duration::from_secs(5));
        if client.come_online().await.is_ok() {
            self.client = Some(client);
        }
    }

    /// The connection is no more.
    fn gone(&mut self) {
        self.client = None;
        for place in &mut self.places {
            place.out();
            place.after = Instant::now();
        }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Say(mark) => self.say(mark).await,
            Order::Leave(room) => {
                self.places[room].wanted = false;
                let to = escape(&format!("{}/{}", self.rooms[room].jid, self.who.nick));
                self.send(&format!("<presence type='unavailable' to='{to}'/>")).await;
            }
            Order::Enter(room) => self.places[room].wanted = true,
            Order::Break(time) => {
                if let Some(client) = self.client.take() {
                    let _ = client.abort().await;
                }
                self.gone();
                self.away = Instant::now() + time;
            }
            Order::Sleep => {
                self.asleep = true;
                if let Some(client) = &mut self.client {
                    client.set_answers_pings(false);
                }
            }
            Order::Wake => {
                self.asleep = false;
                if let Some(client) = &mut self.client {
                    client.set_answers_pings(true);
                }
                // As a client does that comes back to itself: is everything as it was?
                for place in &mut self.places {
                    place.heard = Instant::now().checked_sub(QUIET).unwrap_or_else(Instant::now);
                }
            }
        }
    }

    async fn send(&mut self, xml: &str) {
        let Some(client) = &mut self.client else { return };
        if client.send(xml).await.is_err() {
            self.gone();
        }
    }

    /// What a place needs now: an entry, a page of the archive, a question whether one is still there.
    async fn tend(&mut self, number: usize) {
        let (now, jid, nick) = (Instant::now(), self.rooms[number].jid.clone(), self.who.nick.clone());
        let place = &mut self.places[number];
        let xml = match &place.state {
            State::Out | State::Asking(_) | State::Reading if place.wanted && now >= place.after => {
                let since = place.solid.as_ref().map(|_| {
                    let quiet = now.saturating_duration_since(place.heard) + OVERLAP;
                    humantime::format_rfc3339_seconds(SystemTime::now() - quiet).to_string()
                });
                Some(place.request(&jid, &nick, since.as_deref()))
            }
            State::In if place.behind && now >= place.after => match place.catching {
                Some((_, asked)) if now.duration_since(asked) < PATIENCE => None,
                _ => Some(place.page(&jid)),
            },
            State::In if now.saturating_duration_since(place.heard) >= QUIET => {
                let id = fresh_id();
                place.heard = now;
                place.ping = Some(id.clone());
                let to = escape(&format!("{jid}/{nick}"));
                Some(format!(
                    "<iq type='get' id='{id}' to='{to}'><ping xmlns='{}'/></iq>",
                    ns::PING
                ))
            }
            _ => None,
        };
        if let Some(xml) = xml {
            self.send(&xml).await;
        }
    }

    async fn say(&mut self, mark: Mark) {
        // Who is not there says nothing.
        if self.client.is_none() || self.asleep || self.places[mark.room].state != State::In {
            return;
        }
        let id = fresh_id();
        {
            let mut journal = self.book.open();
            let sent = vec![journal.now()];
            let said = Said {
                person: self.who.number,
                id: id.clone(),
                sent,
                reflected: None,
                errors: Vec::new(),
            };
            journal.said.insert(mark, said);
        }
        self.open.insert(mark, Instant::now());
        self.write(mark, &id).await;
    }

    async fn write(&mut self, mark: Mark, id: &str) {
        let to = escape(&self.rooms[mark.room].jid);
        self.send(&format!(
            "<message type='groupchat' to='{to}' id='{id}'><body>{mark} 早</body><origin-id xmlns='{}' id='{id}'/></message>",
            ns::SID
        ))
        .await;
    }

    /// Says again what did not come back, in rooms whose host knows repetitions: a MUC of others shows them as what they are, two
    /// messages, and so they are two on QQ.
    async fn repeat(&mut self) {
        self.open.retain(|_, at| at.elapsed() < Duration::from_secs(120));
        if !self.who.insists {
            return;
        }
        let late = |(mark, at): (&Mark, &Instant)| {
            let there = self.places[mark.room].state == State::In && self.rooms[mark.room].host == Host::Gateway;
            (there && at.elapsed() >= REPEATS_AFTER).then_some(*mark)
        };
        let mut late: Vec<Mark> = self.open.iter().filter_map(late).collect();
        late.sort_unstable();
        for mark in late {
            let id = {
                let mut journal = self.book.open();
                let now = journal.now();
                journal.said.get_mut(&mark).and_then(|said| {
                    (said.sent.len() < MOST_SENT).then(|| {
                        said.sent.push(now);
                        said.id.clone()
                    })
                })
            };
            match id {
                Some(id) => {
                    self.open.insert(mark, Instant::now());
                    self.write(mark, &id).await;
                }
                None => {
                    self.open.remove(&mark);
                }
            }
        }
    }
}
