//! Settings: one table of them drives reading, errors and the reference page.
//!
//! They come from a TOML file and from variables `KAICALLS_<SETTING>`; a variable wins. An unknown setting in the file is refused,
//! because a misspelled one would do nothing. An unknown variable is only warned of: others set variables too, like Kubernetes, which
//! gives every container `KAICALLS_PORT` where a service of that name exists. Secrets are never printed.

mod dialling;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use domain::dial_policy::CallingHours;
use domain::usage::RateTable;
use egress::Exceptions;
use sandbox::Pace;
use store::{DatabaseUrl, MasterKey};
use vapi::Scheme;
use web::{OwnOrigin, RateLimits, TrustedProxies};
use webhooks::schedule::Schedule;

use crate::failure::Failure;

/// The file that is read if it is there and no other is named.
const DEFAULT_FILE: &str = "kaicalls.toml";

/// Where the database is unless a setting says otherwise.
const USUAL_DATABASE: &str = "sqlite:data/kaicalls.db";

struct Setting {
    name: &'static str,
    /// Gives the value that applies if nothing is set. What a crate decides is asked of that crate.
    default: fn() -> String,
    about: &'static str,
}

macro_rules! settings {
    ($($name:literal = $default:expr, $about:literal;)*) => {
        const SETTINGS: &[Setting] = &[$(Setting { name: $name, default: || ($default).to_string(), about: $about }),*];
    };
}

