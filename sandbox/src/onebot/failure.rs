//! Why a call fails, and how each program says it.

use serde_json::{Value, json};

use super::dialect::{Dialect, Errors};
use crate::store::StoreError;

/// A call that is not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The frame is no call.
    NoCall,
    /// No such action.
    Unknown(String),
    /// A parameter is missing or makes no sense.
    BadParam(&'static str),
    /// The account is not in the group.
    NotInGroup(i64),
    /// Nobody with that number is in the group.
    NoMember(i64),
    /// Nobody with that number is a friend.
    NoFriend(i64),
    /// The account may not speak in the group.
    Muted,
    /// Only admins may speak in the group.
    AllMuted,
    /// The message is not known.
    NoMessage,
    /// Nothing is left of what was to be said.
    Empty,
    /// Nodes where none are taken.
    Nodes,
    /// What was to be sent cannot be read from here.
    NoFile(String),
    /// The account may not do that.
    NoRight,
    /// It is too late to take that back.
    TooLate,
    /// QQ did not answer the program.
    Timeout,
    /// The list of members is not there yet.
    NoMembersYet(i64),
    /// The program's own data cannot be read.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// How `NapCat` and `LLBot` tell that QQ's kernel did not do a send.
fn kernel(how: &str, result: i64, text: &str) -> String {
    format!(
        "{how}: NTEvent serviceAndMethod:NodeIKernelMsgService/sendMsg ListenerName:NodeIKernelMsgListener/onMsgInfoListUpdate \
         EventRet:\n{{\n    \"result\": {result},\n    \"errMsg\": \"{text}\"\n}}\n"
    )
}

impl Failure {
    /// The text that people are to read.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::NoCall => "json解析失败,请检查数据格式".to_owned(),
            Self::Unknown(action) => format!("不支持的Api {action}"),
            Self::BadParam(name) => format!("参数 {name} 无效或缺失"),
            Self::NotInGroup(group) => format!("群{group}不存在"),
            Self::NoMember(qq) => format!("群成员{qq}不存在"),
            Self::NoFriend(qq) => format!("无法获取用户信息 {qq}"),
            Self::Muted => kernel("EventChecker Failed", 120, "send message failed, you are muted"),
            Self::AllMuted => kernel("EventChecker Failed", 120, "send message failed, all members are muted"),
            Self::NoMessage => "消息不存在".to_owned(),
            Self::Empty => "消息体无法解析, 请检查是否发送了不支持的消息类型".to_owned(),
            Self::Nodes => "转发消息不能和普通消息混在一起发送, 请使用send_group_forward_msg".to_owned(),
            Self::NoFile(file) => {
                let shown: String = file.chars().take(80).collect();
                format!("识别URL失败, uri= {shown}")
            }
            Self::NoRight => "权限不足, 需要群主或管理员".to_owned(),
            Self::TooLate => "消息撤回失败, 已超过两分钟".to_owned(),
            Self::Timeout => kernel("Timeout", 0, ""),
            Self::NoMembersYet(group) => format!("获取群({group})成员列表失败"),
            Self::Store(error) => error.to_string(),
        }
    }

    /// QQ's own result code, where it has one that is passed on.
    fn result(&self) -> i64 {
        match self {
            Self::Muted | Self::AllMuted => 120,
            _ => 1,
        }
    }

    fn retcode(&self, errors: Errors) -> i64 {
        match (errors, self) {
            (Errors::Lagrange, Self::Unknown(_)) => 404,
            (Errors::Gocq, Self::Unknown(_)) => 1404,
            (Errors::Lagrange, Self::Muted | Self::AllMuted | Self::Timeout) => self.result(),
            (Errors::Lagrange, _) => 200,
            (Errors::Gocq, Self::TooLate | Self::NoRight) => 104,
            (Errors::Gocq, Self::NoCall) => 1400,
            (Errors::Gocq, _) => 100,
            (_, Self::NoCall | Self::BadParam(_)) => 1400,
            (_, Self::Unknown(_)) => 1404,
            _ => 1200,
        }
    }

    /// go-cqhttp's word and text.
    fn word(&self) -> (&'static str, String) {
        match self {
            Self::Unknown(_) => ("API_NOT_FOUND", "API不存在".to_owned()),
            Self::NotInGroup(_) => ("GROUP_NOT_FOUND", "群聊不存在".to_owned()),
            Self::NoMember(_) => ("MEMBER_NOT_FOUND", "群员不存在".to_owned()),
            Self::NoFriend(_) => ("FRIEND_NOT_FOUND", "好友不存在".to_owned()),
            Self::Muted | Self::AllMuted | Self::Timeout => {
                ("SEND_MSG_API_ERROR", "请参考 go-cqhttp 端输出".to_owned())
            }
            Self::NoMessage => ("MSG_NOT_FOUND", "消息不存在".to_owned()),
            Self::Empty => ("EMPTY_MSG_ERROR", "消息为空".to_owned()),
            Self::TooLate | Self::NoRight => ("RECALL_API_ERROR", "权限不足或已超时".to_owned()),
            _ => ("BAD_REQUEST", self.text()),
        }
    }
}

/// The answer to a call that was done.
pub(crate) fn done(dialect: &Dialect, data: &Value, echo: Option<&Value>) -> Value {
    let mut answer = json!({"status": "ok", "retcode": 0, "data": data});
    match dialect.errors {
        Errors::NapCat => {
            answer["message"] = json!("");
            answer["wording"] = json!("");
            answer["stream"] = json!("normal-action");
        }
        Errors::Llbot => {
            answer["message"] = json!("");
            answer["wording"] = json!("");
        }
        Errors::Lagrange => {}
        Errors::Gocq => answer["message"] = json!(""),
    }
    with_echo(dialect, answer, echo)
}

/// The answer to a call of which nobody waits for the end.
pub(crate) fn hurried(dialect: &Dialect, echo: Option<&Value>) -> Value {
    with_echo(dialect, json!({"status": "async", "retcode": 1, "data": null}), echo)
}

/// The answer to a call that was not done.
pub(crate) fn failed(dialect: &Dialect, failure: &Failure, echo: Option<&Value>) -> Value {
    told(dialect, failure.retcode(dialect.errors), failure, echo)
}

fn told(dialect: &Dialect, retcode: i64, failure: &Failure, echo: Option<&Value>) -> Value {
    let mut answer = json!({"status": "failed", "retcode": retcode, "data": null});
    match dialect.errors {
        Errors::NapCat => {
            answer["message"] = json!(failure.text());
            answer["wording"] = json!(failure.text());
            answer["stream"] = json!("normal-action");
        }
        Errors::Llbot => {
            answer["message"] = json!(failure.text());
            answer["wording"] = json!(failure.text());
        }
        Errors::Lagrange => {}
        Errors::Gocq => {
            let (word, text) = failure.word();
            answer["msg"] = json!(word);
            answer["wording"] = json!(text);
        }
    }
    with_echo(dialect, answer, echo)
}

/// The frame for a client without the right token.
pub(crate) fn bad_token() -> Value {
    json!({
        "status": "failed", "retcode": 1403, "data": null, "message": "token验证失败", "wording": "token验证失败",
        "echo": null,
    })
}

fn with_echo(dialect: &Dialect, mut answer: Value, echo: Option<&Value>) -> Value {
    match echo {
        Some(echo) => answer["echo"] = echo.clone(),
        None if dialect.errors == Errors::NapCat => answer["echo"] = Value::Null,
        None => {}
    }
    answer
}
