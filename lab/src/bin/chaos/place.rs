//! Where a person stands in one room, from asking to leaving, and what of the room's archive they still have to read.
//!
//! ```text
//!  out ──enter──► asking ──110──► reading ──subject──► in ──► (archive pages: catching up)
//!   ▲                │ refused                         │ put out, "you are not in this room", the stream ended
//!   └────────────────┴─────────────────────────────────┘
//! ```

use lab::jabber::{Stanza as _, escape, fresh_id, ns};
use minidom::Element;
use tokio::time::{Duration, Instant};

const RSM: &str = "http://jabber.org/protocol/rsm";
/// Between two attempts to enter.
pub(crate) const AGAIN: Duration = Duration::from_millis(700);
/// An entry or a page without an answer is asked for again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(12);
/// A room in which nothing was heard for so long is asked whether one is still there (XEP-0410).
pub(crate) const QUIET: Duration = Duration::from_secs(8);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Out,
    /// The id of the request.
    Asking(String),
    /// The rest of the entry: history, subject.
    Reading,
    In,
}

/// One room, as one person knows it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) state: State,
    /// Whether the person wants to be there.
    pub(crate) wanted: bool,
    /// Counts the stays.
    pub(crate) stay: u32,
    /// When something may be tried again.
    pub(crate) after: Instant,
    pub(crate) heard: Instant,
    /// Everything up to this stanza-id is known.
    pub(crate) solid: Option<String>,
    /// The newest that was shown.
    pub(crate) newest: Option<String>,
    /// An archive query that is open: the iq's id, and when it was asked.
    pub(crate) catching: Option<(String, Instant)>,
    /// Whether the archive has to be read.
    pub(crate) behind: bool,
    /// The last id of the pages so far.
    pub(crate) paged: Option<String>,
    /// An open question whether one is still there.
    pub(crate) ping: Option<String>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            state: State::Out,
            wanted: true,
            stay: 0,
            after: now,
            heard: now,
            solid: None,
            newest: None,
            catching: None,
            behind: false,
            paged: None,
            ping: None,
        }
    }

    /// Not there any more; what was being read is read again after the next entry.
    pub(crate) fn out(&mut self) {
        self.state = State::Out;
        self.catching = None;
        self.ping = None;
        self.after = Instant::now() + AGAIN;
    }

    /// The presence that asks to enter, with the history from the last stay on.
    pub(crate) fn request(&mut self, room: &str, nick: &str, since: Option<&str>) -> String {
        let id = fresh_id();
        let history = since.map_or_else(
            || "<history maxstanzas='20'/>".to_owned(),
            |since| format!("<history since='{since}'/>"),
        );
        let to = escape(&format!("{room}/{nick}"));
        let xml = format!(
            "<presence id='{id}' to='{to}'><x xmlns='{}'>{history}</x></presence>",
            ns::MUC
        );
        self.state = State::Asking(id);
        self.after = Instant::now() + PATIENCE;
        xml
    }

    /// The next archive query.
    pub(crate) fn page(&mut self, room: &str) -> String {
        let id = fresh_id();
        let after = self.paged.as_ref().or(self.solid.as_ref());
        let after = after.map_or_else(String::new, |id| format!("<after>{}</after>", escape(id)));
        let xml = format!(
            "<iq type='set' id='{id}' to='{}'><query xmlns='{}' queryid='{id}'><set xmlns='{RSM}'><max>50</max>{after}</set>\
             </query></iq>",
            escape(room),
            ns::MAM
        );
        self.catching = Some((id, Instant::now()));
        xml
    }

    /// The answer to an archive query: true when more is to be asked.
    pub(crate) fn paged(&mut self, answer: &Element) -> bool {
        self.catching = None;
        if answer.kind() == "error" {
            // The archive does not know the id any more (a server that was killed): all of it is read.
            let forgotten = matches!(answer.error_condition(), Some("item-not-found"));
            if forgotten {
                (self.paged, self.solid) = (None, None);
            }
            self.after = Instant::now() + AGAIN;
            return true;
        }
        let fin = answer.child("fin", ns::MAM);
        let last = fin.and_then(|fin| fin.get_child("set", RSM)?.get_child("last", RSM));
        let complete = fin.is_some_and(|fin| fin.attr("complete") == Some("true"));
        match last {
            Some(last) if !complete => {
                self.paged = Some(last.text());
                true
            }
            _ => {
                let end = last.map(Element::text).or(self.paged.take());
                self.paged = None;
                self.behind = false;
                self.solid = self.newest.clone().or(end).or(self.solid.take());
                false
            }
        }
    }
}
