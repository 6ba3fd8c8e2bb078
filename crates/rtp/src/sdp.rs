//! Session descriptions (RFC 8866), as far as telephone calls need them: read with patience, written plainly.
//!
//! Whatever is not about sound over RTP is passed over; a description that is too long, or whose lines cannot be told apart, is refused.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::srtp::{MasterKey, Suite};

/// Which way sound goes, seen from whoever says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    SendReceive,
    SendOnly,
    ReceiveOnly,
    Inactive,
}

impl Direction {
    fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendReceive,
            (true, false) => Self::SendOnly,
            (false, true) => Self::ReceiveOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub fn sends(self) -> bool {
        matches!(self, Self::SendReceive | Self::SendOnly)
    }

    pub fn receives(self) -> bool {
        matches!(self, Self::SendReceive | Self::ReceiveOnly)
    }

    /// The same, seen from the other side.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self::of(self.receives(), self.sends())
    }

    /// The direction that both sides allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::SendReceive => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::ReceiveOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::SendReceive, Self::SendOnly, Self::ReceiveOnly, Self::Inactive]
            .into_iter()
            .find(|direction| direction.as_str() == text)
    }
}

/// What a payload type means: `a=rtpmap`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub name: String,
    pub clock_rate: u32,
}

/// A key for encrypted sound (RFC 4568): `a=crypto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crypto {
    /// Which of an offer's keys an answer belongs to.
    pub tag: u32,
    pub suite: Suite,
    /// What its sender encrypts with.
    pub key: MasterKey,
}

/// One medium: a line `m=` and what follows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Media {
    /// `audio`, `video`, `image` …
    pub kind: String,
    /// Zero if it is refused.
    pub port: u16,
    /// The transport, such as `RTP/AVP`.
    pub protocol: String,
    /// Payload types in the order in which they are preferred, or whatever the protocol puts there.
    pub formats: Vec<String>,
    /// The address of this stream, if it differs from that of the session.
    pub address: Option<IpAddr>,
    pub direction: Option<Direction>,
    /// Milliseconds of sound in a packet.
    pub ptime: Option<u16>,
    /// Where RTCP goes if not to the next port.
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    pub mappings: BTreeMap<u8, Mapping>,
    pub parameters: BTreeMap<u8, String>,
    /// Keys in the order in which they are preferred; those that we could not use are passed over.
    pub crypto: Vec<Crypto>,
}

/// What one side offers or answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    pub session_id: u64,
    /// Grows with every change.
    pub version: u64,
    /// The address of all media that have none of their own.
    pub address: Option<IpAddr>,
    pub direction: Option<Direction>,
    pub media: Vec<Media>,
}

/// Why a text is no description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It does not begin as one.
    NoDescription,
    /// Longer than anything a telephone sends.
    TooLong,
    /// A line that has to be understood is not.
    Line,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDescription => "this is no session description",
            Self::TooLong => "the session description is too long",
            Self::Line => "a line of the session description cannot be read",
        })
    }
}

const LONGEST: usize = 16 * 1024;
const MOST_MEDIA: usize = 16;
const MOST_FORMATS: usize = 64;
const MOST_KEYS: usize = 8;

impl Description {
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > LONGEST {
            return Err(Malformed::TooLong);
        }
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        if lines.next().map(str::trim_end) != Some("v=0") {
            return Err(Malformed::NoDescription);
        }
        let mut description = Self::default();
        for line in lines.filter(|line| !line.is_empty()) {
            if line.contains(|c: char| c.is_control() && c != '\t') {
                return Err(Malformed::Line);
            }
            let (kind, value) = line.split_once('=').ok_or(Malformed::Line)?;
            description.take(kind, value.trim())?;
        }
        Ok(description)
    }

    fn take(&mut self, kind: &str, value: &str) -> Result<(), Malformed> {
        match (kind, self.media.last_mut()) {
            ("m", _) => {
                if self.media.len() == MOST_MEDIA {
                    return Err(Malformed::TooLong);
                }
                self.media.push(media(value).ok_or(Malformed::Line)?);
            }
            ("o", None) => {
                let mut words = value.split_whitespace().skip(1);
                let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
                (self.session_id, self.version) = (number(), number());
            }
            ("c", None) => self.address = address(value),
            ("c", Some(media)) => media.address = address(value),
            ("a", None) => self.direction = Direction::parse(value).or(self.direction),
            ("a", Some(media)) => media.attribute(value),
            _ => {}
        }
        Ok(())
    }

    /// Where a medium is to be sent.
    pub fn address_of(&self, media: &Media) -> Option<IpAddr> {
        media.address.or(self.address)
    }

    /// Which way its sound goes, seen from whoever wrote the description.
    pub fn direction_of(&self, media: &Media) -> Direction {
        media.direction.or(self.direction).unwrap_or_default()
    }
}

