//! What differs between the two ages of the web protocol: hosts, pages, names of the application. Pure; the calls that differ in
//! more than a word stand with their likes in [`super::api`] and [`super::login`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Login;

/// Which age of the protocol an account speaks. Its way to log in says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Era {
    /// `WebQQ` of 2013: login by password.
    W13,
    /// `SmartQQ`, 2015 to 2018: login by QR code.
    #[default]
    S15,
}

/// `SmartQQ`'s page always called itself so.
const SMARTQQ_CLIENT: u64 = 53_999_199;

impl Era {
    /// The age in which accounts logged in so.
    pub(super) fn of(login: &Login) -> Self {
        match login {
            Login::Qr => Self::S15,
            Login::Password { .. } => Self::W13,
        }
    }

    /// At least so long between two messages of an account: quicker clients lost messages, or the account.
    pub(super) const fn send_every(self) -> Duration {
        match self {
            Self::W13 => Duration::from_secs(1),
            Self::S15 => Duration::from_secs(3),
        }
    }

    /// The host of login2, poll and sends.
    pub(super) fn channel(self) -> &'static str {
        match self {
            Self::W13 => "d.web2.qq.com",
            Self::S15 => "d1.web2.qq.com",
        }
    }

    /// The proxy page of the channel's host, which its calls claim to come from.
    pub(super) fn channel_page(self) -> &'static str {
        match self {
            Self::W13 => "/proxy.html?v=20110331002&callback=1&id=2",
            Self::S15 => "/proxy.html?v=20151105001&callback=1&id=2",
        }
    }

    /// The proxy page of the lists' host.
    pub(super) fn lists_page(self) -> &'static str {
        match self {
            Self::W13 => "/proxy.html?v=20110412001&callback=1&id=1",
            Self::S15 => "/proxy.html?v=20130916001&callback=1&id=1",
        }
    }

    /// The login page of the time, which login calls claim to come from.
    pub(super) fn login_page(self) -> &'static str {
        match self {
            Self::W13 => {
                "https://ui.ptlogin2.qq.com/cgi-bin/login?daid=164&target=self&style=5&mibao_css=m_webqq&appid=1003903&enable_qlogin=0&no_verifyimg=1&s_url=http%3A%2F%2Fweb2.qq.com%2Floginproxy.html&f_url=loginerroralert&strong_login=1&login_state=10&t=20130723001"
            }
            Self::S15 => {
                "https://ui.ptlogin2.qq.com/cgi-bin/login?daid=164&target=self&style=16&mibao_css=m_webqq&appid=501004106&enable_qlogin=0&no_verifyimg=1&s_url=http%3A%2F%2Fw.qq.com%2Fproxy.html&f_url=loginerroralert&strong_login=1&login_state=10&t=20131024001"
            }
        }
    }

    /// The application's number at the login.
    pub(super) fn app(self) -> &'static str {
        match self {
            Self::W13 => "1003903",
            Self::S15 => "501004106",
        }
    }

    /// What a client calls itself for one login: of 2013 eight digits, each another.
    pub(super) fn client(self) -> u64 {
        match self {
            Self::W13 => rand::random_range(10_000_000..100_000_000),
            Self::S15 => SMARTQQ_CLIENT,
        }
    }

    /// Whether pictures are told: a message that came without any content was a big moving face then; `SmartQQ` withheld pictures
    /// so.
    pub(super) const fn tells_pictures(self) -> bool {
        matches!(self, Self::W13)
    }
}
