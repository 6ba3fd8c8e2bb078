//! Keys of a telephone as RTP events (RFC 4733).
//!
//! A key is a row of packets with one timestamp, in which its length grows, and whose last is sent three times. The receiver reports a
//! key once, at the first packet of it that arrives; the sender takes the place of the sound while a key is held.

use std::collections::VecDeque;

/// A key of a telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u8);

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

impl Key {
    /// The key with this sign: `0` to `9`, `*`, `#`, `A` to `D`.
    pub fn new(sign: char) -> Option<Self> {
        let place = KEYS.iter().position(|key| char::from(*key) == sign.to_ascii_uppercase())?;
        u8::try_from(place).ok().map(Self)
    }

    /// The sign on it.
    pub fn sign(self) -> char {
        char::from(KEYS[usize::from(self.0)])
    }
}

/// What an event says besides its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event {
    code: u8,
    is_over: bool,
    /// In units of the RTP clock.
    duration: u16,
}

impl Event {
    fn parse(payload: &[u8]) -> Option<Self> {
        let (bytes, _) = payload.split_first_chunk::<4>()?;
        let [code, flags, high, low] = *bytes;
        Some(Self { code, is_over: flags & 0x80 != 0, duration: u16::from_be_bytes([high, low]) })
    }
}

/// Hears keys. One for each source of packets.
#[derive(Debug, Default)]
pub(crate) struct KeyReceiver {
    last: Option<(u32, Event)>,
}

impl KeyReceiver {
    /// Takes one packet; gives the key if it is news.
    pub(crate) fn handle(&mut self, timestamp: u32, payload: &[u8]) -> Option<Key> {
        let event = Event::parse(payload)?;
        let is_news = match self.last {
            None => true,
            Some((before, last)) => {
                let since = timestamp.wrapping_sub(before);
                if since == 0 {
                    // The same key, perhaps overtaken by its own end.
                    let over = last.is_over || event.is_over;
                    self.last = Some((
                        before,
                        Event { is_over: over, duration: last.duration.max(event.duration), ..last },
                    ));
                    return None;
                }
                if since.cast_signed() < 0 {
                    return None; // a straggler of an earlier key
                }
                !is_continued(last, event, since)
            }
        };
        self.last = Some((timestamp, event));
        is_news.then_some(event.code).filter(|code| usize::from(*code) < KEYS.len()).map(Key)
    }
}

/// A field of a duration that is so full cannot take the next packet's 20 to 60 ms.
const FULL: u16 = u16::MAX - 960;

/// RFC 4733, 2.5.1.3: a key held longer than its field can count goes on as another row of packets, which begins where the first ends.
fn is_continued(last: Event, event: Event, since: u32) -> bool {
    event.code == last.code && !last.is_over && last.duration >= FULL && u16::try_from(since).is_ok()
}

/// How long a key is held, in packets of 20 ms.
const HELD: u32 = 8;

/// How loud a key is, in dB below the loudest.
const VOLUME: u8 = 10;

/// How often the end of a key is sent.
const ENDS: u32 = 3;

/// How long the line rests after a key, in packets of 20 ms.
const REST: u32 = 4;

/// How many keys may wait to be sent; more are forgotten.
const MOST_WAITING: usize = 64;

/// One packet of a key that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyPacket {
    /// The first one of the key.
    pub marker: bool,
    /// When the key began.
    pub timestamp: u32,
    pub payload: [u8; 4],
}

/// What the key sender does with a tick of 20 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyTick {
    /// It has nothing to send: sound may go out.
    Idle,
    /// It sends this instead of sound.
    Packet(KeyPacket),
    /// Neither keys nor sound: the pause after a key.
    Rest,
}

/// Presses keys, one after the other.
#[derive(Debug)]
pub(crate) struct KeySender {
    waiting: VecDeque<Key>,
    pressed: Option<Pressed>,
}

#[derive(Debug, Clone, Copy)]
struct Pressed {
    key: Key,
    since: u32,
    ticks: u32,
}

impl KeySender {
    pub(crate) fn new() -> Self {
        Self { waiting: VecDeque::with_capacity(MOST_WAITING), pressed: None }
    }