impl Media {
    fn attribute(&mut self, value: &str) {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        match name {
            "rtpmap" => {
                if let Some((payload_type, mapping)) = mapping(value)
                    && self.mappings.len() < MOST_FORMATS
                {
                    self.mappings.insert(payload_type, mapping);
                }
            }
            "fmtp" => {
                if let Some((payload_type, parameters)) = numbered(value)
                    && self.parameters.len() < MOST_FORMATS
                {
                    self.parameters.insert(payload_type, parameters.to_owned());
                }
            }
            "crypto" if self.crypto.len() < MOST_KEYS => self.crypto.extend(crypto(value)),
            "ptime" => self.ptime = value.trim().parse().ok(),
            "rtcp" => {
                let (port, rest) = value.split_once(' ').unwrap_or((value, ""));
                self.rtcp = port.trim().parse().ok().map(|port| (port, address(rest)));
            }
            _ => self.direction = Direction::parse(name).or(self.direction),
        }
    }

    /// What a payload type means: what the description says, or what RFC 3551 fixed.
    pub fn mapping_of(&self, payload_type: u8) -> Option<Mapping> {
        let fixed = |name: &str| Mapping { name: name.to_owned(), clock_rate: 8000 };
        self.mappings.get(&payload_type).cloned().or_else(|| match payload_type {
            0 => Some(fixed("PCMU")),
            8 => Some(fixed("PCMA")),
            9 => Some(fixed("G722")),
            13 => Some(fixed("CN")),
            _ => None,
        })
    }

    /// The payload types in the order of preference.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats
            .iter()
            .filter_map(|format| format.parse().ok())
            .filter(|payload_type| *payload_type < 128)
    }
}

/// `audio 49170/2 RTP/AVP 0 8 101`
fn media(value: &str) -> Option<Media> {
    let mut words = value.split_whitespace();
    let (kind, port, protocol) = (words.next()?, words.next()?, words.next()?);
    let port = port.split('/').next()?.parse().ok()?;
    let formats: Vec<String> = words.take(MOST_FORMATS).map(str::to_owned).collect();
    Some(Media { kind: kind.to_owned(), port, protocol: protocol.to_owned(), formats, ..Media::default() })
}

/// `IN IP4 192.0.2.1/127`; names instead of addresses are not looked up.
fn address(value: &str) -> Option<IpAddr> {
    let mut words = value.split_whitespace();
    let (_network, kind, address) = (words.next()?, words.next()?, words.next()?);
    let address = address.split('/').next()?;
    match kind {
        "IP4" => address.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "IP6" => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => None,
    }
}

/// Reads the value of an `a=rtpmap`, such as `101 telephone-event/8000`.
fn mapping(value: &str) -> Option<(u8, Mapping)> {
    let (payload_type, encoding) = numbered(value)?;
    let mut parts = encoding.split('/');
    let name = parts.next()?.to_owned();
    let clock_rate = parts.next()?.trim().parse().ok()?;
    Some((payload_type, Mapping { name, clock_rate }))
}

/// `1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31`. Keys that are told apart within packets, several keys in a line, and parameters that change
/// how packets are protected are not understood, and a line with any of them must not be used (RFC 4568 section 6.3).
fn crypto(value: &str) -> Option<Crypto> {
    let mut words = value.split_whitespace();
    let (tag, suite, key) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    let suite = Suite::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(suite))?;
    if words.any(|parameter| !parameter.starts_with("WSH=")) {
        return None;
    }
    let mut parts = key.strip_prefix("inline:")?.split('|');
    let key = STANDARD.decode(parts.next()?).ok()?.try_into().ok()?;
    // What may follow is how long the key lasts: longer than any call.
    parts.all(|part| !part.contains(':') && !part.contains(';')).then_some(())?;
    Some(Crypto { tag, suite, key: MasterKey(key) })
}

