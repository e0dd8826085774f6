//! Service discovery of the room (XEP-0030, XEP-0045 §6.4, §15.5): announces what answers, nothing else.

use jid::Jid;
use xmpp_parsers::data_forms::{DataForm, DataFormType, Field, FieldType};
use xmpp_parsers::disco::{DiscoInfoResult, DiscoItemsResult, Identity};
use xmpp_parsers::ns::{DISCO_INFO, DISCO_ITEMS, MAM, MUC, OID, PING, SID, VCARD};
use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::iq::Asked;
use crate::room::Admitted;
use crate::xmpp::payload::ns::{MODERATE, MODERATE_0, RETRACT, TOMBSTONE, X_CONFERENCE};
use crate::xmpp::render::error::Refusal;
use crate::xmpp::render::text::legal;

const FEATURES: [&str; 22] = [
    DISCO_INFO,
    DISCO_ITEMS,
    MUC,
    "http://jabber.org/protocol/muc#stable_id",
    "http://jabber.org/protocol/muc#self-ping-optimization",
    MAM,
    "urn:xmpp:mam:2#extended",
    SID,
    OID,
    RETRACT,
    TOMBSTONE,
    MODERATE,
    MODERATE_0,
    VCARD,
    PING,
    X_CONFERENCE,
    "muc_persistent",
    "muc_open",
    "muc_semianonymous",
    "muc_unmoderated",
    "muc_unsecured",
    "muc_public",
];

impl HostedRoom {
    pub(super) fn disco_info(&self, asked: &Asked<'_>) -> Result<Admitted, Refusal> {
        if asked.payload.attr("node").is_some_and(|node| !node.is_empty()) {
            return Err(Refusal::cancel(DefinedCondition::ItemNotFound));
        }
        let info = DiscoInfoResult {
            node: None,
            identities: vec![Identity {
                category: "conference".into(),
                type_: "text".into(),
                lang: None,
                name: Some(legal(&self.settings.name)),
            }],
            features: FEATURES.iter().map(|&f| f.to_owned()).collect(),
            extensions: vec![self.room_info(asked.from)],
        };
        Ok(asked.answer(Some(info.into())))
    }

    /// The form `muc#roominfo`: Conversations cannot do without it.
    fn room_info(&self, asker: &Jid) -> DataForm {
        let text = |var: &str, value: &str| {
            let mut field = Field::new(var, FieldType::TextSingle);
            field.values = vec![legal(value)];
            field
        };
        let flag =
            |var: &str, value: bool| Field::new(var, FieldType::Boolean).with_value(if value { "1" } else { "0" });
        let subject = self.stage.subject.as_ref().map_or("", |s| s.text.as_str());
        let occupants = self.members.total() + self.book.people();
        let owner = self.sees_jids(asker);
        let fields = vec![
            text("muc#roomconfig_roomname", &self.settings.name),
            text("muc#roominfo_description", &self.settings.description),
            text("muc#roominfo_subject", subject),
            text("muc#roominfo_occupants", &occupants.to_string()),
            text("muc#roominfo_lang", self.settings.language.tag()),
            flag("muc#roomconfig_changesubject", owner),
            flag("muc#roominfo_changesubject", owner),
            flag("muc#roomconfig_allowinvites", true),
            text("muc#roomconfig_allowpm", "anyone"),
            text("muc#roomconfig_whois", "moderators"),
            text("muc#maxhistoryfetch", "1000"),
        ];
        DataForm::new(DataFormType::Result_, "http://jabber.org/protocol/muc#roominfo", fields)
    }
}

/// An empty list: who is here is told by presence alone.
pub(super) fn items(asked: &Asked<'_>) -> Result<Admitted, Refusal> {
    let node = asked.payload.attr("node").filter(|node| !node.is_empty());
    if node.is_some_and(|node| node != "http://jabber.org/protocol/commands") {
        return Err(Refusal::cancel(DefinedCondition::ItemNotFound));
    }
    let items = DiscoItemsResult {
        node: node.map(ToOwned::to_owned),
        items: Vec::new(),
        rsm: None,
    };
    Ok(asked.answer(Some(items.into())))
}
/// A QQ member: somebody with a vCard, and not a chat client.
pub(super) fn member(asked: &Asked<'_>, name: &str) -> Result<Admitted, Refusal> {
    if asked.payload.attr("node").is_some_and(|node| !node.is_empty()) {
        return Err(Refusal::cancel(DefinedCondition::ItemNotFound));
    }
    let info = DiscoInfoResult {
        node: None,
        identities: vec![Identity {
            category: "account".into(),
            type_: "registered".into(),
            lang: None,
            name: Some(legal(name)),
        }],
        features: [DISCO_INFO, VCARD, PING].iter().map(|&f| f.to_owned()).collect(),
        extensions: Vec::new(),
    };
    Ok(asked.answer(Some(info.into())))
}
