//! What the occupants have been told: who is in the room, as seen from inside. [`reflect`](super::reflect) alone changes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jid::{BareJid, FullJid, Jid};
use sha2::{Digest, Sha256};
use xmpp_parsers::presence::Presence;

use super::settings::Settings;
use crate::model::{MemberId, Role as QqRole, Seq, Timestamp, nick};
use crate::room::{MemberShown, ShownAs};
use crate::xmpp::Outgoing;
use crate::xmpp::payload::muc_user::{Affiliation, Role};
use crate::xmpp::render::Ids;
use crate::xmpp::render::presence::{About, Face, available};

/// An occupant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Somebody shown before a restart who is nobody now: gone as soon as that was told. Stands first, so that the store hears of
    /// them before it hears of the same person who came back.
    Former(String),
    /// A person on XMPP under a nick.
    Person(BareJid, String),
    /// A QQ member.
    Member(MemberId),
}

/// A client session in the room.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub(super) key: Key,
    pub(super) cut: Seq,
    pub(super) payload: String,
}

/// An occupant as last shown.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) face: Face,
    /// Whose presence others see, of several client sessions.
    pub(super) by: Option<FullJid>,
    pub(super) seats: BTreeSet<FullJid>,
}

/// The subject as last shown.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) nick: String,
    pub(super) text: String,
    pub(super) time: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) seats: BTreeMap<FullJid, Seat>,
    pub(super) occupants: BTreeMap<Key, Shown>,
    nicks: HashMap<String, Key>,
    pub(super) subject: Option<Subject>,
    changed: BTreeSet<Key>,
}

/// Who is told, in the three ways of telling.
#[derive(Debug, Default)]
struct Audience {
    plain: Vec<FullJid>,
    moderators: Vec<FullJid>,
    own: Vec<FullJid>,
}

impl Stage {
    pub(super) fn by_nick(&self, nick: &str) -> Option<(&Key, &Shown)> {
        let key = self.nicks.get(&nick::fold(nick))?;
        Some((key, self.occupants.get(key)?))
    }

    /// The nick that others know this client session by.
    pub(super) fn nick_of(&self, session: &FullJid) -> Option<&str> {
        let key = &self.seats.get(session)?.key;
        Some(self.occupants.get(key)?.face.nick.as_str())
    }

    /// Puts an occupant into the room, or changes how they look.
    pub(super) fn set(&mut self, key: &Key, shown: Shown) {
        self.nicks.insert(nick::fold(&shown.face.nick), key.clone());
        self.occupants.insert(key.clone(), shown);
        self.changed.insert(key.clone());
    }