fn numbered(value: &str) -> Option<(u8, &str)> {
    let (payload_type, rest) = value.trim().split_once(char::is_whitespace)?;
    Some((payload_type.parse().ok().filter(|number| *number < 128)?, rest.trim()))
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Shown(self.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        write!(
            f,
            "v=0\r\no=- {} {} IN {address}\r\ns=-\r\nc=IN {address}\r\nt=0 0\r\n",
            self.session_id, self.version
        )?;
        if let Some(direction) = self.direction {
            write!(f, "a={}\r\n", direction.as_str())?;
        }
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {} {}", self.kind, self.port, self.protocol)?;
        self.formats.iter().try_for_each(|format| write!(f, " {format}"))?;
        f.write_str("\r\n")?;
        if let Some(address) = self.address {
            write!(f, "c=IN {}\r\n", Shown(address))?;
        }
        for (payload_type, Mapping { name, clock_rate }) in &self.mappings {
            write!(f, "a=rtpmap:{payload_type} {name}/{clock_rate}\r\n")?;
        }
        for (payload_type, parameters) in &self.parameters {
            write!(f, "a=fmtp:{payload_type} {parameters}\r\n")?;
        }
        for Crypto { tag, suite, key } in &self.crypto {
            write!(f, "a=crypto:{tag} {} inline:{}\r\n", suite.name(), STANDARD.encode(key.0))?;
        }
        if let Some(ptime) = self.ptime {
            write!(f, "a=ptime:{ptime}\r\n")?;
        }
        match self.rtcp {
            Some((port, Some(address))) => write!(f, "a=rtcp:{port} IN {}\r\n", Shown(address))?,
            Some((port, None)) => write!(f, "a=rtcp:{port}\r\n")?,
            None => {}
        }
        self.direction.map_or(Ok(()), |direction| write!(f, "a={}\r\n", direction.as_str()))
    }
}

