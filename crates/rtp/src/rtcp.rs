//! RTCP (RFC 3550, section 6): what each side tells the other about what it sent and how it arrived.

use std::time::Duration;

use crate::statistics::Reception;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// The item of a source description that names it for good.
const CNAME: u8 = 1;

/// Seconds from 1900, where NTP begins, to 1970.
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// What a sender says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The same moment by the clock on the wall …
    pub since_1970: Duration,
    /// … and by the clock of the stream.
    pub timestamp: u32,
    pub packets: u32,
    pub bytes: u32,
}

/// What one side says about how the other's packets arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportBlock {
    /// The source whose packets the block tells of.
    pub ssrc: u32,
    /// Lost since the report before, in 256ths.
    pub fraction_lost: u8,
    /// Lost since the beginning; negative if more were repeated than lost.
    pub lost: i32,
    pub highest_sequence: u32,
    /// In units of the RTP clock.
    pub jitter: u32,
    /// The middle of the time in the last sender report that came, and how long ago that was in 65,536ths of a second.
    pub last_report: u32,
    pub since_last_report: u32,
}

/// What a datagram of RTCP says, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Compound {
    /// Who sent a sender report, and the middle of its time.
    pub sender: Option<(u32, u32)>,
    pub blocks: Vec<ReportBlock>,
}

/// Blocks of one datagram that are read; a call has one source on either side.
const MOST_BLOCKS: usize = 32;

impl Compound {
    /// Reads a datagram; `None` if it is no RTCP. What follows a packet that is broken is not read.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut compound = Self::default();
        let mut rest = bytes;
        let mut found = false;
        while let Some((header, after)) = rest.split_first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([header[2], header[3]])) * 4;
            let (Some(body), 2) = (after.get(..length), header[0] >> 6) else { break };
            compound.take(header[1], usize::from(header[0] & 0x1F), body);
            found |= (SENDER_REPORT..=GOODBYE + 4).contains(&header[1]);
            rest = &after[length..];
        }
        found.then_some(compound)
    }

    fn take(&mut self, kind: u8, count: usize, body: &[u8]) {
        let word = |place: usize| {
            let bytes = body.get(place * 4..)?.first_chunk::<4>()?;
            Some(u32::from_be_bytes(*bytes))
        };
        let blocks_at = match kind {
            SENDER_REPORT => {
                if let (Some(ssrc), Some(seconds), Some(parts)) = (word(0), word(1), word(2)) {
                    self.sender = Some((ssrc, seconds << 16 | parts >> 16));
                }
                6
            }
            RECEIVER_REPORT => 1,
            _ => return,
        };
        for block in 0..count {
            let at = blocks_at + block * 6;
            let (
                Some(ssrc),
                Some(loss),
                Some(highest_sequence),
                Some(jitter),
                Some(last_report),
                Some(since),
            ) = (word(at), word(at + 1), word(at + 2), word(at + 3), word(at + 4), word(at + 5))
            else {
                return;
            };
            if self.blocks.len() < MOST_BLOCKS {
                self.blocks.push(ReportBlock {
                    ssrc,
                    fraction_lost: loss.to_be_bytes()[0],
                    // Twenty-four bits with a sign.
                    lost: (loss << 8).cast_signed() >> 8,
                    highest_sequence,
                    jitter,
                    last_report,
                    since_last_report: since,
                });
            }
        }
    }
}

/// Writes a report, with the name of its sender, and its goodbye if it leaves.
pub(crate) fn write(
    ssrc: u32,
    name: &str,
    sent: Option<Sent>,
    block: Option<ReportBlock>,
    leaves: bool,
    out: &mut Vec<u8>,
) {
    out.clear();
    let kind = if sent.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    packet(out, kind, u8::from(block.is_some()), |out| {
        words(out, &[ssrc]);
        if let Some(sent) = sent {
            let [seconds, parts] = ntp(sent.since_1970);
            words(out, &[seconds, parts, sent.timestamp, sent.packets, sent.bytes]);
        }
        if let Some(block) = block {
            let loss = u32::from(block.fraction_lost) << 24 | block.lost.cast_unsigned() & 0x00FF_FFFF;
            words(
                out,
                &[
                    block.ssrc,
                    loss,
                    block.highest_sequence,
                    block.jitter,
                    block.last_report,
                    block.since_last_report,
                ],
            );
        }
    });
    packet(out, DESCRIPTION, 1, |out| {
        words(out, &[ssrc]);
        let name = &name.as_bytes()[..name.len().min(255)];
        out.extend_from_slice(&[CNAME, u8::try_from(name.len()).unwrap_or(0)]);
        out.extend_from_slice(name);
        // The list of items ends with at least one zero, at a full word.
        out.push(0);
        while !out.len().is_multiple_of(4) {
            out.push(0);
        }
    });
    if leaves {
        packet(out, GOODBYE, 1, |out| words(out, &[ssrc]));
    }
}

/// One packet: its header, whose length is known when its body is written.
fn packet(out: &mut Vec<u8>, kind: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[2 << 6 | count, kind, 0, 0]);
    body(out);
    let words = u16::try_from((out.len() - start) / 4 - 1).unwrap_or(u16::MAX);
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

