//! From whom sound is taken, and where to it is sent.
//!
//! SDP says where the other side listens, and sound is taken from there only. Behind an address translator the other side cannot know
//! its address; then the source is learned once, from the first packets that fit, within a few seconds, and stays. Whoever guesses
//! the port later can neither listen nor speak.

use core::net::SocketAddr;
use std::time::Duration;

/// Whether another source than the one that SDP names may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latching {
    /// Never: the trunk's addresses are what it says they are.
    Never,
    /// At the beginning, when nothing comes from the address that SDP names.
    AtTheBeginning,
}

/// A source is learned from so many packets in a row.
const PACKETS: u8 = 4;

/// How long after the first stray packet a source can be learned.
const OPEN: Duration = Duration::from_secs(5);

/// The gate that packets pass.
#[derive(Debug)]
pub(crate) struct Latch {
    latching: Latching,
    /// The address that SDP names.
    named: Option<SocketAddr>,
    /// From where packets came that were taken.
    learned: Option<SocketAddr>,
    candidate: Option<Candidate>,
    closes: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    source: SocketAddr,
    ssrc: u32,
    sequence: u16,
    packets: u8,
}

impl Latch {
    pub(crate) fn new(latching: Latching) -> Self {
        Self { latching, named: None, learned: None, candidate: None, closes: None }
    }

    /// SDP names this address. Another one than before has to be learned anew.
    pub(crate) fn name(&mut self, address: SocketAddr) {
        if self.named != Some(address) {
            *self = Self { named: Some(address), ..Self::new(self.latching) };
        }
    }

    /// Where packets are sent: to the learned address, else to the one that SDP names.
    pub(crate) fn target(&self) -> Option<SocketAddr> {
        self.learned.or(self.named)
    }

    /// Whether a packet with a known payload type is taken.
    pub(crate) fn admits(&mut self, now: Duration, source: SocketAddr, ssrc: u32, sequence: u16) -> bool {
        let Some(named) = self.named else { return false };
        if source == named {
            self.learned = Some(source);
            return true;
        }
        if let Some(learned) = self.learned {
            return source == learned;
        }
        if self.latching == Latching::Never || now > *self.closes.get_or_insert(now + OPEN) {
            return false;
        }
        let packets = match self.candidate {
            Some(before)
                if (before.source, before.ssrc) == (source, ssrc)
                    && sequence == before.sequence.wrapping_add(1) =>
            {
                before.packets + 1
            }
            _ => 1,
        };
        self.candidate = Some(Candidate { source, ssrc, sequence, packets });
        if packets >= PACKETS {
            self.learned = Some(source);
        }
        packets >= PACKETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: &str = "192.0.2.1:4000";
    const TRANSLATED: &str = "198.51.100.7:61000";
    const STRANGER: &str = "203.0.113.9:5000";

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn latch(latching: Latching) -> Latch {
        let mut latch = Latch::new(latching);
        latch.name(address(NAMED));
        latch
    }

    /// Whether each of these packets is taken, one every 20 ms from this second on.
    fn admitted(latch: &mut Latch, second: u64, source: &str, packets: u16) -> Vec<bool> {
        (0..packets)
            .map(|index| {
                let now = Duration::from_millis(second * 1000 + u64::from(index) * 20);
                latch.admits(now, address(source), 1, index)
            })
            .collect()
    }

    #[test]
    fn nothing_is_taken_before_sdp_named_anybody() {
        let mut latch = Latch::new(Latching::AtTheBeginning);
        assert_eq!(admitted(&mut latch, 0, STRANGER, 8), [false; 8]);
        assert_eq!(latch.target(), None);
    }

    #[test]
    fn the_named_source_is_taken_at_once_and_nobody_else_after_it() {
        let mut latch = latch(Latching::AtTheBeginning);
        assert_eq!(admitted(&mut latch, 0, NAMED, 2), [true; 2]);
        assert_eq!(admitted(&mut latch, 0, STRANGER, 8), [false; 8]);
        assert_eq!(latch.target(), Some(address(NAMED)));
    }

    #[test]
    fn a_translated_source_is_learned_once() {
        let mut latch = latch(Latching::AtTheBeginning);
        assert_eq!(admitted(&mut latch, 0, TRANSLATED, 6), [false, false, false, true, true, true]);
        assert_eq!(latch.target(), Some(address(TRANSLATED)));
        assert_eq!(admitted(&mut latch, 1, STRANGER, 8), [false; 8]);
        assert_eq!(admitted(&mut latch, 1, NAMED, 1), [true], "SDP has the last word");
    }

    #[test]
    fn strangers_that_scatter_packets_are_not_learned() {
        let mut latch = latch(Latching::AtTheBeginning);
        for sequence in [5, 900, 17, 44, 3] {
            assert!(!latch.admits(Duration::ZERO, address(STRANGER), 1, sequence));
        }
        assert_eq!(admitted(&mut latch, 6, STRANGER, 8), [false; 8], "and nobody is after five seconds");
    }

    #[test]
    fn a_trunk_may_ask_for_no_learning() {
        let mut latch = latch(Latching::Never);
        assert_eq!(admitted(&mut latch, 0, TRANSLATED, 8), [false; 8]);
        assert_eq!(admitted(&mut latch, 0, NAMED, 1), [true]);
    }

    #[test]
    fn a_new_address_in_sdp_is_learned_anew() {
        let mut latch = latch(Latching::AtTheBeginning);
        admitted(&mut latch, 0, TRANSLATED, 6);
        latch.name(address(NAMED));
        assert_eq!(latch.target(), Some(address(TRANSLATED)), "nothing new was said");
        latch.name(address(STRANGER));
        assert_eq!(latch.target(), Some(address(STRANGER)));
        assert_eq!(admitted(&mut latch, 20, TRANSLATED, 4), [false, false, false, true]);
    }
}
