//! What is said: shown to all, kept, given to newcomers.

use minidom::Element;

use super::{Line, NS, Occupant, ROOM, Service, attr, id_of, stamp};
use crate::model::Timestamp;

impl Service {
    pub(super) fn message(&mut self, stanza: &Element) {
        let (from, to) = (attr(stanza, "from"), attr(stanza, "to"));
        if stanza.attr("type") != Some("groupchat") {
            let nick = to.split_once('/').map(|(_, nick)| nick.to_owned()).unwrap_or_default();
            let body = stanza.get_child("body", NS).map(Element::text).unwrap_or_default();
            self.whispers.push((nick, body));
            return;
        }
        if let Some((kind, condition)) = self.conduct.refuse_words.pop_front() {
            return self.refuse(stanza, kind, condition);
        }
        if let Some((text, condition)) = self.conduct.refuse_text
            && String::from(stanza).contains(text)
        {
            return self.refuse(stanza, "cancel", condition);
        }
        if self.conduct.lose > 0 {
            self.conduct.lose -= 1;
            return;
        }
        let Some(who) = self.by_jid(&from).cloned() else {
            return self.refuse(stanza, "modify", "not-acceptable");
        };
        if who.role == "visitor" {
            return self.refuse(stanza, "auth", "forbidden");
        }
        let lines = stanza
            .get_child("body", NS)
            .map_or(0, |body| body.text().matches('\n').count());
        if !self.pays(&from, 1.0 + f64::from(u16::try_from(lines).unwrap_or(u16::MAX))) {
            return self.refuse(stanza, "wait", "policy-violation");
        }
        let children: String = stanza.children().map(String::from).collect();
        self.show(&who, &id_of(stanza), &children);
    }

    /// A person says something.
    pub(in super::super) fn says(&mut self, nick: &str, body: &str) -> String {
        self.sends(nick, &format!("<body>{body}</body>"))
    }

    /// A person sends a message with these children; the stanza-id that it got.
    pub(in super::super) fn sends(&mut self, nick: &str, children: &str) -> String {
        let who = self.by_nick(nick).cloned().expect("an occupant");
        let id = format!(" id='p-{}'", self.next_serial());
        self.show(&who, &id, children)
    }

    /// The same, under an id of theirs.
    pub(in super::super) fn sends_as(&mut self, nick: &str, id: &str, children: &str) {
        let who = self.by_nick(nick).cloned().expect("an occupant");
        self.show(&who, &format!(" id='{id}'"), children);
    }

    /// Shows a message to everybody; `id` as an attribute.
    pub(in super::super) fn show(&mut self, who: &Occupant, id: &str, children: &str) -> String {
        let nick = &who.nick;
        let stanza_id = format!("s{}", self.next_serial());
        let by_room = if self.conduct.stanza_ids {
            format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='{stanza_id}'/>")
        } else {
            String::new()
        };
        let oid = self.occupant_id(&who.jid);
        let message = super::parse(&format!(
            "<message type='groupchat' from='{ROOM}/{nick}'{id}>{children}{by_room}{oid}</message>"
        ));
        self.show_line(Line {
            nick: nick.clone(),
            jid: who.jid.clone(),
            stanza_id: stanza_id.clone(),
            time: self.now.minus(self.conduct.behind),
            message,
        });
        stanza_id
    }

    fn show_line(&mut self, line: Line) {
        if self.conduct.silent || self.conduct.down {
            // What cannot be delivered comes back to the room, and it puts out who does not take it.
            self.forget();
        }
        let hidden = line.is_ours() && self.conduct.hide > 0;
        if hidden {
            self.conduct.hide -= 1;
        } else if let Some(listener) = self.listener() {
            self.send_line(&line, &listener.jid, "");
        }
        self.lines.push(line);
    }

    fn send_line(&mut self, line: &Line, to: &str, more: &str) {
        let children: String = line.message.children().map(String::from).collect();
        let (from, id) = (attr(&line.message, "from"), id_of(&line.message));
        self.send(&format!(
            "<message type='groupchat' from='{from}' to='{to}'{id}>{children}{more}</message>"
        ));
    }

    /// The room itself says something.
    pub(in super::super) fn room_says(&mut self, children: &str) {
        let stanza_id = format!("s{}", self.next_serial());
        let message = super::parse(&format!(
            "<message type='groupchat' from='{ROOM}'>{children}<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' \
             id='{stanza_id}'/></message>"
        ));
        self.show_line(Line {
            nick: String::new(),
            jid: ROOM.into(),
            stanza_id,
            time: self.now.minus(self.conduct.behind),
            message,
        });
    }

    /// What a newcomer gets of the past.
    pub(super) fn history(&mut self, x: &Element) {
        let wanted = x.get_child("history", "http://jabber.org/protocol/muc");
        let most = wanted
            .and_then(|w| w.attr("maxstanzas")?.parse().ok())
            .unwrap_or(usize::MAX);
        let since = wanted.and_then(|w| time(w.attr("since")?));
        let most = most.min(self.conduct.history);
        let listener = self.listener().expect("it just entered").jid;
        let fits = |line: &&Line| since.is_none_or(|since| line.time >= since);
        let lines: Vec<Line> = self.lines.iter().rev().take(most).filter(fits).cloned().collect();
        for line in lines.into_iter().rev() {
            let delay = format!(
                "<delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='{}'/>",
                stamp(line.time)
            );
            self.send_line(&line, &listener, &delay);
        }
    }
}

pub(super) fn time(text: &str) -> Option<Timestamp> {
    let time: xmpp_parsers::date::DateTime = text.parse().ok()?;
    Some(Timestamp(time.0.timestamp_millis()))
}
