//! Settings of calls over SIP trunks.
//!
//! A trunk has more than one value, so trunks are a list of tables in the file (`[[voice.trunks]]`). In a variable the same list is written
//! in one line: `[{name = "office", host = "pbx.example.com"}]`. What lets us in at a trunk can be kept out of both, in variables of its own.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::E164;
use ipnet::IpNet;
use serde::Deserialize;
use voice::{Authorities, Credentials, Encryption, Profile, Secure, Settings, Signalling, Transport, Trunk};

use super::{Config, trunk_profiles};
use crate::failure::Failure;

/// Where recordings of running calls are, in the data folder.
const RECORDINGS: &str = "voice";

/// With what the names of variables begin that hold what lets us in at a trunk, in small letters.
pub(super) const TRUNK_VARIABLES: &str = "voice_trunk_";

/// Networks that hold more addresses than one of this many leading bits are no trunk's.
const WIDEST_SOURCE: u8 = 8;

/// A trunk as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default = "usual_profile")]
    profile: String,
    host: Option<String>,
    port: Option<u16>,
    #[serde(default)]
    transport: Over,
    authorities: Option<PathBuf>,
    wildcard_certificate: Option<bool>,
    srtp: Option<Srtp>,
    #[serde(default)]
    srtp_without_tls: bool,
    username: Option<String>,
    password: Option<String>,
    register: Option<bool>,
    options: Option<bool>,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    prefixes: Vec<String>,
    caller_id: Option<String>,
    number: Option<String>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Over {
    #[default]
    Udp,
    Tcp,
    Tls,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Srtp {
    Off,
    Optional,
    Required,
}

fn usual_profile() -> String {
    "generic".to_owned()
}

impl Config {
    /// Whether there are trunks.
    pub(super) fn has_trunks(&self) -> bool {
        self.text("voice_trunks").is_some_and(|written| written != "[]")
    }

    /// The settings of the voice engine, where there are trunks.
    pub(crate) fn voice(&self) -> Result<Option<Settings>, Failure> {
        if !self.has_trunks() {
            return Ok(None);
        }
        let trunks = self.trunks()?;
        let listen = self.text("voice_listen").unwrap_or_default();
        let listen: SocketAddr = listen.parse().map_err(|_| {
            Failure::setting(
                "voice_listen",
                "expected an address of this machine with a port, like `0.0.0.0:5060`",
            )
        })?;
        let public_address = self.voice_public_address(listen)?;
        if listen.ip().is_unspecified() && public_address.is_none() {
            let problem = "expected the address under which trunks reach this machine, like `203.0.113.7`; it is needed unless `voice_listen` \
                           names one";
            return Err(Failure::setting("voice_public_address", problem));
        }
        Ok(Some(Settings {
            listen,
            public_address,
            secure: self.voice_tls()?,
            media_address: public_address.map(|address| address.ip()),
            ports: self.voice_rtp_ports()?,
            trunks,
            max_calls: self.voice_max_concurrent_calls()? as usize,
            rings_for: self.voice_rings_for()?,
            recordings: Some(self.data_dir().join(RECORDINGS)),
        }))
    }

    pub(super) fn voice_max_concurrent_calls(&self) -> Result<u32, Failure> {
        self.number("voice_max_concurrent_calls", 1, 10_000)
    }

    pub(super) fn voice_rings_for(&self) -> Result<Duration, Failure> {
        self.number("voice_ring_seconds", 5, 180).map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Where and how signalling comes in over TLS.
    fn voice_tls(&self) -> Result<Option<Secure>, Failure> {
        let path = |name: &'static str| self.text(name).map(PathBuf::from);
        let (certificate, key) = (path("voice_tls_certificate"), path("voice_tls_key"));
        let Some(listen) = self.text("voice_tls_listen") else {
            return match certificate.or(key) {
                None => Ok(None),
                Some(_) => Err(Failure::setting(
                    "voice_tls_listen",
                    "there is a certificate or a key, and no address to listen on, like `0.0.0.0:5061`",
                )),
            };
        };
        let listen = listen.parse().map_err(|_| {
            Failure::setting(
                "voice_tls_listen",
                "expected an address of this machine with a port, like `0.0.0.0:5061`",
            )
        })?;
        let needed = |name, path: Option<PathBuf>| {
            path.ok_or_else(|| Failure::setting(name, "expected a file: `voice_tls_listen` needs it"))
        };
        Ok(Some(Secure {
            listen,
            certificate: needed("voice_tls_certificate", certificate)?,
            key: needed("voice_tls_key", key)?,
        }))
    }

    /// Variables that look as if they let us in at a trunk that there is not; each a sentence without what the variable holds.
    pub(crate) fn unclaimed_trunk_variables(&self) -> Result<Vec<String>, Failure> {
        let trunks = if self.has_trunks() { self.trunks()? } else { Vec::new() };
        let names: Vec<String> = trunks.iter().map(|trunk| in_a_variable(&trunk.signalling.name)).collect();
        let is_claimed = |variable: &str| {
            names
                .iter()
                .any(|name| ["username", "password"].iter().any(|what| *variable == format!("{name}_{what}")))
        };
        let unclaimed = self.trunk_variables.keys().filter(|variable| !is_claimed(variable));
        Ok(unclaimed
            .map(|variable| {
                let name = super::variable(&format!("{TRUNK_VARIABLES}{variable}"));
                format!("the variable `{name}` belongs to no trunk and does nothing")
            })
            .collect())
    }

    fn trunks(&self) -> Result<Vec<Trunk>, Failure> {
        let wrong = |problem: String| Failure::setting("voice_trunks", problem);
        let text = self.text("voice_trunks").unwrap_or_default();
        // What is wrong may stand beside a password, so the text itself is not shown.
        let written: toml::Table = format!("trunks = {text}").parse().map_err(|error: toml::de::Error| {
            wrong(format!(
                "expected a list of tables like `[{{name = \"office\", host = \"pbx.example.com\"}}]`: {}",
                error.message()
            ))
        })?;
        let Some(toml::Value::Array(tables)) = written.get("trunks").filter(|_| written.len() == 1) else {
            return Err(wrong("expected a list of tables, each a trunk".to_owned()));
        };
        let mut found: Vec<Trunk> = Vec::new();
        for (place, table) in tables.iter().enumerate() {
            let name = table.get("name").and_then(toml::Value::as_str).map(|name| format!("trunk `{name}`"));
            let name = name.unwrap_or_else(|| format!("trunk {}", place + 1));
            let trunk =
                table.clone().try_into::<Written>().map_err(|error| error.message().trim().to_owned());
            let trunk = trunk.and_then(|written| self.trunk(written));
            let trunk = trunk.map_err(|problem| wrong(format!("{name}: {problem}")))?;
            if found
                .iter()
                .any(|other| in_a_variable(&other.signalling.name) == in_a_variable(&trunk.signalling.name))
            {
                return Err(wrong(format!("{name}: another one has this name")));
            }
            found.push(trunk);
        }
        Ok(found)
    }

    fn trunk(&self, written: Written) -> Result<Trunk, String> {
        let is_plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
        if written.name.is_empty() || !written.name.chars().all(is_plain) {
            return Err("`name`: expected letters, digits, `-` and `_`".to_owned());
        }
        let profile = trunk_profiles::named(&written.profile)
            .ok_or_else(|| format!("`profile`: expected one of {}", trunk_profiles::names()))?;
        let host = written.host.or_else(|| profile.host.map(str::to_owned));
        let host = host.ok_or("`host` is missing: the name or the address of the trunk")?;
        if !is_host(&host) {
            return Err("`host`: expected a name or an IPv4 address and nothing else; `port` holds the port"
                .to_owned());
        }
        let (transport, usual_port) = match written.transport {
            Over::Udp => (Transport::Udp, 5060),
            Over::Tcp => (Transport::Tcp, 5060),
            Over::Tls => (Transport::Tls, 5061),
        };
        if transport != Transport::Tls
            && (written.authorities.is_some() || written.wildcard_certificate.is_some())
        {
            return Err("`authorities` and `wildcard_certificate` need `transport = \"tls\"`".to_owned());
        }
        let encryption = match written.srtp {
            Some(Srtp::Off) => Encryption::Off,
            Some(Srtp::Optional) => Encryption::Optional,
            Some(Srtp::Required) => Encryption::Required,
            None if transport == Transport::Tls => Encryption::Optional,
            None => Encryption::Off,
        };
        if encryption != Encryption::Off && transport != Transport::Tls && !written.srtp_without_tls {
            return Err(
                "`srtp`: its keys stand in the signalling, which everybody on the way can read without `transport = \"tls\"`; \
                 `srtp_without_tls = true` has them sent all the same"
                    .to_owned(),
            );
        }
        let credentials = self.credentials(&written.name, written.username, written.password)?;
        let registers = written.register.unwrap_or(profile.registers && credentials.is_some());
        if registers && credentials.is_none() {
            return Err("`register`: needs `username` and `password`".to_owned());
        }
        if let Some(odd) = written.prefixes.iter().find(|prefix| !is_beginning(prefix)) {
            return Err(format!("`prefixes`: expected beginnings of numbers like `+49`, not `{odd}`"));
        }
        let is_user = |shown: &String| {
            !shown.is_empty() && shown.chars().all(|sign| is_plain(sign) || sign == '+' || sign == '.')
        };
        if written.caller_id.as_ref().is_some_and(|shown| !is_user(shown)) {
            return Err("`caller_id`: expected a number like `+15125550100`".to_owned());
        }
        let number = written.number.as_deref().map(E164::parse).transpose();
        let number = number.map_err(|_| "`number`: expected a number in E.164 format like `+15125550100`")?;
        Ok(Trunk {
            signalling: Signalling {
                sources: sources(profile, &written.sources)?,
                name: written.name,
                host,
                port: written.port.unwrap_or(usual_port),
                transport,
                authorities: written.authorities.map_or(Authorities::System, Authorities::File),
                takes_wildcards: written.wildcard_certificate.unwrap_or(profile.takes_wildcards),
                credentials,
                registers,
                asks: written.options.unwrap_or(profile.asks),
                prefixes: written.prefixes,
                caller_id: written.caller_id,
            },
            profile: profile.clone(),
            encryption,
            number,
        })
    }

    /// What lets us in at the trunk of this name. What a variable holds comes before what stands in the table.
    fn credentials(
        &self,
        name: &str,
        username: Option<String>,
        password: Option<String>,
    ) -> Result<Option<Credentials>, String> {
        let set = |what: &str| {
            let value = self.trunk_variables.get(&format!("{}_{what}", in_a_variable(name)));
            value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        match (set("username").or(username), set("password").or(password)) {
            (Some(username), Some(password)) => Ok(Some(Credentials { username, password })),
            (None, None) => Ok(None),
            _ => Err("`username` and `password` belong together".to_owned()),
        }
    }

    /// Where trunks reach our signalling, if that is said.
    fn voice_public_address(&self, listen: SocketAddr) -> Result<Option<SocketAddr>, Failure> {
        let Some(text) = self.text("voice_public_address") else { return Ok(None) };
        let address =
            text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, listen.port())));
        let address = address.ok().filter(|address: &SocketAddr| !address.ip().is_unspecified());
        let expected =
            "expected an address like `203.0.113.7`, or `203.0.113.7:5062` where another port is forwarded";
        address.map(Some).ok_or_else(|| Failure::setting("voice_public_address", expected))
    }

    fn voice_rtp_ports(&self) -> Result<RangeInclusive<u16>, Failure> {
        let range = self.text("voice_rtp_ports").and_then(|text| {
            let (first, last) = text.split_once('-')?;
            let range: RangeInclusive<u16> = first.trim().parse().ok()?..=last.trim().parse().ok()?;
            (*range.start() >= 1024 && range.end().checked_sub(*range.start())? >= 3).then_some(range)
        });
        let expected = "expected a range of at least four ports from 1024 on, like `16384-17383`";
        range.ok_or_else(|| Failure::setting("voice_rtp_ports", expected))
    }
}

