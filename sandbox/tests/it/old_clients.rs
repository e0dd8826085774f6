//! The ways in which two old clients called, word for word as far as the notes tell: a Java one (`smartqq`) and a Python
//! one (`qqbot`). Both must find their way through the whole of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::client::{control, hash33, list_hash, say};
use crate::sandbox;

const AGENT: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_2) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/47.0.2526.106 Safari/537.36";

/// Keeps cookies by name alone, whatever their domain, and follows redirects by itself, as simple clients do.
struct Simple {
    http: Client,
    cookies: BTreeMap<String, String>,
}

impl Simple {
    fn new(address: SocketAddr) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let proxy = reqwest::Proxy::http(format!("http://{address}")).unwrap();
        let http = Client::builder()
            .proxy(proxy)
            .user_agent(AGENT)
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self {
            http,
            cookies: BTreeMap::new(),
        }
    }

    async fn call(&mut self, url: &str, referer: Option<&str>, r: Option<&Value>) -> Vec<u8> {
        let mut url = url.to_owned();
        for _ in 0..5 {
            let mut request = match r {
                Some(r) => self.http.post(&url).form(&[("r", r.to_string())]),
                None => self.http.get(&url),
            };
            if let Some(referer) = referer {
                request = request.header("referer", referer);
            }
            if !self.cookies.is_empty() {
                let line: Vec<_> = self
                    .cookies
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                request = request.header("cookie", line.join("; "));
            }
            let response = request.send().await.unwrap();
            for line in response.headers().get_all("set-cookie") {
                let (name, value) = line
                    .to_str()
                    .unwrap()
                    .split(';')
                    .next()
                    .unwrap()
                    .split_once('=')
                    .unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            match response.headers().get("location") {
                Some(location) => location.to_str().unwrap().clone_into(&mut url),
                None => return response.bytes().await.unwrap().to_vec(),
            }
        }
        panic!("too many redirects")
    }

    async fn json(&mut self, url: &str, referer: &str, r: Option<&Value>) -> Value {
        serde_json::from_slice(&self.call(url, Some(referer), r).await).unwrap()
    }
}

#[tokio::test]
async fn the_java_client() {
    const S: &str = "http://s.web2.qq.com/proxy.html?v=20130916001&callback=1&id=1";
    const D: &str = "http://d1.web2.qq.com/proxy.html?v=20151105001&callback=1&id=2";
    let sandbox = sandbox().await;
    let mut client = Simple::new(sandbox.address);
    let shown = "http://ssl.ptlogin2.qq.com/ptqrshow?appid=501004106&e=0&l=M&s=5&d=72&v=4&t=0.1";
    assert!(client.call(shown, None, None).await.starts_with(b"\x89PNG"));
    let token = hash33(&client.cookies["qrsig"]);
    let ask = format!(
        "http://ssl.ptlogin2.qq.com/ptqrlogin?ptqrtoken={token}&webqq_type=10&remember_uin=1&login2qq=1&aid=501004106\
         &u1=http%3A%2F%2Fw.qq.com%2Fproxy.html%3Flogin2qq%3D1%26webqq_type%3D10&ptredirect=0&ptlang=2052&daid=164\
         &from_ui=1&pttype=1&dumy=&fp=loginerroralert&0-0-157510&mibao_css=m_webqq&t=undefined&g=1&js_type=0\
         &js_ver=10184&login_sig=&pt_randsalt=3"
    );
    let login =
        "http://ui.ptlogin2.qq.com/cgi-bin/login?daid=164&target=self&style=16&mibao_css=m_webqq&appid=501004106";
    control(sandbox.address, "POST", "qr/scan", &json!({})).await;
    let url = loop {
        let answer = String::from_utf8(client.call(&ask, Some(login), None).await).unwrap();
        if answer.contains("成功") {
            break answer
                .split("','")
                .find(|part| part.starts_with("http"))
                .unwrap()
                .to_owned();
        }
        assert!(!answer.contains("已失效"), "{answer}");
    };
    client.call(&url, None, None).await;
    let ptwebqq = client.cookies["ptwebqq"].clone();
    let get = format!("http://s.web2.qq.com/api/getvfwebqq?ptwebqq={ptwebqq}&clientid=53999199&psessionid=&t=0.1");
    let vfwebqq = client.json(&get, S, None).await["result"]["vfwebqq"]
        .as_str()
        .unwrap()
        .to_owned();
    let r = json!({"ptwebqq": ptwebqq, "clientid": 53_999_199, "psessionid": "", "status": "online"});
    let entered = client.json("http://d1.web2.qq.com/channel/login2", D, Some(&r)).await["result"].clone();
    let (uin, psessionid) = (
        entered["uin"].as_i64().unwrap(),
        entered["psessionid"].as_str().unwrap().to_owned(),
    );
    let status = format!(
        "http://d1.web2.qq.com/channel/get_online_buddies2?vfwebqq={vfwebqq}&clientid=53999199&psessionid={psessionid}&t=0.1"
    );
    assert_eq!(client.json(&status, D, None).await["retcode"], 0);
    let r = json!({"vfwebqq": vfwebqq, "hash": list_hash(uin, &ptwebqq)});
    // This client shows the channel's proxy page for the lists, too.
    let groups = client
        .json("http://s.web2.qq.com/api/get_group_name_list_mask2", D, Some(&r))
        .await;
    let gid = groups["result"]["gnamelist"][0]["gid"].as_i64().unwrap();
    let friends = client
        .json("http://s.web2.qq.com/api/get_user_friends2", D, Some(&r))
        .await;
    assert!(friends["result"]["vipinfo"].is_array() && friends["result"]["categories"].is_array());
    assert_eq!(
        client
            .json("http://s.web2.qq.com/api/get_self_info2?t=0.1", S, None)
            .await["result"]["account"],
        uin
    );
    say(sandbox.address, 222_333_444, "在吗").await;
    let r = json!({"ptwebqq": ptwebqq, "clientid": 53_999_199, "psessionid": psessionid, "key": ""});
    let polled = client.json("http://d1.web2.qq.com/channel/poll2", D, Some(&r)).await;
    assert_eq!(polled["result"][0]["value"]["content"][1], "在吗");
    let font = json!({"color": "000000", "style": [0, 0, 0], "name": "宋体", "size": 10});
    let r = json!({
        "group_uin": gid, "content": json!(["在", ["font", font]]).to_string(), "face": 573, "clientid": 53_999_199,
        "msg_id": 65_890_001, "psessionid": psessionid,
    });
    let sent = client
        .json("http://d1.web2.qq.com/channel/send_qun_msg2", D, Some(&r))
        .await;
    assert_eq!(sent["errCode"], 0);
}

