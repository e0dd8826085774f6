//! What a whole session makes of events: acts for portals, sentences for admins.

use std::sync::atomic::Ordering::Relaxed;

use super::changing::change;
use super::fake::{CODE, GID, LI};
use super::*;

/// A session that is on line and whose portal has its snapshot.
pub(super) async fn running() -> Running {
    let slow = |settings: &mut Settings| settings.pace.retry = Duration::from_millis(120);
    let mut running = Running::start_as(Fake::default(), None, None, slow).await;
    running.online().await;
    assert_eq!(running.act().await, Act::Online { history: false });
    assert!(matches!(running.act().await, Act::Snapshot { .. }));
    running
}

fn poll(events: &[Value]) -> String {
    json!({"retcode": 0, "result": events}).to_string()
}

/// A group message of 2013.
pub(super) fn counted(seq: u64, sender: u64, text: &str) -> Value {
    let content = json!([["font", {"size": 10, "color": "000000", "style": [0, 0, 0], "name": "宋体"}], text, " "]);
    json!({"poll_type": "group_message", "value": {"msg_id": 1000 + seq, "from_uin": GID, "to_uin": OWN, "msg_id2": 208_007,
        "msg_type": 43, "reply_ip": 176_488_602, "group_code": CODE, "send_uin": sender, "seq": seq, "time": 1_365_934_781,
        "info_seq": 346_000_003, "content": content}})
}

pub(super) fn text(act: &Act) -> String {
    match act {
        Act::Said(message) => plain_text(&message.parts, Language::En),
        other => panic!("{other:?}"),
    }
}

impl Running {
    pub(super) fn hears(&self, events: &[Value]) {
        self.fake.script().polls.push_back(poll(events));
    }

    /// The next act that is no snapshot.
    pub(super) async fn deed(&mut self) -> Act {
        loop {
            match self.act().await {
                Act::Snapshot { .. } => {}
                act => return act,
            }
        }
    }
}

#[tokio::test]
async fn what_a_slow_portal_did_not_take_is_told() {
    const SAID: u64 = 90;
    let mut running = running().await;
    running.slow.store(true, Relaxed);
    let asked = running.fake.asked("poll2");
    // More than the mailbox holds.
    for first in (1..=SAID).step_by(30) {
        let batch: Vec<Value> = (first..first + 30).rev().map(|n| counted(n, LI, "x")).collect();
        running.hears(&batch);
    }
    // All three were received when the next is asked for.
    running.fake.until("poll2", asked + 3).await;
    let mut heard = 0;
    let missed = loop {
        match running.deed().await {
            Act::Said(_) => heard += 1,
            Act::Missed(Some(n)) => break n,
            other => panic!("{other:?}"),
        }
    };
    assert!(missed > 0);
    assert_eq!(heard + missed, SAID);
    running.hears(&[counted(SAID + 1, LI, "again")]);
    assert_eq!(text(&running.deed().await), "again");
}

#[tokio::test]
async fn a_jump_of_the_counter_is_told_before_the_next_words() {
    let mut running = running().await;
    running.hears(&[counted(7, LI, "c"), counted(4, LI, "b"), counted(3, LI, "a")]);
    assert_eq!(text(&running.deed().await), "a");
    assert_eq!(text(&running.deed().await), "b");
    assert_eq!(running.deed().await, Act::Missed(Some(2)));
    let Act::Said(message) = running.deed().await else {
        panic!("words")
    };
    assert_eq!(message.id.to_string(), "w:222333444:1007:208007:1365934781");
    // Told again, whole and under another id.
    let mut again = counted(7, LI, "c");
    again["value"]["msg_id"] = 5.into();
    running.hears(&[counted(8, LI, "d"), again, counted(7, LI, "c")]);
    assert_eq!(text(&running.deed().await), "d");
    running.stop().await;
}

#[tokio::test]
async fn own_words_that_do_not_come_back_are_no_loss() {
    let mut running = running().await;
    running.hears(&[counted(3, LI, "a")]);
    assert_eq!(text(&running.deed().await), "a");
    assert_eq!(running.say("Ann: hi").await, Outcome::Sent(None));
    running.hears(&[counted(5, LI, "b")]);
    assert_eq!(text(&running.deed().await), "b");
    running.stop().await;
}

