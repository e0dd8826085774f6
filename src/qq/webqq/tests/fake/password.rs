//! The login page of 2013 as far as a test needs it: it knows one password, and shows captchas when told to.

use std::collections::VecDeque;

use axum::http::{StatusCode, Uri, header};

use super::{Answer, Fake, OWN, cookie};
use crate::qq::webqq::hash;

pub(in super::super) const PASSWORD: &str = "p@ss w0rd";
/// What every captcha shows.
pub(in super::super) const SHOWN: &str = "xk9q";

#[derive(Default)]
pub(in super::super) struct Script {
    /// How many logins still want a captcha.
    pub(in super::super) captchas: usize,
    /// Codes of the next logins, instead of the right ones.
    pub(in super::super) codes: VecDeque<u32>,
    /// Pictures shown so far; the cookie of the last one must come back.
    pictures: usize,
    wanted: bool,
}

pub(super) fn answer(fake: &Fake, path: &str, uri: &Uri, cookies: &str) -> Option<Answer> {
    let pairs = || url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query = |key: &str| {
        pairs()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.into_owned())
            .unwrap_or_default()
    };
    let mut script = fake.script();
    let script = &mut script.password;
    let said = |text: String, cookies: &[&str]| {
        let cookies = cookies.iter().map(|text| cookie(text)).collect();
        Some((StatusCode::OK, cookies, text.into_bytes()))
    };
    match path {
        "/cgi-bin/login" => said(
            r#"<script>var g_login_sig=encodeURIComponent("sig-1");</script>"#.to_owned(),
            &["pt_login_sig=other; Domain=.qq.com; Path=/"],
        ),
        "/check" => {
            assert_eq!(query("uin"), OWN.to_string());
            assert_eq!(query("login_sig"), "sig-1");
            script.wanted = script.captchas > 0;
            let (code, word) = if script.wanted { (1, "0123abcd") } else { (0, "!PTH") };
            let text = format!(r"ptui_checkVC('{code}','{word}','\x00\x00\x00\x00\x07\x5b\xcd\x15');");
            said(text, &["ptvfsession=pv; Domain=.qq.com; Path=/"])
        }
        "/getimage" => {
            assert_eq!(query("uin"), OWN.to_string());
            script.pictures += 1;
            let cookies = vec![
                cookie(&format!("verifysession=v{}; Domain=.qq.com; Path=/", script.pictures)),
                (header::CONTENT_TYPE, "image/jpeg".to_owned()),
            ];
            Some((
                StatusCode::OK,
                cookies,
                [b"\xff\xd8\xff", script.pictures.to_string().as_bytes()].concat(),
            ))
        }
        "/login" => {
            let code = script.codes.pop_front().unwrap_or_else(|| {
                let word = if script.wanted { SHOWN } else { "!PTH" };
                let seen = !script.wanted || cookies.contains(&format!("verifysession=v{}", script.pictures));
                if query("verifycode") != word || !seen {
                    return 4;
                }
                let right = hash::password(PASSWORD, OWN.to_be_bytes(), word);
                if query("p") == right && query("login_sig") == "sig-1" {
                    0
                } else {
                    3
                }
            });
            if code != 0 {
                return said(format!("ptuiCB('{code}','0','','0','不行', '');\r\n"), &[]);
            }
            script.captchas = script.captchas.saturating_sub(1);
            let link = "http://ptlogin4.web2.qq.com/check_sig?ptsigx=secret";
            said(
                format!("ptuiCB('0','0','{link}','0','登录成功！', 'me');"),
                &[
                    "skey=@abc; Domain=.qq.com; Path=/",
                    "ptwebqq=old; Domain=.qq.com; Path=/",
                ],
            )
        }
        _ => None,
    }
}
