//! One leg of a call: its sound in both directions, its keys and its reports, without sockets and without a clock.
//!
//! Every 20 ms the owner takes what is to be heard ([`Leg::hear`]) and gives what is to be said ([`Leg::speak`]); datagrams are handed in
//! when they come. Invariant: once a call runs, hearing and speaking allocate nothing.

use core::net::SocketAddr;
use std::time::Duration;

use crate::Codec;
use crate::keys::{Key, KeyPacket, KeyReceiver, KeySender, KeyTick};
use crate::latch::{Latch, Latching};
use crate::negotiate::Agreement;
use crate::packet::Packet;
use crate::playout::{Played, Playout};
use crate::rtcp::{self, Compound, Schedule, Sent};
use crate::srtp::{Incoming, Outgoing};
use crate::statistics::{Reception, Statistics};

/// How a leg shows itself to the other side. Numbers are drawn by the owner: RFC 3550 wants them unpredictable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub ssrc: u32,
    /// The number of the first packet.
    pub sequence: u16,
    /// The time of the first sample.
    pub timestamp: u32,
    /// A name that says nothing about anybody.
    pub name: String,
    /// How long after 1970 the leg's own time began, for reports.
    pub since_1970: Duration,
}

/// A datagram to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit<'a> {
    pub to: SocketAddr,
    pub channel: Channel,
    pub bytes: &'a [u8],
}

/// Which of a leg's two ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Rtp,
    Rtcp,
}

/// What a datagram was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Sound, or another part of a key that is known already.
    Taken,
    /// A key was pressed.
    Key(Key),
    /// It came from somebody else, or is nothing that was agreed on.
    Refused,
}

/// No datagram of a call is longer.
const LONGEST: usize = 2048;

/// The payload type of comfort noise (RFC 3389), which is not played but may come at any time.
const COMFORT_NOISE: u8 = 13;

/// The media of one party of a call.
#[derive(Debug)]
pub struct Leg {
    identity: Identity,
    agreement: Option<Agreement>,
    latch: Latch,
    speaker: Speaker,
    playout: Playout,
    keys: KeyReceiver,
    source: Option<(u32, Reception)>,
    /// Another source, of which one packet has come.
    next_source: Option<u32>,
    schedule: Schedule,
    last_packet: Option<Duration>,
    statistics: Statistics,
    /// What was lost and repeated of sources before the present one.
    before: (u64, u64),
    buffer: Vec<u8>,
    /// What opens the other side's packets, where they are encrypted.
    opener: Option<Incoming>,
    opened: Vec<u8>,
}

impl Leg {
    pub fn new(identity: Identity, latching: Latching) -> Self {
        Self {
            latch: Latch::new(latching),
            speaker: Speaker::new(&identity),
            schedule: Schedule::new(identity.ssrc),
            identity,
            agreement: None,
            playout: Playout::new(),
            keys: KeyReceiver::default(),
            source: None,
            next_source: None,
            last_packet: None,
            statistics: Statistics::default(),
            before: (0, 0),
            buffer: Vec::with_capacity(LONGEST),
            opener: None,
            opened: Vec::with_capacity(LONGEST),
        }
    }

    /// Both sides agreed, for the first time or anew.
    pub fn agree(&mut self, agreement: Agreement) {
        if !agreement.remote.ip().is_unspecified() {
            self.latch.name(agreement.remote);
        }
        self.playout.expect(agreement.receives.clone());
        // As long as a key stays, its packets are counted on.
        let (ours, theirs) = agreement.protected.clone().map(|both| (both.ours, both.theirs)).unzip();
        if self.speaker.protector.as_ref().map(Outgoing::protection) != ours.as_ref() {
            self.speaker.protector = ours.map(Outgoing::new);
        }
        if self.opener.as_ref().map(Incoming::protection) != theirs.as_ref() {
            self.opener = theirs.map(Incoming::new);
        }
        self.agreement = Some(agreement);
    }

    /// What both sides agreed on last.
    pub fn agreement(&self) -> Option<&Agreement> {
        self.agreement.as_ref()
    }

