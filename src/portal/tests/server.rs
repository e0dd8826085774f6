//! The XMPP server, as a portal sees it: batches go in, barriers come back.

use super::*;

/// The far end of one connection.
pub(super) struct Server {
    pub(super) batches: mpsc::Receiver<Batch>,
    /// Recipient and stanza, in order.
    pub(super) got: Vec<(FullJid, Element)>,
    held: Vec<oneshot::Sender<()>>,
    /// Whether barriers come back.
    pub(super) answers: bool,
}

impl Server {
    /// What stands at the end of this link.
    pub(super) fn new(batches: mpsc::Receiver<Batch>) -> Self {
        Self {
            batches,
            got: Vec::new(),
            held: Vec::new(),
            answers: true,
        }
    }

    pub(super) async fn next(&mut self) {
        let batch = timeout(LIMIT, self.batches.recv()).await;
        let batch = batch.unwrap_or_else(|_| panic!("nothing more comes; so far {}", self.told()));
        let batch = batch.expect("the portal has a link");
        for outgoing in batch.stanzas {
            let element = match outgoing.stanza {
                Stanza::Message(stanza) => Element::from(stanza),
                Stanza::Presence(stanza) => Element::from(stanza),
                Stanza::Iq(stanza) => Element::from(stanza),
            };
            let to = outgoing.to.into_iter().filter_map(|to| to.try_into_full().ok());
            self.got.extend(to.map(|to| (to, element.clone())));
        }
        self.held.extend(batch.receipt);
        if self.answers {
            self.barrier();
        }
    }

    /// All open barriers come back.
    pub(super) fn barrier(&mut self) {
        for receipt in self.held.drain(..) {
            receipt.send(()).ok();
        }
    }

    /// Reads on until somebody got something.
    pub(super) async fn until(&mut self, who: &str, is: impl Fn(&Element) -> bool) -> Element {
        loop {
            let found = self.got.iter().find(|(to, el)| to.as_str() == who && is(el));
            if let Some((_, element)) = found {
                return element.clone();
            }
            self.next().await;
        }
    }

    pub(super) async fn until_body(&mut self, who: &str, text: &str) -> Element {
        self.until(who, |el| body(el) == Some(text.to_owned())).await
    }

    /// Everybody is in, when they have their subjects.
    pub(super) async fn until_entered(&mut self, who: &str) {
        self.until(who, |el| el.children().any(|child| child.name() == "subject"))
            .await;
    }

    /// The bodies somebody got, errors left out.
    pub(super) fn bodies(&self, who: &str) -> Vec<String> {
        let to = self
            .got
            .iter()
            .filter(|(to, el)| to.as_str() == who && kind(el) != "error");
        to.filter_map(|(_, el)| body(el)).collect()
    }

    pub(super) fn count(&self, who: &str, is: impl Fn(&Element) -> bool) -> usize {
        self.got.iter().filter(|(to, el)| to.as_str() == who && is(el)).count()
    }

    pub(super) fn told(&self) -> String {
        let lines = self.got.iter().map(|(to, el)| format!("{to}: {}\n", String::from(el)));
        lines.collect()
    }
}

pub(super) fn body(element: &Element) -> Option<String> {
    element
        .children()
        .find(|child| child.name() == "body")
        .map(Element::text)
}

pub(super) fn kind(element: &Element) -> &str {
    element.attr("type").unwrap_or_default()
}

pub(super) fn is_error(element: &Element) -> bool {
    element.name() == "message" && kind(element) == "error"
}

pub(super) fn has_status(element: &Element, code: &str) -> bool {
    let mut children = element.children().flat_map(Element::children);
    children.any(|child| child.name() == "status" && child.attr("code") == Some(code))
}
