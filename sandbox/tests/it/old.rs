//! A small `WebQQ` client of 2013, and sandboxes of that year.

use std::net::SocketAddr;

use qq_sandbox::{Era, Options, Sandbox};
use serde_json::{Value, json};

use crate::client::{Qq, Way, content};
use crate::sandbox_with;

pub(crate) const D: &str = "http://d.web2.qq.com/proxy.html?v=20110331002&callback=1&id=2";
pub(crate) const PAGE: &str = "http://ui.ptlogin2.qq.com/cgi-bin/login?daid=164&target=self&style=5";
pub(crate) const SELF: i64 = 123_456_789;

pub(crate) async fn old_sandbox(change: impl FnOnce(&mut Options)) -> Sandbox {
    sandbox_with(|options| {
        options.era = Era::Web2013;
        change(options);
    })
    .await
}

/// A client of these years.
pub(crate) struct Old(pub(crate) Qq);

impl Old {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self(Qq::new(address, Way::Path))
    }

    /// The arguments of the answer to `check`.
    pub(crate) async fn check(&self) -> Vec<String> {
        let path = format!("check.ptlogin2.qq.com/check?uin={SELF}&appid=1003903&r=0.5");
        arguments(&self.0.get(&path, PAGE).await.text().await.unwrap())
    }

    pub(crate) async fn login(&self, password: &str, code: &str, more: &str) -> Vec<String> {
        let p = hashed(password, code);
        let path = format!(
            "ssl.ptlogin2.qq.com/login?u={SELF}&p={p}&verifycode={code}&webqq_type=10&remember_uin=1&login2qq=1&aid=1003903\
             &u1=http%3A%2F%2Fwww.qq.com&h=1&ptredirect=0&ptlang=2052&from_ui=1&pttype=1&dumy=&fp=loginerroralert\
             &mibao_css=m_webqq&t=1&g=1&js_type=0&js_ver=10040{more}"
        );
        arguments(&self.0.get(&path, PAGE).await.text().await.unwrap())
    }

    pub(crate) async fn login2(&mut self, psessionid: &Value) -> Value {
        let qq = &mut self.0;
        qq.ptwebqq = qq.cookie("d.web2.qq.com", "ptwebqq").unwrap_or_default();
        let r = json!({
            "status": "online", "ptwebqq": qq.ptwebqq, "passwd_sig": "", "clientid": "73937875", "psessionid": psessionid,
        });
        let answer = qq.post("d.web2.qq.com/channel/login2", D, &r).await;
        let text = |name: &str| answer["result"][name].as_str().unwrap_or_default().to_owned();
        (qq.psessionid, qq.vfwebqq) = (text("psessionid"), text("vfwebqq"));
        qq.uin = answer["result"]["uin"].as_i64().unwrap_or_default();
        answer
    }

    /// Everything up to the first poll.
    pub(crate) async fn log_in(address: SocketAddr) -> Self {
        Self::new(address).enter().await
    }

    pub(crate) async fn enter(self) -> Self {
        let mut old = self;
        let code = old.check().await[1].clone();
        let url = old
            .login("sandbox", &code, "&action=4-5-8246&daid=164&login_sig=")
            .await[2]
            .clone();
        assert_eq!(old.0.get_url(&url).await, 302);
        assert_eq!(old.login2(&Value::Null).await["retcode"], 0);
        assert_eq!(old.online().await["retcode"], 0);
        old
    }

    pub(crate) async fn online(&self) -> Value {
        let qq = &self.0;
        let path = format!(
            "d.web2.qq.com/channel/get_online_buddies2?vfwebqq={}&clientid=73937875&psessionid={}&t=1",
            qq.vfwebqq, qq.psessionid
        );
        qq.get_json(&path, D).await
    }

    pub(crate) async fn poll(&self) -> Value {
        let r = json!({"clientid": "73937875", "psessionid": self.0.psessionid, "key": 0, "ids": []});
        self.0.post("d.web2.qq.com/channel/poll2", D, &r).await
    }

    /// The value of the only event of the next poll, which must be of that kind.
    pub(crate) async fn event(&self, kind: &str) -> Value {
        let answer = self.poll().await;
        assert_eq!(answer["result"][0]["poll_type"], kind, "{answer}");
        answer["result"][0]["value"].clone()
    }

    pub(crate) async fn send(&mut self, gid: i64, text: &str) -> Value {
        self.0.send_as("d.web2.qq.com", "73937875", gid, &content(text)).await
    }
}

fn arguments(text: &str) -> Vec<String> {
    text.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The field `p`, from the description of it.
pub(crate) fn hashed(password: &str, code: &str) -> String {
    use md5::{Digest as _, Md5};
    let upper = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let h1 = Md5::digest(password).to_vec();
    let h2 = upper(&Md5::digest([h1, SELF.to_be_bytes().to_vec()].concat()));
    upper(&Md5::digest(format!("{h2}{}", code.to_uppercase())))
}
