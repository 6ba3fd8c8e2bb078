//! How packets arrive: loss and jitter as RTCP defines them (RFC 3550, appendix A), and what a call is told about its sound.

use std::time::Duration;

use crate::srtp::Suite;

/// What was sent and what arrived in one leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    pub packets_sent: u64,
    pub packets_received: u64,
    /// Packets of the other side that never came.
    pub lost: u64,
    /// Packets that came too late to be heard.
    pub late: u64,
    pub repeated: u64,
    /// Ticks in which something else was heard because the sound was missing.
    pub concealed: u64,
    /// Packets that were left out to shorten the delay.
    pub left_out: u64,
    /// From addresses that have no business here, or no RTP at all.
    pub refused: u64,
    /// Of these, packets that should be encrypted and are not the other side's, or came twice.
    pub forged: u64,
    /// How sound was encrypted at the end, if it was.
    pub encryption: Option<Suite>,
    /// How unevenly packets arrive.
    pub jitter: Duration,
    /// How long sound is held back so that it comes evenly.
    pub delay: Duration,
    /// The way to the other side and back, if it says.
    pub round_trip: Option<Duration>,
    /// What the other side lost of our packets, in 256ths, since its report before.
    pub lost_there: Option<u8>,
}

impl Statistics {
    /// The share of the other side's packets that was lost or useless, in thousandths.
    pub fn loss_per_mille(&self) -> u32 {
        let all = self.packets_received + self.lost;
        let useless = self.lost + self.late;
        u32::try_from(useless * 1000 / all.max(1)).unwrap_or(1000).min(1000)
    }
}

/// A source of packets as it arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reception {
    base: u16,
    highest: u16,
    /// How often the sequence number has begun anew.
    cycles: u32,
    received: u64,
    /// Of those received, how many had come before.
    pub repeated: u64,
    /// Which of the last 64 numbers have come; the lowest bit is the highest number.
    seen: u64,
    /// What would follow the packet before, if its number did not fit to the others.
    doubted: Option<u16>,
    /// What was expected and received when the last block was made.
    reported: (u64, u64),
    /// The difference between arrival and timestamp of the packet before, in units of the RTP clock.
    transit: Option<u32>,
    /// Sixteen times the jitter.
    jitter: i64,
    /// The middle of the time in the last sender report, and when it came.
    pub last_report: Option<(u32, Duration)>,
}

/// A step backwards is disorder up to here; a step forwards is loss up to [`MOST_DROPPED`].
const MOST_MISORDERED: u16 = 100;
const MOST_DROPPED: u16 = 3000;

impl Reception {
    /// A source whose first packet has this number.
    pub(crate) fn new(sequence: u16) -> Self {
        Self {
            base: sequence,
            highest: sequence,
            cycles: 0,
            received: 0,
            repeated: 0,
            seen: 0,
            doubted: None,
            reported: (0, 0),
            transit: None,
            jitter: 0,
            last_report: None,
        }
    }

    /// Takes a packet that came now; `rate` is that of its timestamp, if that says when it was sent. True if it is news, false if it had
    /// come before.
    pub(crate) fn take(&mut self, now: Duration, sequence: u16, timestamp: Option<u32>, rate: u32) -> bool {
        let step = sequence.wrapping_sub(self.highest);
        let back = self.highest.wrapping_sub(sequence);
        let mut is_news = true;
        if step > 0 && step < MOST_DROPPED {
            self.cycles += u32::from(sequence < self.highest);
            self.highest = sequence;
            self.seen = self.seen.checked_shl(u32::from(step)).unwrap_or(0) | 1;
        } else if back <= MOST_MISORDERED {
            let mark = 1_u64.checked_shl(u32::from(back)).unwrap_or(0);
            is_news = self.seen & mark == 0;
            self.seen |= mark;
        } else if self.doubted == Some(sequence) {
            // Two in a row: the source began anew.
            *self = Self { last_report: self.last_report, jitter: self.jitter, ..Self::new(sequence) };
            self.seen = 1;
        } else {
            self.doubted = Some(sequence.wrapping_add(1));
            return true;
        }
        self.doubted = None;
        self.received += 1;
        self.repeated += u64::from(!is_news);
        if let Some(timestamp) = timestamp.filter(|_| is_news) {
            self.note_transit(now, timestamp, rate);
        }
        is_news
    }

