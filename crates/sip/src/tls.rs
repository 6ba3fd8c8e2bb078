//! SIP over TLS: connections that we open to trunks, and those that trunks open to us.
//!
//! The library knows one set of authorities for all connections, and none by default; what it opens by itself therefore fails. Connections
//! are opened and taken here instead and handed to it. Each trunk has authorities of its own, and its certificate has to be for the host
//! that the settings name, by the rules of RFC 5922. Invariant: nothing is sent to a trunk over TLS before its certificate was found good.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::tls::TlsConnection;
use rsipstack::transport::{SipAddr, SipConnection};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::sync::CancellationToken;

use crate::gate::Gate;
use crate::settings::{Authorities, Secure, Trunk};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How many handshakes of others are under way at once; more wait at the socket.
const HANDSHAKES: usize = 64;

/// How often it is looked whether our certificate was renewed.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The connection with one trunk that is used for everything that we send to it.
#[derive(Default)]
pub(crate) struct Line(Mutex<Option<(SocketAddr, CancellationToken)>>);

impl Line {
    /// Sees to it that there is a connection with this address of the trunk. Whoever comes meanwhile waits for the same one.
    pub(crate) async fn open(
        &self,
        trunk: &Trunk,
        to: SocketAddr,
        endpoint: &EndpointInnerRef,
        close: &CancellationToken,
    ) -> Result<(), String> {
        let mut open = self.0.lock().await;
        if open.as_ref().is_some_and(|(there, ended)| *there == to && !ended.is_cancelled()) {
            return Ok(());
        }
        // The library cancels it when the connection has ended.
        let token = close.child_token();
        let remote = SipAddr { r#type: Some(rsipstack::sip::Transport::Tls), addr: to.into() };
        let connecting = timeout(HANDSHAKE, connect(trunk, to));
        let stream = connecting.await.map_err(|_| "it does not take connections".to_owned())??;
        let connection = TlsConnection::from_client_stream(stream, remote, Some(token.clone())).await;
        let connection = connection.map_err(|_| "its connection ended at once".to_owned())?;
        endpoint.transport_layer.add_connection(SipConnection::Tls(connection));
        *open = Some((to, token));
        Ok(())
    }
}

async fn connect(
    trunk: &Trunk,
    to: SocketAddr,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, String> {
    let name = ServerName::try_from(trunk.host.clone()).map_err(|_| "its host is no name".to_owned())?;
    let config = client(trunk).await?;
    let stream = TcpStream::connect(to).await.map_err(|_| "it does not take connections".to_owned())?;
    // Signalling is small messages that somebody waits for. Where this cannot be said, they are a little slower.
    let _ = stream.set_nodelay(true);
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    connected.map_err(|error| told(&error, &trunk.host))
}

/// How we speak with this trunk.
async fn client(trunk: &Trunk) -> Result<ClientConfig, String> {
    let authorities = trunk.authorities.clone();
    // It reads files.
    let roots = spawn_blocking(move || roots(&authorities)).await;
    let roots = roots.map_err(|_| "its authorities could not be read".to_owned())??;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = OfTrunk {
        roots,
        host: trunk.host.clone(),
        takes_wildcards: trunk.takes_wildcards,
        algorithms: provider.signature_verification_algorithms,
    };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|_| "TLS is not available".to_owned())?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// Whom a trunk's certificate may be from.
fn roots(authorities: &Authorities) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Authorities::System => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("this system knows no authorities (Debian: install `ca-certificates`)".to_owned());
            }
        }
        Authorities::File(file) => {
            let unread = |what: &dyn std::fmt::Display| {
                format!("the authorities in {} cannot be read: {what}", file.display())
            };
            let found = certificates(file).map_err(|error| unread(&error))?;
            for certificate in found {
                roots.add(certificate).map_err(|error| unread(&error))?;
            }
        }
    }
    Ok(roots)
}

