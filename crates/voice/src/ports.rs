//! The ports on which sound is received: pairs of an even one for RTP and the odd one above it for RTCP.

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, UdpSocket};
use std::ops::RangeInclusive;

/// How often another pair is tried.
const ATTEMPTS: usize = 64;

/// A pair of sockets that do not block.
pub(crate) struct Pair {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) port: u16,
}

/// Opens a pair at this address with ports of this range. `draw` gives random numbers, so that a port cannot be guessed.
pub(crate) fn open(
    address: IpAddr,
    range: &RangeInclusive<u16>,
    mut draw: impl FnMut() -> u16,
) -> Result<Pair> {
    let first = u32::from(*range.start()).next_multiple_of(2);
    let pairs = (u32::from(*range.end()) + 1).saturating_sub(first) / 2;
    let mut last = Error::new(ErrorKind::InvalidInput, "the range of ports for sound holds no pair");
    for _ in 0..ATTEMPTS.min(usize::try_from(pairs).unwrap_or(0) * 4) {
        let port = first + u32::from(draw()) % pairs * 2;
        let port = u16::try_from(port).unwrap_or(u16::MAX - 1);
        match bind(address, port) {
            Ok(pair) => return Ok(pair),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind(address: IpAddr, port: u16) -> Result<Pair> {
    let rtp = UdpSocket::bind((address, port))?;
    let rtcp = UdpSocket::bind((address, port + 1))?;
    rtp.set_nonblocking(true)?;
    rtcp.set_nonblocking(true)?;
    Ok(Pair { rtp, rtcp, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn pairs_are_even_and_odd_and_within_the_range() {
        let mut next = 0_u16;
        let mut draw = || {
            next = next.wrapping_add(7919);
            next
        };
        let range = 21_001..=23_999;
        let pair = open(HERE, &range, &mut draw).expect("a pair is free");
        assert!(
            pair.port.is_multiple_of(2) && range.contains(&pair.port) && range.contains(&(pair.port + 1))
        );
        let rtcp = pair.rtcp.local_addr().expect("it is bound").port();
        assert_eq!((pair.rtp.local_addr().expect("it is bound").port(), rtcp), (pair.port, pair.port + 1));
    }

    #[test]
    fn a_range_without_a_pair_is_told() {
        assert!(open(HERE, &(21_001..=21_001), || 0).is_err());
        assert!(open(HERE, &(21_001..=21_002), || 0).is_err());
    }
}
