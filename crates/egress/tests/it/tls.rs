//! Whom the guarded client believes to be whom.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use egress::{Answer, Client, Exceptions, Limits, Post, Resolve, SendError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Every name is this machine.
struct Here;

#[async_trait]
impl Resolve for Here {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are fine names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// A receiver with a certificate for one host; gives its port.
    async fn receiver_called(&self, host: &str) -> u16 {
        egress::install_crypto();
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("a host name");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key in DER");
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(certificate)], key)
            .expect("key and certificate belong together");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("a bound listener").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut buffer = vec![0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
        });
        port
    }

    fn client(&self, port: u16) -> Client {
        client(port).with_authority(self.0.der()).expect("an authority")
    }
}

/// A client that trusts whom the system trusts.
fn client(port: u16) -> Client {
    let exceptions: Exceptions = format!("127.0.0.1:{port}").parse().expect("an exception");
    Client::new(exceptions, Limits::default()).with_resolver(Arc::new(Here))
}

async fn post(client: &Client, host: &str, port: u16) -> Result<Answer, SendError> {
    let url = format!("https://{host}:{port}/");
    client.post(Post { url: &url, headers: Vec::new(), body: Bytes::new() }).await
}

#[tokio::test]
async fn a_receiver_with_a_valid_certificate_gets_the_request() {
    let authority = Authority::new();
    let port = authority.receiver_called("hooks.example").await;
    let answer = post(&authority.client(port), "hooks.example", port).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(204));
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_believed() {
    let authority = Authority::new();
    let port = authority.receiver_called("hooks.example").await;
    assert_eq!(post(&authority.client(port), "other.example", port).await, Err(SendError::Tls));
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_believed() {
    let authority = Authority::new();
    let port = authority.receiver_called("hooks.example").await;
    assert_eq!(post(&client(port), "hooks.example", port).await, Err(SendError::Tls));
}

#[test]
fn what_is_no_certificate_cannot_be_trusted() {
    assert!(Client::new(Exceptions::none(), Limits::default()).with_authority(b"nonsense").is_err());
}
