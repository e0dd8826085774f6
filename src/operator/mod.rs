//! The operator's side: alerts to the admins by chat, their commands, and the board that says how every part is.
//!
//! One task. Knows the texts and who may give orders; what an order does is the gateway's ([`Order`]).
//!
//! What a session needs of a person is told to every admin when it comes up, and once more to each who shows up later: who
//! comes on line (as far as the gateway is told), or writes. QR codes that follow one another are one thing to be told while a
//! page shows the newest.

mod asking;
mod board;
mod command;
mod desk;
mod needs;
mod page;
mod private;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jid::{BareJid, Jid};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use xmpp_parsers::message::{Lang, Message};

pub use board::{Board, Part, State};
pub use desk::{Desk, Order};
pub use needs::{Needs, Open};
pub use page::{LoginPage, write_addresses};

use crate::model::AccountName;
use crate::xmpp::{Link, Outgoing};
use command::{About, Reply};

/// Alerts held while nobody can be told; the oldest are dropped beyond this.
const MAX_HELD: usize = 64;
/// Orders that are carried out at once.
const ORDERS: usize = 4;
/// A stranger is answered once in this time: two programs that answer each other would not end.
const STRANGERS_EVERY: Duration = Duration::from_secs(600);
/// Strangers that are remembered; a flood of more is not answered.
const STRANGERS: usize = 256;
/// An admin who writes so soon after a need was told has it before their eyes.
const JUST_TOLD: Duration = Duration::from_secs(60);

/// Who the operator is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The gateway's own address: alerts come from it.
    pub domain: BareJid,
    /// Who may give orders and gets alerts.
    pub admins: Vec<BareJid>,
    /// Where pictures are put for the operator to open.
    pub pictures: PathBuf,
    /// Where the login pages are, if there are any.
    pub page: Option<LoginPage>,
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
    /// Somebody came on line.
    Arrived(Jid),
    /// Something the admins should know; a sentence.
    Alert(String),
    /// A session needs something else of a person than before: see [`Needs`].
    Need(AccountName),
    /// The configuration names other admins.
    Settings(Settings),
}

/// Runs until told to stop.
pub async fn run(
    settings: Settings,
    inbox: &mut mpsc::Receiver<Input>,
    mut link: watch::Receiver<Option<Link>>,
    desk: Desk,
    shutdown: &CancellationToken,
) {
    let (done_tx, mut done) = mpsc::channel(ORDERS);
    let mut operator = Operator {
        settings,
        held: VecDeque::new(),
        link: link.clone(),
        desk,
        slots: Arc::new(Semaphore::new(ORDERS)),
        done: done_tx,
        answered: HashMap::new(),
        told: BTreeMap::new(),
    };
    link.mark_changed();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            Ok(()) = link.changed() => operator.flush().await,
            Some(done) = done.recv() => operator.done(done).await,
            input = inbox.recv() => match input {
                Some(input) => operator.take(input).await,
                None => return,
            },
        }
    }
}

/// An order was carried out.
#[derive(Debug)]
struct Done {
    to: Jid,
    at: Instant,
    reply: Reply,
}

/// A need as the admins were told of it.
#[derive(Debug)]
struct Told {
    serial: u64,
    series: u64,
    at: Instant,
    words: String,
    /// Who had it before their eyes since.
    seen: HashSet<BareJid>,
}

struct Operator {
    settings: Settings,
    held: VecDeque<Outgoing>,
    link: watch::Receiver<Option<Link>>,
    desk: Desk,
    /// Bounds the orders that are carried out at once.
    slots: Arc<Semaphore>,
    /// Where their answers come back.
    done: mpsc::Sender<Done>,
    /// Strangers who were answered, and when.
    answered: HashMap<BareJid, Instant>,
    told: BTreeMap<AccountName, Told>,
}

