//! A small `SmartQQ` client, and the hands of the tester on the control API.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::REFERER;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde_json::{Value, json};

pub(crate) const LISTS: &str = "http://s.web2.qq.com/proxy.html?v=20130916001&callback=1&id=1";
pub(crate) const CHANNEL: &str = "http://d1.web2.qq.com/proxy.html?v=20151105001&callback=1&id=2";
pub(crate) const GROUP: i64 = 346_000_003;

/// How the client reaches the historic hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Host,
    Proxy,
    Path,
}

/// A client and what it has learnt.
#[derive(Clone)]
pub(crate) struct Qq {
    pub(crate) http: Client,
    pub(crate) jar: Arc<Jar>,
    pub(crate) address: SocketAddr,
    pub(crate) way: Way,
    pub(crate) uin: i64,
    pub(crate) ptwebqq: String,
    pub(crate) vfwebqq: String,
    pub(crate) psessionid: String,
    pub(crate) msg_id: i64,
}

pub(crate) fn hash33(text: &str) -> u32 {
    text.bytes()
        .fold(0_u32, |e, c| e.wrapping_add(e << 5).wrapping_add(u32::from(c)))
        & 0x7FFF_FFFF
}

pub(crate) fn list_hash(uin: i64, ptwebqq: &str) -> String {
    let mut a = [0_u8; 4];
    ptwebqq.bytes().enumerate().for_each(|(i, byte)| a[i % 4] ^= byte);
    let u = u32::try_from(uin).unwrap().to_be_bytes();
    (0..4)
        .map(|i| format!("{:02X}{:02X}", a[i], u[i] ^ b"ECOK"[i]))
        .collect()
}

pub(crate) fn content(text: &str) -> String {
    json!([text, ["font", {"name": "宋体", "size": 10, "style": [0, 0, 0], "color": "000000"}]]).to_string()
}

