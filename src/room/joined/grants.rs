//! Membership for puppets: where the listener is an admin of the room, it makes them members before they enter. That opens
//! members-only rooms, and lifts the limits that count only strangers.

use super::JoinedRoom;
use crate::model::MemberId;
use crate::xmpp::render::visit;

impl JoinedRoom {
    /// Makes the puppet a member, once, and once more where that was undone.
    pub(super) fn grant(&mut self, id: &MemberId) {
        if !self.listener.is_admin() {
            return;
        }
        let Some(puppet) = self.puppets.get_mut(id).filter(|puppet| !puppet.member) else {
            return;
        };
        puppet.member = true;
        puppet.grants += 1;
        let who = puppet.jid.to_bare();
        let request = self.next_id();
        let grant = visit::make_member(&self.listener.jid, &self.settings.jid, &request, &who);
        self.out.replies.push(grant);
    }

    /// Membership is needed after all: somebody took it away. `false` when it was given twice since the puppet last was in.
    pub(super) fn regrant(&mut self, id: &MemberId) -> bool {
        let Some(puppet) = self.puppets.get_mut(id) else {
            return false;
        };
        std::mem::take(&mut puppet.member) && puppet.grants < 2
    }

    /// The room does not let the listener make members: it is no admin any more, whatever it was told.
    pub(super) fn grant_refused(&mut self, request: &str) {
        tracing::info!(room = %self.settings.jid, request, "a request of the listener was refused");
    }
}