settings! {
    "database_url" = USUAL_DATABASE, "Database to use: `sqlite:PATH` or `postgres://user:password@host/database`.";
    "data_dir" = "data", "Folder for recordings and for usage rows on their way into the database.";
    "master_key" = "", "32 bytes in Base64 from which all other keys are made; required. `kaicalls setup` makes one; `openssl rand -base64 32` does too. Losing it makes keys, links and sealed secrets useless.";
    "listen" = "127.0.0.1:8080", "Where the API listens.";
    "public_url" = "", "The address under which clients reach the API; `http://` and `listen` by default. Recording links begin with it; `https` makes session cookies `Secure`. Only pages of this address may log in and change things by session; without it, pages of `localhost`, `127.0.0.1` and `[::1]` with the port of `listen`.";
    "metrics_listen" = "127.0.0.1:9464", "Where `/metrics` is served; `off` for nowhere. `/livez` and `/readyz` are there too, as they are at `listen`.";
    "log" = "info", "Which log lines are written, as a filter like `info,store=debug`.";
    "log_format" = "auto", "Format of log lines: `text`, `json`, or `auto` (text on a terminal, JSON otherwise).";
    "live_engine" = "", "Which engine makes the calls of live keys: `vapi`, `sandbox` or `none`. Without it, `vapi` where `vapi_api_key` is set and `none` otherwise. A number that another engine carries, or an agent that prefers one, comes first. With `sandbox` and `none` no call begins on Vapi; those that run there are still followed to their end. Test keys always use the sandbox.";
    "vapi_api_key" = "", "The private key of a Vapi account. With it live calls run on Vapi, unless `live_engine` says otherwise.";
    "vapi_base_url" = "https://api.vapi.ai", "Vapi's API; `https://api.eu.vapi.ai` for accounts in the EU.";
    "vapi_phone_number_id" = "", "Vapi's id of the number that agents without one of their own call from. Not needed where the account holds just one.";
    "vapi_webhook_auth" = "secret", "How messages from Vapi are authenticated: `secret` (a header that KaiCalls sets on everything it makes there), or, with a credential made at Vapi, `bearer`, `hmac` (signed with a timestamp) or `hmac-body`.";
    "vapi_webhook_secret" = "", "The secret that authenticates messages from Vapi, or several separated by commas while one is being replaced; with `secret`, the first is given to Vapi. Made from the master key by default.";
    "vapi_credential_id" = "", "Vapi's id of the credential for `bearer` and `hmac`.";
    "vapi_max_concurrent_calls" = "10", "How many calls may run on Vapi at once; more wait. Vapi's own limit for an account is 10 unless more was bought.";
    "llm_base_url" = "", "An OpenAI-compatible endpoint up to `/v1`, for what agents say and how calls are read afterwards. Without one the built-in receptionist and analyst do it.";
    "llm_api_key" = "", "API key for that endpoint, sent as a bearer token.";
    "llm_model" = "", "Language model to use for all agents; without it, each agent's own `model.model`.";
    "recogniser" = "", "Who hears callers on calls with sound: `openai`, `deepgram`, `whisper` or `pocketsphinx`. Of several, separated by commas, each takes over when the one before fails. Without it, all that are configured in this order; `pocketsphinx` only if it is named, because it knows no more than a list of sentences.";
    "transcription_base_url" = "", "For the recogniser `openai`: an endpoint with `/audio/transcriptions` up to `/v1`, or the address of whisper.cpp's server up to `/inference`.";
    "transcription_api_key" = "", "API key for that endpoint, sent as a bearer token.";
    "transcription_model" = "whisper-1", "The model that it is asked for.";
    "deepgram_api_key" = "", "For the recogniser `deepgram`: the key of a project.";
    "deepgram_base_url" = "https://api.deepgram.com", "Deepgram's API.";
    "deepgram_model" = "nova-3", "Deepgram's model.";
    "whisper_model" = "", "For the recogniser `whisper`: a model file of whisper.cpp.";
    "whisper_program" = "whisper-cli", "The program of whisper.cpp, by name or path.";
    "pocketsphinx_sentences" = "", "For the recogniser `pocketsphinx`: a file with the sentences that can be said, one to a line.";
    "pocketsphinx_model" = "/usr/share/pocketsphinx/model/en-us", "The folder of its English model and dictionary.";
    "voices" = "", "Who speaks for agents on calls with sound: `openai`, `elevenlabs`, `piper`, `flite` or `espeak-ng`. Of several, separated by commas, the one that an agent's `voice.provider` names speaks first, and otherwise the first; each takes over when the one before fails. Without it, all that are configured or installed, in this order.";
    "speech_base_url" = "", "For the voices `openai`: an endpoint with `/audio/speech`, up to `/v1`.";
    "speech_api_key" = "", "API key for that endpoint, sent as a bearer token.";
    "speech_model" = "gpt-4o-mini-tts", "The model that it is asked for.";
    "speech_voice" = "alloy", "The voice of agents that name none of this provider.";
    "elevenlabs_api_key" = "", "For the voices `elevenlabs`: the key of an account.";
    "elevenlabs_base_url" = "https://api.elevenlabs.io", "ElevenLabs' API.";
    "elevenlabs_model" = "eleven_flash_v2_5", "The model of agents whose `voice.model` names none.";
    "elevenlabs_voice" = "JBFqnCBsd6RMkjVDRZzb", "The id of the voice of agents that name none of this provider.";
    "piper_voice" = "", "For the voices `piper`: the `.onnx` file of a voice, with its `.onnx.json` beside it.";
    "piper_program" = "piper", "The program, by name or path.";
    "speech_timeout_ms" = "5000", "How long a recogniser may take for an answer, and a voice for its first sound and each pause in it.";
    "sandbox_pace" = "fast", "Speed of sandbox calls: `fast` (as fast as the machine can), `realtime`, or a factor like `10`.";
    "sandbox_seed" = "0", "Seed of the sandbox's random choices. The same seed gives the same calls.";
    "sandbox_scenarios" = "", "Folder with scripted callers of your own (`*.toml`).";
    "sandbox_recordings" = "true", "Whether sandbox calls are recorded where a synthesiser is installed.";
    "egress_allow" = "", "Receivers of webhooks outside the public internet: networks with ports, like `10.1.0.0/16:8080,127.0.0.1:9000-9100`. They may be plain http. A good part of all addresses is refused, and a whole private network is warned of.";
    "webhook_schedule" = Schedule::default(), "The pauses before each attempt to deliver a webhook.";
    "rate_per_minute" = "", "Prices in cents per started minute and engine, like `voice=7.5,sandbox=0`. An engine without a price costs nothing.";
    "allowed_countries" = "", "Country calling codes that live calls may reach besides the business's own, like `44,49`.";
    "new_number_ranges" = "", "First digits of number ranges that are newer than this program, like `+1942,+49178`. A live call to a number that its country's numbering plan does not know is refused otherwise.";
    "destinations" = "", "File with a table of your own: in each line the first digits of numbers and a class, like `+4918 premium-rate`. The longest digits that fit count, before the numbering plans in this program. Classes: `ordinary`, `service-number`, `premium-rate`, `shared-cost`, `personal-number`, `universal-access`, `satellite`, `invalid-number`; only `ordinary` ones are called.";
    "calling_hours" = CallingHours::default(), "When live calls are made, on the clock where the called person is, like `8-21` or `08:30-20:00`; `off` for at any time. The zone is that of the lead, if it has one, and otherwise every zone in which the number can be.";
    "max_concurrent_calls" = "1000", "How many calls of one business and mode may run at once.";
    "rate_limit_calls" = RateLimits::default().place_call, "Largest number of calls placed (POST /calls) per minute and key.";
    "rate_limit_agents_create" = RateLimits::default().create_agent, "Largest number of agents created (POST /agents) per minute and key.";
    "rate_limit_agents_update" = RateLimits::default().change_agent, "Largest number of changes of agents (PATCH /agents) per minute and key.";
    "rate_limit_reads" = RateLimits::default().read, "Largest number of GET requests per minute and key.";
    "rate_limit_writes" = RateLimits::default().write, "Largest number of all other writing requests per minute and key.";
    "rate_limit_logins" = RateLimits::default().login, "Largest number of logins per minute and client address.";
    "recording_link_hours" = "24", "How long a link to a recording works.";
    "trusted_proxies" = "", "Addresses or networks of proxies before this server, like `127.0.0.1,10.1.0.0/16`. They say in `Forwarded` or `X-Forwarded-For` who the client is; nobody else is believed. Without it, everybody behind a proxy shares one limit of logins.";
    "max_connections" = "16384", "Largest number of connections to the API. For each one beyond it, the connection is closed that has waited longest for a request. The system's limit of open files may allow fewer; it is raised at the start as far as the system allows.";
    "max_connections_per_address" = "1024", "The same for one client address; a network of 64 bits is one address in IPv6. It does not count for `trusted_proxies`.";
    "cors_origins" = "", "Origins whose pages may use the API from a browser, separated by commas.";
    "database_pool" = store::DEFAULT_POOL, "Largest number of connections to PostgreSQL.";
    "delivery_concurrency" = "256", "Largest number of webhooks being delivered at once.";
    "call_job_concurrency" = "64", "Largest number of calls that background jobs dial or wrap up at once.";
    "drain_seconds" = "30", "How long a stopping server waits for calls and requests.";
    "unready_seconds" = "5", "How many of these seconds a stopping server goes on as usual while `/readyz` says that it stops, so that a balancer can turn to others first. None if nobody has asked `/readyz` within the last minute.";
    "setup_email" = "", "E-mail address of the first user. With `setup_password` it is created when the server starts on an empty database.";
    "setup_password" = "", "Password of the first user, at least 10 characters.";
    "setup_business" = "My business", "Name of the first business.";
    "setup_timezone" = "UTC", "Time zone of the first business, like `America/Chicago`.";
    "setup_phone" = "", "Office phone number of the first business in E.164 format; also decides its home country (`+1` without one).";
    "api_key" = "", "For commands that use the API, like `kaicalls calls`: the key to use. A server does not read it.";
    "base_url" = "", "For commands that use the API: the server, `public_url` by default. A server does not read it.";
}

