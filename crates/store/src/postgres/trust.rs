//! Whom to believe that it is the database's server.
//!
//! `sslmode=require` keeps listeners out and asks nothing about the other side; `verify-ca` asks who vouches for it; `verify-full` asks also
//! for the name in the URL.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier as SystemVerifier;

use crate::OpenError;

/// Who may vouch for a server.
pub(super) enum Authorities {
    Named(RootCertStore),
    OfTheSystem,
}

/// Believes every server that holds the key of the certificate it shows.
#[derive(Debug)]
pub(super) struct Unchecked(WebPkiSupportedAlgorithms);

impl Unchecked {
    pub(super) fn new(provider: &CryptoProvider) -> Self {
        Self(provider.signature_verification_algorithms)
    }
}

/// Believes servers for which an authority vouches.
#[derive(Debug)]
pub(super) struct Checked {
    by: By,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum By {
    /// Authority and name.
    Name(Arc<dyn ServerCertVerifier>),
    /// The authority alone, of a list.
    Authority(RootCertStore),
    /// The authority alone, as the system judges.
    System(Arc<dyn ServerCertVerifier>),
}

impl Checked {
    /// The certificate must be made out to the name in the URL.
    pub(super) fn by_name(from: Authorities, provider: &Arc<CryptoProvider>) -> Result<Self, OpenError> {
        let by: Arc<dyn ServerCertVerifier> = match from {
            Authorities::OfTheSystem => system(provider)?,
            Authorities::Named(roots) => {
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                    .build()
                    .map_err(|error| OpenError::Tls(error.to_string()))?
            }
        };
        Ok(Self { by: By::Name(by), algorithms: provider.signature_verification_algorithms })
    }

    /// The certificate may be made out to any name.
    pub(super) fn of_any_name(from: Authorities, provider: &Arc<CryptoProvider>) -> Result<Self, OpenError> {
        let by = match from {
            Authorities::OfTheSystem => By::System(system(provider)?),
            Authorities::Named(roots) => By::Authority(roots),
        };
        Ok(Self { by, algorithms: provider.signature_verification_algorithms })
    }
}

fn system(provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, OpenError> {
    let missing = |error: Error| {
        OpenError::Tls(format!("this system has no list of authorities ({error}); name one with sslrootcert"))
    };
    Ok(Arc::new(SystemVerifier::new(Arc::clone(provider)).map_err(missing)?))
}

/// The checks of signatures, which both share.
macro_rules! signatures {
    ($algorithms:ident) => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, certificate, signed, &self.$algorithms())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, certificate, signed, &self.$algorithms())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.$algorithms().supported_schemes()
        }
    };
}

impl Unchecked {
    fn algorithms(&self) -> WebPkiSupportedAlgorithms {
        self.0
    }
}

impl Checked {
    fn algorithms(&self) -> WebPkiSupportedAlgorithms {
        self.algorithms
    }
}

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    signatures!(algorithms);
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.by {
            By::Name(verifier) => verifier.verify_server_cert(certificate, intermediates, name, ocsp, now),
            By::Authority(roots) => {
                let parsed = ParsedCertificate::try_from(certificate)?;
                let algorithms = self.algorithms.all;
                verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, algorithms)?;
                Ok(ServerCertVerified::assertion())
            }
            // It looks at the name only after everything else.
            By::System(verifier) => {
                match verifier.verify_server_cert(certificate, intermediates, name, ocsp, now) {
                    Err(Error::InvalidCertificate(
                        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                    )) => Ok(ServerCertVerified::assertion()),
                    judged => judged,
                }
            }
        }
    }

    signatures!(algorithms);
}
