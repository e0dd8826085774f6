//! The QR login's own calls: a code, and what became of it.

use std::time::Duration;

use url::Url;

use super::{DAID, PICTURE_MAX, TIMEOUT, Trouble, refusal};
use crate::qq::webqq::api::{Api, millis};
use crate::qq::webqq::endpoint::{PTLOGIN, Refused};
use crate::qq::webqq::hash::hash33;
use crate::qq::webqq::http::From;
use crate::qq::webqq::wire;

/// What became of the QR code that is shown.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::qq::webqq) enum Scan {
    /// Nobody scanned it yet.
    Waiting,
    /// Scanned; the phone asks its owner.
    Confirming,
    /// Too late, a new one is needed.
    Expired,
    /// Confirmed; go there.
    Done(Url),
}

impl Api {
    /// A new QR code as a PNG.
    pub(in crate::qq::webqq) async fn qr_show(&self) -> Result<Vec<u8>, Trouble> {
        let mut url = self.http.endpoint.url(PTLOGIN, "/ptqrshow");
        let t = format!("0.{}", millis());
        url.query_pairs_mut().extend_pairs([
            ("appid", self.http.era.app()),
            ("e", "0"),
            ("l", "M"),
            ("s", "5"),
            ("d", "72"),
            ("v", "4"),
            ("t", &t),
        ]);
        let reply = self.http.get(url, From::Login, TIMEOUT).await?;
        let is_png = reply.body.starts_with(b"\x89PNG\r\n\x1a\n") && reply.body.len() <= PICTURE_MAX;
        if !reply.is_success() || !is_png {
            return Err(Trouble::Wire(
                "the QQ server gave no QR code; if it speaks WebQQ of 2013, write login = \"password\", qq and password"
                    .to_owned(),
            ));
        }
        Ok(reply.body)
    }

    /// What became of the code. `age` is the time since the page was opened.
    pub(in crate::qq::webqq) async fn qr_login(&self, age: Duration) -> Result<Scan, Trouble> {
        let mut url = self.http.endpoint.url(PTLOGIN, "/ptqrlogin");
        let token = hash33(&self.http.cookie("qrsig").unwrap_or_default()).to_string();
        let action = format!("0-0-{}", age.as_millis());
        let login_sig = self.http.cookie("pt_login_sig").unwrap_or_default();
        url.query_pairs_mut().extend_pairs([
            ("ptqrtoken", token.as_str()),
            ("webqq_type", "10"),
            ("remember_uin", "1"),
            ("login2qq", "1"),
            ("aid", self.http.era.app()),
            ("u1", "http://w.qq.com/proxy.html?login2qq=1&webqq_type=10"),
            ("ptredirect", "0"),
            ("ptlang", "2052"),
            ("daid", DAID),
            ("from_ui", "1"),
            ("pttype", "1"),
            ("dumy", ""),
            ("fp", "loginerroralert"),
            ("action", &action),
            ("mibao_css", "m_webqq"),
            ("t", "1"),
            ("g", "1"),
            ("js_type", "0"),
            ("js_ver", "10233"),
            ("login_sig", &login_sig),
            ("pt_randsalt", "0"),
        ]);
        let reply = self.http.get(url, From::Login, TIMEOUT).await?;
        if reply.status == 403 {
            return Ok(Scan::Expired);
        }
        if !reply.is_success() {
            return Err(Trouble::Wire(format!("the QQ server answered HTTP {}", reply.status)));
        }
        let arguments = wire::call(&reply.body, "ptuiCB")
            .ok_or_else(|| Trouble::Wire("the QQ server's login gave no readable answer".to_owned()))?;
        self.scan(&arguments)
    }

    fn scan(&self, arguments: &[String]) -> Result<Scan, Trouble> {
        let argument = |at: usize| arguments.get(at).map_or("", String::as_str);
        match argument(0) {
            "0" => Ok(Scan::Done(self.http.endpoint.adopt(argument(2), None)?)),
            "65" => Ok(Scan::Expired),
            "66" => Ok(Scan::Waiting),
            "67" => Ok(Scan::Confirming),
            "1" | "6" | "7" | "24" => Err(Trouble::Refused(refusal(argument(0), argument(4)))),
            "19" => Err(Refused::Frozen.into()),
            code => Err(Trouble::Person(refusal(code, argument(4)))),
        }
    }
}
