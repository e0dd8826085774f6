//! From the configuration to the settings of each part.

use std::path::{Path, PathBuf};

use crate::config::{self, Config};
use crate::model::{AccountName, GroupNumber};
use crate::operator::{self, LoginPage};
use crate::portal;
use crate::qq::faces::Known;
use crate::qq::piece::Limits;
use crate::qq::{onebot, webqq};
use crate::room::{self, hosted, joined};
use crate::xmpp::Addresses;

/// Longest message of an occupant, in bytes: what fits into the component's stream of every server with room to spare.
const MAX_STANZA: usize = 64 * 1024;

/// The portal of a row. `salt` is the store's: members' addresses are made of it.
pub(super) fn portal(config: &Config, row: &config::Row, salt: &[u8; 32]) -> portal::Settings {
    let protocol = config
        .accounts
        .iter()
        .find(|account| account.name == row.account)
        .map(|account| &account.protocol);
    let (limits, faces) = match protocol {
        Some(config::Protocol::OneBot(_)) => (Limits::onebot(), Known::OneBot),
        Some(config::Protocol::WebQq(_)) | None => (Limits::webqq(), Known::WebQq),
    };
    let (room, name) = match &row.kind {
        config::RoomKind::Hosted(keys) => (room::Settings::Hosted(hosted(config, row, keys)), keys.name.clone()),
        config::RoomKind::Joined(keys) => (room::Settings::Joined(joined(config, row, keys, salt)), None),
    };
    portal::Settings {
        room,
        name,
        account: row.account.clone(),
        groups: row.groups.iter().map(|group| group.number).collect(),
        to_xmpp: row.relay.to_xmpp(),
        to_qq: row.relay.to_qq(),
        template: config.relay.template.clone(),
        limits,
        faces,
        language: config.xmpp.language,
        farewell: config.rooms.farewell,
        backfill: config.relay.backfill,
        give_up: config.relay.give_up,
    }
}

fn hosted(config: &Config, row: &config::Row, keys: &config::Hosted) -> hosted::Settings {
    hosted::Settings {
        jid: row.room.clone(),
        name: row.room.node().map(|node| node.as_str().to_owned()).unwrap_or_default(),
        description: String::new(),
        language: config.xmpp.language,
        admins: config.xmpp.admins.clone(),
        owners: keys.owners.clone(),
        allow: keys.allow.clone(),
        occupants: keys.occupants,
        max_stanza: MAX_STANZA,
    }
}

fn joined(config: &Config, row: &config::Row, keys: &config::Joined, salt: &[u8; 32]) -> joined::Settings {
    let hashed = config.xmpp.puppet_address == config::PuppetAddress::Hashed;
    joined::Settings {
        jid: row.room.clone(),
        addresses: Addresses::new(config.xmpp.domain.clone(), *salt, hashed),
        nick: keys.nick.clone(),
        password: keys.password.clone(),
        puppets: keys.puppets == config::Puppets::Speakers,
        puppets_max: keys.puppets_max,
        puppets_idle: keys.puppets_idle,
        language: config.xmpp.language,
        to_qq_within: config.relay.give_up,
        to_room_within: config.relay.backfill.age,
    }
}

/// The session of an account that is reached by Tencent's web protocol.
pub(super) fn webqq(account: &config::Account, keys: &config::WebQq) -> webqq::Settings {
    webqq::Settings {
        name: account.name.clone(),
        server: keys.server.clone(),
        login: keys.login.clone(),
        send_every: account
            .send_every
            .unwrap_or_else(|| webqq::Settings::send_every(&keys.login)),
        pace: webqq::Pace::default(),
    }
}

/// The session of an account that is reached by `OneBot`.
pub(super) fn onebot(account: &config::Account, keys: &config::OneBot) -> onebot::Settings {
    onebot::Settings {
        name: account.name.clone(),
        reach: keys.reach.clone(),
        access_token: keys.access_token.clone(),
        send_every: account.send_every.unwrap_or(onebot::Settings::SEND_EVERY),
        pace: onebot::Pace::default(),
    }
}

/// The groups that are mapped for an account, with the names that the operator gave.
pub(super) fn mapped(config: &Config, account: &AccountName) -> Vec<(GroupNumber, Option<String>)> {
    let rows = config.mappings.iter().filter(|row| row.account == *account);
    rows.flat_map(|row| row.groups.iter().map(|group| (group.number, group.name.clone())))
        .collect()
}

/// The operator, and where the login pages are.
pub(super) fn operator(config: &Config, page: Option<LoginPage>) -> operator::Settings {
    operator::Settings {
        domain: config.xmpp.domain.clone(),
        admins: config.xmpp.admins.clone(),
        pictures: beside_store(config),
        page,
    }
}

/// The folder of the store, where the operator's files lie.
pub(super) fn beside_store(config: &Config) -> PathBuf {
    config.store.path.parent().map(Path::to_owned).unwrap_or_default()
}