#[tokio::test]
async fn echoes_cut_and_doubled_are_one() {
    let mut running = running().await;
    let whole = "Ann: a line that is long enough to be cut in two";
    running.say(whole).await;
    let events = [
        counted(9, LI, "yes"),
        counted(8, OWN, "be cut in two"),
        counted(7, OWN, "Ann：a line that is long enough to"),
    ];
    running.hears(&events);
    let Act::Said(echo) = running.deed().await else {
        panic!("words")
    };
    assert!(echo.own);
    assert_eq!(plain_text(&echo.parts, Language::En), whole);
    assert_eq!(text(&running.deed().await), "yes");

    running.say("Ann: a < b").await;
    running.hears(&[
        counted(12, LI, "ok"),
        counted(11, OWN, "Ann: a ＜ b \u{200b}"),
        counted(10, OWN, "Ann: a &lt; b"),
    ]);
    assert_eq!(text(&running.deed().await), "Ann: a < b");
    assert_eq!(text(&running.deed().await), "ok");
    running.hears(&[counted(13, OWN, "from my phone")]);
    let Act::Said(own) = running.deed().await else {
        panic!("words")
    };
    assert!(own.own);
    running.stop().await;
}

#[tokio::test]
async fn mutes_are_read_from_the_systems_words_alone() {
    let mut running = running().await;
    let words = "李四(222333444) 被管理员禁言10分钟 ";
    running.hears(&[
        counted(4, OWN, words),
        counted(3, 10_000, words),
        counted(2, 10_000, "me(123456789) 被管理员解除禁言"),
        counted(1, 10_000, "谁 被管理员禁言1天"),
    ]);
    // Nobody of that name: words as they are.
    let Act::Said(unknown) = running.deed().await else {
        panic!("words")
    };
    assert_eq!(unknown.sender.shown_name(), "系统消息");
    let muted = |number: u64, seconds: u64| Act::Muted {
        member: Some(MemberId::Number(QqNumber(number))),
        duration: Duration::from_secs(seconds),
    };
    assert_eq!(running.deed().await, muted(OWN, 0));
    assert_eq!(running.deed().await, muted(222_333_444, 600));
    assert!(matches!(running.deed().await, Act::Said(message) if message.own));
    running.stop().await;
}

#[tokio::test]
async fn pictures_are_kept_as_what_they_are_asked_by() {
    let mut running = running().await;
    let mut event = counted(1, LI, "look ");
    event["value"]["content"][2] =
        json!(["cface", {"name": "{G}.jpg", "file_id": 2_059_500_001_u64, "key": " ", "server": "183.60.0.2:8000"}]);
    running.hears(&[event]);
    let Act::Said(message) = running.deed().await else {
        panic!("words")
    };
    assert_eq!(plain_text(&message.parts, Language::En), "look [picture]");
    let Some(Part::Media(media)) = message.parts.last() else {
        panic!("{:?}", message.parts)
    };
    assert_eq!(
        media.file,
        format!(
            "http://web2.qq.com/cgi-bin/get_group_pic?type=0&gid={CODE}&uin={LI}&rip=183.60.0.2&rport=8000&fid=2059500001&pic=%7BG%7D.jpg"
        )
    );
    running.stop().await;
}

