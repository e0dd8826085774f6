//! What the people who run a room do there (XEP-0045, sections 8 to 10; XEP-0425): make it and set it up, kick, ban, give and take
//! affiliations, take messages back, destroy it. All of it asks the room and waits for its word; a refusal is an error.

use std::fmt::Write as _;

use anyhow::bail;
use minidom::Element;

use super::{Jabber, Join, Stanza, escape};

const OWNER: &str = "http://jabber.org/protocol/muc#owner";
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
const FORM_TYPE: &str = "http://jabber.org/protocol/muc#roomconfig";

/// What is changed about a room (`muc#roomconfig`); what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RoomConfig {
    /// Only members come in; on a change others are put out (status 322).
    pub members_only: Option<bool>,
    /// Whoever has no affiliation is a visitor and may not speak.
    pub moderated: Option<bool>,
    /// The room outlives its last occupant.
    pub persistent: Option<bool>,
    /// Everybody sees real addresses (status 100 and 172), not only moderators.
    pub non_anonymous: Option<bool>,
    /// A password for the door; an empty one takes it away.
    pub password: Option<String>,
    /// The most occupants. ejabberd only: Prosody has no such field, see [`Muc::max_occupants`](crate::server::Muc).
    pub max_users: Option<u32>,
    /// Further fields as they are: name and value.
    pub more: Vec<(String, String)>,
}

impl RoomConfig {
    fn fields(&self) -> Vec<(&str, String)> {
        let flag = |on: Option<bool>| on.map(|on| u8::from(on).to_string());
        let whois = self.non_anonymous.map(|on| if on { "anyone" } else { "moderators" });
        let protected = self.password.as_ref().map(|password| !password.is_empty());
        let known = [
            ("muc#roomconfig_membersonly", flag(self.members_only)),
            ("muc#roomconfig_moderatedroom", flag(self.moderated)),
            ("muc#roomconfig_persistentroom", flag(self.persistent)),
            ("muc#roomconfig_whois", whois.map(str::to_owned)),
            ("muc#roomconfig_passwordprotectedroom", flag(protected)),
            ("muc#roomconfig_roomsecret", self.password.clone()),
            ("muc#roomconfig_maxusers", self.max_users.map(|max| max.to_string())),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let more = self.more.iter().map(|(name, value)| (name.as_str(), value.clone()));
        known.chain(more).collect()
    }
}

/// Whom an action is about.
#[derive(Clone, Copy, Debug)]
pub enum Whom<'a> {
    /// An occupant, by nick.
    Nick(&'a str),
    /// A person, by bare address.
    Jid(&'a str),
}

/// How a moderation is asked for (XEP-0425).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moderation {
    /// `urn:xmpp:message-moderate:0`, inside `<apply-to/>`: all that Prosody's module of Debian 12 knows.
    Fastened,
    /// `urn:xmpp:message-moderate:1`.
    Plain,
}

impl Jabber {
    /// Enters a room that does not exist yet, and sets it up. Nothing changed is an instant room (section 10.1.2).
    pub async fn create_room(&mut self, room: &str, nick: &str, config: &RoomConfig) -> anyhow::Result<Join> {
        let join = self.join(room, nick).await?;
        if !join.self_presence.has_status(201) {
            bail!("{}: {room} was there already: {}", self.jid, join.self_presence.xml());
        }
        self.configure_room(room, config).await?;
        Ok(join)
    }

    /// Changes the configuration (section 10.2).
    pub async fn configure_room(&mut self, room: &str, config: &RoomConfig) -> anyhow::Result<()> {
        let mut form = format!("<field var='FORM_TYPE' type='hidden'><value>{FORM_TYPE}</value></field>");
        for (name, value) in config.fields() {
            write!(
                form,
                "<field var='{}'><value>{}</value></field>",
                escape(name),
                escape(&value)
            )?;
        }
        let form = format!("<query xmlns='{OWNER}'><x xmlns='jabber:x:data' type='submit'>{form}</x></query>");
        self.ask(room, &form).await.map(drop)
    }

    /// Sets a role: `none` kicks, `visitor` takes the voice, `participant` gives it back, `moderator` (sections 8.2 to 8.4, 9.6).
    pub async fn set_role(&mut self, room: &str, nick: &str, role: &str, reason: &str) -> anyhow::Result<()> {
        self.set_item(room, Whom::Nick(nick), "role", role, reason).await
    }

    /// Sets an affiliation: `outcast`, `none`, `member`, `admin`, `owner` (sections 9.1 to 9.3, 10.3 to 10.6).
    pub async fn set_affiliation(
        &mut self,
        room: &str,
        whom: Whom<'_>,
        affiliation: &str,
        reason: &str,
    ) -> anyhow::Result<()> {
        self.set_item(room, whom, "affiliation", affiliation, reason).await
    }

    /// Puts an occupant out (status 307); it may come back.
    pub async fn kick(&mut self, room: &str, nick: &str, reason: &str) -> anyhow::Result<()> {
        self.set_role(room, nick, "none", reason).await
    }

    /// Puts somebody out (status 301) for good.
    pub async fn ban(&mut self, room: &str, whom: Whom<'_>, reason: &str) -> anyhow::Result<()> {
        self.set_affiliation(room, whom, "outcast", reason).await
    }

    /// Destroys a room, perhaps with the address of another one to go to (section 10.9).
    pub async fn destroy_room(&mut self, room: &str, instead: Option<&str>, reason: &str) -> anyhow::Result<()> {
        let instead = instead.map(|jid| format!(" jid='{}'", escape(jid))).unwrap_or_default();
        let reason = escape(reason);
        let order = format!("<query xmlns='{OWNER}'><destroy{instead}><reason>{reason}</reason></destroy></query>");
        self.ask(room, &order).await.map(drop)
    }

    /// Takes somebody's message back, by the id that the room gave it (XEP-0425).
    pub async fn moderate(&mut self, room: &str, stanza_id: &str, reason: &str, how: Moderation) -> anyhow::Result<()> {
        let (id, reason) = (escape(stanza_id), escape(reason));
        let order = match how {
            Moderation::Fastened => format!(
                "<apply-to xmlns='urn:xmpp:fasten:0' id='{id}'><moderate xmlns='urn:xmpp:message-moderate:0'>\
                 <retract xmlns='urn:xmpp:message-retract:0'/><reason>{reason}</reason></moderate></apply-to>"
            ),
            Moderation::Plain => format!(
                "<moderate xmlns='urn:xmpp:message-moderate:1' id='{id}'>\
                 <retract xmlns='urn:xmpp:message-retract:1'/><reason>{reason}</reason></moderate>"
            ),
        };
        self.ask(room, &order).await.map(drop)
    }

    async fn set_item(
        &mut self,
        room: &str,
        whom: Whom<'_>,
        key: &str,
        value: &str,
        reason: &str,
    ) -> anyhow::Result<()> {
        let (name, who) = match whom {
            Whom::Nick(nick) => ("nick", nick),
            Whom::Jid(jid) => ("jid", jid),
        };
        let (who, value, reason) = (escape(who), escape(value), escape(reason));
        let item = format!("<item {name}='{who}' {key}='{value}'><reason>{reason}</reason></item>");
        self.ask(room, &format!("<query xmlns='{ADMIN}'>{item}</query>"))
            .await
            .map(drop)
    }

    async fn ask(&mut self, room: &str, payload: &str) -> anyhow::Result<Element> {
        let answer = self.iq(room, "set", payload).await?;
        if answer.kind() != "result" {
            bail!("{}: {room} refused {payload}: {}", self.jid, answer.xml());
        }
        Ok(answer)
    }
}
