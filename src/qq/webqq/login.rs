//! The login's calls, from the login page to `check_sig`: those of both ways here, the others in [`scan`] and [`password`].
//! Decides nothing: says what the service answered.

pub(super) mod password;
pub(super) mod scan;

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::api::Api;
use super::endpoint::{LOGIN_PAGE, PTLOGIN, Refused};
use super::era::Era;
use super::hash::time33;
use super::http::{Failure, From, Reply};
use super::wire;

const DAID: &str = "164";
const TIMEOUT: Duration = Duration::from_secs(20);
/// A QR picture has some hundred bytes, a captcha some thousand.
const PICTURE_MAX: usize = 256 << 10;
const REDIRECTS_MAX: usize = 5;
const TRIES: u32 = 4;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Why a step of the login failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Trouble {
    /// The wire: the same step may work in a moment.
    #[error("{0}")]
    Wire(String),
    /// The service refused: the login has to begin anew.
    #[error("{0}")]
    Refused(String),
    /// The service wants to be left alone for long.
    #[error("{0}")]
    Wait(String),
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

impl Api {
    /// Opens the login page: for its cookies, and for the signature that the page of 2013 held.
    pub(super) async fn login_page(&self) -> Result<String, Trouble> {
        let (_, path) = self.http.era.login_page().split_once(LOGIN_PAGE).unwrap_or_default();
        let url = self.http.endpoint.url(LOGIN_PAGE, path);
        // Clients that left it out got in as well, so its status does not matter.
        let page = self.http.get(url, From::Nowhere, TIMEOUT).await?;
        let written = password::login_sig(&page.body);
        let signature = written.or_else(|| self.http.cookie("pt_login_sig"));
        Ok(signature.unwrap_or_default())
    }

    /// `GET` of a login page, again when its host seems to be out of order for a moment: 404 and 502 come out of the blue.
    async fn login_get(&self, url: &Url, from: From) -> Result<Reply, Trouble> {
        let mut tries = 1;
        loop {
            let reply = self.http.get(url.clone(), from, TIMEOUT).await?;
            if !matches!(reply.status, 404 | 500..) {
                return Ok(reply);
            }
            if tries == TRIES {
                return match reply.status {
                    404 => Ok(reply),
                    status => Err(Trouble::Wire(format!("the QQ server answered HTTP {status}"))),
                };
            }
            tokio::time::sleep(BETWEEN_TRIES * tries).await;
            tries += 1;
        }
    }

    /// Fetches the link that the login gave, following redirects by hand: for the cookies.
    pub(super) async fn check_sig(&self, link: &Url) -> Result<(), Trouble> {
        let mut reply = self.login_get(link, From::Nowhere).await?;
        let mut url = link.clone();
        for _ in 0..REDIRECTS_MAX {
            let redirects = (300..400).contains(&reply.status);
            let Some(location) = reply.location.filter(|_| redirects) else {
                break;
            };
            url = self.http.endpoint.adopt(&location, Some(&url))?;
            // Behind the first answer the cookies are there; what the page it points to does is no concern of ours.
            let Ok(next) = self.http.get(url.clone(), From::Nowhere, TIMEOUT).await else {
                break;
            };
            reply = next;
        }
        self.take_cookie();
        Ok(())
    }

    /// Takes the ptwebqq that the login set as a cookie.
    pub(super) fn take_cookie(&self) {
        let ptwebqq = self.http.cookie("ptwebqq").unwrap_or_default();
        self.tokens().ptwebqq = ptwebqq;
    }

    /// A login without a scan, by what an earlier one left behind. Nothing when there is nothing, or the service wants a scan.
    pub(super) async fn quick_login(&self) -> Result<Option<Url>, Trouble> {
        let Some(supertoken) = self.http.cookie("supertoken") else {
            return Ok(None);
        };
        let mut url = self.http.endpoint.url(PTLOGIN, "/pt4_auth");
        let token = time33(&supertoken).to_string();
        url.query_pairs_mut()
            .extend_pairs([("daid", DAID), ("appid", self.http.era.app()), ("auth_token", &token)]);
        let reply = self.login_get(&url, From::Login).await?;
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

    /// Takes the session that login2 gave; in 2013 the token of the lists is in it.
    pub(super) fn take_session(&self, result: &Value) -> bool {
        let psessionid = wire::text(&result["psessionid"]);
        let uin = wire::number(&result["uin"]);
        if !is_token(psessionid) {
            return false;
        }
        if self.http.era == Era::W13 && !self.take_vfwebqq(result) && self.tokens().vfwebqq.is_empty() {
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
