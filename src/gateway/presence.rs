//! The gateway's own presence, told to the admins whenever it changes: their contact list shows how the gateway fares.

use std::time::Duration;

use jid::Jid;
use tokio::sync::watch;

use super::Gateway;
use crate::xmpp::domain::available;
use crate::xmpp::{Address, Link, Outgoing};

/// How long a change has to last before it is told: a login is a row of them.
const SETTLED: Duration = Duration::from_secs(2);

impl Gateway {
    /// Tells every change, until dropped. Others are told when they ask, and so are those whose server lost it.
    pub(super) async fn keep_presence(&self) {
        let (mut board, mut links) = (self.board.changes(), self.link.clone());
        let mut told: Option<Option<String>> = None;
        loop {
            tokio::time::sleep(SETTLED).await;
            board.mark_unchanged();
            links.mark_unchanged();
            let trouble = self.trouble();
            if told.as_ref() != Some(&trouble) && self.tell_presence(&links, trouble.clone()) {
                told = Some(trouble);
            }
            let ended = tokio::select! {
                ended = board.changed() => ended.is_err(),
                ended = links.changed() => ended.is_err(),
            };
            if ended {
                return;
            }
        }
    }

    fn tell_presence(&self, links: &watch::Receiver<Option<Link>>, trouble: Option<String>) -> bool {
        let config = self.config.borrow().clone();
        let outgoing = Outgoing {
            stanza: available(&config.xmpp.domain, &Address::Domain, trouble).into(),
            to: config.xmpp.admins.iter().cloned().map(Jid::from).collect(),
        };
        let link = links.borrow().clone();
        link.is_some_and(|link| link.try_post(vec![outgoing]))
    }
}
