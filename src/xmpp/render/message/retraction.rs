//! What is said when a message was taken back, and what stands in its place from then on.

use minidom::Element;
use xmpp_parsers::occupant_id::OccupantId;

use crate::model::{Language, Row, Seq, Timestamp};
use crate::xmpp::payload::fallback::Fallback;
use crate::xmpp::payload::hint::Hint;
use crate::xmpp::payload::ns::RETRACT;
use crate::xmpp::payload::retract::{ApplyTo, Moderated, OldModerated, OldRetract, OldRetracted, Retract, Retracted};
use crate::xmpp::render::Ids;
use crate::xmpp::render::text::{legal, stamp_text};

/// What clients show that know no retractions.
pub(super) fn fallback(language: Language) -> &'static str {
    match language {
        Language::En => "/me retracted a previous message, but it's unsupported by your client.",
        Language::Zh => "/me 撤回了一条消息，但你的客户端不支持撤回。",
    }
}

/// The author takes the message of this stanza-id back (XEP-0424 §3).
pub(super) fn by_author(id: String) -> Vec<Element> {
    let retract = Retract {
        id,
        moderated: None,
        reason: None,
    };
    let fallback = Fallback {
        for_: Some(RETRACT.to_owned()),
        bodies: Vec::new(),
    };
    vec![retract.into(), fallback.into(), Hint::Store.into()]
}

/// The room says that `by`'s author took a row of somebody else back (XEP-0425 §3.1), in both forms. Without an author nobody knows
/// who did: then it was the room.
pub(super) fn by_moderator(ids: &Ids, gone: Seq, by: &Row, reason: Option<&str>) -> Vec<Element> {
    let reason = reason.map(legal);
    let occupant_id = ids.of_author(&by.author).map(|id| OccupantId { id });
    let address = match occupant_id {
        Some(_) => ids.address(&by.nick).to_string(),
        None => ids.room().to_string(),
    };
    let id = ids.stanza_id(gone);
    let retract = Retract {
        id: id.clone(),
        moderated: Some(Moderated {
            by: Some(address.clone()),
            occupant_id,
        }),
        reason: reason.clone(),
    };
    let old = ApplyTo {
        id,
        moderated: OldModerated {
            by: address,
            retract: Some(OldRetract),
            retracted: None,
            reason,
        },
    };
    vec![retract.into(), old.into()]
}

/// What is left of a row that was taken back (XEP-0424 §4, XEP-0425 §4). `moderator` is the nick of who did, where it was not the
/// author; the room stands for one that nobody knows.
pub(super) fn tombstone(ids: &Ids, retraction: Seq, time: Timestamp, moderator: Option<&str>) -> Vec<Element> {
    let by = moderator.map(|nick| ids.address(nick).to_string());
    let stamp = stamp_text(time);
    let retracted = Retracted {
        id: ids.stanza_id(retraction),
        stamp: Some(stamp.clone()),
        moderated: by.clone().map(|by| Moderated {
            by: Some(by),
            occupant_id: None,
        }),
    };
    let old = by.map(|by| OldModerated {
        by,
        retract: None,
        retracted: Some(OldRetracted { stamp: Some(stamp) }),
        reason: None,
    });
    std::iter::once(retracted.into())
        .chain(old.map(Element::from))
        .collect()
}
