//! The password login's own calls, as the page of `WebQQ` made them from August 2013: the check whether a captcha is wanted, its
//! picture, the login itself.

use url::Url;

use super::{DAID, PICTURE_MAX, TIMEOUT, Trouble, refusal};
use crate::model::QqNumber;
use crate::qq::webqq::api::{Api, millis};
use crate::qq::webqq::endpoint::{CAPTCHA, PTLOGIN, Refused};
use crate::qq::webqq::hash;
use crate::qq::webqq::http::From;
use crate::qq::webqq::wire;

/// The version that the page's script told.
const JS_VER: &str = "10040";

/// What the service wants before it looks at a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::qq::webqq) enum Check {
    /// Nothing: this code stands for a captcha.
    Free { code: String, salt: [u8; 8] },
    /// That a person reads a picture, which has this name.
    Captcha { name: String, salt: [u8; 8] },
}

/// What became of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::qq::webqq) enum Signed {
    /// It is done; where to go for the rest of the cookies, unless the service gave no usable address.
    Done(Option<Url>),
    /// That is not what the picture shows, or it is too old.
    WrongCode,
}

impl Api {
    /// Asks whether a captcha is wanted.
    pub(in crate::qq::webqq) async fn check(&self, qq: QqNumber, login_sig: &str) -> Result<Check, Trouble> {
        let mut url = self.http.endpoint.url(PTLOGIN, "/check");
        let (uin, r) = (qq.0.to_string(), random());
        url.query_pairs_mut().extend_pairs([
            ("uin", uin.as_str()),
            ("appid", self.http.era.app()),
            ("js_ver", JS_VER),
            ("js_type", "0"),
            ("login_sig", login_sig),
            ("u1", "http://web2.qq.com/loginproxy.html"),
            ("r", &r),
        ]);
        let reply = self.login_get(&url, From::Login).await?;
        let arguments = wire::call(&reply.body, "ptui_checkVC").ok_or_else(unreadable)?;
        checked(&arguments, qq)
    }

