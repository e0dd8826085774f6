//! Pictures and files.

use qq_sandbox::Flavour;
use serde_json::{Value, json};

use super::{App, CATS, MEMBER, messages, person, sandbox_of, settings, work};

async fn fetch(url: &Value) -> (u16, Vec<u8>) {
    let url = url.as_str().unwrap();
    let response = reqwest::get(url).await.unwrap();
    let status = response.status().as_u16();
    (status, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn pictures_can_be_fetched_for_an_hour() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        settings(at, json!({"message_format": "array"})).await;
        let mut app = App::connect(at).await;
        person(
            at,
            MEMBER,
            json!([{"type": "image", "data": {"file": "cat.png", "summary": "[猫]"}}]),
        )
        .await;
        let event = app.event().await;
        let data = &event["message"][0]["data"];
        let (status, body) = fetch(&data["url"]).await;
        assert_eq!((status, &body[1..4]), (200, &b"PNG"[..]));
        match flavour {
            Flavour::Napcat => assert_eq!(
                (&data["file"], &data["sub_type"], &data["file_size"]),
                (&json!("cat.png"), &json!(0), &json!(body.len().to_string()))
            ),
            Flavour::Llbot => assert_eq!((&data["subType"], data.get("summary")), (&json!(0), None)),
            Flavour::Lagrange => assert_eq!(
                (&data["file"], &data["filename"], &data["summary"]),
                (&data["url"], &json!("cat.png"), &json!("[猫]"))
            ),
            Flavour::Gocq => assert_eq!(data["file"].as_str().unwrap().split_once('.').unwrap().1, "image"),
        }
        let sent =
            json!([{"type": "image", "data": {"file": "base64://R0lGODlh"}}, {"type": "text", "data": {"text": "喵"}}]);
        app.say(sent).await;
        let said = messages(at).await;
        let kept = &said[1]["message"][0]["data"];
        assert_eq!(kept["file_size"], "6", "{kept}");
        let shown = app.done("get_image", json!({"file": kept["file"]})).await;
        assert_eq!(fetch(&shown["url"]).await, (200, b"GIF89a".to_vec()));
        let url = data["url"].clone();
        work(at, "POST", "clock", json!({"advance": "2h"})).await;
        assert_eq!(fetch(&url).await.0, 400, "expired");
        let answer = app
            .call(
                "send_group_msg",
                json!({"group_id": CATS, "message": [{"type": "image", "data": {"file": "/etc/passwd"}}]}),
            )
            .await;
        assert_eq!(answer["status"], "failed");
    }
}

#[tokio::test]
async fn a_file_is_a_message_or_a_notice_or_both() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        let body = json!({"from": MEMBER, "name": "a.zip", "content": "YWJj"});
        work(at, "POST", &format!("groups/{CATS}/files"), body).await;
        let both = matches!(flavour, Flavour::Napcat | Flavour::Llbot);
        if both {
            let event = app.event().await;
            let segment = &event["message"][0];
            assert_eq!(
                (
                    &segment["type"],
                    &segment["data"]["file"],
                    &segment["data"]["file_size"]
                ),
                (&json!("file"), &json!("a.zip"), &json!("3"))
            );
            let params = json!({"group_id": CATS, "file_id": segment["data"]["file_id"]});
            let url = app.done("get_group_file_url", params).await["url"].clone();
            assert_eq!(fetch(&url).await, (200, b"abc".to_vec()));
        }
        let notice = app.event().await;
        assert_eq!(
            (&notice["notice_type"], &notice["file"]["name"], &notice["file"]["size"]),
            (&json!("group_upload"), &json!("a.zip"), &json!(3))
        );
        let params = json!({"group_id": CATS, "file_id": notice["file"]["id"], "busid": 104});
        let url = app.done("get_group_file_url", params).await["url"].clone();
        assert_eq!(fetch(&url).await, (200, b"abc".to_vec()));
        assert_eq!(notice["file"].get("url").is_some(), flavour == Flavour::Lagrange);
        let upload = json!({"group_id": CATS, "file": "base64://YWJj", "name": "b.txt"});
        app.done("upload_group_file", upload).await;
        let said = messages(at).await;
        assert_eq!(said[1]["message"][0]["data"]["name"], "b.txt");
        assert!(app.quiet().await || flavour == Flavour::Lagrange);
    }
}
