//! What concerns the account and no group.

use serde_json::json;

use super::fake::{ALICE, Fake, OWN};
use super::running::Running;

#[tokio::test]
async fn private_words_and_requests_go_to_the_admins() {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    running.fake.tell(
        &json!({"post_type": "message", "message_type": "private", "sub_type": "friend", "self_id": OWN,
        "user_id": ALICE, "message_id": 5, "sender": {"user_id": ALICE, "nickname": "alice"}, "raw_message": "psst",
        "message": [{"type": "text", "data": {"text": "psst"}}]}),
    );
    let sentence = running.sentence().await;
    assert_eq!(sentence, format!("alice ({ALICE}) wrote to the QQ account: psst"));
    running.fake.tell(
        &json!({"post_type": "request", "request_type": "group", "sub_type": "invite", "self_id": OWN,
        "group_id": 9, "user_id": ALICE, "comment": "", "flag": "f"}),
    );
    assert!(running.sentence().await.contains("invites the QQ account to group 9"));
    running.stop().await;
}
