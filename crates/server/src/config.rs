//! Settings: one table of them (`table`) drives reading, errors and the reference page.
//!
//! They come from a TOML file and from variables `KAICALLS_<SETTING>`; a variable wins. An unknown setting in the file is refused,
//! because a misspelled one would do nothing. An unknown variable is only warned of: others set variables too, like Kubernetes, which
//! gives every container `KAICALLS_PORT` where a service of that name exists. Secrets are never printed.

mod check;
mod dialling;
mod engines;
mod log;
mod paths;
mod retention;
mod table;
mod trunk_profiles;
mod trunks;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use domain::usage::RateTable;
use egress::Exceptions;
use sandbox::Pace;
use store::{DatabaseUrl, MasterKey};
use web::{OwnOrigin, RateLimits, TrustedProxies};
use webhooks::schedule::Schedule;

use self::table::{SETTINGS, did_you_mean, nearest};
pub(crate) use self::table::{reference, variable};
use self::trunks::TRUNK_VARIABLES;
use crate::failure::Failure;

/// The file that is read if it is there and no other is named.
const DEFAULT_FILE: &str = "kaicalls.toml";

/// Variables that our SDKs and the programs built on them read; a server shares its environment with some of these.
const CLIENT_VARIABLES: &[&str] = &["KAICALLS_WEBHOOK_SECRET"];

/// Settings of clients: what they hold stops no command that does not need it.
const OF_CLIENTS: &[&str] = &["api_key", "base_url"];

/// The settings as they are after file and environment have been read.
#[derive(Clone)]
pub(crate) struct Config {
    values: BTreeMap<&'static str, String>,
    /// What lets us in at trunks, by the ends of the variables' names in small letters.
    trunk_variables: BTreeMap<String, String>,
    /// The settings file that `--config` names.
    named_file: Option<PathBuf>,
    /// Warnings about variables of the environment, each a sentence.
    warnings: Vec<String>,
}

impl Config {
    /// Reads the file, if one is named or the default one is there, and the environment. A named file has to be there, unless the command
    /// makes it.
    pub(crate) fn load(named: Option<&Path>, makes_file: bool) -> Result<Self, Failure> {
        let mut config = Self { named_file: named.map(Path::to_owned), ..Self::defaults() };
        let file = config.file().to_owned();
        match (named, file.try_exists()) {
            (_, Ok(true)) => config.read_file(&file)?,
            (None, _) => {}
            (Some(_), Ok(false)) if makes_file => {}
            (Some(_), Ok(false)) => {
                let problem =
                    "there is no such file; `kaicalls setup` with the same --config makes it".to_owned();
                return Err(Failure::File { file: file.display().to_string(), problem });
            }
            (Some(_), Err(error)) => {
                let problem = format!("cannot be read: {error}");
                return Err(Failure::File { file: file.display().to_string(), problem });
            }
        }
        if let Some(folder) = named.and_then(Path::parent) {
            config.take_paths_from(folder);
        }
        #[expect(clippy::disallowed_methods, reason = "this is where settings come from")]
        let variables = std::env::vars_os();
        config.read_variables(variables)?;
        if let Some((file, why)) = config.forgotten_file() {
            config.warnings.push(format!(
                "{why}; what is in the SQLite file {} stays there and is not shown. Move that file away once nothing in it is needed",
                file.display()
            ));
        }
        Ok(config)
    }

    /// The built-in values of all settings.
    pub(crate) fn defaults() -> Self {
        let values = SETTINGS.iter().map(|setting| (setting.name, (setting.default)())).collect();
        Self { values, trunk_variables: BTreeMap::new(), named_file: None, warnings: Vec::new() }
    }

    /// The settings file, whether it is there yet or not.
    pub(crate) fn file(&self) -> &Path {
        self.named_file.as_deref().unwrap_or(Path::new(DEFAULT_FILE))
    }

    /// What has to be added to another command that is to use the same settings file: nothing for the usual one.
    pub(crate) fn same_file(&self) -> String {
        let Some(file) = &self.named_file else { return String::new() };
        format!(" --config '{}'", file.display().to_string().replace('\'', "'\\''"))
    }

    /// Takes a new master key, and writes it into the settings file for the next time. Whoever can read the file can read everything, so it
    /// is closed to others.
    pub(crate) fn keep_master_key(&mut self, key: String) -> Result<(), Failure> {
        let file = self.file();
        write_master_key(file, &key).map_err(|error| Failure::File {
            file: file.display().to_string(),
            problem: format!("the new master key cannot be written into it: {error}"),
        })?;
        self.set("master_key", key);
        Ok(())
    }

