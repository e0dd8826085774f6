//! Where the historic hosts are to be found. The only place that builds their URLs.
//!
//! `server` of the account replaces scheme, address and port of every URL; host names (and with them Host, Referer, Origin and
//! cookie domains) stay historic. The address is replaced by name resolution, see [`super::http`].

use thiserror::Error;
use url::Url;

/// The login page's host.
pub(super) const LOGIN_PAGE: &str = "ui.ptlogin2.qq.com";
/// The login's own calls.
pub(super) const PTLOGIN: &str = "ssl.ptlogin2.qq.com";
/// Lists and people.
pub(super) const LISTS: &str = "s.web2.qq.com";
/// The pictures that a person has to read.
pub(super) const CAPTCHA: &str = "ssl.captcha.qq.com";
/// Where the page of 2013 beat its heart.
pub(super) const HEARTBEAT: &str = "web.qq.com";

/// `server` of an account.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    server: Url,
}

/// Why an address handed out by the service is not followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Refused {
    /// The service sends people there whose account it froze.
    #[error("the account is frozen, unlock it with the phone at aq.qq.com")]
    Frozen,
    /// Not one of the service's hosts.
    #[error("the service handed out an address of a foreign host")]
    Foreign,
    /// No URL of the web.
    #[error("the service handed out something that is no address")]
    Malformed,
}

impl Endpoint {
    /// `server` is `http` or `https` with a host.
    pub(super) fn new(server: Url) -> anyhow::Result<Self> {
        anyhow::ensure!(
            matches!(server.scheme(), "http" | "https") && server.has_host(),
            "the account's server must be an http or https address"
        );
        Ok(Self { server })
    }

    /// Name (without brackets) and port behind which all the historic hosts are.
    pub(super) fn address(&self) -> (String, u16) {
        let host = self.server.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (host.to_owned(), self.server.port_or_known_default().unwrap_or(80))
    }

    /// `http` or `https`.
    pub(super) fn scheme(&self) -> &str {
        self.server.scheme()
    }

    /// The URL of `path` (with its query) at a historic host.
    pub(super) fn url(&self, host: &str, path: &str) -> Url {
        let url = format!("{}://{host}{path}", self.scheme());
        Url::parse(&url).expect("hosts and paths are constants of ours")
    }

    /// An address that the service handed out (`ptuiCB`, `Location`), made reachable. `base` is where a relative one began.
    pub(super) fn adopt(&self, address: &str, base: Option<&Url>) -> Result<Url, Refused> {
        let parsed = match base {
            Some(base) => base.join(address),
            None => Url::parse(address),
        };
        let mut url = parsed.map_err(|_| Refused::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Malformed);
        }
        let host = url.domain().ok_or(Refused::Foreign)?.trim_end_matches('.').to_owned();
        if host == "aq.qq.com" || host.ends_with(".aq.qq.com") {
            return Err(Refused::Frozen);
        }
        if !host.ends_with(".qq.com") && !host.ends_with(".qpic.cn") {
            return Err(Refused::Foreign);
        }
        let rebuilt = url
            .set_scheme(self.scheme())
            .and_then(|()| url.set_port(None))
            .and_then(|()| url.set_username(""))
            .and_then(|()| url.set_password(None));
        rebuilt.map_err(|()| Refused::Malformed)?;
        url.set_host(Some(&host)).map_err(|_| Refused::Malformed)?;
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qq::webqq::era::Era;

    fn endpoint(server: &str) -> Endpoint {
        Endpoint::new(Url::parse(server).expect("a URL")).expect("a server")
    }

    #[test]
    fn urls_keep_the_historic_host() {
        let endpoint = endpoint("http://127.0.0.1:8600");
        assert_eq!(
            endpoint.url(Era::S15.channel(), "/channel/poll2").as_str(),
            "http://d1.web2.qq.com/channel/poll2"
        );
        assert_eq!(endpoint.address(), ("127.0.0.1".to_owned(), 8600));
        assert_eq!(self::endpoint("https://[::1]").address(), ("::1".to_owned(), 443));
    }

    #[test]
    fn only_the_services_addresses_are_adopted() {
        let endpoint = endpoint("http://127.0.0.1:8600");
        for (address, adopted) in [
            (
                "https://ptlogin4.web2.qq.com:1443/check_sig?a=1&b=%2F",
                Ok("http://ptlogin4.web2.qq.com/check_sig?a=1&b=%2F"),
            ),
            ("http://u:p@gchat.qpic.cn/x", Ok("http://gchat.qpic.cn/x")),
            ("http://W.QQ.com./proxy.html", Ok("http://w.qq.com/proxy.html")),
            ("https://aq.qq.com/cn2/x", Err(Refused::Frozen)),
            ("https://m.aq.qq.com/", Err(Refused::Frozen)),
            ("http://evilqq.com/", Err(Refused::Foreign)),
            ("http://d1.web2.qq.com.evil.example/", Err(Refused::Foreign)),
            ("http://evil.example/?.qq.com", Err(Refused::Foreign)),
            ("http://evil.example#.qq.com", Err(Refused::Foreign)),
            ("http://w.qq.com@evil.example/", Err(Refused::Foreign)),
            ("http://169.254.169.254/", Err(Refused::Foreign)),
            ("http://[::1]/", Err(Refused::Foreign)),
            ("file:///etc/passwd", Err(Refused::Malformed)),
            ("javascript:alert(1)", Err(Refused::Malformed)),
            ("/relative", Err(Refused::Malformed)),
            ("", Err(Refused::Malformed)),
        ] {
            let got = endpoint.adopt(address, None);
            assert_eq!(got.as_ref().map(Url::as_str), adopted.as_ref().copied(), "{address}");
        }
    }

    #[test]
    fn relative_locations_stay_at_their_host() {
        let endpoint = endpoint("http://127.0.0.1:8600");
        let base = endpoint.url("ptlogin4.web2.qq.com", "/check_sig?x=1");
        let next = endpoint.adopt("/next?y=2", Some(&base)).expect("an address");
        assert_eq!(next.as_str(), "http://ptlogin4.web2.qq.com/next?y=2");
        assert_eq!(endpoint.adopt("//evil.example/", Some(&base)), Err(Refused::Foreign));
    }
}
