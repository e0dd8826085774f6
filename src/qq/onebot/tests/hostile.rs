//! Frames that nobody should send.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::fake::{ALICE, Fake, GROUP, OWN, said, spoken};
use super::running::{Running, text};

async fn ready() -> Running {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    running
}

#[tokio::test]
async fn garbage_is_dropped_and_the_session_stays_up() {
    let mut running = ready().await;
    let deep = "[".repeat(100_000);
    for garbage in [
        "",
        "null",
        "[]",
        "{",
        "\u{0}",
        "{\"post_type\":{}}",
        "{\"echo\":[1],\"retcode\":0}",
        &deep,
    ] {
        running.fake.frame(Frame::text(garbage.to_owned()));
    }
    running.fake.frame(Frame::binary(vec![0xff, 0xfe, 0x00]));
    let mut random = StdRng::seed_from_u64(11);
    let (words, kinds) = (
        words(),
        ["message", "notice", "request", "meta_event", "message_sent", "x"],
    );
    for n in 0..1500 {
        let mut frame = json!({"post_type": kinds[random.random_range(0..kinds.len())], "self_id": OWN});
        for _ in 0..random.random_range(0..9) {
            let key = &words[random.random_range(0..words.len())];
            frame[key.as_str()] = value(&mut random, &words, 3);
        }
        running.fake.tell(&frame);
        if n % 100 == 0 {
            // Neither the fake's own channel nor a portal may overflow here.
            running.fake.tell(&said(GROUP, 1000 + n, ALICE, "mark"));
            while text(&running.message().await) != "mark" {}
        }
    }
    running.fake.tell(&said(GROUP, 5000, ALICE, "still here"));
    while text(&running.message().await) != "still here" {}
    assert_eq!(running.fake.count("get_login_info"), 1, "the link was lost");
    running.stop().await;
}

fn words() -> Vec<String> {
    let words = "message_type sub_type notice_type request_type meta_event_type group_id user_id operator_id message_id sender message \
        raw_message real_seq message_seq time duration likes file status interval card_new name_new type data group private notify \
        group_upload group_ban group_decrease group_increase group_admin group_recall group_msg_emoji_like poke text at reply image \
        forward json heartbeat ban kick set target_id raw_info content";
    words.split_whitespace().map(str::to_owned).collect()
}

fn value(random: &mut StdRng, words: &[String], depth: u32) -> Value {
    match random.random_range(0..if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => random.random::<i64>().into(),
        2 => GROUP.into(),
        3 => words[random.random_range(0..words.len())].clone().into(),
        4 => GROUP.to_string().into(),
        5 => random.random::<bool>().into(),
        6 => (0..random.random_range(0..4))
            .map(|_| value(random, words, depth - 1))
            .collect(),
        _ => {
            let pairs = (0..random.random_range(0..4)).map(|_| {
                let key = words[random.random_range(0..words.len())].clone();
                (key, value(random, words, depth - 1))
            });
            Value::Object(pairs.collect())
        }
    }
}

#[tokio::test]
async fn a_big_frame_is_read_and_a_huge_one_costs_the_link_alone() {
    let mut running = ready().await;
    let inside = "x".repeat(20 << 20);
    let big = json!([{"type": "text", "data": {"text": "big"}}, {"type": "image", "data": {"file": format!("base64://{inside}")}}]);
    running.fake.tell(&spoken(GROUP, 1, ALICE, &big));
    assert!(text(&running.message().await).starts_with("big"));
    running.fake.frame(Frame::text("y".repeat(65 << 20)));
    let why = running.degraded().await;
    assert!(why.contains("64 MiB"), "{why}");
    running.online().await;
    running.back().await;
    running.fake.tell(&said(GROUP, 2, ALICE, "after"));
    assert_eq!(text(&running.message().await), "after");
    running.stop().await;
}
