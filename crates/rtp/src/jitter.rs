//! Packets that wait for their turn, and how long they should.
//!
//! A network delivers packets early, late, twice, in disorder or never. They are put in order by their timestamps and held back so long
//! that almost all of them are there when they are due. How long is learned from how late they were during the last ten seconds, beside
//! the fastest: a calm network costs 20 ms, a bad one as much as it needs, up to a limit.

use std::collections::VecDeque;
use std::time::Duration;

/// How long packets are held back at least …
const LEAST: Duration = Duration::from_millis(20);

/// … before anything is known of the network …
const FIRST: Duration = Duration::from_millis(40);

/// … and at most.
const MOST: Duration = Duration::from_millis(200);

/// A packet that waits.
#[derive(Debug)]
pub(crate) struct Held {
    /// Its timestamp, counted on over its 32 bits.
    pub time: i64,
    pub payload_type: u8,
    pub payload: Vec<u8>,
}

/// What became of a packet that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Held,
    Repeated,
    /// Its turn has passed.
    Late,
    /// Its time does not fit to the others. If the next one fits to it, everything begins anew.
    Doubted,
    /// The clock of the sender was set: everything begins anew with this packet.
    Restarted,
}

/// How many packets are held at most: more than a second of 20 ms each.
const MOST_HELD: usize = 64;

/// A timestamp that is farther from the latest one does not belong to it.
const JUMP: Duration = Duration::from_secs(3);

/// The longest packet, and one lost before it.
const NEXT: Duration = Duration::from_millis(120);

/// No packet comes so much earlier than the fastest one before.
const TOO_EARLY: Duration = Duration::from_millis(300);

/// Packets of one stream in their order.
#[derive(Debug)]
pub(crate) struct JitterBuffer {
    rate: u32,
    held: VecDeque<Held>,
    /// Buffers that are used again.
    spare: Vec<Vec<u8>>,
    /// The latest timestamp, as it was sent and as it is counted.
    latest: Option<(u32, i64)>,
    /// The timestamp of the packet before, if it was doubted.
    doubted: Option<u32>,
    delays: Delays,
}

