//! The upgrade of a connection that came in: headers and token are judged before it, and it is answered at once: `NapCat` waits
//! two seconds for it.

use std::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use url::form_urlencoded;

use super::refused::Refused;
use super::{Account, Role, choose};
use crate::model::QqNumber;
use crate::qq::onebot::socket::{Socket, limits};

/// From the connection to the upgrade: who is slower than `NapCat`'s own limit is none of them.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection with a right token.
pub(super) struct Admitted {
    pub(super) role: Role,
    pub(super) socket: Socket,
    /// The ids of the accounts it may be; several when it does not say its number.
    pub(super) whose: Vec<u64>,
}

/// What is wrong with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    NoToken,
    WrongToken,
    NoAccount,
}

/// Judges and upgrades.
#[expect(clippy::result_large_err, reason = "the WebSocket crate wants the response by value")]
pub(super) async fn admit(stream: TcpStream, accounts: &[Account], ping_every: Duration) -> Result<Admitted, String> {
    stream.set_nodelay(true).ok();
    let mut judged = None;
    let callback = |request: &Request, response: Response| {
        let result = judge(request.headers(), request.uri().query().unwrap_or_default(), accounts);
        match result {
            Ok(found) => {
                judged = Some(found);
                Ok(response)
            }
            Err(refusal) => Err(answer(refusal)),
        }
    };
    let upgrade = accept_hdr_async_with_config(stream, callback, Some(limits()));
    let ws = match timeout(PATIENCE, upgrade).await {
        Ok(Ok(ws)) => ws,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("the handshake took too long".to_owned()),
    };
    let (role, whose) = judged.ok_or("the handshake had no request")?;
    Ok(Admitted {
        role,
        socket: Socket::start(ws, ping_every),
        whose,
    })
}

fn judge(headers: &HeaderMap, query: &str, accounts: &[Account]) -> Result<(Role, Vec<u64>), Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let own = header("x-self-id")
        .and_then(|text| text.parse().ok())
        .filter(|n| *n > 0);
    let own = own.map(QqNumber);
    let role = match header("x-client-role").map(str::to_ascii_lowercase).as_deref() {
        Some("api") => Role::Api,
        Some("event") => Role::Event,
        _ => Role::Universal,
    };
    let all: Vec<&Account> = accounts.iter().collect();
    let meant = own.map_or_else(|| all.clone(), |own| choose(&all, own));
    if all.is_empty() {
        return Err(Refusal::NoAccount);
    }
    // Who is nobody's account here may belong to any of them.
    let may_be = if meant.is_empty() { &all } else { &meant };
    let token = given(header(AUTHORIZATION.as_str()), query);
    let mut proven = may_be.clone();
    proven.retain(|account| match &account.token {
        None => true,
        Some(expected) => token.as_deref().is_some_and(|given| same(given, expected.expose())),
    });
    if proven.is_empty() {
        for account in may_be {
            account.refused.send_modify(Refused::token);
        }
        return Err(if token.is_some() {
            Refusal::WrongToken
        } else {
            Refusal::NoToken
        });
    }
    if let (true, Some(own)) = (meant.is_empty(), own) {
        for account in proven {
            account.refused.send_modify(|refused| refused.number(own));
        }
        return Err(Refusal::NoAccount);
    }
    Ok((role, proven.iter().map(|account| account.id).collect()))
}

/// The token, by header or query. `NapCat` sends `Bearer ` with nothing behind it when it has none.
fn given(authorization: Option<&str>, query: &str) -> Option<String> {
    let by_header = authorization.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        let known = ["bearer", "token"].iter().any(|s| scheme.eq_ignore_ascii_case(s));
        known.then(|| token.trim().to_owned())
    });
    let by_query = || {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(key, _)| key == "access_token")
            .map(|(_, value)| value.into_owned())
    };
    by_header.filter(|token| !token.is_empty()).or_else(by_query)
}

/// Takes the same time wherever they differ: their digests under a key of the moment are compared.
fn same(given: &str, expected: &str) -> bool {
    let key: [u8; 32] = rand::random();
    let digest = |text: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length will do");
        mac.chain_update(text)
    };
    digest(given).verify(&digest(expected).finalize().into_bytes()).is_ok()
}

fn answer(refusal: Refusal) -> ErrorResponse {
    let (status, text) = match refusal {
        Refusal::NoToken => (StatusCode::UNAUTHORIZED, "an access token is needed"),
        Refusal::WrongToken => (StatusCode::FORBIDDEN, "the access token is wrong"),
        Refusal::NoAccount => (StatusCode::FORBIDDEN, "no account with this X-Self-ID is configured"),
    };
    let mut response = ErrorResponse::new(Some(text.to_owned()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use tokio::sync::{mpsc, watch};
    use tokio_tungstenite::tungstenite::http::HeaderValue;

    use super::*;
    use crate::config::Secret;

    fn account(id: u64, qq: Option<u64>, token: Option<&str>) -> Account {
        Account {
            id,
            qq: qq.map(QqNumber),
            token: token.map(Secret::new),
            arrivals: mpsc::channel(1).0,
            refused: watch::channel(Refused::default()).0,
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_str(value).expect("a header");
            ((*name).parse().expect("a name"), value)
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_token_comes_in_three_ways() {
        let one = [account(1, None, Some("s3"))];
        let judged = |pairs: &[(&'static str, &str)], query: &str| judge(&headers(pairs), query, &one);
        let universal = Ok((Role::Universal, vec![1]));
        assert_eq!(judged(&[("authorization", "Bearer s3")], ""), universal);
        assert_eq!(judged(&[("Authorization", "token s3")], ""), universal);
        assert_eq!(
            judged(&[("authorization", "Bearer ")], "a=b&access_token=s3"),
            universal
        );
        assert_eq!(judged(&[("authorization", "Bearer ")], ""), Err(Refusal::NoToken));
        assert_eq!(judged(&[("authorization", "Bearer s3x")], ""), Err(Refusal::WrongToken));
        assert_eq!(judged(&[], "access_token=s"), Err(Refusal::WrongToken));
        assert!(one[0].refused.borrow().why(None).is_some());
    }

    #[test]
    fn accounts_are_told_apart_by_their_number() {
        let two = [account(1, Some(10), None), account(2, Some(20), None)];
        let judged = |pairs: &[(&'static str, &str)]| judge(&headers(pairs), "", &two);
        let event = [("x-self-id", "20"), ("x-client-role", "EVENT")];
        assert_eq!(judged(&event), Ok((Role::Event, vec![2])));
        assert_eq!(judged(&[("X-Self-ID", "30")]), Err(Refusal::NoAccount));
        assert_eq!(judged(&[]), Ok((Role::Universal, vec![1, 2])));
    }

    #[test]
    fn whoever_has_the_token_is_told_that_the_number_is_wrong() {
        let two = [account(1, Some(10), Some("s3")), account(2, Some(20), Some("s4"))];
        let judged = |token: &str| {
            let pairs = [("x-self-id", "30"), ("authorization", token)];
            judge(&headers(&pairs), "", &two)
        };
        let told = |n: usize| two[n].refused.borrow().why(two[n].qq).unwrap_or_default();
        assert_eq!(judged("Bearer x"), Err(Refusal::WrongToken));
        assert!(
            told(0).contains("access token") && !told(1).contains("30"),
            "{}",
            told(0)
        );
        two[1].refused.send_replace(Refused::default());
        assert_eq!(judged("Bearer s4"), Err(Refusal::NoAccount));
        assert!(!told(0).contains("30"), "{}", told(0));
        assert!(told(1).starts_with("QQ 30 connected"), "{}", told(1));
    }
}
