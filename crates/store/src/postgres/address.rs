//! Where a PostgreSQL server is, and how connections to it are made: with or without TLS, and whom to believe.
//!
//! The URL says it in libpq's words, so that one that works for `psql` works here: `sslmode`, `sslrootcert`, `sslcert` and `sslkey`. The
//! driver knows only part of them; the rest is read here and taken out before it sees the URL.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::trust::{Authorities, Checked, Unchecked};
use crate::{OpenError, StoreError};

/// How long a server may take to answer a new connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same stream that the pool's connections use.
type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// A server, and how connections to it are made. Cheap to clone.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    demand: Demand,
}

/// What the URL demands of TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Demand {
    mode: Mode,
    /// A file with the authorities to believe, instead of those of the system.
    root: Option<String>,
    /// A file with our own certificate, and one with its key.
    own: Option<(String, String)>,
}

/// How much of TLS is wanted, in libpq's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    Disable,
    #[default]
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    fn read(text: &str) -> Result<Self, OpenError> {
        Ok(match text {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            other => {
                let expected = "expected `disable`, `prefer`, `require`, `verify-ca` or `verify-full`";
                return Err(OpenError::Tls(format!("sslmode: {expected}, found `{other}`")));
            }
        })
    }

    /// What the driver is told. It asks for TLS or not; whom to believe is decided by the [`ClientConfig`].
    fn for_driver(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => SslMode::Require,
        }
    }
}

impl Address {
    /// Reads a URL, and the files that it names.
    pub(super) fn read(url: &str) -> Result<Self, OpenError> {
        let (url, demand) = Demand::take(url)?;
        let bad_url = |error: tokio_postgres::Error| OpenError::BadUrl(error.to_string());
        let mut config: Config = url.parse().map_err(bad_url)?;
        config.application_name("kaicalls");
        config.connect_timeout(PATIENCE);
        config.ssl_mode(demand.mode.for_driver());
        let tls = MakeRustlsConnect::new(demand.client_config()?);
        Ok(Self { config, tls, demand })
    }

    /// A connection outside the pool.
    pub(super) async fn connect(
        &self,
    ) -> Result<(Client, Connection<Socket, Stream>), tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }

    /// Puts a failed first connection into words on which an operator can act.
    pub(super) fn explain(&self, error: tokio_postgres::Error) -> OpenError {
        self.trouble(&error).map_or_else(|| StoreError::from(error).into(), OpenError::Tls)
    }

    fn trouble(&self, error: &tokio_postgres::Error) -> Option<String> {
        let source = error.source()?;
        if source.to_string() == "server does not support TLS" {
            return Some("the server offers none; `sslmode=prefer` goes on without".to_owned());
        }
        let refused = source.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()?;
        let rustls::Error::InvalidCertificate(why) = refused else {
            return Some(format!("the server and we do not agree ({refused})"));
        };
        Some(match why {
            // The second one: an authority of the right name, but another one.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => match &self.demand.root {
                Some(file) => {
                    format!(
                        "the server's certificate is from no authority in {file}, which sslrootcert names"
                    )
                }
                None => {
                    "the server's certificate is from no authority that this system trusts; name the file \
                         of the right one with sslrootcert"
                        .to_owned()
                }
            },
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the server's certificate is made out to another name than the URL has; write the name that \
                 it is made out to, or `sslmode=verify-ca`"
                    .to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet; is the clock of this machine right?".to_owned()
            }
            other => format!("the server's certificate is refused ({other:?})"),
        })
    }
}

