//! Where the login pages are, and the key that opens them. Serving them is `crate::http`'s.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use rand::RngCore;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::private;
use crate::model::AccountName;

/// The file with the addresses, beside the store.
const FILE: &str = "login-key";
/// Random bytes of a key.
const KEY: usize = 24;

/// The login pages of one run of the gateway. Its `Debug` does not show the key.
#[derive(Debug, Clone)]
pub struct LoginPage {
    base: String,
    key: SecretString,
}

impl LoginPage {
    /// Pages on a listener, with a key that nobody knew before.
    pub fn new(listen: SocketAddr) -> Self {
        let mut key = [0; KEY];
        rand::rng().fill_bytes(&mut key);
        Self {
            base: format!("http://{}", reachable(listen)),
            key: URL_SAFE_NO_PAD.encode(key).into(),
        }
    }

    /// The whole address of an account's page. Whoever has it may log the account in: not for a log.
    pub fn address(&self, account: &AccountName) -> String {
        format!("{}/login/{account}?key={}", self.base, self.key.expose_secret())
    }

    /// Whether this is the key, in a time that does not tell how much of it is right.
    pub fn opens(&self, key: &str) -> bool {
        let digest = |text: &str| {
            let mac = Hmac::<Sha256>::new_from_slice(self.key.expose_secret().as_bytes());
            mac.expect("HMAC takes keys of any length").chain_update(text)
        };
        let right = digest(self.key.expose_secret()).finalize().into_bytes();
        digest(key).verify_slice(&right).is_ok()
    }
}

/// Writes the addresses of all accounts beside the store, one on a line. Without a page the file of an earlier run goes.
pub async fn write_addresses(folder: &Path, page: Option<&LoginPage>, accounts: &[AccountName]) {
    let path = folder.join(FILE);
    let done = match page {
        Some(page) => {
            let mut lines: Vec<String> = accounts.iter().map(|account| page.address(account)).collect();
            lines.push(String::new());
            let lines = lines.join("\n");
            private::write(&path, lines.as_bytes()).await
        }
        None => private::remove(&path).await,
    };
    if let Err(error) = done {
        tracing::error!(%error, "cannot write the addresses of the login pages to {}", path.display());
    }
}

/// Every address of this machine is none that a browser could open; the loopback is one of them.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_run_has_a_key_of_its_own_and_only_the_whole_of_it_opens() {
        let listen: SocketAddr = "0.0.0.0:9680".parse().expect("an address");
        let (page, other) = (LoginPage::new(listen), LoginPage::new(listen));
        let main = AccountName("main".into());
        let address = page.address(&main);
        let key = address
            .strip_prefix("http://127.0.0.1:9680/login/main?key=")
            .expect("the page's address");
        assert!(key.len() >= 32, "{address}");
        assert!(page.opens(key) && !other.opens(key));
        assert!(!page.opens("") && !page.opens(&key[1..]) && !page.opens(&format!("{key}A")));
        assert!(!format!("{page:?}").contains(key));

        let folder = tempfile::tempdir().expect("a folder");
        write_addresses(folder.path(), Some(&page), &[main]).await;
        let written = std::fs::read_to_string(folder.path().join("login-key")).expect("the file");
        assert_eq!(written, format!("{address}\n"));
        write_addresses(folder.path(), None, &[]).await;
        assert!(!folder.path().join("login-key").exists());
    }
}
