//! Which addresses may be reached: those of the public internet, and those that the operator listed.
//!
//! The lists follow the IANA registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890 and its successors). IPv6
//! forms that carry an IPv4 address are judged by what they carry.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// True if the address belongs to the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match unwrapped(address) {
        Some(IpAddr::V4(address)) => is_public_v4(address),
        Some(IpAddr::V6(address)) => is_public_v6(address),
        None => false,
    }
}

/// The address that packets will go to in the end; `None` for tunnels that must not be used at all.
fn unwrapped(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(v6) = address else { return Some(address) };
    let segments = v6.segments();
    let v4 = |high: u16, low: u16| Some(IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low), // mapped (RFC 4291)
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) > (0, 1) => v4(high, low), // compatible, obsolete (RFC 4291)
        [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),                    // translated (RFC 2765)
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),                 // NAT64 (RFC 6052)
        [0x64, 0xff9b, 1, ..] | [0x2001, 0, ..] => None, // local NAT64 (RFC 8215), Teredo (RFC 4380)
        [0x2002, high, low, ..] => v4(high, low),        // 6to4 (RFC 3056)
        _ => Some(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0
        || a == 10
        || a == 127
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 192 && b == 168)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113);
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global_unicast = a & 0xe000 == 0x2000;
    let special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || (a == 0x3fff && b < 0x1000);
    global_unicast && !special
}

/// Addresses that may be reached although they are not public, or on unusual ports, or without TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exceptions(Vec<Exception>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    network: IpNet,
    ports: std::ops::RangeInclusive<u16>,
}

/// The text lists no exceptions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExceptions {
    /// It cannot be read.
    #[error(
        "`{0}` is no exception; expected a network and a port, a range of ports or `*`, like `10.1.0.0/16:8080`, \
         `[fd12:3456::/32]:8000-8100` or `127.0.0.1/32:*`"
    )]
    Unreadable(String),
    /// It would switch the guard off.
    #[error(
        "`{0}` is a good part of all addresses, which would switch the guard off; name the networks in which receivers are, like \
         `10.1.0.0/16:8080`"
    )]
    TooWide(String),
}

/// The networks that are private as a whole.
const PRIVATE: [&str; 7] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "fd00::/8",
    "fe80::/10",
];

/// Where cloud providers answer questions for passwords.
const METADATA: [&str; 4] = ["169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"];

/// IPv6 networks whose addresses carry IPv4 addresses, or lead through a tunnel: each stands for the whole of IPv4.
const CARRYING_IPV4: [&str; 7] =
    ["::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"];

/// Networks with shorter prefixes are no exceptions.
const SHORTEST_PREFIX: (u8, u8) = (8, 7);

/// Networks with shorter prefixes hold more than any one installation's receivers.
const ROOMY_PREFIX: (u8, u8) = (16, 32);

fn networks(list: &[&str]) -> impl Iterator<Item = IpNet> {
    list.iter().map(|network| {
        let address = || network.parse::<IpAddr>().map(IpNet::from);
        network.parse::<IpNet>().or_else(|_| address()).expect("a network or an address")
    })
}

fn is_shorter(network: &IpNet, (v4, v6): (u8, u8)) -> bool {
    network.prefix_len() < if network.addr().is_ipv4() { v4 } else { v6 }
}

impl Exceptions {
    /// Without exceptions: only public addresses can be reached.
    pub fn none() -> Self {
        Self::default()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if the address is listed with this port.
    pub fn cover(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|exception| exception.ports.contains(&port) && exception.network.contains(&address))
    }

    /// The listed networks that hold more than any one installation's receivers need, or something that no customer should reach: large
    /// ones, private ones that are listed as a whole (in pieces too), and those with a cloud provider's answers for its machines.
    pub fn wide(&self) -> Vec<String> {
        let listed: Vec<IpNet> = self.0.iter().map(|exception| exception.network.trunc()).collect();
        let pieces = IpNet::aggregate(&listed);
        let whole: Vec<IpNet> =
            networks(&PRIVATE).filter(|private| pieces.iter().any(|piece| piece.contains(private))).collect();
        let is_wide = |network: &&IpNet| {
            is_shorter(network, ROOMY_PREFIX)
                || whole.iter().any(|private| private.contains(*network) || network.contains(private))
                || networks(&METADATA).any(|address| network.contains(&address))
        };
        listed.iter().filter(is_wide).map(IpNet::to_string).collect()
    }

    /// True if any address is listed with this port.
    pub fn cover_port(&self, port: u16) -> bool {
        self.0.iter().any(|exception| exception.ports.contains(&port))
    }
}

impl FromStr for Exceptions {
    type Err = NotExceptions;