    /// Takes a datagram that came to the port for RTP.
    pub fn handle_rtp(&mut self, now: Duration, from: SocketAddr, bytes: &[u8]) -> Arrival {
        let arrival = match &mut self.opener {
            None => self.take(now, from, bytes),
            Some(opener) => {
                let mut opened = std::mem::take(&mut self.opened);
                opened.clear();
                opened.extend_from_slice(&bytes[..bytes.len().min(LONGEST)]);
                let arrival = if opener.open(&mut opened) {
                    self.take(now, from, &opened)
                } else {
                    self.statistics.forged += 1;
                    Arrival::Refused
                };
                self.opened = opened;
                arrival
            }
        };
        if arrival == Arrival::Refused {
            self.statistics.refused += 1;
        }
        arrival
    }

    /// Takes a datagram that came to the port for RTCP.
    pub fn handle_rtcp(&mut self, now: Duration, from: SocketAddr, bytes: &[u8]) {
        let is_expected = self.latch.target().is_some_and(|target| target.ip() == from.ip())
            || self.agreement.as_ref().is_some_and(|agreement| agreement.remote_rtcp.ip() == from.ip());
        if !is_expected {
            return;
        }
        let mut opened = std::mem::take(&mut self.opened);
        opened.clear();
        opened.extend_from_slice(&bytes[..bytes.len().min(LONGEST)]);
        if self.opener.as_mut().is_none_or(|opener| opener.open_report(&mut opened)) {
            self.read_report(now, &opened);
        } else {
            self.statistics.forged += 1;
        }
        self.opened = opened;
    }

    fn read_report(&mut self, now: Duration, bytes: &[u8]) {
        let Some(compound) = Compound::parse(bytes) else { return };
        if let Some((ssrc, time)) = compound.sender
            && let Some((_, reception)) = self.source.as_mut().filter(|(source, _)| *source == ssrc)
        {
            reception.last_report = Some((time, now));
        }
        for block in compound.blocks.iter().filter(|block| block.ssrc == self.identity.ssrc) {
            self.statistics.lost_there = Some(block.fraction_lost);
            let trip = rtcp::round_trip(block, self.identity.since_1970 + now);
            self.statistics.round_trip = trip.or(self.statistics.round_trip);
        }
    }

    /// Fills `out` with what is heard in this tick.
    pub fn hear(&mut self, now: Duration, out: &mut [i16]) -> Played {
        self.playout.pull(now, out)
    }

