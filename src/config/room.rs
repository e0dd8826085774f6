//! Reads `room` of a row, and the keys that only rooms of its kind have: a room of the component's domain is hosted, any other
//! is joined.

use std::ops::Range;

use jid::BareJid;
use toml::de::DeValue;

use crate::model::nick;

use super::allow::{self, Allow};
use super::context::Context;
use super::row::{Hosted, Joined, Occupants, Puppets, RoomKind};
use super::secret;
use super::section::{Placed, Section};
use super::sections::values;
use super::value::{self, Wrong};

/// Keys that make sense in hosted rooms alone, and those that make sense in joined rooms alone.
const HOSTED_KEYS: [&str; 4] = ["name", "owners", "allow", "occupants"];
const JOINED_KEYS: [&str; 6] = [
    "nick",
    "password",
    "password_file",
    "puppets",
    "puppets_max",
    "puppets_idle",
];

/// Reads the room of a row and what its kind has to say.
pub(super) fn read(section: &Section<'_>, context: &mut Context<'_>) -> Option<(BareJid, RoomKind)> {
    let room = section.read_placed("room", value::address);
    if section.get("room").is_none() {
        let domain = context
            .domain
            .map_or("qq.example.org", |domain| domain.domain().as_str());
        section.missing("room", &format!("add a line room = \"name@{domain}\""));
    }
    let (Some(Placed { value: room, at }), Some(domain)) = (room, context.domain) else {
        // It is of one kind or the other.
        hosted(section, context);
        joined(section, context);
        return None;
    };
    if room.domain() == domain.domain() {
        let of = format!("joined rooms (of other services), and {room} is none of them");
        section.refuse(&JOINED_KEYS, &of);
        let hosted = hosted(section, context);
        if let Err(wrong) = check_local_part(&room) {
            section.wrong("room", at, &wrong);
            return None;
        }
        let room = remember(section, context, room, at)?;
        return Some((room, RoomKind::Hosted(hosted?)));
    }
    let of = format!("hosted rooms (of {domain}), and {room} is none of them");
    section.refuse(&HOSTED_KEYS, &of);
    let joined = joined(section, context);
    let room = remember(section, context, room, at)?;
    Some((room, RoomKind::Joined(joined?)))
}

fn hosted(section: &Section<'_>, context: &Context<'_>) -> Option<Hosted> {
    let name = section.read("name", value::name);
    let owners = section.list("owners", value::address).map(values);
    let own_allow = section.list("allow", allow::read).map(values);
    let kinds = [
        ("all", Occupants::All),
        ("active", Occupants::Active),
        ("auto", Occupants::Auto),
    ];
    let occupants = section.read("occupants", value::word(&kinds));
    Some(Hosted {
        name,
        owners: owners.unwrap_or_default(),
        allow: own_allow.or_else(|| context.allow.map(<[Allow]>::to_vec))?,
        occupants: occupants.unwrap_or_default(),
    })
}

fn joined(section: &Section<'_>, context: &Context<'_>) -> Option<Joined> {
    let default = Joined::default();
    let nick = section.read("nick", read_nick);
    let password = secret::in_file(section, "password", "password_file", context.sources);
    let words = [("speakers", Puppets::Speakers), ("off", Puppets::Off)];
    let puppets = section.read("puppets", value::word(&words));
    let most = section.read("puppets_max", value::count(1, 1000));
    let idle = section.read("puppets_idle", value::duration("1m", "365d"));
    Some(Joined {
        nick: nick.unwrap_or(default.nick),
        password: password.ok()?,
        puppets: puppets.unwrap_or_default(),
        puppets_max: most.unwrap_or(default.puppets_max),
        puppets_idle: idle.unwrap_or(default.puppets_idle),
    })
}

/// A nick that stays as it is on its way through every server.
fn read_nick(value: &DeValue<'_>) -> Result<String, Wrong> {
    let text = value::text(value)?;
    match nick::prepare(&text) {
        Some(prepared) if prepared == text => Ok(text),
        Some(prepared) => Err(Wrong::new(
            "is no nick that every server leaves as it is",
            format!("write what would become of it: \"{prepared}\""),
        )),
        None => Err(Wrong::new(
            "holds nothing that every server takes for a nick",
            "write letters or digits, like \"QQ\"",
        )),
    }
}

/// Some local parts of the domain are not rooms: digits and `u-…` are QQ members, `bridge` is the gateway in other rooms.
fn check_local_part(room: &BareJid) -> Result<(), Wrong> {
    let local = room.node().map_or("", |node| node.as_str());
    let why = if local.chars().all(|c| c.is_ascii_digit()) {
        "digits alone are the address of a QQ member"
    } else if local == "bridge" {
        "that is the gateway's own address"
    } else if local.starts_with("u-") {
        "`u-` begins the addresses of QQ members"
    } else {
        return Ok(());
    };
    let instead = format!("take another name, like \"room-{local}@{}\"", room.domain());
    Err(Wrong::new(format!("cannot be \"{room}\": {why}"), instead))
}

fn remember(section: &Section<'_>, context: &mut Context<'_>, room: BareJid, at: Range<usize>) -> Option<BareJid> {
    let line = section.line_of(&at);
    if let Some(before) = context.rooms.get(&room) {
        let wrong = Wrong::new(
            format!("is \"{room}\" again: it stands in line {before} already"),
            "a room stands in one row; for several groups in one room write group = [ … ]",
        );
        section.wrong("room", at, &wrong);
        return None;
    }
    context.rooms.insert(room.clone(), line);
    Some(room)
}