    /// What is odd about the environment and stops nothing.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.values.insert(name, value.into());
    }

    fn read_file(&mut self, file: &Path) -> Result<(), Failure> {
        let problem = |problem: String| Failure::File { file: file.display().to_string(), problem };
        let text =
            std::fs::read_to_string(file).map_err(|error| problem(format!("cannot be read: {error}")))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| problem(error.to_string()))?;
        let mut seen = BTreeSet::new();
        for (name, value) in in_tables(table) {
            if !seen.insert(name.clone()) {
                return Err(problem(format!("`{name}` is set twice")));
            }
            let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
                return Err(problem(format!("there is no setting `{name}`{}", did_you_mean(&name))));
            };
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Float(number) => number.to_string(),
                toml::Value::Boolean(value) => value.to_string(),
                toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
                    items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(",")
                }
                // A list of tables is kept as it is written in one line.
                toml::Value::Array(ref items)
                    if setting.name == "voice_trunks" && items.iter().all(toml::Value::is_table) =>
                {
                    value.to_string()
                }
                _ => {
                    return Err(problem(format!(
                        "`{name}` must be a text, a number, true, false or a list of texts"
                    )));
                }
            };
            self.values.insert(setting.name, text);
        }
        Ok(())
    }

    fn read_variables(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), Failure> {
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            let Some(setting) = name.strip_prefix("KAICALLS_").map(str::to_lowercase) else { continue };
            if setting.starts_with("test_") || CLIENT_VARIABLES.contains(&name) {
                continue;
            }
            if let Some(of_trunk) = setting.strip_prefix(TRUNK_VARIABLES) {
                let value = value.into_string().map_err(|_| Failure::setting(&setting, "expected UTF-8"))?;
                self.trunk_variables.insert(of_trunk.to_owned(), value);
                continue;
            }
            match SETTINGS.iter().find(|known| known.name == setting) {
                Some(known) => match value.into_string() {
                    Ok(value) => {
                        self.values.insert(known.name, value);
                    }
                    Err(_) if OF_CLIENTS.contains(&known.name) => {
                        self.warnings.push(format!("the variable `{name}` is no text and does nothing"));
                    }
                    Err(_) => return Err(Failure::setting(known.name, "expected UTF-8")),
                },
                None => {
                    let hint = nearest(&setting)
                        .map(|close| format!("; did you mean `{}`?", variable(close)))
                        .unwrap_or_default();
                    self.warnings.push(format!("the variable `{name}` is no setting and does nothing{hint}"));
                }
            }
        }
        Ok(())
    }

    /// The text of a setting; `None` if it is empty.
    pub(crate) fn text(&self, name: &'static str) -> Option<&str> {
        let value = self.values.get(name).map(|value| value.trim()).unwrap_or_default();
        (!value.is_empty()).then_some(value)
    }

    fn parse<T: FromStr>(&self, name: &'static str) -> Result<T, Failure>
    where
        T::Err: std::fmt::Display,
    {
        let value = self.values.get(name).map(String::as_str).unwrap_or_default();
        value.trim().parse().map_err(|error: T::Err| Failure::setting(name, error))
    }

    pub(crate) fn number(&self, name: &'static str, least: u32, most: u32) -> Result<u32, Failure> {
        let value = self.text(name).unwrap_or_default();
        let number = value.parse::<u32>().ok().filter(|number| (least..=most).contains(number));
        number
            .ok_or_else(|| Failure::setting(name, format!("expected a whole number from {least} to {most}")))
    }

    pub(crate) fn list(&self, name: &'static str) -> Vec<String> {
        let items = self.text(name).unwrap_or_default().split(',');
        items.map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    }

    pub(crate) fn database_url(&self) -> Result<DatabaseUrl, Failure> {
        Ok(self.text("database_url").unwrap_or_default().parse()?)
    }

    /// The way past a pooler, if there is one.
    pub(crate) fn database_direct_url(&self) -> Result<Option<String>, Failure> {
        let Some(text) = self.text("database_direct_url") else { return Ok(None) };
        match text.parse() {
            Ok(DatabaseUrl::Postgres(url)) => Ok(Some(url)),
            _ => Err(Failure::setting(
                "database_direct_url",
                "expected postgres://user:password@host/database",
            )),
        }
    }

    pub(crate) fn master_key(&self) -> Result<MasterKey, Failure> {
        let Some(text) = self.text("master_key") else {
            let problem = "none is set, and without one the server does not start. `kaicalls setup` writes one into \
                           the settings file; keep it as safe as the database";
            return Err(Failure::setting("master_key", problem));
        };
        MasterKey::parse(text).map_err(|error| Failure::setting("master_key", error))
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.text("data_dir").unwrap_or(".").into()
    }

    pub(crate) fn listen(&self) -> &str {
        self.text("listen").unwrap_or("127.0.0.1:8080")
    }

    pub(crate) fn metrics_listen(&self) -> Option<&str> {
        self.text("metrics_listen").filter(|address| *address != "off")
    }

    /// Without a slash at its end.
    pub(crate) fn public_url(&self) -> Result<String, Failure> {
        let Some(url) = self.text("public_url") else { return Ok(format!("http://{}", self.listen())) };
        let url = url.trim_end_matches('/').to_owned();
        let has_scheme = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
        if has_scheme && !url.contains(['?', '#', '@']) && OwnOrigin::of_url(&url).is_some() {
            Ok(url)
        } else {
            let expected = "expected an address that begins with http:// or https://, without user name, `?` and `#`, \
                like https://kai.example.com";
            Err(Failure::setting("public_url", expected))
        }
    }

    /// Under which origins people reach this server.
    pub(crate) fn own_origin(&self) -> Result<OwnOrigin, Failure> {
        if self.text("public_url").is_some() {
            let own = OwnOrigin::of_url(&self.public_url()?);
            return own.ok_or_else(|| Failure::setting("public_url", "expected an address of the web"));
        }
        let port = self.listen().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.ok_or_else(|| {
            Failure::setting("listen", "expected an address with a port like 127.0.0.1:8080")
        })?;
        Ok(OwnOrigin::Loopback { port })
    }

    pub(crate) fn trusted_proxies(&self) -> Result<TrustedProxies, Failure> {
        self.parse("trusted_proxies")
    }

    pub(crate) fn exceptions(&self) -> Result<Exceptions, Failure> {
        self.parse("egress_allow")
    }

    pub(crate) fn webhook_schedule(&self) -> Result<Schedule, Failure> {
        self.parse("webhook_schedule")
    }

    pub(crate) fn sandbox_pace(&self) -> Result<Pace, Failure> {
        self.parse("sandbox_pace")
    }

    pub(crate) fn sandbox_seed(&self) -> Result<u64, Failure> {
        let expected = "expected a whole number from 0 on";
        self.parse("sandbox_seed").map_err(|_| Failure::setting("sandbox_seed", expected))
    }

    pub(crate) fn sandbox_recordings(&self) -> Result<bool, Failure> {
        let expected = "expected `true` or `false`";
        self.parse("sandbox_recordings").map_err(|_| Failure::setting("sandbox_recordings", expected))
    }

    pub(crate) fn rates(&self) -> Result<RateTable, Failure> {
        let mut prices = BTreeMap::new();
        for item in self.list("rate_per_minute") {
            let price = item
                .split_once('=')
                .and_then(|(engine, cents)| Some((engine.trim(), cents.trim().parse().ok()?)));
            let (engine, cents): (&str, f64) = price.ok_or_else(|| {
                Failure::setting("rate_per_minute", "expected prices like `voice=7.5,sandbox=0`")
            })?;
            prices.insert(engine.to_owned(), cents);
        }
        RateTable::new(prices).map_err(|error| Failure::setting("rate_per_minute", error))
    }

    pub(crate) fn rate_limits(&self) -> Result<RateLimits, Failure> {
        let number = |name| self.number(name, 1, 1_000_000);
        Ok(RateLimits {
            place_call: number("rate_limit_calls")?,
            create_agent: number("rate_limit_agents_create")?,
            change_agent: number("rate_limit_agents_update")?,
            read: number("rate_limit_reads")?,
            write: number("rate_limit_writes")?,
            login: number("rate_limit_logins")?,
            signup: self.number("signups_per_hour", 0, 1_000_000)?,
        })
    }

    pub(crate) fn recording_link_ttl(&self) -> Result<Duration, Failure> {
        self.number("recording_link_hours", 1, 8760).map(|hours| Duration::from_secs(u64::from(hours) * 3600))
    }

    pub(crate) fn database_pool(&self) -> Result<usize, Failure> {
        self.number("database_pool", 2, 1000).map(|size| size as usize)
    }

    pub(crate) fn delivery_concurrency(&self) -> Result<usize, Failure> {
        self.number("delivery_concurrency", 1, 10_000).map(|count| count as usize)
    }

    pub(crate) fn call_job_concurrency(&self) -> Result<usize, Failure> {
        self.number("call_job_concurrency", 1, 10_000).map(|count| count as usize)
    }

    pub(crate) fn max_connections(&self) -> Result<usize, Failure> {
        self.number("max_connections", 1, 1_000_000).map(|count| count as usize)
    }

    pub(crate) fn max_connections_per_address(&self) -> Result<usize, Failure> {
        self.number("max_connections_per_address", 1, 1_000_000).map(|count| count as usize)
    }

    pub(crate) fn unready(&self) -> Result<Duration, Failure> {
        self.number("unready_seconds", 0, 3600).map(|seconds| Duration::from_secs(seconds.into()))
    }

    pub(crate) fn drain(&self) -> Result<Duration, Failure> {
        self.number("drain_seconds", 0, 86_400).map(|seconds| Duration::from_secs(seconds.into()))
    }
}

