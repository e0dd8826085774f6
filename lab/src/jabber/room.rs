//! What a client does in a room (XEP-0045): join, talk, leave. The join is read in the order of its section 7.1 and nothing of
//! it is judged here.

use std::fmt;

use anyhow::bail;
use minidom::Element;
use tokio::time::Instant;

use super::stanza::{Stanza, escape, ns};
use super::{Jabber, fresh_id};

/// All that a room sent from the request to the subject.
pub struct Join {
    /// The id of the request.
    pub id: String,
    /// The occupants' presences before our own.
    pub presences: Vec<Element>,
    /// Our own presence, the one with status 110.
    pub self_presence: Element,
    /// Messages between our presence and the subject.
    pub history: Vec<Element>,
    /// The message with the subject and no body.
    pub subject: Element,
    /// What fits nowhere: presences after our own or of the room itself (ejabberd sends one first), notices before it.
    pub others: Vec<Element>,
}

impl fmt::Debug for Join {
    /// The stanzas as XML, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.presences.iter().chain([&self.self_presence]);
        for stanza in before.chain(&self.history).chain([&self.subject]) {
            writeln!(f, "{}", stanza.xml())?;
        }
        self.others
            .iter()
            .try_for_each(|stanza| writeln!(f, "elsewhere: {}", stanza.xml()))
    }
}

impl Join {
    /// The nicks of the others.
    pub fn nicks(&self) -> Vec<&str> {
        self.presences.iter().map(Stanza::nick).collect()
    }

    /// The bodies of the history.
    pub fn bodies(&self) -> Vec<String> {
        self.history.iter().filter_map(Stanza::body).collect()
    }
}

impl Jabber {
    /// Joins without history wishes. A refusal is an error here; see [`join_refused`](Self::join_refused).
    pub async fn join(&mut self, room: &str, nick: &str) -> anyhow::Result<Join> {
        self.join_with(room, nick, "").await
    }

    /// Joins with XML inside the `<x/>` of the request: `<history maxstanzas='0'/>`, `<password>…</password>`.
    pub async fn join_with(&mut self, room: &str, nick: &str, inside: &str) -> anyhow::Result<Join> {
        match self.request_join(room, nick, inside).await? {
            Ok(join) => Ok(join),
            Err(refusal) => bail!("{}: {room} refused the join: {}", self.jid, refusal.xml()),
        }
    }

    /// Asks to join and returns the room's refusal; it is an error when the room lets us in.
    pub async fn join_refused(&mut self, room: &str, nick: &str, inside: &str) -> anyhow::Result<Element> {
        match self.request_join(room, nick, inside).await? {
            Ok(join) => bail!(
                "{}: {room} did not refuse the join: {}",
                self.jid,
                join.self_presence.xml()
            ),
            Err(refusal) => Ok(refusal),
        }
    }

    async fn request_join(&mut self, room: &str, nick: &str, inside: &str) -> anyhow::Result<Result<Join, Element>> {
        // What came before the request is not part of the join.
        self.inbox = self.take_all().into();
        let id = fresh_id();
        let to = escape(&format!("{room}/{nick}"));
        self.send(format!(
            "<presence id='{id}' to='{to}'><x xmlns='{}'>{inside}</x></presence>",
            ns::MUC
        ))
        .await?;

        let (mut presences, mut history, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let mut self_presence = None;
        let end = Instant::now() + self.limit;
        let what = format!("complete join of {room} as {nick}");
        loop {
            let stanza = self.arrival(end, &what).await?;
            if stanza.bare_from() != room || stanza.name() == "iq" {
                self.keep(stanza)?;
                continue;
            }
            match (stanza.name(), self_presence.take()) {
                ("presence", None) if stanza.kind() == "error" && stanza.id() == id => return Ok(Err(stanza)),
                ("presence", None) if stanza.kind().is_empty() && stanza.has_status(110) => {
                    self_presence = Some(stanza);
                }
                ("presence", None) if stanza.kind().is_empty() && !stanza.nick().is_empty() => presences.push(stanza),
                ("message", Some(own)) if stanza.subject().is_some() && stanza.body().is_none() => {
                    return Ok(Ok(Join {
                        id,
                        presences,
                        self_presence: own,
                        history,
                        subject: stanza,
                        others,
                    }));
                }
                ("message", Some(own)) => {
                    self_presence = Some(own);
                    history.push(stanza);
                }
                (_, own) => {
                    self_presence = own;
                    others.push(stanza);
                }
            }
        }
    }

    /// Accepts the default configuration of a room that we created (XEP-0045, section 10.1.2); ejabberd keeps others out until then.
    pub async fn unlock(&mut self, room: &str) -> anyhow::Result<()> {
        let form =
            "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>";
        let answer = self.iq(room, "set", form).await?;
        if answer.kind() != "result" {
            bail!(
                "{}: {room} refused its default configuration: {}",
                self.jid,
                answer.xml()
            );
        }
        Ok(())
    }

    /// Says something in a room and returns the id of the message, without waiting for its reflection.
    pub async fn say(&mut self, room: &str, body: &str) -> anyhow::Result<String> {
        self.say_with(room, body, "").await
    }

    /// As [`say`](Self::say), with further XML in the message.
    pub async fn say_with(&mut self, room: &str, body: &str, more: &str) -> anyhow::Result<String> {
        let id = fresh_id();
        let (to, body) = (escape(room), escape(body));
        self.send(format!(
            "<message type='groupchat' to='{to}' id='{id}'><body>{body}</body>{more}</message>"
        ))
        .await?;
        Ok(id)
    }

    /// Waits for a message of the room with exactly this body.
    pub async fn wait_body(&mut self, room: &str, body: &str) -> anyhow::Result<Element> {
        let wanted = |el: &Element| {
            el.name() == "message"
                && el.kind() == "groupchat"
                && el.bare_from() == room
                && el.body().as_deref() == Some(body)
        };
        self.wait(wanted, &format!("message {body:?} in {room}")).await
    }

    /// Waits for a presence of exactly this address, of whatever type.
    pub async fn wait_presence(&mut self, from: &str) -> anyhow::Result<Element> {
        let wanted = |el: &Element| el.name() == "presence" && el.from() == from;
        self.wait(wanted, &format!("presence of {from}")).await
    }

    /// Leaves a room and waits for the room's word that we did: the unavailable presence with status 110.
    pub async fn leave(&mut self, room: &str, nick: &str) -> anyhow::Result<Element> {
        let to = escape(&format!("{room}/{nick}"));
        self.send(format!("<presence type='unavailable' to='{to}'/>")).await?;
        let wanted = |el: &Element| {
            el.name() == "presence" && el.kind() == "unavailable" && el.bare_from() == room && el.has_status(110)
        };
        self.wait(wanted, &format!("own leave of {room}")).await
    }
}