    /// The captcha's picture. Its cookie goes out with the login.
    pub(in crate::qq::webqq) async fn picture(&self, qq: QqNumber, name: &str) -> Result<Vec<u8>, Trouble> {
        let mut url = self.http.endpoint.url(CAPTCHA, "/getimage");
        let (uin, r) = (qq.0.to_string(), random());
        url.query_pairs_mut()
            .extend_pairs([("aid", self.http.era.app()), ("r", &r), ("uin", &uin), ("cap_cd", name)]);
        let reply = self.http.get(url, From::Login, TIMEOUT).await?;
        let kinds: [&[u8]; 3] = [b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8"];
        let is_picture = kinds.iter().any(|kind| reply.body.starts_with(kind)) && reply.body.len() <= PICTURE_MAX;
        if !reply.is_success() || !is_picture {
            return Err(Trouble::Wire("the QQ server gave no captcha".to_owned()));
        }
        Ok(reply.body)
    }

    /// Logs in. `code` is what the person typed, or the one that the check gave.
    pub(in crate::qq::webqq) async fn sign_in(
        &self,
        qq: QqNumber,
        password: &str,
        (code, salt): (&str, [u8; 8]),
        login_sig: &str,
    ) -> Result<Signed, Trouble> {
        let mut url = self.http.endpoint.url(PTLOGIN, "/login");
        let (u, p) = (qq.0.to_string(), hash::password(password, salt, code));
        url.query_pairs_mut().extend_pairs([
            ("u", u.as_str()),
            ("p", &p),
            ("verifycode", code),
            ("webqq_type", "10"),
            ("remember_uin", "1"),
            ("login2qq", "1"),
            ("aid", self.http.era.app()),
            ("u1", "http://web2.qq.com/loginproxy.html?login2qq=1&webqq_type=10"),
            ("h", "1"),
            ("ptredirect", "0"),
            ("ptlang", "2052"),
            ("daid", DAID),
            ("from_ui", "1"),
            ("pttype", "1"),
            ("dumy", ""),
            ("fp", "loginerroralert"),
            ("action", "4-5-8246"),
            ("mibao_css", "m_webqq"),
            ("t", "1"),
            ("g", "1"),
            ("js_type", "0"),
            ("js_ver", JS_VER),
            ("login_sig", login_sig),
        ]);
        let reply = self.http.get(url, From::Login, TIMEOUT).await?;
        if !reply.is_success() {
            return Err(Trouble::Wire(format!("the QQ server answered HTTP {}", reply.status)));
        }
        let arguments = wire::call(&reply.body, "ptuiCB").ok_or_else(unreadable)?;
        let signed = self.signed(&arguments)?;
        if matches!(signed, Signed::Done(_)) {
            self.take_cookie();
        }
        Ok(signed)
    }

    /// By the table of the login's codes.
    fn signed(&self, arguments: &[String]) -> Result<Signed, Trouble> {
        let argument = |at: usize| arguments.get(at).map_or("", String::as_str);
        let (code, message) = (argument(0), argument(4));
        match code {
            "0" => match self.http.endpoint.adopt(argument(2), None) {
                Ok(link) => Ok(Signed::Done(Some(link))),
                Err(Refused::Frozen) => Err(Refused::Frozen.into()),
                // Before August 2013 the link was of no use; whether it was needed, the next step shows.
                Err(Refused::Foreign | Refused::Malformed) => Ok(Signed::Done(None)),
            },
            "4" => Ok(Signed::WrongCode),
            "1" | "5" | "6" | "7" | "24" | "71" => Err(Trouble::Refused(refusal(code, message))),
            "8" => Err(Trouble::Wait(refusal(code, message))),
            "2" => Err(Trouble::Person("QQ says that this number has expired".to_owned())),
            "3" => Err(Trouble::Person(
                "QQ says that the password is wrong: put the right one into the configuration and reload".to_owned(),
            )),
            "19" => Err(Refused::Frozen.into()),
            "10005" => Err(Trouble::Person(
                "QQ lets this account log in by QR code only: set login = \"qr\" in the configuration and reload"
                    .to_owned(),
            )),
            _ => Err(Trouble::Person(refusal(code, message))),
        }
    }
}

/// By the answers of the check: later ones have two more arguments, which are of no use to the login of 2013.
fn checked(arguments: &[String], qq: QqNumber) -> Result<Check, Trouble> {
    let argument = |at: usize| arguments.get(at).map_or("", String::as_str);
    let salt = salt(argument(2)).unwrap_or(qq.0.to_be_bytes());
    let word = argument(1).to_owned();
    match argument(0) {
        "0" if !word.is_empty() => Ok(Check::Free { code: word, salt }),
        "1" => Ok(Check::Captcha { name: word, salt }),
        code => Err(Trouble::Refused(refusal(code, argument(1)))),
    }
}

/// The account as the service gave it: eight bytes.
fn salt(text: &str) -> Option<[u8; 8]> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes?.try_into().ok()
}

/// The signature in the login page's script, where there is one.
pub(super) fn login_sig(page: &[u8]) -> Option<String> {
    const BEFORE: &str = "g_login_sig=encodeURIComponent(\"";
    const LONGEST: usize = 512;
    let page = String::from_utf8_lossy(page);
    let (_, behind) = page.split_once(BEFORE)?;
    let (signature, _) = behind.split_once('"')?;
    let fine = !signature.is_empty() && signature.len() <= LONGEST && signature.bytes().all(|b| b.is_ascii_graphic());
    fine.then(|| signature.to_owned())
}

fn random() -> String {
    format!("0.{}", millis())
}

