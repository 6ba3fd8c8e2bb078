//! Two legs and a network between them, on a clock that only the tests move: each party sings its own tone, and the other one has to
//! hear that tone and nothing else.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use rtp::sdp::Direction;
use rtp::{
    Agreement, Arrival, Channel, Codec, Encryption, Identity, Key, Keys, Latching, Leg, Local, MasterKey,
    Negotiator, Played, Suite, Transmit, mean_opinion,
};

const TICK: Duration = Duration::from_millis(20);
const HERE: &str = "192.0.2.1";
const THERE: &str = "198.51.100.2";

/// What a network does to the packets of one direction.
#[derive(Debug, Clone, Copy, Default)]
struct Network {
    /// How long a packet travels at least.
    way: Duration,
    /// And at most so much longer.
    jitter: Duration,
    /// Of a hundred packets.
    lost: u32,
    repeated: u32,
}

/// Numbers without any pattern, the same ones each time.
#[derive(Debug, Clone, Copy)]
struct Dice(u32);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % limit.max(1)
    }
}

struct Party {
    leg: Leg,
    address: SocketAddr,
    tone: u32,
    sung: u32,
    network: Network,
    /// Packets on their way to this party.
    coming: Vec<(Duration, Channel, Vec<u8>)>,
    heard: Vec<i16>,
    played: Vec<Played>,
    keys: String,
}

impl Party {
    fn new(address: &str, tone: u32, network: Network) -> Self {
        let identity = Identity {
            ssrc: tone,
            sequence: 65_500,
            timestamp: u32::MAX - 8000,
            name: "leg".to_owned(),
            since_1970: Duration::from_secs(1_800_000_000),
        };
        Self {
            leg: Leg::new(identity, Latching::AtTheBeginning),
            address: SocketAddr::new(address.parse().expect("an address"), 4000),
            tone,
            sung: 0,
            network,
            coming: Vec::new(),
            heard: Vec::new(),
            played: Vec::new(),
            keys: String::new(),
        }
    }

    fn negotiator(&self, codecs: &[Codec], is_encrypted: bool) -> Negotiator {
        let keys = [1, 2].map(|key| MasterKey([u8::try_from(self.tone % 100).expect("small") + key; 30]));
        let local = Local {
            address: self.address.ip(),
            port: self.address.port(),
            codecs: codecs.to_vec(),
            encryption: if is_encrypted { Encryption::Required(Keys(keys)) } else { Encryption::Off },
            session_id: 1,
        };
        Negotiator::new(local)
    }

    /// The next 20 ms of its tone.
    fn song(&mut self) -> Vec<i16> {
        let samples = (self.sung..self.sung + 160).map(|at| sine(self.tone, at, 8000.0));
        self.sung += 160;
        samples.collect()
    }
}

fn sine(tone: u32, at: u32, loudness: f64) -> i16 {
    let turns = f64::from(at) * f64::from(tone) / 8000.0;
    #[expect(clippy::cast_possible_truncation, reason = "loudness is a sample's")]
    let sample = ((turns * std::f64::consts::TAU).sin() * loudness) as i16;
    sample
}

struct Line {
    parties: [Party; 2],
    now: Duration,
    dice: Dice,
}

impl Line {
    fn new(network: Network) -> Self {
        let parties = [Party::new(HERE, 440, network), Party::new(THERE, 1000, network)];
        let mut line = Self { parties, now: Duration::from_secs(3), dice: Dice(7) };
        line.agree(&Codec::ALL, Direction::SendReceive);
        line
    }

    fn agree(&mut self, codecs: &[Codec], direction: Direction) -> [Agreement; 2] {
        self.agree_on(codecs, direction, false)
    }

    fn agree_on(&mut self, codecs: &[Codec], direction: Direction, is_encrypted: bool) -> [Agreement; 2] {
        let [one, other] = &mut self.parties;
        let mut offering = one.negotiator(codecs, is_encrypted);
        let offer = offering.offer(direction);
        let (answer, theirs) =
            other.negotiator(codecs, is_encrypted).answer(&offer, Direction::SendReceive).expect("an answer");
        let ours = offering.accept(&answer).expect("an agreement");
        one.leg.agree(ours.clone());
        other.leg.agree(theirs.clone());
        [ours, theirs]
    }

