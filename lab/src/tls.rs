//! TLS before a program that speaks none: a door with a certificate of its own for `localhost`, that nobody trusts unless told to.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A running door; closed when dropped.
#[derive(Debug)]
pub struct TlsDoor {
    port: u16,
    certificate: PathBuf,
    task: JoinHandle<()>,
}

impl TlsDoor {
    /// Opens a door before `inside`; its certificate is written into `folder`.
    pub async fn open(inside: SocketAddr, folder: &Path) -> anyhow::Result<Self> {
        let own = generate_simple_self_signed(["localhost".to_owned()])?;
        let certificate = folder.join("door.pem");
        std::fs::write(&certificate, own.cert.pem())?;
        let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), inside));
        Ok(Self {
            port,
            certificate,
            task,
        })
    }

    /// Where it listens, under the name that its certificate bears.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The file with its certificate (PEM): who trusts that trusts the door.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }
}

impl Drop for TlsDoor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who does not finish the handshake, or finds nobody inside, is dropped.
async fn serve(listener: TcpListener, tls: TlsAcceptor, inside: SocketAddr) {
    while let Ok((outer, _)) = listener.accept().await {
        let tls = tls.clone();
        tokio::spawn(async move {
            if let (Ok(mut outer), Ok(mut inner)) = tokio::join!(tls.accept(outer), TcpStream::connect(inside)) {
                copy_bidirectional(&mut outer, &mut inner).await.ok();
            }
        });
    }
}
