//! The rooms' archives (XEP-0313), read by somebody who was not there: the order by which everything is judged.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lab::Jabber;
use lab::jabber::{Account, Stanza as _, escape, ns};
use minidom::Element;

use crate::journal::Mark;
use crate::rooms::Room;

const RSM: &str = "http://jabber.org/protocol/rsm";

/// A message of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) mark: Option<Mark>,
    pub(crate) text: String,
}

/// Reads all of all rooms.
pub(crate) async fn read(server: SocketAddr, rooms: &[Room]) -> anyhow::Result<Vec<Vec<Kept>>> {
    let account = Account {
        address: Ipv4Addr::LOCALHOST,
        port: server.port(),
        domain: "localhost".to_owned(),
        user: "bob".to_owned(),
        password: "bob".to_owned(),
        resource: "judge".to_owned(),
    };
    let mut client = Jabber::log_in(&account).await?;
    client.set_limit(Duration::from_secs(10));
    let mut all = Vec::new();
    for room in rooms {
        all.push(
            room_of(&mut client, &room.jid)
                .await
                .with_context(|| format!("the archive of {}", room.jid))?,
        );
    }
    let _ = client.close().await;
    Ok(all)
}

async fn room_of(client: &mut Jabber, room: &str) -> anyhow::Result<Vec<Kept>> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        client.take_all();
        let query = format!(
            "<query xmlns='{}' queryid='judge'><set xmlns='{RSM}'><max>200</max>{after}</set></query>",
            ns::MAM
        );
        let end = client.iq(room, "set", &query).await?;
        ensure!(end.kind() == "result", "{}", end.xml());
        all.extend(client.take_all().iter().filter_map(kept));
        let fin = end.child("fin", ns::MAM).context("a page has an end")?;
        let last = fin.get_child("set", RSM).and_then(|set| set.get_child("last", RSM));
        match last {
            Some(last) if fin.attr("complete") != Some("true") => {
                after = format!("<after>{}</after>", escape(&last.text()));
            }
            _ => return Ok(all),
        }
    }
}

fn kept(stanza: &Element) -> Option<Kept> {
    let result = stanza.child("result", ns::MAM)?;
    let way = [("forwarded", ns::FORWARD), ("message", ns::CLIENT)];
    let text = result.descend(&way)?.body()?;
    Some(Kept {
        id: result.attr("id").unwrap_or_default().to_owned(),
        mark: Mark::find(&text),
        text,
    })
}
