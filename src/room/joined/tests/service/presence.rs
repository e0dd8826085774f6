//! Who enters, leaves, is renamed and removed.

use minidom::Element;

use super::{Occupant, ROOM, Service, attr, id_of};
use crate::model::nick::fold;

impl Service {
    pub(super) fn presence(&mut self, stanza: &Element) {
        let (from, to) = (attr(stanza, "from"), attr(stanza, "to"));
        let nick = to.split_once('/').map(|(_, nick)| nick.to_owned()).unwrap_or_default();
        match stanza.attr("type") {
            Some("unavailable") => {
                if self.by_jid(&from).is_some() {
                    self.comings.push(format!("-{nick}"));
                }
                self.remove(&from, &[], "", "");
                // Nothing persists here that nobody is in.
                self.conduct.exists = !self.occupants.is_empty();
            }
            Some(_) => {}
            None => {
                let x = stanza.get_child("x", "http://jabber.org/protocol/muc");
                match (x, self.by_jid(&from).cloned()) {
                    (Some(x), _) => self.join(stanza, &from, &nick, x),
                    (None, Some(occupant)) if occupant.nick != nick => self.rename(stanza, &occupant, &nick),
                    _ => {}
                }
            }
        }
    }

    fn join(&mut self, stanza: &Element, from: &str, nick: &str, x: &Element) {
        if let Some((kind, condition)) = self.conduct.refuse_joins.pop_front() {
            return self.refuse(stanza, kind, condition);
        }
        let affiliation = self.affiliation(from);
        let known = self.by_jid(from).cloned();
        let created = !std::mem::replace(&mut self.conduct.exists, true);
        let taken = self
            .occupants
            .iter()
            .any(|o| o.jid != from && fold(&o.nick) == fold(nick));
        let password = x
            .get_child("password", "http://jabber.org/protocol/muc")
            .map(Element::text);
        let right = self
            .conduct
            .password
            .is_none_or(|wanted| password.as_deref() == Some(wanted));
        let long = self
            .conduct
            .longest_nick
            .is_some_and(|max| nick.len() > max && affiliation == "none");
        let refusal = if affiliation == "outcast" {
            Some(("auth", "forbidden"))
        } else if self.conduct.members_only && affiliation == "none" {
            Some(("auth", "registration-required"))
        } else if !right {
            Some(("auth", "not-authorized"))
        } else if long {
            Some(("modify", "policy-violation"))
        } else if taken {
            Some(("cancel", "conflict"))
        } else if known.is_none() && self.occupants.len() >= self.conduct.most_occupants {
            Some(("wait", "service-unavailable"))
        } else if !self.pays(from, 1.0) {
            Some(("wait", "policy-violation"))
        } else {
            None
        };
        if let Some((kind, condition)) = refusal {
            return self.refuse(stanza, kind, condition);
        }
        let role = if self.conduct.moderated && affiliation == "none" {
            "visitor"
        } else {
            "participant"
        };
        let name = stanza
            .get_child("nick", "http://jabber.org/protocol/nick")
            .map(Element::text);
        self.occupants.retain(|o| o.jid != from);
        let occupant = Occupant {
            nick: nick.into(),
            jid: from.into(),
            role,
            name,
        };
        self.occupants.push(occupant.clone());
        self.comings.push(format!("+{nick}"));
        if self.conduct.mute_joins > 0 {
            self.conduct.mute_joins -= 1;
            return self.announce(&occupant);
        }
        if occupant.is_listener() {
            for other in self.occupants.clone().iter().filter(|o| o.jid != from) {
                self.announce(other);
            }
        } else {
            self.announce(&occupant);
        }
        self.self_presence(
            &occupant,
            &id_of(stanza),
            if created { "<status code='201'/>" } else { "" },
        );
        if occupant.is_listener() {
            self.history(x);
            self.send(&format!(
                "<message type='groupchat' from='{ROOM}' to='{from}'><subject/></message>"
            ));
        }
    }

    fn self_presence(&mut self, occupant: &Occupant, id: &str, more: &str) {
        let (jid, nick) = (&occupant.jid, &occupant.nick);
        let (affiliation, role, oid) = (self.affiliation(jid), occupant.role, self.occupant_id(jid));
        self.send(&format!(
            "<presence from='{ROOM}/{nick}' to='{jid}'{id}><x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='{affiliation}' role='{role}' jid='{jid}'/>{more}<status code='110'/></x>{oid}</presence>"
        ));
    }

