//! Who looks on, and who helps: a watcher for each group, the phone that scans codes, the operator who reads alerts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lab::jabber::{Account, Stanza as _};
use lab::{Jabber, Sandbox};
use tokio::time::{Instant, sleep, timeout};

use crate::journal::{Book, GroupWord, Mark};
use crate::rooms::Room;

const LOOKS: Duration = Duration::from_millis(250);
/// A question to a sandbox that may be frozen.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between two orders of the operator.
const ORDERS: Duration = Duration::from_secs(5);

/// Notes what the sandbox has in the group, as it comes. Never ends.
pub(crate) async fn group(address: SocketAddr, room: Room, book: Book) -> anyhow::Result<()> {
    let sandbox = Sandbox::at(address)?;
    let mut last = 0;
    loop {
        let news = timeout(PATIENCE, sandbox.messages(room.group, last, Duration::from_secs(5))).await;
        let Ok(Ok(news)) = news else {
            sleep(LOOKS).await;
            continue;
        };
        let mut journal = book.open();
        let at = journal.now();
        for message in news {
            last = message.id;
            let text = message.shown();
            journal.groups[room.number].push(GroupWord {
                id: message.id,
                own: message.from == room.account(),
                mark: Mark::find(&text),
                at,
            });
        }
    }
}

/// Scans every code that is shown. Never ends.
pub(crate) async fn phone(address: SocketAddr, book: Book) -> anyhow::Result<()> {
    let sandbox = Sandbox::at(address)?;
    loop {
        // Refused while no code is shown, which is nearly always.
        if let Ok(Ok(_)) = timeout(PATIENCE, sandbox.scan_qr()).await {
            book.deed("phone", "a QR code was scanned", true);
        }
        sleep(LOOKS).await;
    }
}

/// Reads the gateway's alerts and does what they ask for. Never ends.
pub(crate) async fn operator(server: SocketAddr, sandbox: SocketAddr, book: Book) -> anyhow::Result<()> {
    let sandbox = Sandbox::at(sandbox)?;
    let account = Account {
        address: std::net::Ipv4Addr::LOCALHOST,
        port: server.port(),
        domain: "localhost".to_owned(),
        user: "alice".to_owned(),
        password: "alice".to_owned(),
        resource: "desk".to_owned(),
    };
    loop {
        if let Ok(Ok(client)) = timeout(PATIENCE, Jabber::log_in(&account)).await {
            let _ = on_duty(client, &sandbox, &book).await;
        }
        sleep(LOOKS).await;
    }
}

/// Until the connection ends.
async fn on_duty(mut client: Jabber, sandbox: &Sandbox, book: &Book) -> anyhow::Result<()> {
    client.come_online().await?;
    let mut ordered = Instant::now();
    let mut wanted: Option<String> = None;
    while client.ended().is_none() {
        for word in client.take_all() {
            let Some(body) = word.body().filter(|_| word.bare_from() == "qq.localhost") else {
                continue;
            };
            book.deed("alert", body.clone(), false);
            if body.contains("put aside") {
                wanted = Some("reload".to_owned());
            } else if let Some((account, _)) = body.strip_prefix("account ").and_then(|rest| rest.split_once(": "))
                && !body.contains("scan this code")
            {
                wanted = Some(format!("login {account}"));
            }
        }
        if ordered.elapsed() >= ORDERS
            && let Some(words) = wanted.take()
        {
            ordered = Instant::now();
            // Another program that logs in again and again is ended first.
            let _ = timeout(PATIENCE, sandbox.clear_fault("rival")).await;
            book.deed("operator", words.clone(), true);
            client
                .send(format!(
                    "<message to='qq.localhost' type='chat'><body>{words}</body></message>"
                ))
                .await?;
        }
        sleep(LOOKS).await;
    }
    Ok(())
}

/// Whoever looks on and helps, until dropped.
pub(crate) fn all(server: SocketAddr, sandbox: SocketAddr, rooms: &Arc<Vec<Room>>, book: &Book) -> Watchers {
    let mut tasks = tokio::task::JoinSet::new();
    for room in rooms.iter() {
        tasks.spawn(group(sandbox, room.clone(), book.clone()));
    }
    tasks.spawn(phone(sandbox, book.clone()));
    tasks.spawn(operator(server, sandbox, book.clone()));
    Watchers { _tasks: tasks }
}

/// See [`all`].
pub(crate) struct Watchers {
    _tasks: tokio::task::JoinSet<anyhow::Result<()>>,
}
