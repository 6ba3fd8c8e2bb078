//! Encrypted sound: SRTP and SRTCP (RFC 3711) with AES in counter mode and HMAC-SHA1, and the keys in SDP (RFC 4568).
//!
//! Packets are encrypted and decrypted where they lie. Invariants: nothing of a packet is believed before its tag was found right, not
//! even its number; and no packet is taken twice.

use core::fmt;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// How packets are protected. Both encrypt with AES; they differ in how much of the tag goes with a packet of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Tags of 80 bits, which every implementation knows.
    Tag80,
    /// Tags of 32 bits, which cost less on narrow lines.
    Tag32,
}

/// The master key of one direction, with its salt: 30 bytes that nobody can guess.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(pub [u8; MASTER]);

/// How one direction is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    pub suite: Suite,
    pub key: MasterKey,
}

const MASTER: usize = 30;
const KEY: usize = 16;
const SALT: usize = 14;
const BLOCK: usize = 16;

/// The header of RTP without anything optional, and of RTCP with the sender.
const RTP_HEADER: usize = 12;
const RTCP_HEADER: usize = 8;

/// SRTCP says in front of its tag which packet it is, and whether it is encrypted.
const INDEX: usize = 4;
const ENCRYPTED: u32 = 1 << 31;
const RTCP_TAG: usize = 10;

/// How many sources of one direction are told apart; the one that was silent longest is forgotten.
const MOST_SOURCES: usize = 4;

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl Suite {
    pub const ALL: [Self; 2] = [Self::Tag80, Self::Tag32];

    /// Its name in SDP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Tag32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    fn tag(self) -> usize {
        match self {
            Self::Tag80 => 10,
            Self::Tag32 => 4,
        }
    }
}

/// The keys that are made of a master key for one kind of packet (RFC 3711 section 4.3).
struct Session {
    cipher: Aes128,
    salt: [u8; SALT],
    /// Keyed once and copied for each packet.
    mac: Hmac<Sha1>,
}

impl Session {
    /// The keys with these three labels in a row.
    fn new(master: &MasterKey, label: u8) -> Self {
        let (key, salt) = master.0.split_at(KEY);
        let derivation = Aes128::new_from_slice(key).expect("a key of 16 bytes");
        let mut made = [[0; 20]; 3];
        for (made, label) in made.iter_mut().zip(label..) {
            let mut counter = [0; BLOCK];
            counter[..SALT].copy_from_slice(salt);
            counter[7] ^= label;
            apply(&derivation, counter, made);
        }
        let [key, mac, salt] = made;
        Self {
            cipher: Aes128::new_from_slice(&key[..KEY]).expect("a key of 16 bytes"),
            salt: *salt.first_chunk().expect("20 bytes hold 14"),
            mac: Hmac::new_from_slice(&mac).expect("a key may have any length"),
        }
    }

    /// Encrypts or decrypts what a source sends as its packet with this index: the same in both directions.
    fn turn(&self, ssrc: [u8; 4], index: u64, bytes: &mut [u8]) {
        let mut counter = [0; BLOCK];
        counter[..SALT].copy_from_slice(&self.salt);
        for (byte, other) in counter[4..8].iter_mut().zip(ssrc) {
            *byte ^= other;
        }
        for (byte, other) in counter[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= other;
        }
        apply(&self.cipher, counter, bytes);
    }

    fn tag(&self, parts: [&[u8]; 2]) -> [u8; 20] {
        self.keyed(parts).finalize().into_bytes().into()
    }

    fn fits(&self, parts: [&[u8]; 2], tag: &[u8]) -> bool {
        self.keyed(parts).verify_truncated_left(tag).is_ok()
    }

