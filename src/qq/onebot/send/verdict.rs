//! What an answer to a send means: has QQ the message, has it certainly not, or does nobody know. Pure.

use serde_json::Value;

use super::words;
use crate::qq::onebot::call::CallError;
use crate::qq::{NotSent, Outcome};

/// The verdict on a send that did not go well.
pub(super) fn of_send(error: &CallError) -> Outcome {
    let why = words(error);
    match error {
        CallError::NotWritten(_) => Outcome::NotSent(NotSent::Later(why)),
        CallError::Unanswered(_) => Outcome::Unknown(why),
        CallError::Refused { code, text } => match code {
            // The message is not what the action wants, or there is no such action: it will never be.
            1400 | 400 | 1404 | 404 => Outcome::NotSent(NotSent::Never(why)),
            _ if says_empty(text) => Outcome::NotSent(NotSent::Never(why)),
            _ if says_muted(error) => Outcome::NotSent(NotSent::Later(why)),
            // The action threw, or failed in a way that is not told: `Timeout: NTEvent …` and go-cqhttp's
            // SEND_MSG_API_ERROR are often messages that arrived.
            _ => Outcome::Unknown(why),
        },
    }
}

/// The account may not speak in that group.
pub(super) fn says_muted(error: &CallError) -> bool {
    matches!(error, CallError::Refused { text, .. } if text.contains("禁言"))
}

/// Nothing of the message was left.
fn says_empty(text: &str) -> bool {
    ["消息体无法解析", "消息为空", "EMPTY_MSG_ERROR"]
        .iter()
        .any(|words| text.contains(words))
}

/// The verdict on a recall or a reaction, which are not tried again.
pub(super) fn of_act(answer: Result<Value, CallError>) -> Outcome {
    match answer {
        Ok(_) => Outcome::Sent(None),
        Err(error @ CallError::NotWritten(_)) => Outcome::NotSent(NotSent::Later(words(&error))),
        Err(error @ CallError::Unanswered(_)) => Outcome::Unknown(words(&error)),
        Err(error @ CallError::Refused { .. }) => Outcome::NotSent(NotSent::Never(words(&error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: i64, text: &str) -> &'static str {
        let error = CallError::Refused {
            code,
            text: text.into(),
        };
        match of_send(&error) {
            Outcome::Sent(_) => "sent",
            Outcome::Unknown(_) => "unknown",
            Outcome::NotSent(NotSent::Later(_)) => "later",
            Outcome::NotSent(NotSent::Never(_)) => "never",
        }
    }

    #[test]
    fn a_thrown_send_may_have_arrived() {
        assert_eq!(
            kind(1200, "Timeout: NTEvent serviceAndMethod:NodeIKernelMsgService/sendMsg"),
            "unknown"
        );
        assert_eq!(kind(1200, "消息体无法解析, 请检查是否发送了不支持的消息类型"), "never");
        assert_eq!(kind(1200, "你已被禁言"), "later");
        assert_eq!(kind(-1, "Request timed out"), "unknown");
        assert_eq!(kind(1400, "params"), "never");
        assert_eq!(kind(100, "SEND_MSG_API_ERROR"), "unknown");
    }
}