impl Qq {
    pub(crate) fn new(address: SocketAddr, way: Way) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let jar = Arc::new(Jar::default());
        let mut builder = Client::builder()
            .cookie_provider(jar.clone())
            .redirect(Policy::none())
            .user_agent("Mozilla/5.0 (X11; Linux x86_64)")
            .timeout(Duration::from_secs(20));
        builder = match way {
            Way::Proxy => builder.proxy(reqwest::Proxy::http(format!("http://{address}")).unwrap()),
            Way::Path => builder.no_proxy(),
            Way::Host => [
                "ui.ptlogin2",
                "ssl.ptlogin2",
                "ptlogin4.web2",
                "s.web2",
                "d1.web2",
                "w",
                "ptlogin2",
            ]
            .iter()
            .fold(builder.no_proxy(), |builder, host| {
                builder.resolve(&format!("{host}.qq.com"), address)
            }),
        };
        let http = builder.build().unwrap();
        let empty = String::new;
        let (ptwebqq, vfwebqq, psessionid) = (empty(), empty(), empty());
        Self {
            http,
            jar,
            address,
            way,
            uin: 0,
            ptwebqq,
            vfwebqq,
            psessionid,
            msg_id: 47_810_001,
        }
    }

    /// An address in this client's way.
    pub(crate) fn url(&self, host_and_path: &str) -> String {
        match self.way {
            Way::Path => format!("http://{}/{host_and_path}", self.address),
            _ => format!("http://{host_and_path}"),
        }
    }

    pub(crate) fn cookie(&self, host: &str, name: &str) -> Option<String> {
        let url: Url = self.url(&format!("{host}/")).parse().unwrap();
        let line = self.jar.cookies(&url)?.to_str().unwrap().to_owned();
        line.split("; ")
            .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
            .map(str::to_owned)
    }

    pub(crate) async fn get(&self, host_and_path: &str, referer: &str) -> Response {
        let mut request = self.http.get(self.url(host_and_path));
        if !referer.is_empty() {
            request = request.header(REFERER, referer);
        }
        request.send().await.unwrap()
    }

    /// The status of a GET of a whole address.
    pub(crate) async fn get_url(&self, url: &str) -> u16 {
        self.http.get(url).send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn get_json(&self, host_and_path: &str, referer: &str) -> Value {
        parse(&self.get(host_and_path, referer).await.text().await.unwrap())
    }

    pub(crate) async fn post(&self, host_and_path: &str, referer: &str, r: &Value) -> Value {
        let mut request = self.http.post(self.url(host_and_path)).form(&[("r", r.to_string())]);
        if !referer.is_empty() {
            request = request.header(REFERER, referer);
        }
        parse(&request.send().await.unwrap().text().await.unwrap())
    }

    pub(crate) async fn show_qr(&self) -> Vec<u8> {
        let login = "ui.ptlogin2.qq.com/cgi-bin/login?daid=164&target=self&style=16&appid=501004106";
        assert!(self.get(login, "").await.text().await.unwrap().contains("g_login_sig"));
        let shown = self
            .get(
                "ssl.ptlogin2.qq.com/ptqrshow?appid=501004106&e=0&l=M&s=5&d=72&v=4&t=0.5",
                "",
            )
            .await;
        shown.bytes().await.unwrap().to_vec()
    }

    /// The arguments of the ptuiCB call.
    pub(crate) async fn ask_qr(&self) -> Vec<String> {
        let qrsig = self.cookie("ssl.ptlogin2.qq.com", "qrsig").unwrap();
        let path = format!(
            "ssl.ptlogin2.qq.com/ptqrlogin?ptqrtoken={}&webqq_type=10&aid=501004106",
            hash33(&qrsig)
        );
        let text = self.get(&path, "").await.text().await.unwrap();
        assert!(text.ends_with("\r\n"), "{text:?}");
        text.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// QR code, scan, cookies.
    pub(crate) async fn scan_in(&mut self) {
        self.show_qr().await;
        assert_eq!(self.ask_qr().await[0], "66");
        assert_eq!(control(self.address, "POST", "qr/scan", &json!({})).await.0, 200);
        assert_eq!(self.ask_qr().await[0], "67");
        let answer = self.ask_qr().await;
        assert_eq!(answer[0], "0");
        let checked = self.http.get(&answer[2]).send().await.unwrap();
        assert_eq!(checked.status(), 302);
        self.ptwebqq = self.cookie("s.web2.qq.com", "ptwebqq").unwrap_or_default();
    }

    pub(crate) async fn getvfwebqq(&mut self) -> Value {
        let path = format!(
            "s.web2.qq.com/api/getvfwebqq?ptwebqq={}&clientid=53999199&psessionid=&t=1",
            self.ptwebqq
        );
        let answer = self.get_json(&path, LISTS).await;
        self.vfwebqq = answer["result"]["vfwebqq"].as_str().unwrap_or_default().to_owned();
        answer
    }

    pub(crate) async fn login2(&mut self) -> Value {
        let r = json!({"ptwebqq": self.ptwebqq, "clientid": 53_999_199, "psessionid": "", "status": "online"});
        let answer = self.post("d1.web2.qq.com/channel/login2", CHANNEL, &r).await;
        self.psessionid = answer["result"]["psessionid"].as_str().unwrap_or_default().to_owned();
        self.uin = answer["result"]["uin"].as_i64().unwrap_or_default();
        answer
    }

    pub(crate) async fn online_buddies(&self) -> Value {
        let path = format!(
            "d1.web2.qq.com/channel/get_online_buddies2?vfwebqq={}&clientid=53999199&psessionid={}&t=1",
            self.vfwebqq, self.psessionid
        );
        self.get_json(&path, CHANNEL).await
    }

    /// The whole way in, up to the first poll.
    pub(crate) async fn log_in(address: SocketAddr, way: Way) -> Self {
        let mut qq = Self::new(address, way);
        qq.scan_in().await;
        assert_eq!(qq.getvfwebqq().await["retcode"], 0);
        assert_eq!(qq.login2().await["retcode"], 0);
        assert_eq!(qq.online_buddies().await["retcode"], 0);
        qq
    }

    pub(crate) async fn groups(&self) -> Value {
        let r = json!({"vfwebqq": self.vfwebqq, "hash": list_hash(self.uin, &self.ptwebqq)});
        self.post("s.web2.qq.com/api/get_group_name_list_mask2", LISTS, &r)
            .await
    }

    /// gid and code of the first group.
    pub(crate) async fn group(&self) -> (i64, i64) {
        let list = self.groups().await;
        let group = &list["result"]["gnamelist"][0];
        (group["gid"].as_i64().unwrap(), group["code"].as_i64().unwrap())
    }

    pub(crate) async fn members(&self, code: i64) -> Value {
        let path = format!(
            "s.web2.qq.com/api/get_group_info_ext2?gcode={code}&vfwebqq={}&t=1",
            self.vfwebqq
        );
        self.get_json(&path, LISTS).await
    }

    pub(crate) async fn real_number(&self, tuin: i64, kind: u8) -> Value {
        let path = format!(
            "s.web2.qq.com/api/get_friend_uin2?tuin={tuin}&type={kind}&verifysession=&code=&vfwebqq={}&t=1",
            self.vfwebqq
        );
        self.get_json(&path, LISTS).await
    }

    pub(crate) fn poll_fields(&self) -> Value {
        json!({"ptwebqq": self.ptwebqq, "clientid": 53_999_199, "psessionid": self.psessionid, "key": ""})
    }

    pub(crate) async fn poll(&self) -> Value {
        self.post("d1.web2.qq.com/channel/poll2", CHANNEL, &self.poll_fields())
            .await
    }

    pub(crate) async fn send(&mut self, gid: i64, content: &str) -> Value {
        self.send_as("d1.web2.qq.com", "53999199", gid, content).await
    }

    /// The same over another host, with another clientid.
    pub(crate) async fn send_as(&mut self, host: &str, clientid: &str, gid: i64, content: &str) -> Value {
        self.msg_id += 1;
        let r = json!({
            "group_uin": gid, "content": content, "face": 591, "clientid": clientid, "msg_id": self.msg_id,
            "psessionid": self.psessionid,
        });
        self.post(&format!("{host}/channel/send_qun_msg2"), CHANNEL, &r).await
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text:?}"))
}

/// A call of the control API: status and body.
pub(crate) async fn control(address: SocketAddr, method: &str, path: &str, body: &Value) -> (u16, Value) {
    // Making one is the slow part. Connections belong to the runtime of one test, so none are kept.
    static HTTP: LazyLock<Client> = LazyLock::new(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder().no_proxy().pool_max_idle_per_host(0);
        builder.timeout(Duration::from_secs(20)).build().unwrap()
    });
    let mut request = HTTP.request(method.parse().unwrap(), format!("http://{address}/sandbox/{path}"));
    if method != "GET" {
        request = request.json(body);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// A member says something; gives the message's number.
pub(crate) async fn say(address: SocketAddr, from: i64, text: &str) -> i64 {
    let body = json!({"from": from, "message": text});
    let (status, answer) = control(address, "POST", &format!("groups/{GROUP}/messages"), &body).await;
    assert_eq!(status, 200, "{answer}");
    answer["id"].as_i64().unwrap()
}

/// The log, oldest first.
pub(crate) async fn log(address: SocketAddr) -> Vec<Value> {
    control(address, "GET", "log?after=0", &json!({}))
        .await
        .1
        .as_array()
        .unwrap()
        .clone()
}