fn words(out: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

/// The time by NTP: seconds since 1900, and their 2^32nd parts.
fn ntp(since_1970: Duration) -> [u32; 2] {
    let seconds = (since_1970.as_secs() + NTP_TO_UNIX) & u64::from(u32::MAX);
    let parts = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
    [u32::try_from(seconds).unwrap_or(0), u32::try_from(parts).unwrap_or(0)]
}

/// The middle 32 bits of the time by NTP.
pub(crate) fn middle(since_1970: Duration) -> u32 {
    let [seconds, parts] = ntp(since_1970);
    seconds << 16 | parts >> 16
}

/// A time in 65,536ths of a second.
pub(crate) fn compact(time: Duration) -> u32 {
    u32::try_from((time.as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX)
}

/// The way to the other side and back, from a block about our packets: RFC 3550, 6.4.1. `None` if it cannot be.
pub(crate) fn round_trip(block: &ReportBlock, since_1970: Duration) -> Option<Duration> {
    if block.last_report == 0 {
        return None;
    }
    let parts = middle(since_1970).wrapping_sub(block.last_report).wrapping_sub(block.since_last_report);
    // A clock that was set, or a peer that makes its numbers up, gives a time near the end of the circle.
    (parts < 60 << 16).then(|| Duration::from_nanos((u64::from(parts) * 1_000_000_000) >> 16))
}

/// When reports are sent: every five seconds, half as long or half as long again, so that calls that began together do not report
/// together (RFC 3550, 6.3.1).
#[derive(Debug)]
pub(crate) struct Schedule {
    next: Option<Duration>,
    seed: u32,
}

impl Schedule {
    pub(crate) fn new(seed: u32) -> Self {
        Self { next: None, seed: seed | 1 }
    }

    /// True if a report is due; the next one is then as well settled.
    pub(crate) fn is_due(&mut self, now: Duration) -> bool {
        let next = match self.next {
            // The first comes after half the time.
            None => now + self.pause() / 2,
            Some(next) if now < next => return false,
            Some(_) => now + self.pause(),
        };
        self.next.replace(next).is_some()
    }

    fn pause(&mut self) -> Duration {
        // A xorshift: any spread will do.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        Duration::from_millis(2500 + u64::from(self.seed % 5000))
    }
}

/// What is reported of the packets that come in.
pub(crate) fn block(ssrc: u32, reception: &mut Reception, now: Duration) -> ReportBlock {
    let (last_report, came) = reception.last_report.unwrap_or((0, now));
    let (fraction_lost, lost) = reception.loss_since_the_last_block();
    ReportBlock {
        ssrc,
        fraction_lost,
        lost,
        highest_sequence: reception.highest_sequence(),
        jitter: reception.jitter(),
        last_report,
        since_last_report: compact(now.saturating_sub(came)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BLOCK: ReportBlock = ReportBlock {
        ssrc: 77,
        fraction_lost: 12,
        lost: -3,
        highest_sequence: 0x0001_0002,
        jitter: 99,
        last_report: 0xAABB_CCDD,
        since_last_report: 65_536,
    };

    fn sent(since_1970: Duration) -> Sent {
        Sent { since_1970, timestamp: 160, packets: 1, bytes: 160 }
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let time = Duration::from_secs(1_700_000_000);
        let mut bytes = Vec::new();
        write(5, "call@kai", Some(sent(time)), Some(BLOCK), true, &mut bytes);
        assert!(bytes.len().is_multiple_of(4));
        let compound = Compound::parse(&bytes).expect("RTCP");
        assert_eq!(compound, Compound { sender: Some((5, middle(time))), blocks: vec![BLOCK] });
        assert!(bytes.ends_with(&[2 << 6 | 1, GOODBYE, 0, 1, 0, 0, 0, 5]), "it says goodbye");
        write(5, "", None, None, false, &mut bytes);
        assert_eq!(Compound::parse(&bytes), Some(Compound::default()));
        assert_eq!(bytes.len(), 8 + 12, "an empty name is a word of zeros");
    }

    #[test]
    fn the_way_there_and_back_is_known_from_a_report_on_ours() {
        let sent_at = Duration::from_secs(1_700_000_000);
        let block = ReportBlock {
            last_report: middle(sent_at),
            since_last_report: compact(Duration::from_secs(2)),
            ..BLOCK
        };
        let trip = round_trip(&block, sent_at + Duration::from_millis(2080)).expect("a trip");
        assert!(trip.abs_diff(Duration::from_millis(80)) < Duration::from_millis(1), "{trip:?}");
        assert_eq!(round_trip(&block, sent_at), None, "before it began");
        assert_eq!(round_trip(&ReportBlock { last_report: 0, ..block }, sent_at), None);
    }

    #[test]
    fn reports_come_every_five_seconds_or_so_and_not_all_at_once() {
        let times = |seed: u32| {
            let mut schedule = Schedule::new(seed);
            (0..3000_u64).filter(|tick| schedule.is_due(Duration::from_millis(tick * 20))).collect::<Vec<_>>()
        };
        let (one, other) = (times(1), times(0x1234_5678));
        assert!((9..=20).contains(&one.len()), "{one:?}");
        assert_ne!(one, other);
    }

    proptest! {
        #[test]
        fn anything_may_come(mut bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 198_u8..208) {
            if bytes.len() > 1 {
                bytes[0] = bytes[0] & 0x3F | 0x80;
                bytes[1] = kind;
            }
            if let Some(compound) = Compound::parse(&bytes) {
                prop_assert!(compound.blocks.len() <= MOST_BLOCKS);
            }
        }

        #[test]
        fn a_report_that_is_cut_or_changed_is_read_or_refused(cut in 0_usize..80, place in 0_usize..76, value: u8) {
            let mut bytes = Vec::new();
            write(5, "name", Some(sent(Duration::ZERO)), Some(BLOCK), true, &mut bytes);
            bytes.truncate(cut.min(bytes.len()));
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
            let _ = Compound::parse(&bytes);
        }
    }
}
