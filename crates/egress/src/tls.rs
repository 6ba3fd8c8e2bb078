//! TLS as every request of ours speaks it: rustls with ring, and the authorities that the system trusts.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Installs the cryptography that TLS uses. Harmless to repeat.
pub fn install_crypto() {
    // An error only says that somebody was faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Trusts whom the system trusts. A system without any authority is told about it once, and every handshake fails: a server
/// that sends no webhooks and asks no remote model works without.
pub(crate) fn trusting_the_system() -> ClientConfig {
    install_crypto();
    match ClientConfig::builder().with_platform_verifier() {
        Ok(builder) => builder.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "No certificate authorities found, so https will fail; install `ca-certificates`");
            trusting(RootCertStore::empty())
        }
    }
}

/// Trusts one authority and no other.
pub(crate) fn trusting_only(authority: CertificateDer<'static>) -> Result<ClientConfig, rustls::Error> {
    install_crypto();
    let mut roots = RootCertStore::empty();
    roots.add(authority)?;
    Ok(trusting(roots))
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder().with_root_certificates(Arc::new(roots)).with_no_client_auth()
}