/// What went wrong with a handshake, in words for an operator.
fn told(error: &io::Error, host: &str) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(reason)) => match reason {
            CertificateError::NotValidForName => format!("its certificate is not for {host}"),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet; the clock of one of both is wrong".to_owned()
            }
            // Somebody of the same name may have signed it.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "its certificate is from nobody who is trusted".to_owned()
            }
            other => format!("its certificate is not good: {other}"),
        },
        Some(rustls::Error::AlertReceived(alert)) => format!("it refused the handshake of TLS ({alert:?})"),
        Some(_) => "what answers there does not speak TLS as we do".to_owned(),
        None => "the connection ended during the handshake of TLS".to_owned(),
    }
}

/// The rules for the certificate of a trunk: from one of its authorities, and for its host.
#[derive(Debug)]
struct OfTrunk {
    roots: RootCertStore,
    host: String,
    takes_wildcards: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for OfTrunk {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
        if is_for(certificate, &self.host, self.takes_wildcards) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::NotValidForName.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether a certificate is for this host. RFC 5922 section 7.1: SIP addresses in it name whom it is for; only if there is none, its DNS
/// names do. Section 7.2: names are compared whole, and an asterisk stands for nothing, unless the trunk is known to need that.
fn is_for(certificate: &CertificateDer<'_>, host: &str, takes_wildcards: bool) -> bool {
    let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else { return false };
    if let Ok(address) = host.parse::<IpAddr>() {
        return parsed.verify_is_valid_for_subject_name(&ServerName::from(address)).is_ok();
    }
    let mut sip_names = parsed.valid_uri_names().filter_map(domain_of).peekable();
    if sip_names.peek().is_some() {
        return sip_names.any(|name| name.eq_ignore_ascii_case(host));
    }
    parsed.valid_dns_names().any(|name| {
        name.eq_ignore_ascii_case(host)
            || (takes_wildcards
                && matches!(
                    (name.strip_prefix("*."), host.split_once('.')),
                    (Some(rest), Some((_, domain))) if rest.eq_ignore_ascii_case(domain)
                ))
    })
}

/// The domain that a SIP address names as a whole: one with a user is not for the domain.
fn domain_of(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let domain = rest.split([';', '?']).next()?;
    (scheme.eq_ignore_ascii_case("sip") && !domain.contains('@')).then_some(domain)
}

/// Takes connections from trunks.
pub(crate) struct Listener {
    secure: Secure,
    socket: TcpListener,
    acceptor: TlsAcceptor,
    /// What the files held from which the acceptor was made.
    files: (Vec<u8>, Vec<u8>),
}

/// Why nobody can connect with us over TLS.
#[derive(Debug)]
pub(crate) enum ListenError {
    Address(io::Error),
    Certificate(String),
}

impl Listener {
    pub(crate) async fn open(secure: Secure) -> Result<Self, ListenError> {
        let files = read(&secure).map_err(ListenError::Certificate)?;
        let acceptor = acceptor(&secure, &files).map_err(ListenError::Certificate)?;
        let socket = TcpListener::bind(secure.listen).await.map_err(ListenError::Address)?;
        Ok(Self { secure, socket, acceptor, files })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes connections until the user agent stops. A certificate that was renewed is used for those that come afterwards.
    pub(crate) async fn serve(
        mut self,
        gate: Arc<Gate>,
        endpoint: EndpointInnerRef,
        close: CancellationToken,
    ) {
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let accepted = tokio::select! {
                () = close.cancelled() => return,
                _ = look.tick() => {
                    self.renew();
                    continue;
                }
                accepted = self.socket.accept() => accepted,
            };
            let (stream, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection of a trunk could not be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            #[expect(
                clippy::disallowed_methods,
                reason = "the gate counts what comes per second of a real clock"
            )]
            let admitted = gate.admits(from.ip(), Instant::now());
            let Some(permit) = admitted.then(|| Arc::clone(&handshakes).try_acquire_owned().ok()).flatten()
            else {
                continue;
            };
            let (acceptor, endpoint, close) =
                (self.acceptor.clone(), Arc::clone(&endpoint), close.child_token());
            let local =
                SipAddr { r#type: Some(rsipstack::sip::Transport::Tls), addr: self.secure.listen.into() };
            tokio::spawn(async move {
                let _permit = permit;
                let remote = SipAddr { r#type: Some(rsipstack::sip::Transport::Tls), addr: from.into() };
                let _ = stream.set_nodelay(true);
                let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await else {
                    return tracing::debug!("a handshake of TLS with a trunk failed");
                };
                if let Ok(connection) =
                    TlsConnection::from_server_stream(stream, local, remote, Some(close)).await
                {
                    endpoint.transport_layer.add_connection(SipConnection::Tls(connection));
                }
            });
        }
    }

    fn renew(&mut self) {
        let renewed = match read(&self.secure) {
            Ok(files) if files == self.files => return,
            Ok(files) => acceptor(&self.secure, &files).map(|acceptor| (acceptor, files)),
            Err(reason) => Err(reason),
        };
        match renewed {
            Ok((acceptor, files)) => {
                (self.acceptor, self.files) = (acceptor, files);
                tracing::info!("the certificate for trunks was renewed");
            }
            // Both files may be in the middle of their renewal.
            Err(reason) => tracing::warn!(reason, "the certificate for trunks stays as it was"),
        }
    }
}

/// Whether trunks could connect with us by this certificate; if not, why.
pub fn check_certificate(secure: &Secure) -> Result<(), String> {
    read(secure).and_then(|files| acceptor(secure, &files)).map(drop)
}

fn read(secure: &Secure) -> Result<(Vec<u8>, Vec<u8>), String> {
    let read = |file: &Path| {
        std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
    };
    Ok((read(&secure.certificate)?, read(&secure.key)?))
}

fn acceptor(secure: &Secure, (certificates, key): &(Vec<u8>, Vec<u8>)) -> Result<TlsAcceptor, String> {
    let wrong = |file: &Path, what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| wrong(&secure.certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(&secure.certificate, &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong(&secure.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    Ok(TlsAcceptor::from(Arc::new(config.map_err(|error| wrong(&secure.certificate, &error))?)))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    let found = CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() { Err(rustls::pki_types::pem::Error::NoItemsFound) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn certificate(names: Vec<SanType>) -> CertificateDer<'static> {
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = names;
        let key = KeyPair::generate().expect("a key");
        parameters.self_signed(&key).expect("a certificate").into()
    }

    fn text(text: &str) -> Ia5String {
        text.try_into().expect("plain letters")
    }

    #[test]
    fn a_certificate_is_for_the_domain_that_it_names_whole() {
        let dns = |name: &str| certificate(vec![SanType::DnsName(text(name))]);
        let uri =
            |uri: &str| certificate(vec![SanType::URI(text(uri)), SanType::DnsName(text("sip.example.com"))]);
        let host = "sip.example.com";
        for (certificate, expected) in [
            (dns("sip.example.com"), true),
            (dns("SIP.Example.com"), true),
            (dns("example.com"), false),
            (dns("a.sip.example.com"), false),
            (dns("*.example.com"), false),
            (uri("sip:sip.example.com"), true),
            (uri("SIP:sip.example.com;transport=tls"), true),
            (uri("sip:example.com"), false),
            // No address of a domain as a whole, so that the DNS name counts.
            (uri("sip:kai@sip.example.org"), true),
            (uri("https://sip.example.org/"), true),
        ] {
            assert_eq!(is_for(&certificate, host, false), expected, "{certificate:?}");
        }
    }

    #[test]
    fn an_asterisk_stands_for_one_label_where_a_trunk_needs_that() {
        let wild = certificate(vec![SanType::DnsName(text("*.example.com"))]);
        assert!(is_for(&wild, "sip.example.com", true));
        for other in ["example.com", "a.sip.example.com", "sip.example.org"] {
            assert!(!is_for(&wild, other, true), "{other}");
        }
    }

    #[test]
    fn a_host_that_is_an_address_has_to_be_named_as_one() {
        let local = "192.0.2.7".parse().expect("an address");
        let named = certificate(vec![SanType::IpAddress(local), SanType::DnsName(text("pbx.example.com"))]);
        assert!(is_for(&named, "192.0.2.7", false) && is_for(&named, "pbx.example.com", false));
        assert!(!is_for(&named, "192.0.2.8", false));
    }
}
