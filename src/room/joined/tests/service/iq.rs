//! Requests: what the room can do, its archive, its lists.

use minidom::Element;

use super::{Line, NS, ROOM, Service, attr, stamp, talk::time};

const MAM: &str = "urn:xmpp:mam:2";
const RSM: &str = "http://jabber.org/protocol/rsm";
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
const DISCO: &str = "http://jabber.org/protocol/disco#info";

impl Service {
    pub(super) fn iq(&mut self, stanza: &Element) {
        let Some(payload) = stanza.children().next() else {
            return;
        };
        match (payload.name(), payload.ns().as_str()) {
            ("query", DISCO) if !self.conduct.exists => self.refuse(stanza, "cancel", "item-not-found"),
            ("query", DISCO) => {
                let mam = if self.conduct.archive {
                    "<feature var='urn:xmpp:mam:2'/>"
                } else {
                    ""
                };
                self.answer(stanza, &format!("<query xmlns='{DISCO}'>{mam}</query>"));
            }
            ("ping", _) => {
                if self.by_jid(&attr(stanza, "from")).is_some() {
                    self.answer(stanza, "");
                } else {
                    self.refuse(stanza, "cancel", "not-acceptable");
                }
            }
            ("query", MAM) if !self.conduct.archive => self.refuse(stanza, "cancel", "service-unavailable"),
            ("query", MAM) if self.conduct.refuse_archive || self.by_jid(&attr(stanza, "from")).is_none() => {
                self.refuse(stanza, "auth", "forbidden");
            }
            ("query", MAM) => self.page(stanza, payload),
            ("query", ADMIN) => self.affiliate(stanza, payload),
            _ => self.answer(stanza, ""),
        }
    }

    fn answer(&mut self, stanza: &Element, payload: &str) {
        let (from, to, id) = (attr(stanza, "to"), attr(stanza, "from"), attr(stanza, "id"));
        self.send(&format!(
            "<iq type='result' from='{from}' to='{to}' id='{id}'>{payload}</iq>"
        ));
    }

    fn affiliate(&mut self, stanza: &Element, query: &Element) {
        let by = self.affiliation(&attr(stanza, "from"));
        if self.conduct.refuse_grants || !["owner", "admin"].contains(&by) {
            return self.refuse(stanza, "auth", "forbidden");
        }
        for item in query.children() {
            assert_eq!(item.attr("affiliation"), Some("member"));
            self.affiliations.insert(attr(item, "jid"), "member");
        }
        self.answer(stanza, "");
    }

    /// A page of the archive (XEP-0313 §4).
    fn page(&mut self, stanza: &Element, query: &Element) {
        let set = query.get_child("set", RSM);
        let text = |name: &str| set.and_then(|set| Some(set.get_child(name, RSM)?.text()));
        let max = text("max")
            .and_then(|max| max.parse().ok())
            .unwrap_or(50)
            .min(self.conduct.page);
        let start = query
            .children()
            .find(|child| child.is("x", "jabber:x:data"))
            .and_then(|form| {
                let start = form.children().find(|field| field.attr("var") == Some("start"))?;
                time(&start.children().next()?.text())
            });
        let behind = match text("after") {
            None => 0,
            Some(after) => match self.lines.iter().position(|line| line.stanza_id == after) {
                Some(at) => at + 1,
                None => return self.refuse(stanza, "cancel", "item-not-found"),
            },
        };
        let all: Vec<Line> = self.lines[behind..]
            .iter()
            .filter(|line| start.is_none_or(|start| line.time >= start))
            .cloned()
            .collect();
        let (to, queryid) = (attr(stanza, "from"), attr(query, "queryid"));
        for line in all.iter().take(max) {
            let message = String::from(&line.message).replace(&format!("xmlns='{NS}'"), "xmlns='jabber:client'");
            let message = message.replace(&format!("xmlns=\"{NS}\""), "xmlns=\"jabber:client\"");
            self.send(&format!(
                "<message from='{ROOM}' to='{to}'><result xmlns='{MAM}' queryid='{queryid}' id='{}'><forwarded \
                 xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{}'/>{message}</forwarded></result></message>",
                line.stanza_id,
                stamp(line.time),
            ));
        }
        let complete = if all.len() <= max { " complete='true'" } else { "" };
        let last = all.iter().take(max).next_back();
        let last = last
            .map(|line| format!("<last>{}</last>", line.stanza_id))
            .unwrap_or_default();
        self.answer(
            stanza,
            &format!("<fin xmlns='{MAM}'{complete}><set xmlns='{RSM}'>{last}</set></fin>"),
        );
    }
}
