//! The operator's side: alerts to the admins by chat, their commands, and the board that says how every part is.
//!
//! One task. Knows the texts and who may give orders; what an order does is the gateway's ([`Order`]).

mod board;
mod command;
mod qr;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jid::{BareJid, Jid};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use xmpp_parsers::message::{Lang, Message};

pub use board::{Board, Part, State};

use crate::model::AccountName;
use crate::qq::Need;
use crate::xmpp::{Link, Outgoing};

/// Alerts held while nobody can be told; the oldest are dropped beyond this.
const MAX_HELD: usize = 64;
/// Orders that are carried out at once.
const ORDERS: usize = 4;
/// A stranger is answered once in this time: two programs that answer each other would not end.
const STRANGERS_EVERY: Duration = Duration::from_secs(600);
/// Strangers that are remembered; a flood of more is not answered.
const STRANGERS: usize = 256;

/// Who the operator is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The gateway's own address: alerts come from it.
    pub domain: BareJid,
    /// Who may give orders and gets alerts.
    pub admins: Vec<BareJid>,
    /// Where QR pictures are put for the operator to open.
    pub pictures: PathBuf,
}

/// What the operator's task is told.
#[derive(Debug)]
pub enum Input {
    /// Somebody wrote to the gateway's address.
    Said {
        /// Who; only admins are heard.
        from: Jid,
        /// What.
        body: String,
    },
    /// Something the admins should know; a sentence.
    Alert(String),
    /// A session needs a person.
    Need(AccountName, Need),
    /// The configuration names other admins.
    Settings(Settings),
    /// An order was carried out: the answer to who gave it.
    Done {
        /// Who.
        to: Jid,
        /// What came of it.
        text: String,
    },
}

/// What an admin orders of the gateway.
#[derive(Debug)]
pub enum Order {
    /// Read the configuration again; the answer is what changed, or every problem.
    Reload(oneshot::Sender<String>),
    /// Let a session log in now; the answer says whether there is such an account.
    Login(AccountName, oneshot::Sender<String>),
}

/// Runs until told to stop.
pub async fn run(
    settings: Settings,
    inbox: &mut mpsc::Receiver<Input>,
    mut link: watch::Receiver<Option<Link>>,
    orders: mpsc::Sender<Order>,
    board: Board,
    shutdown: &CancellationToken,
) {
    let (done_tx, mut done) = mpsc::channel(ORDERS);
    let mut operator = Operator {
        settings,
        held: VecDeque::new(),
        link: link.clone(),
        orders,
        board,
        slots: Arc::new(Semaphore::new(ORDERS)),
        done: done_tx,
        answered: HashMap::new(),
    };
    link.mark_changed();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            Ok(()) = link.changed() => operator.flush().await,
            Some(input) = done.recv() => operator.take(input).await,
            input = inbox.recv() => match input {
                Some(input) => operator.take(input).await,
                None => return,
            },
        }
    }
}

struct Operator {
    settings: Settings,
    held: VecDeque<Outgoing>,
    link: watch::Receiver<Option<Link>>,
    orders: mpsc::Sender<Order>,
    board: Board,
    /// Bounds the orders that are carried out at once.
    slots: Arc<Semaphore>,
    /// Where their answers come back.
    done: mpsc::Sender<Input>,
    /// Strangers who were answered, and when.
    answered: HashMap<BareJid, Instant>,
}

impl Operator {
    async fn take(&mut self, input: Input) {
        match input {
            Input::Said { from, body } => self.answer(from, &body).await,
            Input::Alert(text) => self.alert(&text).await,
            Input::Need(account, need) => self.need(&account, need).await,
            Input::Settings(settings) => self.settings = settings,
            Input::Done { to, text } => self.say(to, &text).await,
        }
    }