    fn tick(&mut self) {
        for side in 0..2 {
            let (here, there) = both(&mut self.parties, side);
            let from = there.address;
            here.coming.sort_by_key(|(at, _, _)| *at);
            let arrived = here.coming.partition_point(|(at, _, _)| *at <= self.now);
            for (at, channel, bytes) in here.coming.drain(..arrived) {
                match channel {
                    Channel::Rtp => {
                        if let Arrival::Key(key) = here.leg.handle_rtp(at, from, &bytes) {
                            here.keys.push(key.sign());
                        }
                    }
                    Channel::Rtcp => here.leg.handle_rtcp(at, from, &bytes),
                }
            }
            let mut out = [0; 160];
            here.played.push(here.leg.hear(self.now, &mut out));
            here.heard.extend_from_slice(&out);
            let song = here.song();
            let (now, network, dice) = (self.now, here.network, &mut self.dice);
            here.leg.speak(now, &song, |Transmit { channel, bytes, .. }| {
                let copies = match dice.below(100) {
                    roll if roll < network.lost => 0,
                    roll if roll < network.lost + network.repeated => 2,
                    _ => 1,
                };
                for _ in 0..copies {
                    let late = network.jitter * dice.below(1000) / 1000;
                    there.coming.push((now + network.way + late, channel, bytes.to_vec()));
                }
            });
        }
        self.now += TICK;
    }

    fn run(&mut self, seconds: u32) {
        (0..seconds * 50).for_each(|_| self.tick());
    }

    fn forget(&mut self) {
        for party in &mut self.parties {
            party.heard.clear();
            party.played.clear();
        }
    }
}

fn both(parties: &mut [Party; 2], side: usize) -> (&mut Party, &mut Party) {
    let [one, other] = parties;
    if side == 0 { (one, other) } else { (other, one) }
}

/// The share of a tone in some sound, from 0 to 1.
fn share(heard: &[i16], tone: u32) -> f64 {
    let (mut real, mut imaginary, mut all) = (0.0, 0.0, 1.0);
    for (at, sample) in (0_u32..).zip(heard) {
        let angle = f64::from(at) * f64::from(tone) / 8000.0 * std::f64::consts::TAU;
        let sample = f64::from(*sample);
        real += sample * angle.cos();
        imaginary += sample * angle.sin();
        all += sample * sample;
    }
    let count = f64::from(u32::try_from(heard.len()).expect("few samples"));
    2.0 * (real * real + imaginary * imaginary) / (all * count)
}

/// The worst share of the expected tone in any stretch of 40 ms that was all sound.
fn purest(party: &Party, tone: u32) -> f64 {
    let windows = party.heard.chunks_exact(320).zip(party.played.chunks_exact(2));
    let sounding = windows.filter(|(_, played)| *played == [Played::Sound; 2]);
    sounding.map(|(heard, _)| share(heard, tone)).fold(1.0, f64::min)
}

fn sounding(party: &Party) -> usize {
    party.played.iter().filter(|played| **played == Played::Sound).count()
}

#[test]
fn each_hears_the_other_and_not_itself() {
    for codec in Codec::ALL {
        let mut line = Line::new(Network { way: Duration::from_millis(30), ..Network::default() });
        line.agree(&[codec], Direction::SendReceive);
        line.run(2);
        line.forget();
        line.run(10);
        for (party, tone) in line.parties.iter().zip([1000, 440]) {
            assert_eq!(sounding(party), 500, "{codec:?}");
            assert!(purest(party, tone) > 0.98, "{codec:?}: {}", purest(party, tone));
        }
        let statistics = line.parties[0].leg.statistics();
        assert_eq!((statistics.lost, statistics.late, statistics.refused), (0, 0, 0));
        assert!(mean_opinion(&statistics) > 4.2, "{statistics:?}");
    }
}

