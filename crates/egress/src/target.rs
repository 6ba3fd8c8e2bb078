//! What can be said of an address before its name is resolved.

use std::net::IpAddr;

use url::{Host, Url};

use crate::address::{Exceptions, is_public};

/// Ports that may be reached without an exception.
const PORTS: [u16; 3] = [443, 80, 8443];

/// A longer address is refused.
const MAX_URL_BYTES: usize = 2048;

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not an absolute URL, or too long.
    #[error("expected an absolute https URL of at most 2048 characters")]
    NotAUrl,
    /// Another scheme than https, or http to an address that is not listed as an exception.
    #[error("expected https; the operator of this installation can allow plain http for single networks")]
    Scheme,
    /// Name and password in the URL.
    #[error("expected a URL without user name and password")]
    UserInfo,
    /// An unusual port that is not listed as an exception.
    #[error("expected port 443, 80 or 8443; the operator of this installation can allow others")]
    Port,
    /// An address outside the public internet that is not listed as an exception.
    #[error("expected an address of the public internet; the operator of this installation can allow others")]
    Address,
}

/// An address that may be tried; what its name resolves to is checked when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) url: Url,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

/// Checks everything about a URL that needs no resolver, so that users learn of a mistake at once.
pub fn check_url(text: &str, exceptions: &Exceptions) -> Result<Target, Refused> {
    if text.len() > MAX_URL_BYTES || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Refused::NotAUrl);
    }
    let url = Url::parse(text).map_err(|_| Refused::NotAUrl)?;
    let tls = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(Refused::Scheme),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::UserInfo);
    }
    let port = url.port_or_known_default().ok_or(Refused::NotAUrl)?;
    let target = Target { url, port, tls };
    match target.literal() {
        Some(address) => target.permit(address, exceptions)?,
        None => {
            if !tls && !exceptions.cover_port(port) {
                return Err(Refused::Scheme);
            }
            if !PORTS.contains(&port) && !exceptions.cover_port(port) {
                return Err(Refused::Port);
            }
        }
    }
    Ok(target)
}

impl Target {
    /// The address, if the URL names one instead of a host.
    pub(crate) fn literal(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// Judges one address that the host stands for.
    pub(crate) fn permit(&self, address: IpAddr, exceptions: &Exceptions) -> Result<(), Refused> {
        if exceptions.cover(address, self.port) {
            return Ok(());
        }
        if !is_public(address) {
            return Err(Refused::Address);
        }
        if !self.tls {
            return Err(Refused::Scheme);
        }
        if PORTS.contains(&self.port) { Ok(()) } else { Err(Refused::Port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_an_address_learns_no_setting_of_the_installation() {
        let every = [Refused::NotAUrl, Refused::Scheme, Refused::UserInfo, Refused::Port, Refused::Address];
        for refused in every {
            let told = refused.to_string();
            assert!(!told.contains("KAICALLS_"), "{told}");
        }
    }

    #[test]
    fn only_plain_https_urls_to_public_addresses_pass() {
        let check = |url: &str, expected: Option<Refused>| {
            assert_eq!(check_url(url, &Exceptions::none()).err(), expected, "{url}");
        };
        check("https://example.com/hook?a=b", None);
        check("https://example.com:8443/", None);
        check("https://1.1.1.1/", None);
        check("http://example.com/", Some(Refused::Scheme));
        check("ftp://example.com/", Some(Refused::Scheme));
        check("https://user@example.com/", Some(Refused::UserInfo));
        check("https://example.com:22/", Some(Refused::Port));
        check("https://127.0.0.1/", Some(Refused::Address));
        check("https://2130706433/", Some(Refused::Address)); // 127.0.0.1 in one number
        check("https://0x7f.1/", Some(Refused::Address));
        check("https://[::ffff:10.0.0.1]/", Some(Refused::Address));
        check("https://[fe80::1]/", Some(Refused::Address));
        check("example.com/hook", Some(Refused::NotAUrl));
        check("https://exa mple.com/", Some(Refused::NotAUrl));
        check("https://example.com/\r\nX: y", Some(Refused::NotAUrl));
        check("https:///", Some(Refused::NotAUrl));
        check(&format!("https://example.com/{}", "a".repeat(2048)), Some(Refused::NotAUrl));
    }

    #[test]
    fn an_exception_opens_its_network_and_port_only() {
        let exceptions: Exceptions = "127.0.0.1:9000-9010".parse().expect("an exception");
        assert!(check_url("http://127.0.0.1:9001/", &exceptions).is_ok());
        assert!(check_url("http://localhost:9001/", &exceptions).is_ok(), "known only after resolving");
        assert_eq!(check_url("http://127.0.0.1:8999/", &exceptions), Err(Refused::Address));
        assert_eq!(check_url("http://example.com/", &exceptions), Err(Refused::Scheme));
    }
}
