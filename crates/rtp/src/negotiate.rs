//! How both sides agree on a call's sound: offer and answer (RFC 3264).
//!
//! The one who answers chooses one codec of those offered, so that nothing changes in the middle of a call unless somebody offers anew.
//! A hold is an offer like any other: it says that its sender does not listen.

use core::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::Codec;
use crate::sdp::{Crypto, Description, Direction, Mapping, Media};
use crate::srtp::{MasterKey, Protection, Suite};

/// What our side brings to the agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Where we listen, as the other side sees it.
    pub address: IpAddr,
    pub port: u16,
    /// What we speak, the best first.
    pub codecs: Vec<Codec>,
    /// Whether our sound is encrypted.
    pub encryption: Encryption,
    /// Tells our descriptions of one call from others.
    pub session_id: u64,
}

/// Whether sound is encrypted (SRTP, with keys in the descriptions). Keys in descriptions are as secret as the signalling is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// Never, even if the other side offers it.
    Off,
    /// If the other side can do it (RFC 8643).
    Optional(Keys),
    /// There is no call without it.
    Required(Keys),
}

/// The keys with which we encrypt, one for each suite. Drawn by the owner: nobody may guess them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(pub [MasterKey; 2]);

/// How both directions are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protected {
    pub ours: Protection,
    pub theirs: Protection,
}

impl Encryption {
    fn keys(&self) -> Option<&Keys> {
        match self {
            Self::Off => None,
            Self::Optional(keys) | Self::Required(keys) => Some(keys),
        }
    }

    /// Whether sound may go as this medium says.
    fn allows(&self, media: &Media) -> bool {
        match self {
            Self::Off => !is_encrypted(media),
            Self::Optional(_) => !is_encrypted(media) || !media.crypto.is_empty(),
            Self::Required(_) => !media.crypto.is_empty(),
        }
    }
}

impl Keys {
    /// What we offer, the best first.
    fn offered(&self) -> Vec<Crypto> {
        let all = (1..).zip(Suite::ALL).zip(&self.0);
        all.map(|((tag, suite), key)| Crypto { tag, suite, key: key.clone() }).collect()
    }

    /// How both directions are encrypted if the other side encrypts in this way, and what we say of it.
    fn with(&self, theirs: &Crypto) -> Option<(Crypto, Protected)> {
        let ours = self.offered().into_iter().find(|ours| ours.suite == theirs.suite)?;
        let protection = |crypto: &Crypto| Protection { suite: crypto.suite, key: crypto.key.clone() };
        let protected = Protected { ours: protection(&ours), theirs: protection(theirs) };
        Some((Crypto { tag: theirs.tag, ..ours }, protected))
    }
}

/// True if a medium is told to be encrypted.
fn is_encrypted(media: &Media) -> bool {
    matches!(media.protocol.as_str(), "RTP/SAVP" | "RTP/SAVPF")
}

/// What both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    pub remote: SocketAddr,
    pub remote_rtcp: SocketAddr,
    /// The codec of the sound that is sent.
    pub codec: Codec,
    pub payload_type: u8,
    /// What the other side may send.
    pub receives: Vec<(u8, Codec)>,
    /// The payload type of keys that we send, if the other side hears them.
    pub keys_out: Option<u8>,
    /// The payload type of keys that come in.
    pub keys_in: Option<u8>,
    /// How much sound we put in a packet.
    pub ptime: Duration,
    /// Which way sound flows, seen from this side.
    pub direction: Direction,
    /// How sound is encrypted, if it is.
    pub protected: Option<Protected>,
}

impl Agreement {
    /// True if the other side has put us on hold.
    pub fn is_held(&self) -> bool {
        !self.direction.sends()
    }
}

/// Why there is no agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unacceptable {
    /// There is no sound in it, or sound over something else than RTP.
    NoAudio,
    /// Sound would be encrypted, or not, against our wish, or with a key that was not agreed on.
    Encryption,
    /// No codec that both know.
    NoCodec,
    /// It does not say where to send.
    NoAddress,
    /// An answer to an offer that was not made.
    NothingOffered,
}