#[test]
fn encrypted_sound_keys_and_reports_arrive_over_a_bad_network_and_over_a_hold() {
    let network = Network { lost: 3, repeated: 5, jitter: Duration::from_millis(60), ..Network::default() };
    let mut line = Line::new(network);
    let [ours, _] = line.agree_on(&Codec::ALL, Direction::SendReceive, true);
    line.run(10);
    line.parties[0].leg.press(Key::new('7').expect("a key"));
    line.run(5);
    // The same keys again, as after a hold: packets are counted on.
    line.parties[0].leg.agree(Agreement { ptime: Duration::from_millis(40), ..ours });
    line.run(10);
    for (party, tone) in line.parties.iter().zip([1000, 440]) {
        let statistics = party.leg.statistics();
        assert!(sounding(party) > 1000, "{}", sounding(party));
        assert!(share(&party.heard[8000 * 20..], tone) > 0.9);
        assert_eq!(statistics.encryption, Some(Suite::Tag80));
        // Those that came twice are refused by their numbers, and reports as well.
        assert!(statistics.refused > 0 && statistics.forged >= statistics.refused, "{statistics:?}");
        assert!(statistics.round_trip.is_some(), "reports were understood");
    }
    assert_eq!(line.parties[1].keys, "7");
}

#[test]
fn whoever_has_no_key_is_not_heard_where_sound_is_encrypted() {
    let mut line = Line::new(Network::default());
    let [ours, theirs] = line.agree_on(&Codec::ALL, Direction::SendReceive, true);
    // One side speaks in the clear, as somebody would who only knows where to send.
    line.parties[0].leg.agree(Agreement { protected: None, ..ours });
    line.parties[1].leg.agree(theirs);
    line.run(3);
    let heard = &line.parties[1];
    assert!(heard.heard.iter().all(|sample| *sample == 0));
    let statistics = heard.leg.statistics();
    assert!(statistics.forged > 100 && statistics.packets_received == 0, "{statistics:?}");
}

#[test]
fn a_bad_network_is_heard_as_well_as_it_can_be() {
    let network =
        Network { way: Duration::from_millis(60), jitter: Duration::from_millis(80), lost: 5, repeated: 5 };
    let mut line = Line::new(network);
    line.run(10);
    line.forget();
    line.run(30);
    for (party, tone) in line.parties.iter().zip([1000, 440]) {
        let missing = 1500 - sounding(party);
        // Five in a hundred are lost, and two more may be later than the delay that is chosen.
        assert!((40..=120).contains(&missing), "{missing} of 1,500 ticks");
        assert!(share(&party.heard, tone) > 0.0);
        let statistics = party.leg.statistics();
        assert!((60..=140).contains(&statistics.lost), "{statistics:?}");
        assert!((20..=80).contains(&(statistics.jitter.as_millis())), "{statistics:?}");
        assert!(
            statistics.round_trip.is_some_and(|trip| (120..=300).contains(&trip.as_millis())),
            "{statistics:?}"
        );
        assert!(statistics.lost_there.is_some());
        assert!((2.5..4.2).contains(&mean_opinion(&statistics)), "{}", mean_opinion(&statistics));
    }
}

#[test]
fn a_network_that_carries_one_way_only_is_silent_the_other_way() {
    let mut line = Line::new(Network::default());
    line.parties[1].network.lost = 100;
    line.run(5);
    assert_eq!(sounding(&line.parties[0]), 0);
    assert!(sounding(&line.parties[1]) > 240);
    assert_eq!(line.parties[0].leg.quiet_for(line.now), None);
    assert!(line.parties[1].leg.quiet_for(line.now).is_some_and(|quiet| quiet < TICK * 3));
}

#[test]
fn keys_are_heard_once_and_in_their_order_while_the_sound_pauses() {
    let network = Network { jitter: Duration::from_millis(30), lost: 10, repeated: 10, ..Network::default() };
    let mut line = Line::new(network);
    line.run(1);
    for sign in "0123456789*#".chars() {
        assert!(line.parties[0].leg.press(Key::new(sign).expect("a key")));
    }
    line.run(5);
    assert_eq!(line.parties[1].keys, "0123456789*#");
    assert_eq!(line.parties[0].keys, "");
    line.forget();
    line.run(2);
    assert!(purest(&line.parties[1], 440) > 0.5, "the tone is back");
}

