//! A far side that says what a test wrote down for it. Knows just enough of the service to be logged in to.

pub(super) mod password;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{COOKIE, HOST, REFERER};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::qq::webqq::hash::Variant;
use crate::qq::webqq::qr;

pub(super) const OWN: u64 = 123_456_789;
pub(super) const GID: u64 = 2_559_000_001;
pub(super) const CODE: u64 = 3_483_000_002;
pub(super) const LI: u64 = 2_440_000_005;

#[derive(Default)]
pub(super) struct Script {
    /// Codes of ptqrlogin; confirmed when used up.
    pub(super) scans: VecDeque<u32>,
    /// Answers of poll2; held when used up.
    pub(super) polls: VecDeque<String>,
    /// Answers of calls by the end of their path, instead of the usual ones.
    pub(super) instead: HashMap<&'static str, VecDeque<Value>>,
    pub(super) withholds_numbers: bool,
    /// Sends are answered so late.
    pub(super) slow_sends: Option<Duration>,
    /// `host path`, in order.
    pub(super) log: Vec<String>,
    /// What was said: `r` of each send.
    pub(super) sends: Vec<Value>,
    /// Every form that came with more fields than `r`.
    pub(super) forms: Vec<Value>,
    /// The only hash that the lists take.
    pub(super) hash: Option<Variant>,
    /// What the login leads to instead of a session: an address, or a code when it is empty.
    pub(super) frozen: Option<String>,
    pub(super) password: password::Script,
}

#[derive(Clone, Default)]
pub(super) struct Fake(Arc<Mutex<Script>>);

type Answer = (StatusCode, Vec<(HeaderName, String)>, Vec<u8>);

impl Fake {
    pub(super) async fn start(self) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().fallback(respond).with_state(self);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Url::parse(&format!("http://{address}")).expect("a URL")
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().expect("no test panics while it writes")
    }

    /// Waits until something was asked for so often.
    pub(super) async fn until(&self, path: &str, times: usize) {
        let all = async {
            while self.asked(path) < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let limit = Duration::from_secs(10);
        tokio::time::timeout(limit, all).await.expect("it is asked for");
    }

    /// How often something was asked for.
    pub(super) fn asked(&self, path: &str) -> usize {
        self.script().log.iter().filter(|line| line.ends_with(path)).count()
    }
}

async fn respond(fake: State<Fake>, uri: Uri, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let (status, headers, body) = answer(fake, uri, headers, body).await;
    (status, AppendHeaders(headers), body)
}

async fn answer(State(fake): State<Fake>, uri: Uri, headers: HeaderMap, body: Bytes) -> Answer {
    let header = |name| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let (host, referer) = (header(HOST), header(REFERER));
    let path = uri.path().to_owned();
    fake.script().log.push(format!("{host} {path}"));
    if host.ends_with(".web2.qq.com") && !path.contains("check_sig") && !referer.contains(".web2.qq.com/proxy.html") {
        return json_answer(&json!({"retcode": 103}));
    }
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let r: Value = form
        .get("r")
        .and_then(|r| serde_json::from_str(r).ok())
        .unwrap_or_default();
    if form.len() > 1 {
        fake.script().forms.push(json!(form));
    }
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let slow = fake.script().slow_sends.filter(|_| name.starts_with("send_"));
    if let Some(slow) = slow {
        tokio::time::sleep(slow).await;
    }
    let instead = fake
        .script()
        .instead
        .get_mut(name.as_str())
        .and_then(VecDeque::pop_front);
    if let Some(instead) = instead {
        return json_answer(&instead);
    }
    if host == "d.web2.qq.com" && !body.is_empty() {
        // The age of the password: two fields stand beside the JSON, and the client's name is a text.
        let repeated = form.get("clientid").is_some_and(|id| r["clientid"] == id.as_str());
        assert!(repeated && form.contains_key("psessionid"), "{path}: {form:?}");
    }
    let page_of_2013 = uri.query().is_some_and(|query| query.contains("1003903"));
    if page_of_2013 && let Some(login) = password::answer(&fake, &path, &uri, &header(COOKIE)) {
        return login;
    }
    if name == "poll2" {
        return poll(&fake).await;
    }
    if let Some(login) = login(&fake, &name) {
        return login;
    }
    json_answer(&call(&fake, &name, &uri, r))
}

fn json_answer(value: &Value) -> Answer {
    // The real one's label was not to be relied on either.
    let label = (axum::http::header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned());
    (StatusCode::OK, vec![label], value.to_string().into_bytes())
}

