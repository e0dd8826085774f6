//! A request, read whole and within bounds, and the way it came.
//!
//! A historic host (`*.qq.com`, `*.qpic.cn`) is found in an absolute request line (we are a proxy), in the Host header,
//! or in the first segment of the path; the first that has one counts.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{COOKIE, HOST, REFERER, USER_AGENT};
use axum::http::{HeaderMap, Method, Request as HttpRequest};
use hyper::body::Body as _;
use percent_encoding::percent_decode_str;

use super::Reply;

/// The largest body that is taken.
const LARGEST_BODY: usize = 1024 * 1024;
/// How long a client may take for a body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// A request, with its body.
#[derive(Debug)]
pub(crate) struct Request {
    /// GET, POST, …
    pub(crate) method: Method,
    /// The historic host, in small letters and without port; `None`: the page or the control API is meant.
    pub(crate) host: Option<String>,
    /// The path behind the host, percent-decoded.
    pub(crate) path: String,
    /// The fields of the query.
    pub(crate) query: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Bytes,
    headers: HeaderMap,
    /// Where hosts are path segments: what stands before them (`http://127.0.0.1:8600`).
    base: Option<String>,
}

impl Request {
    /// Reads a request. The error is the answer.
    pub(super) async fn read(request: HttpRequest<Body>) -> Result<Self, Box<Reply>> {
        let (parts, body) = request.into_parts();
        if parts.method == Method::CONNECT {
            let sentence = "tunnels are not served: this port speaks plain HTTP, take http:// addresses";
            return Err(Box::new(Reply::error(501, sentence)));
        }
        let authority = parts
            .headers
            .get(HOST)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let (host, path, base) = way(parts.uri.host(), authority, parts.uri.path());
        let query = parts.uri.query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let too_large = || {
            let sentence = format!("the body broke off or is larger than {LARGEST_BODY} bytes");
            Err(Box::new(Reply::error(413, sentence)))
        };
        if body.size_hint().lower() > LARGEST_BODY as u64 {
            return too_large();
        }
        let body = match tokio::time::timeout(BODY_TIME, to_bytes(body, LARGEST_BODY)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return too_large(),
            Err(_) => return Err(Box::new(Reply::error(408, "the body did not come in time"))),
        };
        let path = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        Ok(Self {
            method: parts.method,
            host,
            path,
            query,
            body,
            headers: parts.headers,
            base,
        })
    }

    /// A field of the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A field of a form body.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(&self.body)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Every value of a cookie, in the order in which they were sent.
    pub(crate) fn cookie(&self, name: &str) -> Vec<&str> {
        let lines = self
            .headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok());
        let pairs = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value.trim_matches('"'))
            .collect()
    }

    /// Whether any cookie was sent.
    pub(crate) fn has_cookies(&self) -> bool {
        self.headers.contains_key(COOKIE)
    }

    /// Whether a User-Agent was sent.
    pub(crate) fn has_user_agent(&self) -> bool {
        self.headers.get(USER_AGENT).is_some_and(|value| !value.is_empty())
    }

    /// Host and path of the Referer, whichever of the ways it was written in.
    pub(crate) fn referer(&self) -> Option<(String, String)> {
        let referer = self.headers.get(REFERER)?.to_str().ok()?;
        let rest = referer
            .strip_prefix("http://")
            .or_else(|| referer.strip_prefix("https://"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, path, _) = way(None, authority, &format!("/{path}"));
        Some((host?, path))
    }

    /// An address on a historic host, in the form in which this client reaches it.
    pub(crate) fn url(&self, host: &str, path_and_query: &str) -> String {
        match &self.base {
            Some(base) => format!("{base}/{host}{path_and_query}"),
            None => format!("http://{host}{path_and_query}"),
        }
    }

    /// A `Set-Cookie` value: of a historic domain, or of this very host where hosts are path segments.
    pub(crate) fn set_cookie(&self, domain: &str, name: &str, value: &str) -> String {
        match &self.base {
            Some(_) => format!("{name}={value}; Path=/"),
            None => format!("{name}={value}; Path=/; Domain={domain}"),
        }
    }
}

/// Host, path and base of a request line, from its absolute form's host, its Host header, and its path.
fn way(absolute: Option<&str>, authority: &str, path: &str) -> (Option<String>, String, Option<String>) {
    if let Some(host) = absolute.and_then(historic).or_else(|| historic(authority)) {
        return (Some(host), path.to_owned(), None);
    }
    let (first, rest) = path.strip_prefix('/').unwrap_or(path).split_once('/').map_or_else(
        || (path.strip_prefix('/').unwrap_or(path), "/".to_owned()),
        |(first, rest)| (first, format!("/{rest}")),
    );
    match historic(first) {
        Some(host) => (Some(host), rest, Some(format!("http://{}", plain_authority(authority)))),
        None => (None, path.to_owned(), None),
    }
}

/// The historic host in an authority: in small letters, without port and final dot.
fn historic(authority: &str) -> Option<String> {
    let host = authority
        .split_once(':')
        .map_or(authority, |(host, _)| host)
        .trim_end_matches('.')
        .to_ascii_lowercase();
    let plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    (plain && (host.ends_with(".qq.com") || host.ends_with(".qpic.cn"))).then_some(host)
}

/// The Host header as far as it may be repeated in an address.
fn plain_authority(authority: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    if !authority.is_empty() && authority.bytes().all(plain) {
        authority
    } else {
        "localhost"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_ways_are_told_apart() {
        let found = |absolute, authority, path| {
            let (host, path, base) = way(absolute, authority, path);
            (host.unwrap_or_default(), path, base.unwrap_or_default())
        };
        let expect = |host: &str, path: &str, base: &str| (host.to_owned(), path.to_owned(), base.to_owned());
        assert_eq!(
            found(None, "D1.web2.QQ.com:8600", "/channel/poll2"),
            expect("d1.web2.qq.com", "/channel/poll2", "")
        );
        assert_eq!(found(Some("w.qq.com"), "w.qq.com", "/"), expect("w.qq.com", "/", ""));
        assert_eq!(
            found(None, "127.0.0.1:8600", "/s.web2.qq.com/api/x"),
            expect("s.web2.qq.com", "/api/x", "http://127.0.0.1:8600")
        );
        assert_eq!(
            found(None, "localhost", "/w.qq.com"),
            expect("w.qq.com", "/", "http://localhost")
        );
        assert_eq!(found(None, "localhost", "/sandbox/log"), expect("", "/sandbox/log", ""));
        assert_eq!(
            found(None, "localhost", "/evil.com.qq.com.example/x"),
            expect("", "/evil.com.qq.com.example/x", "")
        );
    }
}