/// The same trunks, with paths taken from this folder. What cannot be read stays as it is, and is told when it is read.
pub(super) fn with_paths_from(trunks: &str, folder: &Path) -> String {
    let Ok(mut written) = format!("trunks = {trunks}").parse::<toml::Table>() else {
        return trunks.to_owned();
    };
    let Some(toml::Value::Array(tables)) = written.get_mut("trunks") else { return trunks.to_owned() };
    let files = tables.iter_mut().filter_map(|table| table.get_mut("authorities"));
    for file in files {
        if let toml::Value::String(path) = file {
            *path = folder.join(path.trim()).display().to_string();
        }
    }
    toml::Value::Array(std::mem::take(tables)).to_string()
}

/// A trunk's name as it stands in the names of variables, in small letters.
fn in_a_variable(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

/// From where calls of a trunk come, besides the addresses of its host.
fn sources(profile: &Profile, written: &[String]) -> Result<Vec<IpNet>, String> {
    let all = profile.sources.iter().copied().chain(written.iter().map(String::as_str));
    all.map(|source| {
        let network = source.parse::<IpNet>().or_else(|_| source.parse::<IpAddr>().map(IpNet::from));
        let network = network.ok().filter(|network| network.prefix_len() >= WIDEST_SOURCE);
        network.ok_or_else(|| {
            format!("`sources`: expected addresses and networks like `198.51.100.0/24` of the trunk alone, not `{source}`")
        })
    })
    .collect()
}

/// True for a name or an IPv4 address without a port.
fn is_host(host: &str) -> bool {
    !host.is_empty() && host.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '.' || sign == '-')
}

