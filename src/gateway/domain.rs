//! What comes for the domain itself, for members' addresses and for nobody: answered here, or brought to the operator.

use jid::{BareJid, Jid};
use tokio::sync::mpsc;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::MessageType;
use xmpp_parsers::ns::DISCO_ITEMS;
use xmpp_parsers::presence::Type;

use super::Gateway;
use crate::config::RoomKind;
use crate::model::{Member, Timestamp};
use crate::operator::{Input, State};
use crate::xmpp::disco::Listed;
use crate::xmpp::domain::{Answer, Card, Directory, answer};
use crate::xmpp::{Address, Event};

impl Gateway {
    /// Answers until the route is gone.
    pub(super) async fn answer_for_domain(&self, inbox: &mut mpsc::Receiver<Event>) {
        while let Some(event) = inbox.recv().await {
            let address = Address::of(&event.to, |_| false);
            let view = self.look_up(&event, &address).await;
            let arrived = self.arrival(&event, &address);
            match answer(event, &address, &view, Timestamp::now()) {
                Answer::Send(stanzas) => {
                    let link = self.link.borrow().clone();
                    // A flood of questions loses answers, not the connection.
                    if !link.is_some_and(|link| link.try_post(stanzas)) {
                        tracing::debug!("an answer of the domain was dropped");
                    }
                }
                Answer::Caller(event) => self.hear(*event, &address).await,
            }
            if let Some(admin) = arrived {
                // A flood of presence loses reminders, and never makes the domain wait.
                self.operator.try_send(Input::Arrived(admin)).ok();
            }
        }
    }

    /// The admin who came on line, if that is what a presence says. A server that asks for ours does it when its user comes.
    fn arrival(&self, event: &Event, address: &Address) -> Option<Jid> {
        let Stanza::Presence(presence) = &event.stanza else {
            return None;
        };
        let comes = matches!(presence.type_, Type::None | Type::Probe | Type::Subscribe);
        let is_admin = || self.config.borrow().xmpp.admins.contains(&event.from.to_bare());
        (comes && *address == Address::Domain && is_admin()).then(|| event.from.clone())
    }

    /// What one answer may need to know: read before, since answers do not wait.
    async fn look_up(&self, event: &Event, address: &Address) -> View {
        let mut view = View {
            trouble: self.trouble(),
            ..View::default()
        };
        view.member = self.member_at(event, address).await.map(|member| Card {
            name: member.shown_name(),
            photo: None,
        });
        if let Stanza::Iq(Iq::Get { payload, .. }) = &event.stanza
            && payload.is("query", DISCO_ITEMS)
            && *address == Address::Domain
        {
            view.rooms = self.rooms_for(&event.from.to_bare()).await;
        }
        view
    }

    /// The member whom an address stands for. In joined rooms there are some that no list names (any more).
    async fn member_at(&self, event: &Event, address: &Address) -> Option<Member> {
        if let Address::Member(number) = address
            && let Ok(Some(member)) = self.store.find_member(*number).await
        {
            return Some(member);
        }
        match address {
            Address::Member(_) | Address::Unnumbered(_) => {
                self.store.find_puppet(&event.to.to_bare()).await.ok().flatten()
            }
            _ => None,
        }
    }

    /// The rooms that this person may see, under the names that they carry.
    async fn rooms_for(&self, who: &BareJid) -> Vec<Listed> {
        let config = self.config.borrow().clone();
        let mut rooms = Vec::new();
        for row in &config.mappings {
            let RoomKind::Hosted(keys) = &row.kind else { continue };
            let owner = config.xmpp.admins.contains(who) || keys.owners.contains(who);
            if !owner && !keys.allow.iter().any(|rule| rule.fits(who)) {
                continue;
            }
            let name = match (&keys.name, row.groups.first()) {
                (Some(name), _) => Some(name.clone()),
                (None, Some(group)) => self.store.group_name(group.number).await.ok().flatten(),
                (None, None) => None,
            };
            let local = row.room.node().map(|node| node.as_str().to_owned()).unwrap_or_default();
            rooms.push(Listed {
                jid: row.room.clone(),
                name: name.unwrap_or(local),
            });
        }
        rooms
    }

    /// What is wrong, in a few words: the gateway's own presence says it.
    pub(super) fn trouble(&self) -> Option<String> {
        let parts = self.board.list();
        let bad = parts.iter().find(|(_, state)| !matches!(state, State::Online));
        bad.map(|(part, state)| format!("{part}: {state}"))
    }

    /// A person's word to the gateway.
    async fn hear(&self, event: Event, address: &Address) {
        let Stanza::Message(message) = event.stanza else { return };
        // A word of our own domain would be a loop.
        let ours = event.from.domain() == event.to.domain();
        let to_us = !ours && matches!(address, Address::Domain | Address::Bridge);
        if !to_us || !matches!(message.type_, MessageType::Chat | MessageType::Normal) {
            return;
        }
        let Some((_, body)) = message.get_best_body(Vec::new()) else {
            return;
        };
        self.operator
            .send(Input::Said {
                from: event.from,
                body: body.clone(),
            })
            .await
            .ok();
    }
}

#[derive(Debug, Default)]
struct View {
    rooms: Vec<Listed>,
    member: Option<Card>,
    trouble: Option<String>,
}

impl Directory for View {
    fn rooms(&self, _asker: &BareJid) -> Vec<Listed> {
        self.rooms.clone()
    }

    fn member(&self, _address: &Address) -> Option<Card> {
        self.member.clone()
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.clone()
    }
}
