//! What the admins read, and when.

use super::*;
use crate::qq::Need;
use crate::xmpp::link::Batch;

const ANN: &str = "ann@ex.org/phone";

/// The operator's task with everybody around it.
struct Office {
    inputs: mpsc::Sender<Input>,
    orders: mpsc::Receiver<Order>,
    batches: mpsc::Receiver<Batch>,
    desk: Desk,
    settings: Settings,
    _links: watch::Sender<Option<Link>>,
    _folder: tempfile::TempDir,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Office {
    fn open(page: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings {
            domain: BareJid::new("qq.example").expect("a domain"),
            admins: vec![BareJid::new("ann@ex.org").expect("a JID")],
            pictures: folder.path().to_owned(),
            page: page.then(|| LoginPage::new("127.0.0.1:9680".parse().expect("an address"))),
        };
        let (link, batches) = Link::new(settings.domain.clone(), 8);
        let (links, watched) = watch::channel(Some(link));
        let (inputs, mut inbox) = mpsc::channel(1);
        let (orders_tx, orders) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let desk = Desk::new(Board::new(), Needs::new(), orders_tx);
        let (at, with, stopped) = (settings.clone(), desk.clone(), stop.clone());
        let task = tokio::spawn(async move { run(at, &mut inbox, watched, with, &stopped).await });
        Self {
            inputs,
            orders,
            batches,
            desk,
            settings,
            _links: links,
            _folder: folder,
            stop,
            task,
        }
    }

    async fn told(&self, input: Input) {
        self.inputs.send(input).await.expect("heard");
    }

    async fn hears(&self, from: &str, body: &str) {
        let from = from.parse().expect("a JID");
        let body = body.to_owned();
        self.told(Input::Said { from, body }).await;
    }

    async fn arrives(&self, who: &str) {
        self.told(Input::Arrived(who.parse().expect("a JID"))).await;
    }

    async fn needs(&self, account: &str, need: Need) {
        let account = AccountName(account.into());
        self.desk.board.set(&Part::Account(account.clone()), State::Starting);
        self.desk.needs.open(&account, need);
        self.told(Input::Need(account)).await;
    }

    /// The next word, and to whom.
    async fn next(&mut self) -> (String, String) {
        let batch = tokio::time::timeout(Duration::from_secs(5), self.batches.recv()).await;
        let mut batch = batch.expect("a word in time").expect("the operator runs");
        assert_eq!(batch.stanzas.len(), 1);
        let outgoing = batch.stanzas.remove(0);
        let tokio_xmpp::Stanza::Message(message) = outgoing.stanza else {
            panic!("the operator writes messages")
        };
        let (_, body) = message.get_best_body(Vec::new()).expect("a body");
        (outgoing.to[0].to_string(), body.clone())
    }

    async fn says(&mut self, part: &str) -> String {
        let (_, text) = self.next().await;
        assert!(text.contains(part), "{part} is not in: {text}");
        text
    }

    /// Everything that was to be said was said.
    async fn silent(&mut self) {
        self.told(Input::Alert("that is all".to_owned())).await;
        assert_eq!(self.next().await.1, "that is all");
    }

    async fn close(self) {
        self.stop.cancel();
        self.task.await.expect("an end");
    }
}

fn code(text: &str) -> Need {
    Need::ScanQr {
        png: Arc::from(&b"png"[..]),
        text: Some(text.to_owned()),
    }
}

fn captcha() -> Need {
    Need::Captcha {
        picture: Arc::from(&b"jpeg"[..]),
    }
}

#[tokio::test]
async fn an_order_that_takes_long_holds_nobody_up_and_a_stranger_is_answered_once() {
    let mut office = Office::open(false);
    office.hears(ANN, "reload").await;
    let Some(Order::Reload(reply)) = office.orders.recv().await else {
        panic!("a reload was ordered")
    };
    // The gateway tells three things before it answers; with the operator waiting for it, the mailbox of one would be full.
    for n in 0..3 {
        office.told(Input::Alert(format!("alert {n}"))).await;
        assert_eq!(office.next().await.1, format!("alert {n}"));
    }
    reply.send("nothing changed".to_owned()).expect("somebody waits");
    assert_eq!(office.next().await, (ANN.to_owned(), "nothing changed".to_owned()));
    for word in ["hi", "hi again"] {
        office.hears("bot@else.org/b", word).await;
    }
    office.says("QQ gateway").await;
    office.silent().await;
    office.close().await;
}

#[tokio::test]
async fn a_captcha_is_answered_in_the_chat_and_a_wrong_answer_brings_another() {
    let mut office = Office::open(true);
    office.needs("main", captcha()).await;
    let text = office.says("QQ asks for a captcha").await;
    let page = office.settings.page.clone().expect("a page");
    assert!(text.contains(&page.address(&AccountName("main".into()))), "{text}");
    for word in ["abcd", "efgh"] {
        office.hears(ANN, word).await;
        let Some(Order::Captcha(account, answer, reply)) = office.orders.recv().await else {
            panic!("the captcha was answered")
        };
        assert_eq!((account.as_str(), answer.as_str()), ("main", word));
        reply.send(true).expect("the operator waits");
        office.says("your answer goes to QQ").await;
        if word == "abcd" {
            office.needs("main", captcha()).await;
            office.says("QQ asks for a captcha").await;
        }
    }
    office.hears("eve@ex.org/x", "abcd").await;
    office.says("orders are taken from the admins only").await;
    assert!(office.orders.try_recv().is_err());
    office.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_admin_who_comes_later_is_told_once() {
    let mut office = Office::open(true);
    let frozen = Need::Attention("the account is frozen: unfreeze it at aq.qq.com".to_owned());
    office.needs("main", frozen).await;
    office.says("account main: the account is frozen").await;
    office.arrives("eve@ex.org/x").await;
    office.arrives(ANN).await;
    assert_eq!(office.next().await.0, ANN);
    office.arrives("ann@ex.org/desk").await;
    office.hears(ANN, "help").await;
    office.says("status —").await;
    office.silent().await;

    // Who writes right after it was told knows it; who writes later may not.
    office.needs("second", captcha()).await;
    office.says("account second").await;
    office.hears(ANN, "help").await;
    office.says("status —").await;
    office.silent().await;
    tokio::time::advance(JUST_TOLD).await;
    office.hears(ANN, "help").await;
    office.says("status —").await;
    office.says("account second").await;
    office.silent().await;

    // A new admin gets all that is open, and nothing of what is over.
    office.desk.needs.close(&AccountName("second".into()));
    let mut settings = office.settings.clone();
    settings.admins.push(BareJid::new("bob@ex.org").expect("a JID"));
    office.told(Input::Settings(settings)).await;
    let (to, text) = office.next().await;
    assert!(to == "bob@ex.org" && text.contains("frozen"), "{to}: {text}");
    office.close().await;
}

#[tokio::test]
async fn new_codes_are_told_once_while_the_page_shows_them_and_again_to_who_asks() {
    let mut office = Office::open(true);
    office.needs("main", code("https://txz.qq.com/p?k=1")).await;
    let first = office.says("scan this code").await;
    office.needs("main", code("https://txz.qq.com/p?k=2")).await;
    office.silent().await;
    office.hears(ANN, "login main").await;
    let Some(Order::Login(_, reply)) = office.orders.recv().await else {
        panic!("a login was ordered")
    };
    reply.send(true).expect("the operator waits");
    office.says("Its page: http://127.0.0.1:9680/login/main?key=").await;
    let second = office.says("scan this code").await;
    assert_ne!(first, second);
    // Asked for: the next one is told.
    office.needs("main", code("https://txz.qq.com/p?k=3")).await;
    office.says("scan this code").await;
    office.close().await;
}

#[tokio::test]
async fn without_a_page_every_code_is_told() {
    let mut office = Office::open(false);
    for k in 0..2 {
        office.needs("main", code(&format!("https://txz.qq.com/p?k={k}"))).await;
        office.says("[http] listen is off").await;
    }
    office.silent().await;
    office.close().await;
}
