//! Mediated invitations (XEP-0045 §7.8.2): passed on for occupants, with a direct one (XEP-0249) beside them.

use jid::Jid;
use xmpp_parsers::message::{Message, MessageType};
use xmpp_parsers::ns::MUC_USER;
use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::texts::Text;
use crate::room::Admitted;
use crate::xmpp::Outgoing;
use crate::xmpp::payload::conference::DirectInvite;
use crate::xmpp::payload::muc_user::{Decline, Invite, MucUser};
use crate::xmpp::render::error::Refusal;

/// Invitations in one message at most.
const MOST_INVITES: usize = 10;
/// Longest reason, in characters.
const LONGEST_REASON: usize = 1000;

impl HostedRoom {
    /// Nothing when the message is no invitation.
    pub(super) fn admit_invitation(&self, from: &Jid, message: &Message) -> Option<Result<Admitted, Refusal>> {
        let x = message.payloads.iter().find(|p| p.is("x", MUC_USER))?;
        if !x.has_child("invite", MUC_USER) && !x.has_child("decline", MUC_USER) {
            return None;
        }
        let Ok(user) = MucUser::try_from(x.clone()) else {
            return Some(Err(Refusal::modify(DefinedCondition::JidMalformed)));
        };
        Some(match user.decline {
            Some(decline) => Ok(self.decline(from, decline)),
            None => self.invite(from, user.invites),
        })
    }

    fn invite(&self, from: &Jid, invites: Vec<Invite>) -> Result<Admitted, Refusal> {
        if self.speaker(from).is_none() {
            return Err(Refusal::cancel(DefinedCondition::NotAcceptable).because(self.text(Text::NotJoined)));
        }
        if invites.len() > MOST_INVITES {
            return Err(Refusal::modify(DefinedCondition::PolicyViolation));
        }
        let mut admitted = Admitted::default();
        for invite in invites {
            let Some(guest) = invite.to else {
                return Err(Refusal::modify(DefinedCondition::BadRequest));
            };
            if guest.domain() == self.settings.jid.domain() || !self.settings.may_enter(&guest.to_bare()) {
                return Err(Refusal::cancel(DefinedCondition::NotAllowed).because(self.text(Text::InviteeNotAllowed)));
            }
            let reason = invite.reason.as_deref().map(short);
            let user = MucUser {
                invites: vec![Invite {
                    from: Some(from.to_bare().into()),
                    to: None,
                    reason: reason.clone(),
                }],
                ..MucUser::default()
            };
            let mut message = Message::new_with_type(MessageType::Normal, None)
                .with_payload(user)
                .with_payload(DirectInvite {
                    jid: self.settings.jid.clone(),
                    reason,
                });
            message.from = Some(self.settings.jid.clone().into());
            admitted.replies.push(Outgoing::one(message, guest));
        }
        Ok(admitted)
    }

    /// Goes to the inviter's client sessions in the room, to nobody else: a stranger's word carries no further.
    fn decline(&self, from: &Jid, decline: Decline) -> Admitted {
        let sessions: Vec<_> = decline
            .to
            .map(|inviter| {
                let who = inviter.to_bare();
                self.book
                    .sessions()
                    .map(|(s, _)| s)
                    .filter(|s| s.to_bare() == who)
                    .cloned()
                    .collect()
            })
            .unwrap_or_default();
        if sessions.is_empty() || self.stranger(&from.to_bare()).is_some() {
            return Admitted::default();
        }
        let user = MucUser {
            decline: Some(Decline {
                from: Some(from.to_bare().into()),
                to: None,
                reason: decline.reason.as_deref().map(short),
            }),
            ..MucUser::default()
        };
        let mut message = Message::new_with_type(MessageType::Normal, None).with_payload(user);
        message.from = Some(self.settings.jid.clone().into());
        Admitted::reply(Outgoing::many(message, sessions))
    }
}

fn short(reason: &str) -> String {
    reason.chars().take(LONGEST_REASON).collect()
}