    fn keyed(&self, parts: [&[u8]; 2]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// Adds the key stream that begins with this counter.
fn apply(cipher: &Aes128, mut counter: [u8; BLOCK], bytes: &mut [u8]) {
    for (number, piece) in (0_u16..).zip(bytes.chunks_mut(BLOCK)) {
        counter[SALT..].copy_from_slice(&number.to_be_bytes());
        let mut stream = counter.into();
        cipher.encrypt_block(&mut stream);
        for (byte, other) in piece.iter_mut().zip(stream.iter()) {
            *byte ^= other;
        }
    }
}

/// Protects what we send.
pub(crate) struct Outgoing {
    protection: Protection,
    rtp: Session,
    rtcp: Session,
    /// The number of the packet before, counted on over its 16 bits.
    last: Option<u64>,
    reports: u32,
}

impl Outgoing {
    pub(crate) fn new(protection: Protection) -> Self {
        let (rtp, rtcp) = (Session::new(&protection.key, 0), Session::new(&protection.key, 3));
        Self { protection, rtp, rtcp, last: None, reports: 0 }
    }

    pub(crate) fn protection(&self) -> &Protection {
        &self.protection
    }

    /// Encrypts a packet of ours, which has nothing between header and payload, and adds its tag.
    pub(crate) fn protect(&mut self, packet: &mut Vec<u8>) {
        let Some((header, payload)) = packet.split_first_chunk_mut::<RTP_HEADER>() else { return };
        let number = u16::from_be_bytes([header[2], header[3]]);
        let index = self.last.map_or(u64::from(number), |last| {
            let ahead = number.wrapping_sub(last.to_be_bytes()[6..].try_into().map_or(0, u16::from_be_bytes));
            last + u64::from(ahead)
        });
        self.last = Some(index);
        self.rtp.turn([header[8], header[9], header[10], header[11]], index, payload);
        let tag = self.rtp.tag([packet, &rollover(index)]);
        packet.extend_from_slice(&tag[..self.protection.suite.tag()]);
    }

    /// The same for a report.
    pub(crate) fn protect_report(&mut self, packet: &mut Vec<u8>) {
        let Some((header, rest)) = packet.split_first_chunk_mut::<RTCP_HEADER>() else { return };
        self.reports = (self.reports + 1) & !ENCRYPTED;
        self.rtcp.turn([header[4], header[5], header[6], header[7]], self.reports.into(), rest);
        packet.extend_from_slice(&(self.reports | ENCRYPTED).to_be_bytes());
        let tag = self.rtcp.tag([packet, &[]]);
        packet.extend_from_slice(&tag[..RTCP_TAG]);
    }
}

/// How often the sequence number has begun anew, as tags cover it.
fn rollover(index: u64) -> [u8; 4] {
    let [_, _, rollover @ .., _, _] = index.to_be_bytes();
    rollover
}

/// Opens what the other side sends.
pub(crate) struct Incoming {
    protection: Protection,
    rtp: Session,
    rtcp: Session,
    sources: [Option<Source>; MOST_SOURCES],
    reports: [Option<Source>; MOST_SOURCES],
}

/// Which packets of a source have come.
#[derive(Debug, Clone, Copy)]
struct Source {
    ssrc: [u8; 4],
    seen: Seen,
}

/// The highest index, and which of the 64 up to it have come; the lowest bit is the highest index.
#[derive(Debug, Clone, Copy)]
struct Seen {
    highest: u64,
    window: u64,
}

impl Seen {
    fn holds(self, index: u64) -> bool {
        let Some(behind) = self.highest.checked_sub(index) else { return false };
        behind >= 64 || self.window >> behind & 1 == 1
    }

    fn add(&mut self, index: u64) {
        match self.highest.checked_sub(index) {
            Some(behind) => self.window |= 1 << behind,
            None => {
                let ahead = u32::try_from(index - self.highest).unwrap_or(u32::MAX);
                self.window = self.window.checked_shl(ahead).unwrap_or(0) | 1;
                self.highest = index;
            }
        }
    }
}

impl Incoming {
    pub(crate) fn new(protection: Protection) -> Self {
        let (rtp, rtcp) = (Session::new(&protection.key, 0), Session::new(&protection.key, 3));
        Self { protection, rtp, rtcp, sources: [None; MOST_SOURCES], reports: [None; MOST_SOURCES] }
    }

    pub(crate) fn protection(&self) -> &Protection {
        &self.protection
    }

    /// Opens a packet in its place and takes its tag off; false if it is not the other side's, or has come before.
    pub(crate) fn open(&mut self, packet: &mut Vec<u8>) -> bool {
        let Some(length) = packet.len().checked_sub(self.protection.suite.tag()) else { return false };
        let (sealed, tag) = packet.split_at(length);
        let Some(header) = header_of(sealed) else { return false };
        let number = u16::from_be_bytes([sealed[2], sealed[3]]);
        let ssrc = [sealed[8], sealed[9], sealed[10], sealed[11]];
        let known =
            self.sources.iter().flatten().find(|source| source.ssrc == ssrc).map(|source| source.seen);
        let index = known.map_or(u64::from(number), |seen| guess(seen.highest, number));
        if known.is_some_and(|seen| seen.holds(index)) || !self.rtp.fits([sealed, &rollover(index)], tag) {
            return false;
        }
        note(&mut self.sources, ssrc, index);
        packet.truncate(length);
        self.rtp.turn(ssrc, index, &mut packet[header..]);
        true
    }

    /// The same for reports.
    pub(crate) fn open_report(&mut self, packet: &mut Vec<u8>) -> bool {
        let Some(length) = packet.len().checked_sub(RTCP_TAG + INDEX).filter(|length| *length >= RTCP_HEADER)
        else {
            return false;
        };
        let (sealed, tag) = packet.split_at(length + INDEX);
        let word = sealed[length..].try_into().map_or(0, u32::from_be_bytes);
        let index = u64::from(word & !ENCRYPTED);
        let ssrc = [sealed[4], sealed[5], sealed[6], sealed[7]];
        let known = self.reports.iter().flatten().find(|source| source.ssrc == ssrc);
        if known.is_some_and(|source| source.seen.holds(index)) || !self.rtcp.fits([sealed, &[]], tag) {
            return false;
        }
        note(&mut self.reports, ssrc, index);
        packet.truncate(length);
        if word & ENCRYPTED != 0 {
            self.rtcp.turn(ssrc, index, &mut packet[RTCP_HEADER..]);
        }
        true
    }
}

/// Which index a number means: the one that is nearest to the highest so far (RFC 3711 section 3.3.1).
fn guess(highest: u64, number: u16) -> u64 {
    let same = highest & !0xFFFF | u64::from(number);
    let candidates = [same.checked_sub(1 << 16), Some(same), same.checked_add(1 << 16)];
    candidates.into_iter().flatten().min_by_key(|index| index.abs_diff(highest)).unwrap_or(same)
}

/// Notes a packet whose tag was right. The source that spoke last stands first.
fn note(sources: &mut [Option<Source>; MOST_SOURCES], ssrc: [u8; 4], index: u64) {
    let place = sources.iter().position(|source| source.is_some_and(|source| source.ssrc == ssrc));
    let place = place.unwrap_or_else(|| {
        sources[MOST_SOURCES - 1] = Some(Source { ssrc, seen: Seen { highest: index, window: 0 } });
        MOST_SOURCES - 1
    });
    sources[..=place].rotate_right(1);
    if let Some(source) = &mut sources[0] {
        source.seen.add(index);
    }
}

/// How long the header of an RTP packet is, with everything that is not encrypted.
fn header_of(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    let mut length = RTP_HEADER + usize::from(first & 0x0F) * 4;
    if first & 0x10 != 0 {
        let words = u16::from_be_bytes([*packet.get(length + 2)?, *packet.get(length + 3)?]);
        length += 4 + usize::from(words) * 4;
    }
    (length <= packet.len()).then_some(length)
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("suite", &self.protection.suite).finish_non_exhaustive()
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("suite", &self.protection.suite).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            text.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).expect("a digit")).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    fn protection(suite: Suite) -> Protection {
        Protection {
            suite,
            key: MasterKey(core::array::from_fn(|place| u8::try_from(place * 7).expect("a byte"))),
        }
    }

