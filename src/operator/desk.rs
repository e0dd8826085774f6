//! What an admin can see and order, the same by chat and on the login page.

use tokio::sync::{mpsc, oneshot};

use super::{Board, Needs, Open, Part, State};
use crate::model::AccountName;

/// Longest answer to a captcha, in characters; those of QQ have four letters.
const LONGEST_ANSWER: usize = 32;

/// What an admin orders of the gateway.
#[derive(Debug)]
pub enum Order {
    /// Read the configuration again; the answer is what changed, or every problem.
    Reload(oneshot::Sender<String>),
    /// Let a session log in now; the answer says whether there is such a session.
    Login(AccountName, oneshot::Sender<bool>),
    /// What a session's captcha shows; the answer says whether there is such a session.
    Captcha(AccountName, String, oneshot::Sender<bool>),
}

/// Board, needs and the way to order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    /// How every part is.
    pub board: Board,
    /// What the sessions need.
    pub needs: Needs,
    orders: mpsc::Sender<Order>,
}

impl Desk {
    /// A desk whose orders somebody takes.
    pub fn new(board: Board, needs: Needs, orders: mpsc::Sender<Order>) -> Self {
        Self { board, needs, orders }
    }

    /// The account of that name with its state, and what it needs of a person.
    pub fn account(&self, name: &str) -> Option<(AccountName, State, Option<Open>)> {
        let account = AccountName(name.into());
        let state = self.board.of(&Part::Account(account.clone()))?;
        let open = self.needs.of(&account);
        Some((account, state, open))
    }

    /// Reads the configuration again.
    pub async fn reload(&self) -> String {
        self.order(Order::Reload).await.unwrap_or_else(stopping)
    }

    /// Lets an account log in now.
    pub async fn login(&self, account: &AccountName) -> String {
        match self.order(|reply| Order::Login(account.clone(), reply)).await {
            Some(true) => format!("account {account} is asked to log in; one that is online stays as it is"),
            Some(false) => no_session(account),
            None => stopping(),
        }
    }

    /// Answers the captcha of an account; `serial` names the one that was seen. An error says what was wrong with that.
    pub async fn captcha(&self, account: &AccountName, serial: Option<u64>, text: &str) -> Result<String, String> {
        let text = text.trim();
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if text.is_empty() || text.chars().count() > LONGEST_ANSWER || text.contains(odd) {
            return Err("that cannot be what the captcha shows: it is a few letters without a space".to_owned());
        }
        let open = self.needs.of(account).filter(Open::is_captcha);
        let Some(open) = open else {
            return Err(format!("account {account} has no captcha to be answered"));
        };
        if !self.needs.answer(account, serial.unwrap_or(open.serial)) {
            return Err("the captcha is another one by now; look again".to_owned());
        }
        let order = |reply| Order::Captcha(account.clone(), text.to_owned(), reply);
        match self.order(order).await {
            Some(true) => Ok(format!(
                "account {account}: your answer goes to QQ; when it is wrong, another captcha comes"
            )),
            Some(false) => Err(no_session(account)),
            None => Err(stopping()),
        }
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(order(reply)).await.ok()?;
        answer.await.ok()
    }
}

fn no_session(account: &AccountName) -> String {
    format!("no session of an account {account} runs; status lists them")
}

fn stopping() -> String {
    "the gateway is stopping".to_owned()
}
