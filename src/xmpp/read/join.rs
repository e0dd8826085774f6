//! The `<x xmlns='http://jabber.org/protocol/muc'/>` of a join (XEP-0045 §7.2).

use std::time::Duration;

use minidom::Element;
use xmpp_parsers::ns::MUC;
use xmpp_parsers::presence::Presence;

use crate::model::{HistoryWanted, Timestamp};

/// Reads the wish for history of a join; `None` when the presence is no join. What is no number is as if absent.
pub fn read(presence: &Presence, now: Timestamp) -> Option<HistoryWanted> {
    let x = presence.payloads.iter().find(|p| p.is("x", MUC))?;
    Some(x.get_child("history", MUC).map(|h| history(h, now)).unwrap_or_default())
}

fn history(history: &Element, now: Timestamp) -> HistoryWanted {
    let number = |name: &str| history.attr(name).and_then(|value| value.trim().parse::<u64>().ok());
    let size = |name: &str| number(name).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let seconds = number("seconds").map(|n| now.minus(Duration::from_secs(n)));
    let since = history.attr("since").and_then(super::archive::time);
    let since = seconds.max(since);
    let maxchars = size("maxchars");
    let open = if since.is_some() || maxchars.is_some() {
        HistoryWanted::MOST
    } else {
        HistoryWanted::DEFAULT
    };
    HistoryWanted {
        maxchars,
        maxstanzas: size("maxstanzas").unwrap_or(open).min(HistoryWanted::MOST),
        since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(x: &str) -> Option<HistoryWanted> {
        let xml = format!("<presence xmlns='jabber:component:accept'>{x}</presence>");
        let element: Element = xml.parse().expect("XML");
        read(&Presence::try_from(element).expect("presence"), Timestamp(100_000))
    }

    #[test]
    fn limits() {
        let muc = "http://jabber.org/protocol/muc";
        assert_eq!(wanted(""), None);
        assert_eq!(wanted(&format!("<x xmlns='{muc}'/>")), Some(HistoryWanted::default()));
        let h = wanted(&format!(
            "<x xmlns='{muc}'><history maxstanzas='5' seconds='10' since='1970-01-01T00:01:35Z' maxchars='0'/></x>"
        ));
        let h = h.expect("a join");
        assert_eq!(
            (h.maxstanzas, h.maxchars, h.since),
            (5, Some(0), Some(Timestamp(95_000)))
        );
        let h = wanted(&format!("<x xmlns='{muc}'><history since='1970-01-01T00:00:01Z'/></x>")).expect("a join");
        assert_eq!((h.maxstanzas, h.since), (1000, Some(Timestamp(1000))));
        let h = wanted(&format!("<x xmlns='{muc}'><history maxstanzas='-3' seconds='x'/></x>")).expect("a join");
        assert_eq!(h, HistoryWanted::default());
    }
}