impl JitterBuffer {
    /// A buffer for a stream whose timestamps run at this rate.
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate,
            held: VecDeque::with_capacity(MOST_HELD + 1),
            spare: Vec::with_capacity(MOST_HELD + 1),
            latest: None,
            doubted: None,
            delays: Delays::default(),
        }
    }

    /// Takes a packet that came now. `due` is the time on its clock that is played next, if anything is.
    pub(crate) fn push(
        &mut self,
        now: Duration,
        timestamp: u32,
        payload_type: u8,
        payload: &[u8],
        due: Option<i64>,
    ) -> Taken {
        let time = self.count_on(timestamp);
        let way = micros(now) - self.to_micros(time);
        let fits = self.fits(time, way);
        if !fits && !self.follows_the_doubted(timestamp) {
            self.doubted = Some(timestamp);
            return Taken::Doubted;
        }
        self.doubted = None;
        if !fits {
            self.clear();
        }
        if self.latest.is_none_or(|(_, latest)| time > latest || !fits) {
            self.latest = Some((timestamp, time));
        }
        self.delays.note(now, way);
        if fits && due.is_some_and(|due| time < due) {
            return Taken::Late;
        }
        let place = self.held.partition_point(|held| held.time < time);
        if self.held.get(place).is_some_and(|held| held.time == time) {
            return Taken::Repeated;
        }
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.clear();
        kept.extend_from_slice(payload);
        self.held.insert(place, Held { time, payload_type, payload: kept });
        if self.held.len() > MOST_HELD {
            self.drop_first();
        }
        if fits { Taken::Held } else { Taken::Restarted }
    }

    /// The packet that comes first.
    pub(crate) fn first(&self) -> Option<&Held> {
        self.held.front()
    }

    /// True if there is another packet behind the first.
    pub(crate) fn has_second(&self) -> bool {
        self.held.len() > 1
    }

    /// Removes the packet that comes first; its buffer is used again.
    pub(crate) fn drop_first(&mut self) {
        if let Some(held) = self.held.pop_front() {
            self.spare.push(held.payload);
        }
    }

    /// How long after the moment at which the fastest packet would have brought it the sound of this time is, if it is played now.
    pub(crate) fn delay(&self, now: Duration, time: i64) -> Duration {
        let fastest = self.to_micros(time) + self.delays.fastest().unwrap_or_default();
        Duration::from_micros(u64::try_from(micros(now) - fastest).unwrap_or(0))
    }

    /// How long it should be.
    pub(crate) fn target(&self) -> Duration {
        self.delays.usual().unwrap_or(FIRST).clamp(LEAST, MOST)
    }

    fn clear(&mut self) {
        while !self.held.is_empty() {
            self.drop_first();
        }
        self.delays = Delays::default();
    }

    /// The timestamp counted on beyond its 32 bits.
    fn count_on(&self, timestamp: u32) -> i64 {
        self.latest.map_or(i64::from(timestamp), |(latest, time)| {
            time + i64::from(timestamp.wrapping_sub(latest).cast_signed())
        })
    }

    /// False if a packet with this time, that was so long on its way, cannot belong to those before it.
    fn fits(&self, time: i64, way: i64) -> bool {
        let Some((_, latest)) = self.latest else { return true };
        let is_near = self.to_micros(time - latest).abs() <= micros(JUMP);
        is_near && self.delays.fastest().is_none_or(|fastest| way >= fastest - micros(TOO_EARLY))
    }

    /// True if the packet before was doubted as well, and this one comes right after it.
    fn follows_the_doubted(&self, timestamp: u32) -> bool {
        let step = self.doubted.map(|doubted| i64::from(timestamp.wrapping_sub(doubted).cast_signed()));
        step.is_some_and(|step| step > 0 && self.to_micros(step) <= micros(NEXT))
    }

    fn to_micros(&self, time: i64) -> i64 {
        time * 1_000_000 / i64::from(self.rate)
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// How late packets are beside the fastest ones, during the last ten seconds or so.
#[derive(Debug)]
struct Delays {
    /// The shortest way of this window of time and of the one before. Two windows, so that a clock that runs a little faster than ours,
    /// or a longer way through the network, is noticed.
    shortest: [Option<i64>; 2],
    window_ends: Duration,
    /// How many packets were so late, in steps of [`STEP`]; older ones count less and less.
    counts: [u32; STEPS],
}

const WINDOW: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(5);
const STEPS: usize = 64;

/// What one packet counts when it comes. With each that follows it loses a 512th.
const WEIGHT: u32 = 1 << 20;

impl Default for Delays {
    fn default() -> Self {
        Self { shortest: [None; 2], window_ends: Duration::ZERO, counts: [0; STEPS] }
    }
}

impl Delays {
    /// Notes how long the way of a packet was, counted from an unknown zero.
    fn note(&mut self, now: Duration, way: i64) {
        if self.shortest[0].is_none() {
            self.window_ends = now + WINDOW;
        } else if now >= self.window_ends {
            self.shortest = [None, self.shortest[0]];
            self.window_ends = now + WINDOW;
        }
        self.shortest[0] = Some(self.shortest[0].map_or(way, |shortest| shortest.min(way)));
        let late = way - self.fastest().unwrap_or(way);
        let step = i64::try_from(STEP.as_micros()).unwrap_or(i64::MAX);
        let place = usize::try_from(late / step).unwrap_or(0).min(STEPS - 1);
        for count in &mut self.counts {
            *count -= *count / 512;
        }
        self.counts[place] += WEIGHT;
    }

    /// The shortest way that is remembered.
    fn fastest(&self) -> Option<i64> {
        self.shortest.into_iter().flatten().min()
    }

    /// How late all but two in a hundred are at most, and a little more; nothing before a quarter of a second has been heard.
    fn usual(&self) -> Option<Duration> {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        if all < u64::from(WEIGHT) * 12 {
            return None;
        }
        let mut so_far = 0;
        let place = self.counts.iter().position(|count| {
            so_far += u64::from(*count);
            so_far * 100 >= all * 98
        })?;
        Some(STEP * u32::try_from(place + 3).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn buffer() -> JitterBuffer {
        JitterBuffer::new(8000)
    }

    fn times(buffer: &mut JitterBuffer) -> Vec<i64> {
        let mut times = Vec::new();
        while let Some(held) = buffer.first() {
            times.push(held.time);
            buffer.drop_first();
        }
        times
    }

    #[test]
    fn packets_come_out_in_their_order_once() {
        let mut buffer = buffer();
        let taken: Vec<Taken> = [320, 0, 160, 160, 480]
            .into_iter()
            .map(|timestamp| buffer.push(at(0), timestamp, 0, &[], None))
            .collect();
        assert_eq!(taken, [Taken::Held, Taken::Held, Taken::Held, Taken::Repeated, Taken::Held]);
        assert_eq!(times(&mut buffer), [0, 160, 320, 480]);
        assert_eq!(buffer.push(at(0), 320, 0, &[], Some(640)), Taken::Late);
    }

    #[test]
    fn timestamps_may_pass_their_highest_value() {
        let mut buffer = buffer();
        for timestamp in [u32::MAX - 159, 160, 0] {
            buffer.push(at(0), timestamp, 0, &[], None);
        }
        let first = i64::from(u32::MAX - 159);
        assert_eq!(times(&mut buffer), [first, first + 160, first + 320]);
    }

    #[test]
    fn a_jump_begins_anew() {
        let mut buffer = buffer();
        buffer.push(at(0), 160, 0, &[], None);
        let mut push = |millis: u64, timestamp: u32| buffer.push(at(millis), timestamp, 0, &[], Some(160));
        assert_eq!(push(20, 4_000_000), Taken::Doubted);
        assert_eq!(push(40, 4_000_160), Taken::Restarted);
        assert_eq!(push(60, 4_000_320), Taken::Held);
        assert_eq!(push(80, 100), Taken::Doubted, "backwards as well");
        assert_eq!(push(100, 260), Taken::Restarted);
        assert_eq!(times(&mut buffer), [260]);
    }

    #[test]
    fn one_packet_with_a_wrong_time_changes_nothing() {
        for wrong in [160 + 8000 * 2, 160 + 8000 * 60, u32::MAX / 2] {
            let mut buffer = buffer();
            buffer.push(at(0), 160, 0, &[], None);
            assert_eq!(buffer.push(at(20), wrong, 0, &[], None), Taken::Doubted, "{wrong}");
            assert_eq!(buffer.push(at(40), 480, 0, &[], None), Taken::Held, "{wrong}");
            assert_eq!(times(&mut buffer), [160, 480], "{wrong}");
        }
    }

    #[test]
    fn a_flood_of_packets_holds_a_bounded_number_and_the_newest() {
        let mut buffer = buffer();
        for timestamp in 0..1000_u32 {
            buffer.push(at(u64::from(timestamp) / 10), timestamp * 20, 0, &[0; 20], None);
        }
        assert!(buffer.held.len() + buffer.spare.len() <= MOST_HELD + 1);
        assert_eq!(times(&mut buffer).last(), Some(&(999 * 20)));
    }

    #[test]
    fn the_delay_follows_the_network() {
        let mut buffer = buffer();
        assert_eq!(buffer.target(), at(40), "nothing is known yet");
        let mut timestamp = 0;
        let mut run = |buffer: &mut JitterBuffer, packets: u64, lateness: fn(u64) -> u64| {
            for _ in 0..packets {
                let index = u64::from(timestamp);
                buffer.push(at(index * 20 + lateness(index)), timestamp * 160, 0, &[], None);
                timestamp += 1;
            }
            buffer.target()
        };
        assert_eq!(run(&mut buffer, 200, |_| 0), at(20), "a calm network");
        let bad = run(&mut buffer, 300, |index| index * 37 % 80);
        assert!((at(80)..=at(100)).contains(&bad), "{bad:?}");
        let worst = run(&mut buffer, 300, |index| index * 37 % 500);
        assert_eq!(worst, at(200), "there is a limit");
        let calm = run(&mut buffer, 3000, |_| 0);
        assert_eq!(calm, at(20), "calm again");
    }
}
