//! Somebody with a Jabber client in all the rooms: a task that enters, listens, speaks, is cut off, comes back and reads up, as
//! clients do, and notes all that it sees. It knows nothing of what is done to the others.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lab::Jabber;
use lab::jabber::{Account, Stanza as _, escape, fresh_id, ns};
use minidom::Element;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::journal::{Book, How, Mark, Said, Side, Sight, Told};
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

    fn take(&mut self, stanza: &Element) {
        let from = stanza.bare_from().to_owned();
        let Some(number) = self.rooms.iter().position(|room| room.jid == from) else {
            return;
        };
        match (stanza.name(), stanza.kind()) {
            ("presence", _) => self.presence(number, stanza),
            ("message", "error") => self.refused(number, stanza),
            ("message", "groupchat") => self.heard(number, stanza),
            ("message", _) => self.aside(number, stanza),
            ("iq", "result" | "error") => self.answered(number, stanza),
            _ => {}
        }
    }

    fn presence(&mut self, number: usize, stanza: &Element) {
        let place = &mut self.places[number];
        match stanza.kind() {
            "error" if matches!(&place.state, State::Asking(id) if id == stanza.id()) => place.out(),
            "unavailable" if stanza.has_status(110) => place.out(),
            "" if stanza.has_status(110) && matches!(place.state, State::Asking(_)) => {
                place.state = State::Reading;
                place.stay += 1;
            }
            _ => {}
        }
    }

    fn heard(&mut self, number: usize, stanza: &Element) {
        let room = &self.rooms[number].jid;
        let Some(body) = stanza.body() else {
            let place = &mut self.places[number];
            if stanza.subject().is_some() && place.state == State::Reading {
                place.state = State::In;
                place.heard = Instant::now();
                place.after = Instant::now();
                place.behind = place.solid.is_some();
                place.newest = None;
            }
            return;
        };
        let id = stanza.stanza_id(room).unwrap_or_default().to_owned();
        let how = match self.places[number].state {
            State::Reading => How::History,
            State::In => How::Live,
            State::Out | State::Asking(_) => How::Stray,
        };
        let place = &mut self.places[number];
        if how == How::Live {
            place.heard = Instant::now();
            place.ping = None;
            if !id.is_empty() {
                place.newest = Some(id.clone());
                if !place.behind {
                    place.solid = Some(id.clone());
                }
            }
        } else if how == How::History && place.solid.is_none() && !id.is_empty() {
            // The first stay: what was before it is nobody's concern.
            place.solid = Some(id.clone());
        }
        self.sight(number, how, id, body, stanza);
    }

    fn sight(&mut self, number: usize, how: How, id: String, body: String, message: &Element) {
        let mark = Mark::find(&body);
        let mut journal = self.book.open();
        let at = journal.now();
        if let Some(mark) = mark.filter(|mark| mark.side == Side::Xmpp)
            && let Some(said) = journal.said.get_mut(&mark)
            && said.person == self.who.number
        {
            said.reflected.get_or_insert(at);
            self.open.remove(&mark);
        }
        journal.sights[self.who.number][number].push(Sight {
            stay: self.places[number].stay,
            how,
            id,
            mark,
            text: if mark.is_some() { String::new() } else { body },
            delayed: message.delay().is_some(),
            at,
        });
    }

    /// An error about a message of ours: the server's, the room's, or the gateway's word on what became of it.
    fn refused(&mut self, number: usize, stanza: &Element) {
        let condition = stanza.error_condition().unwrap_or_default().to_owned();
        let text = stanza.error_text().unwrap_or_default();
        {
            let mut journal = self.book.open();
            let at = journal.now();
            let (person, id) = (self.who.number, stanza.id().to_owned());
            let said = journal
                .said
                .values_mut()
                .find(|said| said.person == person && said.id == id);
            if let Some(said) = said {
                said.errors.push(Told {
                    at,
                    condition: condition.clone(),
                    text: text.clone(),
                });
            }
        }
        let place = &mut self.places[number];
        let not_there = condition == "not-acceptable";
        let unreachable = matches!(
            &*condition,
            "remote-server-timeout" | "service-unavailable" | "remote-server-not-found"
        );
        if place.state == State::In && (not_there || unreachable && self.who.insists && text.is_empty()) {
            place.out();
        }
    }

    /// A word to this person alone, as the visitors of a room say it.
    fn aside(&mut self, number: usize, stanza: &Element) {
        if let Some(result) = stanza.child("result", ns::MAM) {
            return self.archived(number, stanza, result);
        }
        if let Some(text) = stanza.body() {
            let mut journal = self.book.open();
            let at = journal.now();
            journal.whispers[self.who.number][number].push(Told {
                at,
                condition: String::new(),
                text,
            });
        }
    }

    fn archived(&mut self, number: usize, stanza: &Element, result: &Element) {
        let asked = self.places[number].catching.as_ref().map(|(id, _)| id.as_str());
        if asked != result.attr("queryid") {
            return;
        }
        let id = result.attr("id").unwrap_or_default().to_owned();
        let way = [("result", ns::MAM), ("forwarded", ns::FORWARD), ("message", ns::CLIENT)];
        if let Some(body) = stanza.descend(&way).and_then(lab::jabber::Stanza::body) {
            self.sight(number, How::Archive, id, body, stanza);
        }
    }

    fn answered(&mut self, number: usize, stanza: &Element) {
        let place = &mut self.places[number];
        if place.catching.as_ref().is_some_and(|(id, _)| id == stanza.id()) {
            place.paged(stanza);
        } else if place.ping.as_deref() == Some(stanza.id()) {
            place.ping = None;
            if stanza.error_condition() == Some("not-acceptable") {
                place.out();
            }
        }
    }
}
