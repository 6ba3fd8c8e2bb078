//! What an operator says about trunks.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// Everything a user agent needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens, for UDP and TCP alike.
    pub listen: SocketAddr,
    /// How others reach it, where that is another address.
    pub public_address: Option<SocketAddr>,
    /// Where and how it takes connections over TLS, if it does.
    pub secure: Option<Secure>,
    /// How it names itself to others.
    pub name: String,
    /// In the order in which they are used.
    pub trunks: Vec<Trunk>,
    /// How often a trunk without registration is asked whether it is there, if it is asked at all.
    pub ask_every: Duration,
}

/// What carries the signalling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// What we need to be connected with over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secure {
    pub listen: SocketAddr,
    /// The file of our certificate and of those that vouch for it (PEM).
    pub certificate: PathBuf,
    /// The file of its key (PEM).
    pub key: PathBuf,
}

/// Who may vouch for the certificate of a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorities {
    /// Whom the system trusts.
    System,
    /// Those in this file (PEM), and nobody else.
    File(PathBuf),
}

/// Somebody who connects us with the telephone network, or a switchboard.
#[derive(Debug, Clone)]
pub struct Trunk {
    pub name: String,
    /// A name or an address.
    pub host: String,
    pub port: u16,
    pub transport: Transport,
    /// Who may vouch for its certificate, where it is reached over TLS.
    pub authorities: Authorities,
    /// Whether a certificate for `*.example.com` is one for `sip.example.com`, which RFC 5922 forbids and some carriers need.
    pub takes_wildcards: bool,
    /// With which it lets us in, if it asks.
    pub credentials: Option<Credentials>,
    /// Whether it wants to be told where we are, to bring calls to us.
    pub registers: bool,
    /// Whether it is asked now and then if it is there (OPTIONS, RFC 3261 section 11), where it does not register. One that is not asked
    /// is taken to be there.
    pub asks: bool,
    /// From where its calls come, besides the addresses of its host.
    pub sources: Vec<IpNet>,
    /// What the numbers begin with that are called over it; none means all.
    pub prefixes: Vec<String>,
    /// The number that it shows instead of the caller's.
    pub caller_id: Option<String>,
}

/// A name and a password.
#[derive(Clone)]
pub struct Credentials {
    pub username: String,
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