/// An address with the word that tells its kind.
struct Shown(IpAddr);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "IP4 {address}"),
            IpAddr::V6(address) => write!(f, "IP6 {address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a PBX with video and encryption to offer sends.
    const RICH: &str = "v=0\r\no=root 1821 7 IN IP4 192.0.2.10\r\ns=Switch\r\nc=IN IP4 192.0.2.10\r\nb=CT:384\r\n\
        t=0 0\r\na=sendonly\r\nm=audio 17230/1 RTP/AVP 9 0 8 101\r\nc=IN IP4 192.0.2.11/127\r\n\
        a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-16\r\na=ptime:30\r\na=maxptime:150\r\na=rtcp:17999 IN IP4 192.0.2.12\r\na=recvonly\r\n\
        m=video 0 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n";

    #[test]
    fn a_rich_description_is_read() {
        let description = Description::parse(RICH.as_bytes()).expect("a description");
        assert_eq!((description.session_id, description.version), (1821, 7));
        let [audio, video] = &description.media[..] else { panic!("two media") };
        assert_eq!((audio.port, audio.ptime, video.port), (17_230, Some(30), 0));
        assert_eq!(description.address_of(audio), Some("192.0.2.11".parse().expect("an address")));
        assert_eq!(description.address_of(video), Some("192.0.2.10".parse().expect("an address")));
        assert_eq!(description.direction_of(audio), Direction::ReceiveOnly);
        assert_eq!(description.direction_of(video), Direction::SendOnly);
        assert_eq!(audio.rtcp, Some((17_999, Some("192.0.2.12".parse().expect("an address")))));
        assert_eq!(audio.payload_types().collect::<Vec<_>>(), [9, 0, 8, 101]);
        assert_eq!(audio.mapping_of(8).map(|mapping| mapping.name), Some("PCMA".to_owned()), "by its number");
        assert_eq!(audio.parameters[&101], "0-16");
    }

    #[test]
    fn lines_may_end_with_a_line_feed_alone_and_v6_addresses_are_read() {
        let text =
            "v=0\no=- 1 1 IN IP6 2001:db8::1\ns=-\nc=IN IP6 2001:db8::1\nt=0 0\nm=audio 4000 RTP/AVP 0\n";
        let description = Description::parse(text.as_bytes()).expect("a description");
        assert_eq!(description.address, Some("2001:db8::1".parse().expect("an address")));
        assert!(description.to_string().contains("c=IN IP6 2001:db8::1\r\n"));
    }

    #[test]
    fn what_is_no_description_is_refused() {
        let long = format!("v=0\r\n{}", "a=x\r\n".repeat(4000));
        let many = format!("v=0\r\n{}", "m=audio 0 RTP/AVP 0\r\n".repeat(17));
        for (text, expected) in [
            ("", Malformed::NoDescription),
            ("v=1\r\n", Malformed::NoDescription),
            ("hello", Malformed::NoDescription),
            ("v=0\r\nnonsense\r\n", Malformed::Line),
            ("v=0\r\nm=audio\r\n", Malformed::Line),
            ("v=0\r\nm=audio 70000 RTP/AVP 0\r\n", Malformed::Line),
            ("v=0\r\nm=audio 4000 RTP/AVP\rX 0\r\n", Malformed::Line),
            (&long, Malformed::TooLong),
            (&many, Malformed::TooLong),
        ] {
            assert_eq!(Description::parse(text.as_bytes()), Err(expected), "{}", &text[..text.len().min(40)]);
        }
    }

    #[test]
    fn directions_are_turned_and_joined() {
        use Direction::{Inactive, ReceiveOnly, SendOnly, SendReceive};
        assert_eq!(SendOnly.reversed(), ReceiveOnly);
        assert_eq!(SendReceive.reversed(), SendReceive);
        assert_eq!(SendOnly.and(ReceiveOnly), Inactive);
        assert_eq!(SendReceive.and(SendOnly), SendOnly);
    }

    fn any_media() -> impl Strategy<Value = Media> {
        let mapping = ("[A-Za-z0-9-]{1,12}", 1_u32..200_000)
            .prop_map(|(name, clock_rate)| Mapping { name, clock_rate });
        let direction = prop::option::of(prop::sample::select(vec![
            Direction::SendReceive,
            Direction::SendOnly,
            Direction::ReceiveOnly,
            Direction::Inactive,
        ]));
        (
            any::<u16>(),
            prop::collection::btree_map(0_u8..128, mapping, 0..5),
            direction,
            prop::option::of(1_u16..200),
            prop::option::of((any::<u16>(), prop::option::of(any::<IpAddr>()))),
            prop::option::of(any::<IpAddr>()),
        )
            .prop_map(|(port, mappings, direction, ptime, rtcp, address)| Media {
                kind: "audio".to_owned(),
                port,
                protocol: "RTP/AVP".to_owned(),
                formats: mappings.keys().map(ToString::to_string).collect(),
                parameters: mappings.keys().map(|key| (*key, "0-15".to_owned())).collect(),
                crypto: vec![Crypto { tag: port.into(), suite: Suite::Tag32, key: MasterKey([7; 30]) }],
                mappings,
                direction,
                ptime,
                rtcp,
                address,
            })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            session_id: u64, version: u64, address: IpAddr, media in prop::collection::vec(any_media(), 0..4),
        ) {
            let description =
                Description { session_id, version, address: Some(address), direction: None, media };
            prop_assert_eq!(Description::parse(description.to_string().as_bytes()), Ok(description));
        }

        #[test]
        fn a_description_that_is_damaged_is_read_or_refused(
            changes in prop::collection::vec((0..RICH.len(), any::<u8>()), 1..20), cut in 0..RICH.len(),
        ) {
            let mut bytes = RICH.as_bytes().to_vec();
            for (place, value) in changes {
                bytes[place] = value;
            }
            bytes.truncate(cut.max(10));
            if let Ok(description) = Description::parse(&bytes) {
                // What is said again in an answer cannot break out of its line.
                let again = description.to_string();
                prop_assert!(Description::parse(again.as_bytes()).is_ok(), "{}", again);
            }
        }
    }
}
