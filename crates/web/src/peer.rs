//! From which address a request comes.
//!
//! The other end of the connection is the client, unless it is a proxy that the operator trusts: then the proxy says whom it speaks for.
//! Anybody can write those headers, so they are believed only from trusted proxies, and only as far as the chain of trusted proxies goes.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use http::HeaderMap;
use http::header::{FORWARDED, HeaderName};
use http::request::Parts;
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address at the other end of the connection, attached to every request by whoever accepts connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// What counts as one client: an address, or in IPv6 the network of 64 bits that every client has at least.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Networks of proxies whose word about the client is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text that names no addresses or networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected addresses or networks like `127.0.0.1,10.1.0.0/16`; everybody cannot be trusted")]
pub struct BadProxies;

impl FromStr for TrustedProxies {
    type Err = BadProxies;

    fn from_str(text: &str) -> Result<Self, BadProxies> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let network = |item: &str| -> Option<IpNet> {
            let network =
                item.parse::<IpNet>().ok().or_else(|| item.parse::<IpAddr>().ok().map(IpNet::from))?;
            (network.prefix_len() > 0).then_some(network)
        };
        items.map(network).collect::<Option<_>>().map(Self).ok_or(BadProxies)
    }
}

impl TrustedProxies {
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address. Requests that no listener has labelled share one address, and so one count.
    pub fn client(&self, parts: &Parts) -> IpAddr {
        let peer = parts.extensions.get::<PeerAddress>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0);
        let chains = [FORWARDED, X_FORWARDED_FOR].map(|name| hops(&parts.headers, &name));
        let mut named =
            chains.into_iter().filter(|hops| !hops.is_empty()).map(|hops| self.behind(peer, hops));
        match (named.next(), named.next()) {
            // A proxy writes one of the two and lets the other pass, so that whoever writes both could be anybody: the proxy counts.
            (Some(first), Some(second)) if first != second => peer,
            (Some(client), _) => client,
            (None, _) => peer,
        }
    }

    /// Who stands behind the chain of trusted proxies that ends with our peer.
    fn behind(&self, peer: IpAddr, hops: Vec<Option<IpAddr>>) -> IpAddr {
        let mut client = peer;
        // Each proxy adds the address that it was called from at the end.
        let mut hops = hops.into_iter().rev();
        while self.contain(client) {
            match hops.next() {
                Some(Some(address)) => client = address,
                // Nothing more is known: the proxy itself is what counts.
                Some(None) | None => break,
            }
        }
        client
    }
}

/// The addresses that proxies have named in one of the two headers, nearest last; `None` for one that hides its client.
fn hops(headers: &HeaderMap, name: &HeaderName) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let mut hops = Vec::new();
    for line in lines {
        if *name == X_FORWARDED_FOR {
            let nodes = line.split(',').map(str::trim).filter(|node| !node.is_empty());
            hops.extend(nodes.map(address));
        } else if line.matches('"').count() % 2 == 0 {
            let elements = split(&line, ',').into_iter().filter(|element| !element.trim().is_empty());
            hops.extend(elements.map(|element| forwarded_for(&element)));
        } else {
            // A quotation that never ends would swallow what the next proxy adds, and let its client speak for it.
            hops.push(None);
        }
    }
    hops
}

/// The `for` parameter of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    split(element, ';').iter().find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| address(value.trim().trim_matches('"')))
    })?
}