    /// Says these samples in this tick, unless a key is being pressed or the other side does not listen; and reports if it is time to.
    pub fn speak(&mut self, now: Duration, samples: &[i16], mut send: impl FnMut(Transmit<'_>)) {
        let (agreement, target) = (self.agreement.as_ref(), self.latch.target());
        match (agreement.filter(|agreement| agreement.direction.sends()), target) {
            (Some(agreement), Some(to)) => self.speaker.tick(samples, agreement, &mut self.buffer, |bytes| {
                send(Transmit { to, channel: Channel::Rtp, bytes });
            }),
            _ => self.speaker.rest(samples),
        }
        if self.agreement.is_some() && self.schedule.is_due(now) {
            self.report(now, false, send);
        }
    }

    /// Says that the leg ends.
    pub fn goodbye(&mut self, now: Duration, send: impl FnMut(Transmit<'_>)) {
        self.report(now, true, send);
    }

    /// Presses a key, as soon as those before it have been pressed. False if the other side does not hear keys in this way.
    pub fn press(&mut self, key: Key) -> bool {
        let hears = self.agreement.as_ref().is_some_and(|agreement| agreement.keys_out.is_some());
        if hears {
            self.speaker.keys.press(key);
        }
        hears
    }

    /// How long nothing has come; `None` if nothing ever did.
    pub fn quiet_for(&self, now: Duration) -> Option<Duration> {
        self.last_packet.map(|last| now.saturating_sub(last))
    }

    pub fn statistics(&self) -> Statistics {
        let counts = self.playout.counts();
        let reception = self.source.as_ref().map(|(_, reception)| reception);
        let jitter = u64::from(reception.map_or(0, Reception::jitter));
        Statistics {
            packets_sent: self.speaker.packets,
            lost: self.before.0 + reception.map_or(0, Reception::lost),
            late: counts.late,
            repeated: self.before.1 + reception.map_or(0, |reception| reception.repeated),
            concealed: counts.concealed,
            left_out: counts.left_out,
            jitter: Duration::from_micros(jitter * 1_000_000 / u64::from(self.rate())),
            delay: self.playout.target(),
            encryption: self.opener.as_ref().map(|opener| opener.protection().suite),
            ..self.statistics
        }
    }

    fn take(&mut self, now: Duration, from: SocketAddr, bytes: &[u8]) -> Arrival {
        let (Ok(packet), Some(agreement)) = (Packet::parse(bytes), &self.agreement) else {
            return Arrival::Refused;
        };
        let is_key = agreement.keys_in == Some(packet.payload_type);
        let is_known =
            is_key || self.playout.knows(packet.payload_type) || packet.payload_type == COMFORT_NOISE;
        let receives = agreement.direction.receives();
        if !is_known || !self.latch.admits(now, from, packet.ssrc, packet.sequence) {
            return Arrival::Refused;
        }
        if !self.is_from_the_source(packet.ssrc, packet.sequence) {
            return Arrival::Taken;
        }
        self.last_packet = Some(now);
        self.statistics.packets_received += 1;
        let rate = self.rate();
        // The timestamps of a key's packets stand still, so that they would tell of jitter where there is none.
        let timestamp = (!is_key).then_some(packet.timestamp);
        let (_, reception) = self.source.get_or_insert((packet.ssrc, Reception::new(packet.sequence)));
        if !reception.take(now, packet.sequence, timestamp, rate) {
            return Arrival::Taken;
        }
        if is_key {
            return self.keys.handle(packet.timestamp, packet.payload).map_or(Arrival::Taken, Arrival::Key);
        }
        if receives {
            self.playout.push(now, packet.timestamp, packet.payload_type, packet.payload);
        }
        Arrival::Taken
    }

    /// Two packets in a row from another source make it the source; a single one may be damaged.
    fn is_from_the_source(&mut self, ssrc: u32, sequence: u16) -> bool {
        let Some((known, reception)) = &self.source else { return true };
        if *known == ssrc {
            self.next_source = None;
            return true;
        }
        if self.next_source != Some(ssrc) {
            self.next_source = Some(ssrc);
            return false;
        }
        self.before = (self.before.0 + reception.lost(), self.before.1 + reception.repeated);
        self.source = Some((ssrc, Reception::new(sequence)));
        self.next_source = None;
        self.playout.restart();
        self.keys = KeyReceiver::default();
        true
    }

    fn report(&mut self, now: Duration, leaves: bool, mut send: impl FnMut(Transmit<'_>)) {
        let Some(to) = self.rtcp_target() else { return };
        let sent = (self.speaker.packets > 0).then_some(Sent {
            since_1970: self.identity.since_1970 + now,
            timestamp: self.speaker.clock,
            packets: u32::try_from(self.speaker.packets & u64::from(u32::MAX)).unwrap_or(0),
            bytes: u32::try_from(self.speaker.bytes & u64::from(u32::MAX)).unwrap_or(0),
        });
        let block = self.source.as_mut().map(|(ssrc, reception)| rtcp::block(*ssrc, reception, now));
        rtcp::write(self.identity.ssrc, &self.identity.name, sent, block, leaves, &mut self.buffer);
        if let Some(protector) = &mut self.speaker.protector {
            protector.protect_report(&mut self.buffer);
        }
        send(Transmit { to, channel: Channel::Rtcp, bytes: &self.buffer });
    }

    /// Reports go where SDP says, or next to where sound really comes from.
    fn rtcp_target(&self) -> Option<SocketAddr> {
        let agreement = self.agreement.as_ref()?;
        let target = self.latch.target()?;
        if target == agreement.remote {
            return Some(agreement.remote_rtcp);
        }
        Some(SocketAddr::new(target.ip(), target.port().checked_add(1)?))
    }

    fn rate(&self) -> u32 {
        self.agreement.as_ref().map_or(Codec::Pcmu.clock_rate(), |agreement| agreement.codec.clock_rate())
    }
}

/// What is sent: sequence numbers, timestamps and the keys under way.
#[derive(Debug)]
struct Speaker {
    ssrc: u32,
    sequence: u16,
    /// The time of the next tick.
    clock: u32,
    keys: KeySender,
    /// Samples that wait until a packet is full.
    pending: Vec<i16>,
    payload: Vec<u8>,
    /// False after a pause in which nothing was sent: the next packet of sound is marked.
    is_talking: bool,
    packets: u64,
    bytes: u64,
    /// What encrypts our packets, where they are.
    protector: Option<Outgoing>,
}

impl Speaker {
    fn new(identity: &Identity) -> Self {
        Self {
            ssrc: identity.ssrc,
            sequence: identity.sequence,
            clock: identity.timestamp,
            keys: KeySender::new(),
            pending: Vec::with_capacity(1024),
            payload: Vec::with_capacity(1024),
            is_talking: false,
            packets: 0,
            bytes: 0,
            protector: None,
        }
    }

    /// Sends what this tick brings.
    fn tick(
        &mut self,
        samples: &[i16],
        agreement: &Agreement,
        buffer: &mut Vec<u8>,
        mut send: impl FnMut(&[u8]),
    ) {
        let units = u32::try_from(samples.len()).unwrap_or(0);
        match (self.keys.tick(self.clock, units), agreement.keys_out) {
            (KeyTick::Packet(packet), Some(payload_type)) => {
                self.rest(samples);
                self.key(packet, payload_type, buffer);
                send(buffer);
            }
            (KeyTick::Idle, _) => self.sound(samples, agreement, buffer, send),
            _ => self.rest(samples),
        }
    }

    /// A tick in which no sound is sent.
    fn rest(&mut self, samples: &[i16]) {
        self.pending.clear();
        self.is_talking = false;
        self.clock = self.clock.wrapping_add(u32::try_from(samples.len()).unwrap_or(0));
    }

    fn sound(
        &mut self,
        samples: &[i16],
        agreement: &Agreement,
        buffer: &mut Vec<u8>,
        mut send: impl FnMut(&[u8]),
    ) {
        let codec = agreement.codec;
        let ptime = u32::try_from(agreement.ptime.as_millis()).unwrap_or(20);
        let full = (codec.clock_rate() * ptime / 1000) as usize;
        let mut timestamp = self.clock.wrapping_sub(u32::try_from(self.pending.len()).unwrap_or(0));
        self.pending.extend_from_slice(samples);
        self.clock = self.clock.wrapping_add(u32::try_from(samples.len()).unwrap_or(0));
        while self.pending.len() >= full {
            self.payload.clear();
            codec.encode(&self.pending[..full], &mut self.payload);
            self.pending.drain(..full);
            let marker = !std::mem::replace(&mut self.is_talking, true);
            self.write(marker, agreement.payload_type, timestamp, buffer);
            send(buffer);
            timestamp = timestamp.wrapping_add(u32::try_from(full).unwrap_or(0));
        }
    }

    fn key(&mut self, packet: KeyPacket, payload_type: u8, buffer: &mut Vec<u8>) {
        self.payload.clear();
        self.payload.extend_from_slice(&packet.payload);
        self.write(packet.marker, payload_type, packet.timestamp, buffer);
    }

    /// Writes the next packet, whose payload is ready.
    fn write(&mut self, marker: bool, payload_type: u8, timestamp: u32, buffer: &mut Vec<u8>) {
        let (sequence, payload) = (self.sequence, &self.payload);
        Packet { marker, payload_type, sequence, timestamp, ssrc: self.ssrc, payload }.write(buffer);
        if let Some(protector) = &mut self.protector {
            protector.protect(buffer);
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.packets += 1;
        self.bytes += payload.len() as u64;
    }
}
