//! The plain HTTP client of the lab, for control interfaces on the loopback. It speaks no TLS and asks no proxy.

use std::time::Duration;

use anyhow::Context as _;

/// A client whose requests end within `limit`.
///
/// `reqwest` is built here without a default TLS provider and would panic; it gets one of its own that trusts nobody, so that
/// the process-wide default stays free for the program under test.
pub fn client(limit: Duration) -> anyhow::Result<reqwest::Client> {
    let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .context("the TLS provider lacks the default versions")?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .timeout(limit)
        .build()
        .context("cannot build the http client")
}