    fn note_transit(&mut self, now: Duration, timestamp: u32, rate: u32) {
        let arrival = now.as_micros() * u128::from(rate) / 1_000_000;
        let arrival = u32::try_from(arrival & u128::from(u32::MAX)).unwrap_or(0);
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit {
            let change = i64::from(transit.wrapping_sub(before).cast_signed()).abs();
            // A source that sets its clock anew is not late by as much.
            if change < i64::from(rate) {
                self.jitter += change - ((self.jitter + 8) >> 4);
            }
        }
        self.transit = Some(transit);
    }

    pub(crate) fn highest_sequence(&self) -> u32 {
        self.cycles << 16 | u32::from(self.highest)
    }

    /// In units of the RTP clock.
    pub(crate) fn jitter(&self) -> u32 {
        u32::try_from(self.jitter >> 4).unwrap_or(0)
    }

    /// How many never came.
    pub(crate) fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received - self.repeated)
    }

    fn expected(&self) -> u64 {
        if self.received == 0 {
            return 0;
        }
        (u64::from(self.highest_sequence()) + 1).saturating_sub(u64::from(self.base))
    }

    /// What was lost since the last time this was asked, in 256ths, and since the beginning.
    pub(crate) fn loss_since_the_last_block(&mut self) -> (u8, i32) {
        let (expected, received) = (self.expected(), self.received);
        let (expected_before, received_before) = std::mem::replace(&mut self.reported, (expected, received));
        let expected_since = expected.saturating_sub(expected_before);
        let lost_since = expected_since.saturating_sub(received.saturating_sub(received_before));
        let fraction = (lost_since * 256).checked_div(expected_since).unwrap_or(0).min(255);
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let lost = (signed(expected) - signed(received)).clamp(-0x0080_0000, 0x007F_FFFF);
        (u8::try_from(fraction).unwrap_or(u8::MAX), i32::try_from(lost).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of 20 ms with these numbers, each so many milliseconds late.
    fn reception(packets: impl IntoIterator<Item = (u16, u64)>) -> Reception {
        let mut packets = packets.into_iter().peekable();
        let mut reception = Reception::new(packets.peek().expect("a packet").0);
        let first = packets.peek().expect("a packet").0;
        for (sequence, late) in packets {
            let place = u64::from(sequence.wrapping_sub(first));
            let now = Duration::from_millis(1000 + place * 20 + late);
            let timestamp = u32::try_from(place * 160).expect("few packets").wrapping_add(u32::MAX - 1000);
            reception.take(now, sequence, Some(timestamp), 8000);
        }
        reception
    }

    #[test]
    fn loss_is_counted_over_the_highest_number() {
        let kept = (0..1000_u16).filter(|index| index % 10 != 3).map(|index| (index.wrapping_add(65_000), 0));
        let mut reception = reception(kept);
        assert_eq!((reception.lost(), reception.highest_sequence()), (100, 65_999));
        assert_eq!(reception.loss_since_the_last_block(), (25, 100));
        assert_eq!(reception.loss_since_the_last_block(), (0, 100), "nothing new");
    }

    #[test]
    fn disorder_and_repetition_are_no_loss() {
        let mut reception = reception([(1, 0), (3, 0), (2, 30), (2, 40), (4, 0)]);
        assert_eq!((reception.lost(), reception.repeated), (0, 1));
        assert_eq!(reception.loss_since_the_last_block(), (0, -1), "one came twice");
    }

    #[test]
    fn a_source_that_begins_anew_has_lost_nothing() {
        let reception = reception((0..50).chain(30_000..30_050).map(|sequence| (sequence, 0)));
        assert_eq!((reception.lost(), reception.highest_sequence()), (0, 30_049));
    }

    #[test]
    fn one_packet_with_a_wrong_number_is_not_believed() {
        let mut reception = reception([(1, 0), (2, 0), (40_000, 0), (4, 0), (5, 0)]);
        assert_eq!(
            (reception.lost(), reception.highest_sequence()),
            (1, 5),
            "the third came with another's number"
        );
        assert_eq!(reception.loss_since_the_last_block().1, 1);
    }

    #[test]
    fn jitter_is_how_unevenly_packets_come() {
        assert_eq!(reception((0..200).map(|sequence| (sequence, 0))).jitter(), 0);
        let uneven = reception((0..200).map(|sequence| (sequence, u64::from(sequence % 2) * 10))).jitter();
        assert!((70..=80).contains(&uneven), "10 ms are 80 units: {uneven}");
    }

    #[test]
    fn what_came_too_late_is_as_useless_as_what_was_lost() {
        let statistics = Statistics { packets_received: 95, lost: 5, late: 5, ..Statistics::default() };
        assert_eq!(statistics.loss_per_mille(), 100);
        assert_eq!(Statistics::default().loss_per_mille(), 0);
    }
}