    /// Takes an occupant out.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Shown> {
        let shown = self.occupants.remove(key)?;
        let fold = nick::fold(&shown.face.nick);
        if self.nicks.get(&fold) == Some(key) {
            self.nicks.remove(&fold);
            if let Some(other) = self.namesake(key, &fold) {
                self.nicks.insert(fold, other);
            }
        }
        self.changed.insert(key.clone());
        Some(shown)
    }

    /// The same person under a nick that differs in case or width alone.
    fn namesake(&self, key: &Key, fold: &str) -> Option<Key> {
        let Key::Person(who, _) = key else { return None };
        self.occupants
            .range(Key::Person(who.clone(), String::new())..)
            .map(|(other, _)| other)
            .take_while(|other| matches!(other, Key::Person(w, _) if w == who))
            .find(|other| matches!(other, Key::Person(_, nick) if nick::fold(nick) == fold))
            .cloned()
    }

    /// An occupant looks as the store knows.
    pub(super) fn unchanged(&mut self, key: &Key) {
        self.changed.remove(key);
    }

    /// The store may forget this one.
    pub(super) fn forget(&mut self, key: Key) {
        self.changed.insert(key);
    }

    /// What changed since the last call: how the occupant is shown now, or nothing when gone.
    pub(super) fn changes(&mut self, ids: &Ids) -> Vec<(String, Option<ShownAs>)> {
        std::mem::take(&mut self.changed)
            .into_iter()
            .map(|key| (key_text(ids, &key), self.occupants.get(&key).map(|s| shown_as(&s.face))))
            .collect()
    }

    /// Tells everybody about an occupant: `about` to the others, with `own` codes to their own client sessions.
    pub(super) fn tell(
        &self,
        settings: &Settings,
        key: &Key,
        render: impl Fn(&About<'_>) -> Presence,
        about: &About<'_>,
        own: &[u16],
        requester: Option<(&FullJid, Option<&str>)>,
    ) -> Vec<Outgoing> {
        let audience = self.audience(settings, key);
        let mut out = Vec::new();
        if !audience.plain.is_empty() {
            out.push(Outgoing::many(render(about), audience.plain));
        }
        let with_jid = About {
            with_jid: true,
            ..about.clone()
        };
        if !audience.moderators.is_empty() {
            out.push(Outgoing::many(render(&with_jid), audience.moderators));
        }
        let statuses: Vec<u16> = about.statuses.iter().chain(own).copied().collect();
        let (asked, rest): (Vec<_>, Vec<_>) = audience
            .own
            .into_iter()
            .partition(|session| requester.is_some_and(|(asker, _)| asker == session));
        let mut to_own = |sessions: Vec<FullJid>, id: Option<&str>| {
            if !sessions.is_empty() {
                let about = About {
                    statuses: &statuses,
                    id,
                    ..with_jid.clone()
                };
                out.push(Outgoing::many(render(&about), sessions));
            }
        };
        to_own(rest, None);
        to_own(asked, requester.and_then(|(_, id)| id));
        out
    }

    /// Everybody learns how the occupant looks now.
    pub(super) fn show(
        &self,
        settings: &Settings,
        key: &Key,
        requester: Option<(&FullJid, Option<&str>)>,
    ) -> Vec<Outgoing> {
        let Some(shown) = self.occupants.get(key) else {
            return Vec::new();
        };
        let render = |about: &About<'_>| available(&shown.face, about);
        self.tell(settings, key, render, &About::default(), &[110], requester)
    }

    fn audience(&self, settings: &Settings, key: &Key) -> Audience {
        let mut audience = Audience::default();
        for (session, seat) in &self.seats {
            let list = if seat.key == *key {
                &mut audience.own
            } else if settings.is_owner(&session.to_bare()) {
                &mut audience.moderators
            } else {
                &mut audience.plain
            };
            list.push(session.clone());
        }
        audience
    }
}

/// The key of an occupant in the store: the occupant-id, for people with the nick behind it.
pub(super) fn key_text(ids: &Ids, key: &Key) -> String {
    match key {
        Key::Person(who, nick) => format!("{}/{nick}", ids.of_person(who)),
        Key::Member(id) => ids.of_member(id),
        Key::Former(text) => text.clone(),
    }
}

/// A face as the store keeps it.
pub(super) fn shown_as(face: &Face) -> ShownAs {
    let mut digest = Sha256::new();
    for part in [face.name.as_deref().unwrap_or_default(), &face.payload] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    ShownAs {
        nick: face.nick.clone(),
        role: face.role.as_str().to_owned(),
        affiliation: face.affiliation.as_str().to_owned(),
        digest: URL_SAFE_NO_PAD.encode(&digest.finalize()[..12]),
    }
}

/// How a QQ member looks.
pub(super) fn member_face(ids: &Ids, id: &MemberId, shown: &MemberShown) -> Face {
    let affiliation = match shown.role {
        QqRole::Owner => Affiliation::Owner,
        QqRole::Admin => Affiliation::Admin,
        QqRole::Member => Affiliation::Member,
    };
    let jid = id
        .number()
        .and_then(|number| Jid::new(&format!("{number}@{}", ids.room().domain())).ok());
    Face {
        nick: shown.nick.clone(),
        address: ids.address(&shown.nick),
        affiliation,
        role: match shown.role {
            _ if shown.muted => Role::Visitor,
            QqRole::Owner | QqRole::Admin => Role::Moderator,
            QqRole::Member => Role::Participant,
        },
        jid,
        name: (shown.name != shown.nick).then(|| shown.name.clone()),
        occupant_id: ids.of_member(id),
        payload: String::new(),
    }
}

/// How a person on XMPP looks, by the presence of one client session.
pub(super) fn person_face(settings: &Settings, ids: &Ids, session: &FullJid, nick: &str, payload: &str) -> Face {
    let who = session.to_bare();
    let (affiliation, role) = settings.standing(&who);
    Face {
        nick: nick.to_owned(),
        address: ids.address(nick),
        affiliation,
        role,
        jid: Some(session.clone().into()),
        name: None,
        occupant_id: ids.of_person(&who),
        payload: payload.to_owned(),
    }
}
