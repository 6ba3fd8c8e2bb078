//! What an operator says about calls over trunks.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use domain::E164;
use rtp::{Codec, Latching};

/// Everything that an engine needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where signalling comes in, over UDP and TCP.
    pub listen: SocketAddr,
    /// How trunks reach that, where it is another address.
    pub public_address: Option<SocketAddr>,
    /// Where and how signalling comes in over TLS, if it does.
    pub secure: Option<sip::Secure>,
    /// How trunks reach our sound, where that is another address than signalling has.
    pub media_address: Option<IpAddr>,
    /// On which ports sound comes in.
    pub ports: RangeInclusive<u16>,
    /// In the order in which they are used.
    pub trunks: Vec<Trunk>,
    /// How many calls run at once.
    pub max_calls: usize,
    /// How long a call rings before it is given up.
    pub rings_for: Duration,
    /// Where recordings of running calls are; `None` if calls are not recorded.
    pub recordings: Option<PathBuf>,
}

/// A trunk, as calls over it know it.
#[derive(Debug, Clone)]
pub struct Trunk {
    pub signalling: sip::Trunk,
    pub profile: Profile,
    /// Whether sound is encrypted.
    pub encryption: Encryption,
    /// The number that is called by a call whose trunk names none, such as one to the name with which we are registered.
    pub number: Option<E164>,
}

/// Whether the sound of a trunk's calls is encrypted (SRTP). The keys are in the signalling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    Off,
    /// Where the other side can do it.
    Optional,
    /// No call without it.
    Required,
}

/// What is different about a kind of trunk. Everything is data; nothing in the code asks for a trunk's maker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub name: &'static str,
    /// Where it is reached, if that is the same for everybody.
    pub host: Option<&'static str>,
    /// Whether it wants to be told where we are.
    pub registers: bool,
    /// Whether it answers the question if it is there.
    pub asks: bool,
    /// Whether its certificates stand for all names below a domain.
    pub takes_wildcards: bool,
    /// The networks from which its calls and answers come, besides the addresses of its host.
    pub sources: &'static [&'static str],
    /// What we speak, the best first.
    pub codecs: &'static [Codec],
    /// Whether sound may come from another address than it says.
    pub latching: Latching,
}

/// A trunk of which nothing is known: we speak what every telephone network speaks.
pub const USUAL: Profile = Profile {
    name: "generic",
    host: None,
    registers: false,
    asks: true,
    takes_wildcards: false,
    sources: &[],
    codecs: &[Codec::Pcmu, Codec::Pcma],
    latching: Latching::AtTheBeginning,
};

impl Settings {
    /// The trunk with this name.
    pub(crate) fn trunk(&self, name: &str) -> Option<&Trunk> {
        self.trunks.iter().find(|trunk| trunk.signalling.name == name)
    }
}
