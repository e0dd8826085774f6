//! Lists of roles and affiliations (XEP-0045 §9, §10), as the configuration and the room have them. They are only read.

use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::iq::Asked;
use super::stage::Key;
use crate::room::Admitted;
use crate::xmpp::payload::muc_admin::{AdminItem, MucAdmin};
use crate::xmpp::payload::muc_user::Affiliation;
use crate::xmpp::render::error::Refusal;

impl HostedRoom {
    /// For owners: they see real JIDs anyway.
    pub(super) fn list(&self, asked: &Asked<'_>) -> Result<Admitted, Refusal> {
        if !self.sees_jids(asked.from) {
            return Err(Refusal::auth(DefinedCondition::Forbidden));
        }
        let bad = || Refusal::modify(DefinedCondition::BadRequest);
        let query = MucAdmin::try_from(asked.payload.clone()).map_err(|_| bad())?;
        let [wanted] = query.items.as_slice() else {
            return Err(bad());
        };
        let items = match (wanted.affiliation, wanted.role) {
            (Some(affiliation), None) => self.with_affiliation(affiliation),
            (None, Some(role)) => self
                .stage
                .occupants
                .values()
                .map(|shown| &shown.face)
                .filter(|face| face.role == role)
                .map(|face| AdminItem {
                    affiliation: Some(face.affiliation),
                    role: Some(role),
                    jid: face.jid.clone(),
                    nick: Some(face.nick.clone()),
                })
                .collect(),
            _ => return Err(bad()),
        };
        Ok(asked.answer(Some(MucAdmin { items }.into())))
    }

    /// People by the configuration, QQ members as their presence shows them: clients compare the two and report who is missing
    /// here as demoted. A member without a known number has no address, so presence tells none either.
    fn with_affiliation(&self, affiliation: Affiliation) -> Vec<AdminItem> {
        let owners = match affiliation {
            Affiliation::Owner => self.settings.all_owners(),
            _ => Vec::new(),
        };
        let members = self
            .stage
            .occupants
            .iter()
            .filter(|(key, shown)| matches!(key, Key::Member(_)) && shown.face.affiliation == affiliation)
            .filter_map(|(_, shown)| Some((shown.face.jid.clone()?, Some(shown.face.nick.clone()))));
        owners
            .into_iter()
            .map(|jid| (jid.clone().into(), None))
            .chain(members)
            .map(|(jid, nick)| AdminItem {
                affiliation: Some(affiliation),
                jid: Some(jid),
                nick,
                role: None,
            })
            .collect()
    }
}
