//! The page as a browser gets it, over a real socket.

use std::sync::Arc;

use reqwest::{Client, Response};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::metrics::Metrics;
use crate::operator::{Board, Needs, Order, Part, State as Health};

const PNG: &[u8] = b"\x89PNG and so on";
const JPEG: &[u8] = b"\xff\xd8\xff and so on";

struct Site {
    desk: Desk,
    orders: mpsc::Receiver<Order>,
    /// The whole address of the page of `main`.
    address: String,
    client: Client,
    _stop: tokio_util::sync::DropGuard,
}

impl Site {
    async fn start() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let page = LoginPage::new(listener.local_addr().expect("an address"));
        let (orders_tx, orders) = mpsc::channel(4);
        let desk = Desk::new(Board::new(), Needs::new(), orders_tx);
        let (main, stop) = (crate::model::AccountName("main".into()), CancellationToken::new());
        desk.board.set(&Part::Account(main.clone()), Health::Starting);
        let address = page.address(&main);
        tokio::spawn(super::super::run(
            listener,
            desk.clone(),
            page,
            Metrics::new(),
            stop.clone(),
        ));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(20)).build();
        Self {
            desk,
            orders,
            address,
            client: client.expect("a client"),
            _stop: stop.drop_guard(),
        }
    }

    fn needs(&self, need: crate::qq::Need) {
        let main = crate::model::AccountName("main".into());
        self.desk.board.set(
            &Part::Account(main.clone()),
            Health::NeedsOperator("a <person>".to_owned()),
        );
        self.desk.needs.open(&main, need);
    }

    async fn get(&self, address: &str) -> Response {
        self.client.get(address).send().await.expect("an answer")
    }

    async fn post(&self, form: &'static str) -> Response {
        let request = self.client.post(&self.address).body(form);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.send().await.expect("an answer")
    }

    /// The picture that the page shows.
    async fn picture(&self, page: &str) -> Response {
        let (_, rest) = page.split_once("<img src=\"").expect("a picture");
        let (path, _) = rest.split_once('"').expect("its address");
        let (base, _) = self.address.split_once("/login").expect("the page's address");
        self.get(&format!("{base}{}", path.replace("&amp;", "&"))).await
    }
}

fn captcha() -> crate::qq::Need {
    crate::qq::Need::Captcha {
        picture: Arc::from(JPEG),
    }
}

#[tokio::test]
async fn without_the_key_nothing_is_shown_and_nothing_is_done() {
    let mut site = Site::start().await;
    site.needs(captcha());
    let (bare, key) = site.address.split_once("?key=").expect("a key");
    let wrong = [
        bare.to_owned(),
        format!("{bare}?key="),
        format!("{bare}?key={}", &key[1..]),
        format!("{bare}?key={key}&key={key}"),
        format!("{bare}/picture"),
        bare.replace("main", "nobody"),
    ];
    for address in wrong {
        let got = site.get(&address).await;
        assert_eq!(got.status(), 403, "{address}");
        assert_eq!(got.headers()["cache-control"], "no-store");
        let text = got.text().await.expect("a text");
        assert!(
            text.contains("login-key") && !text.contains("main") && !text.contains('<'),
            "{text}"
        );
        let got = site.client.post(&address).body("answer=abcd").send().await;
        assert_eq!(got.expect("an answer").status(), 403, "{address}");
    }
    assert!(site.orders.try_recv().is_err());
}

#[tokio::test]
async fn the_page_shows_the_code_and_keeps_to_itself() {
    let site = Site::start().await;
    let waiting = site.get(&site.address).await.text().await.expect("a page");
    assert!(
        waiting.contains("<p>starting</p>") && !waiting.contains("<img"),
        "{waiting}"
    );
    site.needs(crate::qq::Need::ScanQr {
        png: Arc::from(PNG),
        text: None,
    });
    let got = site.get(&site.address).await;
    assert_eq!(got.status(), 200);
    let policy = got.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "img-src 'self'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(got.headers()["referrer-policy"], "no-referrer");
    assert_eq!(got.headers()["cache-control"], "no-store");
    let page = got.text().await.expect("a page");
    assert!(page.contains("needs you: a &lt;person&gt;"), "{page}");
    assert!(
        page.contains("http-equiv=\"refresh\"") && page.contains("new code"),
        "{page}"
    );
    let picture = site.picture(&page).await;
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.headers()["cache-control"], "no-store");
    assert_eq!(picture.bytes().await.expect("bytes"), PNG);
    let other = site.get(&site.address.replace("main", "nobody")).await;
    assert_eq!(other.status(), 404);
}

#[tokio::test]
async fn answers_and_wishes_reach_the_session() {
    let mut site = Site::start().await;
    site.needs(captcha());
    let page = site.get(&site.address).await.text().await.expect("a page");
    assert_eq!(site.picture(&page).await.headers()["content-type"], "image/jpeg");
    assert!(page.contains("name=\"serial\" value=\"1\""), "{page}");
    // Another picture came while somebody typed.
    site.needs(captcha());
    let late = site.post("serial=1&answer=abcd").await;
    assert_eq!(late.status(), 409);
    assert!(late.text().await.expect("a page").contains("another one by now"));
    let mut orders = std::mem::replace(&mut site.orders, mpsc::channel(1).1);
    let gateway = tokio::spawn(async move {
        let Some(Order::Captcha(account, text, reply)) = orders.recv().await else {
            panic!("the captcha was answered")
        };
        reply.send(true).expect("the page waits");
        assert_eq!((account.as_str(), text.as_str()), ("main", "aBcd"));
        let Some(Order::Login(account, reply)) = orders.recv().await else {
            panic!("a login was ordered")
        };
        reply.send(false).expect("the page waits");
        assert_eq!(account.as_str(), "main");
    });
    let page = site.post("serial=2&answer=+aBcd+").await.text().await.expect("a page");
    assert!(
        page.contains("your answer goes to QQ") && !page.contains("name=\"answer\""),
        "{page}"
    );
    let page = site.post("").await.text().await.expect("a page");
    assert!(page.contains("no session of an account main runs"), "{page}");
    gateway.await.expect("both orders came");
}

#[tokio::test]
async fn a_form_has_its_bounds() {
    let mut site = Site::start().await;
    site.needs(captcha());
    let long: &'static str = format!("answer={}", "a".repeat(2000)).leak();
    assert_eq!(site.post(long).await.status(), 413);
    assert_eq!(site.post("serial=1&answer=two+words").await.status(), 409);
    assert_eq!(site.post("serial=x&answer=abcd").await.status(), 422);
    assert!(site.orders.try_recv().is_err());
}
