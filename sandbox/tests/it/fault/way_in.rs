//! Logins with QR codes that go wrong.

use serde_json::json;

use super::arm;
use crate::client::{Qq, Way, control, list_hash};
use crate::sandbox;

#[tokio::test]
async fn codes_expire_and_scans_are_withdrawn() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::new(at, Way::Path);
    qq.show_qr().await;
    arm(at, json!({"kind": "qr_expired"})).await;
    assert_eq!(qq.ask_qr().await[0], "65");
    qq.show_qr().await;
    arm(at, json!({"kind": "qr_withdrawn"})).await;
    control(at, "POST", "qr/scan", &json!({})).await;
    assert_eq!(qq.ask_qr().await[0], "67");
    assert_eq!(qq.ask_qr().await[0], "66");
    arm(at, json!({"kind": "qr_code", "code": 10_006})).await;
    assert_eq!(qq.ask_qr().await[0], "10006");
    control(at, "POST", "qr/scan", &json!({})).await;
    assert_eq!(qq.ask_qr().await[0], "67");
    assert_eq!(qq.ask_qr().await[0], "0");
}

#[tokio::test]
async fn ptwebqq_can_be_empty() {
    let sandbox = sandbox().await;
    arm(sandbox.address, json!({"kind": "empty_ptwebqq"})).await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    assert_eq!(qq.ptwebqq, "");
    assert_eq!(list_hash(qq.uin, ""), list_hash(qq.uin, &qq.ptwebqq));
    assert_eq!(qq.groups().await["retcode"], 0);
}

#[tokio::test]
async fn kinds_and_parameters_are_told() {
    let sandbox = sandbox().await;
    let told = control(sandbox.address, "GET", "faults", &json!({})).await.1;
    let kinds = told["kinds"].as_array().unwrap();
    let mut words: Vec<_> = kinds.iter().map(|kind| kind["kind"].as_str().unwrap()).collect();
    words.sort_unstable();
    let count = words.len();
    words.dedup();
    assert_eq!(words.len(), count, "no word means two things");
    assert!(
        kinds.iter().any(|kind| kind["protocol"] == "webqq") && kinds.iter().any(|kind| kind["protocol"] == "onebot")
    );
    let wrong = json!({"kind": "close", "when": "now"});
    assert_eq!(control(sandbox.address, "POST", "faults", &wrong).await.0, 400);
}