    async fn answer(&mut self, from: Jid, body: &str) {
        if !self.settings.admins.contains(&from.to_bare()) {
            self.answered.retain(|_, at| at.elapsed() < STRANGERS_EVERY);
            if self.answered.len() >= STRANGERS || self.answered.insert(from.to_bare(), Instant::now()).is_some() {
                return;
            }
            let text =
                "I am the QQ gateway. Rooms are listed in my service discovery; orders are taken from the admins only.";
            self.say(from, text).await;
            return;
        }
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            self.say(from, "your other orders are not done yet; try again in a moment")
                .await;
            return;
        };
        // Beside this task: who carries out an order may have something to tell the operator, and must not wait for us in a circle.
        let (orders, board, done, body) = (
            self.orders.clone(),
            self.board.clone(),
            self.done.clone(),
            body.to_owned(),
        );
        tokio::spawn(async move {
            let text = command::run(&body, &orders, &board).await;
            done.send(Input::Done { to: from, text }).await.ok();
            drop(slot);
        });
    }

    async fn alert(&mut self, text: &str) {
        tracing::warn!("{text}");
        self.tell_admins(text).await;
    }

    /// Without a word to the log: for what lets a reader in.
    async fn tell_admins(&mut self, text: &str) {
        for admin in self.settings.admins.clone() {
            self.say(admin.into(), text).await;
        }
    }

    async fn need(&mut self, account: &AccountName, need: Need) {
        let text = match need {
            Need::ScanQr { png, text } => {
                tracing::warn!(%account, "QQ shows a QR code to be scanned; admins get it by chat");
                let text = qr::show(&self.settings.pictures, account, &png, text.as_deref()).await;
                self.tell_admins(&text).await;
                return;
            }
            Need::Captcha { .. } => {
                format!(
                    "account {account}: QQ asks for a captcha, which this version cannot pass on; log in by QR code"
                )
            }
            Need::Attention(text) => format!("account {account}: {text}"),
        };
        self.alert(&text).await;
    }

    /// A chat message from the gateway; held while there is no connection.
    async fn say(&mut self, to: Jid, text: &str) {
        let mut message = Message::chat(to.clone());
        message.from = Some(self.settings.domain.clone().into());
        message.bodies.insert(Lang::new(), text.to_owned());
        self.held.push_back(Outgoing::one(message, to));
        if self.held.len() > MAX_HELD {
            self.held.pop_front();
        }
        self.flush().await;
    }

    async fn flush(&mut self) {
        let Some(link) = self.link.borrow().clone() else { return };
        if self.held.is_empty() {
            return;
        }
        if let Ok(permit) = link.reserve().await {
            // Nobody waits for the receipt: what is written to a stream that breaks now is lost with it.
            drop(permit.write(self.held.drain(..).collect()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::link::Batch;

    async fn next(batches: &mut mpsc::Receiver<Batch>) -> String {
        let batch = tokio::time::timeout(Duration::from_secs(5), batches.recv()).await;
        let batch = batch.expect("a word in time").expect("the operator runs");
        let text = batch.stanzas.into_iter().map(|outgoing| match outgoing.stanza {
            tokio_xmpp::Stanza::Message(message) => message.get_best_body(Vec::new()).map(|(_, b)| b.clone()),
            _ => None,
        });
        text.flatten().collect()
    }

    #[tokio::test]
    async fn an_order_that_takes_long_holds_nobody_up_and_a_stranger_is_answered_once() {
        let settings = Settings {
            domain: BareJid::new("qq.example").expect("a domain"),
            admins: vec![BareJid::new("ann@ex.org").expect("a JID")],
            pictures: PathBuf::new(),
        };
        let (link, mut batches) = Link::new(settings.domain.clone(), 8);
        let (_links, links) = watch::channel(Some(link));
        let (inputs, mut inbox) = mpsc::channel(1);
        let (orders_tx, mut orders) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task =
            tokio::spawn(async move { run(settings, &mut inbox, links, orders_tx, Board::new(), &stopped).await });
        let said = |from: &str, body: &str| Input::Said {
            from: from.parse().expect("a JID"),
            body: body.to_owned(),
        };
        inputs.send(said("ann@ex.org/a", "reload")).await.expect("heard");
        let Some(Order::Reload(reply)) = orders.recv().await else {
            panic!("a reload was ordered")
        };
        // The gateway tells three things before it answers; with the operator waiting for it, the mailbox of one would be full.
        for n in 0..3 {
            inputs.send(Input::Alert(format!("alert {n}"))).await.expect("heard");
            assert_eq!(next(&mut batches).await, format!("alert {n}"));
        }
        reply.send("nothing changed".to_owned()).expect("somebody waits");
        assert_eq!(next(&mut batches).await, "nothing changed");
        for word in ["hi", "hi again"] {
            inputs.send(said("bot@else.org/b", word)).await.expect("heard");
        }
        assert!(next(&mut batches).await.contains("QQ gateway"));
        inputs.send(Input::Alert("the end".into())).await.expect("heard");
        assert_eq!(next(&mut batches).await, "the end");
        stop.cancel();
        task.await.expect("an end");
    }
}
