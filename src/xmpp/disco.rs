//! What service discovery (XEP-0030) finds at our domain and at the members' addresses. Pure.
//!
//! Only what answers is announced: a feature here and an answer in [`super::domain`] come and go together.

use std::collections::BTreeSet;

use jid::BareJid;
use minidom::Element;
use xmpp_parsers::disco::{DiscoInfoResult, DiscoItemsQuery, DiscoItemsResult, Identity, Item};
use xmpp_parsers::ns;
use xmpp_parsers::rsm::{First, SetQuery, SetResult};

/// The longest page of rooms.
const PAGE: usize = 100;

/// A room as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its address.
    pub jid: BareJid,
    /// Its name.
    pub name: String,
}

/// The asked page begins at an item that is not there: `item-not-found` (XEP-0059 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchItem;

/// disco#info of the domain. `conference/text` stands first: clients go by the first identity.
pub fn domain_info() -> Element {
    let features = [
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::MUC,
        ns::PING,
        ns::RSM,
        ns::TIME,
        ns::VCARD,
        ns::VERSION,
    ];
    info(
        vec![identity("conference", "text", "QQ"), identity("gateway", "qq", "QQ")],
        &features,
    )
}

/// disco#info of a member or of the listener of joined rooms: `bot` for the latter. Never a conference.
pub fn puppet_info(name: &str, bot: bool) -> Element {
    let identities = if bot {
        vec![identity("client", "bot", name)]
    } else {
        vec![identity("account", "registered", name), identity("client", "bot", name)]
    };
    let features = [ns::DISCO_INFO, ns::DISCO_ITEMS, ns::PING, ns::VCARD, ns::VERSION];
    info(identities, &features)
}

fn identity(category: &str, kind: &str, name: &str) -> Identity {
    Identity {
        category: category.to_owned(),
        type_: kind.to_owned(),
        lang: None,
        name: Some(name.to_owned()),
    }
}

fn info(identities: Vec<Identity>, features: &[&str]) -> Element {
    DiscoInfoResult {
        node: None,
        identities,
        features: features
            .iter()
            .map(|feature| (*feature).to_owned())
            .collect::<BTreeSet<_>>(),
        extensions: Vec::new(),
    }
    .into()
}

/// disco#items without any.
pub fn no_items() -> Element {
    DiscoItemsResult {
        node: None,
        items: Vec::new(),
        rsm: None,
    }
    .into()
}

/// disco#items of the domain: the rooms that the asker may see, in any order, and the page they want (XEP-0059).
pub fn domain_items(mut rooms: Vec<Listed>, query: &DiscoItemsQuery) -> Result<Element, NoSuchItem> {
    rooms.sort_by(|a, b| a.jid.cmp(&b.jid));
    let count = rooms.len();
    let (start, end) = page(&rooms, query.rsm.as_ref())?;
    let items: Vec<_> = rooms.drain(start..end).map(item).collect();
    let whole = query.rsm.is_none() && items.len() == count;
    let rsm = (!whole).then(|| SetResult {
        first: items.first().map(|first| First {
            index: Some(start),
            item: first.jid.to_string(),
        }),
        last: items.last().map(|last| last.jid.to_string()),
        count: Some(count),
    });
    let result = DiscoItemsResult { node: None, items, rsm };
    Ok(result.into())
}

fn item(room: Listed) -> Item {
    Item {
        jid: room.jid.into(),
        node: None,
        name: Some(room.name),
    }
}

/// The bounds of the wanted page in the sorted list.
fn page(rooms: &[Listed], query: Option<&SetQuery>) -> Result<(usize, usize), NoSuchItem> {
    let count = rooms.len();
    let Some(query) = query else {
        return Ok((0, count.min(PAGE)));
    };
    let max = query.max.unwrap_or(PAGE).min(PAGE);
    let place = |id: &str| rooms.iter().position(|room| room.jid.as_str() == id).ok_or(NoSuchItem);
    if let Some(after) = query.after.as_deref().filter(|id| !id.is_empty()) {
        let start = place(after)? + 1;
        return Ok((start, (start + max).min(count)));
    }
    if let Some(before) = query.before.as_deref() {
        let end = if before.is_empty() { count } else { place(before)? };
        return Ok((end.saturating_sub(max), end));
    }
    let start = query.index.unwrap_or(0);
    if start > 0 && start >= count {
        return Err(NoSuchItem);
    }
    Ok((start, (start + max).min(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(n: usize) -> Vec<Listed> {
        let room = |n| Listed {
            jid: format!("r{n:03}@qq.ex").parse().unwrap(),
            name: format!("Room {n}"),
        };
        (0..n).rev().map(room).collect()
    }

    fn ask(n: usize, set: &str) -> Result<(Vec<String>, Option<SetResult>), NoSuchItem> {
        let query: Element = format!("<query xmlns='http://jabber.org/protocol/disco#items'>{set}</query>")
            .parse()
            .unwrap();
        let result = domain_items(rooms(n), &DiscoItemsQuery::try_from(query).unwrap())?;
        let result = DiscoItemsResult::try_from(result).unwrap();
        let local = |item: Item| item.jid.node().unwrap().to_string();
        Ok((result.items.into_iter().map(local).collect(), result.rsm))
    }

    fn set(inner: &str) -> String {
        format!("<set xmlns='http://jabber.org/protocol/rsm'>{inner}</set>")
    }

    #[test]
    fn few_rooms_come_whole() {
        assert_eq!(ask(2, "").unwrap(), (vec!["r000".to_owned(), "r001".to_owned()], None));
        assert_eq!(ask(0, "").unwrap(), (vec![], None));
    }

    #[test]
    fn pages() {
        let names = |inner: &str| ask(5, &set(inner)).map(|(items, _)| items.join(" "));
        assert_eq!(names("<max>2</max>").unwrap(), "r000 r001");
        assert_eq!(names("<max>2</max><after>r001@qq.ex</after>").unwrap(), "r002 r003");
        assert_eq!(names("<max>2</max><after>r003@qq.ex</after>").unwrap(), "r004");
        assert_eq!(names("<max>2</max><after>r004@qq.ex</after>").unwrap(), "");
        assert_eq!(names("<max>2</max><before/>").unwrap(), "r003 r004");
        assert_eq!(names("<max>2</max><before>r001@qq.ex</before>").unwrap(), "r000");
        assert_eq!(names("<max>2</max><index>3</index>").unwrap(), "r003 r004");
        assert_eq!(names("<index>5</index>"), Err(NoSuchItem));
        assert_eq!(names("<after>gone@qq.ex</after>"), Err(NoSuchItem));
        let (items, rsm) = ask(5, &set("<max>0</max>")).unwrap();
        let rsm = rsm.unwrap();
        assert_eq!((items.len(), rsm.count, rsm.first), (0, Some(5), None));
        let (_, rsm) = ask(5, &set("<max>1</max><after>r001@qq.ex</after>")).unwrap();
        let first = rsm.unwrap().first.unwrap();
        assert_eq!((first.index, first.item.as_str()), (Some(2), "r002@qq.ex"));
    }

    #[test]
    fn many_rooms_come_in_pages_unasked() {
        let (items, rsm) = ask(250, "").unwrap();
        assert_eq!((items.len(), rsm.unwrap().count), (PAGE, Some(250)));
    }
}