impl core::fmt::Display for Unacceptable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoAudio => "the description holds no sound over RTP",
            Self::Encryption => "both sides do not agree on whether sound is encrypted, and how",
            Self::NoCodec => "the other side knows none of our codecs",
            Self::NoAddress => "the description holds no address",
            Self::NothingOffered => "this answers an offer that was not made",
        })
    }
}

/// The payload type of keys in our offers.
const KEYS: u8 = 101;

/// The name of keys in descriptions.
const TELEPHONE_EVENT: &str = "telephone-event";

/// How much sound is in a packet unless the other side wishes something else.
const PTIME: u16 = 20;

/// One call's offers and answers on our side.
#[derive(Debug, Clone)]
pub struct Negotiator {
    local: Local,
    version: u64,
    /// The direction of our offer that waits for an answer.
    offered: Option<Direction>,
    /// Our last description, which is given again as it was when nothing changes.
    last: Option<Description>,
}

impl Negotiator {
    pub fn new(local: Local) -> Self {
        Self { local, version: 0, offered: None, last: None }
    }

    /// The offer of this side, with a version that grows.
    pub fn offer(&mut self, direction: Direction) -> Description {
        let mut audio = Media {
            kind: "audio".to_owned(),
            port: self.local.port,
            protocol: match self.local.encryption {
                Encryption::Required(_) => "RTP/SAVP".to_owned(),
                Encryption::Off | Encryption::Optional(_) => "RTP/AVP".to_owned(),
            },
            crypto: self.local.encryption.keys().map(Keys::offered).unwrap_or_default(),
            direction: Some(direction),
            ptime: Some(PTIME),
            ..Media::default()
        };
        for codec in &self.local.codecs {
            add_codec(&mut audio, codec.payload_type(), *codec);
        }
        add_keys(&mut audio, KEYS);
        self.offered = Some(direction);
        self.describe(vec![audio])
    }

    /// Answers an offer; `wish` is which way we would like sound to go.
    pub fn answer(
        &mut self,
        offer: &Description,
        wish: Direction,
    ) -> Result<(Description, Agreement), Unacceptable> {
        let (chosen, theirs) = self.audio(offer)?;
        let (payload_type, codec) = self.common(theirs)?;
        let keys = self.local.encryption.keys();
        let encrypted = keys.and_then(|keys| theirs.crypto.iter().find_map(|theirs| keys.with(theirs)));
        let (crypto, protected) = encrypted.unzip();
        let direction = wish.and(offer.direction_of(theirs).reversed());
        let signs = keys_of(theirs);
        let agreement = Agreement {
            receives: vec![(payload_type, codec)],
            keys_in: signs,
            protected,
            ..agreement(offer, theirs, codec, payload_type, direction)?
        };
        let mut ours = Media {
            kind: theirs.kind.clone(),
            port: self.local.port,
            protocol: theirs.protocol.clone(),
            crypto: Vec::from_iter(crypto),
            direction: Some(direction),
            ptime: Some(PTIME),
            ..Media::default()
        };
        add_codec(&mut ours, payload_type, codec);
        if let Some(payload_type) = signs {
            add_keys(&mut ours, payload_type);
        }
        // Every medium of the offer has its place in the answer; those that we do not take get the port zero.
        let media = offer
            .media
            .iter()
            .enumerate()
            .map(|(place, media)| if place == chosen { ours.clone() } else { refused(media) });
        let media = media.collect();
        self.offered = None;
        Ok((self.describe(media), agreement))
    }