/// True for the first digits of a number in E.164 format.
fn is_beginning(prefix: &str) -> bool {
    prefix
        .strip_prefix('+')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(trunks: &str) -> Config {
        let mut config = Config::defaults();
        config.set("voice_trunks", trunks);
        config.set("voice_public_address", "203.0.113.7");
        config
    }

    fn settings(config: &Config) -> Settings {
        config.voice().expect("valid settings").expect("trunks")
    }

    fn problem(config: &Config) -> String {
        config.voice().expect_err("something is wrong").to_string()
    }

    fn admits(trunk: &Trunk, address: &str) -> bool {
        let address: IpAddr = address.parse().expect("an address");
        trunk.signalling.sources.iter().any(|source| source.contains(&address))
    }

    #[test]
    fn without_trunks_there_is_no_engine() {
        for none in ["", "[]"] {
            let config = with(none);
            assert!(config.voice().expect("valid settings").is_none(), "{none}");
            assert_eq!(config.live_engine().expect("valid settings"), None, "{none}");
        }
    }

    #[test]
    fn trunks_are_read_with_what_their_profiles_add() {
        let config = with(
            r#"[{name = "office", profile = "asterisk", host = "10.0.0.2", username = "kai", password = "x", transport = "tcp", port = 5070,
                 number = "+15125550100"},
                {name = "abroad", profile = "twilio", host = "a.pstn.twilio.com", prefixes = ["+44"], sources = ["198.51.100.7"],
                 options = false}]"#,
        );
        let found = settings(&config);
        let [office, abroad] = found.trunks.as_slice() else { panic!("two trunks") };
        let of_office = &office.signalling;
        assert!(
            of_office.registers
                && of_office.asks
                && of_office.transport == Transport::Tcp
                && of_office.port == 5070
        );
        assert_eq!(office.number.as_ref().map(E164::as_str), Some("+15125550100"));
        assert_eq!((office.profile.name, abroad.profile.name), ("asterisk", "twilio"));
        let of_abroad = &abroad.signalling;
        assert!(
            !of_abroad.registers
                && !of_abroad.asks
                && of_abroad.port == 5060
                && of_abroad.prefixes == ["+44"]
        );
        assert!(
            admits(abroad, "54.172.60.1")
                && admits(abroad, "198.51.100.7")
                && !admits(abroad, "198.51.100.8")
        );
        assert_eq!(found.public_address, Some("203.0.113.7:5060".parse().expect("an address")));
        assert_eq!(config.live_engine().expect("valid settings"), Some("voice"));
    }

    #[test]
    fn a_trunk_over_tls_has_a_port_and_rules_for_its_certificate() {
        let mut config = with(
            r#"[{name = "a", host = "x", transport = "tls", authorities = "own/ca.pem"},
                {name = "b", profile = "twilio", host = "y", transport = "tls", port = 5071},
                {name = "c", profile = "twilio", host = "z", transport = "tls", wildcard_certificate = false}]"#,
        );
        config.take_paths_from(Path::new("/etc/kaicalls"));
        let found = settings(&config);
        let of = |place: usize| {
            let trunk = &found.trunks[place].signalling;
            (trunk.port, trunk.authorities.clone(), trunk.takes_wildcards)
        };
        assert_eq!(of(0), (5061, Authorities::File("/etc/kaicalls/own/ca.pem".into()), false));
        assert_eq!(of(1), (5071, Authorities::System, true));
        assert_eq!(of(2), (5061, Authorities::System, false));
    }

    #[test]
    fn sound_is_encrypted_where_a_trunk_can_unless_its_keys_would_go_in_the_clear() {
        use Encryption::{Off, Optional, Required};
        let config = with(
            r#"[{name = "a", host = "x"}, {name = "b", host = "x", transport = "tls"},
                {name = "c", host = "x", transport = "tls", srtp = "required"}, {name = "d", host = "x", transport = "tls", srtp = "off"},
                {name = "e", host = "x", srtp = "required", srtp_without_tls = true}]"#,
        );
        let found: Vec<Encryption> = settings(&config).trunks.iter().map(|trunk| trunk.encryption).collect();
        assert_eq!(found, [Off, Optional, Required, Off, Required]);
    }

    #[test]
    fn listening_over_tls_needs_a_certificate_and_its_key() {
        let trunk = r#"[{name = "a", host = "x"}]"#;
        for (set, expected) in [
            (&[("voice_tls_listen", "0.0.0.0:5061")][..], "KAICALLS_VOICE_TLS_CERTIFICATE"),
            (
                &[("voice_tls_listen", "0.0.0.0:5061"), ("voice_tls_certificate", "c.pem")],
                "KAICALLS_VOICE_TLS_KEY",
            ),
            (&[("voice_tls_key", "k.pem")], "KAICALLS_VOICE_TLS_LISTEN"),
            (&[("voice_tls_listen", "5061")], "like `0.0.0.0:5061`"),
        ] {
            let mut config = with(trunk);
            for (name, value) in set {
                config.set(name, *value);
            }
            let problem = problem(&config);
            assert!(problem.contains(expected), "{set:?}: {problem}");
        }
        let mut config = with(trunk);
        for (name, value) in [
            ("voice_tls_listen", "0.0.0.0:5061"),
            ("voice_tls_certificate", "c.pem"),
            ("voice_tls_key", "k.pem"),
        ] {
            config.set(name, value);
        }
        config.take_paths_from(Path::new("/etc/kaicalls"));
        let secure = settings(&config).secure.expect("it listens");
        assert_eq!((secure.listen.port(), secure.key), (5061, PathBuf::from("/etc/kaicalls/k.pem")));
    }

    #[test]
    fn a_switchboard_that_knows_us_by_our_address_is_not_registered_with() {
        let found = settings(&with(r#"[{name = "a", profile = "freeswitch", host = "10.0.0.2"}]"#));
        assert!(!found.trunks[0].signalling.registers);
        let telnyx = r#"[{name = "a", profile = "telnyx", username = "u", password = "p"}]"#;
        let found = settings(&with(telnyx));
        assert_eq!(found.trunks[0].signalling.host, "sip.telnyx.com", "it has the same host for everybody");
    }

    #[test]
    fn what_lets_us_in_can_stand_in_variables_of_its_own() {
        let mut config = with(
            r#"[{name = "North-Office", host = "x", username = "kai", password = "in the file"}, {name = "b", host = "y"}]"#,
        );
        for (name, value) in [
            ("north_office_password", "p"),
            ("b_username", "u"),
            ("b_password", "q"),
            ("c_password", "secret"),
            ("b_host", "z"),
        ] {
            config.trunk_variables.insert(name.to_owned(), value.to_owned());
        }
        let found = settings(&config);
        let of = |place: usize| {
            let credentials = found.trunks[place].signalling.credentials.as_ref().expect("they are set");
            (credentials.username.clone(), credentials.password.clone())
        };
        assert_eq!((of(0), of(1)), (("kai".into(), "p".into()), ("u".into(), "q".into())));
        assert!(!format!("{found:?}").contains("\"p\""), "a password is not shown");
        let unclaimed = config.unclaimed_trunk_variables().expect("valid settings").join("\n");
        assert!(
            unclaimed.contains("KAICALLS_VOICE_TRUNK_C_PASSWORD")
                && unclaimed.contains("KAICALLS_VOICE_TRUNK_B_HOST")
        );
        assert!(unclaimed.lines().count() == 2 && !unclaimed.contains("secret"), "{unclaimed}");
    }

    #[test]
    fn what_is_wrong_with_a_trunk_is_said_with_its_name_and_its_setting() {
        for (trunks, expected) in [
            (r#"[{host = "x"}]"#, "trunk 1: missing field `name`"),
            (r#"[{name = "a", hots = "x"}]"#, "trunk `a`: unknown field `hots`"),
            (r#"[{name = "a", host = "x", port = 70000}]"#, "trunk `a`"),
            (r#"[{name = "a", host = "x", transport = "sctp"}]"#, "`udp`, `tcp`, `tls`"),
            (r#"[{name = "a", host = "x", authorities = "ca.pem"}]"#, "need `transport = \"tls\"`"),
            (r#"[{name = "a", host = "x", srtp = "yes"}]"#, "`off`, `optional`, `required`"),
            (r#"[{name = "a", host = "x", srtp = "optional"}]"#, "srtp_without_tls"),
            (r#"[{name = "a"}]"#, "trunk `a`: `host` is missing"),
            (r#"[{name = "a b", host = "x"}]"#, "`name`: expected letters"),
            (r#"[{name = "a", host = "sip:x"}]"#, "`host`: expected a name"),
            (r#"[{name = "a", host = "x:5070"}]"#, "`host`: expected a name"),
            (
                r#"[{name = "a", host = "x", profile = "acme"}]"#,
                "generic, asterisk, freeswitch, twilio, telnyx",
            ),
            (r#"[{name = "a", host = "x", username = "u"}]"#, "belong together"),
            (r#"[{name = "a", host = "x", register = true}]"#, "`register`: needs `username`"),
            (r#"[{name = "a", host = "x", sources = ["y"]}]"#, "198.51.100.0/24"),
            (r#"[{name = "a", host = "x", sources = ["0.0.0.0/0"]}]"#, "of the trunk alone"),
            (r#"[{name = "a", host = "x", prefixes = ["49"]}]"#, "like `+49`"),
            (r#"[{name = "a", host = "x", caller_id = "a@b"}]"#, "`caller_id`"),
            (r#"[{name = "a", host = "x", number = "100"}]"#, "`number`"),
            (
                r#"[{name = "a", host = "x"}, {name = "A", host = "y"}]"#,
                "trunk `A`: another one has this name",
            ),
            ("office", "list of tables"),
            ("[\"office\"]", "trunk 1"),
            ("1\nlisten = 2", "list of tables"),
        ] {
            let problem = problem(&with(trunks));
            assert!(
                problem.contains(expected) && problem.contains("KAICALLS_VOICE_TRUNKS"),
                "{trunks}: {problem}"
            );
        }
    }

    #[test]
    fn addresses_and_ports_are_checked_where_there_are_trunks() {
        for (name, value, expected) in [
            ("voice_rtp_ports", "5-9", "16384-17383"),
            ("voice_rtp_ports", "20000-20001", "16384-17383"),
            ("voice_listen", "localhost", "0.0.0.0:5060"),
            ("voice_public_address", "", "like `203.0.113.7`"),
            ("voice_public_address", "0.0.0.0", "like `203.0.113.7`"),
            ("voice_public_address", "pbx.example.com", "like `203.0.113.7`"),
        ] {
            let mut config = with(r#"[{name = "a", host = "x"}]"#);
            config.set(name, value);
            let problem = problem(&config);
            assert!(
                problem.contains(expected) && problem.contains(&crate::config::variable(name)),
                "{problem}"
            );
        }
        let mut config = with(r#"[{name = "a", host = "x"}]"#);
        config.set("voice_public_address", "");
        config.set("voice_listen", "192.0.2.1:5062");
        let found = settings(&config);
        assert_eq!(
            (found.listen.port(), found.public_address),
            (5062, None),
            "an address that is one needs no other"
        );
    }
}
