//! From packets to an even stream of sound, 20 ms at each tick of the clock.
//!
//! A packet that is missing while later ones are there is lost and is concealed. If nothing is there, the sound is late: what fills the
//! gap makes the delay longer by itself. A delay that is longer than the network needs is shortened where nobody speaks, or at last
//! where somebody does. Invariant: each pull gives exactly as many samples as asked for.

use std::time::Duration;

use crate::Codec;
use crate::conceal::{self, Concealer};
use crate::jitter::{JitterBuffer, Taken};

/// What a pull gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Played {
    /// What the other party sent.
    Sound,
    /// Something in place of sound that is missing.
    Concealed,
    /// Nothing: the other party does not send.
    Silence,
}

/// What happened to the packets of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Ticks that were filled because their sound was missing.
    pub concealed: u64,
    /// Packets that came after their turn.
    pub late: u64,
    /// Packets left out to shorten the delay.
    pub left_out: u64,
}

/// After so long without anything to play, the next packet begins anew.
const GIVE_UP: Duration = Duration::from_millis(100);

/// A delay may be so much longer than needed; less is not worth a change.
const SLACK: Duration = Duration::from_millis(25);

/// A delay that is so much longer than needed is shortened even while somebody speaks.
const FAR_TOO_LONG: Duration = Duration::from_millis(80);

/// So many packets in a row that come after their turn are none: their sender has set its clock back.
const SET_BACK: u32 = 10;

const WAITING: State = State::Waiting { passed: None };

/// The receiving end of one stream of sound.
#[derive(Debug)]
pub(crate) struct Playout {
    codec: Codec,
    /// Which payload types mean which codec; others are passed over.
    codecs: Vec<(u8, Codec)>,
    buffer: JitterBuffer,
    concealer: Concealer,
    state: State,
    late_in_a_row: u32,
    /// Decoded and not yet played.
    decoded: Vec<i16>,
    counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waits until the first packet has been held back long enough. What was due when the waiting began has passed.
    Waiting { passed: Option<i64> },
    /// The time of the packet that is decoded next, and for how many units of the clock something else has been played in its place.
    Playing { next: i64, filled: i64 },
}

impl Playout {
    pub(crate) fn new() -> Self {
        Self {
            codec: Codec::Pcmu,
            codecs: Vec::new(),
            buffer: JitterBuffer::new(Codec::Pcmu.clock_rate()),
            concealer: Concealer::new(),
            state: WAITING,
            late_in_a_row: 0,
            decoded: Vec::with_capacity(2048),
            counts: Counts::default(),
        }
    }

    /// From now on these payload types are sound.
    pub(crate) fn expect(&mut self, codecs: Vec<(u8, Codec)>) {
        self.codecs = codecs;
    }

    /// True if packets of this type are sound.
    pub(crate) fn knows(&self, payload_type: u8) -> bool {
        self.codec_of(payload_type).is_some()
    }

    /// Begins anew: what follows is another source's.
    pub(crate) fn restart(&mut self) {
        self.buffer = JitterBuffer::new(self.codec.clock_rate());
        self.state = WAITING;
    }

    /// Takes a packet of sound.
    pub(crate) fn push(&mut self, now: Duration, timestamp: u32, payload_type: u8, payload: &[u8]) {
        let Some(codec) = self.codec_of(payload_type) else { return };
        if payload.is_empty() || payload.len() > LARGEST {
            return;
        }
        self.codec = codec;
        let due = match self.state {
            State::Waiting { passed } => passed,
            State::Playing { next, .. } => Some(next),
        };
        match self.buffer.push(now, timestamp, payload_type, payload, due) {
            Taken::Held => self.late_in_a_row = 0,
            Taken::Repeated | Taken::Doubted => {}
            Taken::Restarted => self.state = WAITING,
            Taken::Late => {
                self.counts.late += 1;
                self.late_in_a_row += 1;
                if self.late_in_a_row >= SET_BACK {
                    self.late_in_a_row = 0;
                    self.restart();
                }
            }
        }
    }