/// Variables that our SDKs and the programs built on them read; a server shares its environment with some of these.
const CLIENT_VARIABLES: &[&str] = &["KAICALLS_WEBHOOK_SECRET"];

/// Settings of clients: what they hold stops no command that does not need it.
const OF_CLIENTS: &[&str] = &["api_key", "base_url"];

/// Name of the environment variable for a setting.
pub(crate) fn variable(setting: &str) -> String {
    format!("KAICALLS_{}", setting.to_uppercase())
}

/// Settings of the Vapi engine.
pub(crate) struct VapiConfig {
    pub(crate) api_key: String,
    pub(crate) base_url: String,
    pub(crate) phone_number_id: Option<String>,
    pub(crate) scheme: Scheme,
    /// None if one is to be made from the master key.
    pub(crate) secrets: Vec<String>,
    pub(crate) credential_id: Option<String>,
    pub(crate) max_concurrent_calls: u32,
}

/// The settings as they are after file and environment have been read.
#[derive(Clone)]
pub(crate) struct Config {
    values: BTreeMap<&'static str, String>,
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
        #[expect(clippy::disallowed_methods, reason = "this is where settings come from")]
        let variables = std::env::vars_os();
        config.read_variables(variables)?;
        if let Some(file) = config.forgotten_file() {
            config.warnings.push(format!(
                "the database is PostgreSQL; what is in the SQLite file {} stays there and is not shown. Move that file away once \
                 nothing in it is needed",
                file.display()
            ));
        }
        Ok(config)
    }

    /// The SQLite file that would be the database if none were configured, where it is there beside a PostgreSQL.
    fn forgotten_file(&self) -> Option<PathBuf> {
        let Ok(DatabaseUrl::Postgres(_)) = self.database_url() else { return None };
        let usual = USUAL_DATABASE.parse();
        let usual = if let Ok(DatabaseUrl::SqliteFile(path)) = usual { Some(path) } else { None };
        let beside = self.data_dir().join("kaicalls.db");
        [usual, Some(beside)].into_iter().flatten().find(|file| file.is_file())
    }

    /// The built-in values of all settings.
    pub(crate) fn defaults() -> Self {
        let values = SETTINGS.iter().map(|setting| (setting.name, (setting.default)())).collect();
        Self { values, named_file: None, warnings: Vec::new() }
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
        for (name, value) in table {
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
        let url = self.text("public_url").map_or_else(|| format!("http://{}", self.listen()), str::to_owned);
        let url = url.trim_end_matches('/').to_owned();
        let good =
            ["http://", "https://"].iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme));
        if good {
            Ok(url)
        } else {
            Err(Failure::setting("public_url", "expected an address that begins with http:// or https://"))
        }
    }

    /// Under which origins people reach this server.
    pub(crate) fn own_origin(&self) -> Result<OwnOrigin, Failure> {
        if self.text("public_url").is_some() {
            return self.public_url().map(|url| OwnOrigin::of_url(&url));
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
        self.parse("sandbox_seed")
    }

    pub(crate) fn sandbox_recordings(&self) -> Result<bool, Failure> {
        self.parse("sandbox_recordings")
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

    /// The default engine for live keys, by name.
    pub(crate) fn live_engine(&self) -> Result<Option<&'static str>, Failure> {
        let key = self.text("vapi_api_key");
        match self.text("live_engine") {
            None => Ok(key.map(|_| "vapi")),
            Some("none") => Ok(None),
            Some("sandbox") => Ok(Some("sandbox")),
            Some("vapi") if key.is_some() => Ok(Some("vapi")),
            Some("vapi") => {
                Err(Failure::setting("vapi_api_key", "the engine `vapi` needs the private key of an account"))
            }
            Some(_) => Err(Failure::setting("live_engine", "expected `vapi`, `sandbox` or `none`")),
        }
    }

    /// True if new live calls may run on Vapi. Where live calls are only played or switched off, Vapi brings those to their end that
    /// it has begun and makes no others.
    pub(crate) fn vapi_takes_calls(&self) -> Result<bool, Failure> {
        Ok(self.text("vapi_api_key").is_some() && !matches!(self.live_engine()?, None | Some("sandbox")))
    }

    /// What is set of Vapi, where there is a key for it.
    pub(crate) fn vapi(&self) -> Result<Option<VapiConfig>, Failure> {
        self.live_engine()?;
        if self.text("vapi_api_key").is_none() {
            return Ok(None);
        }
        let base_url = self.text("vapi_base_url").unwrap_or("https://api.vapi.ai");
        if !base_url.starts_with("https://") && !base_url.starts_with("http://") {
            return Err(Failure::setting("vapi_base_url", "expected an address that begins with https://"));
        }
        let scheme: Scheme = self.parse("vapi_webhook_auth")?;
        let credential_id = self.text("vapi_credential_id").map(str::to_owned);
        if scheme != Scheme::Secret && credential_id.is_none() {
            let problem = "`bearer` and `hmac` need the id of the credential at Vapi that signs";
            return Err(Failure::setting("vapi_credential_id", problem));
        }
        let secrets = self.list("vapi_webhook_secret");
        if scheme != Scheme::Secret && secrets.is_empty() {
            let problem = "expected the secret of the credential at Vapi";
            return Err(Failure::setting("vapi_webhook_secret", problem));
        }
        Ok(Some(VapiConfig {
            api_key: self.text("vapi_api_key").unwrap_or_default().to_owned(),
            base_url: base_url.to_owned(),
            phone_number_id: self.text("vapi_phone_number_id").map(str::to_owned),
            scheme,
            secrets,
            credential_id,
            max_concurrent_calls: self.number("vapi_max_concurrent_calls", 1, 100_000)?,
        }))
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
        })
    }

    pub(crate) fn recording_link_ttl(&self) -> Result<Duration, Failure> {
        self.number("recording_link_hours", 1, 8760).map(|hours| Duration::from_secs(u64::from(hours) * 3600))
    }

    pub(crate) fn cors_origins(&self) -> Vec<String> {
        self.list("cors_origins")
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

/// Adds a master key to a settings file. Settings that are there stay as they are, and so does the right of a group to read them.
fn write_master_key(path: &Path, key: &str) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            "# Settings of kaicalls; `kaicalls settings` lists them all. This file holds a secret.\n"
                .to_owned()
        }
        Err(error) => return Err(error),
    };
    let is_new = !path.exists();
    let mut file = std::fs::File::options().create(true).append(true).mode(0o600).open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o007 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(mode & 0o7770))?;
    }
    if is_new {
        file.write_all(before.as_bytes())?;
    }
    let line_break = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    file.write_all(format!("{line_break}master_key = \"{key}\"\n").as_bytes())?;
    file.sync_all()
}

