//! Reload: the file is read again, and the difference alone is applied while the rest runs on.

use std::sync::Arc;

use super::{Gateway, build, fixed};
use crate::config::{Config, Source};
use crate::mapping::Mapping;
use crate::operator::{Input, Part, State};
use tokio_util::sync::CancellationToken;

/// Reads the file again. With any error the old configuration stays. Answers what was done, or every problem.
pub(super) async fn reload(
    gateway: &Arc<Gateway>,
    source: &Source,
    current: &mut Config,
    shutdown: &CancellationToken,
) -> String {
    let next = match source.load() {
        Ok(next) => next,
        Err(problems) => return format!("nothing was changed: the file has problems\n{problems}"),
    };
    if let Some(trouble) = gateway.store.health().blocked() {
        return format!("nothing was changed: {trouble}; then reload again");
    }
    let mut said = needs_restart(current, &next);
    let next = keep_what_needs_restart(current, next);
    if let Err(refused) = fixed::check_puppet_address(&gateway.store, &next, source.path()).await {
        return format!("nothing was changed: {refused:#}");
    }
    accounts_gone(gateway, current, &next, &mut said).await;
    rows(gateway, current, &next, shutdown, &mut said).await;
    accounts_new(gateway, current, &next, &mut said);
    if current.xmpp.admins != next.xmpp.admins {
        let settings = build::operator(&next, gateway.page.clone());
        gateway.operator.send(Input::Settings(settings)).await.ok();
        said.push("the admins are others now".to_owned());
    }
    gateway.write_addresses(&next).await;
    gateway.config.send_replace(Arc::new(next.clone()));
    *current = next;
    if said.is_empty() {
        "nothing changed".to_owned()
    } else {
        said.join("\n")
    }
}

/// Values that stay as they are until the next start.
fn needs_restart(current: &Config, next: &Config) -> Vec<String> {
    [
        (
            "[xmpp] domain, and with it every account and row",
            current.xmpp.domain != next.xmpp.domain,
        ),
        ("[xmpp] server", current.xmpp.server != next.xmpp.server),
        ("[xmpp] secret", current.xmpp.secret != next.xmpp.secret),
        ("[store]", current.store != next.store),
        ("[http] listen", current.http != next.http),
    ]
    .into_iter()
    .filter(|(_, changed)| *changed)
    .map(|(key, _)| format!("{key} changed: that takes effect at the next start"))
    .collect()
}

/// `puppet_address` is not among them: a change is refused as long as a room is joined, and means nothing before.
fn keep_what_needs_restart(current: &Config, mut next: Config) -> Config {
    if current.xmpp.domain != next.xmpp.domain {
        // Rows were read against the other domain: what is a room of ours there is somebody else's here.
        next.mappings.clone_from(&current.mappings);
        next.accounts.clone_from(&current.accounts);
    }
    next.xmpp.domain.clone_from(&current.xmpp.domain);
    next.xmpp.server.clone_from(&current.xmpp.server);
    next.xmpp.secret.clone_from(&current.xmpp.secret);
    next.store.clone_from(&current.store);
    next.http.clone_from(&current.http);
    next
}

/// Accounts that are gone, or that say something else now: stopped.
async fn accounts_gone(gateway: &Arc<Gateway>, current: &Config, next: &Config, said: &mut Vec<String>) {
    let put_aside = gateway.accounts.put_aside();
    for old in &current.accounts {
        let fails = put_aside.contains(&old.name);
        if !fails && next.accounts.iter().any(|new| new == old) && current.relay.give_up == next.relay.give_up {
            continue;
        }
        gateway.stop_account(&old.name).await;
        if !next.accounts.iter().any(|new| new.name == old.name) {
            gateway.board.remove(&Part::Account(old.name.clone()));
            gateway.board.remove(&Part::Outbox(old.name.clone()));
            said.push(format!("account {} removed", old.name));
        }
    }
}

/// Rows, in the order that lets a group move from one room to another.
async fn rows(
    gateway: &Arc<Gateway>,
    current: &Config,
    next: &Config,
    shutdown: &CancellationToken,
    said: &mut Vec<String>,
) {
    let before = Mapping::new(current.mappings.clone());
    let after = Mapping::new(next.mappings.clone());
    // What was put aside is tried again; its room is configured or removed like any other.
    for row in before.rows().filter(|row| !gateway.rooms.runs(&row.room)) {
        let settings = build::portal(current, row, gateway.store.salt());
        gateway.start_portal(settings, current.run.drain_timeout, shutdown);
        said.push(format!("room {} is tried again", row.room));
    }
    let diff = before.diff(&after);
    for row in &diff.removed {
        gateway.remove_portal(&row.room).await;
        said.push(format!("room {} removed", row.room));
    }
    for row in after.rows() {
        let Some(old) = before.of_room(&row.room) else { continue };
        let settings = build::portal(next, row, gateway.store.salt());
        let state = gateway.board.of(&Part::Room(row.room.clone()));
        if build::portal(current, old, gateway.store.salt()) != settings {
            gateway.configure_portal(settings).await;
            said.push(format!("room {} changed", row.room));
        } else if matches!(state, Some(State::Away(_) | State::NeedsOperator(_))) {
            gateway.configure_portal(settings).await;
            said.push(format!("room {} is tried again", row.room));
        }
    }
    for row in &diff.added {
        let settings = build::portal(next, row, gateway.store.salt());
        gateway.start_portal(settings, next.run.drain_timeout, shutdown);
        said.push(format!("room {} added", row.room));
    }
}

/// Accounts that are new, or were stopped because they changed: started. The rest learns which groups are mapped now.
fn accounts_new(gateway: &Arc<Gateway>, current: &Config, next: &Config, said: &mut Vec<String>) {
    let running = gateway.accounts.configured();
    for account in &next.accounts {
        let mapped = build::mapped(next, &account.name);
        if running.contains(account) {
            if build::mapped(current, &account.name) != mapped {
                gateway.route.set_mapped(&account.name, mapped);
                said.push(format!("the groups of account {} are looked for again", account.name));
            }
            continue;
        }
        let known = current.accounts.iter().any(|old| old.name == account.name);
        said.push(format!(
            "account {} {}",
            account.name,
            if known { "changed" } else { "added" }
        ));
        gateway.start_account(account.clone(), mapped, &next.relay, next.run.drain_timeout);
    }
}