    /// Fills `out` with the sound that is due now. Call it at every tick.
    pub(crate) fn pull(&mut self, now: Duration, out: &mut [i16]) -> Played {
        self.begin_if_due(now);
        if let State::Playing { next, .. } = self.state {
            self.adapt(now, next, out.len());
        }
        let mut played = Played::Sound;
        while self.decoded.len() < out.len() {
            let State::Playing { next, filled } = self.state else {
                if self.decoded.is_empty() {
                    played = Played::Silence;
                }
                let missing = out.len() - self.decoded.len();
                self.concealer.fill(missing, &mut self.decoded);
                break;
            };
            if !self.decode(next, filled) {
                played = Played::Concealed;
                self.conceal(next, filled, out.len() - self.decoded.len());
            }
        }
        if played == Played::Concealed {
            self.counts.concealed += 1;
        }
        let count = out.len();
        out.copy_from_slice(&self.decoded[..count]);
        self.decoded.drain(..count);
        played
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// How long sound is held back at present.
    pub(crate) fn target(&self) -> Duration {
        self.buffer.target()
    }

    /// The first packet after a silence is held back as long as those that follow.
    fn begin_if_due(&mut self, now: Duration) {
        if let State::Playing { .. } = self.state {
            return;
        }
        if let Some(first) = self.buffer.first()
            && self.buffer.delay(now, first.time) >= self.buffer.target()
        {
            self.state = State::Playing { next: first.time, filled: 0 };
        }
    }

    /// Brings the delay nearer to what the network needs, by one tick at most.
    fn adapt(&mut self, now: Duration, next: i64, tick: usize) {
        let unplayed = i64::try_from(self.decoded.len()).unwrap_or(0);
        let (delay, target) = (self.buffer.delay(now, next - unplayed), self.buffer.target());
        if delay > target + SLACK {
            self.shorten(delay.saturating_sub(target), next);
        } else if delay + SLACK < target && self.concealer.is_quiet() && self.decoded.len() < tick {
            // Nobody speaks: the pause lasts a little longer.
            self.concealer.fill(tick, &mut self.decoded);
        }
    }

    /// Leaves out a packet, if it is silence or there is no end of it, and the one behind it is there.
    fn shorten(&mut self, excess: Duration, next: i64) {
        // Otherwise there is no delay of ours to shorten: the network takes longer than the fastest packet told.
        if !self.buffer.has_second() {
            return;
        }
        let Some(first) = self.buffer.first().filter(|first| first.time == next) else { return };
        let Some(codec) = self.codec_of(first.payload_type) else { return };
        let length = codec.duration(&first.payload);
        let lasts = Duration::from_millis(u64::from(length) * 1000 / u64::from(codec.clock_rate()));
        if excess < lasts {
            return;
        }
        let before = self.decoded.len();
        codec.decode(&first.payload, &mut self.decoded);
        let is_quiet = conceal::is_quiet(&self.decoded[before..]);
        self.decoded.truncate(before);
        if is_quiet || excess > FAR_TOO_LONG {
            self.buffer.drop_first();
            self.concealer.cut();
            self.counts.left_out += 1;
            self.state = State::Playing { next: next + i64::from(length), filled: 0 };
        }
    }

    /// Decodes the packet that is due; false if it is not there.
    fn decode(&mut self, next: i64, filled: i64) -> bool {
        // Packets whose time has passed meanwhile, because their sender's packets overlap.
        while self.buffer.first().is_some_and(|first| first.time < next) {
            self.buffer.drop_first();
            self.counts.late += 1;
        }
        let Some(first) = self.buffer.first() else { return false };
        // What is missing before it may have been filled already, while nothing was there.
        if first.time > next + filled {
            return false;
        }
        let (time, codec) = (first.time, self.codec_of(first.payload_type));
        let mut length = 1;
        if let Some(codec) = codec {
            let before = self.decoded.len();
            codec.decode(&first.payload, &mut self.decoded);
            self.concealer.pass(&mut self.decoded[before..]);
            length = i64::from(codec.duration(&first.payload));
        }
        self.buffer.drop_first();
        self.state = State::Playing { next: time + length, filled: 0 };
        true
    }

    /// Plays something in place of what is missing.
    fn conceal(&mut self, next: i64, filled: i64, missing: usize) {
        let gap = self.buffer.first().map(|first| first.time - next - filled);
        let count = match gap {
            // Later packets are there: up to the first of them.
            Some(gap) => missing.min(usize::try_from(gap).unwrap_or(missing)),
            None => missing,
        };
        self.concealer.fill(count, &mut self.decoded);
        let filled = filled + i64::try_from(count).unwrap_or(0);
        let limit =
            i64::from(self.codec.clock_rate()) * i64::try_from(GIVE_UP.as_millis()).unwrap_or(0) / 1000;
        self.state = if filled >= limit {
            State::Waiting { passed: Some(next) }
        } else {
            State::Playing { next, filled }
        };
    }

    fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        self.codecs.iter().find(|(known, _)| *known == payload_type).map(|(_, codec)| *codec)
    }
}

