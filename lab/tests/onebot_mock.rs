//! The mock `OneBot` implementation, both ways, before it judges the gateway: one that listens and one that connects hear each
//! other.

use std::time::Duration;

use lab::OneBotMock;
use lab::onebot_mock::Script;

fn script(text: &str) -> Script {
    Script {
        qq: 123_456_790,
        group: 346_000_004,
        sender: 700_100_201,
        text: text.to_owned(),
        every: Duration::from_millis(200),
        access_token: "a token".to_owned(),
    }
}

#[tokio::test]
async fn two_mocks_hear_each_other() -> anyhow::Result<()> {
    if !lab::available("onebot-mock") {
        return Ok(());
    }
    let mut server = OneBotMock::forward(&script("喵 from the server")).await?;
    let mut client = OneBotMock::reverse(&script("喵 from the client"), server.url()).await?;
    for (mock, text) in [(&mut server, "喵 from the client"), (&mut client, "喵 from the server")] {
        let event = mock.wait_received(|frame| frame["raw_message"] == text, text).await?;
        assert_eq!(event["post_type"], "message");
        assert_eq!(event["message_type"], "group");
        assert_eq!(event["self_id"], 123_456_790);
        assert_eq!(event["group_id"], 346_000_004);
        assert_eq!(event["user_id"], 700_100_201);
        assert_eq!(event["message"][0]["data"]["text"], text);
    }
    assert!(!server.sent().is_empty());

    // It goes when it is told to, and comes back to who listens there.
    client.stop().await?;
    server
        .process()
        .wait_line(r#""socket":"closed""#, Duration::from_secs(10))
        .await?;
    let mut again = OneBotMock::reverse(&script("喵 again"), server.url()).await?;
    again
        .wait_received(
            |frame| frame["raw_message"] == "喵 from the server",
            "the server's line",
        )
        .await?;
    Ok(())
}