/// Names the setting that was probably meant, for the end of a sentence.
fn did_you_mean(name: &str) -> String {
    match nearest(name) {
        Some(close) => format!("; did you mean `{close}`? `kaicalls settings` lists all"),
        None => "; `kaicalls settings` lists all".to_owned(),
    }
}

/// The known setting that shares the most words with a name, or differs from it by no more than two letters.
fn nearest(name: &str) -> Option<&'static str> {
    let shared =
        |known: &str| known.split('_').filter(|part| name.split('_').any(|word| word == *part)).count();
    let likeness = |known: &str| (shared(known), usize::MAX - distance(known, name));
    let best = SETTINGS.iter().map(|setting| setting.name).max_by_key(|known| likeness(known))?;
    (shared(best) > 0 || distance(best, name) <= 2).then_some(best)
}

/// How many letters have to be added, removed or changed to make one word out of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, against) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != against);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

/// The reference page on all settings, as Markdown.
pub(crate) fn reference() -> String {
    let mut page = String::from(
        "# Settings\n\nMade by `kaicalls settings`; do not edit by hand.\n\nSettings come from a TOML file (`kaicalls.toml` in the working \
         directory, or `--config FILE`) and from variables of the environment, which win. An unknown name in the file is an error, an \
         unknown variable is warned of.\n\n\
         | In the file | As a variable | Default | Meaning |\n|---|---|---|---|\n",
    );
    for setting in SETTINGS {
        let default = (setting.default)();
        let default = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {default} | {} |",
            setting.name,
            variable(setting.name),
            setting.about
        );
    }
    page
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
            config.forgotten_file()
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
        check("live_engine", "asterisk", |c| c.live_engine().err(), "`vapi`, `sandbox` or `none`");
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