    /// Takes the answer to our offer.
    pub fn accept(&mut self, answer: &Description) -> Result<Agreement, Unacceptable> {
        let offered = self.offered.ok_or(Unacceptable::NothingOffered)?;
        let (_, theirs) = self.audio(answer)?;
        let (payload_type, codec) = self.common(theirs)?;
        let protected = match (self.local.encryption.keys(), theirs.crypto.first()) {
            (Some(keys), Some(theirs)) => {
                // An answer takes one of the keys that we offered.
                let (ours, protected) = keys.with(theirs).ok_or(Unacceptable::Encryption)?;
                if !keys.offered().contains(&ours) {
                    return Err(Unacceptable::Encryption);
                }
                Some(protected)
            }
            _ => None,
        };
        let direction = offered.and(answer.direction_of(theirs).reversed());
        self.offered = None;
        Ok(Agreement {
            receives: self.local.codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect(),
            keys_in: Some(KEYS),
            protected,
            ..agreement(answer, theirs, codec, payload_type, direction)?
        })
    }

    /// The medium of a description that is sound as we may have it, and its place.
    fn audio<'a>(&self, description: &'a Description) -> Result<(usize, &'a Media), Unacceptable> {
        let mut all = description.media.iter().enumerate().filter(|(_, media)| is_audio(media)).peekable();
        if all.peek().is_none() {
            return Err(Unacceptable::NoAudio);
        }
        all.find(|(_, media)| self.local.encryption.allows(media)).ok_or(Unacceptable::Encryption)
    }

    /// The codec that the other side prefers of those that both know, and its payload type.
    fn common(&self, theirs: &Media) -> Result<(u8, Codec), Unacceptable> {
        let mut known = theirs.payload_types().filter_map(|payload_type| {
            let mapping = theirs.mapping_of(payload_type)?;
            let is_meant = |codec: &&Codec| is_named(&mapping, codec.name(), codec.clock_rate());
            Some((payload_type, *self.local.codecs.iter().find(is_meant)?))
        });
        known.next().ok_or(Unacceptable::NoCodec)
    }

    /// The description of these media. Its version is that of the last one if it says the same.
    fn describe(&mut self, media: Vec<Media>) -> Description {
        if let Some(last) = self.last.as_ref().filter(|last| last.media == media) {
            return last.clone();
        }
        self.version += 1;
        let description = Description {
            session_id: self.local.session_id,
            version: self.version,
            address: Some(self.local.address),
            direction: None,
            media,
        };
        self.last = Some(description.clone());
        description
    }
}

/// True for sound over RTP.
fn is_audio(media: &Media) -> bool {
    let is_rtp = is_encrypted(media) || matches!(media.protocol.as_str(), "RTP/AVP" | "RTP/AVPF");
    media.kind == "audio" && media.port != 0 && is_rtp
}

fn agreement(
    description: &Description,
    theirs: &Media,
    codec: Codec,
    payload_type: u8,
    direction: Direction,
) -> Result<Agreement, Unacceptable> {
    let address = description.address_of(theirs).ok_or(Unacceptable::NoAddress)?;
    let (rtcp_port, rtcp_address) = theirs.rtcp.unwrap_or((theirs.port.saturating_add(1), None));
    // The old way to hold a call (RFC 2543): there is no address to send to.
    let direction = if address.is_unspecified() { direction.and(Direction::ReceiveOnly) } else { direction };
    Ok(Agreement {
        remote: SocketAddr::new(address, theirs.port),
        remote_rtcp: SocketAddr::new(rtcp_address.unwrap_or(address), rtcp_port),
        codec,
        payload_type,
        receives: Vec::new(),
        keys_out: keys_of(theirs),
        keys_in: None,
        protected: None,
        ptime: Duration::from_millis(u64::from(ptime(theirs))),
        direction,
    })
}

/// What the other side wishes, if it is a multiple of ten milliseconds that anybody uses.
fn ptime(theirs: &Media) -> u16 {
    theirs.ptime.filter(|ptime| (10..=60).contains(ptime) && ptime.is_multiple_of(10)).unwrap_or(PTIME)
}

/// The payload type under which the other side hears keys.
fn keys_of(theirs: &Media) -> Option<u8> {
    theirs.payload_types().find(|payload_type| {
        theirs.mapping_of(*payload_type).is_some_and(|mapping| is_named(&mapping, TELEPHONE_EVENT, 8000))
    })
}

