//! RTP packets (RFC 3550, section 5.1): read from datagrams, written into buffers that are used again.

/// An RTP packet (RFC 3550 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    /// The first of a talk spurt, or of a key.
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    /// Which source sent it.
    pub ssrc: u32,
    pub payload: &'a [u8],
}

/// These bytes are no RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MalformedPacket;

const VERSION: u8 = 2;
const HEADER: usize = 12;

impl<'a> Packet<'a> {
    /// Reads a datagram. Contributing sources and header extensions are passed over.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, MalformedPacket> {
        let (header, mut rest) = bytes.split_first_chunk::<HEADER>().ok_or(MalformedPacket)?;
        if header[0] >> 6 != VERSION || is_rtcp(bytes) {
            return Err(MalformedPacket);
        }
        let contributors = usize::from(header[0] & 0x0F) * 4;
        rest = rest.get(contributors..).ok_or(MalformedPacket)?;
        if header[0] & 0x10 != 0 {
            let ([_, _, high, low], after) = rest.split_first_chunk::<4>().ok_or(MalformedPacket)?;
            let words = usize::from(u16::from_be_bytes([*high, *low]));
            rest = after.get(words * 4..).ok_or(MalformedPacket)?;
        }
        if header[0] & 0x20 != 0 {
            // The last byte counts the padding, itself included.
            let padding = usize::from(*rest.last().ok_or(MalformedPacket)?);
            let length = rest.len().checked_sub(padding).filter(|_| padding > 0).ok_or(MalformedPacket)?;
            rest = &rest[..length];
        }
        Ok(Self {
            marker: header[1] & 0x80 != 0,
            payload_type: header[1] & 0x7F,
            sequence: u16::from_be_bytes([header[2], header[3]]),
            timestamp: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            ssrc: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
            payload: rest,
        })
    }

    /// Writes it into `out`, whatever that held before.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.push(VERSION << 6);
        out.push(u8::from(self.marker) << 7 | self.payload_type & 0x7F);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(self.payload);
    }
}

/// True if a datagram is RTCP and not RTP, should both come to one port (RFC 5761, section 4).
fn is_rtcp(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(packet: &Packet<'_>) -> Vec<u8> {
        let mut bytes = vec![9; 3];
        packet.write(&mut bytes);
        bytes
    }

    #[test]
    fn what_stands_between_header_and_payload_is_passed_over() {
        let plain =
            Packet { marker: true, payload_type: 8, sequence: 7, timestamp: 9, ssrc: 11, payload: b"sound" };
        let mut bytes = written(&plain);
        bytes[0] |= 0x20 | 0x10 | 2;
        let mut between = vec![1; 8];
        between.extend_from_slice(&[0xBE, 0xDE, 0, 1, 5, 5, 5, 5]);
        bytes.splice(HEADER..HEADER, between);
        bytes.extend_from_slice(&[0, 0, 3]);
        assert_eq!(Packet::parse(&bytes), Ok(plain));
        for length in 0..bytes.len() {
            // Cut anywhere it may be malformed or shorter, but is never read beyond its end.
            let _ = Packet::parse(&bytes[..length]);
        }
    }

    #[test]
    fn padding_that_is_longer_than_the_payload_or_counts_nothing_is_refused() {
        let packet =
            Packet { marker: false, payload_type: 0, sequence: 0, timestamp: 0, ssrc: 0, payload: &[5] };
        for count in [0, 2, 255] {
            let payload = [count];
            let mut bytes = written(&Packet { payload: &payload, ..packet });
            bytes[0] |= 0x20;
            assert_eq!(Packet::parse(&bytes), Err(MalformedPacket), "{count}");
        }
    }

    #[test]
    fn rtcp_and_other_protocols_are_no_rtp() {
        for first in [[0x80, 200], [0x81, 201], [0x00, 0x01], [0x16, 0xFE], [0x40, 0]] {
            let mut bytes = [0; 40];
            bytes[..2].copy_from_slice(&first);
            assert_eq!(Packet::parse(&bytes), Err(MalformedPacket), "{first:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            marker: bool, payload_type in 0_u8..64, sequence: u16, timestamp: u32, ssrc: u32,
            payload in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let packet = Packet { marker, payload_type, sequence, timestamp, ssrc, payload: &payload };
            let bytes = written(&packet);
            prop_assert_eq!(Packet::parse(&bytes), Ok(packet));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER <= bytes.len());
            }
        }
    }
}