#[tokio::test]
async fn everything_private_reaches_the_admins_with_its_sender() {
    let mut running = running().await;
    let list = json!({"retcode": 0, "result": {"dnamelist": [{"name": "讨论", "did": 2_006_000_004_u64}]}});
    let info = json!({"retcode": 0, "result": {"info": {"mem_list": [{"mem_uin": 77, "ruin": 555_666_777}]},
        "mem_info": [{"uin": 77, "nick": "li"}]}});
    {
        let mut script = running.fake.script();
        script.instead.insert("get_discus_list", vec![list; 20].into());
        script.instead.insert("get_discu_info", vec![info; 20].into());
    }
    tokio::time::sleep(Duration::from_millis(150)).await;
    let wang = 3_570_340_001_u64;
    let font = json!(["font", {}]);
    let said = |kind: &str, own: Value| {
        let mut value =
            json!({"msg_id": 1, "from_uin": wang, "to_uin": OWN, "time": 5, "content": [font, "hi ", ["face", 14]]});
        value
            .as_object_mut()
            .expect("an object")
            .extend(own.as_object().expect("an object").clone());
        json!({"poll_type": kind, "value": value})
    };
    for (event, sentence) in [
        (
            said("message", json!({})),
            "wang (10001) wrote to the QQ account: hi 🙂",
        ),
        (
            said(
                "message",
                json!({"msg_id": 2, "content": [["offpic", {"success": 1, "file_path": "/f3"}]]}),
            ),
            "wang (10001) wrote to the QQ account: [picture]",
        ),
        (
            said(
                "sess_message",
                json!({"from_uin": 66, "id": GID, "ruin": 555_666_777, "service_type": 0}),
            ),
            "QQ 555666777 wrote to the QQ account through group Rust & 群 (346000003): hi 🙂",
        ),
        (
            said(
                "discu_message",
                json!({"from_uin": 10_000, "did": 2_006_000_004_u64, "send_uin": 77}),
            ),
            "li (555666777) wrote in the discussion «讨论»: hi 🙂",
        ),
        (
            change(&json!({"type": "group_request_join", "request_uin": wang, "t_request_uin": "", "msg": "please"})),
            "wang (10001) wants to join group Rust & 群 (346000003) and says: please; answer in QQ",
        ),
        (
            said(
                "system_message",
                json!({"type": "verify_required", "account": 222_333_555, "msg": "hello", "from_uin": 0}),
            ),
            "QQ 222333555 wants to be a friend of the QQ account and says: hello; answer in QQ",
        ),
        (
            said("shake_message", json!({"msg_id": 3})),
            "wang (10001) shook the QQ account's window",
        ),
    ] {
        running.hears(&[event.clone(), event]);
        assert_eq!(running.told().await, sentence);
    }
    // Our own words elsewhere are nobody's business.
    running.hears(&[
        said("message", json!({"from_uin": OWN})),
        said("message", json!({"from_uin": 0})),
    ]);
    running.hears(&[said("shake_message", json!({"msg_id": 4}))]);
    assert!(running.told().await.contains("shook"));
    running.stop().await;
}

#[tokio::test]
async fn what_comes_with_a_kick_is_heard_and_a_second_kick_counts_though_it_looks_the_same() {
    let mut running = running().await;
    let kick = json!({"poll_type": "kick_message", "value": {"msg_id": 31, "from_uin": 10_000, "to_uin": OWN, "msg_id2": 92,
        "msg_type": 48, "reply_ip": 0, "show_reason": 1, "reason": "您的帐号在另一地点登录"}});
    running.hears(&[counted(2, LI, "after"), kick.clone(), counted(1, LI, "before")]);
    assert_eq!(text(&running.deed().await), "before");
    assert_eq!(text(&running.deed().await), "after");
    running.online().await;
    running.hears(&[kick]);
    assert!(running.state(attention).await.contains("twice"));
    running.stop().await;
}

#[tokio::test]
async fn an_early_echo_is_stronger_than_the_answer() {
    let mut running = running().await;
    // The answer waits for the echo to be heard.
    let outcome = {
        running
            .fake
            .script()
            .instead
            .insert("send_qun_msg2", [json!({"retcode": 1202, "errmsg": "error!!!"})].into());
        running.fake.script().slow_sends = Some(Duration::from_millis(200));
        running.hears(&[counted(1, LI, "first")]);
        assert_eq!(text(&running.deed().await), "first");
        let say = running.say("Ann: hi");
        let fake = running.fake.clone();
        let echo = async move {
            tokio::time::sleep(Duration::from_millis(60)).await;
            fake.script().polls.push_back(poll(&[counted(2, OWN, "Ann: hi")]));
        };
        tokio::join!(say, echo).0
    };
    assert_eq!(outcome, Outcome::Sent(None));
    running.stop().await;
}

#[tokio::test]
async fn who_has_to_wait_too_long_for_the_next_message_is_told_so() {
    let hourly = |settings: &mut Settings| settings.send_every = Duration::from_secs(3600);
    let mut running = Running::start_as(Fake::default(), None, None, hourly).await;
    running.online().await;
    assert_eq!(running.act().await, Act::Online { history: false });
    assert_eq!(running.say("one").await, Outcome::Sent(None));
    let outcome = running.say("two").await;
    assert!(
        matches!(&outcome, Outcome::NotSent(NotSent::Later(why)) if why.contains("pauses")),
        "{outcome:?}"
    );
    assert_eq!(running.fake.script().sends.len(), 1);
}