/// Splits at a separator outside quoted strings.
fn split(text: &str, separator: char) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for letter in text.chars() {
        quoted ^= letter == '"';
        if letter == separator && !quoted {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}

/// An address with or without a port, IPv6 with or without brackets. Proxies may hide the port behind a word (RFC 7239, section 6).
fn address(node: &str) -> Option<IpAddr> {
    if let Ok(bare) = node.parse() {
        return Some(bare);
    }
    let (host, port) = match node.strip_prefix('[') {
        Some(v6) => v6.split_once(']').filter(|(host, _)| host.contains(':'))?,
        None => node.split_at(node.find(':')?),
    };
    let is_port = |port: &str| {
        !port.is_empty()
            && port.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"._-".contains(&letter))
    };
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return None;
    }
    host.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, headers: &[(&'static str, &str)]) -> String {
        let trusted: TrustedProxies = trusted.parse().expect("networks");
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        parts.extensions.insert(PeerAddress(peer.parse().expect("an address")));
        trusted.client(&parts).to_string()
    }

    #[test]
    fn strangers_are_not_believed() {
        for header in [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=198.51.100.7")] {
            assert_eq!(client("", "203.0.113.1", &[header]), "203.0.113.1");
            assert_eq!(client("10.0.0.0/8", "203.0.113.1", &[header]), "203.0.113.1");
        }
    }

    #[test]
    fn a_trusted_proxy_names_the_client_and_nobody_before_the_last_stranger_counts() {
        let from_proxy = |name, value| client("10.0.0.0/8,::1", "10.0.0.1", &[(name, value)]);
        assert_eq!(from_proxy("x-forwarded-for", "198.51.100.7"), "198.51.100.7");
        assert_eq!(from_proxy("x-forwarded-for", "6.6.6.6, 198.51.100.7, 10.0.0.2"), "198.51.100.7");
        assert_eq!(from_proxy("x-forwarded-for", "198.51.100.7:4711"), "198.51.100.7");
        assert_eq!(from_proxy("forwarded", "for=6.6.6.6, for=198.51.100.7;proto=https"), "198.51.100.7");
        assert_eq!(
            from_proxy("forwarded", "proto=https;For=\"[2001:db8::7]:4711\";by=10.0.0.1"),
            "2001:db8::7"
        );
        assert_eq!(from_proxy("forwarded", "for=\"a,b\", for=198.51.100.7"), "198.51.100.7");
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &lines), "198.51.100.7");
        assert_eq!(client("10.0.0.0/8", "::ffff:10.0.0.1", &lines), "198.51.100.7");
    }

    #[test]
    fn ports_and_the_spellings_of_addresses_make_no_other_client() {
        let from_proxy = |name: &'static str, value: &str| client("10.0.0.0/8,::1", "::1", &[(name, value)]);
        for (written, address) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("2001:DB8:0::7", "2001:db8::7"),
        ] {
            assert_eq!(from_proxy("x-forwarded-for", written), address);
            assert_eq!(from_proxy("forwarded", &format!("for=\"{written}\"")), address);
        }
        assert_eq!(from_proxy("forwarded", "for=\"198.51.100.7:_hidden\""), "198.51.100.7");
        assert_eq!(from_proxy("forwarded", "for=\"[2001:db8::7]:_a.b-c\""), "2001:db8::7");
        // Empty elements of a list are none (RFC 9110, section 5.6.1).
        assert_eq!(from_proxy("x-forwarded-for", "6.6.6.6, 198.51.100.7, "), "198.51.100.7");
        assert_eq!(from_proxy("forwarded", "for=6.6.6.6,, for=198.51.100.7 ,"), "198.51.100.7");
    }

    #[test]
    fn what_a_client_writes_before_the_word_of_its_proxy_makes_it_nobody_else() {
        let behind = |header: &'static str, lines: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|line| (header, *line)).collect();
            client("10.0.0.1", "10.0.0.1", &lines)
        };
        for odd in ["6.6.6.6", "\u{e9}", "\"", "6.6.6.6, 10.0.0.1", "::ffff:10.0.0.1", ",,,", "for=6.6.6.6"] {
            let added = format!("{odd}, 198.51.100.7");
            assert_eq!(behind("x-forwarded-for", &[&added]), "198.51.100.7", "{added}");
            assert_eq!(behind("x-forwarded-for", &[odd, "198.51.100.7"]), "198.51.100.7", "{odd}");
        }
        for odd in ["for=6.6.6.6;x=\"a,b\"", "for=\u{e9}", "for=6.6.6.6;by=\"", "for=\""] {
            assert_eq!(behind("forwarded", &[odd, "for=198.51.100.7"]), "198.51.100.7", "{odd}");
        }
        // A proxy that adds to an open quotation says nothing any more, and so the proxy counts.
        for odd in ["for=6.6.6.6;x=\"", "for=\"", "for=6.6.6.6;x=\"\\\""] {
            for said in ["for=198.51.100.7", "for=\"[2001:db8::7]\""] {
                let added = format!("{odd}, {said}");
                let found = behind("forwarded", &[&added]);
                assert!(
                    ["10.0.0.1", "198.51.100.7", "2001:db8::7"].contains(&found.as_str()),
                    "{added}: {found}"
                );
            }
        }
    }

    #[test]
    fn of_two_headers_that_contradict_each_other_neither_is_believed() {
        let both = |forwarded, for_| {
            let headers = [("forwarded", forwarded), ("x-forwarded-for", for_)];
            client("10.0.0.0/8", "10.0.0.1", &headers)
        };
        assert_eq!(both("for=198.51.100.7", "198.51.100.7"), "198.51.100.7");
        assert_eq!(
            both("for=6.6.6.6", "198.51.100.7"),
            "10.0.0.1",
            "nginx, HAProxy and others let Forwarded pass"
        );
        assert_eq!(both("for=198.51.100.7", "6.6.6.6"), "10.0.0.1");
        assert_eq!(both("for=_hidden", "198.51.100.7"), "10.0.0.1");
        assert_eq!(both(",", "198.51.100.7"), "198.51.100.7", "an empty list says nothing");
    }

    #[test]
    fn a_proxy_that_hides_its_client_counts_itself() {
        for (name, value) in [
            ("forwarded", "for=_hidden"),
            ("forwarded", "for=unknown"),
            ("forwarded", "for=\"[2001:db8::7]x\""),
            ("forwarded", "for=\"198.51.100.7:a b\""),
            ("forwarded", "by=198.51.100.7"),
            ("x-forwarded-for", "nonsense"),
            ("x-forwarded-for", "[198.51.100.7]"),
            ("x-forwarded-for", "198.51.100.7:"),
            ("x-forwarded-for", "fe80::1%eth0"),
            ("x-forwarded-for", ""),
        ] {
            assert_eq!(client("10.0.0.1", "10.0.0.1", &[(name, value)]), "10.0.0.1", "{value}");
        }
        assert_eq!(client("10.0.0.1", "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn networks_are_checked() {
        let read = |text: &str| text.parse::<TrustedProxies>().is_ok();
        assert!(read("") && read("127.0.0.1") && read("10.1.0.0/16, ::1, fd00::/8"));
        for wrong in ["proxy", "10.1.0.0/33", "0.0.0.0/0", "::/0", "10.0.0.1;10.0.0.2"] {
            assert!(!read(wrong), "{wrong}");
        }
    }
}
