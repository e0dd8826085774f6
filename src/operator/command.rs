//! What admins can order by chat.

use tokio::sync::{mpsc, oneshot};

use super::{Board, Order};
use crate::model::AccountName;

const HELP: &str = "help — this list
status — how every part of the gateway is
reload — read bridge.toml again
login <account> — let a QQ account log in now (a new QR code)";

/// Runs one line of an admin and gives the answer.
pub(super) async fn run(line: &str, orders: &mpsc::Sender<Order>, board: &Board) -> String {
    let mut words = line.split_whitespace();
    let (command, argument) = (words.next().unwrap_or_default().to_lowercase(), words.next());
    match (command.as_str(), argument) {
        ("help" | "?", _) => HELP.to_owned(),
        ("status", _) => board.to_string(),
        ("reload", _) => order(orders, Order::Reload).await,
        ("login", Some(account)) => {
            let account = AccountName(account.into());
            order(orders, |reply| Order::Login(account, reply)).await
        }
        ("login", None) => "which account? login <account>; status lists them".to_owned(),
        _ => format!("I do not know «{command}»; try help"),
    }
}

async fn order(orders: &mpsc::Sender<Order>, order: impl FnOnce(oneshot::Sender<String>) -> Order) -> String {
    let (reply, answer) = oneshot::channel();
    let stopping = "the gateway is stopping".to_owned();
    if orders.send(order(reply)).await.is_err() {
        return stopping;
    }
    answer.await.unwrap_or(stopping)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{Part, State};

    #[tokio::test]
    async fn answers_what_it_knows_and_says_what_it_does_not() {
        let (orders, mut inbox) = mpsc::channel(1);
        let board = Board::new();
        board.set(&Part::Component, State::Online);
        assert_eq!(run(" status ", &orders, &board).await, "component: online");
        assert!(run("help", &orders, &board).await.contains("reload"));
        assert_eq!(run("sing", &orders, &board).await, "I do not know «sing»; try help");
        let gateway = tokio::spawn(async move {
            let Some(Order::Login(account, reply)) = inbox.recv().await else {
                panic!("a login was ordered")
            };
            reply.send(format!("{account} logs in")).expect("the operator waits");
        });
        assert_eq!(run("LOGIN main", &orders, &board).await, "main logs in");
        gateway.await.expect("the gateway answered");
        assert_eq!(run("reload", &orders, &board).await, "the gateway is stopping");
    }
}