fn is_named(mapping: &Mapping, name: &str, clock_rate: u32) -> bool {
    mapping.name.eq_ignore_ascii_case(name) && mapping.clock_rate == clock_rate
}

fn add_codec(media: &mut Media, payload_type: u8, codec: Codec) {
    add(media, payload_type, codec.name(), codec.clock_rate());
}

fn add_keys(media: &mut Media, payload_type: u8) {
    add(media, payload_type, TELEPHONE_EVENT, 8000);
    media.parameters.insert(payload_type, "0-15".to_owned());
}

fn add(media: &mut Media, payload_type: u8, name: &str, clock_rate: u32) {
    media.formats.push(payload_type.to_string());
    media.mappings.insert(payload_type, Mapping { name: name.to_owned(), clock_rate });
}

fn refused(media: &Media) -> Media {
    // A medium without any format cannot be written.
    let format = media.formats.first().cloned().unwrap_or_else(|| "0".to_owned());
    Media {
        kind: media.kind.clone(),
        protocol: media.protocol.clone(),
        formats: vec![format],
        ..Media::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 5 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

    fn local(codecs: &[Codec]) -> Local {
        let address = "198.51.100.1".parse().expect("an address");
        Local { address, port: 7000, codecs: codecs.to_vec(), encryption: Encryption::Off, session_id: 9 }
    }

    fn negotiator() -> Negotiator {
        Negotiator::new(local(&Codec::ALL))
    }

    fn parsed(media: &str) -> Description {
        Description::parse(format!("{HEAD}{media}").as_bytes()).expect("a description")
    }

    fn answered(media: &str) -> Result<(Description, Agreement), Unacceptable> {
        negotiator().answer(&parsed(media), Direction::SendReceive)
    }

    /// The agreement of the side that offers with one that answers like ourselves.
    fn agreed(offering: &[Codec], answering: &[Codec]) -> (Agreement, Agreement) {
        let mut offering = Negotiator::new(local(offering));
        let offer = offering.offer(Direction::SendReceive);
        let (answer, theirs) =
            Negotiator::new(local(answering)).answer(&offer, Direction::SendReceive).expect("an answer");
        (offering.accept(&answer).expect("an agreement"), theirs)
    }

    #[test]
    fn two_of_us_agree_on_the_first_codec_that_both_know() {
        let (ours, theirs) = agreed(&Codec::ALL, &Codec::ALL);
        assert_eq!((ours.codec, theirs.codec), (Codec::Pcmu, Codec::Pcmu));
        assert_eq!((ours.keys_out, ours.keys_in, theirs.keys_in), (Some(101), Some(101), Some(101)));
        assert_eq!(ours.remote, "198.51.100.1:7000".parse().expect("an address"));
        assert_eq!(ours.remote_rtcp.port(), 7001);
        let (ours, theirs) = agreed(&Codec::ALL, &[Codec::Pcma]);
        assert_eq!((ours.codec, theirs.codec, ours.payload_type), (Codec::Pcma, Codec::Pcma, 8));
    }

    #[test]
    fn the_other_sides_preference_and_payload_types_are_taken() {
        let (answer, agreement) = answered(
            "m=audio 4000 RTP/AVP 18 8 0 96 97\r\na=rtpmap:96 telephone-event/48000\r\na=rtpmap:97 telephone-event/8000\r\n\
             a=ptime:30\r\na=rtcp:4444\r\n",
        )
        .expect("an agreement");
        assert_eq!(
            (agreement.codec, agreement.keys_out, agreement.keys_in),
            (Codec::Pcma, Some(97), Some(97))
        );
        assert_eq!(agreement.ptime, Duration::from_millis(30));
        assert_eq!((agreement.remote.port(), agreement.remote_rtcp.port()), (4000, 4444));
        assert_eq!(answer.media[0].formats, ["8", "97"]);
    }

    #[test]
    fn a_codec_under_a_number_of_its_own_is_found_and_a_wrong_rate_is_not() {
        let (_, agreement) =
            answered("m=audio 4000 RTP/AVP 99\r\na=rtpmap:99 pcmu/8000\r\n").expect("an agreement");
        assert_eq!((agreement.payload_type, agreement.receives), (99, vec![(99, Codec::Pcmu)]));
        assert_eq!(agreement.keys_out, None);
        assert_eq!(
            answered("m=audio 4000 RTP/AVP 99\r\na=rtpmap:99 PCMU/16000\r\n"),
            Err(Unacceptable::NoCodec)
        );
    }

    #[test]
    fn other_media_are_refused_in_their_places() {
        let (answer, agreement) = answered(
            "m=image 5000 udptl t38\r\nm=audio 5002 RTP/SAVP 0\r\nm=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 99\r\n",
        )
        .expect("an agreement");
        let shown: Vec<(&str, u16)> =
            answer.media.iter().map(|media| (media.protocol.as_str(), media.port)).collect();
        assert_eq!(shown, [("udptl", 0), ("RTP/SAVP", 0), ("RTP/AVP", 7000), ("RTP/AVP", 0)]);
        assert_eq!(agreement.remote.port(), 4000);
    }

    #[test]
    fn what_cannot_be_agreed_on_is_refused_with_its_reason() {
        assert_eq!(answered("m=audio 4000 RTP/AVP 18\r\n"), Err(Unacceptable::NoCodec));
        assert_eq!(answered("m=audio 0 RTP/AVP 0\r\n"), Err(Unacceptable::NoAudio));
        assert_eq!(answered("m=audio 4000 RTP/SAVP 0\r\n"), Err(Unacceptable::Encryption));
        assert_eq!(answered("m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n"), Err(Unacceptable::NoAudio));
        assert_eq!(answered(""), Err(Unacceptable::NoAudio));
        let nowhere = Description::parse(b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n").expect("a description");
        assert_eq!(negotiator().answer(&nowhere, Direction::SendReceive), Err(Unacceptable::NoAddress));
        assert_eq!(
            negotiator().accept(&parsed("m=audio 4000 RTP/AVP 0\r\n")),
            Err(Unacceptable::NothingOffered)
        );
    }

    #[test]
    fn a_hold_and_its_end_change_the_direction_only() {
        let mut negotiator = negotiator();
        let mut direction_of = |media: &str| {
            let (answer, agreement) =
                negotiator.answer(&parsed(media), Direction::SendReceive).expect("an agreement");
            (answer.version, answer.media[0].direction, agreement.is_held())
        };
        let plain = "m=audio 4000 RTP/AVP 0\r\n";
        assert_eq!(direction_of(plain), (1, Some(Direction::SendReceive), false));
        assert_eq!(
            direction_of(plain),
            (1, Some(Direction::SendReceive), false),
            "a refresh changes nothing"
        );
        let held = direction_of("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n");
        assert_eq!(held, (2, Some(Direction::ReceiveOnly), true));
        let held = direction_of("m=audio 4000 RTP/AVP 0\r\na=inactive\r\n");
        assert_eq!(held, (3, Some(Direction::Inactive), true));
        assert_eq!(direction_of(plain), (4, Some(Direction::SendReceive), false));
        let held = direction_of("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n");
        assert!(held.2, "as telephones held calls before 2002");
    }

    #[test]
    fn an_answer_that_names_several_codecs_is_taken_by_its_first_and_all_are_heard() {
        let mut negotiator = negotiator();
        negotiator.offer(Direction::SendReceive);
        let agreement = negotiator.accept(&parsed("m=audio 4000 RTP/AVP 8 0\r\n")).expect("an agreement");
        assert_eq!((agreement.codec, agreement.keys_out), (Codec::Pcma, None));
        assert_eq!(agreement.receives, [(0, Codec::Pcmu), (8, Codec::Pcma)]);
    }

    fn with(encryption: fn(Keys) -> Encryption, key: u8) -> Negotiator {
        let keys = Keys([MasterKey([key; 30]), MasterKey([key + 1; 30])]);
        Negotiator::new(Local { encryption: encryption(keys), ..local(&Codec::ALL) })
    }

    #[test]
    fn both_encrypt_where_both_can_and_not_where_one_must_not() {
        let kinds: [fn(Keys) -> Encryption; 3] =
            [|_| Encryption::Off, Encryption::Optional, Encryption::Required];
        for (place, offering) in kinds.into_iter().enumerate() {
            for (other, answering) in kinds.into_iter().enumerate() {
                let (mut offering, mut answering) = (with(offering, 1), with(answering, 5));
                let offer = offering.offer(Direction::SendReceive).to_string();
                let offer = Description::parse(offer.as_bytes()).expect("a description");
                let answered = answering.answer(&offer, Direction::SendReceive);
                let Ok((answer, theirs)) = answered else {
                    assert_eq!(answered.map(|_| ()), Err(Unacceptable::Encryption));
                    assert!(place.abs_diff(other) == 2, "only what is required and off do not fit");
                    continue;
                };
                let answer = Description::parse(answer.to_string().as_bytes()).expect("a description");
                let ours = offering.accept(&answer).expect("an agreement");
                assert_eq!(ours.protected.is_some(), place > 0 && other > 0);
                if let (Some(ours), Some(theirs)) = (ours.protected, theirs.protected) {
                    assert_eq!((&ours.ours, &ours.theirs), (&theirs.theirs, &theirs.ours));
                    assert_eq!(ours.ours, Protection { suite: Suite::Tag80, key: MasterKey([1; 30]) });
                }
            }
        }
    }

    const KEY: &str = "inline:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

    #[test]
    fn a_key_that_we_do_not_understand_is_not_used() {
        let offer = |lines: &str| {
            let offer = parsed(&format!("m=audio 4000 RTP/SAVP 0\r\n{lines}"));
            let (answer, agreement) = with(Encryption::Optional, 5).answer(&offer, Direction::SendReceive)?;
            Ok((answer.media[0].crypto[0].tag, agreement.protected.expect("it is encrypted").theirs.suite))
        };
        let line = |tag: u32, suite: &str, rest: &str| format!("a=crypto:{tag} {suite} {KEY}{rest}\r\n");
        let (whole, short) = (Suite::Tag80.name(), Suite::Tag32.name());
        assert_eq!(
            offer(&(line(1, "AES_256_CM_HMAC_SHA1_80", "") + &line(7, short, "|2^31"))),
            Ok((7, Suite::Tag32))
        );
        assert_eq!(offer(&(line(1, whole, "|2^20|1:4") + &line(2, whole, ""))), Ok((2, Suite::Tag80)));
        for refused in [
            line(1, whole, " UNENCRYPTED_SRTP"),
            line(1, whole, " KDR=1"),
            line(1, "F8_128_HMAC_SHA1_80", ""),
            format!("a=crypto:1 {whole} inline:AQEB\r\n"),
            String::new(),
        ] {
            assert_eq!(offer(&refused), Err(Unacceptable::Encryption), "{refused}");
        }
    }

    #[test]
    fn an_answer_with_a_key_that_was_not_offered_is_refused() {
        for line in ["a=crypto:3 AES_CM_128_HMAC_SHA1_80 ", "a=crypto:1 AES_CM_128_HMAC_SHA1_32 "] {
            let mut negotiator = with(Encryption::Required, 5);
            negotiator.offer(Direction::SendReceive);
            let answer = parsed(&format!("m=audio 4000 RTP/SAVP 0\r\n{line}{KEY}\r\n"));
            assert_eq!(negotiator.accept(&answer), Err(Unacceptable::Encryption), "{line}");
        }
        let mut negotiator = with(Encryption::Required, 5);
        negotiator.offer(Direction::SendReceive);
        assert_eq!(negotiator.accept(&parsed("m=audio 4000 RTP/AVP 0\r\n")), Err(Unacceptable::Encryption));
    }
}