#[tokio::test]
async fn the_python_client() {
    const S: &str = "http://s.web2.qq.com/proxy.html?v=20130916001&callback=1&id=1";
    const D: &str = "http://d1.web2.qq.com/proxy.html?v=20151105001&callback=1&id=2";
    let sandbox = sandbox().await;
    let mut client = Simple::new(sandbox.address);
    let page = "http://ui.ptlogin2.qq.com/cgi-bin/login?daid=164&target=self&style=16&mibao_css=m_webqq&appid=501004106\
        &enable_qlogin=0&no_verifyimg=1&s_url=http%3A%2F%2Fw.qq.com%2Fproxy.html&f_url=loginerroralert&strong_login=1\
        &login_state=10&t=20131024001";
    client.call(page, None, None).await;
    client
        .call(
            "http://ssl.ptlogin2.qq.com/ptqrshow?appid=501004106&e=0&l=M&s=5&d=72&v=4&t=0.3",
            Some(page),
            None,
        )
        .await;
    control(sandbox.address, "POST", "qr/scan", &json!({})).await;
    let token = hash33(&client.cookies["qrsig"]);
    let ask =
        format!("http://ssl.ptlogin2.qq.com/ptqrlogin?ptqrtoken={token}&webqq_type=10&aid=501004106&js_ver=10220");
    let mut answer = String::new();
    while !answer.contains("登录成功") {
        answer = String::from_utf8(client.call(&ask, Some(page), None).await).unwrap();
        assert!(
            answer.contains("二维码认证中") || answer.contains("登录成功"),
            "{answer}"
        );
    }
    // It takes the sixth argument for the name and the third for the address.
    let arguments: Vec<_> = answer.split('\'').collect();
    assert_eq!(arguments[11], "小桥");
    client.call(arguments[5], None, None).await;
    let ptwebqq = client.cookies["ptwebqq"].clone();
    let get = format!("http://s.web2.qq.com/api/getvfwebqq?ptwebqq={ptwebqq}&clientid=53999199&psessionid=&t=0.2");
    let vfwebqq = client.json(&get, S, None).await["result"]["vfwebqq"]
        .as_str()
        .unwrap()
        .to_owned();
    let r = json!({"ptwebqq": ptwebqq, "clientid": 53_999_199, "psessionid": "", "status": "online"});
    let entered = client.json("http://d1.web2.qq.com/channel/login2", D, Some(&r)).await["result"].clone();
    let (uin, psessionid) = (
        entered["uin"].as_i64().unwrap(),
        entered["psessionid"].as_str().unwrap().to_owned(),
    );
    let session = format!("vfwebqq={vfwebqq}&clientid=53999199&psessionid={psessionid}&t=0.7");
    let online = format!("http://d1.web2.qq.com/channel/get_online_buddies2?{session}");
    assert_eq!(client.json(&online, D, None).await["retcode"], 0);
    let r = json!({"vfwebqq": vfwebqq, "hash": list_hash(uin, &ptwebqq)});
    let group = client
        .json("http://s.web2.qq.com/api/get_group_name_list_mask2", D, Some(&r))
        .await["result"]["gnamelist"][0]
        .clone();
    let members = format!(
        "http://s.web2.qq.com/api/get_group_info_ext2?gcode={}&vfwebqq={vfwebqq}&t=0.4",
        group["code"]
    );
    assert_eq!(
        client.json(&members, S, None).await["result"]["minfo"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
    let discussions = format!("http://s.web2.qq.com/api/get_discus_list?{session}");
    assert_eq!(
        client.json(&discussions, S, None).await["result"]["dnamelist"],
        json!([])
    );
    say(sandbox.address, 444_555_666, "喵").await;
    let r = json!({"ptwebqq": ptwebqq, "clientid": 53_999_199, "psessionid": psessionid, "key": ""});
    let polled = client
        .json(
            "https://d1.web2.qq.com/channel/poll2".replace("https", "http").as_str(),
            D,
            Some(&r),
        )
        .await;
    assert_eq!(polled["result"][0]["value"]["content"][1], "喵");
    let content = json!(["收到", ["font", {"name": "宋体", "size": 10, "style": [0, 0, 0], "color": "000000"}]]);
    let r = json!({
        "group_uin": group["gid"], "content": content.to_string(), "face": 522, "clientid": 53_999_199,
        "msg_id": 6_000_001, "psessionid": psessionid,
    });
    let sent = client
        .json("http://d1.web2.qq.com/channel/send_qun_msg2", D, Some(&r))
        .await;
    assert_eq!(sent["errCode"], 0);
}
