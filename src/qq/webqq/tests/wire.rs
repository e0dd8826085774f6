//! A wire that breaks: never a reason for a login, never a leak, and never used again.

use super::gate::{Gate, Mode};
use super::*;
use crate::qq::webqq::endpoint::Endpoint;
use crate::qq::webqq::era::Era;
use crate::qq::webqq::http::{Failure, From, Http};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd")
        .expect("the process's descriptors")
        .count()
}

fn http(server: &Url) -> Http {
    rustls::crypto::ring::default_provider().install_default().ok();
    let endpoint = Endpoint::new(server.clone()).expect("a server");
    Http::new(endpoint, Era::S15).expect("clients")
}

async fn get(http: &Http) -> Result<u16, Failure> {
    let url = http.endpoint.url("s.web2.qq.com", "/api/get_self_info2");
    let reply = http.get(url, From::Lists, Duration::from_millis(300)).await;
    reply.map(|reply| reply.status)
}

#[tokio::test]
async fn ten_thousand_broken_polls_cost_no_login_and_no_descriptor() {
    const POLLS: usize = 10_000;
    let fake = Fake::default();
    let far = fake.clone().start().await;
    let gate = Gate::before(Some(&far)).await;
    let mut running = Running::start_as(fake, None, None, |settings| {
        settings.server = gate.url.clone();
        settings.pace.retry_first = Duration::ZERO;
    })
    .await;
    running.online().await;
    running.fake.until("poll2", 1).await;
    let (before, logged_in) = (descriptors(), running.fake.asked("login2"));
    let modes = [Mode::Close, Mode::CloseAfterRequest, Mode::Cut, Mode::Status(502)];
    for mode in modes {
        gate.set(mode);
        gate.until(gate.taken() + POLLS / modes.len()).await;
    }
    // Other tests of this process open some meanwhile.
    assert!(descriptors() < before + 300, "{before} became {}", descriptors());
    running
        .state(|state| matches!(state, SessionState::Degraded(why) if why.contains("cannot be reached")).then_some(()))
        .await;
    gate.set(Mode::Pass);
    running.online().await;
    running.fake.script().polls.push_back(said(1, "back"));
    assert_eq!(plain_text(&running.message().await.parts, Language::Zh), "back");
    assert_eq!(running.fake.asked("login2"), logged_in);
    assert_eq!(running.fake.asked("ptqrshow"), 1);
    running.stop().await;
}

#[tokio::test]
async fn after_a_broken_connection_none_of_the_pool_is_used() {
    let far = Fake::default().start().await;
    let gate = Gate::before(Some(&far)).await;
    let http = http(&gate.url);
    // Two connections come to lie in the pool.
    let (one, two) = tokio::join!(get(&http), get(&http));
    assert_eq!((one, two), (Ok(200), Ok(200)));
    let pooled = gate.taken();
    assert_eq!(get(&http).await, Ok(200));
    assert_eq!(gate.taken(), pooled);

    gate.set(Mode::CloseAfterRequest);
    assert!(matches!(get(&http).await, Err(Failure::Broken(_))));
    gate.set(Mode::Pass);
    for _ in 0..2 {
        let before = gate.taken();
        assert_eq!(get(&http).await, Ok(200));
        assert_eq!(gate.taken(), before + 1);
    }
}

#[tokio::test]
async fn every_way_to_break_is_told_in_time() {
    let gate = Gate::before(None).await;
    let http = http(&gate.url);
    for mode in [Mode::Close, Mode::CloseAfterRequest, Mode::Cut, Mode::Drip] {
        gate.set(mode);
        let got = timeout(PATIENCE, get(&http)).await.expect("an end");
        assert!(matches!(got, Err(Failure::Broken(_))), "{mode:?}: {got:?}");
    }
    for status in [404, 502, 504] {
        gate.set(Mode::Status(status));
        assert_eq!(get(&http).await, Ok(status));
    }
    let nowhere = Url::parse("http://nowhere.invalid:1").expect("a URL");
    let got = timeout(PATIENCE, get(&self::http(&nowhere))).await.expect("an end");
    assert!(matches!(got, Err(Failure::Connect(_) | Failure::Broken(_))), "{got:?}");
    let closed = Url::parse("http://127.0.0.1:1").expect("a URL");
    assert!(matches!(get(&self::http(&closed)).await, Err(Failure::Connect(_))));
}
