//! What comes to the room, and what is seen of it.

use super::*;

impl Lab {
    /// A person says something, and everything that follows.
    pub(super) fn says(&mut self, nick: &str, body: &str) -> String {
        self.muc.now = self.now;
        let stanza_id = self.muc.says(nick, body);
        self.run();
        stanza_id
    }

    pub(super) fn sends(&mut self, nick: &str, children: &str) -> String {
        self.muc.now = self.now;
        let stanza_id = self.muc.sends(nick, children);
        self.run();
        stanza_id
    }

    /// Something comes from the service as it stands here.
    pub(super) fn comes(&mut self, xml: &str) {
        let admitted = self.room.admit(event(&parse(xml)), self.now);
        self.take(admitted);
        self.run();
    }

    /// The words that reached QQ.
    pub(super) fn on_qq(&self) -> Vec<String> {
        let words = |o: &Overheard| Some(format!("{}| {}", o.spoken.nick, o.spoken.speech.as_ref()?.text));
        self.overheard.iter().filter_map(words).collect()
    }

    /// What the admins were told.
    pub(super) fn alerts(&self) -> Vec<&str> {
        self.asides
            .iter()
            .filter_map(|aside| match aside {
                Aside::Admins(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The full JID of the listener.
    pub(super) fn listener(&self) -> String {
        self.settings.listener().to_string()
    }

    pub(super) fn inside(&self) -> bool {
        matches!(self.room.listener.place, crate::room::joined::listener::Place::In)
    }
}