    /// The listener sees somebody.
    pub(in super::super) fn announce(&mut self, other: &Occupant) {
        let Some(listener) = self.listener().filter(|listener| listener.jid != other.jid) else {
            return;
        };
        let (to, nick) = (listener.jid, &other.nick);
        let (affiliation, role, oid) = (self.affiliation(&other.jid), other.role, self.occupant_id(&other.jid));
        let jid = self.jid_for_listener(&other.jid);
        self.send(&format!(
            "<presence from='{ROOM}/{nick}' to='{to}'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='{affiliation}' role='{role}'{jid}/></x>{oid}</presence>"
        ));
    }

    fn jid_for_listener(&self, jid: &str) -> String {
        let shows = self.conduct.shows_jids || self.listener().is_some_and(|l| self.affiliation(&l.jid) != "none");
        if shows { format!(" jid='{jid}'") } else { String::new() }
    }

    fn rename(&mut self, stanza: &Element, old: &Occupant, nick: &str) {
        if self.by_nick(nick).is_some() {
            return self.refuse(stanza, "cancel", "conflict");
        }
        let new = Occupant {
            nick: nick.into(),
            ..old.clone()
        };
        self.gone(old, &[303], &format!(" nick='{nick}'"), "");
        for occupant in &mut self.occupants {
            if occupant.jid == old.jid {
                *occupant = new.clone();
            }
        }
        self.announce(&new);
        self.self_presence(&new, &id_of(stanza), "");
    }

    /// Everybody of ours whom it concerns hears that somebody goes.
    fn gone(&mut self, who: &Occupant, codes: &[u16], attributes: &str, inside: &str) {
        let statuses: Vec<String> = codes.iter().map(|code| format!("<status code='{code}'/>")).collect();
        let statuses = statuses.concat();
        let nick = &who.nick;
        let oid = self.occupant_id(&who.jid);
        let mut to: Vec<(String, &str)> = Vec::new();
        if who.is_ours() {
            to.push((who.jid.clone(), "<status code='110'/>"));
        }
        to.extend(self.listener().filter(|l| l.jid != who.jid).map(|l| (l.jid, "")));
        for (to, own) in to {
            let (item, beside) = if inside.contains("<destroy") {
                ("", inside)
            } else {
                (inside, "")
            };
            self.send(&format!(
                "<presence type='unavailable' from='{ROOM}/{nick}' to='{to}'><x xmlns='http://jabber.org/protocol/muc#user'>\
                 <item affiliation='none' role='none'{attributes}>{item}</item>{beside}{statuses}{own}</x>{oid}</presence>"
            ));
        }
    }

    /// Somebody is out, for these reasons.
    pub(in super::super) fn remove(&mut self, jid: &str, codes: &[u16], actor: &str, reason: &str) {
        let Some(who) = self.by_jid(jid).cloned() else { return };
        let mut inside = String::new();
        if !actor.is_empty() {
            inside = format!("<actor nick='{actor}'/><reason>{reason}</reason>");
        }
        self.gone(&who, codes, "", &inside);
        self.occupants.retain(|o| o.jid != jid);
    }

    /// A moderator puts somebody out by nick; `301` bans.
    pub(in super::super) fn expel(&mut self, nick: &str, code: u16) {
        let Some(jid) = self.by_nick(nick).map(|o| o.jid.clone()) else {
            return;
        };
        if code == 301 {
            let bare = jid.split('/').next().unwrap_or_default().to_owned();
            self.affiliations.insert(bare, "outcast");
        }
        self.remove(&jid, &[code], "Mod", "too loud");
    }

    /// The room is destroyed; puppets hear of it before the listener.
    pub(in super::super) fn destroy(&mut self, to: &str) {
        self.conduct.exists = false;
        let mut all = std::mem::take(&mut self.occupants);
        all.sort_by_key(Occupant::is_listener);
        self.occupants.clone_from(&all);
        for who in all.iter().filter(|o| o.is_ours()) {
            self.gone(who, &[], "", &format!("<destroy jid='{to}'/>"));
            self.occupants.retain(|o| o.jid != who.jid);
        }
        self.occupants.clear();
    }

    /// Everybody of ours is put out, the puppets first.
    pub(in super::super) fn shut_down(&mut self, code: u16) {
        let mut all: Vec<Occupant> = self.occupants.iter().filter(|o| o.is_ours()).cloned().collect();
        all.sort_by_key(Occupant::is_listener);
        for who in all {
            self.remove(&who.jid, &[code], "", "");
        }
    }

    /// Loses everybody of ours without a word, as after a crash.
    pub(in super::super) fn forget(&mut self) {
        self.occupants.retain(|o| !o.is_ours());
    }

    /// A person enters.
    pub(in super::super) fn person(&mut self, nick: &str) {
        let jid = format!("{}@ex.org/x", nick.to_lowercase().replace(' ', "-"));
        let occupant = Occupant {
            nick: nick.into(),
            jid,
            role: "participant",
            name: None,
        };
        self.occupants.push(occupant.clone());
        self.announce(&occupant);
    }
}
