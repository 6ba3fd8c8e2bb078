//! From which address a request comes.

use std::net::{IpAddr, Ipv4Addr};

use http::request::Parts;

/// The address of the client at the other end of the connection, attached to every request by whoever accepts connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// The client's address. Requests that no listener has labelled share one address, and so one count.
pub fn client_address(parts: &Parts) -> IpAddr {
    parts.extensions.get::<PeerAddress>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0)
}