    /// Presses this key after those that wait.
    pub(crate) fn press(&mut self, key: Key) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(key);
        }
    }

    /// What happens in the 20 ms that begin at this time of the RTP clock, which counts `units` in them.
    pub(crate) fn tick(&mut self, timestamp: u32, units: u32) -> KeyTick {
        let mut pressed = match self.pressed {
            Some(pressed) => pressed,
            None => match self.waiting.pop_front() {
                Some(key) => Pressed { key, since: timestamp, ticks: 0 },
                None => return KeyTick::Idle,
            },
        };
        pressed.ticks += 1;
        self.pressed = (pressed.ticks < HELD + ENDS - 1 + REST).then_some(pressed);
        if pressed.ticks > HELD + ENDS - 1 {
            return KeyTick::Rest;
        }
        let is_over = pressed.ticks >= HELD;
        let [high, low] = u16::try_from(pressed.ticks.min(HELD) * units).unwrap_or(u16::MAX).to_be_bytes();
        KeyTick::Packet(KeyPacket {
            marker: pressed.ticks == 1,
            timestamp: pressed.since,
            payload: [pressed.key.0, u8::from(is_over) << 7 | VOLUME, high, low],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(sign: char) -> Key {
        Key::new(sign).expect("a key")
    }

    /// Everything a sender emits for these keys, from this time on.
    fn sent(signs: &str, start: u32) -> Vec<KeyPacket> {
        let mut sender = KeySender::new();
        signs.chars().for_each(|sign| sender.press(key(sign)));
        let mut packets = Vec::new();
        let mut timestamp = start;
        loop {
            match sender.tick(timestamp, 160) {
                KeyTick::Packet(packet) => packets.push(packet),
                KeyTick::Rest => {}
                KeyTick::Idle => return packets,
            }
            timestamp = timestamp.wrapping_add(160);
        }
    }

    fn heard<'a>(packets: impl IntoIterator<Item = &'a KeyPacket>) -> String {
        let mut receiver = KeyReceiver::default();
        packets
            .into_iter()
            .filter_map(|packet| receiver.handle(packet.timestamp, &packet.payload))
            .map(Key::sign)
            .collect()
    }

    #[test]
    fn a_key_begins_with_a_marker_grows_and_ends_three_times() {
        let packets = sent("5", 1000);
        let shown: Vec<(bool, u32, bool, u16)> = packets
            .iter()
            .map(|packet| {
                let event = Event::parse(&packet.payload).expect("an event");
                assert_eq!(event.code, 5);
                (packet.marker, packet.timestamp, event.is_over, event.duration)
            })
            .collect();
        assert_eq!(shown[0], (true, 1000, false, 160));
        assert_eq!(shown[1], (false, 1000, false, 320));
        assert_eq!(shown[7..], [(false, 1000, true, 1280); 3]);
        assert_eq!(shown.len(), 10);
    }

    #[test]
    fn a_key_of_which_one_packet_arrives_is_heard_once() {
        let packets = sent("5", u32::MAX - 100);
        for packet in &packets {
            assert_eq!(heard([packet]), "5");
        }
        assert_eq!(heard(packets.iter().rev()), "5", "its end may overtake its beginning");
    }

    #[test]
    fn stragglers_of_an_earlier_key_are_not_heard_again() {
        let packets = sent("12", 0);
        let (first, second) = packets.split_at(10);
        let late =
            first.iter().take(9).chain(second.iter().take(2)).chain(first.iter().skip(8)).chain(second);
        assert_eq!(heard(late), "12");
    }

    #[test]
    fn the_same_key_twice_is_two_keys_even_if_the_first_end_is_lost() {
        let packets = sent("77", 0);
        let kept = packets.iter().filter(|packet| packet.payload[1] & 0x80 == 0);
        assert_eq!(heard(kept), "77");
    }

    #[test]
    fn a_key_held_for_half_a_minute_is_one_key() {
        let mut receiver = KeyReceiver::default();
        let mut signs = String::new();
        for segment in 0..4_u32 {
            let timestamp = segment * 65_440;
            for duration in (160_u32..=65_440).step_by(160) {
                let [high, low] = u16::try_from(duration).expect("it fits").to_be_bytes();
                signs.extend(receiver.handle(timestamp, &[9, 10, high, low]).map(Key::sign));
            }
        }
        assert_eq!(signs, "9");
    }

    #[test]
    fn flashes_and_tones_of_other_kinds_are_no_keys() {
        let mut receiver = KeyReceiver::default();
        assert_eq!(receiver.handle(0, &[16, 10, 0, 160]), None);
        assert_eq!(receiver.handle(500, &[66, 10, 0, 160]), None);
        assert_eq!(receiver.handle(900, &[1, 10]), None, "too short");
        assert_eq!(receiver.handle(1000, &[1, 10, 0, 160]).map(Key::sign), Some('1'));
    }

    proptest! {
        #[test]
        fn keys_survive_loss_and_repetition(
            signs in "[0-9*#A-D]{1,12}", start: u32, fates in prop::collection::vec(0..4_u8, 200),
        ) {
            let packets = sent(&signs, start);
            let mut arrived = Vec::new();
            for (row, packet) in packets.iter().enumerate() {
                // Of every key at least its last packet arrives; of the others none to three copies.
                let copies = if row % 10 == 9 { 1 } else { fates[row % fates.len()] };
                arrived.extend((0..copies).map(|_| packet));
            }
            prop_assert_eq!(heard(arrived), signs);
        }

        #[test]
        fn anything_may_arrive(packets in prop::collection::vec((any::<u32>(), prop::collection::vec(any::<u8>(), 0..6)), 0..50)) {
            let mut receiver = KeyReceiver::default();
            for (timestamp, payload) in packets {
                receiver.handle(timestamp, &payload);
            }
        }
    }
}