fn unreadable() -> Trouble {
    Trouble::Wire("the QQ server's login gave no readable answer".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qq::webqq::endpoint::Endpoint;
    use crate::qq::webqq::era::Era;
    use crate::qq::webqq::http::Http;

    const QQ: QqNumber = QqNumber(123_456_789);
    const SALT: [u8; 8] = [0, 0, 0, 0, 7, 0x5b, 0xcd, 0x15];

    fn check(body: &str) -> Result<Check, Trouble> {
        checked(&wire::call(body.as_bytes(), "ptui_checkVC").expect("a call"), QQ)
    }

    #[test]
    fn the_checks_answers() {
        let free = Check::Free {
            code: "!PTH".into(),
            salt: SALT,
        };
        for body in [
            r"ptui_checkVC('0','!PTH','\x00\x00\x00\x00\x07\x5b\xcd\x15');",
            r"ptui_checkVC('0','!PTH','\x00\x00\x00\x00\x07\x5b\xcd\x15','abcdef','0');",
            r"ptui_checkVC('0','!PTH','\x00');",
            r"ptui_checkVC('0','!PTH');",
        ] {
            assert_eq!(check(body), Ok(free.clone()), "{body}");
        }
        assert_eq!(
            check(r"ptui_checkVC('1','0123abcd','\x00\x00\x00\x00\x00\x00\x27\x11');"),
            Ok(Check::Captcha {
                name: "0123abcd".into(),
                salt: [0, 0, 0, 0, 0, 0, 0x27, 0x11],
            })
        );
        for body in ["ptui_checkVC()", "ptui_checkVC('0','')", "ptui_checkVC('2','x','y')"] {
            assert!(matches!(check(body), Err(Trouble::Refused(_))), "{body}");
        }
    }

    #[test]
    fn the_logins_codes() {
        rustls::crypto::ring::default_provider().install_default().ok();
        let server = Url::parse("http://127.0.0.1:1").expect("a URL");
        let endpoint = Endpoint::new(server).expect("a server");
        let api = Api::new(Http::new(endpoint, Era::W13).expect("clients"));
        let signed = |body: &str| api.signed(&wire::call(body.as_bytes(), "ptuiCB").expect("a call"));

        let done = signed("ptuiCB('0','0','http://ptlogin4.web2.qq.com/check_sig?a=1','0','登录成功！', 'me');");
        assert!(matches!(done, Ok(Signed::Done(Some(link))) if link.path() == "/check_sig"));
        for link in ["", "http://evil.example/"] {
            let done = signed(&format!("ptuiCB('0','0','{link}','0','登录成功！');"));
            assert_eq!(done, Ok(Signed::Done(None)));
        }
        for frozen in [
            "ptuiCB('0','0','https://aq.qq.com/cn2/unlock','0','','');",
            "ptuiCB('19','0','','0','您的帐号暂时无法登录','');",
        ] {
            assert!(matches!(signed(frozen), Err(Trouble::Person(why)) if why.contains("frozen")));
        }
        for sub in [0, 2] {
            let wrong = signed(&format!("ptuiCB('4','{sub}','','0','您输入的验证码不正确', '');"));
            assert_eq!(wrong, Ok(Signed::WrongCode));
        }
        let of = |code: &str| signed(&format!("ptuiCB('{code}','0','','0','no','');"));
        for code in ["1", "5", "6", "7", "24", "71"] {
            assert!(matches!(of(code), Err(Trouble::Refused(_))), "{code}");
        }
        assert!(matches!(of("8"), Err(Trouble::Wait(_))));
        for (code, word) in [
            ("2", "expired"),
            ("3", "password"),
            ("10005", "QR code"),
            ("77", "code 77"),
        ] {
            assert!(
                matches!(of(code), Err(Trouble::Person(why)) if why.contains(word)),
                "{code}"
            );
        }
    }

    #[test]
    fn the_login_pages_signature() {
        let page = br#"<script>var g_login_sig=encodeURIComponent("ab*C-d_9"),clienterr=1;</script>"#;
        assert_eq!(login_sig(page).as_deref(), Some("ab*C-d_9"));
        for page in [
            "",
            "<html>",
            "var g_login_sig=encodeURIComponent(",
            r#"var g_login_sig=encodeURIComponent("")"#,
        ] {
            assert_eq!(login_sig(page.as_bytes()), None, "{page}");
        }
    }
}