    /// Reads entries separated by commas.
    fn from_str(text: &str) -> Result<Self, NotExceptions> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| {
            let read = exception(entry).ok_or_else(|| NotExceptions::Unreadable(entry.to_owned()))?;
            // An address that carries an IPv4 address is judged by that one, so a network of them would be the whole of IPv4.
            let carries_ipv4 = read.network.prefix_len() < 128
                && networks(&CARRYING_IPV4).any(|carrying| carrying.contains(&read.network));
            if carries_ipv4 || is_shorter(&read.network, SHORTEST_PREFIX) {
                return Err(NotExceptions::TooWide(entry.to_owned()));
            }
            Ok(read)
        };
        entries.map(read).collect::<Result<_, _>>().map(Self)
    }
}

fn exception(entry: &str) -> Option<Exception> {
    let (network, ports) = entry.rsplit_once(':')?;
    let network = network.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(network);
    let network = network.parse::<IpNet>().or_else(|_| network.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let ports = match ports.split_once('-') {
        _ if ports == "*" => 1..=u16::MAX,
        Some((first, last)) => first.parse().ok()?..=last.parse().ok()?,
        None => ports.parse().ok().map(|port: u16| port..=port)?,
    };
    (!ports.is_empty() && *ports.start() > 0).then_some(Exception { network, ports })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        let check = |address: &str, expected: bool| {
            assert_eq!(is_public(address.parse().expect("an address")), expected, "{address}");
        };
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "172.15.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            check(public, true);
        }
        for private in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "ff02::1",
        ] {
            check(private, false);
        }
        check("2002:808:808::1", true); // 6to4 of 8.8.8.8
        check("64:ff9b::8.8.8.8", true);
    }

    #[test]
    fn exceptions_name_network_and_port() {
        let exceptions: Exceptions =
            "10.1.0.0/16:8080, [fd00:1::/32]:8000-8100,127.0.0.1:*".parse().expect("exceptions");
        let covers = |address: &str, port| exceptions.cover(address.parse().expect("an address"), port);
        assert!(covers("10.1.2.3", 8080) && covers("::ffff:10.1.2.3", 8080));
        assert!(!covers("10.1.2.3", 8081) && !covers("10.2.2.3", 8080));
        assert!(covers("fd00:1::1", 8050) && !covers("fd00:1::1", 8101));
        assert!(covers("127.0.0.1", 1) && !covers("127.0.0.2", 1));
    }

    #[test]
    fn a_network_that_would_switch_the_guard_off_is_refused_and_a_wide_one_is_named() {
        for everything in
            ["0.0.0.0/0:*", "0.0.0.0/1:443,128.0.0.0/1:443", "[::/0]:443", "8.0.0.0/7:80", "[8000::/3]:80"]
        {
            let error = everything.parse::<Exceptions>().expect_err(everything);
            assert!(
                matches!(error, NotExceptions::TooWide(_)) && error.to_string().contains("10.1.0.0/16:8080")
            );
        }
        for all_of_ipv4 in
            ["::ffff:0:0/96", "64:ff9b::/96", "64:ff9b::/120", "2002::/16", "2001::/32", "::/96"]
        {
            let entry = format!("[{all_of_ipv4}]:443");
            let error = entry.parse::<Exceptions>().expect_err(all_of_ipv4);
            assert!(matches!(error, NotExceptions::TooWide(_)), "{error}");
        }
        let wide = |text: &str| text.parse::<Exceptions>().expect("exceptions").wide();
        for network in [
            "10.0.0.0/8",
            "10.0.0.0/9",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "192.0.0.0/8",
            "169.254.0.0/16",
            "169.254.169.0/24",
            "169.254.169.254/32",
            "127.0.0.0/8",
            "8.0.0.0/8",
            "fc00::/7",
            "fd00:ec2::254/128",
        ] {
            assert_eq!(wide(&format!("[{network}]:8080")), [network]);
        }
        let halves = wide("192.168.0.0/17:80,192.168.128.0/17:8080,10.1.0.0/16:80");
        assert_eq!(halves, ["192.168.0.0/17", "192.168.128.0/17"], "both together are the whole");
        assert!(wide("10.1.0.0/16:8080,192.168.7.0/24:*,127.0.0.1:*,[fd12:3456::/32]:80,[::1]:*").is_empty());
    }

    #[test]
    fn an_exception_without_a_port_is_refused_with_an_example() {
        for wrong in
            ["10.0.0.0/8", "10.0.0.0/8:0", "10.0.0.0/8:9-8", "10.0.0.0/33:80", "localhost:80", "private"]
        {
            let error = wrong.parse::<Exceptions>().expect_err(wrong);
            assert!(error.to_string().contains(wrong) && error.to_string().contains("10.1.0.0/16:8080"));
        }
    }
}