/// The largest payload that is taken: 120 ms of G.711, twice as much as anybody sends.
const LARGEST: usize = 960;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One packet on its way: when it arrives, and which of the stream it is.
    type Journey = (u64, u32);

    /// The samples of a voice that counts: each packet holds its own loudness, so that what is heard tells which it was.
    fn sound(index: u32) -> Vec<u8> {
        let level = i16::try_from(1000 + index % 20 * 1000).expect("a sample");
        let mut bytes = Vec::new();
        Codec::Pcma.encode(&vec![level; 160], &mut bytes);
        bytes
    }

    fn playout() -> Playout {
        let mut playout = Playout::new();
        playout.expect(vec![(8, Codec::Pcma)]);
        playout
    }

    /// Plays a stream for so many ticks; gives what each tick was, and the packet that is heard in its middle.
    fn heard(playout: &mut Playout, mut journeys: Vec<Journey>, ticks: u64) -> Vec<(Played, u32)> {
        journeys.sort_by_key(|(at, _)| *at);
        let mut journeys = journeys.into_iter().peekable();
        (0..ticks)
            .map(|tick| {
                let now = tick * 20 + 7;
                while let Some((at, index)) = journeys.next_if(|(at, _)| *at <= now) {
                    playout.push(Duration::from_millis(at), index * 160, 8, &sound(index));
                }
                let mut out = [0; 160];
                let played = playout.pull(Duration::from_millis(now), &mut out);
                (played, u32::try_from((i32::from(out[80]) + 500) / 1000).unwrap_or(0))
            })
            .collect()
    }

    /// The packets that were heard, without what stood in their place.
    fn packets(heard: &[(Played, u32)]) -> Vec<u32> {
        heard
            .iter()
            .filter(|(played, level)| *played == Played::Sound && *level > 0)
            .map(|(_, level)| *level - 1)
            .collect()
    }

    fn expected(count: u32) -> Vec<u32> {
        (0..count).map(|index| index % 20).collect()
    }

    #[test]
    fn a_calm_stream_is_heard_whole_after_40_ms() {
        let heard = heard(&mut playout(), (0..15).map(|index| (u64::from(index) * 20, index)).collect(), 30);
        assert_eq!(packets(&heard), expected(15));
        let silent = heard.iter().take_while(|(played, _)| *played == Played::Silence).count();
        assert_eq!(silent, 2);
        assert_eq!(
            heard.last().map(|(played, _)| *played),
            Some(Played::Silence),
            "nothing is heard after its end"
        );
    }

    #[test]
    fn disorder_and_repetition_are_not_heard() {
        let mut journeys: Vec<Journey> = (0..40).map(|index| (u64::from(index) * 20, index)).collect();
        for pair in journeys.chunks_exact_mut(2) {
            pair[0].0 += 25;
        }
        journeys.extend((0..40).map(|index| (u64::from(index) * 20 + 26, index)));
        let heard = heard(&mut playout(), journeys, 50);
        assert_eq!(packets(&heard), expected(40));
    }

    #[test]
    fn a_lost_packet_is_concealed_and_costs_its_own_time_only() {
        let journeys =
            (0..40).filter(|index| index % 10 != 5).map(|index| (u64::from(index) * 20, index)).collect();
        let mut playout = playout();
        let heard = heard(&mut playout, journeys, 50);
        let expected: Vec<u32> = (0..40).filter(|index| index % 10 != 5).map(|index| index % 20).collect();
        assert_eq!(packets(&heard), expected);
        let after_the_end = 5;
        assert!(playout.counts().concealed <= 4 + after_the_end, "{:?}", playout.counts());
    }

    #[test]
    fn a_network_that_stutters_is_played_later_and_whole() {
        // Every half second the network holds its packets back for 90 ms.
        let journeys: Vec<Journey> = (0..600_u32)
            .map(|index| {
                let sent = u64::from(index) * 20;
                let held_until = sent / 500 * 500 + 90;
                (sent.max(held_until), index)
            })
            .collect();
        let mut playout = playout();
        let heard = heard(&mut playout, journeys, 640);
        let later = &heard[200..600];
        let missing = later.iter().filter(|(played, _)| *played != Played::Sound).count();
        assert!(missing <= 2, "{missing} of 400 ticks were filled");
        assert!(playout.target() >= Duration::from_millis(80), "{:?}", playout.target());
    }

    #[test]
    fn a_delay_that_is_not_needed_any_more_is_given_back_in_silence() {
        let mut playout = playout();
        // Silence, of which one stretch of 160 ms came late and all at once.
        let mut out = [0; 160];
        let mut silence = Vec::new();
        Codec::Pcma.encode(&[0; 160], &mut silence);
        for tick in 0..1200_u64 {
            let now = Duration::from_millis(tick * 20);
            let arrives: Vec<u64> = match tick {
                50..58 => Vec::new(),
                58 => (50..=58).collect(),
                _ => vec![tick],
            };
            for index in arrives {
                playout.push(now, u32::try_from(index).expect("few") * 160, 8, &silence);
            }
            playout.pull(now, &mut out);
        }
        assert!(playout.counts().left_out >= 3, "{:?}", playout.counts());
        let State::Playing { next, .. } = playout.state else { panic!("it plays") };
        let delay = playout.buffer.delay(Duration::from_millis(1200 * 20), next);
        assert!(delay <= Duration::from_millis(70), "{delay:?}");
    }

    #[test]
    fn a_way_that_becomes_much_longer_for_good_does_not_silence_the_other_party() {
        let journeys = (0..200).map(|index| {
            let way = if index < 50 { 0 } else { 290 };
            (u64::from(index) * 20 + way, index)
        });
        let heard = heard(&mut playout(), journeys.collect(), 215);
        let sounding = heard[80..200].iter().filter(|(played, _)| *played == Played::Sound).count();
        assert!(sounding >= 115, "{sounding} of 120 ticks");
    }

    #[test]
    fn a_sender_may_fall_silent_and_come_back() {
        let talk = |from: u32| (from..from + 10).map(|index| (u64::from(index) * 20, index));
        let mut playout = playout();
        let heard = heard(&mut playout, talk(0).chain(talk(100)).collect(), 130);
        assert_eq!(packets(&heard), [expected(10), expected(10)].concat());
    }

    #[test]
    fn a_sender_may_set_its_clock_back() {
        let mut playout = playout();
        heard(&mut playout, (0..50).map(|index| (u64::from(index) * 20, index)).collect(), 50);
        let mut out = [0; 160];
        let mut heard_again = 0;
        for tick in 0..60_u64 {
            let now = Duration::from_millis(1007 + tick * 20);
            playout.push(now, u32::try_from(tick).expect("few") * 160, 8, &sound(3));
            heard_again += u32::from(playout.pull(now, &mut out) == Played::Sound);
        }
        assert!(heard_again >= 45, "{heard_again}");
    }

    #[test]
    fn packets_of_any_length_make_even_ticks() {
        for samples in [80_u32, 160, 240, 320, 480] {
            let mut playout = playout();
            let mut payload = Vec::new();
            Codec::Pcma.encode(&vec![5000; samples as usize], &mut payload);
            let mut sounding = 0;
            for tick in 0..100_u64 {
                let now = Duration::from_millis(tick * 20);
                let each = u64::from(samples) / 8;
                for packet in 0..2000 / each {
                    // Sent when its last sample was spoken.
                    let sent = (packet + 1) * each;
                    if (tick * 20).saturating_sub(20) < sent && sent <= tick * 20 {
                        playout.push(now, u32::try_from(packet).expect("few") * samples, 8, &payload);
                    }
                }
                let mut out = [0; 160];
                sounding += u32::from(playout.pull(now, &mut out) == Played::Sound);
            }
            assert!(sounding >= 90, "{samples}: {sounding} of 100");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_each_tick_is_filled(
            packets in prop::collection::vec((any::<u32>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..1200)), 0..60),
        ) {
            let mut playout = playout();
            let mut now = Duration::ZERO;
            for (timestamp, payload_type, payload) in packets {
                playout.push(now, timestamp, payload_type % 10, &payload);
                playout.pull(now, &mut [0; 160]);
                now += Duration::from_millis(u64::from(timestamp % 40));
            }
            prop_assert!(playout.decoded.len() <= 2 * LARGEST);
        }

        /// Whatever a network does within the limits of the buffer, after some seconds no more is missing than was lost.
        #[test]
        fn jitter_within_the_limits_costs_no_sound(delays in prop::collection::vec(0_u64..120, 64)) {
            let journeys: Vec<Journey> = (0..1000_u32)
                .map(|index| (u64::from(index) * 20 + delays[index as usize % delays.len()], index))
                .collect();
            let mut playout = playout();
            let heard = heard(&mut playout, journeys, 1000);
            let missing = heard[300..].iter().filter(|(played, _)| *played != Played::Sound).count();
            // Two in a hundred may be later than the delay that is chosen.
            prop_assert!(missing <= 21, "{} of 700", missing);
        }
    }
}