    fn packet(number: u16, ssrc: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 0];
        packet.extend(number.to_be_bytes());
        packet.extend(7_u32.to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        packet.extend(b"what somebody says, longer than a block");
        packet
    }

    /// RFC 3711, appendices B.3 and B.2.
    #[test]
    fn keys_and_key_streams_are_those_of_the_rfc() {
        let master = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
        let session = Session::new(&MasterKey(master.try_into().expect("30 bytes")), 0);
        assert_eq!(session.salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
        let mut stream = [0; 16];
        apply(&session.cipher, [0; 16], &mut stream);
        let key = Aes128::new_from_slice(&hex("C61E7A93744F39EE10734AFE3FF7A087")).expect("16 bytes");
        let mut expected = [0; 16];
        apply(&key, [0; 16], &mut expected);
        assert_eq!(stream, expected);
        let mac: Hmac<Sha1> =
            Hmac::new_from_slice(&hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")).expect("a key");
        assert_eq!(
            session.tag([b"x", b""]).to_vec(),
            mac.chain_update(b"x").finalize().into_bytes().to_vec()
        );

        let cipher = Aes128::new_from_slice(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).expect("16 bytes");
        let mut stream = [0; 48];
        let salt = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().expect("16 bytes");
        apply(&cipher, salt, &mut stream);
        let expected = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0";
        assert_eq!(stream.to_vec(), hex(expected));
    }

    #[test]
    fn what_was_protected_is_opened_over_a_new_beginning_of_the_numbers() {
        for suite in Suite::ALL {
            let (mut out, mut incoming) =
                (Outgoing::new(protection(suite)), Incoming::new(protection(suite)));
            for step in 0..200_000_u32 {
                let plain = packet(u16::try_from((step * 7 + 65_000) & 0xFFFF).expect("16 bits"), 1);
                let mut sealed = plain.clone();
                out.protect(&mut sealed);
                assert_eq!(sealed.len(), plain.len() + suite.tag());
                assert_ne!(sealed[12..28], plain[12..28]);
                assert!(incoming.open(&mut sealed), "{step}");
                assert_eq!(sealed, plain);
                if step > 30_000 && suite == Suite::Tag32 {
                    break;
                }
            }
        }
    }

    #[test]
    fn packets_in_disorder_are_opened_once_each() {
        let (mut out, mut incoming) =
            (Outgoing::new(protection(Suite::Tag80)), Incoming::new(protection(Suite::Tag80)));
        let sealed: Vec<Vec<u8>> = (65_500..65_600_u32)
            .map(|number| {
                let mut packet = packet(u16::try_from(number & 0xFFFF).expect("16 bits"), 1);
                out.protect(&mut packet);
                packet
            })
            .collect();
        let mut order: Vec<usize> = (0..100).collect();
        order.chunks_mut(7).for_each(<[usize]>::reverse);
        for place in &order {
            assert!(incoming.open(&mut sealed[*place].clone()), "{place}");
        }
        for place in &order {
            assert!(!incoming.open(&mut sealed[*place].clone()), "{place} has come before");
        }
    }

    #[test]
    fn a_packet_of_somebody_else_changes_nothing() {
        let (mut out, mut incoming) =
            (Outgoing::new(protection(Suite::Tag80)), Incoming::new(protection(Suite::Tag80)));
        let mut first = packet(10, 1);
        out.protect(&mut first);
        for place in 0..first.len() {
            let mut damaged = first.clone();
            damaged[place] ^= 0x40;
            assert!(!incoming.open(&mut damaged), "{place}");
        }
        let mut plain = packet(60_000, 1);
        assert!(!incoming.open(&mut plain), "a packet that nobody protected");
        assert!(incoming.open(&mut first), "the real one still counts");
    }

    #[test]
    fn sources_are_told_apart_and_none_is_heard_twice() {
        let mut incoming = Incoming::new(protection(Suite::Tag80));
        let mut sealed = Vec::new();
        for ssrc in 0..4 {
            let mut packet = packet(100, ssrc);
            Outgoing::new(protection(Suite::Tag80)).protect(&mut packet);
            sealed.push(packet);
        }
        for _ in 0..2 {
            let opened = sealed.iter().filter(|packet| incoming.open(&mut (*packet).clone())).count();
            sealed.truncate(opened);
        }
        assert!(sealed.is_empty(), "the second round opened nothing");
    }

    #[test]
    fn reports_are_opened_once_and_by_the_right_key_only() {
        let (mut out, mut incoming) =
            (Outgoing::new(protection(Suite::Tag32)), Incoming::new(protection(Suite::Tag32)));
        let plain: Vec<u8> = [&[0x80, 200, 0, 6, 0, 0, 0, 1][..], &[9; 20]].concat();
        for _ in 0..3 {
            let mut sealed = plain.clone();
            out.protect_report(&mut sealed);
            assert_eq!(sealed.len(), plain.len() + 14, "reports have whole tags");
            let mut again = sealed.clone();
            let mut damaged = sealed.clone();
            damaged[12] ^= 1;
            assert!(!incoming.open_report(&mut damaged) && incoming.open_report(&mut sealed));
            assert_eq!(sealed, plain);
            assert!(!incoming.open_report(&mut again));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut incoming = Incoming::new(protection(Suite::Tag32));
            prop_assert!(!incoming.open(&mut bytes.clone()));
            prop_assert!(!incoming.open_report(&mut bytes.clone()));
        }
    }
}
