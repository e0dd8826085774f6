//! The QR login's calls, from the login page to `check_sig`. Decides nothing: says what the service answered.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::api::{Api, millis};
use super::endpoint::{LOGIN_PAGE, PTLOGIN, Refused};
use super::hash::{hash33, time33};
use super::http::{Failure, From};
use super::wire;

/// The login page of the time, which login calls claim to come from.
pub(super) const PAGE: &str = "https://ui.ptlogin2.qq.com/cgi-bin/login?daid=164&target=self&style=16&mibao_css=m_webqq&appid=501004106&enable_qlogin=0&no_verifyimg=1&s_url=http%3A%2F%2Fw.qq.com%2Fproxy.html&f_url=loginerroralert&strong_login=1&login_state=10&t=20131024001";
const APP: &str = "501004106";
const DAID: &str = "164";
const TIMEOUT: Duration = Duration::from_secs(20);
/// A QR picture has some hundred bytes.
const PICTURE_MAX: usize = 256 << 10;
const REDIRECTS_MAX: usize = 5;

/// Why a step of the login failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Trouble {
    /// The wire: the same step may work in a moment.
    #[error("{0}")]
    Wire(String),
    /// The service refused: the login has to begin anew.
    #[error("{0}")]
    Refused(String),
    /// A person has to do something about the account.
    #[error("{0}")]
    Person(String),
}

impl std::convert::From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Wire(failure.to_string())
    }
}

impl std::convert::From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Frozen => Self::Person(refused.to_string()),
            Refused::Foreign | Refused::Malformed => Self::Refused(refused.to_string()),
        }
    }
}

/// What became of the QR code that is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
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
    /// Opens the login page: for its cookies.
    pub(super) async fn login_page(&self) -> Result<(), Trouble> {
        let path = PAGE.split_once(LOGIN_PAGE).map_or("/", |(_, path)| path);
        let url = self.http.endpoint.url(LOGIN_PAGE, path);
        // Clients that left it out got in as well, so its status does not matter.
        self.http.get(url, From::Nowhere, TIMEOUT).await?;
        Ok(())
    }

    /// A new QR code as a PNG.
    pub(super) async fn qr_show(&self) -> Result<Vec<u8>, Trouble> {
        let mut url = self.http.endpoint.url(PTLOGIN, "/ptqrshow");
        let t = format!("0.{}", millis());
        url.query_pairs_mut().extend_pairs([
            ("appid", APP),
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
            return Err(Trouble::Wire("the QQ server gave no QR code".to_owned()));
        }
        Ok(reply.body)
    }

    /// What became of the code. `age` is the time since the page was opened.
    pub(super) async fn qr_login(&self, age: Duration) -> Result<Scan, Trouble> {
        let mut url = self.http.endpoint.url(PTLOGIN, "/ptqrlogin");
        let token = hash33(&self.http.cookie("qrsig").unwrap_or_default()).to_string();
        let action = format!("0-0-{}", age.as_millis());
        let login_sig = self.http.cookie("pt_login_sig").unwrap_or_default();
        url.query_pairs_mut().extend_pairs([
            ("ptqrtoken", token.as_str()),
            ("webqq_type", "10"),
            ("remember_uin", "1"),
            ("login2qq", "1"),
            ("aid", APP),
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
            code => Err(Trouble::Person(refusal(code, argument(4)))),
        }
    }

    /// Fetches the link that the login gave, following redirects by hand: for the cookies.
    pub(super) async fn check_sig(&self, link: &Url) -> Result<(), Trouble> {
        let mut url = link.clone();
        for _ in 0..=REDIRECTS_MAX {
            let reply = self.http.get(url.clone(), From::Nowhere, TIMEOUT).await;
            let reply = match reply {
                // Behind the first answer the cookies are there; what the page it points to does is no concern of ours.
                Err(_) if url != *link => break,
                other => other?,
            };
            let (status, success) = (reply.status, reply.is_success());
            let Some(location) = reply.location.filter(|_| (300..400).contains(&status)) else {
                if url == *link && !success {
                    return Err(Trouble::Wire(format!("the QQ server answered HTTP {status}")));
                }
                break;
            };
            url = self.http.endpoint.adopt(&location, Some(&url))?;
        }
        let ptwebqq = self.http.cookie("ptwebqq").unwrap_or_default();
        self.tokens().ptwebqq = ptwebqq;
        Ok(())
    }

    /// A login without a scan, by what an earlier one left behind. Nothing when there is nothing, or the service wants a scan.
    pub(super) async fn quick_login(&self) -> Result<Option<Url>, Trouble> {
        let Some(supertoken) = self.http.cookie("supertoken") else {
            return Ok(None);
        };
        let mut url = self.http.endpoint.url(PTLOGIN, "/pt4_auth");
        let token = time33(&supertoken).to_string();
        url.query_pairs_mut()
            .extend_pairs([("daid", DAID), ("appid", APP), ("auth_token", &token)]);
        let reply = self.http.get(url, From::Login, TIMEOUT).await?;
        let Some(arguments) = wire::call(&reply.body, "ptui_auth_CB") else {
            return Ok(None);
        };
        match arguments.as_slice() {
            [code, link, ..] if code == "0" => match self.http.endpoint.adopt(link, None) {
                Ok(url) => Ok(Some(url)),
                Err(Refused::Frozen) => Err(Refused::Frozen.into()),
                Err(_) => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Takes the token that getvfwebqq gave.
    pub(super) fn take_vfwebqq(&self, result: &Value) -> bool {
        let vfwebqq = wire::text(&result["vfwebqq"]);
        if !is_token(vfwebqq) {
            return false;
        }
        vfwebqq.clone_into(&mut self.tokens().vfwebqq);
        true
    }

    /// Takes the session that login2 gave.
    pub(super) fn take_session(&self, result: &Value) -> bool {
        let psessionid = wire::text(&result["psessionid"]);
        let uin = wire::number(&result["uin"]);
        if !is_token(psessionid) {
            return false;
        }
        let mut tokens = self.tokens();
        psessionid.clone_into(&mut tokens.psessionid);
        tokens.uin = uin.filter(|uin| *uin != 0).unwrap_or(tokens.uin);
        tokens.uin != 0
    }

    /// Takes a renewed ptwebqq (116), into variable and cookie.
    pub(super) fn take_ptwebqq(&self, ptwebqq: &str) -> bool {
        let is_cookie = ptwebqq.len() <= 512
            && ptwebqq
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-*~.@".contains(&b));
        if is_cookie {
            ptwebqq.clone_into(&mut self.tokens().ptwebqq);
            self.http.set_cookie("ptwebqq", ptwebqq);
        }
        is_cookie
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= 4096 && text.bytes().all(|b| b.is_ascii_graphic())
}

fn refusal(code: &str, message: &str) -> String {
    let message: String = crate::qq::text::clean_name(message).chars().take(200).collect();
    let code: String = code.chars().take(10).collect();
    format!("QQ refused the login (code {code}): {message}")
}
