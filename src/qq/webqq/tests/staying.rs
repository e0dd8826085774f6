//! What happens to a session that was on line, and what it does about it.

use super::*;

fn degraded(state: &SessionState) -> Option<String> {
    match state {
        SessionState::Degraded(why) => Some(why.clone()),
        _ => None,
    }
}

async fn online() -> Running {
    let mut running = Running::start(Fake::default(), None, None).await;
    running.online().await;
    running
}

impl Running {
    async fn hears_one(&mut self, msg_id: u64) {
        self.fake.script().polls.push_back(said(msg_id, "still here"));
        assert_eq!(plain_text(&self.message().await.parts, Language::Zh), "still here");
    }
}

#[tokio::test]
async fn a_login_that_expired_ends_in_one_code() {
    for code in [100_000, 100_012, 103, 108, 100, 122] {
        let mut running = online().await;
        {
            let mut script = running.fake.script();
            let refusal = json!({"retcode": 100_000});
            for call in ["get_online_buddies2", "login2", "getvfwebqq"] {
                script.instead.insert(call, vec![refusal.clone(); 1].into());
            }
            script.polls.push_back(json!({"retcode": code}).to_string());
        }
        running.state(qr).await;
        // A login without a scan was tried first.
        assert_eq!(running.fake.asked("pt4_auth"), 1, "{code}");
        assert_eq!(running.fake.asked("ptqrshow"), 2, "{code}");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_new_link_that_is_refused_is_no_lost_login() {
    let mut running = online().await;
    {
        let mut script = running.fake.script();
        let refusal = json!({"retcode": 103});
        script.instead.insert("get_online_buddies2", vec![refusal; 1].into());
        script.polls.push_back(json!({"retcode": 121}).to_string());
    }
    running.hears_one(1).await;
    assert_eq!(running.fake.asked("pt4_auth"), 1);
    assert_eq!(running.fake.asked("ptqrshow"), 1);
    running.stop().await;
}

#[tokio::test]
async fn nobody_polls_before_a_group_list_was_read_if_it_can_be() {
    let fake = Fake::default();
    let refusal = json!({"retcode": 13});
    fake.script()
        .instead
        .insert("get_group_name_list_mask2", vec![refusal; 2].into());
    let mut running = Running::start(fake, None, None).await;
    running.online().await;
    assert_eq!(running.fake.asked("get_group_name_list_mask2"), 3);
    assert_eq!(running.act().await, Act::Online { history: false });
    running.stop().await;
}

#[tokio::test]
async fn an_outage_is_waited_for_and_old_lists_stay() {
    let mut running = Running::start_as(Fake::default(), None, None, |settings| {
        settings.pace.silence = Duration::ZERO;
    })
    .await;
    running.online().await;
    {
        let mut script = running.fake.script();
        let partial = json!({"retcode": 100_003, "result": {"gnamelist": [], "friends": []}});
        for call in ["get_group_name_list_mask2", "get_user_friends2", "get_discus_list"] {
            script.instead.insert(call, vec![partial.clone(); 50].into());
        }
        script.polls.push_back(json!({"errmsg": ""}).to_string());
    }
    running.fake.until("login2", 2).await;
    running.hears_one(1).await;
    assert_eq!(running.fake.asked("ptqrshow"), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_silent_session_gets_a_new_link_and_keeps_the_old_one_if_that_is_refused() {
    let mut running = Running::start_as(Fake::default(), None, None, |settings| {
        settings.pace.silence = Duration::from_millis(100);
    })
    .await;
    running.online().await;
    let idle = json!({"errmsg": "error!!!", "retcode": 0}).to_string();
    let status = json!({"retcode": 0, "result": [{"poll_type": "buddies_status_change", "value": {"uin": 1, "status": "online"}}]});
    {
        let mut script = running.fake.script();
        script.instead.insert("login2", vec![json!({"retcode": 103}); 2].into());
        for _ in 0..200 {
            script
                .polls
                .extend([status.to_string(), status.to_string(), idle.clone()]);
        }
    }
    running.fake.until("login2", 4).await;
    running.fake.script().polls.clear();
    running.hears_one(1).await;
    assert_eq!(running.fake.asked("ptqrshow"), 1);
    assert_eq!(running.fake.asked("pt4_auth"), 0);
    // Nobody was worried by it.
    while let Ok(event) = running.account.try_recv() {
        assert!(!matches!(event, AccountEvent::State(state) if degraded(&state).is_some()));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_wish_for_a_login_does_not_disturb_the_poll() {
    let mut running = online().await;
    running.fake.until("poll2", 1).await;
    for _ in 0..3 {
        running.commands.send(Command::Login).await.expect("the session runs");
    }
    // The wishes are through when a send behind them is.
    assert_eq!(running.say("hi").await, Outcome::Sent(None));
    running.hears_one(1).await;
    assert!(running.fake.asked("poll2") <= 2);
    running.stop().await;
}

#[tokio::test]
async fn a_relink_that_is_put_off_is_tried_again_and_one_that_is_refused_becomes_a_login() {
    let mut running = online().await;
    let link_lost = json!({"retcode": 121, "t": "0"}).to_string();
    running.fake.script().instead.insert(
        "login2",
        [
            json!({"retcode": 112}),
            json!({"retcode": 113}),
            json!({"retcode": 100_003}),
        ]
        .into(),
    );
    running.fake.script().polls.push_back(link_lost.clone());
    running.state(degraded).await;
    running.online().await;
    assert_eq!(running.fake.asked("login2"), 5);
    assert_eq!(running.fake.asked("pt4_auth"), 0);
    running.hears_one(1).await;

    running
        .fake
        .script()
        .instead
        .insert("login2", [json!({"retcode": 103})].into());
    running.fake.script().polls.push_back(link_lost);
    running.state(degraded).await;
    running.online().await;
    // The cookies alone did.
    assert_eq!(running.fake.asked("pt4_auth"), 1);
    assert_eq!(running.fake.asked("ptqrshow"), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_blocked_account_asks_for_a_person() {
    let mut running = Running::start_as(Fake::default(), None, None, |settings| {
        settings.pace.retry = Duration::from_millis(40);
    })
    .await;
    running.online().await;
    running
        .fake
        .script()
        .instead
        .insert("login2", vec![json!({"retcode": 115}); 20].into());
    running
        .fake
        .script()
        .polls
        .push_back(json!({"retcode": 120, "t": "0"}).to_string());
    let why = running.state(attention).await;
    assert!(why.contains("115") && why.contains("login main"), "{why}");
    running.stop().await;
}

#[tokio::test]
async fn a_frozen_account_says_so() {
    for link in ["https://aq.qq.com/cn2/unlock", ""] {
        let fake = Fake::default();
        fake.script().frozen = Some(link.to_owned());
        let mut running = Running::start(fake, None, None).await;
        let why = running.state(attention).await;
        assert!(why.contains("the account is frozen"), "{why}");
        running.stop().await;
    }
}