impl Demand {
    /// Takes libpq's parameters for TLS out of a URL.
    fn take(url: &str) -> Result<(String, Self), OpenError> {
        // A password may hold a question mark.
        let host = url.find('@').unwrap_or(0);
        let Some(at) = url[host..].find('?').map(|at| host + at) else {
            return Ok((url.to_owned(), Self::default()));
        };
        let (mut demand, mut mode, mut rest) = (Self::default(), None, Vec::new());
        let (mut certificate, mut key) = (None, None);
        for parameter in url[at + 1..].split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "sslmode" => mode = Some(Mode::read(&value())?),
                "sslrootcert" => demand.root = Some(value()),
                "sslcert" => certificate = Some(value()),
                "sslkey" => key = Some(value()),
                "sslcrl"
                | "sslcrldir"
                | "sslpassword"
                | "ssl_min_protocol_version"
                | "ssl_max_protocol_version" => {
                    return Err(OpenError::Tls(format!("{name} is not supported")));
                }
                _ => rest.push(parameter),
            }
        }
        demand.own = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(OpenError::Tls("sslcert and sslkey belong together".to_owned())),
        };
        if demand.root.as_deref() == Some("system") {
            demand.root = None;
            // As libpq has it: anybody can have a certificate from a public authority, only not for this name.
            if mode.is_some_and(|mode| mode != Mode::VerifyFull) {
                return Err(OpenError::Tls(
                    "sslrootcert=system goes with sslmode=verify-full only".to_owned(),
                ));
            }
            mode = Some(Mode::VerifyFull);
        }
        demand.mode = match mode.unwrap_or_default() {
            // As libpq has it: whoever names an authority wants it asked.
            Mode::Require if demand.root.is_some() => Mode::VerifyCa,
            mode => mode,
        };
        let url =
            if rest.is_empty() { url[..at].to_owned() } else { format!("{}?{}", &url[..at], rest.join("&")) };
        Ok((url, demand))
    }

    fn client_config(&self) -> Result<ClientConfig, OpenError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match (self.mode, &self.root) {
            (Mode::Disable | Mode::Prefer | Mode::Require, _) => Arc::new(Unchecked::new(&provider)),
            (Mode::VerifyCa, Some(file)) => {
                Arc::new(Checked::of_any_name(Authorities::Named(roots(file)?), &provider)?)
            }
            (Mode::VerifyCa, None) => Arc::new(Checked::of_any_name(Authorities::OfTheSystem, &provider)?),
            (Mode::VerifyFull, Some(file)) => {
                Arc::new(Checked::by_name(Authorities::Named(roots(file)?), &provider)?)
            }
            (Mode::VerifyFull, None) => Arc::new(Checked::by_name(Authorities::OfTheSystem, &provider)?),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| OpenError::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let Some((certificate, key)) = &self.own else { return Ok(builder.with_no_client_auth()) };
        let unreadable = |name: &str, file: &str, why: &dyn std::fmt::Display| {
            OpenError::Tls(format!("{name}: {file} cannot be used: {why}"))
        };
        let chain = certificates("sslcert", certificate)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("sslkey", key, &error))?;
        builder.with_client_auth_cert(chain, key).map_err(|error| unreadable("sslcert", certificate, &error))
    }
}

fn roots(file: &str) -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("sslrootcert", file)? {
        let refused = |error| OpenError::Tls(format!("sslrootcert: {file} cannot be used: {error}"));
        roots.add(certificate).map_err(refused)?;
    }
    Ok(roots)
}

/// All certificates of a PEM file, of which there must be one at least.
fn certificates(name: &str, file: &str) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let unreadable =
        |why: &dyn std::fmt::Display| OpenError::Tls(format!("{name}: {file} cannot be read: {why}"));
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err(unreadable(&"it holds no certificate in PEM format")),
        found => found.map_err(|error| unreadable(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(url: &str) -> (String, Demand) {
        Demand::take(url).expect("a URL that can be read")
    }

    #[test]
    fn what_tls_is_to_do_is_read_in_libpqs_words() {
        let demand = |mode, root: Option<&str>| Demand { mode, root: root.map(str::to_owned), own: None };
        let cases = [
            ("postgres://u:p@h/d", "postgres://u:p@h/d", demand(Mode::Prefer, None)),
            ("postgres://h/d?sslmode=disable", "postgres://h/d", demand(Mode::Disable, None)),
            (
                "postgres://h/d?sslmode=require&target_session_attrs=read-write",
                "postgres://h/d?target_session_attrs=read-write",
                demand(Mode::Require, None),
            ),
            (
                "postgres://h/d?sslmode=require&sslrootcert=/etc/ca.pem",
                "postgres://h/d",
                demand(Mode::VerifyCa, Some("/etc/ca.pem")),
            ),
            (
                "postgres://u:a?b@h/d?sslrootcert=%2Fetc%2Fmy%20ca.pem&sslmode=verify-full",
                "postgres://u:a?b@h/d",
                demand(Mode::VerifyFull, Some("/etc/my ca.pem")),
            ),
            ("postgres://h/d?sslrootcert=system", "postgres://h/d", demand(Mode::VerifyFull, None)),
        ];
        for (url, rest, demand) in cases {
            assert_eq!(taken(url), (rest.to_owned(), demand), "{url}");
        }
        let own = taken("postgres://h/d?sslcert=c.pem&sslkey=k.pem").1.own;
        assert_eq!(own, Some(("c.pem".to_owned(), "k.pem".to_owned())));
    }

    #[test]
    fn what_cannot_be_had_is_refused_with_its_name() {
        let refused = [
            ("sslmode=allow", "`verify-full`, found `allow`"),
            ("sslmode=", "found ``"),
            ("sslcert=c.pem", "sslcert and sslkey belong together"),
            ("sslcrl=x", "sslcrl is not supported"),
            ("sslmode=require&sslrootcert=system", "sslmode=verify-full only"),
            ("sslmode=verify-ca&sslrootcert=/nowhere/ca.pem", "sslrootcert: /nowhere/ca.pem cannot be read"),
            ("sslmode=verify-ca&sslrootcert=/dev/null", "holds no certificate"),
            ("sslcert=/dev/null&sslkey=/dev/null", "sslcert: /dev/null cannot be read"),
        ];
        for (parameters, told) in refused {
            let error = Address::read(&format!("postgres://h/d?{parameters}")).err().expect("refused");
            assert!(error.to_string().contains(told), "{parameters}: {error}");
        }
    }
}
