//! What is different about the trunks of well-known makers. Everything is data; no code asks for a trunk's maker.

use voice::{Codec, Latching, Profile, USUAL};

/// A switchboard of one's own: we are one of its telephones.
const SWITCHBOARD: Profile = Profile {
    name: "asterisk",
    host: None,
    registers: true,
    asks: true,
    takes_wildcards: false,
    sources: &[],
    codecs: &[Codec::Pcma, Codec::Pcmu],
    latching: Latching::AtTheBeginning,
};

/// The profiles of trunks.
const PROFILES: [Profile; 5] = [
    USUAL,
    SWITCHBOARD,
    Profile { name: "freeswitch", ..SWITCHBOARD },
    // Its calls come from gateways in all its regions. Their sound comes from where their description says, and so from nowhere else.
    Profile {
        name: "twilio",
        host: None,
        registers: false,
        asks: true,
        takes_wildcards: true,
        sources: &[
            "54.172.60.0/30",
            "54.244.51.0/30",
            "54.171.127.192/30",
            "35.156.191.128/30",
            "54.65.63.192/30",
            "54.169.127.128/30",
            "54.252.254.64/30",
            "177.71.206.192/30",
        ],
        codecs: &[Codec::Pcmu],
        latching: Latching::Never,
    },
    // Each region has two addresses, and a call may come from either.
    Profile {
        name: "telnyx",
        host: Some("sip.telnyx.com"),
        registers: true,
        asks: true,
        takes_wildcards: false,
        sources: &[
            "192.76.120.10/32",
            "64.16.250.10/32",
            "192.76.120.31/32",
            "64.16.250.13/32",
            "185.246.41.140/32",
            "185.246.41.141/32",
            "103.115.244.145/32",
            "103.115.244.146/32",
        ],
        codecs: &[Codec::Pcmu, Codec::Pcma],
        latching: Latching::Never,
    },
];

/// The profile with this name.
pub(super) fn named(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}

/// The names of all, for whoever looks for one.
pub(super) fn names() -> String {
    PROFILES.map(|profile| profile.name).join(", ")
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::*;

    #[test]
    fn the_networks_of_profiles_are_networks_and_their_names_differ() {
        for profile in &PROFILES {
            for source in profile.sources {
                assert!(source.parse::<IpNet>().is_ok(), "{}: {source}", profile.name);
            }
            assert_eq!(named(profile.name), Some(profile));
        }
    }
}