async fn poll(fake: &Fake) -> Answer {
    loop {
        let next = fake.script().polls.pop_front();
        if let Some(body) = next {
            return (StatusCode::OK, vec![], body.into_bytes());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn cookie(text: &str) -> (HeaderName, String) {
    (axum::http::header::SET_COOKIE, text.to_owned())
}

fn login(fake: &Fake, name: &str) -> Option<Answer> {
    let answer = match name {
        "login" => (StatusCode::OK, vec![], b"<html>".to_vec()),
        "ptqrshow" => {
            let png = qr::tests::picture("http://txz.qq.com/p?k=x");
            (StatusCode::OK, vec![cookie("qrsig=abc; Domain=.qq.com; Path=/")], png)
        }
        "ptqrlogin" if fake.script().frozen.is_some() => {
            let link = fake.script().frozen.clone().unwrap_or_default();
            let code = if link.is_empty() { 19 } else { 0 };
            let text = format!("ptuiCB('{code}','0','{link}','0','', 'nick');");
            (StatusCode::OK, vec![], text.into_bytes())
        }
        "ptqrlogin" => {
            let code = fake.script().scans.pop_front().unwrap_or(0);
            let link = "http://ptlogin4.web2.qq.com/check_sig?ptsigx=secret";
            let text = match code {
                0 => format!("ptuiCB('0','0','{link}','0','登录成功！', 'nick');\r\n"),
                code => format!("ptuiCB('{code}','0','','0','(1)', '');\r\n"),
            };
            let cookies = vec![
                cookie("skey=@abc; Domain=.qq.com; Path=/"),
                cookie("supertoken=st; Domain=.qq.com; Path=/"),
            ];
            (StatusCode::OK, cookies, text.into_bytes())
        }
        "check_sig" => {
            let location = (
                axum::http::header::LOCATION,
                "http://w.qq.com/proxy.html?login2qq=1".to_owned(),
            );
            let cookies = vec![
                cookie("ptwebqq=ptw; Domain=.qq.com; Path=/"),
                cookie("p_skey=ps; Domain=.web2.qq.com; Path=/"),
                location,
            ];
            (StatusCode::FOUND, cookies, vec![])
        }
        "pt4_auth" => (StatusCode::OK, vec![], b"ptui_auth_CB('1','')".to_vec()),
        "proxy.html" => (StatusCode::OK, vec![], vec![]),
        _ => return None,
    };
    Some(answer)
}

fn call(fake: &Fake, name: &str, uri: &Uri, r: Value) -> Value {
    let wanted = fake.script().hash;
    if let Some(variant) = wanted.filter(|_| matches!(name, "get_user_friends2" | "get_group_name_list_mask2"))
        && r.get("hash").map(|hash| hash.as_str().unwrap_or_default().to_owned()) != variant.hash(OWN, "ptw")
    {
        return json!({"retcode": 50});
    }
    let query = |key: &str| {
        let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let mut values = pairs.filter(|(k, _)| k == key).map(|(_, v)| v.into_owned());
        values.next().unwrap_or_default()
    };
    let result = match name {
        "getvfwebqq" => json!({"vfwebqq": "vf"}),
        "login2" => json!({"uin": OWN, "psessionid": "ps", "vfwebqq": "vf-of-2013"}),
        "get_user_friends2" => json!({"info": [{"uin": 3_570_340_001_u64, "nick": "wang"}], "marknames": []}),
        "get_group_name_list_mask2" => {
            json!({"gnamelist": [{"gid": GID + 7, "code": CODE + 7, "name": "别的"}, {"gid": GID, "code": CODE, "name": "Rust &amp; 群"}]})
        }
        "get_discus_list" => json!({"dnamelist": []}),
        "get_self_info2" | "get_friend_info2" => json!({"nick": "me", "uin": OWN}),
        "get_online_buddies2" | "get_recent_list2" | "get_msg_tip" => json!([]),
        "get_group_info_ext2" => json!({
            "ginfo": {"name": "Rust &amp; 群", "owner": LI, "members": [{"muin": LI, "mflag": 0}, {"muin": OWN, "mflag": 0}]},
            "minfo": [{"uin": LI, "nick": "li"}, {"uin": OWN, "nick": "me"}],
            "cards": [{"muin": LI, "card": "李四"}]}),
        "get_friend_uin2" if fake.script().withholds_numbers => return json!({"retcode": 100_101}),
        "get_friend_uin2" => match (query("type").as_str(), query("tuin").parse().unwrap_or(0)) {
            ("4", CODE) => json!({"account": 346_000_003}),
            ("1", LI) => json!({"account": 222_333_444}),
            (_, other) => json!({"account": other % 1000 + 10_000}),
        },
        "send_qun_msg2" => {
            fake.script().sends.push(r);
            return json!({"errCode": 0, "msg": "send ok"});
        }
        _ => return json!({"retcode": 100_001}),
    };
    json!({"retcode": 0, "result": result})
}

/// A poll's answer with one group message of 李四.
pub(super) fn said(msg_id: u64, text: &str) -> String {
    let content = json!([["font", {}], text]);
    let value = json!({"content": content, "from_uin": GID, "group_code": GID, "msg_id": msg_id, "msg_type": 4, "send_uin": LI,
        "time": 1_450_687_625, "to_uin": OWN});
    json!({"retcode": 0, "result": [{"poll_type": "group_message", "value": value}]}).to_string()
}