impl Operator {
    async fn take(&mut self, input: Input) {
        match input {
            Input::Said { from, body } => self.answer(from, &body).await,
            Input::Arrived(who) => self.remind(who, Duration::ZERO).await,
            Input::Alert(text) => self.alert(&text).await,
            Input::Need(account) => self.need(&account).await,
            Input::Settings(settings) => {
                let before = std::mem::replace(&mut self.settings, settings).admins;
                let new = self.settings.admins.clone().into_iter();
                for admin in new.filter(|admin| !before.contains(admin)) {
                    self.remind(admin.into(), Duration::ZERO).await;
                }
            }
        }
    }

    fn is_admin(&self, who: &Jid) -> bool {
        self.settings.admins.contains(&who.to_bare())
    }

    async fn answer(&mut self, from: Jid, body: &str) {
        if !self.is_admin(&from) {
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
        let (desk, done, body, at) = (self.desk.clone(), self.done.clone(), body.to_owned(), Instant::now());
        tokio::spawn(async move {
            let reply = command::run(&body, &desk).await;
            done.send(Done { to: from, at, reply }).await.ok();
            drop(slot);
        });
    }

    /// Gives the answer to an order, and what it leaves to be said.
    async fn done(&mut self, done: Done) {
        let Done { to, at, reply } = done;
        let mut text = reply.text;
        let mut again = None;
        match reply.about {
            Some(About::Login(account)) => {
                if let (Some(page), Some(_)) = (&self.settings.page, self.desk.account(account.as_str())) {
                    text = format!("{text}\nIts page: {}", page.address(&account));
                }
                again = self.code_shown_before(&account, at, &to);
            }
            Some(About::Captcha(account)) => {
                if let Some(told) = self.told.get_mut(&account) {
                    told.seen.insert(to.to_bare());
                }
            }
            None => {}
        }
        self.say(to.clone(), &text).await;
        if let Some(words) = again {
            self.say(to.clone(), &words).await;
        }
        self.remind(to, JUST_TOLD).await;
    }

    /// The code that is open since before an admin asked for one, so that no other comes for now.
    fn code_shown_before(&mut self, account: &AccountName, asked: Instant, who: &Jid) -> Option<String> {
        let open = self.desk.needs.of(account).filter(Open::is_code)?;
        let told = self.told.get_mut(account)?;
        if told.series != open.series || told.at > asked {
            return None;
        }
        told.seen.insert(who.to_bare());
        Some(told.words.clone())
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

    async fn need(&mut self, account: &AccountName) {
        let Some(open) = self.desk.needs.of(account) else {
            self.told.remove(account);
            return;
        };
        if self.told.get(account).is_some_and(|told| told.serial == open.serial) {
            return;
        }
        let page = self.settings.page.as_ref();
        let words = asking::prepare(&self.settings.pictures, account, &open, page).await;
        if let Some(told) = self.told.get_mut(account)
            && told.series == open.series
        {
            told.serial = open.serial;
            told.words.clone_from(&words);
            // Without a page the code in the chat is the only one at hand, and has to be the one that works.
            if self.settings.page.is_none() {
                self.tell_admins(&words).await;
            }
            return;
        }
        tracing::warn!(%account, "{}", open.in_short());
        let told = Told {
            serial: open.serial,
            series: open.series,
            at: Instant::now(),
            words: words.clone(),
            seen: HashSet::new(),
        };
        self.told.insert(account.clone(), told);
        self.tell_admins(&words).await;
    }

    /// Tells an admin who shows up what is needed, each thing once; not what was told within the last moments.
    async fn remind(&mut self, who: Jid, but: Duration) {
        if !self.is_admin(&who) {
            return;
        }
        let mut news = Vec::new();
        for (account, open) in self.desk.needs.list() {
            let Some(told) = self.told.get_mut(&account) else {
                continue;
            };
            let stale = told.series != open.series || open.is_answered();
            if !stale && told.at.elapsed() >= but && told.seen.insert(who.to_bare()) {
                news.push(told.words.clone());
            }
        }
        for words in news {
            self.say(who.clone(), &words).await;
        }
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
mod tests;
