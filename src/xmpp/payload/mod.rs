//! Payloads that xmpp-parsers does not have, or not in a form that a MUC service can use. One file per XEP.

#![allow(clippy::option_option, reason = "what the derive makes of optional children")]

pub mod archive;
pub mod conference;
pub mod delay;
pub mod fallback;
pub mod hint;
pub mod mention;
pub mod muc_admin;
pub mod muc_user;
pub mod reply;
pub mod retract;

/// Namespaces that xmpp-parsers does not name.
pub mod ns {
    /// XEP-0045 §10: owners' configuration.
    pub const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";
    /// XEP-0045 §9: lists of roles and affiliations.
    pub const MUC_ADMIN: &str = "http://jabber.org/protocol/muc#admin";
    /// XEP-0249 Direct MUC Invitations.
    pub const X_CONFERENCE: &str = "jabber:x:conference";
    /// XEP-0428 Fallback Indication.
    pub const FALLBACK: &str = "urn:xmpp:fallback:0";
    /// XEP-0461 Message Replies.
    pub const REPLY: &str = "urn:xmpp:reply:0";
    /// XEP-0334 Message Processing Hints.
    pub const HINTS: &str = "urn:xmpp:hints";
    /// XEP-0317 Hats.
    pub const HATS: &str = "urn:xmpp:hats:0";
    /// XEP-0372 References.
    pub const REFERENCE: &str = "urn:xmpp:reference:0";
    /// Explicit mentions by occupant-id.
    pub const MENTIONS: &str = "urn:xmpp:mentions:0";
    /// XEP-0424 Message Retraction.
    pub const RETRACT: &str = "urn:xmpp:message-retract:1";
    /// XEP-0424 §4: the archive keeps tombstones.
    pub const TOMBSTONE: &str = "urn:xmpp:message-retract:1#tombstone";
    /// XEP-0424 as it was before version 0.4.
    pub const RETRACT_0: &str = "urn:xmpp:message-retract:0";
    /// XEP-0425 Moderated Message Retraction.
    pub const MODERATE: &str = "urn:xmpp:message-moderate:1";
    /// XEP-0425 as it was before version 0.3.
    pub const MODERATE_0: &str = "urn:xmpp:message-moderate:0";
    /// XEP-0422 Message Fastening, the carrier of old retractions.
    pub const FASTEN: &str = "urn:xmpp:fasten:0";
    /// XEP-0447 Stateless file sharing.
    pub const SFS: &str = "urn:xmpp:sfs:0";
    /// XEP-0033 Extended Stanza Addressing.
    pub const ADDRESS: &str = "http://jabber.org/protocol/address";
    /// XEP-0384 OMEMO, its present namespace.
    pub const OMEMO: &str = "urn:xmpp:omemo:2";
    /// XEP-0027 `OpenPGP`, as it was.
    pub const PGP: &str = "jabber:x:encrypted";
    /// XEP-0356 Privileged Entity; versions follow the colon.
    pub const PRIVILEGE: &str = "urn:xmpp:privilege:";
}