/// The settings of a file by their names. What stands in the table `voice` may as well stand outside of it, with `voice_` before its name.
fn in_tables(table: toml::Table) -> impl Iterator<Item = (String, toml::Value)> {
    table.into_iter().flat_map(|(name, value)| match value {
        toml::Value::Table(inner) if name == "voice" => {
            inner.into_iter().map(|(part, value)| (format!("voice_{part}"), value)).collect()
        }
        value => vec![(name, value)],
    })
}

/// An address of a service that a setting names.
pub(crate) fn web_address(setting: &'static str, written: &str) -> Result<String, Failure> {
    let is_one = written.starts_with("https://") || written.starts_with("http://");
    let expected = "expected an address that begins with https://";
    if is_one { Ok(written.to_owned()) } else { Err(Failure::setting(setting, expected)) }
}

/// Adds a master key to a settings file. Settings that are there stay as they are, and so does the right of a group to read them.
fn write_master_key(path: &Path, key: &str) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let line = format!("master_key = \"{key}\"\n");
    let text = match std::fs::read_to_string(path) {
        // What comes after the heading of a table belongs to that table.
        Ok(text) if text.lines().any(|line| line.trim_start().starts_with('[')) => line + &text,
        Ok(text) if text.is_empty() || text.ends_with('\n') => text + &line,
        Ok(text) => text + "\n" + &line,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            "# Settings of kaicalls; `kaicalls settings` lists them all. This file holds a secret.\n"
                .to_owned()
                + &line
        }
        Err(error) => return Err(error),
    };
    let mut file =
        std::fs::File::options().create(true).write(true).truncate(false).mode(0o600).open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o007 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(mode & 0o7770))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(text: &str) -> Result<Config, Failure> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("kaicalls.toml");
        std::fs::write(&file, text).expect("a writable folder");
        let mut config = Config::defaults();
        config.read_file(&file).map(|()| config)
    }

    #[test]
    fn a_file_sets_texts_numbers_and_lists() {
        let config =
            from_file("listen = '0.0.0.0:80'\nmax_concurrent_calls = 7\nallowed_countries = ['44', '+49']\n")
                .expect("fine");
        assert_eq!(config.listen(), "0.0.0.0:80");
        assert_eq!(config.max_concurrent_calls().expect("a number"), 7);
        assert_eq!(config.allowed_countries().expect("codes"), ["44", "49"]);
    }

    #[test]
    fn a_misspelled_setting_is_refused_with_a_suggestion() {
        let error = from_file("database = 'x'\n").err().expect("refused").to_string();
        assert!(error.contains("`database`") && error.contains("did you mean `database_"), "{error}");
    }

    fn from_variables(variables: &[(&str, &str)]) -> Config {
        let mut config = Config::defaults();
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        config.read_variables(variables).expect("fine");
        config
    }

    #[test]
    fn variables_of_others_stop_nothing_and_are_warned_of_by_name_only() {
        let config = from_variables(&[
            ("KAICALLS_PORT", "tcp://10.96.0.7:8080"),
            ("KAICALLS_LISTNE", "secret"),
            ("KAICALLS_DATABASE", "secret"),
            ("KAICALLS_LISTEN", "0.0.0.0:80"),
        ]);
        assert_eq!(config.listen(), "0.0.0.0:80");
        let warnings = config.warnings();
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(warnings[0], "the variable `KAICALLS_PORT` is no setting and does nothing");
        assert!(warnings[1].ends_with("did you mean `KAICALLS_LISTEN`?"), "{warnings:?}");
        assert!(warnings[2].contains("did you mean `KAICALLS_DATABASE_"), "{warnings:?}");
        assert!(!warnings.concat().contains("secret"));
    }

    #[test]
    fn an_sqlite_file_beside_a_configured_postgresql_is_warned_of() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let forgotten = |url: &str| {
            let mut config = Config::defaults();
            config.set("database_url", url);
            config.set("data_dir", folder.path().display().to_string());
            config.forgotten_file().map(|(file, _)| file)
        };
        assert_eq!(forgotten("postgres://h/d"), None);
        let file = folder.path().join("kaicalls.db");
        std::fs::write(&file, "rows").expect("a writable folder");
        assert_eq!(forgotten("postgres://h/d"), Some(file));
        assert_eq!(forgotten("sqlite:other.db"), None);
    }

    #[test]
    fn variables_of_clients_and_tests_are_no_news() {
        let config = from_variables(&[
            ("KAICALLS_API_KEY", "kc_test_x"),
            ("KAICALLS_BASE_URL", "https://kai.example"),
            ("KAICALLS_WEBHOOK_SECRET", "whsec_x"),
            ("KAICALLS_TEST_POSTGRES_URL", "postgres://h/d"),
        ]);
        assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_stops_a_command_only_if_it_is_a_setting() {
        use std::os::unix::ffi::OsStringExt as _;
        let broken = || OsString::from_vec(vec![0xff]);
        let mut config = Config::defaults();
        config.read_variables([(OsString::from("OTHER"), broken()), (broken(), broken())]).expect("not ours");
        let refused = config.read_variables([(OsString::from("KAICALLS_LISTEN"), broken())]);
        assert!(refused.expect_err("ours").to_string().contains("KAICALLS_LISTEN"));
    }

    #[test]
    fn a_new_master_key_stands_outside_of_tables() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("kaicalls.toml");
        for before in [
            "",
            "log = \"warn\"",
            "log = \"warn\"\n",
            "[voice]\nlisten = \"192.0.2.1:5060\"",
            "log = \"x\"\n [voice]\n",
        ] {
            std::fs::write(&file, before).expect("a writable folder");
            write_master_key(&file, "key").expect("a writable file");
            let written = std::fs::read_to_string(&file).expect("a file");
            let config = from_file(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(config.text("master_key"), Some("key"), "{written}");
            assert!(written.contains(before.trim_end()), "{written}");
        }
    }

    #[test]
    fn trunks_stand_in_tables_of_their_own() {
        let written = "[voice]\nlisten = \"192.0.2.1:5060\"\n[[voice.trunks]]\nname = \"a\"\nhost = \"x.example\"\n\
                       [[voice.trunks]]\nname = \"b\"\nhost = \"y.example\"\nprefixes = [\"+49\", \"+43\"]\n";
        let config = from_file(written).expect("valid settings");
        let settings = config.voice().expect("valid settings").expect("trunks");
        assert_eq!(settings.listen, "192.0.2.1:5060".parse().expect("an address"));
        let trunks = settings.trunks.iter().map(|trunk| &trunk.signalling);
        let trunks: Vec<_> = trunks.map(|trunk| (trunk.name.as_str(), trunk.prefixes.len())).collect();
        assert_eq!(trunks, [("a", 0), ("b", 2)]);
        for (written, expected) in [
            ("[voice]\ntruncs = 1\n", "voice_trunks"),
            ("voice_listen = \"x\"\n[voice]\nlisten = \"y\"\n", "`voice_listen` is set twice"),
            ("[[listen]]\nname = \"a\"\n", "`listen` must be a text"),
        ] {
            let error = from_file(written).err().expect(written).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn what_lets_us_in_at_trunks_is_read_from_variables() {
        let config = from_variables(&[
            ("KAICALLS_VOICE_TRUNKS", "[{name = \"a\", host = \"x\", username = \"u\"}]"),
            ("KAICALLS_VOICE_LISTEN", "192.0.2.1:5060"),
            ("KAICALLS_VOICE_TRUNK_A_PASSWORD", "p"),
        ]);
        assert!(config.warnings().is_empty(), "{:?}", config.warnings());
        let settings = config.voice().expect("valid settings").expect("trunks");
        let credentials = settings.trunks[0].signalling.credentials.as_ref().expect("they are set");
        assert_eq!(credentials.password, "p");
    }

    fn with_key(config: &Config) -> Config {
        let mut config = config.clone();
        config.set("vapi_api_key", "key");
        config
    }

    #[test]
    fn the_key_of_an_account_alone_makes_live_calls_run_there() {
        let engine = |config: &Config| config.live_engine().expect("valid settings");
        let takes_calls = |config: &Config| config.vapi_takes_calls().expect("valid settings");
        let mut config = Config::defaults();
        assert_eq!((engine(&config), takes_calls(&config)), (None, false));
        config.set("vapi_api_key", "key");
        assert_eq!((engine(&config), takes_calls(&config)), (Some("vapi"), true));
        for other in ["sandbox", "none"] {
            config.set("live_engine", other);
            assert_eq!(engine(&config), Some(other).filter(|other| *other != "none"));
            // What runs there is followed to its end, and nothing new begins.
            assert!(config.vapi().expect("valid settings").is_some() && !takes_calls(&config), "{other}");
        }
        config.set("voice_trunks", "[{name = \"a\", host = \"x\"}]");
        config.set("live_engine", "");
        assert_eq!(
            (engine(&config), config.voice_takes_calls().expect("valid settings")),
            (Some("vapi"), true)
        );
        config.set("live_engine", "voice");
        assert_eq!((engine(&config), takes_calls(&config)), (Some("voice"), true));
        config.set("live_engine", "none");
        assert!(!config.voice_takes_calls().expect("valid settings"));
        config.set("live_engine", "voice");
        config.set("voice_trunks", "");
        let error = config.live_engine().expect_err("no trunk").to_string();
        assert!(error.contains("KAICALLS_VOICE_TRUNKS"), "{error}");
        config.set("live_engine", "vapi");
        config.set("vapi_api_key", "");
        let error = config.live_engine().expect_err("no key").to_string();
        assert!(error.contains("KAICALLS_VAPI_API_KEY"), "{error}");
        config.set("vapi_api_key", "key");
        config.set("vapi_webhook_auth", "hmac");
        let error = config.vapi().err().expect("no credential").to_string();
        assert!(error.contains("KAICALLS_VAPI_CREDENTIAL_ID"), "{error}");
    }

    #[test]
    fn people_reach_the_server_by_its_public_address_or_else_by_this_machines_names() {
        let mut config = Config::defaults();
        config.set("listen", "0.0.0.0:9000");
        assert_eq!(config.own_origin().expect("valid settings"), OwnOrigin::Loopback { port: 9000 });
        config.set("public_url", "https://kai.example/");
        assert_eq!(
            config.own_origin().expect("valid settings"),
            OwnOrigin::Public("https://kai.example".to_owned())
        );
    }

    #[test]
    fn wrong_values_name_their_variable_and_what_was_expected() {
        let check =
            |name: &'static str, value: &str, read: fn(&Config) -> Option<Failure>, expected: &str| {
                let mut config = Config::defaults();
                config.set(name, value);
                let error = read(&config).expect(name).to_string();
                assert!(error.contains(&variable(name)) && error.contains(expected), "{error}");
            };
        check("database_url", "mysql://x", |c| c.database_url().err(), "sqlite:PATH");
        check("master_key", "", |c| c.master_key().err(), "kaicalls setup");
        check("master_key", "short", |c| c.master_key().err(), "openssl rand -base64 32");
        check("sandbox_pace", "slow", |c| c.sandbox_pace().err(), "realtime");
        check("egress_allow", "localhost", |c| c.exceptions().err(), "10.1.0.0/16:8080");
        check("rate_per_minute", "voice", |c| c.rates().err(), "voice=7.5");
        check("max_concurrent_calls", "0", |c| c.max_concurrent_calls().err(), "from 1 to");
        check("live_engine", "asterisk", |c| c.live_engine().err(), "`vapi`, `voice`, `sandbox` or `none`");
        check("vapi_webhook_auth", "trust", |c| with_key(c).vapi().err(), "`hmac-body`");
        check("vapi_base_url", "api.vapi.ai", |c| with_key(c).vapi().err(), "https://");
        check("trusted_proxies", "0.0.0.0/0", |c| c.trusted_proxies().err(), "127.0.0.1,10.1.0.0/16");
        check("listen", "localhost", |c| c.own_origin().err(), "127.0.0.1:8080");
        check("public_url", "kai.example", |c| c.public_url().err(), "https://");
    }

    #[test]
    fn the_reference_page_is_up_to_date() {
        let page = include_str!("../../../docs/reference/configuration.md");
        assert!(page == reference(), "run `cargo run -- settings > docs/reference/configuration.md`");
    }
}