#[test]
fn a_held_side_falls_silent_listens_on_and_comes_back() {
    let mut line = Line::new(Network::default());
    line.run(2);
    let [ours, theirs] = line.agree(&Codec::ALL, Direction::SendOnly);
    assert!(!ours.is_held() && theirs.is_held());
    line.run(1);
    line.forget();
    line.run(2);
    assert_eq!((sounding(&line.parties[0]), sounding(&line.parties[1])), (0, 100));
    line.agree(&Codec::ALL, Direction::SendReceive);
    line.run(1);
    line.forget();
    line.run(2);
    for (party, tone) in line.parties.iter().zip([1000, 440]) {
        assert!(sounding(party) >= 98);
        assert!(purest(party, tone) > 0.98);
    }
}

#[test]
fn packets_are_as_long_as_the_other_side_wishes() {
    for (ptime, packets) in [(10, 200), (20, 100), (30, 66), (40, 50), (60, 33)] {
        let mut line = Line::new(Network::default());
        let [ours, theirs] = line.agree(&[Codec::Pcma], Direction::SendReceive);
        line.parties[0].leg.agree(Agreement { ptime: Duration::from_millis(ptime), ..ours });
        line.parties[1].leg.agree(Agreement { ptime: Duration::from_millis(ptime), ..theirs });
        line.run(2);
        let sent = line.parties[0].leg.statistics().packets_sent;
        assert_eq!(sent, packets, "{ptime} ms");
        line.forget();
        line.run(4);
        assert!(sounding(&line.parties[1]) >= 198, "{ptime} ms: {}", sounding(&line.parties[1]));
        assert!(purest(&line.parties[1], 440) > 0.98, "{ptime} ms");
    }
}

#[test]
fn another_source_takes_the_place_of_the_first() {
    let mut line = Line::new(Network::default());
    line.run(3);
    // The other side's switch hands the call to another of its machines, which counts on its own.
    let identity =
        Identity { ssrc: 99, sequence: 3, timestamp: 5, name: String::new(), since_1970: Duration::ZERO };
    let old = std::mem::replace(&mut line.parties[1].leg, Leg::new(identity, Latching::Never));
    line.parties[1].leg.agree(old.agreement().expect("an agreement").clone());
    line.run(1);
    line.forget();
    line.run(2);
    assert!(sounding(&line.parties[0]) >= 98);
    assert_eq!(line.parties[0].leg.statistics().lost, 0);
}

#[test]
fn the_end_is_told() {
    let mut line = Line::new(Network::default());
    line.run(1);
    let mut told = Vec::new();
    line.parties[0]
        .leg
        .goodbye(line.now, |transmit| told.push((transmit.channel, transmit.to, transmit.bytes.to_vec())));
    let [(channel, to, bytes)] = &told[..] else { panic!("one datagram: {told:?}") };
    assert_eq!((*channel, to.to_string()), (Channel::Rtcp, format!("{THERE}:4001")));
    assert_eq!(bytes[bytes.len() - 7], 203, "its last packet says goodbye");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn strangers_and_damaged_packets_do_no_harm(
        datagrams in prop::collection::vec((0_u8..4, prop::collection::vec(any::<u8>(), 0..200)), 0..200),
        flips in prop::collection::vec((0_usize..172, any::<u8>()), 40),
    ) {
        let mut line = Line::new(Network::default());
        line.run(1);
        let stranger: SocketAddr = "203.0.113.5:9".parse().expect("an address");
        for (kind, bytes) in datagrams {
            let from = if kind % 2 == 0 { stranger } else { line.parties[1].address };
            if kind < 2 {
                line.parties[0].leg.handle_rtp(line.now, from, &bytes);
            } else {
                line.parties[0].leg.handle_rtcp(line.now, from, &bytes);
            }
        }
        for (place, value) in flips {
            line.tick();
            if let Some((_, _, bytes)) = line.parties[0].coming.last_mut()
                && let Some(byte) = bytes.get_mut(place)
            {
                *byte = value;
            }
        }
        line.run(4);
        line.forget();
        line.run(2);
        prop_assert!(sounding(&line.parties[0]) >= 90, "{} of 100", sounding(&line.parties[0]));
    }
}
