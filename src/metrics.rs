//! What is counted, under which name. One registry for the process; every part gets a clone and counts for itself.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// From QQ to the room.
pub const QQ_TO_XMPP: &str = "qq_to_xmpp";
/// From the room to QQ.
pub const XMPP_TO_QQ: &str = "xmpp_to_qq";

/// Labels of a count by room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RoomLabel {
    /// The room's JID.
    pub room: String,
}

/// Labels of a count by room and direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FlowLabel {
    /// The room's JID.
    pub room: String,
    /// Which way: [`QQ_TO_XMPP`] or [`XMPP_TO_QQ`].
    pub direction: &'static str,
}

/// Labels of a count by QQ account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AccountLabel {
    /// The account's name in the configuration.
    pub account: String,
}

/// Labels of a count by account and outcome.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    /// The account's name in the configuration.
    pub account: String,
    /// `sent`, `retry`, `failed`, `unknown`.
    pub outcome: &'static str,
}

/// All counts of the gateway. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Messages accepted, that is committed.
    pub accepted: Family<FlowLabel, Counter>,
    /// Stanzas of rooms written to the XMPP server.
    pub stanzas: Family<RoomLabel, Counter>,
    /// Events of QQ that a portal did not take in time.
    pub behind: Family<AccountLabel, Counter>,
    /// What became of pieces sent to QQ.
    pub pieces: Family<OutcomeLabel, Counter>,
    /// Pieces that wait to be sent to QQ.
    pub queued: Family<AccountLabel, Gauge>,
    /// Client sessions in a room.
    pub sessions: Family<RoomLabel, Gauge>,
    /// Stanzas that could not be parsed or had no taker.
    pub malformed: Counter,
    /// What joined rooms sent to puppets, dropped unread: the listener hears the same.
    pub copies: Counter,
    /// 1 while the account is on line.
    pub account_online: Family<AccountLabel, Gauge>,
    /// 1 while the component is connected.
    pub component_online: Gauge,
    registry: Arc<Registry>,
}

impl Metrics {
    /// A fresh registry with everything in it.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("qqxmpp");
        let accepted = Family::default();
        registry.register("messages_accepted", "Messages committed", accepted.clone());
        let stanzas = Family::default();
        registry.register(
            "stanzas_sent",
            "Stanzas of rooms written to the XMPP server",
            stanzas.clone(),
        );
        let behind = Family::default();
        registry.register(
            "events_behind",
            "QQ events that a portal did not take in time",
            behind.clone(),
        );
        let pieces = Family::default();
        registry.register("pieces", "What became of pieces sent to QQ", pieces.clone());
        let queued = Family::default();
        registry.register("outbox_queued", "Pieces waiting to be sent to QQ", queued.clone());
        let sessions = Family::default();
        registry.register("client_sessions", "Client sessions in a room", sessions.clone());
        let malformed = Counter::default();
        registry.register(
            "stanzas_malformed",
            "Stanzas that could not be parsed",
            malformed.clone(),
        );
        let copies = Counter::default();
        registry.register(
            "puppet_copies",
            "Stanzas of joined rooms to puppets, dropped unread because the listener hears the same",
            copies.clone(),
        );
        let account_online = Family::default();
        registry.register(
            "account_online",
            "1 while the QQ account is on line",
            account_online.clone(),
        );
        let component_online = Gauge::default();
        registry.register(
            "component_online",
            "1 while the component is connected",
            component_online.clone(),
        );
        Self {
            accepted,
            stanzas,
            behind,
            pieces,
            queued,
            sessions,
            malformed,
            copies,
            account_online,
            component_online,
            registry: Arc::new(registry),
        }
    }

    /// The registry in the `OpenMetrics` text format.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_was_counted() {
        let metrics = Metrics::new();
        let label = FlowLabel {
            room: "rust@qq.localhost".into(),
            direction: QQ_TO_XMPP,
        };
        metrics.accepted.get_or_create(&label).inc();
        let text = metrics.encode();
        assert!(
            text.contains(r#"qqxmpp_messages_accepted_total{room="rust@qq.localhost",direction="qq_to_xmpp"} 1"#),
            "{text}"
        );
    }
}
