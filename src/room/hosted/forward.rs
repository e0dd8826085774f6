//! Requests between people in the room (XEP-0045 §17.4): passed on as the occupants, without the one learning the other's JID.
//!
//! No table of open requests: the id that goes out carries who asked (as a token that this room alone can make), whom, and the
//! asker's own id. An answer to an id that was not made here leads nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jid::{BareJid, FullJid, Jid};
use minidom::Element;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::ns::VCARD;
use xmpp_parsers::stanza_error::{DefinedCondition, StanzaError};

use super::HostedRoom;
use super::iq::Asked;
use super::stage::Shown;
use crate::room::Admitted;
use crate::xmpp::Outgoing;
use crate::xmpp::render::error::Refusal;

/// What ids of forwarded requests begin with.
const MARK: &str = "fwd-";
/// Longest id of a request that is forwarded.
const LONGEST_ID: usize = 200;

impl HostedRoom {
    pub(super) fn forward(
        &self,
        asked: &Asked<'_>,
        (session, own): (&FullJid, &str),
        (who, shown): (&BareJid, &Shown),
    ) -> Result<Admitted, Refusal> {
        if asked.id.len() > LONGEST_ID {
            return Err(Refusal::modify(DefinedCondition::PolicyViolation));
        }
        // What an account publishes is at its bare JID; the rest is a client's own.
        let published =
            asked.payload.is("vCard", VCARD) || asked.payload.ns().starts_with("http://jabber.org/protocol/pubsub");
        let to: Jid = if published {
            if asked.set {
                return Err(Refusal::cancel(DefinedCondition::NotAllowed));
            }
            who.clone().into()
        } else {
            let one = shown.by.as_ref().or_else(|| shown.seats.first());
            let Some(session) = one else {
                return Err(Refusal::cancel(DefinedCondition::ItemNotFound));
            };
            session.clone().into()
        };
        let from = self.ids.occupant(own).map(Jid::from);
        let id = self.wrap(session, &to, &shown.face.nick, asked.id);
        let payload = asked.payload.clone();
        let iq = if asked.set {
            Iq::Set {
                from,
                to: None,
                id,
                payload,
            }
        } else {
            Iq::Get {
                from,
                to: None,
                id,
                payload,
            }
        };
        Ok(Admitted::reply(Outgoing::one(iq, to)))
    }

    /// The answer to a forwarded request goes back to who asked, from the occupant that was asked.
    pub(super) fn forward_answer(
        &self,
        from: &Jid,
        to: &Jid,
        id: &str,
        answer: Result<Option<Element>, StanzaError>,
    ) -> Admitted {
        let found = unwrap(id).and_then(|(token, nick, original)| {
            let asker = self
                .stage
                .by_nick(to.resource()?.as_str())?
                .1
                .seats
                .iter()
                .find(|session| self.token(session, from, &nick, &original) == token)?;
            Some((asker.clone(), self.ids.occupant(&nick)?, original))
        });
        let Some((asker, occupant, id)) = found else {
            return Admitted::default();
        };
        let from = Some(occupant.into());
        let iq = match answer {
            Ok(payload) => Iq::Result {
                from,
                to: None,
                id,
                payload,
            },
            Err(mut error) => {
                // Who refused is nobody's business but the room's.
                error.by = None;
                error.other = None;
                Iq::Error {
                    from,
                    to: None,
                    id,
                    error,
                    payload: None,
                }
            }
        };
        Admitted::reply(Outgoing::one(iq, asker))
    }

    fn wrap(&self, asker: &FullJid, to: &Jid, nick: &str, original: &str) -> String {
        let token = self.token(asker, to, nick, original);
        let rest = URL_SAFE_NO_PAD.encode(format!("{nick}\n{original}"));
        format!("{MARK}{token}-{rest}")
    }

    fn token(&self, asker: &FullJid, whom: &Jid, nick: &str, original: &str) -> String {
        self.ids
            .token("forward", &format!("{asker}\n{whom}\n{nick}\n{original}"))
    }
}

fn unwrap(id: &str) -> Option<(String, String, String)> {
    let rest = id.strip_prefix(MARK)?;
    let (token, rest) = rest.split_at_checked(22)?;
    let decoded = URL_SAFE_NO_PAD.decode(rest.strip_prefix('-')?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (nick, original) = text.split_once('\n')?;
    Some((token.to_owned(), nick.to_owned(), original.to_owned()))
}
